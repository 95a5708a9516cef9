"""Marks that people, judges and programs gave to a span, a trace or a session.

A person's mark that says up or down without doubt is feedback. Any other is a sample of a run of
the name of the mark: what judges and programs say, and grades.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Row
from casework.importers._fields import FieldLog, Form
from casework.importers._flattened import indexed
from casework.importers._shape import number, text
from casework.importers._span_ref import SpanRef
from casework.importers._thumbs import signal, thumb
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
    columns={"reason": ("name",), "comment": ("explanation",), "user_id": ("identifier",)},
    uses=_MARK_FIELDS,
)
_JUDGED = Form(
    eval_samples,
    of="annotation",
    columns={"category": ("label",)},
    uses={"score": ("score",), "run_id": ("name", "annotator_kind")},
)
_RESULT_THUMB = Form(
    feedback,
    of="evaluation",
    columns={"reason": ("name",), "comment": ("explanation",)},
    uses={"signal": ("score.value", "score.label")},
)
_RESULT = Form(
    eval_samples,
    of="evaluation",
    columns={"category": ("score.label",)},
    uses={"score": ("score.value",), "run_id": ("name",)},
)


def annotations(
    log: FieldLog, span: SpanRef, flat: Mapping[str, Any], locator: str
) -> Iterator[Row]:
    """Yield the marks among the attributes of a span, which are those of OpenInference.

    A thumb names its request where the span is a model call; others wait for that of the trace.

    Args:
        log: takes account of the fields.
        span: where they come from.
        flat: its attributes under dotted names.
        locator: where it stands.
    """
    session = text(flat.get("session.id"))
    for prefix in PREFIXES:
        level = prefix.partition(".")[0]
        about = {"session": session, "trace": span.trace_id}.get(level, span.span_id)
        for position, entry in sorted(indexed(flat, prefix).items()):
            mark = {name.partition(".")[2]: value for name, value in entry.items()}
            where = f"{locator}/{prefix}{position}"
            kind = (text(mark.get("annotator_kind")) or "").upper()
            said = signal(mark.get("label"), mark.get("score")) if kind == _BY_PERSON else None
            if said is None:
                run = f"openinference:{kind or 'annotation'}:{text(mark.get('name'))}"
                yield _judged(log, _JUDGED, mark, where, span.ended, (run, about))
                continue
            of_call = span.is_call and level not in ("session", "trace")
            values = log.fill(_THUMB, mark)
            ids = {} if of_call else {"span_id": span.span_id, "trace_id": span.trace_id}
            yield Row(feedback, where, {
                **values,
                "feedback_id": f"{span.span_id}/{prefix}{position}",
                "occurred_at": log.instants.find(span.ended),
                "signal": said,
                "request_id": span.span_id if of_call else None,
                "session_id": session,
                "attributes": {**values.get("attributes", {}), **ids},
            })  # fmt: skip


def evaluation(log: FieldLog, span: SpanRef, fields: Mapping[str, Any], locator: str) -> Row:
    """The row of an event `gen_ai.evaluation.result`.

    The event does not say who judged. It is a thumb where its label is one, or its name is that
    of the feedback of users and its label or score says up or down.

    Args:
        log: takes account of the fields.
        span: where it happened; `begun` is its instant.
        fields: attributes of the event.
        locator: where it stands.
    """
    mark = {name.removeprefix(_OF_EVENT): value for name, value in fields.items()}
    name, label = text(mark.get("name")), mark.get("score.label")
    said = thumb(label)
    if said is None and (name or "").lower() in _FEEDBACK_NAMES:
        said = signal(label, mark.get("score.value"))
    about = span.span_id or text(fields.get("gen_ai.response.id"))
    if said is None:
        return _judged(log, _RESULT, mark, locator, span.begun, (f"opentelemetry:{name}", about))
    return Row(feedback, locator, {
        **log.fill(_RESULT_THUMB, mark),
        "feedback_id": f"{about}/{name}/{log.instants.find(span.begun)}",
        "occurred_at": log.instants.find(span.begun),
        "signal": said,
        "request_id": span.span_id if span.is_call else None,
    })  # fmt: skip


def _judged(
    log: FieldLog,
    form: Form,
    mark: Mapping[str, Any],
    locator: str,
    when: Any,
    names: tuple[str, str | None],
) -> Row:
    run, item = names
    values = {
        **log.fill(form, mark),
        "run_id": run,
        "item_id": item,
        "epoch": 1,
        "score": number(mark.get("score", mark.get("score.value"))),
        "added_at": log.instants.find(when),
    }
    return Row(eval_samples, locator, values)
