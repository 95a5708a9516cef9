"""Attributes under dotted names, `llm.input_messages.0.message.role`, however they are nested."""

from collections.abc import Mapping
from typing import Any

from casework.importers._shape import sequence

_MOST_KEYS = 20_000


def flatten(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Give every value its dotted name. Lists of plain values stay lists."""
    flat: dict[str, Any] = {}
    stack: list[tuple[str, Any]] = [("", attributes)]
    while stack and len(flat) < _MOST_KEYS:
        prefix, value = stack.pop()
        if isinstance(value, Mapping) and value:
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


def _message(item: Any) -> Any:
    """A message that is a pair of role and content, as of 2023, as an object."""
    pair = sequence(item)
    if len(pair) == 2 and all(isinstance(part, str) for part in pair):
        return {"message.role": pair[0], "message.content": pair[1]}
    return item
