"""Evaluations of feature flags as assignments: the first of each unit and arm, repeats counted."""

from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._shape import text
from casework.importers._span_ref import SpanRef
from casework.tables import assignments
from casework.words import several

_KEY, _UNIT = "feature_flag.key", "feature_flag.context.id"
_ARMS = ("feature_flag.result.variant", "feature_flag.variant", "feature_flag.result.value",
         "feature_flag.evaluated_value", "value")  # fmt: skip
_EVALUATION = Form(
    assignments,
    of="feature_flag.evaluation",
    columns={
        "experiment": (_KEY,),
        "unit_id": (_UNIT,),
        "arm": _ARMS,
        **{name: (name,) for name in ("bucket", "salt", "algorithm", "stage")},
    },
)


class Flags:
    """Evaluations of the flags of one source."""

    def __init__(self, log: FieldLog) -> None:
        self._log = log
        self._first: dict[tuple[str, str, str], Row] = {}
        self._repeated = self._unassigned = 0

    def take(self, span: SpanRef, fields: Mapping[str, Any], locator: str) -> None:
        """Take an evaluation.

        Args:
            span: where it happened; `begun` is its instant.
            fields: attributes of the event.
            locator: where it stands.
        """
        flag, unit = text(fields.get(_KEY)), text(fields.get(_UNIT))
        arm = next((said for name in _ARMS if (said := text(fields.get(name)))), None)
        when = self._log.instants.find(span.begun)
        if not (flag and unit and arm):
            self._unassigned += 1
            return
        known = self._first.get((flag, unit, arm))
        if known:
            self._repeated += 1
            earlier = known.values["assigned_at"]
            if not when or (earlier and when >= earlier):
                return
        values = {**self._log.fill(_EVALUATION, fields), "assigned_at": when}
        self._first[flag, unit, arm] = Row(assignments, locator, values)

    def items(self) -> Iterator[Item]:
        """Yield the assignments, in the order in which units were first met, and what is told."""
        yield from self._first.values()
        if self._repeated:
            one = "evaluation of a feature flag repeats an arm of its unit"
            more = "evaluations of feature flags repeat an arm of their unit"
            yield Note(f"{several(self._repeated, one, more)}; the first is kept")
        if self._unassigned:
            one = "evaluation of a feature flag assigns nothing"
            more = "evaluations of feature flags assign nothing"
            yield Note(
                f"{several(self._unassigned, one, more)}:"
                " without a flag, a unit (`feature_flag.context.id`) or a variant"
            )
