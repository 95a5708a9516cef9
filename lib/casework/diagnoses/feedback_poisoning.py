"""Thumbs chose the eval set, which no longer holds what the customers that matter ask.

## What it looks for
Questions of the target customers that have nothing like them in the eval set, against those of all
others: nearest neighbours within a radius that a random set of that size would reach, with accounts
as the unit. Which items a draw takes is chance too, so the gap is held against those of sets of
that size that are drawn at random. Coverage of each tier, of those that left, and whether a
classifier tells their questions from items, by which topics. Whether the score overstates what the
target gets: by fresh grades, by transport to their mix, or that it cannot be estimated and only
bounded. Eval and NPS as trends, the items that never changed, the part of the rise that is due to
other items or another mix of topics. Which thumbs became items, and what those who gave none must
think for a rise of thumbs to be none. METHODS section 6.

## Why it matters
A thumb up says that somebody was happy, not that a question matters. A set that is filled by thumbs
becomes what one happy cohort asks; its score rises while the others leave.

## What would rule it out
A fresh random sample of the target's questions that scores as the eval says. Random sets of that
size that miss as much. Items that were there all the time and fall as well: then the eval saw it. A
better product, where the same items rose. A judge that changed. Questions that became other ones
only after the answers were bad.

## Known false alarms
Two trends that part prove nothing, as any two trends do; NPS lags by a quarter, and prices, outages
and renewals move it. Who leaves stops answering, so NPS can rise: answers are weighted to the
accounts that were there. Texts in like words whatever they ask can hide a gap, not make one. Thumbs
differ by surface. Few answers to the survey show nothing: a drop of 10 points needs about 960 a
wave. Fresh grades by another grader than the eval's also hold by how much both differ on the same
answer. Graded questions that were picked by their thumbs, or by having none, are no random sample.
Items that are phrased unlike any request are told from all questions, whoever asks them.
"""

from dataclasses import dataclass

from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.diagnoses._poisoning_apart import measure_apart
from casework.diagnoses._poisoning_charts import draw
from casework.diagnoses._poisoning_coverage import Coverage, cover, measure_coverage
from casework.diagnoses._poisoning_graders import other_grader
from casework.diagnoses._poisoning_groups import measure_groups
from casework.diagnoses._poisoning_harm import breaks_of, measure_harm
from casework.diagnoses._poisoning_quotas import measure_quotas
from casework.diagnoses._poisoning_rivals import falsify, rivals_of
from casework.diagnoses._poisoning_scores import Scores, measure_scores, score
from casework.diagnoses._poisoning_target import (
    Survey,
    Target,
    read_survey,
    settle_suite,
    settle_target,
)
from casework.diagnoses._poisoning_thumbs import measure_thumbs
from casework.diagnoses._poisoning_trends import Trends, follow
from casework.diagnoses._poisoning_words import findings, headline, limits, remedies
from casework.findings import Falsifier, Missing, Primary, Rival, Verdict
from casework.stats.estimates import p_above
from casework.tables import (
    accounts,
    config_events,
    eval_runs,
    eval_samples,
    feedback,
    nps,
    requests,
    vectors,
)

_HALF = 0.5
_LEVEL = 0.05
_RANKED_BY = ("account_id", "tier", "revenue", "churned_at")
_NO_TARGET = (
    "Not testable. Nothing tells which customers matter: load accounts with churned_at, or a tier "
    "of accounts or requests and what ranks tiers, revenue or nps; or name a target."
)
_NO_QUESTIONS = (
    "Not testable. The questions of customers and of the eval set cannot be compared: load "
    "requests of both groups with input_text, vectors, or a topic."
)


def judge(
    ask: Inquiry,
    *,
    suite: str | None = None,
    target: str | None = None,
    alpha: float = 0.01,
    sesoi_gap: float = 0.05,
    sesoi_sd: float = 0.1,
    sample: int = 1_500,
    seed: int = 1,
) -> Conclusion:
    """Compare what target customers ask with what the eval set holds, and their scores.

    Args:
        ask: the inquiry.
        suite: the eval suite; else one whose items came from traffic, run in most weeks.
        target: a tier, or `churned`; else the tier whose NPS fell most surely, or the accounts that
            left, or the tier with most revenue.
        alpha: level of each test: of the gap, by accounts and by random sets, and of the score.
        sesoi_gap: smallest gap in coverage that matters; what a random set misses by itself.
        sesoi_sd: smallest difference of scores that matters, in standard deviations of items.
        sample: requests drawn of the target and of the others.
        seed: of the draws and of the bootstrap.
    """
    run = settle_suite(ask, suite)
    if run is None:
        return Conclusion("not_testable", "Not testable. No eval run has scored items.")
    survey = read_survey(ask)
    chosen = settle_target(ask, run, survey, target, seed)
    if chosen is None:
        needed = Missing("accounts", _RANKED_BY, "which customers matter")
        return Conclusion("not_testable", _NO_TARGET, missing=(needed,))
    trends = follow(ask, chosen, survey)
    found = cover(ask, chosen, max(sample, 2))
    if found is None:
        needed = Missing("requests", ("account_id", "input_text"), "what customers ask")
        return Conclusion("not_testable", _NO_QUESTIONS, missing=(needed,))
    _measure(ask, chosen, found)
    scores = score(ask, chosen, trends, found)
    measure_scores(ask, scores)
    measure_harm(ask, chosen, found)
    draw(ask, chosen, trends, found, scores, survey)
    margins = Margins(alpha, sesoi_gap, sesoi_sd * (trends.spread or 1.0))
    return _conclude(ask, chosen, survey, trends, found, scores, margins)


def _measure(ask: Inquiry, target: Target, found: Coverage) -> None:
    measure_coverage(ask, found)
    measure_groups(ask, target, found)
    measure_apart(ask, target, found)
    measure_quotas(ask, found)
    measure_thumbs(ask, target, found.sample)


@dataclass(frozen=True, slots=True)
class Margins:
    """Level of the primary test, and the smallest gap and difference of scores that matter."""

    alpha: float
    gap: float
    score: float


def _conclude(
    ask: Inquiry,
    target: Target,
    survey: Survey | None,
    trends: Trends,
    found: Coverage,
    scores: Scores,
    margins: Margins,
) -> Conclusion:
    falsifier = falsify(trends, scores, target, margins.score)
    rivals = rivals_of(ask, target, trends, found, scores, margins.gap)
    verdict = _verdict(found, scores, falsifier, rivals, margins)
    return Conclusion(
        verdict=verdict,
        headline=headline(verdict, target, found, scores, margins.gap),
        wide=True,
        findings=findings(ask, target, trends, found, scores),
        rivals=rivals,
        falsifier=falsifier,
        remedies=remedies(verdict, target, found, scores),
        limits=limits(verdict, target, trends, found, scores, margins.gap)
        + other_grader(ask, target, scores)
        + scores.fresh.limits(),
        primary=Primary(found.p, margins.alpha),
        breaks=breaks_of(target, trends, survey),
    )


def _verdict(
    found: Coverage,
    scores: Scores,
    falsifier: Falsifier,
    rivals: tuple[Rival, ...],
    margins: Margins,
) -> Verdict:
    gap, above = found.gap.difference, scores.above
    equal = gap.high < margins.gap and found.gap.second.high >= _HALF
    overstated = above is not None and above.low > margins.score
    if (equal or found.complete) and found.tells(margins.gap) and not overstated:
        return "clean"
    if gap.low <= 0 or equal or falsifier.falsified:
        return "inconclusive"
    if found.by_chance.p >= _LEVEL and not (overstated and gap.low > margins.gap):
        return "inconclusive"
    settled = (
        gap.low > margins.gap
        and found.p < margins.alpha
        and above is not None
        and 2 * p_above(above, 0.0) < margins.alpha
        and falsifier.ran
        and not any(rival.outcome == "not_excluded" for rival in rivals)
    )
    return "confirmed" if settled else "supported"


feedback_poisoning = Diagnosis(
    name="feedback_poisoning",
    family="feedback poisoning",
    claim="the eval set no longer represents the customers that matter, and its score overstates "
    "what they get",
    doc=__doc__ or "",
    needs=(
        Need(eval_runs, ("run_id", "suite", "started_at"), "when the eval was run"),
        Need(eval_samples, ("run_id", "item_id", "score"), "what the eval set holds"),
        Need(requests, ("request_id", "account_id"), "what customers ask"),
        Need(accounts, ("account_id",), "tiers, revenue, and who left", required=False),
        Need(nps, ("account_id", "score"), "what customers say in the survey", required=False),
        Need(feedback, ("feedback_id", "signal"), "whether thumbs chose the items", required=False),
        Need(vectors, ("text_id", "vector"), "likeness of questions by meaning", required=False),
        Need(config_events, ("key", "new_value"), "what else changed meanwhile", required=False),
    ),
    judge=judge,
)
