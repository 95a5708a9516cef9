"""Marks that people, judges and programs gave to traces of MLflow, as evidence rows.

MLflow calls them assessments: feedback, and expectations, which say what would have been right.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from casework import canonical
from casework.case import Item, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._shape import number, text, written
from casework.importers._thumbs import as_number, numeric_signals, signal
from casework.tables import eval_samples, feedback

_WORDS = {"yes": 1.0, "no": 0.0}
_THUMB = Form(
    feedback,
    of="assessment",
    columns={
        "feedback_id": ("assessment_id",),
        "request_id": ("trace_id",),
        "user_id": ("source_id",),
        "reason": ("name",),
        "comment": ("rationale",),
        "occurred_at": ("created",),
    },
    uses={"signal": ("value",)},
)
_JUDGED = Form(
    eval_samples,
    of="assessment",
    columns={"item_id": ("trace_id",)},
    uses={"run_id": ("source_type", "name")},
)
_SAMPLE = Form(
    eval_samples,
    of="evaluation",
    columns={"item_id": ("item",)},
    uses={"run_id": ("run",)},
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One assessment. `rest` is what has no name here; `run` is the evaluation that made it."""

    locator: str
    name: str
    value: Any
    source: str
    who: str | None
    about: str | None
    created: datetime | None
    run: str | None = None
    is_expectation: bool = False
    rest: Mapping[str, Any] | None = None

    @property
    def score(self) -> float | None:
        """The value as a number, as MLflow itself sums it up: flags, numbers, yes and no."""
        if isinstance(self.value, bool):
            return float(self.value)
        if isinstance(self.value, str):
            return _WORDS.get(self.value.strip().lower())
        return number(self.value)

    @property
    def id(self) -> str:
        """Its id, else where it stands."""
        return text((self.rest or {}).get("assessment_id")) or self.locator

    @property
    def record(self) -> dict[str, Any]:
        """What a form reads."""
        return {
            **(self.rest or {}),
            "name": self.name,
            "value": self.value,
            "source_type": self.source,
            "source_id": self.who,
            "trace_id": self.about,
            "created": self.created,
        }


class Sampled(NamedTuple):
    """What a sample says of the trace that was judged. `run` is the evaluation that made it."""

    item: str | None
    trace: str | None
    asked: str | None
    said: str | None
    run: str | None


class Marks:
    """Makes rows of the marks of one source: what one of them means hangs on the others."""

    def __init__(self, log: FieldLog) -> None:
        self._log = log
        self._seen: dict[tuple[str, str | None], dict[str, int]] = defaultdict(dict)
        self._waiting: list[Mark] = []

    def samples(self, about: Sampled, marks: Sequence[Mark], locator: str) -> Iterator[Item]:
        """A sample for each evaluation that judged the trace; other marks wait for `rows`.

        What is expected of the trace, whoever said it, is so of each sample.
        """
        expected = [mark for mark in marks if mark.is_expectation and not mark.run]
        by_run: dict[str, list[Mark]] = defaultdict(list)
        if about.run:
            by_run[about.run] = []
        for mark in marks:
            if mark.run:
                by_run[mark.run].append(mark)
            elif not mark.is_expectation:
                self._waiting.append(mark)
        for run, judged in by_run.items():
            yield self._sample(about, run, [*expected, *judged], locator)

    def rows(self) -> Iterator[Item]:
        """The marks outside of evaluations: thumbs of people, and samples of a run of the rater."""
        values: dict[str, list[Any]] = defaultdict(list)
        for mark in self._waiting:
            if mark.source == "HUMAN":
                values[mark.name].append(mark.value)
        numeric = {name: numeric_signals(found, name) for name, found in values.items()}
        for mark in self._waiting:
            thumb = _thumb(mark, numeric.get(mark.name, {})) if mark.source == "HUMAN" else None
            if thumb is not None:
                given = {**self._log.fill(_THUMB, mark.record), "signal": thumb}
                yield Row(feedback, mark.locator, given)
            else:
                yield self._judged(mark)

    def _judged(self, mark: Mark) -> Item:
        run = ":".join(filter(None, ("mlflow", mark.source, mark.name, mark.who)))
        if mark.score is not None:
            self._log.took(_JUDGED, "value", "score")
        values = {
            **self._log.fill(_JUDGED, mark.record),
            "run_id": run,
            "epoch": self._nth(run, mark.about, mark.id),
            "score": mark.score,
        }
        return Row(eval_samples, mark.locator, values)

    def _sample(self, about: Sampled, run: str, marks: list[Mark], locator: str) -> Item:
        given = [mark for mark in marks if not mark.is_expectation]
        expected = {mark.name: mark.value for mark in marks if mark.is_expectation}
        record = {
            "item": about.item,
            "run": run,
            "trace_id": about.trace,
            "scores": [mark.record for mark in given],
            "expectations": expected,
        }
        values = {
            **self._log.fill(_SAMPLE, canonical.plain(record)),
            "run_id": run,
            "epoch": self._nth(run, about.item, about.trace or locator),
            "condition": "as_run",
            "input_text": about.asked,
            "output_text": about.said,
            "target": written(next(iter(expected.values()))) if len(expected) == 1 else None,
            "score": given[0].score if len(given) == 1 else None,
        }
        return Row(eval_samples, f"{locator}/{run}", values)

    def _nth(self, run: str, item: str | None, what: str) -> int:
        """Which repetition it is; what stands in the source twice is one."""
        known = self._seen[run, item]
        return known.setdefault(what, len(known) + 1)


def _thumb(mark: Mark, numeric: Mapping[float, int]) -> int | None:
    found = as_number(mark.value)
    if found is not None:
        return numeric.get(found)
    return signal(mark.value if isinstance(mark.value, str) else None, mark.value, mark.name)
