"""YAML from strangers: plain values only, no aliases, no tags that make objects, bounded depth.

An alias lets a text of some hundred bytes stand for gigabytes. The events of the parser show it
before anything is built; `safe_load` alone would build it.
"""

import re
from collections.abc import Hashable
from typing import Any

import yaml

from casework.errors import CaseworkError

MAX_BYTES = 10 << 20
MAX_DEPTH = 64

# Python does not write such an integer as text; to other bases than ten it reads it.
_HUGE = re.compile(r"[-+]?[0-9][\da-fA-F_xob:]{3000,}")

# libyaml's loader, the same rules in C, where PyYAML was built with it.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What stands for itself as a key; that of a merge is none, and has no value.
_WORDS = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "merge", "value"))


def parse_yaml(data: bytes, where: str) -> Any:
    """Return the one document in a YAML text, as plain Python values.

    Raises:
        CaseworkError: YAML_TOO_LARGE, YAML_ALIAS_REFUSED, YAML_DEPTH, YAML_DUPLICATE_KEY, YAML.
    """
    if len(data) > MAX_BYTES:
        raise _error("YAML_TOO_LARGE", f"more than {MAX_BYTES >> 20} MiB", where)
    try:
        text = data.decode("utf-8-sig")
        _check(text, where)
        return yaml.load(text, Loader=_LOADER)  # noqa: S506  a safe loader
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise _error("YAML", f"not readable: {problem}", where) from error
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError) as error:
        # Dates and numbers of no sense, such as 2024-13-45, escape from PyYAML as these.
        raise _error("YAML", f"not readable: {error}", where) from error


def _check(text: str, where: str) -> None:
    depth, keys = 0, _Keys()
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise _error("YAML_ALIAS_REFUSED", "it holds an alias", where)
        if isinstance(event, yaml.ScalarEvent) and _HUGE.fullmatch(event.value):
            raise _error("YAML", "it holds a number of thousands of digits", where)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _error("YAML_DEPTH", f"nested deeper than {MAX_DEPTH} levels", where)
        if (twice := keys.repeated(event)) is not None:
            what, fix = (
                f"the key {twice[:100]!r} stands twice",
                "ask for the file as it was written",
            )
            raise _error("YAML_DUPLICATE_KEY", what, where, fix)


class _Keys:
    """The keys of the mappings that are open: YAML itself lets the last of two equal ones win.

    Equal are those that it reads as one value: `yes` and `true`, but not `1` and `'1'`.
    """

    def __init__(self) -> None:
        self._loader = _LOADER("")
        self._open: list[set[Hashable] | None] = []
        self._is_key: list[bool] = []

    def repeated(self, event: yaml.Event) -> str | None:
        """The key that this event repeats in its mapping, if it is one and does."""
        if isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._is_key.pop()
        elif isinstance(event, yaml.NodeEvent):
            known = self._open[-1] if self._open and self._is_key[-1] else None
            if self._open:
                self._is_key[-1] = not self._is_key[-1]
            if isinstance(event, yaml.CollectionStartEvent):
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self._open.append(set() if is_mapping else None)
                self._is_key.append(True)
            elif known is not None and isinstance(event, yaml.ScalarEvent):
                key = self._read(event)
                if key in known:
                    return str(event.value)
                known.add(key)
        return None

    def _read(self, event: yaml.ScalarEvent) -> Hashable:
        """The value of a key."""
        tag, kind = event.tag, yaml.ScalarNode
        if tag in (None, "!"):
            tag = self._loader.resolve(kind, event.value, event.implicit)  # type: ignore[no-untyped-call]
        if tag in _WORDS:
            return str(event.value)
        key: Hashable = self._loader.construct_object(kind(tag, event.value), deep=True)
        return key


def _error(
    code: str, what: str, where: str, fix: str = "write out what it holds, in plain values"
) -> CaseworkError:
    return CaseworkError(code, what, fix, where=where)
