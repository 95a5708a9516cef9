"""Marks that people, judges and programs gave to a span, a trace or a session.

A person's mark that says up or down without doubt is feedback. Any other is a sample of a run of
the name of the mark: what judges and programs say, and grades.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from casework.case import Row
from casework.importers._fields import OF_ACCOUNTS, FieldLog, Form
from casework.importers._flattened import indexed
from casework.importers._shape import text
from casework.importers._span_ref import SpanRef
from casework.importers._thumbs import as_number, numeric_signals, signal, thumb
from casework.tables import eval_samples, feedback

PREFIXES = ("annotations.", "evaluations.", "trace.annotations.", "trace.evaluations.",
            "session.annotations.", "session.evaluations.")  # fmt: skip
_OF_EVENT = "gen_ai.evaluation."
_BY_PERSON = "HUMAN"
_FEEDBACK_NAMES = ("user_feedback", "user-feedback", "user feedback", "user.feedback")
_MARK_FIELDS = {"signal": ("score", "label", "annotator_kind")}
_THUMB = Form(
    feedback,
    of="annotation",
    columns={
        "reason": ("name",),
        "comment": ("explanation",),
        "user_id": ("identifier",),
        **OF_ACCOUNTS,
    },
    uses=_MARK_FIELDS,
)
_JUDGED = Form(
    eval_samples,
    of="annotation",
    columns={"category": ("label",), "score": ("score",), **OF_ACCOUNTS},
    uses={"run_id": ("name", "annotator_kind")},
)
_RESULT_THUMB = Form(
    feedback,
    of="evaluation",
    columns={
        "reason": ("name",),
        "comment": ("explanation",),
        "user_id": ("enduser.id", "user.id", "user_id"),
        "session_id": ("gen_ai.conversation.id", "session.id", "session_id"),
        **OF_ACCOUNTS,
    },
    uses={"signal": ("score.value", "score.label")},
)
_RESULT = Form(
    eval_samples,
    of="evaluation",
    columns={"category": ("score.label",), "score": ("score.value",), **OF_ACCOUNTS},
    uses={"run_id": ("name",)},
)


class _Numbered(NamedTuple):
    """A mark that is a number; `make` gives its row, once it is known what it stands for."""

    number: float
    make: Callable[[int | None], Row]
    trace_id: str | None


class Marks:
    """Makes the rows of the marks of one source.

    A number that a person gave waits: what it stands for is told from all numbers of its name.

    Args:
        log: takes account of the fields.
    """

    def __init__(self, log: FieldLog) -> None:
        self._log = log
        self._given: dict[str, list[Any]] = {}
        self._numbers: dict[str, list[_Numbered]] = {}
        self._met: dict[tuple[str | None, ...], dict[Any, tuple[int, str]]] = {}

    def annotations(self, span: SpanRef, flat: Mapping[str, Any], locator: str) -> Iterator[Row]:
        """Yield the marks among the attributes of a span, which are those of OpenInference.

        A thumb names its request where the span is a model call; others wait for that of the trace.
        Of several marks of one name each is an epoch: they are those of several judges. A mark of a
        session or a trace that another of its spans repeats is one mark, and counted.

        Args:
            span: where they come from.
            flat: its attributes under dotted names.
            locator: where it stands.
        """
        session = text(flat.get("session.id"))
        twins: Counter[bytes] = Counter()
        for prefix in PREFIXES:
            level = prefix.rpartition(".")[0].rpartition(".")[0]
            about = {"session": session, "trace": span.trace_id}.get(level, span.span_id)
            inner = "annotation." if "annotations" in prefix else "evaluation."
            for position, entry in sorted(indexed(flat, prefix).items()):
                mark = {name.removeprefix(inner): value for name, value in entry.items()}
                place = f"{prefix}{position}"
                where = f"{locator}/{place}"
                kind = (text(mark.get("annotator_kind")) or "").upper()
                at = _named(span.trace_id, span.span_id, place)
                said: Any = at
                if level and about:
                    digest = _digest(mark)
                    twins[digest] += 1
                    said = (digest, twins[digest])
                asked = (level, kind, about, text(mark.get("name")))
                epoch, first = self._epoch(asked, said, at)
                if first != at:
                    self._log.leave(f"{level}.annotation that is repeated")
                    continue
                make = partial(self._annotation, span, (session, about), mark, place, where, epoch)
                if kind != _BY_PERSON:
                    yield make(None)
                    continue
                yield from self._decide(f"annotation {mark.get('name')}", span, make, (
                    mark.get("label"), mark.get("score")))  # fmt: skip

    def evaluation(self, span: SpanRef, fields: Mapping[str, Any], locator: str) -> Iterator[Row]:
        """Yield the row of an event `gen_ai.evaluation.result`.

        The event does not say who judged. It is a thumb where its label is one, or its name is that
        of the feedback of users and its label or score says up or down. Of several of one name each
        is an epoch; one that comes again, with the same instant, is the same epoch again. So it is
        with the thumbs of one instant, which may be those of several people.

        Args:
            span: where it happened; `begun` is its instant.
            fields: attributes of the event.
            locator: where it stands.
        """
        mark = _of_event(fields)
        name, label = text(mark.get("name")), mark.get("score.label")
        about = span.span_id or text(fields.get("gen_ai.response.id"))
        digest = _digest(fields)
        epoch, _ = self._epoch((_OF_EVENT, about, name), (span.begun, digest), locator)
        named = _named(span.trace_id, about, name, self._log.instants.find(span.begun))
        twin, _ = self._epoch((named,), digest, locator)
        named = _named(named, twin if twin > 1 else None)
        make = partial(self._result, span, named, (name, about, epoch), mark, locator)
        if (name or "").lower() in _FEEDBACK_NAMES:
            given = (label, mark.get("score.value"))
            yield from self._decide(f"evaluation {name}", span, make, given)
        else:
            yield make(thumb(label))

    def rest(self) -> Iterator[tuple[Row, str | None]]:
        """Yield the rows that waited, each with the trace that its mark belongs to."""
        for name, numbered in self._numbers.items():
            signals = numeric_signals(self._given[name], name.partition(" ")[2])
            for one in numbered:
                yield one.make(signals.get(one.number)), one.trace_id
        self._numbers.clear()

    def _epoch(self, asked: tuple[str | None, ...], said: Any, at: str) -> tuple[int, str]:
        """Which of the different marks of one name and thing this is, and where it was first."""
        met = self._met.setdefault(asked, {})
        return met.setdefault(said, (len(met) + 1, at))

    def _decide(
        self, name: str, span: SpanRef, make: Callable[[int | None], Row], given: tuple[Any, Any]
    ) -> Iterator[Row]:
        """Yield the row of a mark that says by itself what it is; let a number wait."""
        label, score = given
        mark = text(label) or score
        found = as_number(mark)
        self._given.setdefault(name, []).append(mark)
        if found is None:
            yield make(signal(label, score, name.partition(" ")[2]))
        else:
            self._numbers.setdefault(name, []).append(_Numbered(found, make, span.trace_id))

    def _annotation(
        self,
        span: SpanRef,
        ids: tuple[str | None, str | None],
        mark: Mapping[str, Any],
        place: str,
        where: str,
        epoch: int,
        said: int | None,
    ) -> Row:
        (session, about), level = ids, place.partition(".")[0]
        if said is None:
            kind = (text(mark.get("annotator_kind")) or "").upper()
            run = f"openinference:{kind or 'annotation'}:{text(mark.get('name'))}"
            return self._judged(_JUDGED, mark, where, span.ended, (run, about, epoch))
        of_call = span.is_call and level not in ("session", "trace")
        values = self._log.fill(_THUMB, mark)
        of = {} if of_call else {"span_id": span.span_id, "trace_id": span.trace_id}
        named = _named(span.trace_id, span.span_id, place)
        if about and level in ("session", "trace"):
            given = (mark.get("name"), text(mark.get("identifier")))
            named = _named(level, about, *given, epoch if epoch > 1 else None)
        return Row(feedback, where, {
            **values,
            "feedback_id": named,
            "occurred_at": self._log.instants.find(span.ended),
            "signal": said,
            "request_id": span.span_id if of_call else None,
            "session_id": session,
            "attributes": {**values.get("attributes", {}), **of},
        })  # fmt: skip

    def _result(
        self,
        span: SpanRef,
        named: str,
        names: tuple[str | None, str | None, int],
        mark: Mapping[str, Any],
        locator: str,
        said: int | None,
    ) -> Row:
        if said is None:
            name, about, epoch = names
            judged = (f"opentelemetry:{name}", about, epoch)
            return self._judged(_RESULT, mark, locator, span.begun, judged)
        return Row(feedback, locator, {
            **self._log.fill(_RESULT_THUMB, mark),
            "feedback_id": named,
            "occurred_at": self._log.instants.find(span.begun),
            "signal": said,
            "request_id": span.span_id if span.is_call else None,
        })  # fmt: skip

    def _judged(
        self,
        form: Form,
        mark: Mapping[str, Any],
        locator: str,
        when: Any,
        names: tuple[str, str | None, int],
    ) -> Row:
        run, item, epoch = names
        values = {
            **self._log.fill(form, mark),
            "run_id": run,
            "item_id": item,
            "epoch": epoch,
            "added_at": self._log.instants.find(when),
        }
        return Row(eval_samples, locator, values)


def _digest(mark: Mapping[str, Any]) -> bytes:
    return sha256(msgspec.json.encode(mark, enc_hook=str, order="sorted")).digest()


def _of_event(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an event without their prefix; another of such a name is an attribute."""
    mark = {name.removeprefix(_OF_EVENT): value
            for name, value in fields.items() if name.startswith(_OF_EVENT)}  # fmt: skip
    own = {name: value for name, value in fields.items() if not name.startswith(_OF_EVENT)}
    return mark | {f"attributes.{name}" if name in mark else name: value
                   for name, value in own.items()}  # fmt: skip


def _named(*parts: Any) -> str:
    """An id of parts, without those that are not known. A span id is unique in its trace alone."""
    return "/".join(str(part) for part in parts if part)
