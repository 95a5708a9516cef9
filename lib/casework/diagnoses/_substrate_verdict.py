"""What follows from the lifts, the rivals and the attempt to refute, and what is in the way."""

from collections.abc import Sequence
from dataclasses import dataclass

from casework.diagnoses._substrate_lifts import Effects
from casework.findings import Falsifier, Rival, Verdict
from casework.stats.estimates import Estimate
from casework.stats.multiplicity import holm
from casework.stats.regimes import p_beyond
from casework.words import p_value


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict with what is in the way of a stronger one.

    Attributes:
        verdict: the verdict.
        open: what is in the way of `confirmed` where the lifts differ; none for other verdicts.
        is_refuted: whether the lifts differ, and the attempt to refute succeeded.
        may_hold: whether the lifts differ, and what ships may still be what was read out.
    """

    verdict: Verdict
    open: tuple[str, ...] = ()
    is_refuted: bool = False
    may_hold: bool = False


def least_that_matters(effects: Effects, material: float) -> float:
    """Smallest departure from the lift as read out that matters.

    A share of the lift. Of one that may be none there is no share, so of the largest that its
    interval allows.
    """
    pooled = effects.pooled
    if pooled is None:
        return 0.0
    if pooled.excludes(0):
        return material * abs(pooled.value)
    return material * max(abs(pooled.low), abs(pooled.high))


def rule(
    effects: Effects, rivals: Sequence[Rival], falsifier: Falsifier, sesoi: float, alpha: float
) -> Ruling:
    """Judge an experiment over whose regimes the substrate changed."""
    agreement, pooled = effects.agreement, effects.pooled
    if agreement is None or pooled is None:
        return Ruling("inconclusive")
    gap = None if effects.regimes[-1].is_short else effects.shipping_gap
    # the least that matters of a lift that may be none comes from its interval, wide with few units
    vague = effects.weights is not None and effects.weights.are_few and not pooled.excludes(0)
    if gap is not None and gap.inside(-sesoi, sesoi) and not vague:
        return Ruling("clean")
    ships_apart = gap is not None and gap.excludes(0)
    if agreement.p >= alpha and not ships_apart:
        return Ruling("inconclusive")
    if falsifier.falsified:
        return Ruling("inconclusive", (f"{falsifier.statement} ({falsifier.outcome})",), True)
    still = [f"{rival.explanation} ({rival.why})" for rival in rivals
             if rival.outcome == "not_excluded"]  # fmt: skip
    if agreement.p >= alpha:
        still.append(f"The lifts of all regimes may be the same ({p_value(agreement.p)})")
    still += _within_margin(effects, gap, sesoi, alpha)
    if effects.weights and effects.weights.are_in_the_way:
        still.append("Some units outweigh the others, and all are too many to be dealt anew")
    if not falsifier.ran:
        still.append(f"{falsifier.statement} ({falsifier.outcome})")
    may_hold = gap is not None and not ships_apart
    return Ruling("supported" if still else "confirmed", tuple(still), may_hold=may_hold)


def _within_margin(
    effects: Effects, gap: Estimate | None, sesoi: float, alpha: float
) -> tuple[str, ...]:
    """Say where what ships may be within the least that matters of what was read out.

    Hours of what ships cannot say that. Then the other regimes do, and since the one that departs
    is chosen by looking, by Holm over all of them.
    """
    of = [gap] if gap is not None else effects.gaps
    beyond = min(holm([p_beyond(each, sesoi) for each in of]), default=1.0)
    if beyond < alpha:
        return ()
    which = "The lift under what ships does not depart" if gap is not None else "No regime departs"
    return (
        f"{which} from the lift as read out by more than the least that matters "
        f"({p_value(beyond)}{'' if gap is not None else ' by Holm'})",
    )
