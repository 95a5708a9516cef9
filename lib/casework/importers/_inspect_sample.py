"""One sample of an Inspect log as a row of `eval_samples`."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from casework import canonical
from casework.case import Reject, Row
from casework.importers._convert import convert
from casework.importers._inspect_run import Tally
from casework.importers._own_fields import OwnFields
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.tables import eval_samples

_NATIVE = {
    "run_id", "item_id", "epoch", "input_text", "prompt_text", "target", "output_text", "score",
}  # fmt: skip
_AS_IS = (
    "choices", "model_usage", "model_fallbacks", "total_time", "working_time", "uuid", "limit",
    "invalidation",
)  # fmt: skip
_TIMES = ("started_at", "completed_at")
_EPOCH = eval_samples.column("epoch")
KEPT = (*_AS_IS, *_TIMES)
"""Fields of a sample that stay as they are, in its attributes."""
_GRADES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
REFERENCES = ("attachment://", "tc://")
"""Beginnings of a text that stands elsewhere in the log."""
# Score of a log of 2023, where a sample had one and it bore no name.
_UNNAMED = "score"
# What the summary of a sample has in place of metadata that is long.
_REMOVED = "Key removed from summary (> 1k)"
# Characters that a sample may take from texts kept apart, besides what its own such texts allow:
# a reference is short, and so many of them can make one text into more than any memory holds.
_RESOLVED = 1 << 20
_TIMES_RESOLVED = 8


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the samples need to know of their run.

    `scorer` is the one of the run's score, and `score` the name of the score. `system_message` is
    what stood before the messages of each call.
    """

    run_id: str | None
    scorer: str
    score: str
    system_message: str | None
    defaults: Mapping[str, Any]


def sample_row(
    sample: Any, locator: str, run: RunFacts, tally: Tally, own: OwnFields
) -> Row | Reject:
    """Build the row of a sample, and count in the tally what the run's row needs of it."""
    item = text(sample.get("id")) if isinstance(sample, Mapping) else None
    if item is None:
        raw = json.dumps(sample, default=str)
        return Reject(locator, "SAMPLE_ID", "no sample: it has no id", raw, eval_samples)
    attached = _Attached(sample)
    messages = [_Message(mapping(entry), attached) for entry in sequence(sample.get("messages"))]
    scores = _scores(sample)
    scorer = run.scorer if run.scorer in scores else next(iter(scores), "")
    value = mapping(scores.get(scorer)).get("value")
    if scorer == run.scorer:
        value = mapping(value).get(run.score, value)
    metadata = mapping(sample.get("metadata"))
    removed = {name for name, entry in metadata.items() if entry == _REMOVED}
    values, rest = own.take(eval_samples, metadata, _NATIVE | removed, "sample.metadata")
    row = {
        "condition": "as_run",
        **run.defaults,
        **values,
        "run_id": run.run_id,
        "item_id": item,
        "epoch": _epoch(sample.get("epoch"), own),
        "input_text": _input(sample.get("input"), attached),
        "prompt_text": _prompt(run.system_message, messages),
        "target": _target(sample.get("target")),
        "output_text": _output(mapping(sample.get("output")), attached),
        "score": score_value(value),
        "attributes": _attributes(sample, scores, scorer, rest, own),
    }
    _count(tally, sample, row, value, messages)
    tally.unresolved += attached.unresolved
    return Row(eval_samples, locator, row)


def score_value(value: Any) -> float | None:
    """A score as a number, by Inspect's own rules: C, I, P, N, flags, numbers, yes and no.

    None where the value is none of these; Inspect counts such a value as 0.
    """
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if value in _GRADES:
            return _GRADES[value]
        if value.lower() in _WORDS:
            return _WORDS[value.lower()]
        try:
            value = float(value)
        except ValueError:
            return None
    return number(value)


class _Attached:
    """The texts that a sample keeps apart, and how many references to them were left as they are.

    What is looked up is limited: references are left where it would come to more.
    """

    def __init__(self, sample: Mapping[str, Any]) -> None:
        self.unresolved = 0
        self._texts = mapping(sample.get("attachments")) or mapping(
            mapping(sample.get("transcript")).get("content")
        )
        held = sum(len(entry) for entry in self._texts.values() if isinstance(entry, str))
        self._left = _RESOLVED + _TIMES_RESOLVED * held

    def looked_up(self, words: str) -> str:
        """The text that a reference stands for; any other text as it is."""
        prefix = next((one for one in REFERENCES if words.startswith(one)), None)
        found = None if prefix is None else self._texts.get(words.removeprefix(prefix))
        if not isinstance(found, str):
            return words
        if len(found) > self._left:
            self.unresolved += 1
            return words
        self._left -= len(found)
        return found


@dataclass(frozen=True, slots=True)
class _Message:
    """A chat message, its texts looked up where the log keeps them apart."""

    content: Mapping[str, Any]
    attached: _Attached

    @property
    def role(self) -> str:
        return text(self.content.get("role")) or ""

    @property
    def text(self) -> str:
        """The text alone, as Inspect has it."""
        return "\n".join(self._parts(others=False))

    @property
    def rendered(self) -> str:
        """Role and text; parts that are no text by their kind, calls of tools as JSON."""
        calls = [
            canonical.dumps({"function": call.get("function"), "arguments": call.get("arguments")})
            for call in map(mapping, sequence(self.content.get("tool_calls")))
        ]
        return f"{self.role}: " + "\n".join([*self._parts(others=True), *calls])

    def _parts(self, *, others: bool) -> list[str]:
        content = self.content.get("content")
        if isinstance(content, str):
            return [self.attached.looked_up(content)]
        parts = []
        for part in map(mapping, sequence(content)):
            if part.get("type") == "text":
                parts.append(self.attached.looked_up(text(part.get("text")) or ""))
            elif others:
                parts.append(f"[{text(part.get('type')) or 'unknown'}]")
        return parts


def _input(value: Any, attached: _Attached) -> str | None:
    """The question: the text, or that of the last user message."""
    if isinstance(value, str):
        return attached.looked_up(value)
    asked = [_Message(mapping(entry), attached) for entry in sequence(value)]
    return next((message.text for message in reversed(asked) if message.role == "user"), None)


def _prompt(system_message: str | None, messages: list[_Message]) -> str | None:
    """The conversation up to the last user message, or None where there is no such message."""
    last = max((n for n, m in enumerate(messages, start=1) if m.role == "user"), default=0)
    said = [message.rendered for message in messages[:last]]
    if said and system_message:
        said.insert(0, f"system: {system_message}")
    return "\n".join(said) or None


def _target(value: Any) -> str | None:
    if isinstance(value, list):
        return ",".join(str(entry) for entry in value)
    return value if isinstance(value, str) else text(value)


def _output(output: Mapping[str, Any], attached: _Attached) -> str | None:
    choices = sequence(output.get("choices"))
    completion = text(output.get("completion"))
    if completion is not None or not choices:
        return None if completion is None else attached.looked_up(completion)
    return _Message(mapping(mapping(choices[0]).get("message")), attached).text


def _scores(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    if "score" in sample:
        return {_UNNAMED: sample["score"]}
    return mapping(sample.get("scores"))


def _epoch(value: Any, own: OwnFields) -> int | None:
    try:
        return None if value is None else cast(int, convert(value, _EPOCH, own.instants))
    except ValueError:
        return None


def _attributes(
    sample: Mapping[str, Any],
    scores: Mapping[str, Any],
    scorer: str,
    rest: Mapping[str, Any],
    own: OwnFields,
) -> dict[str, Any]:
    target = sample.get("target")
    output = mapping(sample.get("output"))
    first = mapping(next(iter(sequence(output.get("choices"))), None))
    found = filled(
        {
            **{key: sample.get(key) for key in _AS_IS},
            **{key: own.instants.find(sample.get(key)) for key in _TIMES},
            "scores": {name: filled(mapping(score)) for name, score in scores.items()},
            "score_from": scorer,
            "targets": target if isinstance(target, list) and len(target) > 1 else None,
            "model": output.get("model"),
            "stop_reason": first.get("stop_reason"),
            "error": mapping(sample.get("error")).get("message"),
            "metadata": filled(rest),
        }
    )
    return dict(canonical.plain(found))


def _count(
    tally: Tally,
    sample: Mapping[str, Any],
    row: Mapping[str, Any],
    value: Any,
    messages: list[_Message],
) -> None:
    tally.samples += 1
    tally.not_finite += isinstance(value, float) and not math.isfinite(value)
    tally.with_events += bool(sample.get("events") or sample.get("transcript"))
    tally.invalidated += bool(sample.get("invalidation"))
    tally.served_otherwise += bool(sample.get("model_fallbacks"))
    tally.epochs_unread += row["epoch"] is None and sample.get("epoch") is not None
    if value is not None and not (isinstance(value, float) and math.isnan(value)):
        tally.scored.add(row["item_id"])
    if messages:
        tally.system_prompts.add(tuple(m.text for m in messages if m.role == "system"))
