"""What may have one cause: breaks that overlap in time, and the changes on record there."""

from collections.abc import Sequence

from casework import words
from casework.findings import Cause, Change
from casework.report.model import Report
from casework.report.tables import Column, Table

_MOST_CHANGES = 5


def table(report: Report) -> Table:
    """The causes in time order, those that several diagnoses tell of first."""
    columns = (
        Column("when"),
        Column("what broke"),
        Column("told by"),
        Column("changes on record"),
    )
    ordered = sorted(report.triage.causes, key=lambda cause: (-len(cause.diagnoses), cause.start))
    rows = tuple(
        (
            f"after {words.instant(cause.start)}, by {words.instant(cause.end)}",
            "; ".join(cause.breaks),
            ", ".join(map(words.title, cause.diagnoses)),
            recorded(cause),
        )
        for cause in ordered
    )
    return Table("Breaks, and what was changed there", columns, rows)


def recorded(cause: Cause) -> str:
    """Say which changes are on record within the bracket of a cause, and close to it."""
    if cause.within:
        several = len({change.key for change in cause.within}) > 1
        caution = " (together, so time alone does not tell which)" if several else ""
        return f"{_listed(cause.within)}{caution}"
    if cause.around:
        return f"none within; close by: {_listed(cause.around)}"
    return "none"


def _listed(changes: Sequence[Change]) -> str:
    told = [_change(change) for change in changes[:_MOST_CHANGES]]
    more = len(changes) - len(told)
    return "; ".join([*told, *([f"{more} more"] if more else [])])


def _change(change: Change) -> str:
    move = f"{change.before or words.UNKNOWN} to {change.after or words.UNKNOWN}"
    return f"{words.instant(change.occurred_at)} {change.key}: {move}"
