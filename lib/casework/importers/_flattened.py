"""Attributes under dotted names, `llm.input_messages.0.message.role`, however they are nested."""

from collections.abc import Mapping
from typing import Any

from casework.importers._shape import sequence

_MOST_KEYS = 20_000
_LONGEST_NAME = 1_000


def flatten(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Give every value its dotted name. Lists of plain values stay lists.

    What would give more than 20,000 names, or names of much more than 1,000 characters, stays
    nested: names repeat what they begin with, and may take far more memory than their source.
    """
    flat: dict[str, Any] = {}
    stack: list[tuple[str, Any]] = [("", attributes)]
    while stack:
        prefix, value = stack.pop()
        if prefix and _is_too_much(prefix, value, len(flat) + len(stack)):
            flat[prefix] = value
        elif isinstance(value, Mapping) and value:
            stack += [(f"{prefix}.{key}" if prefix else str(key), inner)
                      for key, inner in reversed([*value.items()])]  # fmt: skip
        elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
            stack += [
                (f"{prefix}.{n}", _message(item)) for n, item in reversed([*enumerate(value)])
            ]
        elif prefix and value is not None:
            flat[prefix] = value
    return flat


def indexed(flat: Mapping[str, Any], prefix: str) -> dict[int, dict[str, Any]]:
    """Entries such as `retrieval.documents.3.document.id`, by index and then by what follows."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in flat.items():
        index, _, rest = name[len(prefix) :].partition(".")
        if name.startswith(prefix) and index.isdecimal() and len(index) < 7 and rest:
            found.setdefault(int(index), {})[rest] = value
    return found


def _is_too_much(prefix: str, value: Any, known: int) -> bool:
    is_nested = isinstance(value, Mapping | list)
    return is_nested and (len(prefix) > _LONGEST_NAME or known + len(value) > _MOST_KEYS)


def _message(item: Any) -> Any:
    """A message that is a pair of role and content, as of 2023, as an object."""
    pair = sequence(item)
    if len(pair) == 2 and all(isinstance(part, str) for part in pair):
        return {"message.role": pair[0], "message.content": pair[1]}
    return item
