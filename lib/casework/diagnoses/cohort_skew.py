"""The arms of an experiment held different kinds of units before anything was changed.

## What it looks for
Units of one kind in one arm: covariates from before exposure that differ more than arms dealt by
a fresh salt would (re-hash test over all covariates at once), a hash that does not mix, and the
part of the lift that composition explains (CUPED), with the lift for everyone. METHODS section 1.

Beside the verdict: the lift of those dealt in each stage of a ramp; whether a classifier tells the
arms apart, and by what; by how much a lift that was picked for its size is overstated; counts per
arm within tiers, regions, stages, days and hours, and at each look; how evenly the buckets are
filled; and other experiments with the same salt.

## Why it matters
A canary that is no sample shows a lift that is gone when everybody has the change. Counts per arm
are perfect all the while: a sample ratio test passes and proves nothing here.

## What would rule it out
Arms alike in the metric itself before exposure. Novelty or interference, where the lift of the
same units falls with time or with the share of the treated. A filter that treats the arms
differently. Bad luck, where every bucket recomputes from a hash that mixes.

## Known false alarms
Staff and bots are set apart first; if they are marked after exposure, that filter makes the arms
differ. One covariate in twenty differs by chance: only the test of all counts. A heavy tail makes
one arm heavy by chance. Accounts dealt whole must be compared as accounts: that is looked for.
"""

from dataclasses import replace
from typing import NamedTuple

from casework.diagnoses import _cohort_sums as sums
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import TWO_ARMS, Comparison, settle
from casework.diagnoses._cohort_buckets import Filling, filling_of, said_filling, said_salts
from casework.diagnoses._cohort_charts import draw
from casework.diagnoses._cohort_classifier import BEYOND_MEANS, is_told, said_told
from casework.diagnoses._cohort_counts import Counts, count_arms
from casework.diagnoses._cohort_ramp import said_ramp
from casework.diagnoses._cohort_ratio_words import said_ratios
from casework.diagnoses._cohort_ratios import Ratios, ratios_of
from casework.diagnoses._cohort_rivals import falsify, rivals_of
from casework.diagnoses._cohort_winner import said_winner
from casework.diagnoses._cohort_words import FLAGGED, findings, headline, limits, remedies
from casework.diagnoses._composition import Composition, compare
from casework.diagnoses._dealing import Dealing, examine
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._experiments import most_telling, unexamined
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.findings import Falsifier, Finding, Missing, Primary, Rival, Verdict
from casework.stats.estimates import Estimate
from casework.tables import assignments, config_events, outcomes, units

MATERIAL = 0.25
_BEYOND_ZERO = 0.05
NOTHING_KNOWN = (
    "Not testable. Nothing is known of the units of both arms from before exposure: load units "
    "with covariates, or outcomes from before it."
)
UNPROVED = Missing(
    "assignments",
    ("bucket", "salt", "algorithm"),
    "a hash that mixes, recomputed, proves that the arms were dealt by chance",
    required=False,
)
UNKNOWN = Missing("units", ("covariates",), "what the units were like before exposure")
UNDATED = Missing(
    "assignments", ("assigned_at",), "which outcomes are from before exposure", required=False
)


def judge(
    ask: Inquiry,
    *,
    experiment: str | None = None,
    control: str | None = None,
    treatment: str | None = None,
    stage: str | None = None,
    metric: str | None = None,
    alpha: float = 0.01,
    sesoi_smd: float = FLAGGED,
    seed: int = 1,
) -> Conclusion:
    """Test whether the arms differed before exposure, and split the lift.

    Args:
        ask: the inquiry.
        experiment: the experiment; else the one that was ramped, of several that with most units.
        control: the arm to compare with; else the one named so, else the larger.
        treatment: the arm that was changed; else the largest other one.
        stage: the stage of the ramp; else the first.
        metric: the metric of the lift; else the one with most observations.
        alpha: level of the re-hash test.
        sesoi_smd: smallest standardised difference of a covariate that matters.
        seed: of the re-hash and the bootstrap.
    """
    experiment = ask.infer("experiment", experiment, most_telling(ask))
    compared = settle(ask, experiment, control, treatment, stage)
    limits = unexamined(ask, compared.experiment)
    if compared.too_few:
        only = f"Not testable. {compared.too_few}."
        return Conclusion("not_testable", only, limits=limits, missing=(TWO_ARMS,))
    ask.case.hold(q.EXPOSED, **compared.params)
    dealing = examine(ask, compared)
    dealt = _dealt(ask, compared, dealing)
    found = compare(ask, compared, dealing, metric, seed)
    counts = count_arms(compared, dealing, found.set_apart)
    _measure(ask, compared, dealing, found, counts)
    concluded = _conclude(ask, compared, dealing, found, counts, alpha, sesoi_smd)
    beyond = concluded.verdict == "clean" and is_told(found.told)
    return replace(
        concluded,
        findings=concluded.findings + _beside(ask, compared, dealing, found, dealt),
        limits=limits + concluded.limits + ((BEYOND_MEANS,) if beyond else ()),
    )


class _Dealt(NamedTuple):
    """How units were dealt, beside what the verdict rests on."""

    ratios: Ratios
    filling: Filling | None
    salts: tuple[Finding, ...]


def _dealt(ask: Inquiry, compared: Comparison, dealing: Dealing) -> _Dealt:
    return _Dealt(
        ratios_of(ask, compared, dealing),
        filling_of(ask, compared, dealing),
        said_salts(ask, compared),
    )


def _conclude(
    ask: Inquiry,
    compared: Comparison,
    dealing: Dealing,
    found: Composition,
    counts: Counts,
    alpha: float,
    sesoi_smd: float,
) -> Conclusion:
    if not found.rehash or not found.covariates:
        missing = (UNKNOWN, *([UNDATED] if compared.opened_at is None else []))
        return Conclusion("not_testable", NOTHING_KNOWN, missing=missing)
    draw(ask, found, counts, sesoi_smd)
    falsifier = falsify(found, sesoi_smd)
    rivals = rivals_of(ask, compared, dealing, found, alpha)
    verdict = _verdict(found, falsifier, rivals, alpha, sesoi_smd)
    return Conclusion(
        verdict=verdict,
        headline=headline(verdict, compared, dealing, found, counts, alpha, sesoi_smd),
        wide=compared.closed_at is not None,
        findings=findings(ask, compared, dealing, found, counts),
        rivals=rivals,
        falsifier=falsifier,
        remedies=remedies(verdict, dealing),
        limits=limits(compared, found),
        missing=(
            *([UNPROVED] if verdict == "inconclusive" and dealing.mismatch is None else []),
            *([UNDATED] if compared.opened_at is None else []),
        ),
        primary=Primary(found.rehash_p, alpha),
    )


def _beside(
    ask: Inquiry,
    compared: Comparison,
    dealing: Dealing,
    found: Composition,
    dealt: _Dealt,
) -> tuple[Finding, ...]:
    """What stands beside the verdict and does not gate it."""
    said = [said_told(ask, found.told)] if found.told else []
    said += [*said_winner(ask, found), *said_ramp(ask, compared, dealing, found)]
    said += said_ratios(ask, compared, dealt.ratios)
    said += [said_filling(ask, dealt.filling)] if dealt.filling else []
    return (*said, *dealt.salts)


def _verdict(
    found: Composition,
    falsifier: Falsifier,
    rivals: tuple[Rival, ...],
    alpha: float,
    sesoi: float,
) -> Verdict:
    """Clean are arms that are alike, which a fair deal does not make them.

    A difference beyond 95 of 100 deals that explains the lift stands, with chance open.
    """
    if found.rehash_p >= alpha:
        if all(c.difference.inside(-sesoi, sesoi) for c in found.covariates):
            return "clean"
        stands = found.rehash_p < _BEYOND_ZERO and found.explains(MATERIAL)
        return "supported" if stands and not falsifier.falsified else "inconclusive"
    if falsifier.falsified:
        return "inconclusive"
    open_rival = any(rival.outcome == "not_excluded" for rival in rivals)
    settled = found.explains(MATERIAL) and falsifier.ran and not open_rival
    return "confirmed" if settled else "supported"


def _measure(
    ask: Inquiry,
    compared: Comparison,
    dealing: Dealing,
    found: Composition,
    counts: Counts,
) -> None:
    n = sum(compared.units)
    ratio = counts.ratio
    ask.measure("srm_p", ratio and ratio.p, "p", counts.query, n=sum(counts.compared))
    tested = q.ALGORITHMS if dealing.bucket_p is None else q.BUCKET_COHORTS
    ask.measure("mechanism", dealing.mechanism, "label", tested, n=n)
    ask.measure(
        "bucket_mismatch_rate", dealing.mismatch, "share:units", q.ALGORITHMS,
        n=dealing.recomputed,
    )  # fmt: skip
    cohorts = q.COHORTS if dealing.cohort else q.SIGN_UPS
    ask.measure("cohort_by_arm_p", dealing.cohort_p, "p", cohorts, n=dealing.signed_up)
    largest = found.covariates[0].difference if found.covariates else None
    ask.estimate("max_abs_smd", largest and _size(largest), "smd", sums.BALANCE)
    cells = found.cells or sums.BALANCE
    dealt = sum(counts.compared)
    ask.measure("rehash_p", found.rehash.p if found.rehash else None, "p", cells, n=dealt)
    unit = found.unit
    lift, everyone, moments = found.lift, found.everyone, found.moments or sums.LEVELS
    strata = everyone.query if everyone else sums.LEVELS
    ask.estimate("lift_raw", lift.raw if lift else None, unit, moments)
    ask.estimate("lift_adjusted", lift.adjusted if lift else None, unit, moments)
    ask.estimate("lift_population", found.population, unit, strata)
    ask.estimate("composition_share", lift.share if lift else None, "share", moments)
    ask.measure("n_eff", everyone and everyone.n_eff, "count:units", strata,
                n=compared.units[1] - found.set_apart[1])  # fmt: skip


def _size(e: Estimate) -> Estimate:
    """A difference without its sign."""
    return e if e.value >= 0 else Estimate(-e.value, -e.high, -e.low, e.n)


cohort_skew = Diagnosis(
    name="cohort_skew",
    family="cohort skew",
    claim="the arms differed before exposure, and that explains a material part of the lift",
    doc=__doc__ or "",
    needs=(
        Need(assignments, ("experiment", "unit_id", "arm"), "who was in which arm"),
        Need(units, ("unit_id",), "what the units were like before exposure", required=False),
        Need(
            outcomes,
            ("unit_id", "metric", "value"),
            "the lift, and the metric from before it",
            required=False,
        ),
        Need(
            config_events,
            ("key", "new_value"),
            "the ramp: planned shares, and the launch",
            required=False,
        ),
    ),
    judge=judge,
)
