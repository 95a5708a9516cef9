"""Which score, which two periods and which threshold `threshold_drift` compares."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from casework.diagnoses import _gate_rows as q
from casework.diagnoses._gate_versions import succession
from casework.diagnoses._inquiry import Inquiry
from casework.errors import UsageError, unknown_name
from casework.stats import changepoints
from casework.words import parse_instant

SCORES = ("rerank_score", "dense_score")
CUTS = ("embedding_model", "index_build", "reranker", "corpus", "threshold:")
"""Keys of changes that can divide the time, the likeliest first."""
MATERIAL = 0.05
"""Share of the candidates that an embedding version must have to count as a period."""


@dataclass(frozen=True, slots=True)
class Periods:
    """What is compared.

    Attributes:
        score: the column that the gate reads.
        before, after: embedding versions; None where time divides.
        changed_at: start of the period after; None where no instants are recorded.
        ended_at: end of the period before.
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

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the queries."""
        return {
            "score": self.score,
            "by_version": self.before is not None,
            "before": self.before,
            "after": self.after,
            "changed_at": self.changed_at,
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


def divide(
    ask: Inquiry,
    score: str,
    given: tuple[str | None, str | None, str | None],
    seed: int,
    kinds: list[str] | None = None,
) -> Periods | None:
    """Settle the two periods: by version, by an event, else by the largest break; None if neither.

    Args:
        ask: the inquiry.
        score: the column that the gate reads.
        given: versions before and after, and the instant of the change, as far as they are given.
        seed: of the test of an inferred break.
        kinds: of the gate.

    Raises:
        UsageError: a given version is not in the case, or a given instant is none.
    """
    before, after, at = given
    if at is not None:
        moment = parse_instant(at)
        if moment is None:
            raise UsageError("BAD_VALUE", f"changed_at is {at!r}", "give 2026-01-31T09:00:00Z")
        told = f"given as {at}"
        return Periods(score, None, None, moment, moment, "given", told, kinds=kinds)
    known = [row["embedding_model"] for row in ask.ask(q.EMBEDDINGS, kinds=None)]
    for name in (before, after):
        if name is not None and name not in known:
            raise unknown_name("embedding model", name, known)
    versions = ask.ask(q.EMBEDDINGS, kinds=kinds)
    total = sum(row["candidates"] for row in versions)
    rows = {row["embedding_model"]: row for row in versions
            if row["candidates"] >= MATERIAL * total
            or row["embedding_model"] in (before, after)}  # fmt: skip
    if not {before, after} - {None} <= set(rows):
        return None  # versions of another gate
    if len(rows) > 1:
        return _by_version(ask, score, before, after, rows, kinds)
    divided = _by_event(ask, score) or _by_break(ask, score, seed, kinds)
    return replace(divided, kinds=kinds) if divided else None


def _by_version(
    ask: Inquiry, score: str, before: str | None, after: str | None,
    rows: dict[str, dict[str, Any]], kinds: list[str] | None,
) -> Periods:  # fmt: skip
    old, new = succession(ask, list(rows), before, after, kinds)
    ask.infer("after", after, new)
    ask.infer("before", before, old)
    return Periods(
        score, old, new, rows[new]["first"], rows[old]["last"], "version",
        f"embedding {old} before, {new} after", kinds=kinds,
    )  # fmt: skip


def _by_event(ask: Inquiry, score: str) -> Periods | None:
    events = ask.ask(q.EVENTS)
    for key in CUTS:
        found = [row for row in events if row["key"] == key
                 or (key.endswith(":") and row["key"].startswith(key))]  # fmt: skip
        if found:
            at, name = found[-1]["occurred_at"], found[-1]["key"]
            ask.infer("changed_at", None, at)
            return Periods(score, None, None, at, at, "event", f"a change of {name} in the log")
    return None


def _by_break(ask: Inquiry, score: str, seed: int, kinds: list[str] | None) -> Periods | None:
    """The largest break of the daily drop rate, its p-value from the whole search repeated."""
    days = ask.ask(q.DAILY, kinds=kinds)
    if len(days) < 6 or not changepoints.AVAILABLE:
        return None
    rates = [row["dropped"] / row["candidates"] for row in days]
    found = changepoints.break_with_p(rates, seed=seed)
    at = days[found.index]["day"]
    ask.infer("changed_at", None, at)
    told = "the largest break of the daily drop rate, inferred from it"
    return Periods(score, None, None, at, at, "inferred", told, found.p)


@dataclass(frozen=True, slots=True)
class Gate:
    """The threshold before and after. `told` says where it comes from."""

    before: float
    after: float
    told: str

    @property
    def moved(self) -> bool:
        """Whether the threshold itself was changed."""
        return abs(self.after - self.before) > 1e-12


def find_gate(ask: Inquiry, periods: Periods, given: float | None) -> Gate | None:
    """Settle the threshold: given, on the record, in the log of changes, or from what passed."""
    recorded: dict[bool, list[float]] = {False: [], True: []}
    for row in ask.ask(q.GATES, **periods.params):
        if row["threshold"] is not None:
            recorded[row["is_after"]].append(row["threshold"])
    if given is not None:
        return Gate(given, recorded[True][0] if recorded[True] else given, "given")
    if any(recorded.values()):
        old = (recorded[False] or recorded[True])[0]
        new = (recorded[True] or recorded[False])[0]
        ask.infer("threshold", None, old)
        return Gate(old, new, "on the record of the candidates")
    return _from_events(ask, periods) or _from_passed(ask, periods)


def _from_events(ask: Inquiry, periods: Periods) -> Gate | None:
    known = [row for row in ask.ask(q.GATE_EVENTS) if row["threshold"] is not None]
    # with several gates in the log, only what passed can tell which one this is
    if len({row["key"] for row in known}) != 1:
        return None
    at = periods.changed_at
    earlier = [row["threshold"] for row in known if at is not None and row["occurred_at"] < at]
    first = known[0]["old_threshold"]
    old = earlier[-1] if earlier else first if first is not None else known[0]["threshold"]
    new = known[-1]["threshold"]
    ask.infer("threshold", None, old)
    return Gate(old, new, "in the log of changes")


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
        return Gate(high, high, "from what passed and what was dropped")
    old = found.get(False, found.get(True, (None, high)))[1]
    new = found.get(True, found.get(False, (None, high)))[1]
    ask.infer("threshold", None, old)
    return Gate(old, new, "from what passed and what was dropped")
