"""Annotations of Phoenix that are kept apart from their spans, as evidence rows.

A person's thumb is feedback. What judges and programs say, and a person's grade, is a sample of
the run of that name.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from casework.case import Item, Note, Row
from casework.importers._fields import OF_ACCOUNTS, FieldLog, Form
from casework.importers._judges import Judges
from casework.importers._shape import text
from casework.importers._thumbs import as_number, numeric_signals, signal
from casework.tables import eval_samples, feedback
from casework.words import count, several

BY_PERSON = "HUMAN"
UNPARSED = "NOT_PARSABLE"
"""The label by which Phoenix says that the answer of a judge could not be read."""

_WHEN = ("created_at", "updated_at")
_RUN = {"score": ("score",), "run_id": ("name", "annotator_kind")}
_THUMB = Form(
    feedback,
    of="annotation",
    columns={
        "occurred_at": _WHEN,
        "reason": ("name",),
        "comment": ("explanation",),
        "user_id": ("user_id", "identifier"),
        "surface": ("source",),
        "session_id": ("session_id",),
        **OF_ACCOUNTS,
    },
    uses={"signal": ("score", "label", "annotator_kind")},
)
_JUDGED = Form(
    eval_samples,
    of="annotation",
    columns={"category": ("label",), "added_at": _WHEN, **OF_ACCOUNTS},
    uses=_RUN,
)
_UNREAD = Form(eval_samples, of="annotation", columns={"added_at": _WHEN, **OF_ACCOUNTS}, uses=_RUN)


class Annotation(NamedTuple):
    """One annotation. `level` is `span`, `trace`, `session` or `document`.

    `fields` has `name`, `annotator_kind`, `label`, `score` and what else the source says;
    `request` is the model call, where it is known; `about` the id of what was annotated.
    """

    locator: str
    level: str
    about: str | None
    request: str | None
    fields: Mapping[str, Any]

    @property
    def name(self) -> str | None:
        """The name of the annotation."""
        return text(self.fields.get("name"))

    @property
    def trace(self) -> str | None:
        """The trace, if it is known."""
        return text(self.fields.get("trace_id"))

    @property
    def kind(self) -> str:
        """Who gave it: `HUMAN`, `LLM`, `CODE`, or nothing."""
        return (text(self.fields.get("annotator_kind")) or "").upper()

    @property
    def mark(self) -> Any:
        """What was given: the label, else the score."""
        return text(self.fields.get("label")) or self.fields.get("score")


def numeric_thumbs(found: Iterable[Annotation]) -> dict[str | None, dict[float, int]]:
    """By name, which numbers that people gave are thumbs, told from all numbers of that name."""
    marks: dict[str | None, list[Any]] = defaultdict(list)
    for one in found:
        if one.kind == BY_PERSON:
            marks[one.name].append(one.mark)
    return {name: numeric_signals(given, name or "") for name, given in marks.items()}


@dataclass
class Annotations:
    """Makes the rows of the annotations of one source. `thumbs` is that of `numeric_thumbs`."""

    log: FieldLog
    thumbs: Mapping[str | None, Mapping[float, int]]
    judges: Judges
    _seen: dict[tuple[str, str | None], dict[str, int]] = field(default_factory=dict)
    _unparsed: int = 0
    _no_number: int = 0
    _undated: int = 0

    def row(self, one: Annotation) -> Row:
        """The row of an annotation."""
        said = self._thumb(one)
        return self._sample(one) if said is None else self._feedback(one, said)

    def notes(self) -> Iterator[Item]:
        """Say what the source could not say."""
        if self._unparsed:
            told = count(self._unparsed, "judgments")
            yield Note(f"{told} could not be read when made ({UNPARSED}): no score and no category")
        if self._no_number:
            told = several(self._no_number, "score is", "scores are")
            yield Note(f"{told} NaN, infinite or no number: kept as none")
        if self._undated:
            one = "thumb of a person names no instant: it is a sample"
            more = "thumbs of people name no instant: they are samples"
            yield Note(several(self._undated, one, more))

    def _thumb(self, one: Annotation) -> int | None:
        if one.kind != BY_PERSON or one.level == "document":
            return None
        number, label = as_number(one.mark), text(one.fields.get("label"))
        if number is None:
            said = signal(label, None, one.name or "")
        else:
            said = self.thumbs.get(one.name, {}).get(number)
        when = (self.log.instants.find(one.fields.get(name)) for name in _WHEN)
        if said is not None and not any(when):
            self._undated += 1
            return None
        return said

    def _feedback(self, one: Annotation, said: int) -> Row:
        values = self.log.fill(_THUMB, one.fields)
        given = filter(None, (one.about, one.name, text(one.fields.get("identifier"))))
        is_session = one.level == "session"
        return Row(feedback, one.locator, {
            **values,
            "feedback_id": ":".join((f"openinference:{one.level}", *given)),
            "signal": said,
            "request_id": one.request,
            "session_id": one.about if is_session else values.get("session_id"),
        })  # fmt: skip

    def _sample(self, one: Annotation) -> Row:
        is_unparsed = one.fields.get("label") == UNPARSED
        self._unparsed += is_unparsed
        score = as_number(one.fields.get("score"))
        said = one.fields.get("score")
        self._no_number += said not in (None, "") and score is None and not is_unparsed
        run = f"openinference:{one.kind or 'annotation'}:{one.name}"
        seen = self._seen.setdefault((run, one.about), {})
        # an annotation that comes again, as in pages that overlap, is the same epoch again
        epoch = seen.setdefault(text(one.fields.get("id")) or one.locator, len(seen) + 1)
        values = self.log.fill(_UNREAD if is_unparsed else _JUDGED, one.fields)
        if isinstance(said, str) and said and score is None:
            values["attributes"] = {**values.get("attributes", {}), "score": said}
        row = Row(eval_samples, one.locator, {
            **values,
            "run_id": run,
            "item_id": one.about,
            "epoch": epoch,
            "score": None if is_unparsed else score,
        })  # fmt: skip
        return self.judges.saw(row, one.name)
