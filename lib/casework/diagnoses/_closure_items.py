"""The items that the shipped weights and the rebuilds were both scored on, by segment.

Rebuilds are too few for an interval more often than items are, and a loss in one segment hides in
the mean of all.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casework.case import Query
from casework.diagnoses import _closure as q
from casework.diagnoses._closure_reruns import Rebuilds
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.stats.multiplicity import holm
from casework.stats.prediction import difference_p, mean_difference
from casework.stats.sign_flips import with_unseen
from casework.visible import shorten
from casework.words import count, number, p_value, spread

_COMPARED, _SHOWN, _NAMED = 100, 12, 3

BY_SEGMENT = Query(
    "paired_segments",
    f"""
    SELECT segment, difference, items, segments
    FROM (
        SELECT *, max(place) OVER () AS segments
        FROM (
            SELECT segment, round(rebuilt - shipped, 6) AS difference, count(*) AS items,
                   dense_rank() OVER (ORDER BY max(in_segment) DESC, segment) AS place
            FROM (
                SELECT segment, shipped, rebuilt, count(*) OVER (PARTITION BY segment) AS in_segment
                FROM (
                    SELECT segment, item_id, avg(score) FILTER (WHERE is_original) AS shipped,
                           avg(score) FILTER (WHERE is_original IS NOT TRUE) AS rebuilt
                    FROM reruns
                    WHERE list_contains($names, artifact) AND item_id IS NOT NULL
                      AND segment IS NOT NULL
                    GROUP BY segment, item_id
                )
                WHERE rebuilt IS NOT NULL AND shipped IS NOT NULL
            )
            GROUP BY segment, round(rebuilt - shipped, 6)
        )
    )
    WHERE place <= {_COMPARED} ORDER BY segment, difference
    """,  # noqa: S608  the text is put together of constants
    "Items of each segment by how much the mean of the rebuilds differs from the shipped weights "
    f"on them (the {_COMPARED} segments with most items, of how many there are).",
)


@dataclass(frozen=True, slots=True)
class Paired:
    """The items of one segment, or all of them where the name is None.

    Attributes:
        gap: mean difference, rebuilds minus shipped, with its 95 % interval.
        is_equivalent: whether the 90 % interval lies within the margin: two one-sided tests. The
            whole must have items enough too.
        p: of no difference, Holm's over the whole and the segments.
    """

    segment: str | None
    gap: Estimate
    is_equivalent: bool
    p: float


def by_items(
    ask: Inquiry, names: Sequence[str], rebuilds: Rebuilds, alpha: float, seed: int
) -> Iterator[Finding]:
    """Compare the rebuilds with the shipped weights item by item, and say what that shows."""
    found = _compare(ask, names, rebuilds, seed)
    if not found:
        return
    in_all = max((row["segments"] for row in ask.ask(BY_SEGMENT, names=names)), default=0)
    unit = "points" if rebuilds.is_share else "score"
    within = spread(rebuilds.margin, None, unit)
    rows = [{"segment": one.segment or "all items", "items": one.gap.n, "gap": one.gap.value,
             "low": one.gap.low, "high": one.gap.high, "p_holm": one.p,
             "equivalent": one.is_equivalent} for one in _shown(found)]  # fmt: skip
    ask.measure("paired_segments", rows, "table", BY_SEGMENT, n=found[0].gap.n)
    whole, parts = found[0], found[1:]
    said = (
        f"Item by item, seeds aside, "
        f"{spread(whole.gap.value, (whole.gap.low, whole.gap.high), unit)} on "
        f"{count(whole.gap.n, 'items')}; equivalence within {within} is "
        f"{'' if whole.is_equivalent else 'not '}shown."
    )
    evidence = (ask.evidence_id(q.PAIRED), ask.evidence_id(BY_SEGMENT))
    yield Finding(said + _of_parts(parts, in_all, alpha, unit),
                  ("paired_gap", "equivalent", "paired_segments"), evidence)  # fmt: skip


def _shown(found: Sequence[Paired]) -> list[Paired]:
    """The whole and the segments for a table: where they are many, those that differ most."""
    ranked = sorted(found[1:], key=lambda one: (one.p, -abs(one.gap.value)))
    return [one for one in found if one is found[0] or one in ranked[:_SHOWN]]


def _of_parts(parts: Sequence[Paired], in_all: int, alpha: float, unit: str) -> str:
    """Say in which segments the items differ, and in how many they are equivalent."""
    if not parts:
        return ""
    apart = sorted((one for one in parts if one.p < alpha), key=lambda one: one.gap.value)
    named = "; ".join(
        f"{shorten(one.segment or '', 40)} "
        f"{spread(one.gap.value, (one.gap.low, one.gap.high), unit)}, {p_value(one.p)}"
        for one in apart[:_NAMED]
    )
    more = f"; and {number(len(apart) - _NAMED)} more" if len(apart) > _NAMED else ""
    same = sum(one.is_equivalent for one in parts)
    where = f": {named}{more}" if named else ""
    of = f" with most items, of {number(in_all)}" if in_all > _COMPARED else ""
    return (
        f" A difference beyond chance is in {number(len(apart))} of "
        f"{count(len(parts), 'segments')}{of} (Holm){where}; equivalence is shown in "
        f"{number(same)}."
    )


def _compare(
    ask: Inquiry, names: Sequence[str], rebuilds: Rebuilds, seed: int
) -> tuple[Paired, ...]:
    """The whole and the segments of at least two items; empty without items of both."""
    cells: dict[str | None, tuple[list[float], list[int]]] = {}
    rows = [{"segment": None, **row} for row in ask.ask(q.PAIRED, names=names)]
    for row in rows + ask.ask(BY_SEGMENT, names=names):
        values, counts = cells.setdefault(row["segment"], ([], []))
        values.append(row["difference"])
        counts.append(row["items"])
    kept = {name: cell for name, cell in cells.items() if sum(cell[1]) > 1}
    if None not in kept or rebuilds.paired is None:
        return ()
    size, margin = _size_of_a_change(*kept[None]) or rebuilds.size, rebuilds.margin
    adjusted = holm([difference_p(*cell, seed=seed) for cell in kept.values()])
    found = [Paired(None, rebuilds.paired, bool(rebuilds.is_equivalent), adjusted[0])]
    for (name, cell), p in zip(list(kept.items())[1:], adjusted[1:], strict=True):
        gap = mean_difference(*cell, seed=seed)
        near = mean_difference(*cell, level=0.90, seed=seed)
        if gap is not None and near is not None:
            same = with_unseen(near, size, 0.90).inside(-margin, margin)
            found.append(Paired(name, with_unseen(gap, size), same, p))
    return tuple(found)


def _size_of_a_change(values: Sequence[float], counts: Sequence[int]) -> float:
    """By how much an item changes that does; a segment without a change may yet hold some."""
    changed = [(value, n) for value, n in zip(values, counts, strict=True) if value]
    total = sum(n for _, n in changed)
    return math.sqrt(sum(n * value**2 for value, n in changed) / total) if total else 0.0
