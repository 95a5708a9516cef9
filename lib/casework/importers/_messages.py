"""Chat messages as plain text, from the shapes in which instrumentations write them.

A message is an object with a role and `parts` (OpenTelemetry), or with `content` and `tool_calls`
(OpenAI and those who follow it); a list of them often comes as JSON text. Bodies of requests and
answers, of the interfaces of OpenAI, Anthropic and Google, hold messages under names of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

import msgspec

from casework.importers._json_document import decoded
from casework.importers._message_parts import TEXT_FIELDS, is_part, is_silent, is_text, names_held

_SYSTEM_ROLES = frozenset(("system", "developer"))
_ROLES = _SYSTEM_ROLES | {"user", "assistant", "tool", "function", "model", "human", "ai"}
_OWN_ROLES = ("assistant", "model", "ai")  # of OpenAI and most, of Google, of LangChain
_SPOKEN = (
    *("content", "text", "refusal", "parts", "contents", "tool_calls", "function_call"),
    *("function_call_name", "function_call_arguments_json"),
)
_HELD = ("contents", "content", "parts")
_WRAPPERS = ("messages", "message", "choices", "candidates")
_PLAIN_FIELDS = {"role", "parts", "finish_reason"}
_UNSPOKEN_FIELDS = {"role", "finish_reason", "index", "id", "name", "type"}
_MESSAGE_FIELDS = {*_SPOKEN, *_UNSPOKEN_FIELDS, *TEXT_FIELDS}
_KEPT_CHARACTERS = 4_000
_INDEX_DIGITS = 9

Turn = tuple[str, str]
"""One message: who speaks, and what, as text. The role is empty where none is given."""


class _Text(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    type: Literal["text"]
    content: str


class _Plain(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A message of one text, as nearly all are; in JSON that is twice as quick to read."""

    role: str
    parts: tuple[_Text]
    finish_reason: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder().decode
_decode_plain = msgspec.json.Decoder(list[_Plain]).decode


def turns(said: Any) -> tuple[list[Turn], bool]:
    """Read messages from a value or from its JSON text, and whether that text was whole.

    Text that begins as JSON but is none, such as one that was cut off, is one turn as it stands;
    so is JSON that holds no messages, such as the answer of a model that was asked for JSON.
    """
    if not isinstance(said, str):
        text = "" if _is_said(said) else _part(said)
        return ([("", text)] if text else _turns(said)), True
    if said[:1] not in ("[", "{"):
        return [("", said)], True
    try:
        return [(one.role, one.parts[0].content) for one in _decode_plain(said)], True
    except (ValueError, RecursionError):
        pass  # it is read as whatever it is
    try:
        value = _decode(said)
        return (_turns(value) if _is_said(value) else [("", said)]), True
    except (ValueError, RecursionError):
        return [("", said)], False


def indexed_turns(attributes: Mapping[str, Any], prefix: str) -> list[Turn]:
    """Read messages from attributes such as `gen_ai.prompt.0.content`, in order of their index.

    What stands deeper (`gen_ai.prompt.0.tool_calls.0.name`) is a part with these fields, and what
    has no field at all (`gen_ai.prompt.0`) is the content.
    """
    messages: dict[int, dict[str, Any]] = {}
    parts: dict[int, dict[str, dict[str, dict[str, Any]]]] = {}
    for key, value in attributes.items():
        index, _, name = key.removeprefix(prefix).partition(".")
        if not (key.startswith(prefix) and index.isdecimal() and len(index) <= _INDEX_DIGITS):
            continue
        message = messages.setdefault(int(index), {})
        kind, _, deeper = (name.removeprefix("message.") or "content").partition(".")
        if not deeper:
            message[kind] = _parts_in(value) if kind == "content" else value
            continue
        of_kind = parts.setdefault(int(index), {}).setdefault(kind, {})
        number, _, field = deeper.partition(".")
        of_kind.setdefault(number, {})[field.rpartition(".")[2]] = value
    said: list[Turn] = []
    for at, message in sorted(messages.items()):
        deep = {kind: [found[number] for number in sorted(found, key=_place)]
                for kind, found in parts.get(at, {}).items()}  # fmt: skip
        said += _turns({"role": "", **deep, **message})
    return said


def transcript(said: Sequence[Turn]) -> str:
    """Write turns one after the other, each behind its role where it has one."""
    return "\n".join([f"{role}: {text}" if role else text for role, text in said])


def answer(said: Sequence[Turn]) -> str:
    """Write what came out: a transcript in which the assistant's own words need no role."""
    if len(said) == 1 and said[0][0] in _OWN_ROLES:
        return said[0][1]
    return transcript([("" if role in _OWN_ROLES else role, text) for role, text in said])


def system_prompt(said: Iterable[Turn]) -> str:
    """Join what stands in system and developer messages, in order, by newlines."""
    return "\n".join([text for role, text in said if role.lower() in _SYSTEM_ROLES])


def shortened(text: str) -> str:
    """Cut a text of more than 4,000 characters, and say how long it was and its SHA-256."""
    if len(text) <= _KEPT_CHARACTERS:
        return text
    digest = sha256(text.encode()).hexdigest()
    return f"{text[:_KEPT_CHARACTERS]}… [{len(text)} characters, SHA-256 {digest}]"


def _turns(value: Any) -> list[Turn]:
    if isinstance(value, list):
        found: list[Turn] = []
        for item in value:
            plain = _plain_turn(item)
            if plain:
                found.append(plain)
            else:
                found += _turns(item)
        return found
    if isinstance(value, dict):
        for wrapped in _WRAPPERS:
            if value.get(wrapped) and isinstance(value[wrapped], list | dict):
                # the body of Anthropic's interface has its system prompt beside the messages
                system = _part(value.get("system")) if wrapped == "messages" else ""
                return [*([("system", system)] if system else []), *_turns(value[wrapped])]
        if "role" in value or "parts" in value or "tool_calls" in value:
            if _is_unspoken(value):
                return []  # what was said was not recorded
            if _has_spoken(value):
                return [(str(value.get("role") or ""), _spoken(value))]
        if found := _of_google(value):
            return found
    text = _part(value)
    return [("", text)] if text else []


def _is_said(value: Any) -> bool:
    """Whether a value holds messages or parts of one, and is no JSON that means something else."""
    if isinstance(value, list):
        if any(map(_is_turn, value)):
            return True  # what else stands between them, such as a placeholder, is of the chat
        said = [*map(_is_said, value)]
        return any(said) and all(
            is_said or isinstance(one, str) or is_part(one)
            for one, is_said in zip(value, said, strict=True)
        )
    if not isinstance(value, dict):
        return False
    if "role" in value and _has_spoken(value):
        return _is_turn(value) or names_held(value) <= _MESSAGE_FIELDS
    if _is_unspoken(value) and _has_role(value):
        return True
    if is_text(value) or isinstance(value.get("tool_calls"), list):
        return True
    texts = value.get("messages")
    if texts and isinstance(texts, list) and all(isinstance(text, str) for text in texts):
        return True
    return any(_is_said(value.get(name)) for name in (*_WRAPPERS, *_HELD))


def _is_turn(message: Any) -> bool:
    """Whether a message of a role that chats have says something."""
    return isinstance(message, dict) and _has_role(message) and _has_spoken(message)


def _has_role(message: dict[str, Any]) -> bool:
    return str(message.get("role")).lower() in _ROLES


def _has_spoken(message: dict[str, Any]) -> bool:
    return any(message.get(name) is not None for name in _SPOKEN)


def _is_unspoken(message: dict[str, Any]) -> bool:
    """Whether a message has a role, and nothing that was said was recorded."""
    return "role" in message and names_held(message) <= _UNSPOKEN_FIELDS


def _of_google(body: dict[str, Any]) -> list[Turn]:
    """Messages of a body of Google's interface: `contents` asked, or the one `content` answered."""
    held = body.get("contents", body.get("content"))
    if isinstance(held, str | None) or ("contents" not in body and isinstance(held, list)):
        return []
    config = body.get("config")
    said = config.get("system_instruction") if isinstance(config, dict) else None
    system = _part(said)
    return [*([("system", system)] if system else []), *_turns(held)]


def _plain_turn(message: Any) -> Turn | None:
    """Read a message of one text, as nearly all are, without looking for anything else."""
    try:
        (part,) = message["parts"]
        role, text = message["role"], part["content"]
        if part["type"] != "text" or not message.keys() <= _PLAIN_FIELDS:
            return None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return (role, text) if role.__class__ is str and text.__class__ is str else None


def _spoken(message: dict[str, Any]) -> str:
    return "\n".join([text for name in _SPOKEN if (text := _part(message.get(name)))])


def _part(part: Any) -> str:
    """Text of a part, and any other part as compact JSON."""
    if isinstance(part, str):
        return part
    if isinstance(part, list):
        return "\n".join([text for item in part if (text := _part(item))])
    if isinstance(part, dict) and is_text(part):
        for name in ("content", "text", "refusal"):
            if isinstance(part.get(name), str):
                return str(part[name])
    if part is None or (isinstance(part, dict) and is_silent(part)):
        return ""
    return shortened(msgspec.json.encode(part).decode())


def _place(number: str) -> int:
    """Where a part stands among those of its kind; what is no number stands first."""
    return int(number) if number.isdecimal() and len(number) <= _INDEX_DIGITS else -1


def _parts_in(content: Any) -> Any:
    """Read the parts that stand in an attribute as JSON text, as several kinds of content do."""
    if isinstance(content, str) and content.startswith("[{"):
        try:
            parts = decoded(content)
        except ValueError:
            return content
        if all(map(is_part, parts)):
            return parts
    return content
