"""How the eval score and the NPS moved, and how much of the rise is due to other items."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_response import Weighted, measure_response, weigh
from casework.diagnoses._poisoning_target import Rows, Survey, Target
from casework.stats.cluster_means import change_within
from casework.stats.estimates import Estimate, smallest_shown
from casework.stats.item_set import Rise, split_rise
from casework.stats.nps import Answers, nps_difference
from casework.stats.topic_mix import TopicMix, split_by_topic
from casework.stats.trends import clustered_slope, divergence, newey_west

FEWEST_FIXED = 5
_QUARTER = 13


@dataclass(frozen=True, slots=True)
class Trends:
    """Eval and NPS over time.

    Attributes:
        weeks: rows of `weeks`.
        eval_slope, fixed_slope: score per week.
        spread: standard deviation between items in the first week.
        fixed_items: items that were there all the time.
        rise: the last week against the first, by items that stayed and others.
        mix: the same by topics; None where fewer than half of the items have one.
        nps_change: of the target customers, the last wave minus the first.
        nps_others: of all others.
        nps_waves_p: of no change, as if every answer were another account's.
        nps_weighted: of the target customers, weighted by who was there to answer.
        nps_survivors: of target accounts that answered in both waves.
        divergence: eval slope minus NPS slope of the target, in standard deviations a quarter.
        answers: of the target customers.
        in_waves: how many of these are of the first or of the last wave.
    """

    weeks: Rows
    eval_slope: Estimate | None
    fixed_slope: Estimate | None
    spread: float
    fixed_items: int
    rise: Rise | None
    mix: TopicMix | None
    nps_change: Estimate | None
    nps_others: Estimate | None
    nps_waves_p: float | None
    nps_weighted: Weighted | None
    nps_survivors: Estimate | None
    divergence: Estimate | None
    answers: Rows
    in_waves: int

    @property
    def score(self) -> float:
        """The eval score of the last week."""
        return float(self.weeks[-1]["score"])

    def fixed_total(self) -> Estimate | None:
        """Change of the items that were there all the time, over the whole time."""
        return _scaled(self.fixed_slope, max(1, self.span)) if self.fixed_slope else None

    @property
    def span(self) -> int:
        """Weeks from the first with a run to the last."""
        return int((self.weeks[-1]["week"] - self.weeks[0]["week"]).days) // 7


def follow(ask: Inquiry, target: Target, survey: Survey | None) -> Trends:
    """Compute the trends and record their measures."""
    ask.case.hold(e.SCORED, **target.params)
    weeks = ask.ask(e.WEEKS, **target.params)
    at = [(row["week"] - weeks[0]["week"]).days / 7 for row in weeks]
    slope = newey_west(at, [row["score"] for row in weeks])
    fixed_items = max(row["fixed_items"] for row in weeks)
    fixed = [(x, row["fixed_score"]) for x, row in zip(at, weeks, strict=True)
             if row["fixed_score"] is not None]  # fmt: skip
    enough = fixed_items >= FEWEST_FIXED
    fixed_slope = newey_west(*zip(*fixed, strict=True)) if enough else None
    spread = next((float(row["spread"]) for row in weeks if row["spread"]), 0.0)
    ends = ask.ask(e.ENDS, **target.params)
    first, last = ([row[name] if row[name] is not None else np.nan for row in ends]
                   for name in ("first_score", "last_score"))  # fmt: skip
    rise = split_rise(first, last, target.seed) if len(weeks) > 1 else None
    mine = [row for row in survey.answers if target.holds(row)] if survey else []
    others = [row for row in survey.answers if not target.holds(row)] if survey else []
    trends = Trends(
        weeks=weeks,
        eval_slope=slope,
        fixed_slope=fixed_slope,
        spread=spread,
        fixed_items=fixed_items,
        rise=rise,
        mix=_mix(ends, first, last, target.seed) if rise else None,
        nps_change=survey.change(mine) if survey else None,
        nps_others=survey.change(others) if survey else None,
        nps_waves_p=_waves_p(survey, mine) if survey else None,
        nps_weighted=weigh(ask, target, survey, mine) if survey else None,
        nps_survivors=_survivors(survey, mine) if survey else None,
        divergence=_divergence(slope, spread, mine),
        answers=mine,
        in_waves=int(np.logical_or(*survey.in_waves(mine)).sum()) if survey else 0,
    )
    _measure(ask, trends)
    return trends


def _measure(ask: Inquiry, found: Trends) -> None:
    ask.estimate("eval_slope", found.eval_slope, "score per week", e.WEEKS)
    ask.estimate("fixed_item_slope", found.fixed_slope, "score per week", e.WEEKS)
    ask.measure("fixed_items", found.fixed_items, "count:items", e.WEEKS)
    if found.rise:
        ask.estimate("rise", found.rise.total, "score", e.ENDS)
        ask.estimate("rise_same_items", found.rise.same_items, "score", e.ENDS)
        ask.estimate("rise_other_items", found.rise.other_items, "score", e.ENDS)
    if found.mix:
        ask.estimate("rise_topic_mix", found.mix.mix, "score", e.ENDS)
        ask.estimate("rise_within_topics", found.mix.scores, "score", e.ENDS)
        topics = [
            {"topic": one.name, "items_first": one.first, "items_last": one.last}
            | {f"{of}{end}": getattr(getattr(one, part), name)
               for of, part in (("by_mix", "mix"), ("by_scores", "scores"))
               for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))}
            for one in found.mix.topics
        ]  # fmt: skip
        ask.measure("rise_by_topic", topics, "table", e.ENDS, n=found.mix.mix.n)
    by = c.ANSWERS if found.answers else e.WEEKS
    if (change := found.nps_change) and math.isfinite(change.high - change.low):
        shown = smallest_shown(change)
        ask.measure("nps_smallest_shown", shown, "points", by, n=found.in_waves)
    ask.estimate("nps_change", found.nps_change, "points", by)
    measure_response(ask, found.nps_weighted, c.PANEL if found.nps_weighted else by)
    ask.measure("nps_waves_p", found.nps_waves_p, "p", by)
    unit = "standard deviations a quarter"
    ask.estimate("divergence", found.divergence, unit, by)


def _mix(ends: Rows, first: list[float], last: list[float], seed: int) -> TopicMix | None:
    """The rise by topics: another mix of them, or other scores in them."""
    topics = [row["topic"] for row in ends]
    if 2 * sum(topic is not None for topic in topics) < len(topics) or len({*topics}) < 2:
        return None
    return split_by_topic(first, last, [topic or "not recorded" for topic in topics], seed)


def _waves_p(survey: Survey, answers: Rows) -> float | None:
    """Two-sided p-value of independent answers in both waves."""
    early = [row["vote"] for row in answers if row["responded_at"] <= survey.first_until]
    late = [row["vote"] for row in answers if row["responded_at"] >= survey.last_from]
    if not early or not late:
        return None
    first, last = (Answers(v.count(1), v.count(0), v.count(-1)) for v in (early, late))
    return nps_difference(first, last).p


def _survivors(survey: Survey, answers: Rows) -> Estimate | None:
    """NPS change of the accounts that answered in both waves, so that nobody fell silent."""
    waves = survey.waves(answers)
    if waves is None:
        return None
    both = (waves[0].n > 0) & (waves[1].n > 0)
    if both.sum() < FEWEST_FIXED:
        return None
    kept = [type(w)(w.total[both], w.n[both]) for w in waves]
    return change_within(kept[0], kept[1])


def _divergence(slope: Estimate | None, spread: float, answers: Rows) -> Estimate | None:
    """Difference of the slopes per quarter; the SD of NPS is that between answers."""
    if slope is None or not spread or len(answers) < FEWEST_FIXED:
        return None
    start = answers[0]["responded_at"]
    weeks = [(row["responded_at"] - start).total_seconds() / 604_800 for row in answers]
    votes = np.array([row["vote"] for row in answers], np.float64)
    voted = clustered_slope(weeks, votes, [row["account_id"] for row in answers])
    if voted is None or not (sd := float(votes.std())):
        return None
    return divergence(_scaled(slope, _QUARTER / spread), _scaled(voted, _QUARTER / sd))


def _scaled(found: Estimate, by: float) -> Estimate:
    return Estimate(found.value * by, found.low * by, found.high * by, found.n)


def month_of(row: Mapping[str, Any]) -> Any:
    """The month of an answer, for the picture."""
    return row["responded_at"].replace(day=15, hour=0, minute=0, second=0, microsecond=0)
