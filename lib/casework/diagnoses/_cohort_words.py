"""What `cohort_skew` says: headline, findings, remedies, limits."""

import math
from statistics import NormalDist

from casework.diagnoses import _cohort_sums as sums
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._cohort_counts import Counts, said_counts
from casework.diagnoses._composition import Composition
from casework.diagnoses._dealing import Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding, Verdict
from casework.stats.estimates import Estimate
from casework.words import count, number, p_value, spread

FLAGGED = 0.1


def headline(
    verdict: Verdict,
    compared: Comparison,
    dealing: Dealing,
    found: Composition,
    alpha: float,
    sesoi: float,
) -> str:
    """Say the answer in one sentence."""
    if verdict == "inconclusive" and found.rehash_p >= alpha:
        return _undecided(compared, found, alpha, sesoi)
    arm, largest = compared.treatment, found.covariates[0]
    named = [largest]
    carrier = found.carrier
    if carrier and abs(carrier.difference.value - largest.difference.value) > 0.005:
        named.append(carrier)
    differences = " and ".join(f"{c.name} by {c.difference.value:+.2f}" for c in named)
    apart = f"The arms differed before exposure ({arm}: {differences} standard deviations)"
    lift = found.lift
    if verdict == "clean":
        how = (
            f"all {count(dealing.recomputed, 'buckets')} recompute from a hash that mixes"
            if dealing.verified
            else f"no covariate differs by {FLAGGED} standard deviations or more"
        )
        p = p_value(found.rehash_p)
        return f"The arms of {compared.experiment} were alike before exposure: {how}, and {p}."
    if verdict == "inconclusive" or lift is None or lift.share is None:
        p = p_value(found.rehash_p)
        tail = "" if lift is None else f" The lift of {said(found, lift.raw)} cannot be split."
        if verdict == "inconclusive":
            tail = f" In {found.metric} itself they were alike, which speaks against composition."
        return f"{apart}; {p} against arms dealt anew.{tail}"
    explained = spread(lift.share.value, (lift.share.low, lift.share.high), "share")
    everyone = found.population or lift.adjusted
    return (
        f"{apart}; that explains {explained} of the lift. For everyone the change is worth "
        f"{said(found, everyone)}."
    )


def _undecided(compared: Comparison, found: Composition, alpha: float, sesoi: float) -> str:
    """Say that neither a difference nor its absence was shown, and how many units would do it."""
    control, treated = (n - apart for n, apart in zip(compared.units, found.set_apart, strict=True))
    largest = max(abs(c.difference.value) for c in found.covariates)
    level = NormalDist().inv_cdf(1 - alpha / 2 / len(found.covariates))
    reach = 1.96 / (sesoi - largest) if largest < sesoi else level / largest
    needed = max(treated + 1, math.ceil(reach**2 * (1 + treated / control)))
    supposed = "they are alike" if largest < sesoi else f"one of {number(largest)} is real"
    return (
        f"That the arms of {compared.experiment} differed before exposure is not shown "
        f"({p_value(found.rehash_p)} against arms dealt anew), nor that they were alike within "
        f"{sesoi} standard deviations. If {supposed}, about {count(needed, 'units')} in "
        f"{compared.treatment} would show it; there are {number(treated)}."
    )


def said(found: Composition, e: Estimate) -> str:
    """Say a lift with its interval, as a share of the control's level where there is one."""
    control = next((row for row in found.levels if not row["treated"]), None)
    level = control["after"] if control else None
    if level and level > 0 and not found.is_ratio:
        scaled = (e.value / level, (e.low / level, e.high / level))
        return f"{spread(*scaled, 'share', signed=True)} of the control's level"
    return spread(e.value, (e.low, e.high), found.unit, signed=True)


def findings(
    ask: Inquiry,
    compared: Comparison,
    dealing: Dealing,
    found: Composition,
    counts: Counts,
) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    beyond = sum(1 for c in found.covariates if c.difference.excludes(0))
    compositions = (
        f"{beyond} of {count(len(found.covariates), 'covariates')} differ before exposure; "
        f"{p_value(found.rehash_p)} for so large a difference in arms dealt anew."
    )
    findings = [
        Finding(
            said_counts(counts, dealing, compared.treatment),
            ("srm_p", "mechanism", "bucket_mismatch_rate", "cohort_by_arm_p"),
            tuple(ask.evidence_id(query) for query in (q.SET_APART, q.BUCKETS, q.COHORTS)),
        ),
        Finding(
            compositions,
            ("max_abs_smd", "rehash_p"),
            (ask.evidence_id(sums.BALANCE),),
            ("balance",),
        ),
    ]
    if found.lift:
        findings.append(
            Finding(
                f"The lift as read out is {said(found, found.lift.raw)}; between like units it is "
                f"{said(found, found.lift.adjusted)}.",
                ("lift_raw", "lift_adjusted", "lift_population", "composition_share", "n_eff"),
                (ask.evidence_id(sums.LEVELS),),
                ("lift",),
            )
        )
    return tuple(findings)


def remedies(verdict: Verdict, dealing: Dealing) -> tuple[str, ...]:
    """Say what to do in this case."""
    if verdict == "clean":
        return ()
    remedies = ["Show the composition of the arms beside the sample ratio, from before exposure."]
    if dealing.mechanism != "mixing":
        remedies.insert(
            0,
            "Assign by a cryptographic or murmur hash of a salt of the experiment and the id, and "
            "recompute the buckets in a test.",
        )
    if verdict in ("confirmed", "supported"):
        remedies += [
            "Read the lift out adjusted for the metric before exposure (CUPED).",
            "Deal again and repeat the canary before the launch is judged.",
        ]
    return tuple(remedies)


def limits(compared: Comparison, found: Composition) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    limits = []
    if any(found.set_apart):
        control, treated = found.set_apart
        limits.append(
            f"Staff, test tenants and bots are set apart: {number(control)} in "
            f"{compared.control}, {number(treated)} in {compared.treatment}."
        )
    if found.everyone and found.everyone.own:
        limits.append(
            "The lift for everyone takes off the gap before exposure, as if both arms' metric "
            "would have moved alike without the change; it is that of the units seen before."
        )
    if found.population is None and found.lift:
        limits.append(
            "A fifth of the units by predicted outcome has no treated unit, so the lift for "
            "everyone cannot be estimated."
        )
    if compared.moved:
        limits.append(
            f"{count(compared.moved, 'units')} were moved to another arm later; outcomes from the "
            "first such move on are not counted."
        )
    if compared.stage is not None:
        limits.append(f"Compared are the units dealt in stage {compared.stage} alone.")
    if found.lift and found.lift.share is None:
        limits.append("The lift as read out may be zero, so no share of it can be explained.")
    return tuple(limits)
