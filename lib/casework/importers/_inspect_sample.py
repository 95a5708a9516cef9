"""One sample of an Inspect log as a row of `eval_samples`."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework import canonical
from casework.case import Reject, Row
from casework.importers._inspect_run import Tally
from casework.importers._own_fields import OwnFields
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.tables import eval_samples

_NATIVE = {
    "run_id", "item_id", "epoch", "input_text", "prompt_text", "target", "output_text", "score",
}  # fmt: skip
_AS_IS = ("choices", "model_usage", "total_time", "working_time", "uuid", "limit", "invalidation")
_TIMES = ("started_at", "completed_at")
KEPT = (*_AS_IS, *_TIMES)
"""Fields of a sample that stay as they are, in its attributes."""
_GRADES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
REFERENCES = ("attachment://", "tc://")
"""Beginnings of a text that stands elsewhere in the log."""
# Score of a log of 2023, where a sample had one and it bore no name.
_UNNAMED = "score"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the samples need to know of their run."""

    run_id: str | None
    scorer: str
    defaults: Mapping[str, Any]


def sample_row(
    sample: Any, locator: str, run: RunFacts, tally: Tally, own: OwnFields
) -> Row | Reject:
    """Build the row of a sample, and count in the tally what the run's row needs of it."""
    item = text(sample.get("id")) if isinstance(sample, Mapping) else None
    if item is None:
        raw = json.dumps(sample, default=str)
        return Reject(locator, "SAMPLE_ID", "no sample: it has no id", raw, eval_samples)
    attached = mapping(sample.get("attachments"))
    attached = attached or mapping(mapping(sample.get("transcript")).get("content"))
    messages = [_Message(mapping(entry), attached) for entry in sequence(sample.get("messages"))]
    scores = _scores(sample)
    scorer = run.scorer if run.scorer in scores else next(iter(scores), "")
    value = mapping(scores.get(scorer)).get("value")
    values, rest = own.take(
        eval_samples, mapping(sample.get("metadata")), _NATIVE, "sample.metadata"
    )
    row = {
        "condition": "as_run",
        **run.defaults,
        **values,
        "run_id": run.run_id,
        "item_id": item,
        "epoch": _epoch(sample.get("epoch")),
        "input_text": _input(sample.get("input"), attached),
        "prompt_text": _prompt(messages),
        "target": _target(sample.get("target")),
        "output_text": _output(mapping(sample.get("output")), attached),
        "score": score_value(value),
        "attributes": _attributes(sample, scores, scorer, rest, own),
    }
    _count(tally, sample, item, value, messages)
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


@dataclass(frozen=True, slots=True)
class _Message:
    """A chat message, its texts looked up where the log keeps them apart."""

    content: Mapping[str, Any]
    attached: Mapping[str, Any]

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
            return [_looked_up(content, self.attached)]
        parts = []
        for part in map(mapping, sequence(content)):
            if part.get("type") == "text":
                parts.append(_looked_up(text(part.get("text")) or "", self.attached))
            elif others:
                parts.append(f"[{text(part.get('type')) or 'unknown'}]")
        return parts


def _looked_up(words: str, attached: Mapping[str, Any]) -> str:
    for prefix in REFERENCES:
        if words.startswith(prefix):
            found = attached.get(words.removeprefix(prefix))
            return found if isinstance(found, str) else words
    return words


def _input(value: Any, attached: Mapping[str, Any]) -> str | None:
    """The question: the text, or that of the last user message."""
    if isinstance(value, str):
        return _looked_up(value, attached)
    asked = [_Message(mapping(entry), attached) for entry in sequence(value)]
    return next((message.text for message in reversed(asked) if message.role == "user"), None)


def _prompt(messages: list[_Message]) -> str | None:
    """The conversation up to the last user message, or None where there is no such message."""
    last = max((n for n, m in enumerate(messages, start=1) if m.role == "user"), default=0)
    return "\n".join(message.rendered for message in messages[:last]) or None


def _target(value: Any) -> str | None:
    if isinstance(value, list):
        return ",".join(str(entry) for entry in value)
    return value if isinstance(value, str) else text(value)


def _output(output: Mapping[str, Any], attached: Mapping[str, Any]) -> str | None:
    choices = sequence(output.get("choices"))
    completion = text(output.get("completion"))
    if completion is not None or not choices:
        return None if completion is None else _looked_up(completion, attached)
    return _Message(mapping(mapping(choices[0]).get("message")), attached).text


def _scores(sample: Mapping[str, Any]) -> Mapping[str, Any]:
    if "score" in sample:
        return {_UNNAMED: sample["score"]}
    return mapping(sample.get("scores"))


def _epoch(value: Any) -> int | None:
    found = number(value)
    return None if found is None or found != int(found) else int(found)


def _attributes(
    sample: Mapping[str, Any],
    scores: Mapping[str, Any],
    scorer: str,
    rest: Mapping[str, Any],
    own: OwnFields,
) -> dict[str, Any]:
    target = sample.get("target")
    first = mapping(next(iter(sequence(mapping(sample.get("output")).get("choices"))), None))
    found = filled(
        {
            **{key: sample.get(key) for key in _AS_IS},
            **{key: own.instants.find(sample.get(key)) for key in _TIMES},
            "scores": {name: filled(mapping(score)) for name, score in scores.items()},
            "score_from": scorer,
            "targets": target if isinstance(target, list) and len(target) > 1 else None,
            "stop_reason": first.get("stop_reason"),
            "error": mapping(sample.get("error")).get("message"),
            "metadata": filled(rest),
        }
    )
    return dict(canonical.plain(found))


def _count(
    tally: Tally, sample: Mapping[str, Any], item: str, value: Any, messages: list[_Message]
) -> None:
    tally.samples += 1
    tally.not_finite += isinstance(value, float) and not math.isfinite(value)
    tally.with_events += bool(sample.get("events") or sample.get("transcript"))
    tally.invalidated += bool(sample.get("invalidation"))
    if value is not None and not (isinstance(value, float) and math.isnan(value)):
        tally.scored.add(item)
    if messages:
        tally.system_prompts.add(tuple(m.text for m in messages if m.role == "system"))
