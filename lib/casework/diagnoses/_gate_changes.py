"""Which changes `threshold_drift` can examine at a gate, and the two periods of each."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from casework.diagnoses import _gate_rows as q
from casework.diagnoses._gate_periods import Periods, first_gate
from casework.diagnoses._gate_versions import successions
from casework.diagnoses._inquiry import Inquiry
from casework.errors import UsageError, unknown_name
from casework.stats import changepoints
from casework.stats.periods import PeriodSums
from casework.words import instant, parse_instant

UPSTREAM = ("embedding_model", "index_build", "reranker", "corpus")
"""Keys of changes upstream of the gate, the likeliest first."""
MATERIAL = 0.05
"""Share of the candidates that an embedding version, or a time between two changes, must have."""
_ZONE = timedelta(days=1)

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader has settled of the change; None where the evidence tells."""

    before: str | None = None
    after: str | None = None
    changed_at: str | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change, and what the gate drops before and after it where that can be compared."""

    periods: Periods
    drops: PeriodSums | None = None

    def takes_back(self, earlier: "Change") -> bool:
        """Whether this one brings the drops back to what they were before an earlier one.

        It turns the other way, from where that one led to, and what is left of it is less than
        half, in logarithms.
        """
        mine, theirs = self.periods, earlier.periods
        if mine.changed_at is None or theirs.changed_at is None:
            return False
        if mine.changed_at <= theirs.changed_at or mine.before != theirs.after:
            return False
        old, new = earlier.drops, self.drops
        if old is None or new is None or old.ratio is None or new.ratio is None:
            return False
        led, back = math.log(old.ratio.value), math.log(new.ratio.value)
        left = math.log(new.after / old.before)
        return led * back < 0 and abs(left) < abs(led) / 2


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that can be examined, in time order.

    Attributes:
        periods: what each of them divides.
        crowded: keys of changes that follow each other too closely to be told apart.
    """

    periods: tuple[Periods, ...]
    crowded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Changes in the log that few candidates or none lie between.

    Attributes:
        start, end: the first and the last of them.
        keys: of what was changed.
        earlier, inside: candidates before them and between them.
    """

    start: datetime
    end: datetime
    keys: tuple[str, ...]
    earlier: int
    inside: int

    @property
    def said(self) -> str:
        """What was changed: the likeliest key."""
        order = {key: place for place, key in enumerate(UPSTREAM)}
        return min(self.keys, key=lambda key: order.get(key, len(order)))


def changes_of(
    ask: Inquiry, score: str, wanted: Wanted, seed: int, kinds: list[str] | None
) -> Changes:
    """List the changes: of the version, in the log, else the largest break of the drop rate.

    A change in the log is compared from the change before it to the change after it, so that
    neither period holds another change.

    Args:
        ask: the inquiry.
        score: the column that the gate reads.
        wanted: versions before and after, instant and threshold, as far as they are given.
        seed: of the test of an inferred break.
        kinds: of the gate.

    Raises:
        UsageError: a given version is not in the case, or a given instant is none.
    """
    if wanted.changed_at is not None:
        return Changes((_given(ask, score, wanted.changed_at, kinds),))
    versions = _versions(ask, wanted, kinds)
    if versions is None:
        return Changes(())
    moments, crowded = _moments(ask, kinds)
    found = _by_version(ask, score, wanted, versions, kinds)
    if wanted.before is None and wanted.after is None:
        beside = [moment for moment in moments if not any(_of(moment, one) for one in found)]
        found = _with_moments(score, found, beside, kinds)
    if not found:
        found = _by_threshold(ask, score, kinds) or _by_break(ask, score, wanted, seed, kinds)
    return Changes(tuple(found), crowded)


def _given(ask: Inquiry, score: str, at: str, kinds: list[str] | None) -> Periods:
    moment = parse_instant(at)
    if moment is None:
        raise UsageError("BAD_VALUE", f"changed_at is {at!r}", "give 2026-01-31T09:00:00Z")
    one = Periods(score, None, None, moment, moment, "given", f"given as {at}", kinds=kinds)
    moments = _moments(ask, kinds)[0]
    return narrowed(one, [(m.start, m.end) for m in moments if not _of(m, one)])


def _versions(
    ask: Inquiry, wanted: Wanted, kinds: list[str] | None
) -> dict[str, dict[str, Any]] | None:
    """Embedding versions of the gate that count; None where a given one is another gate's."""
    given = {wanted.before, wanted.after} - {None}
    known = [row["embedding_model"] for row in ask.ask(q.EMBEDDINGS, kinds=None)]
    for name in (wanted.before, wanted.after):
        if name is not None and name not in known:
            raise unknown_name("embedding model", name, known)
    versions = ask.ask(q.EMBEDDINGS, kinds=kinds)
    total = sum(row["candidates"] for row in versions)
    rows = {row["embedding_model"]: row for row in versions}
    if not given <= set(rows):
        return None
    return {name: row for name, row in rows.items()
            if row["candidates"] >= MATERIAL * total or name in given}  # fmt: skip


def _by_version(
    ask: Inquiry, score: str, wanted: Wanted, rows: dict[str, dict[str, Any]],
    kinds: list[str] | None,
) -> list[Periods]:  # fmt: skip
    if len(rows) < 2:
        return []
    found = [
        Periods(score, old, new, rows[new]["first"], rows[old]["last"], "version",
                f"embedding {old} before, {new} after", kinds=kinds)
        for old, new in successions(ask, list(rows), wanted.before, wanted.after, kinds)
    ]  # fmt: skip
    return [narrowed(one, [edge for other in found for edge in _chained(one, other)])
            for one in found]  # fmt: skip


def _chained(one: Periods, other: Periods) -> Iterator[Span]:
    """When a version of this change began or ended in another, if all at once."""
    if one.before == other.after or one.after == other.before:
        start, end = other.ended_at, other.changed_at
        if start is not None and end is not None and start <= end:
            yield end, end


def narrowed(one: Periods, beside: Sequence[Span]) -> Periods:
    """Bound the two periods of a change by those changes that lie before it and after it."""
    if one.span is None:
        return one
    start, end = one.span
    earlier = [last for _, last in beside if last < start]
    later = [first for first, _ in beside if first > end]
    return replace(
        one,
        since=max([*earlier, *([one.since] if one.since else [])], default=None),
        until=min([*later, *([one.until] if one.until else [])], default=None),
    )


def _of(moment: Moment, one: Periods) -> bool:
    """Whether changes in the log are those of a version, or lie in its roll-out."""
    if one.span is None:
        return False
    return one.span[0] - _ZONE <= moment.end and moment.start <= one.span[1] + _ZONE


def _with_moments(
    score: str, found: list[Periods], moments: Sequence[Moment], kinds: list[str] | None
) -> list[Periods]:
    """Add the changes in the log, each bounded by those beside it."""
    several = len(found) + len(moments) > 1
    added = [
        Periods(
            score, None, None, moment.end, moment.start, "event",
            f"a change of {moment.said} in the log"
            + (f", {instant(moment.start)}" if several else ""),
            kinds=kinds,
        )
        for moment in moments
    ]  # fmt: skip
    spans = [one.span for one in [*found, *added] if one.span]
    return [*found, *(narrowed(one, spans) for one in added)]


def _moments(ask: Inquiry, kinds: list[str] | None) -> tuple[list[Moment], tuple[str, ...]]:
    """Changes upstream that divide the candidates, and keys that change too often to do so."""
    events = [row for row in ask.ask(q.EVENTS) if row["key"] in UPSTREAM]
    if not events:
        return [], ()
    total = ask.one(q.COLUMNS_FILLED, kinds=kinds)["instants"]
    between = {row["occurred_at"]: row["candidates"] for row in ask.ask(q.BETWEEN, kinds=kinds)}
    first = total - sum(between.values())
    single = [
        Moment(row["occurred_at"], row["occurred_at"], (row["key"],),
               first + sum(n for at, n in between.items() if at < row["occurred_at"]), 0)
        for row in events
    ]  # fmt: skip
    crowded, usable = [], []
    for key in UPSTREAM:
        own = list(_joined([one for one in single if one.keys == (key,)], total))
        apart = [one for one in own if one.inside < MATERIAL * total]
        usable += apart
        crowded += [key] if len(apart) < len(own) else []
    groups = list(_joined(sorted(usable, key=lambda one: one.start), total))
    found = [one for one in groups if one.inside < MATERIAL * total
             and one.earlier > 0 and one.earlier + one.inside < total]  # fmt: skip
    crowded += [key for one in groups if one.inside >= MATERIAL * total for key in one.keys]
    return found, tuple(dict.fromkeys(crowded))


def _joined(moments: Sequence[Moment], total: int) -> Iterator[Moment]:
    """Join those between which too few candidates lie."""
    last: Moment | None = None
    for one in moments:
        if last is None:
            last = one
            continue
        gap = one.earlier - last.earlier - last.inside
        if gap < MATERIAL * total:
            end = max(last.end, one.end)
            inside = max(last.inside, one.earlier + one.inside - last.earlier)
            last = Moment(last.start, end, (*last.keys, *one.keys), last.earlier, inside)
        else:
            yield last
            last = one
    if last is not None:
        yield last


def _by_threshold(ask: Inquiry, score: str, kinds: list[str] | None) -> list[Periods]:
    """The last change of a threshold in the log."""
    events = [row for row in ask.ask(q.EVENTS) if row["key"].startswith("threshold:")]
    return [
        Periods(score, None, None, row["occurred_at"], row["occurred_at"], "event",
                f"a change of {row['key']} in the log", kinds=kinds)
        for row in events[-1:]
    ]  # fmt: skip


def _by_break(
    ask: Inquiry, score: str, wanted: Wanted, seed: int, kinds: list[str] | None
) -> list[Periods]:
    """The largest break of the daily drop rate, its p-value from the whole search repeated."""
    gate = first_gate(ask) if wanted.threshold is None else wanted.threshold
    days = ask.ask(q.DAILY, kinds=kinds, score=score, gate=gate)
    if len(days) < 6 or not changepoints.AVAILABLE:
        return []
    rates = [row["dropped"] / row["candidates"] for row in days]
    found = changepoints.break_with_p(rates, seed=seed)
    at = days[found.index]["day"]
    told = "the largest break of the daily drop rate, inferred from it"
    return [Periods(score, None, None, at, at, "inferred", told, found.p, kinds)]
