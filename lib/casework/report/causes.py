"""What may have one cause: breaks that overlap in time, and the changes on record there."""

from collections.abc import Sequence

from casework import words
from casework.findings import Cause, Change
from casework.report.model import Report
from casework.report.tables import Column, Table
from casework.visible import shorten

_MOST_CHANGES = 5
_LONGEST_NAME = 200
"""Characters of a name on record: digests stand in full, texts of any length do not."""


def shared(report: Report) -> Table:
    """The causes that several diagnoses tell of, in time order."""
    return _table([cause for cause in report.triage.causes if len(cause.diagnoses) > 1])


def single(report: Report) -> Table:
    """The causes that one diagnosis alone tells of, in time order."""
    return _table([cause for cause in report.triage.causes if len(cause.diagnoses) == 1])


def table(report: Report) -> Table:
    """All causes in time order, those that several diagnoses tell of first."""
    return _table(sorted(report.triage.causes, key=lambda cause: -len(cause.diagnoses)))


def _table(causes: Sequence[Cause]) -> Table:
    columns = (
        Column("when"),
        Column("what broke"),
        Column("told by"),
        Column("changes on record"),
    )
    rows = tuple(
        (
            when(cause),
            "; ".join(cause.breaks),
            ", ".join(map(words.title, cause.diagnoses)),
            recorded(cause),
        )
        for cause in causes
    )
    return Table("Breaks, and what was changed there", columns, rows)


def lead(report: Report) -> str:
    """Say how many diagnoses found something, and whether one event may explain several."""
    ran = len(report.triage.ranking)
    if not ran:
        return _untested(len(report.results))
    found, doubtful = (
        sum(result.verdict in verdicts for result in report.results)
        for verdicts in (("confirmed", "supported"), ("inconclusive",))
    )
    tested = f" of {words.count(ran, 'diagnoses')} that could be tested"
    open_ones = f", {_are(doubtful)} inconclusive" if doubtful else ""
    told = f"{_are(found, tested)} confirmed or supported{open_ones}"
    causes = report.triage.causes
    joined = dict.fromkeys(f" {_joined(cause)}" for cause in causes if len(cause.diagnoses) > 1)
    placed = {name for cause in causes for name in cause.diagnoses}
    apart = " No two of them place a break in the same stretch of time." if len(placed) > 1 else ""
    return f"{told}.{''.join(joined) or apart}"


def _untested(ran: int) -> str:
    if not ran:
        return "No diagnosis has a verdict on this case yet."
    return f"{words.number(ran)} of {words.count(ran, 'diagnoses')} could not be tested."


def _are(found: int, of: str = "") -> str:
    return f"{words.number(found)}{of} {'is' if found == 1 else 'are'}"


def _joined(cause: Cause) -> str:
    *others, last = (words.title(name).lower() for name in cause.diagnoses)
    return f"One event may explain {', '.join(others)} and {last}."


def when(cause: Cause) -> str:
    """Say between which instants a cause lies."""
    if words.instant(cause.start) == words.instant(cause.end):
        return f"at {words.instant(cause.start)}"
    return f"after {words.instant(cause.start)}, by {words.instant(cause.end)}"


def recorded(cause: Cause) -> str:
    """Say which changes are on record within the bracket of a cause, and close to it."""
    if cause.within:
        return f"{_listed(cause.within)}{_caution(cause)}"
    if cause.around:
        return f"none within; close by: {_listed(cause.around)}"
    return "none"


def _caution(cause: Cause) -> str:
    """Say what leaves open whether a change on record is the cause, and how much can be said."""
    moves = cause.together
    if len(moves) == 1 and moves[0][1] is None:
        return " (what was there before is not recorded: that this did it is supported at most)"
    if len(moves) < 2:
        return ""
    said = "together, so time alone does not tell which"
    if cause.attribution is None:
        return f" ({said})"
    return f" ({said}: that one of them did it is {cause.attribution} at most)"


def _listed(changes: Sequence[Change]) -> str:
    told = [_change(change) for change in changes[:_MOST_CHANGES]]
    more = len(changes) - len(told)
    return "; ".join([*told, *([f"{more} more"] if more else [])])


def _change(change: Change) -> str:
    before, after, key = (
        shorten(text, _LONGEST_NAME) if len(text) > _LONGEST_NAME else text
        for text in (change.before or words.UNKNOWN, change.after or words.UNKNOWN, change.key)
    )
    return f"{words.instant(change.occurred_at)} {key}: {before} to {after}"
