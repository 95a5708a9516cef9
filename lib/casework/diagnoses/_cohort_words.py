"""What `cohort_skew` says: headline, findings, remedies, limits."""

import math

from casework.diagnoses import _cohort_sums as sums
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._composition import Composition
from casework.diagnoses._dealing import Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding, Verdict
from casework.stats.estimates import Estimate
from casework.stats.sample_ratio import SampleRatio
from casework.words import count, number, p_value, spread

FLAGGED = 0.1


def headline(verdict: Verdict, compared: Comparison, dealing: Dealing, found: Composition) -> str:
    """Say the answer in one sentence."""
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
        return f"{apart}; {p} against arms dealt anew.{tail if verdict == 'supported' else ''}"
    explained = spread(lift.share.value, (lift.share.low, lift.share.high), "share")
    everyone = found.population or lift.adjusted
    return (
        f"{apart}; that explains {explained} of the lift. For everyone the change is worth "
        f"{said(found, everyone)}."
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
    ratio: SampleRatio,
) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    kinds = {"mixing": "mixes", "non_mixing": "does not mix", "unknown": "could not be told"}
    dealt = (
        f"Counts per arm are as planned ({p_value(ratio.p)}), which says nothing of who is in "
        f"them; the assignment {kinds[dealing.mechanism]}."
        if ratio.p >= 0.0005
        else f"Counts per arm are not as planned ({p_value(ratio.p)}); the assignment "
        f"{kinds[dealing.mechanism]}."
    )
    beyond = sum(1 for c in found.covariates if c.difference.excludes(0))
    compositions = (
        f"{beyond} of {count(len(found.covariates), 'covariates')} differ before exposure; "
        f"{p_value(found.rehash_p)} for so large a difference in arms dealt anew."
    )
    findings = [
        Finding(
            dealt,
            ("srm_p", "mechanism", "bucket_mismatch_rate", "cohort_by_arm_p"),
            tuple(ask.evidence_id(query) for query in (q.ARMS, q.BUCKETS, q.COHORTS)),
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


def limits(
    compared: Comparison, found: Composition, verdict: Verdict, sesoi: float
) -> tuple[str, ...]:
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
    if verdict == "inconclusive" and found.covariates:
        largest = max(abs(c.difference.value) for c in found.covariates)
        if largest < sesoi:
            control, treated = compared.units
            needed = math.ceil((1.96 / (sesoi - largest)) ** 2 * (1 + treated / control))
            limits.append(
                f"To show the arms alike within {sesoi} standard deviations takes about "
                f"{count(needed, 'units')} in {compared.treatment}; there are {number(treated)}."
            )
    if found.lift and found.lift.share is None:
        limits.append("The lift as read out may be zero, so no share of it can be explained.")
    return tuple(limits)
