"""YAML from strangers: plain values only, no aliases, no tags that make objects, bounded depth.

An alias lets a text of some hundred bytes stand for gigabytes. Values are built from the events of
the parser as it comes to them, so that it is seen before anything is built of it; that takes a
sixth of the time of `safe_load`, too.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import yaml

from casework.errors import CaseworkError

MAX_BYTES = 10 << 20
MAX_DEPTH = 64

# Python does not write such an integer as text; to other bases than ten it reads it.
_HUGE = re.compile(r"[-+]?[0-9][\da-fA-F_xob:]{3000,}")

# libyaml's loader, the same rules in C, where PyYAML was built with it.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_TEXT, _MERGE = f"{_TAG}str", f"{_TAG}merge"
_COLLECTIONS = (None, "!", f"{_TAG}map", f"{_TAG}seq")
# What a plain text that resolves to the tag of `=` stands for is itself.
_WORDS = (_TEXT, f"{_TAG}value")
_NO_KEY, _MERGED = object(), object()
# Dates and numbers of no sense, such as 2024-13-45, escape from PyYAML as the others of these.
_FAULTS = (yaml.YAMLError, ValueError, TypeError, LookupError, OverflowError, AttributeError)


def parse_yaml(data: bytes, where: str) -> Any:
    """Return the one document in a YAML text, as plain Python values; None where there is none.

    Raises:
        CaseworkError: YAML_TOO_LARGE, YAML_ALIAS_REFUSED, YAML_DEPTH, YAML_DUPLICATE_KEY, YAML.
    """
    value, *others = yaml_documents(data, where) or [None]
    if others:
        raise _error("YAML", "not readable: it holds several documents", where)
    return value


def yaml_documents(data: bytes, where: str, most: int = MAX_BYTES) -> list[Any]:
    """Return the documents of a YAML text of at most so many bytes, as plain Python values.

    Raises:
        CaseworkError: as `parse_yaml` does.
    """
    if len(data) > most:
        raise _error("YAML_TOO_LARGE", f"more than {most >> 20} MiB", where, "export it in parts")
    try:
        return list(_documents(data.decode("utf-8-sig"), _Building(where)))
    except _FAULTS as error:
        problem = getattr(error, "problem", None) or (str(error).splitlines() or [""])[0]
        raise _error("YAML", f"not readable: {problem}", where) from error


def begun_documents(head: bytes) -> Iterator[Any]:
    """Yield the documents at the beginning of a YAML text, the last as far as it goes."""
    building = _Building("")
    try:
        yield from _documents(head.decode("utf-8-sig", "replace"), building)
    except (CaseworkError, *_FAULTS):
        yield building.cut_off()


def _documents(text: str, building: "_Building") -> Iterator[Any]:
    for event in yaml.parse(text, Loader=_LOADER):
        building.take(event)
        if isinstance(event, yaml.DocumentEndEvent):
            yield building.document


class _Open:
    """A mapping or a list that is not closed yet; of a mapping the key whose value comes next."""

    __slots__ = ("key", "merged", "value")

    def __init__(self, event: yaml.Event) -> None:
        self.value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.key: Any = _NO_KEY
        self.merged: dict[Any, Any] = {}


class _Building:
    """A document that is built event by event: YAML itself lets the last of two equal keys win.

    Equal are those that it reads as one value: `yes` and `true`, but not `1` and `'1'`.
    """

    def __init__(self, where: str) -> None:
        self.document: Any = None
        self._where = where
        self._loader = _LOADER("")
        self._open: list[_Open] = []

    def take(self, event: yaml.Event) -> None:
        """Go on by an event."""
        if isinstance(event, yaml.ScalarEvent):
            self._put(self._scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            if event.tag not in _COLLECTIONS:
                raise yaml.YAMLError(f"a tag that is not read: {event.tag}")
            self._open.append(_Open(event))
            if len(self._open) > MAX_DEPTH:
                what = f"nested deeper than {MAX_DEPTH} levels"
                raise _error("YAML_DEPTH", what, self._where)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            raise _error("YAML_ALIAS_REFUSED", "it holds an alias", self._where)

    def cut_off(self) -> Any:
        """What there is of the document, after the events came to an end within it."""
        while self._open:
            with suppress(CaseworkError, *_FAULTS):
                self._close()
        return self.document

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        tag, kind = event.tag, yaml.ScalarNode
        if tag in (None, "!"):
            if not event.implicit[0]:
                return event.value
            tag = self._loader.resolve(kind, event.value, event.implicit)  # type: ignore[no-untyped-call]
        if tag in _WORDS:
            return event.value
        if tag == _MERGE:
            is_key = self._open and self._open[-1].key is _NO_KEY
            return _MERGED if is_key and isinstance(self._open[-1].value, dict) else event.value
        if _HUGE.fullmatch(event.value):
            raise _error("YAML", "it holds a number of thousands of digits", self._where)
        return self._loader.construct_object(kind(tag, event.value), deep=True)

    def _close(self) -> None:
        closed = self._open.pop()
        self._put(closed.merged | closed.value if closed.merged else closed.value)

    def _put(self, value: Any) -> None:
        """Put a value that is whole where it belongs."""
        if not self._open:
            self.document = value
            return
        within = self._open[-1]
        if isinstance(within.value, list):
            within.value.append(value)
        elif within.key is _NO_KEY:
            if value in within.value:
                what = f"the key {str(value)[:100]!r} stands twice"
                fix = "ask for the file as it was written"
                raise _error("YAML_DUPLICATE_KEY", what, self._where, fix)
            within.key = sys.intern(value) if type(value) is str else value
        else:
            if within.key is _MERGED:
                within.merged = _merged(value) | within.merged
            else:
                within.value[within.key] = value
            within.key = _NO_KEY


def _merged(value: Any) -> dict[Any, Any]:
    """The entries of what stands under `<<`: a mapping, or some of which the first counts."""
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, Mapping) for part in parts):
        raise yaml.YAMLError("what is merged is no mapping")
    return {key: held for part in reversed(parts) for key, held in part.items()}


def _error(
    code: str, what: str, where: str, fix: str = "write out what it holds, in plain values"
) -> CaseworkError:
    return CaseworkError(code, what, fix, where=where)
