"""What `cohort_skew` says: headline, findings, remedies, limits."""

import math
from statistics import NormalDist

from casework import digits
from casework.diagnoses import _cohort_sums as sums
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison, said_moved
from casework.diagnoses._cohort_counts import Counts, said_counts
from casework.diagnoses._composition import Composition
from casework.diagnoses._dealing import Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding, Verdict
from casework.stats.estimates import POWER_80, Z95, Z99, Estimate
from casework.words import count, number, p_value, spread

FLAGGED = 0.1
_BOTH_SIDES = NormalDist().inv_cdf(0.9)


def headline(
    verdict: Verdict,
    compared: Comparison,
    dealing: Dealing,
    found: Composition,
    counts: Counts,
    alpha: float,
    sesoi: float,
) -> str:
    """Say the answer in one sentence."""
    if verdict == "clean":
        return _alike(compared, dealing, found, sesoi)
    if verdict == "inconclusive" and found.rehash_p >= alpha:
        return _undecided(compared, found, counts, sesoi)
    arm, largest = compared.treatment, found.covariates[0]
    named = [largest]
    carrier = found.carrier
    if carrier and abs(carrier.difference.value - largest.difference.value) > 0.005:
        named.append(carrier)
    differences = " and ".join(
        f"{c.name} by {digits.fixed(c.difference.value, 2, signed=True)}" for c in named
    )
    apart = f"The arms differed before exposure ({arm}: {differences} standard deviations)"
    lift = found.lift
    if verdict == "inconclusive" or lift is None or lift.share is None:
        p = p_value(found.rehash_p)
        tail = "" if lift is None else f" The lift of {said(found, lift.raw)} cannot be split."
        if verdict == "inconclusive":
            tail = f" In {found.metric} itself they were alike, which speaks against composition."
        return f"{apart}; {p} against arms dealt anew.{tail}"
    if dealing.verified or found.rehash_p >= alpha:
        apart += f", as chance may have dealt them ({p_value(found.rehash_p)})"
    said_lift = (
        f"For everyone the change is worth {said(found, found.population)}"
        if found.population
        else f"Between like units the change is worth {said(found, lift.adjusted)}; for everyone "
        "it cannot be estimated"
    )
    return f"{apart}; that explains {_explained(lift.share)} of the lift. {said_lift}."


def _alike(compared: Comparison, dealing: Dealing, found: Composition, sesoi: float) -> str:
    """Say that the intervals of all covariates lie within what matters."""
    how = f"no covariate differs by {sesoi} standard deviations or more"
    if dealing.verified:
        how += f", the buckets of all {count(dealing.recomputed, 'units')} recompute from a hash "
        how += "that mixes"
    p = p_value(found.rehash_p)
    return f"The arms of {compared.experiment} were alike before exposure: {how}, and {p}."


def _undecided(compared: Comparison, found: Composition, counts: Counts, sesoi: float) -> str:
    """Say that neither a difference nor its absence was shown, and how many units would do it."""
    largest = max(abs(c.difference.value) for c in found.covariates)
    supposed = "they are alike" if largest < sesoi else f"one of {number(largest)} is real"
    treated, times = counts.compared[1], _times(found, largest, sesoi)
    text = (
        f"That the arms of {compared.experiment} differed before exposure is not shown "
        f"({p_value(found.rehash_p)} against arms dealt anew), nor that they were alike within "
        f"{sesoi} standard deviations."
    )
    if math.isfinite(times):
        needed = max(treated + 1, math.ceil(times * treated))
        text += (
            f" If {supposed}, about {count(needed, counts.of)} in {compared.treatment} would show "
            f"it; there {'is' if treated == 1 else 'are'} {number(treated)}."
        )
    if found.lift and found.lift.share and found.lift.share.excludes(0):
        text += (
            f" What differs accounts for {_explained(found.lift.share)} of the lift; between like "
            f"units the change is worth {said(found, found.lift.adjusted)}."
        )
    return text


def _times(found: Composition, largest: float, sesoi: float) -> float:
    """How many times the units would do: widths fall with the root of their number.

    To show a difference that is real needs the 99 % point of arms dealt anew, to show its absence
    intervals that end short of what matters, and as much more as does it four times in five. Where
    that was there, and failed, the absence needs intervals that end short about what was seen.
    """
    if largest < sesoi:
        halves = [(c.difference, c.difference.high - c.difference.value) for c in found.covariates]
        equal = max(half for _, half in halves) * (1 + _BOTH_SIDES / Z95) / sesoi
        seen = max(half / (sesoi - abs(d.value)) for d, half in halves)
        return float((equal if equal > 1 else seen) ** 2)
    band = found.rehash.q99 if found.rehash else math.inf
    return float((band * (1 + POWER_80 / Z99) / largest) ** 2)


def _explained(share: Estimate) -> str:
    return spread(share.value, (share.low, share.high), "share")


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
        f"Before exposure the interval of the difference excludes zero for {number(beyond)} of "
        f"{count(len(found.covariates), 'covariates')}; {p_value(found.rehash_p)} for so large a "
        "difference in arms dealt anew."
    )
    findings = [
        Finding(
            said_counts(counts, dealing, compared.treatment),
            ("srm_p", "mechanism", "bucket_mismatch_rate", "cohort_by_arm_p"),
            tuple(
                ask.evidence_id(query)
                for query in (counts.query, q.BUCKETS, q.COHORTS if dealing.cohort else q.SIGN_UPS)
            ),
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
                f"{said(found, found.lift.adjusted)}."
                + ("" if found.population else " For everyone it cannot be estimated."),
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
    if compared.opened_at is None and found.metric:
        limits.append(
            "When units were assigned is not recorded, so no outcome is known to be from before "
            "exposure or from after it."
        )
    elif found.lift is None and found.metric:
        limits.append(
            f"No lift of {found.metric} is estimated: it takes ten units of each arm that were "
            "observed after exposure, of two accounts or more where accounts were dealt whole."
        )
    if found.population is None and found.lift:
        limits.append(
            "A fifth of the units by predicted outcome has fewer than two units of one arm, so the "
            "lift for everyone cannot be estimated."
        )
    limits += said_moved(compared)
    if compared.stage is not None:
        limits.append(f"Compared are the units dealt in stage {compared.stage} alone.")
    if found.lift and found.lift.share is None:
        limits.append("The lift as read out may be zero, so no share of it can be explained.")
    return tuple(limits)
