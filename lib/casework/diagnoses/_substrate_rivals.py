"""What else could make the lift differ between regimes, tested, and the attempt to refute."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from casework.diagnoses._substrate import Change, Substrate
from casework.diagnoses._substrate_lifts import Effects
from casework.diagnoses._substrate_trend import Trend
from casework.findings import Falsifier, Outcome, Rival
from casework.words import count, instant, number, p_value, share, spread

ZONE = timedelta(days=1)
REFUTED = 0.01
SHARE_MOVED = 0.05
WHOLE = 0.9
"""Share of the texts that must have moved for the whole substrate to have."""
DECISIVE = 10.0
"""Difference of Akaike's criterion from which on a model has no support (Burnham & Anderson)."""
_SEPARATED = ("embedding_model", "price_list")


@dataclass(frozen=True, slots=True)
class Checks:
    """What the rivals need beside the lifts.

    Attributes:
        shifted: p-values of agreement with the boundaries at either end of their brackets.
        early: effects of units assigned before the first change, where the allocation moved.
        control: effects of the negative control metric.
        trend: steps against a steady course.
        events: all changes of configuration.
        arms: compared arms with candidates, by name; empty where candidates name neither.
        ramped: instants of the ramp.
    """

    shifted: tuple[float, ...]
    early: Effects | None
    control: Effects | None
    trend: Trend | None
    events: tuple[dict[str, Any], ...]
    arms: tuple[str, ...]
    ramped: tuple[Any, ...]


def rivals_of(
    changes: tuple[Change, ...], substrate: Substrate, effects: Effects, checks: Checks,
    alpha: float, experiment: str,
) -> tuple[Rival, ...]:  # fmt: skip
    """Test the rival explanations of METHODS section 9."""
    stayed = _stayed(changes, substrate, effects, checks, alpha)
    return (
        _noise(changes, substrate),
        _part(changes, substrate),
        *([stayed] if stayed else []),
        _course(checks.trend),
        _ramp(changes, effects, checks, alpha),
        _concurrent(changes, checks.events, experiment),
        _client(changes, substrate),
        _one_arm(checks.arms),
        _boundaries(effects, checks.shifted, alpha),
    )


def _noise(changes: tuple[Change, ...], substrate: Substrate) -> Rival:
    explanation = "Noise of the embedding (batches, rounding), not a change"
    if substrate.source == "scores":
        return Rival(
            explanation, "search for breaks repeated over permuted blocks of days", "excluded",
            f"{p_value(substrate.p)} for so large a break among so many days",
        )  # fmt: skip
    steps = ", ".join(
        f"{number(one.distance)} in {number(one.moved)} of {count(one.watched, 'texts')}"
        for one in changes
    )
    return Rival(
        explanation,
        "distance 1 - cosine against repeats within a day; does the vector stay away; how many "
        "texts move at once",
        "excluded",
        f"the noise floor is {number(substrate.floor)}; the texts moved by {steps}",
    )


def _part(changes: tuple[Change, ...], substrate: Substrate) -> Rival:
    """A region's endpoint, or queries without the documents of their index, move some texts."""
    explanation = "Only a part moved: the endpoint of one region, or queries and not their index"
    test = f"texts that moved at each change; all of them did where over {share(WHOLE)} did"
    if substrate.source == "scores":
        return Rival(explanation, test, "not_testable", "scores of pairs hold both sides")
    part = [one for one in changes if one.moved < WHOLE * one.watched]
    told = [f"{number(min(one.moved, one.watched))} of {count(one.watched, 'texts')}"
            for one in part or changes]  # fmt: skip
    each = len(told) > 1 and len({*told}) == 1
    return Rival(
        explanation, test, "not_excluded" if part else "excluded",
        f"{told[0]} at each of {count(len(told), 'changes')}" if each else ", ".join(told),
    )  # fmt: skip


def _stayed(
    changes: tuple[Change, ...], substrate: Substrate, effects: Effects, checks: Checks,
    alpha: float,
) -> Rival | None:  # fmt: skip
    """Where nothing tells which model the experiment uses: then the lift would not step."""
    stayed = [line for line in substrate.lines if not set(line.changes) & set(changes)]
    if not substrate.is_mixed or not stayed:
        return None
    trend, agreement = checks.trend, effects.agreement
    steps = (
        agreement is not None and agreement.p < alpha
        and trend is not None and trend.steady > trend.steps + DECISIVE
    )  # fmt: skip
    return Rival(
        "The experiment uses a model that stayed",
        "does the lift step where the other model moved: lifts between its changes, and steps "
        "against a steady course (Akaike)",
        "excluded" if steps else "not_excluded",
        f"{', '.join(line.name for line in stayed)} stayed; "
        + (f"{p_value(agreement.p)} of equal lifts" if agreement else "fewer than two lifts"),
    )


def _course(trend: Trend | None) -> Rival:
    explanation = "Novelty or season: the lift runs a steady course and knows no change"
    test = "steps at the changes against a straight course and one that wears off (Akaike)"
    if trend is None:
        return Rival(explanation, test, "not_testable", "too few stretches with a lift")
    within = trend.within
    return Rival(
        explanation,
        test,
        "not_excluded" if trend.steady <= trend.steps + DECISIVE else "excluded",
        f"misfit {number(trend.steps)} of steps, {number(trend.steady)} of a course, which more "
        f"than {number(DECISIVE)} beyond that of steps would exclude; within the regimes the lift "
        f"changes by {spread(within.value, (within.low, within.high), '')}",
    )


def allocation_moved(
    changes: tuple[Change, ...], effects: Effects, ramped: tuple[Any, ...]
) -> bool:
    """Whether the ramp moved near a change, or the share of the treatment between regimes."""
    shares = [r.treated_share for r in effects.regimes if r.treated_share is not None]
    near = any(c.started - ZONE <= at <= c.ended + ZONE for c in changes for at in ramped)
    return near or (bool(shares) and max(shares) - min(shares) > SHARE_MOVED)


def _ramp(changes: tuple[Change, ...], effects: Effects, checks: Checks, alpha: float) -> Rival:
    """Where the share of the treatment changed with the substrate, other users came in."""
    explanation = "The ramp was changed at the same time, and other users came in"
    test = "share of the treatment by regime; lifts of units assigned before the first change"
    shares = [r.treated_share for r in effects.regimes if r.treated_share is not None]
    if not shares:
        return Rival(explanation, test, "not_testable", "no regime has units enough of both arms")
    text = "treated are " + ", ".join(share(s) for s in shares)
    if not allocation_moved(changes, effects, checks.ramped):
        return Rival(explanation, test, "excluded", f"{text} of the observations by regime")
    early = checks.early.agreement if checks.early else None
    if early is None:
        return Rival(explanation, test, "not_testable", f"{text}; no units from before")
    held = early.p < alpha
    return Rival(
        explanation, test, "excluded" if held else "not_excluded",
        f"{text}; among units assigned before the first change {p_value(early.p)}",
    )  # fmt: skip


def concurrent(
    changes: tuple[Change, ...], events: tuple[dict[str, Any], ...], experiment: str
) -> list[dict[str, Any]]:
    """Recorded changes within a day of one of the substrate that lifts cannot tell from it."""
    return [
        event
        for event in events
        if event["key"] not in _SEPARATED
        and event["key"] != f"rollout:{experiment}"
        and any(c.started - ZONE <= event["occurred_at"] <= c.ended + ZONE for c in changes)
    ]


def _concurrent(
    changes: tuple[Change, ...], events: tuple[dict[str, Any], ...], experiment: str
) -> Rival:
    explanation = "An index rebuild or another change in the same night"
    test = "log of changes within a day of each change of the substrate"
    if not events:
        return Rival(explanation, test, "not_testable", "no log of changes")
    found = concurrent(changes, events, experiment)
    if not found:
        return Rival(explanation, test, "excluded", "none is recorded")
    text = ", ".join(f"{e['key']} at {instant(e['occurred_at'])}" for e in found[:4])
    return Rival(explanation, test, "not_excluded", text)


def _client(changes: tuple[Change, ...], substrate: Substrate) -> Rival:
    explanation = "The own client truncates or asks for another dimension"
    test = "length of the vectors on both sides of each change"
    if substrate.source == "scores":
        return Rival(explanation, test, "not_testable", "scores of pairs tell no length")
    other = [one for one in changes if one.other_dimensions]
    outcome: Outcome = "not_excluded" if other else "excluded"
    text = (
        f"{number(len(other))} of {count(len(changes), 'changes')} bring vectors of another length"
        if other
        else "the vectors keep their length; a cosine does not see normalisation"
    )
    return Rival(explanation, test, outcome, text)


def _one_arm(arms: tuple[str, ...]) -> Rival:
    explanation = "Only one arm uses the substrate, so the lift is feature and substrate in one"
    test = "arms for which candidates are recorded"
    if not arms:
        return Rival(explanation, test, "not_testable", "no candidates with one of the arms")
    return Rival(
        explanation, test, "excluded" if len(arms) > 1 else "not_excluded",
        f"candidates were retrieved for {', '.join(arms)}",
    )  # fmt: skip


def _boundaries(effects: Effects, shifted: tuple[float, ...], alpha: float) -> Rival:
    explanation = "The answer hangs on where in its bracket each change lies"
    test = "boundaries at the beginning and at the end of all brackets"
    if effects.agreement is None or not shifted:
        return Rival(explanation, test, "not_testable", "fewer than two regimes with a lift")
    beyond = {p < alpha for p in (effects.agreement.p, *shifted)}
    text = "; ".join(p_value(p) for p in (effects.agreement.p, *shifted))
    return Rival(
        explanation, test, "excluded" if len(beyond) == 1 else "not_excluded",
        f"of equal lifts as estimated and with the changes at either end: {text}",
    )  # fmt: skip


def falsify(effects: Effects, checks: Checks, is_control_said: bool) -> Falsifier:
    """Look at a metric that the substrate does not touch; where there is none, at placebos.

    That it does not touch the only other metric is no more than taken for granted.
    """
    control = checks.control
    if control is not None and control.agreement is not None:
        p = control.agreement.p
        which = "which" if is_control_said else "which is taken to be one that"
        return Falsifier(
            f"The lift of {control.metric}, {which} the substrate does not touch, breaks at the "
            "same changes",
            True,
            f"{p_value(p)} of equal lifts in {count(control.agreement.df + 1, 'regimes')}",
            falsified=p < REFUTED,
        )
    statement = "Placebo boundaries in the middle of the regimes show as large a change"
    if checks.trend is None or effects.pooled is None:
        return Falsifier(statement, False, "not run: no negative control, too few stretches")
    within = checks.trend.within
    largest = max((abs(gap.value) for gap in effects.gaps), default=0.0)
    return Falsifier(
        statement,
        True,
        f"the lift changes by {spread(within.value, (within.low, within.high), '')} within the "
        f"regimes, by up to {number(largest)} between them",
        falsified=within.excludes(0) and abs(within.value) >= largest,
    )
