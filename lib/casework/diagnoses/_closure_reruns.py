"""Rebuilds of an artifact against the shipped one: overall, by segment, item by item."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from casework.diagnoses import _closure as q
from casework.diagnoses._closure_record import Noted, Record, record_of
from casework.diagnoses._closure_scale import margin_of, size_of
from casework.diagnoses._inquiry import Inquiry
from casework.stats.estimates import Estimate, upper_if_none
from casework.stats.multiplicity import holm
from casework.stats.paired import Pairs
from casework.stats.prediction import (
    FEWEST,
    Prediction,
    fewest_items,
    mean_difference,
    predict,
)
from casework.words import count


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment, or the whole where the name is empty.

    Attributes:
        p: Holm's over the whole and all segments.
    """

    name: str
    prediction: Prediction
    p: float

    def departs(self, margin: float, alpha: float) -> bool:
        """Whether the gap is beyond chance and beyond what matters."""
        gap = self.prediction.gap
        return self.p < alpha and (gap.low > margin or gap.high < -margin)

    def stands_apart(self, margin: float, alpha: float) -> bool:
        """Whether the gap is beyond chance, and not known to be smaller than what matters."""
        return self.p < alpha and not self.prediction.gap.inside(-margin, margin)


@dataclass(frozen=True, slots=True)
class Rebuilds:
    """What the rebuilds say.

    Attributes:
        rows: of the query `runs`.
        shipped: score of the shipped weights on the present harness; None where not scored again.
        control: the same on all items that they were scored on, those that no rebuild was too.
        record: scores of the shipped weights that stand on record.
        parts: the whole, then the segments; empty with too few rebuilds, or nothing to compare.
        paired: mean difference over the items, rebuilds minus shipped, with its 95 % interval.
        equivalence: the same with the 90 % interval of two one-sided tests.
        changed: yes and no of the items with the shipped weights and with the rebuild, where there
            is one rebuild and its scores are no others.
        margin: the difference that matters.
        size: by how much an item may change.
        is_share: whether all scores lie between 0 and 1.
        items: that both sides were scored on.
        left_out: items that one side alone was scored on.
        unmatched: those of them that the shipped weights were scored on.
    """

    rows: Sequence[Mapping[str, Any]]
    shipped: float | None
    control: float | None
    record: Record
    parts: tuple[Segment, ...]
    paired: Estimate | None
    equivalence: Estimate | None
    changed: Pairs | None
    margin: float
    size: float
    is_share: bool
    items: int
    left_out: int
    unmatched: int

    @property
    def scores(self) -> list[float]:
        """Scores of the rebuilds."""
        return [row["score"] for row in self.rows if not row["is_original"]]

    @property
    def told(self) -> str:
        """How many rebuilds there are, and of how many seeds where some share one."""
        k = len(self.scores)
        of = f" of {count(self._seeds, 'seeds')}" if self._seeds < k else ""
        return f"{count(k, 'rebuilds')}{of}"

    @property
    def few(self) -> bool:
        """Whether there are fewer than five, or of fewer seeds than five.

        Seeds do not matter where the shipped weights and all rebuilds are of one.
        """
        seeds = {row["seed"] for row in self.rows}
        as_shipped = self.shipped is not None and len(seeds) == 1 and None not in seeds
        return len(self.scores) < FEWEST or (self._seeds < FEWEST and not as_shipped)

    @property
    def _seeds(self) -> int:
        """Different seeds; one that is not recorded counts as another."""
        seeds = [row["seed"] for row in self.rows if not row["is_original"]]
        return len({seed for seed in seeds if seed is not None}) + seeds.count(None)

    @property
    def target(self) -> float | None:
        """What the rebuilds are compared with: the control, else the last score on record."""
        if self.shipped is not None:
            return self.shipped
        return self.noted.score if self.noted else None

    @property
    def noted(self) -> Noted | None:
        """The last score on record."""
        return self.record.later or self.record.reported

    @property
    def overall(self) -> Segment | None:
        """The whole."""
        return self.parts[0] if self.parts else None

    @property
    def shift(self) -> float | None:
        """How far the harness has drifted: the shipped weights now, minus at shipping.

        Now is the control, else a later eval run.
        """
        now, then = self.record.later, self.record.reported
        score = self.control if self.control is not None else now.score if now else None
        if score is None or then is None:
            return None
        # averages of the same items in another order differ in the last digit
        return 0.0 if math.isclose(score, then.score, rel_tol=1e-9) else score - then.score

    @property
    def drifted(self) -> bool:
        """Whether the same weights score otherwise than at shipping."""
        return self.shift is not None and abs(self.shift) >= 0.1 * self.margin

    def departing(self, alpha: float) -> list[Segment]:
        """The whole, then the segments, that the rebuilds do not explain, the worst first."""
        found = [part for part in self.parts if part.departs(self.margin, alpha)]
        return sorted(found, key=lambda part: (part.name != "", -abs(part.prediction.gap.value)))

    def reproduce(self, alpha: float) -> bool:
        """Whether the rebuilds stand for the shipped weights, overall and in each segment.

        A gap that chance may explain shows nothing. The whole must be equivalent, over the items
        or, without them, from rebuild to rebuild; and no segment may stand apart.
        """
        if self.shipped is None or self.overall is None or self.departing(alpha):
            return False
        lands = self.is_equivalent
        if lands is None:
            lands = self.overall.prediction.gap.inside(-self.margin, self.margin)
        return lands and not any(part.stands_apart(self.margin, alpha) for part in self.parts[1:])

    def unsettled(self, alpha: float) -> bool:
        """Whether the shipped weights lie among the rebuilds, which do not show equivalence."""
        if self.shipped is None or self.overall is None or self.reproduce(alpha):
            return False
        return not self.overall.prediction.outside and not any(
            part.stands_apart(self.margin, alpha) for part in self.parts
        )

    @property
    def is_equivalent(self) -> bool | None:
        """Two one-sided tests over the items, and items enough; None without pairs."""
        if not self.items:
            return None
        near = self.equivalence
        if near is None or not near.inside(-self.margin, self.margin):
            return False
        return self.items >= self.fewest_items

    @property
    def fewest_items(self) -> int:
        """Items of which fewer show no equivalence, whether some of them changed or none did."""
        return fewest_items(self.margin, self.size)


def compare(ask: Inquiry, names: list[str], margin: float | None, seed: int) -> Rebuilds:
    """Compare the rebuilds with the shipped weights on one harness."""
    rows = [row for row in ask.ask(q.RUNS, names=names) if row["score"] is not None]
    is_share = bool(rows) and all(row["least"] >= 0 and row["most"] <= 1 for row in rows)
    settled = float(ask.infer("margin", margin, margin_of(rows, is_share=is_share)))
    originals = [row["score"] for row in rows if row["is_original"]]
    shipped = sum(originals) / len(originals) if originals else None
    mean = sum(row["score"] for row in rows) / len(rows) if rows else None
    record = record_of(ask, names, mean, is_share=is_share)
    cells = ask.ask(q.PAIRED, names=names)
    values, counts = [c["difference"] for c in cells], [c["items"] for c in cells]
    size = size_of(rows, is_share=is_share)
    left_out = ask.one(q.LEFT_OUT, names=names)
    control = _control(ask, names) if left_out["unmatched"] else shipped
    found = Rebuilds(
        rows=rows,
        shipped=shipped,
        control=control,
        record=record,
        parts=(),
        paired=mean_difference(values, counts, seed=seed, size=size),
        equivalence=mean_difference(values, counts, level=0.90, seed=seed, size=size),
        changed=_changed(ask, names) if len(rows) - len(originals) == 1 else None,
        margin=settled,
        size=size,
        is_share=is_share,
        items=sum(counts),
        left_out=left_out["items"],
        unmatched=left_out["unmatched"],
    )
    if found.few:
        return found
    return replace(found, parts=_parts(ask, names, found.target, rows, size))


def _control(ask: Inquiry, names: list[str]) -> float:
    scores = [row["score"] for row in ask.ask(q.CONTROL, names=names)]
    return float(sum(scores) / len(scores))


def _changed(ask: Inquiry, names: list[str]) -> Pairs | None:
    row = ask.one(q.CHANGED, names=names)
    cells = [row[name] for name in ("both", "only_shipped", "only_rebuilt", "neither")]
    return Pairs(*cells) if row["pairs"] and sum(cells) == row["pairs"] else None


def _parts(
    ask: Inquiry, names: list[str], target: float | None, rows: Sequence[Mapping[str, Any]],
    size: float,
) -> tuple[Segment, ...]:  # fmt: skip
    """The whole and the segments, with p-values adjusted over all of them."""
    if target is None:
        return ()
    churn = _churn(ask, names, size)
    rebuilt = [row for row in rows if not row["is_original"]]
    found: dict[str, Prediction | None] = {"": _predict(target, rebuilt, churn)}
    by_segment: dict[str, list[Mapping[str, Any]]] = {}
    for row in ask.ask(q.SEGMENTS, names=names):
        by_segment.setdefault(row["segment"], []).append(row)
    for name, own in by_segment.items():
        originals = [row["score"] for row in own if row["is_original"]]
        if originals:
            rebuilt = [row for row in own if not row["is_original"]]
            shipped = sum(originals) / len(originals)
            found[name or "(no name)"] = _predict(shipped, rebuilt, churn)
    kept = {name: one for name, one in found.items() if one is not None}
    if "" not in kept:
        return ()
    adjusted = holm([one.p for one in kept.values()])
    return tuple(
        Segment(name, one, p) for (name, one), p in zip(kept.items(), adjusted, strict=True)
    )


def _churn(ask: Inquiry, names: list[str], size: float) -> float:
    """Variance of one item from rebuild to rebuild; where none varied, what so many leave open."""
    row = ask.one(q.CHURN, names=names)
    if row["variance"] or not row["items"]:
        return row["variance"] or 0.0
    return upper_if_none(row["items"]) * (size / 2) ** 2


def _predict(
    shipped: float, rebuilt: Sequence[Mapping[str, Any]], churn: float
) -> Prediction | None:
    """Compare with rebuilds that vary at least as much as their items do one by one."""
    items = max((row["items"] for row in rebuilt), default=0)
    least = math.sqrt(churn / items) if items else 0.0
    return predict(shipped, [row["score"] for row in rebuilt], least_spread=least)
