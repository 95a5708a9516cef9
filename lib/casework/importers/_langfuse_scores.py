"""Scores of Langfuse as evidence rows: thumbs of people, and samples of runs.

Langfuse keeps a thumb as a flag, or as a number that may as well be a grade. What a number stands
for hangs on its name, and on the other numbers under that name.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from casework.case import Item, Reject, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._judges import Judges
from casework.importers._shape import text, written
from casework.importers._thumbs import (
    as_number,
    is_of_a_user,
    is_of_feedback,
    is_of_thumbs,
    numeric_signals,
    signal,
    thumb,
)
from casework.tables import eval_samples, feedback

_BY_PEOPLE = ("API", "ANNOTATION")
_COULD_BE_THUMBS = (-1.0, 0.0, 1.0)
_WHEN = ("timestamp", "createdAt", "created_at")
_SCORE_COLUMNS = {
    "occurred_at": _WHEN,
    "user_id": ("authorUserId", "author_user_id"),
    "session_id": ("sessionId", "session_id"),
    "environment": ("environment",),
    "comment": ("comment",),
    "surface": ("source",),
    "reason": ("name",),
}
_ABOUT = ("observationId", "observation_id", "traceId", "trace_id")
_IN_WORDS = ("CATEGORICAL", "TEXT", "CORRECTION")
_THUMB = Form(
    feedback,
    of="score",
    columns={"feedback_id": ("id",), "request_id": _ABOUT, **_SCORE_COLUMNS},
    uses={"signal": ("value", "stringValue", "string_value", "dataType", "data_type")},
    own=("metadata",),
    left_out=("projectId", "createdAt", "updatedAt"),
)
_JUDGED = Form(
    eval_samples,
    of="score",
    columns={"item_id": (*_ABOUT, "sessionId"), "added_at": _WHEN},
    uses={
        "run_id": ("name", "source"),
        "score": ("value",),
        "category": ("stringValue", "string_value"),
    },
    own=("metadata",),
    left_out=("projectId", "createdAt", "updatedAt"),
)


class _Waiting(NamedTuple):
    score: Mapping[str, Any]
    locator: str
    given: float


class Scores:
    """Makes the rows of the scores of one source, which name the runs of its `judges`."""

    def __init__(self, log: FieldLog, judges: Judges) -> None:
        self._log = log
        self._judges = judges
        self._numbers: dict[str, set[float]] = defaultdict(set)
        self._waiting: list[_Waiting] = []

    def rows(self, score: Mapping[str, Any], locator: str) -> Iterator[Item]:
        """Yield the row of a score; none yet where the scores to come say what its number means."""
        if str(score.get("source") or "").upper() not in _BY_PEOPLE:
            yield self._sample(score, locator)
            return
        given, name = _numeric(score), text(score.get("name")) or ""
        if given is None:
            label = text(score.get("stringValue"))
            said = signal(label, score.get("value"), name)
            yield self._row(score, locator, said if _is_of_a_person(score, label, name) else None)
            return
        self._numbers[name].add(given)
        if given in _COULD_BE_THUMBS and (is_of_thumbs(name) or is_of_feedback(name)):
            self._waiting.append(_Waiting(score, locator, given))
        else:
            yield self._sample(score, locator)

    def rest(self) -> Iterator[Item]:
        """Yield the rows of the scores that waited for the others of their name."""
        signals = {name: numeric_signals(found, name) for name, found in self._numbers.items()}
        for score, locator, given in self._waiting:
            name = text(score.get("name")) or ""
            yield self._row(score, locator, signals[name].get(given))

    def _row(self, score: Mapping[str, Any], locator: str, said: int | None) -> Item:
        if said is None:
            return self._sample(score, locator)
        return Row(feedback, locator, {**self._log.fill(_THUMB, score), "signal": said})

    def _sample(self, score: Mapping[str, Any], locator: str) -> Item:
        source, name = str(score.get("source") or "").upper(), score.get("name")
        values = self._log.fill(_JUDGED, score)
        if "item_id" not in values:
            reason = "a score of no observation, trace or session, as those of whole runs are"
            return Reject(locator, "NO_ITEM", reason, written(score) or "", eval_samples)
        row = Row(eval_samples, locator, {
            **values,
            "run_id": f"langfuse:{source or 'score'}:{name}",
            "score": _grade(score),
            "category": text(score.get("stringValue")),
            "epoch": 1,
        })  # fmt: skip
        return self._judges.saw(row, text(name))


def _is_of_a_person(score: Mapping[str, Any], label: str | None, name: str) -> bool:
    """Whether a flag or a word is a person's, which of the source API its name must say.

    Programs that judge answers send their scores through the API too.
    """
    is_annotated = str(score.get("source") or "").upper() == "ANNOTATION"
    return is_annotated or thumb(label) is not None or is_of_thumbs(name) or is_of_a_user(name)


def _numeric(score: Mapping[str, Any]) -> float | None:
    """The number that was given, also as a category; a flag is none."""
    kind, said = str(score.get("dataType") or "").upper(), text(score.get("stringValue"))
    if kind == "BOOLEAN":
        return None
    return as_number(score.get("value") if kind == "NUMERIC" or said is None else said)


def _grade(score: Mapping[str, Any]) -> float | None:
    """The number of a score; of words it has one only where a configuration gives them numbers."""
    value, kind = score.get("value"), str(score.get("dataType") or "").upper()
    given = float(value) if isinstance(value, bool) else as_number(value)
    return None if given == 0 and kind in _IN_WORDS and not score.get("configId") else given
