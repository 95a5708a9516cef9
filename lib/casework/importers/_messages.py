"""Chat messages as plain text, from the shapes in which instrumentations write them.

A message is an object with a role and `parts` (OpenTelemetry), or with `content` and `tool_calls`
(OpenAI and those who follow it); a list of them often comes as JSON text.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

_SYSTEM_ROLES = frozenset(("system", "developer"))
_TEXT_PARTS = (None, "text", "input_text", "output_text", "refusal")
_SPOKEN = ("content", "text", "refusal", "parts", "contents", "tool_calls", "function_call")
_KEPT_CHARACTERS = 4_000
_INDEX_DIGITS = 9

_decode = msgspec.json.Decoder().decode


class Turn(NamedTuple):
    """One message: who speaks, and what, as text. The role is empty where none is given."""

    role: str
    text: str


def turns(said: Any) -> tuple[list[Turn], bool]:
    """Read messages from a value or from its JSON text, and whether that text was whole.

    Text that begins as JSON but is none, such as one that was cut off, is one turn as it stands.
    """
    if isinstance(said, str):
        if said[:1] not in ("[", "{"):
            return [Turn("", said)], True
        try:
            return _turns(_decode(said)), True
        except (ValueError, RecursionError):
            return [Turn("", said)], False
    return _turns(said), True


def indexed_turns(attributes: Mapping[str, Any], prefix: str) -> list[Turn]:
    """Read messages from attributes such as `gen_ai.prompt.0.content`, in order of their index.

    What stands deeper (`gen_ai.prompt.0.tool_calls.0.name`) is a part with these fields.
    """
    messages: dict[int, dict[str, Any]] = {}
    parts: dict[int, dict[str, dict[str, dict[str, Any]]]] = {}
    for key, value in attributes.items():
        index, _, name = key.removeprefix(prefix).partition(".")
        if not (key.startswith(prefix) and index.isdecimal() and len(index) <= _INDEX_DIGITS):
            continue
        message = messages.setdefault(int(index), {})
        kind, _, deeper = name.removeprefix("message.").partition(".")
        if not deeper:
            message[kind] = _parts_in(value) if kind == "content" else value
            continue
        of_kind = parts.setdefault(int(index), {}).setdefault(kind, {})
        number, _, field = deeper.partition(".")
        of_kind.setdefault(number, {})[field.rpartition(".")[2]] = value
    said: list[Turn] = []
    for at, message in sorted(messages.items()):
        deep = {kind: list(found.values()) for kind, found in parts.get(at, {}).items()}
        said += _turns({"role": "", **deep, **message})
    return said


def transcript(said: Iterable[Turn]) -> str:
    """Write turns one after the other, each behind its role where it has one."""
    return "\n".join([f"{role}: {text}" if role else text for role, text in said])


def answer(said: Iterable[Turn]) -> str:
    """Write what came out: a transcript in which the assistant's own words need no role."""
    return "\n".join(
        [f"{role}: {text}" if role and role != "assistant" else text for role, text in said]
    )


def system_prompt(said: Iterable[Turn]) -> str:
    """Join what stands in system and developer messages, in order, by newlines."""
    return "\n".join([text for role, text in said if role in _SYSTEM_ROLES])


def shortened(text: str) -> str:
    """Cut a text of more than 4,000 characters, and say how long it was and its SHA-256."""
    if len(text) <= _KEPT_CHARACTERS:
        return text
    digest = sha256(text.encode()).hexdigest()
    return f"{text[:_KEPT_CHARACTERS]}… [{len(text)} characters, SHA-256 {digest}]"


def _turns(value: Any) -> list[Turn]:
    if isinstance(value, list):
        return [turn for item in value for turn in _turns(item)]
    if isinstance(value, dict):
        for wrapped in ("messages", "message"):
            if isinstance(value.get(wrapped), list | dict):
                return _turns(value[wrapped])
        if "role" in value or "parts" in value or "tool_calls" in value:
            return [Turn(str(value.get("role") or ""), _spoken(value))]
    text = _part(value)
    return [Turn("", text)] if text else []


def _spoken(message: dict[str, Any]) -> str:
    return "\n".join([text for name in _SPOKEN if (text := _part(message.get(name)))])


def _part(part: Any) -> str:
    """Text of a part, and any other part as compact JSON."""
    if isinstance(part, str):
        return part
    if isinstance(part, list):
        return "\n".join([text for item in part if (text := _part(item))])
    if isinstance(part, dict) and part.get("type") in _TEXT_PARTS:
        for name in ("content", "text", "refusal"):
            if isinstance(part.get(name), str):
                return str(part[name])
    return "" if part is None else shortened(msgspec.json.encode(part).decode())


def _parts_in(content: Any) -> Any:
    """Read the parts that stand in an attribute as JSON text, as several kinds of content do."""
    if isinstance(content, str) and content.startswith("[{"):
        try:
            return _decode(content)
        except (ValueError, RecursionError):
            return content
    return content
