"""Which score, which two periods and which threshold `threshold_drift` compares."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.case import Query
from casework.diagnoses import _gate_rows as q
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name

SCORES = ("rerank_score", "dense_score")


@dataclass(frozen=True, slots=True)
class Periods:
    """What is compared.

    Attributes:
        score: the column that the gate reads.
        before, after: embedding versions; None where time divides.
        changed_at: start of the period after; None where no instants are recorded.
        ended_at: end of the period before.
        since, until: start of the period before and end of the period after; None where the log,
            or the versions, end them.
        how: what told the periods: `version`, `event`, `given` or `inferred`.
        told: that in words.
        p: where inferred, the p-value of a break so large by chance.
        kinds: keys of the gate's rerankers and thresholds; None where the log holds one gate.
    """

    score: str
    before: str | None
    after: str | None
    changed_at: datetime | None
    ended_at: datetime | None
    how: str
    told: str
    p: float | None = None
    kinds: list[str] | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The first and the last of the instants at which the periods meet; None without any."""
        if self.ended_at is None or self.changed_at is None:
            return None
        return min(self.ended_at, self.changed_at), max(self.ended_at, self.changed_at)

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the queries."""
        return {
            "score": self.score,
            "by_version": self.before is not None,
            "before": self.before,
            "after": self.after,
            "changed_at": self.changed_at,
            "ended_at": self.ended_at,
            "since": self.since,
            "until": self.until,
            "kinds": self.kinds,
        }


def choose_score(ask: Inquiry, given: str | None, filled: dict[str, Any]) -> str | None:
    """Settle which score the gate reads: the reranker's where there is one."""
    if given is not None and given not in SCORES:
        raise unknown_name("score", given, list(SCORES))
    known = [name for name in SCORES if filled[f"{name}s"]]
    if given is None and not known:
        return None
    return str(ask.infer("score", given, known[0] if known else given))


@dataclass(frozen=True, slots=True)
class Gate:
    """The threshold before and after. `told` says where it comes from, and `by` by which query."""

    before: float
    after: float
    told: str
    by: Query = q.GATES

    @property
    def moved(self) -> bool:
        """Whether the threshold itself was changed."""
        return abs(self.after - self.before) > 1e-12


def find_gate(ask: Inquiry, periods: Periods, given: float | None) -> Gate | None:
    """Settle the threshold: given, on the record, in the log of changes, or from what passed."""
    recorded: dict[bool, list[float]] = {False: [], True: []}
    rows = ask.ask(q.GATES, **periods.params)
    for row in rows:
        if row["threshold"] is not None:
            recorded[row["is_after"]].append(row["threshold"])
    if given is not None:
        # one threshold on the record in both periods was not changed, whatever is asked about
        changed = recorded[True] and recorded[True][:1] != recorded[False][:1]
        return Gate(given, recorded[True][0] if changed else given, "given")
    if any(recorded.values()):
        old = (recorded[False] or recorded[True])[0]
        new = (recorded[True] or recorded[False])[0]
        ask.infer("threshold", None, old)
        return Gate(old, new, "on the record of the candidates")
    ends = [row["last"] for row in rows if row["is_after"] and row["last"] is not None]
    return _from_events(ask, periods, max(ends, default=None)) or _from_passed(ask, periods)


def _gate_events(ask: Inquiry) -> list[dict[str, Any]]:
    """Thresholds in the log of changes, of its one gate; none where it holds several."""
    known = [row for row in ask.ask(q.GATE_EVENTS) if row["threshold"] is not None]
    # with several gates in the log, only what passed can tell which one this is
    return known if len({row["key"] for row in known}) == 1 else []


def first_gate(ask: Inquiry) -> float | None:
    """The first threshold in the log of changes; None where it names none."""
    for row in _gate_events(ask)[:1]:
        old = row["old_threshold"]
        return float(row["threshold"] if old is None else old)
    return None


def _from_events(ask: Inquiry, periods: Periods, ended: datetime | None) -> Gate | None:
    """The thresholds in the log of changes; what was set after the candidates ended is of others.

    Args:
        ask: the inquiry.
        periods: what is compared.
        ended: the last candidate of the period after.
    """
    known = _gate_events(ask)
    if not known:
        return None
    at = periods.changed_at
    earlier = [row["threshold"] for row in known if at is not None and row["occurred_at"] < at]
    first = known[0]["old_threshold"]
    old = earlier[-1] if earlier else first if first is not None else known[0]["threshold"]
    later = [row["threshold"] for row in known if ended is None or row["occurred_at"] <= ended]
    new = later[-1] if later else old
    ask.infer("threshold", None, old)
    return Gate(old, new, "in the log of changes", q.GATE_EVENTS)


def _from_passed(ask: Inquiry, periods: Periods) -> Gate | None:
    edges = {row["is_after"]: row for row in ask.ask(q.EDGE, **periods.params)}
    found = {}
    for period, row in edges.items():
        lower, upper = row["largest_dropped"], row["least_passed"]
        if upper is not None and (lower is None or lower < upper):
            found[period] = (lower, upper)
    if not found:
        return None
    low = max((lower for lower, _ in found.values() if lower is not None), default=None)
    high = min(upper for _, upper in found.values())
    if low is None or low < high:
        ask.infer("threshold", None, high)
        return Gate(high, high, "from what passed and what was dropped", q.EDGE)
    old = found.get(False, found.get(True, (None, high)))[1]
    new = found.get(True, found.get(False, (None, high)))[1]
    ask.infer("threshold", None, old)
    return Gate(old, new, "from what passed and what was dropped", q.EDGE)
