"""Chat messages as plain text, from the shapes in which instrumentations write them.

A message is an object with a role and `parts` (OpenTelemetry), or with `content` and `tool_calls`
(OpenAI and those who follow it); a list of them often comes as JSON text.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

_SYSTEM_ROLES = frozenset(("system", "developer"))
_TEXT_PARTS = frozenset(("text", "input_text", "output_text"))
_SHOWN_CHARACTERS = 4_000
_NUMBER = re.compile(r"\d{1,9}")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(order="deterministic").encode


class Turn(NamedTuple):
    """One message: who speaks, and what, as text. The role is empty where none is given."""

    role: str
    text: str


def turns(said: Any) -> tuple[list[Turn], bool]:
    """Read messages from a value, or from its JSON text; and whether that text was whole.

    Text that begins as JSON but is none, such as one that was cut off, is one turn as it stands.
    """
    if not isinstance(said, str):
        return _turns(said), True
    if not said.lstrip()[:1] in ("[", "{"):
        return ([Turn("", said)] if said else []), True
    try:
        decoded = _decode(said)
    except (ValueError, RecursionError):
        return [Turn("", said)], False
    return _turns(decoded), True


def indexed_turns(attributes: Mapping[str, Any], prefix: str) -> list[Turn]:
    """Read messages from attributes such as `gen_ai.prompt.0.content`, in order of their index.

    What stands deeper (`gen_ai.prompt.0.tool_calls.0.name`) is taken for a tool call.
    """
    messages: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        index, _, rest = key.removeprefix(prefix).partition(".")
        if key.startswith(prefix) and _NUMBER.fullmatch(index):
            _put(messages.setdefault(int(index), {}), rest.removeprefix("message."), value)
    return [turn for _, message in sorted(messages.items()) for turn in _turns(message)]


def _put(message: dict[str, Any], name: str, value: Any) -> None:
    kind, _, rest = name.partition(".")
    if not rest:
        message[name] = value
    elif kind in ("contents", "tool_calls"):
        index, _, field = rest.partition(".")
        part = message.setdefault("parts", {}).setdefault((kind, index), {})
        part[field.rpartition(".")[2] or "text"] = value
    else:
        message.setdefault("parts", {}).setdefault((kind, ""), {})[rest] = value


def transcript(said: Iterable[Turn]) -> str:
    """Write turns one after the other, each behind its role where it has one."""
    return "\n".join(f"{turn.role}: {turn.text}" if turn.role else turn.text for turn in said)


def answer(said: Iterable[Turn]) -> str:
    """Write what came out: as a transcript, where the assistant's own words need no role."""
    return transcript(Turn("" if turn.role == "assistant" else turn.role, turn.text) for turn in said)


def system_prompt(said: Iterable[Turn]) -> str:
    """Join what stands in system and developer messages."""
    return "\n".join(turn.text for turn in said if turn.role in _SYSTEM_ROLES)
