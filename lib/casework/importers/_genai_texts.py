"""What was said in a model call, wherever its span keeps it: in attributes or in events."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from casework.importers import _genai_names as names
from casework.importers._messages import (
    Turn,
    answer,
    indexed_turns,
    system_prompt,
    transcript,
    turns,
)
from casework.importers._otlp import Event
from casework.importers._otlp_values import plain
from casework.importers._shape import parsed


class Texts(NamedTuple):
    """Input and output as text, None where nothing is recorded, and the system prompt.

    `is_whole` is False where messages were cut off and stand as they were found.
    """

    input: str | None
    output: str | None
    system: str
    is_whole: bool


class Events(NamedTuple):
    """The events of a span: messages that went in and came out, and all others as they are."""

    said: dict[str, Any]
    input: list[Turn]
    output: list[Turn]
    others: list[dict[str, Any]]


def sort_events(events: Iterable[Event]) -> Events:
    """Sort the events of a span.

    Raises:
        Fault: SPAN_TYPE, JSON_DEPTH.
    """
    found = Events({}, [], [], [])
    head, tail = names.MESSAGE_EVENT
    for event in events:
        fields = {pair.key: plain(pair.value) for pair in event.attributes}
        if event.name in names.DETAILS_EVENTS:
            found.said.update(fields)
        elif event.name == names.CHOICE_EVENT:
            found.output.extend(_event_turns(fields, "assistant"))
        elif event.name.startswith(head) and event.name.endswith(tail):
            role = event.name[len(head) : -len(tail)]
            found.input.extend(_event_turns(fields, role))
        else:
            found.others.append({"name": event.name, **fields})
    return found


def texts(said: Mapping[str, Any], events: Events | None = None) -> Texts:
    """Write what was said in a call as text.

    Args:
        said: attributes that hold messages.
        events: the events of the span, which count where the attributes hold no messages.
    """
    if events:
        said = {**events.said, **said}
    into, input_whole = _turns(said, names.INPUT, names.INDEXED_INPUT, events and events.input)
    out, output_whole = _turns(said, names.OUTPUT, names.INDEXED_OUTPUT, events and events.output)
    system_whole = True
    if names.SYSTEM in said:
        system, system_whole = turns(said[names.SYSTEM])
        into = [*(("system", text) for _, text in system), *into]
    return Texts(
        transcript(into) if into else None,
        answer(out) if out else None,
        system_prompt(into),
        system_whole and input_whole and output_whole,
    )


def _turns(
    said: Mapping[str, Any],
    whole_names: tuple[str, ...],
    prefixes: tuple[str, ...],
    from_events: list[Turn] | None,
) -> tuple[list[Turn], bool]:
    """Take the best record of a conversation in which something was said; the others repeat it."""
    best = said.get(whole_names[0])
    if best is not None:
        found, is_whole = turns(best)
        if found and found[0][1]:
            return found, is_whole
    silent: list[Turn] = []
    for found, is_whole in _records(said, whole_names, prefixes, from_events):
        if any(text for _, text in found):
            return found, is_whole
        silent = silent or found
    return silent, True


def _records(
    said: Mapping[str, Any],
    whole_names: tuple[str, ...],
    prefixes: tuple[str, ...],
    from_events: list[Turn] | None,
) -> Iterator[tuple[list[Turn], bool]]:
    """Yield the records of a conversation, the best first, each with whether it is whole."""
    best = said.get(whole_names[0])
    if best is not None:
        yield turns(best)
    for prefix in prefixes:
        yield indexed_turns(said, prefix), True
    if from_events:
        yield from_events, True
    for name in whole_names[1:]:
        text = said.get(name)
        if name == names.PLAIN_OUTPUT and isinstance(text, str):
            yield [("", text)], True
        elif name in said and not (name in names.BODIES and text == "{}"):
            yield turns(text)


def _event_turns(fields: Mapping[str, Any], role: str) -> list[Turn]:
    """The messages of an event; none where its body has no more than why its message ended."""
    body = fields.get(names.EVENT_BODY) or fields.get("message")
    told = parsed(body)
    is_ended = isinstance(told, Mapping) and names.UNSPOKEN in told
    if is_ended and not turns({"role": role, **told})[0]:
        return []
    of_message = {name: value for name, value in fields.items() if "." not in name}
    found, _ = turns(body if isinstance(body, str) else body or {"role": role, **of_message})
    return [(who or role, text) for who, text in found]
