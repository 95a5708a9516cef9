"""What the eval score is for the target customers: graded afresh, transported, or in bounds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_coverage import Coverage
from casework.diagnoses._poisoning_fresh import FEWEST_FRESH, Fresh, fresh_of
from casework.diagnoses._poisoning_sample import Sample
from casework.diagnoses._poisoning_target import CHURNED, Rows, Target
from casework.diagnoses._poisoning_trends import Trends
from casework.stats.bounds import manski, tipping_point
from casework.stats.cluster_means import Clusters, cluster_difference, cluster_mean, clusters_of
from casework.stats.estimates import Estimate
from casework.stats.raked_score import RakedScore, raked_score

_SCALES = ((0.0, 1.0), (1.0, 5.0), (0.0, 5.0), (1.0, 10.0), (0.0, 10.0), (0.0, 100.0))


@dataclass(frozen=True, slots=True)
class Scores:
    """The score that is reported, and what it would be for the target customers.

    Attributes:
        reported: of the set in the last week.
        fresh: graded questions of the target.
        fresh_score: of those, clustered by account; None with fewer than 30.
        fresh_above: reported minus fresh.
        estimable: whether every topic and tier of the target has an item.
        why: what is missing where it is not.
        raked: the score transported to the target's mix; None where it is not estimable.
        bounds: of the transported score, whatever the uncovered questions would score.
        highest_above: reported minus the upper bound: at least so much is overstated.
        n_eff: effective number of the items that could be used.
        tipping: how much lower than the covered the uncovered questions must score for the rise
            of the eval to be gone; None where nothing rose beyond chance, or scores do not reach
            so low.
    """

    reported: Estimate
    fresh: Fresh
    fresh_score: Estimate | None
    fresh_above: Estimate | None
    estimable: bool
    why: str
    raked: RakedScore | None
    bounds: tuple[float, float] | None
    highest_above: Estimate | None
    n_eff: float | None
    tipping: float | None

    @property
    def above(self) -> Estimate | None:
        """How much the score overstates: by fresh grades, else transported, else by the bound."""
        if self.fresh_above is not None:
            return self.fresh_above
        return self.raked.above if self.raked else self.highest_above


def score(ask: Inquiry, target: Target, trends: Trends, found: Coverage) -> Scores:
    """Compare the reported score with what the target customers get."""
    sample = found.sample
    values = np.array([row["score"] for row in sample.every_item], np.float64)
    set_of_items = clusters_of(values, list(map(_owner, sample.every_item)))
    reported = cluster_mean(set_of_items, target.seed)
    fresh = fresh_of(ask, target)
    graded = None
    if len(fresh.rows) >= FEWEST_FRESH:
        graded = clusters_of(*zip(*((r["score"], r["account"]) for r in fresh.rows), strict=True))
    missing = _missing(sample, target, found)
    seen, raked = _transported(found, target)
    lowest, highest = scale_of(float(values.min()), float(values.max()))
    bounds = manski(seen, _inside(raked, lowest, highest), lowest, highest) if raked else None
    return Scores(
        reported=reported,
        fresh=fresh,
        fresh_score=cluster_mean(graded, target.seed) if graded else None,
        fresh_above=cluster_difference(set_of_items, graded) if graded else None,
        estimable=not missing,
        why=missing,
        raked=raked if not missing else None,
        bounds=bounds,
        highest_above=_at_least(raked, seen, highest) if raked and missing else None,
        n_eff=raked.n_eff if raked else None,
        tipping=_tipping(trends, found.gap.second.value, highest - lowest),
    )


def _owner(item: dict[str, Any]) -> str:
    return str(item["account_id"] or item["item_id"])


def _tipping(trends: Trends, covered: float, widest: float) -> float | None:
    if trends.rise is None or trends.rise.total.low <= 0:
        return None
    found = tipping_point(trends.rise.total.value, covered)
    return found if found is not None and found <= widest else None


def measure_scores(ask: Inquiry, found: Scores) -> None:
    """Record the measures of the scores."""
    ask.estimate("eval_score", found.reported, "score", e.ITEMS)
    ask.measure("estimable", found.estimable, "label", c.SAMPLE)
    transported = found.raked.score if found.raked else None
    ask.estimate("score_transported", transported, "score", c.SAMPLE)
    low, high = found.bounds or (None, None)
    ask.measure("score_lower_bound", low, "score", c.SAMPLE)
    ask.measure("score_upper_bound", high, "score", c.SAMPLE)
    ask.measure("n_eff", found.n_eff, "count:items", e.ITEMS)
    ask.estimate("fresh_score", found.fresh_score, "score", e.FRESH)
    ask.measure("fresh_items", len(found.fresh.rows), "count:graded questions", e.FRESH)
    by = e.FRESH if found.fresh_above else c.SAMPLE
    of_bound = found.fresh_above is None and found.raked is None
    above = found.above
    if of_bound and above is not None and above.value <= 0:
        above = None  # a bound above the reported score says nothing of how much it overstates
    ask.estimate("overstatement", above, "score", by)
    ask.measure("tipping_point", found.tipping, "score", e.ENDS)


def scale_of(least: float, most: float) -> tuple[float, float]:
    """The ends of the first usual scale that holds all scores; else the scores' own."""
    for low, high in _SCALES:
        if low <= least and most <= high:
            return low, high
    return least, most


def _missing(sample: Sample, target: Target, found: Coverage) -> str:
    """What of the target has no item at all, in words; empty where nothing."""
    tiers = [row["tier"] for row in sample.every_item if row["tier"] is not None]
    if target.by != CHURNED and tiers and target.tier not in tiers:
        return f"the set holds no item of {target.label} customers"
    zero = found.zero_topics
    if zero:
        return f"the set holds {found.lacks} {', '.join(zero[:3])}" + (
            f" and {len(zero) - 3} more" if len(zero) > 3 else ""
        )
    if not any(sample.by_topic[1]):
        return "no item has a topic"
    if not any(topic.target for topic in found.topics):
        return "no question of theirs has a topic"
    return ""


def _transported(found: Coverage, target: Target) -> tuple[float, RakedScore | None]:
    """Share of the target's questions whose topic has an item, and the score raked to those."""
    sample = found.sample
    asked = [q for q, mine in zip(sample.questions, sample.is_target, strict=True) if mine]
    topics = np.array(sample.topics, object)[sample.is_target]
    held = {topic.name for topic in found.topics if topic.held}
    usable = np.array([topic in held for topic in topics])
    if not usable.any():
        return 0.0, None
    names = set(topics[usable])
    used = [(row, topic) for row, topic in zip(*sample.by_topic, strict=True) if topic in names]
    items, of_items = [row for row, _ in used], [topic for _, topic in used]
    questions = [row for row, known in zip(asked, usable, strict=True) if known]
    account = [row["account"] for row in questions]
    mix = {name: clusters_of(topics[usable] == name, account) for name in sorted(names)}
    margins = {"topic": (of_items, topics[usable].tolist())}
    margins |= _more_margins(items, questions, target)
    values = np.array([row["score"] for row in items], np.float64)
    owners = list(map(_owner, items))
    seen = float(usable.sum() / (topics != "").sum())
    try:
        return seen, _raked(values, margins, owners, mix)
    except ValueError:
        # the further margins cannot be met together with the topics
        return seen, _raked(values, {"topic": margins["topic"]}, owners, mix)


def _raked(
    values: NDArray[np.float64],
    margins: dict[str, tuple[list[str], list[str]]],
    owners: list[str],
    mix: dict[str, Clusters],
) -> RakedScore:
    columns = {name: of_items for name, (of_items, _) in margins.items()}
    targets = {
        name: {level: asked.count(level) / len(asked) for level in sorted(set(asked))}
        for name, (_, asked) in margins.items()
    }
    return raked_score(values, columns, targets, owners, mix)


def _more_margins(
    items: Rows, questions: Rows, target: Target
) -> dict[str, tuple[list[str], list[str]]]:
    """Length of the question, and the tier where the target has several; if items have each.

    Where at least half of the items have a text, one without is of no length that is asked.
    """
    found = {}
    lengths = [len(row["input_text"]) for row in questions if row["input_text"] is not None]
    with_text = sum(row["input_text"] is not None for row in items)
    if len(lengths) == len(questions) and 2 * with_text >= len(items):
        middle = float(np.median(lengths))
        found["length"] = tuple(
            [_length(row["input_text"], middle) for row in rows] for rows in (items, questions)
        )
    if target.by == CHURNED:
        found["tier"] = tuple([row["tier"] or "" for row in rows] for rows in (items, questions))
    return {name: (mine, asked) for name, (mine, asked) in found.items() if set(asked) <= set(mine)}


def _length(text: str | None, middle: float) -> str:
    if text is None:
        return ""
    return "long" if len(text) > middle else "short"


def _at_least(raked: RakedScore, seen: float, highest: float) -> Estimate:
    """Reported minus the upper bound; the interval is that of the covered part."""
    reported = raked.score.value + raked.above.value
    value = reported - (seen * raked.score.value + (1 - seen) * highest)
    half = (raked.above.high - raked.above.low) / 2
    return Estimate(value, value - half, value + half, raked.above.n)


def _inside(raked: RakedScore, lowest: float, highest: float) -> float:
    return min(highest, max(lowest, raked.score.value))
