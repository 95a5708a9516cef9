"""What `substrate_rotation` says: headline, findings, remedies, limits."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from casework.diagnoses import _substrate_rows as rows
from casework.diagnoses._arms import Comparison
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import Change, Line, Part, Substrate
from casework.diagnoses._substrate_lifts import FEW_UNITS, Effects
from casework.diagnoses._substrate_metrics import Metrics
from casework.diagnoses._substrate_verdict import Ruling
from casework.findings import Falsifier, Finding, Verdict
from casework.stats.estimates import Estimate, enough_to_show
from casework.stats.redealt import ENOUGH
from casework.words import count, duration, instant, number, p_value, share, spread


def said(effects: Effects, e: Estimate) -> str:
    """Say a lift with its interval."""
    return spread(e.value, (e.low, e.high), effects.unit, signed=True)


def headline(
    ruling: Ruling, substrate: Substrate, part: Part | None, changes: Sequence[Change],
    effects: Effects, experiment: str, falsifier: Falsifier,
) -> str:  # fmt: skip
    """Say the answer in one sentence."""
    verdict, which = ruling.verdict, _which(substrate, changes)
    if not changes:
        return _unchanged(verdict, which, part, experiment)
    when = ", ".join(f"{one.ended:%Y-%m-%d}" for one in changes)
    what = f"{which} changed {count(len(changes), 'times')} while {experiment} ran ({when})"
    pooled, ships = effects.pooled, effects.shipping
    if pooled is None:
        return f"{what}; no lift can be estimated: no regime has {FEW_UNITS} units in each arm."
    under = (
        f"under what ships it is {said(effects, ships)}"
        if ships
        else "what it is under what ships is not known"
    )
    agree = effects.agreement
    tail = f" ({p_value(agree.p)} of equal lifts)" if agree else ""
    if verdict == "clean":
        between = f"; in between it was another one{tail}" if agree and agree.p < 0.05 else ""
        return f"{what}, and the lift holds: read out {said(effects, pooled)}, {under}{between}."
    if ruling.is_refuted:
        but = falsifier.statement[0].lower() + falsifier.statement[1:]
        return (
            f"{what}, and the lift is another one since, but {but}: read out "
            f"{said(effects, pooled)}, {under}{tail}."
        )
    if verdict == "inconclusive":
        return (
            f"{what}; whether that changed the decision is open: read out "
            f"{said(effects, pooled)}, {under}{tail}."
        )
    lifts = ", ".join(_short(effects, regime.lift) for regime in effects.regimes)
    held = ", which may be the same" if ruling.may_hold else ""
    return (
        f"{what}, and the lift went with it: by regime {lifts}{tail}. Read out was "
        f"{said(effects, pooled)}; {under}{held}."
    )


def _unchanged(verdict: Verdict, which: str, part: Part | None, experiment: str) -> str:
    if part is not None and part.is_seen:
        moved = (
            "repeats of one text lie further apart at its end"
            if part.is_unsteady
            else f"{number(part.moved)} of {count(part.watched, 'texts')} lie elsewhere at its end"
        )
        return f"{which} did not change as a whole while {experiment} ran, but {moved}."
    seen = "was seen to change" if verdict == "inconclusive" else "changed"
    return f"Nothing of {which[0].lower()}{which[1:]} {seen} while {experiment} ran."


def _which(substrate: Substrate, changes: Sequence[Change]) -> str:
    """The substrate, with its models where texts of several were embedded."""
    if len(substrate.lines) + len(substrate.others) < 2:
        return "The substrate"
    moved = [line for line in substrate.lines if set(line.changes) & set(changes)]
    return f"The substrate ({', '.join(line.name for line in moved or substrate.lines)})"


def models_judged(substrate: Substrate, experiment: str) -> tuple[str, ...]:
    """Say which models were judged, where texts of several were embedded."""
    if substrate.others:
        names = ", ".join(_with_changes(line) for line in substrate.others)
        return (f"Not judged, since {experiment} uses "
                f"{', '.join(line.name for line in substrate.lines)}: {names}.",)  # fmt: skip
    if not substrate.is_mixed:
        return ()
    names = ", ".join(_with_changes(line) for line in substrate.lines)
    return (
        f"Nothing tells which model {experiment} uses, so each was judged: {names}. Name one to "
        "judge it alone: --set substrate_rotation.embedding_model=NAME.",
    )


def tested_alike(metrics: Metrics) -> tuple[str, ...]:
    """Say where nothing tells which metric carries the lift, and how to name it."""
    alike = metrics.alike
    if len(alike) < 2:
        return ()
    more = f" and {count(len(alike) - 5, 'others')}" if len(alike) > 5 else ""
    return (
        f"Tested alike, since nothing says which the substrate touches: {', '.join(alike[:5])}"
        f"{more}. The p-value of equal lifts is Holm's over {count(len(alike), 'metrics')}. Name "
        "the metric of the lift, or one that the substrate does not touch: --set "
        "substrate_rotation.metric=NAME, --set substrate_rotation.negative_control=NAME.",
    )


def _with_changes(line: Line) -> str:
    return f"{line.name} ({count(line.texts, 'texts')}, {count(len(line.changes), 'changes')})"


def _short(effects: Effects, lift: Estimate | None) -> str:
    if lift is None:
        return "not known"
    return spread(lift.value, (lift.low, lift.high), effects.unit, signed=True)


def findings(
    ask: Inquiry, substrate: Substrate, changes: Sequence[Change], effects: Effects,
    compared: Comparison,
) -> tuple[Finding, ...]:  # fmt: skip
    """State what was found, with what carries it."""
    by = rows.STEPS if substrate.source == "vectors" else rows.DAILY_SCORES
    brackets = "; ".join(f"after {instant(c.started)}, by {instant(c.ended)}" for c in changes)
    stated = [
        Finding(
            f"{count(len(changes), 'changes')} of the substrate, found from "
            f"{count(substrate.n, substrate.source)} without looking at outcomes"
            + (f": {brackets}." if changes else "."),
            ("changes", "change_times"),
            (ask.evidence_id(by),),
            ("over_time",),
        )
    ]
    if effects.pooled is None:
        return tuple(stated)
    stated.append(_agreement(ask, effects, effects.pooled))
    last = effects.regimes[-1]
    stated.append(
        Finding(
            f"{count(effects.pooled.n, 'units')} were compared{_evenly(effects)}; the lift is that "
            f"of {compared.treatment} over {compared.control}. The regime that ships was seen "
            f"for {_long(max(last.end - last.start, timedelta()))}"
            + (f" in {count(last.lift.n, 'units')}." if last.lift else "."),
            ("lift_shipping", "n_eff", "largest_unit_share"),
            (ask.evidence_id(effects.query),),
        )
    )
    return tuple(stated)


def _evenly(effects: Effects) -> str:
    weights = effects.weights
    if weights is None:
        return ""
    return (f", worth {number(weights.n_eff)} of equal weight, the largest of which holds "
            f"{share(weights.largest)} of the observations")  # fmt: skip


def _agreement(ask: Inquiry, effects: Effects, pooled: Estimate) -> Finding:
    """Whether the lifts of the regimes agree, and which pair is furthest apart."""
    agree = effects.agreement
    text = f"The lift of {effects.metric} over all regimes is {said(effects, pooled)}."
    if agree and len(effects.known) > 1:
        text += (
            f" Between regimes {share(agree.i2)} of the variation is beyond chance "
            f"({p_value(agree.p)})."
        )
        apart = [pair for pair in effects.pairs() if pair[3] < 0.05]
        if apart:
            i, j, gap, p = max(apart, key=lambda pair: abs(pair[2].value))
            text += (
                f" Regime {j + 1} differs from regime {i + 1} by {said(effects, gap)}, "
                f"{p_value(p)} by Holm."
            )
    return Finding(
        text,
        ("lift_pooled", "lift_by_regime", "heterogeneity_p", "i_squared", "lift_shipping"),
        (ask.evidence_id(effects.query),),
        ("lifts",),
    )


def _long(span: timedelta) -> str:
    return duration(span.total_seconds())


def remedies(ruling: Ruling, changes: Sequence[Change]) -> tuple[str, ...]:
    """Say what to do in this case."""
    if not changes:
        return ()
    said = [
        "Pin the version of the embedding, or embed stored texts each day and raise an alarm at "
        "a distance beyond the noise floor.",
        "Write a fingerprint of the embedding into the exposure log.",
    ]
    if ruling.is_refuted:
        said.insert(0, "Look for what else came at the same moments; let the experiment run on "
                    "until that has passed.")  # fmt: skip
    elif ruling.verdict in ("confirmed", "supported"):
        said.insert(0, "Decide on the lift under the substrate that ships; run the experiment "
                    "again in it if that is too uncertain.")  # fmt: skip
    elif ruling.verdict == "inconclusive":
        said.insert(0, "Let the experiment run on in the substrate that ships.")
    return tuple(said)


def limits(
    substrate: Substrate, part: Part | None, changes: Sequence[Change], effects: Effects,
    events: Sequence[dict[str, Any]], outside: int, sesoi: float,
) -> tuple[str, ...]:  # fmt: skip
    """Say what the answer does not cover."""
    said_ = ["A change that was taken back between two looks at the substrate is not seen."]
    if substrate.source == "scores":
        said_.append("Scores of pairs move with the query's embedding, the document's or both.")
    if outside:
        said_.append(f"Before or after the experiment: {count(outside, 'changes')}, not counted.")
    if part is not None and part.is_seen and not changes:
        said_.append(
            "Vectors name neither region nor side. Look which endpoint embedded the texts that "
            "moved, and whether they are queries or documents, and load each by itself."
        )
    if substrate.partial:
        said_.append(
            f"Not counted as changes: {count(substrate.partial, 'steps')} of less than half of "
            "the texts; a region or a batch may differ."
        )
    rebuilt = [event for event in events if event["key"] == "index_build"]
    last = changes[-1] if changes else None
    if last and not any(event["occurred_at"] >= last.started for event in rebuilt):
        said_.append(
            "No index build is recorded since the last change: stored documents may still have "
            "vectors of an older embedding (a mixed index)."
        )
    said_ += _of_regimes(effects)
    said_ += _of_few(effects) if changes else ()
    needed = units_needed(effects, sesoi)
    if needed:
        said_.append(
            f"To tell a change of the lift by {spread(sesoi, None, effects.unit)} takes about "
            f"{count(needed, 'units')} in the last regime, as long as it was seen."
        )
    return tuple(said_)


def _of_regimes(effects: Effects) -> tuple[str, ...]:
    """Say which regimes have no lift, or no say in whether the lifts agree."""
    said_ = []
    missing = [i for i, regime in enumerate(effects.regimes, 1) if regime.lift is None]
    if missing:
        said_.append(
            f"Regimes without a lift: {', '.join(map(str, missing))}. It takes {FEW_UNITS} units "
            "of each arm in a regime."
        )
    short = [i for i, regime in enumerate(effects.regimes, 1) if regime.lift and regime.is_short]
    if short and len(effects.regimes) > 1:
        said_.append(
            f"Shorter than a day: {', '.join(f'regime {i}' for i in short)}. The lift of hours has "
            "no say in whether the lifts agree, since they may be special."
        )
    return tuple(said_)


def _of_few(effects: Effects) -> tuple[str, ...]:
    """Say what stands in for the formulas for many units, where they do not hold."""
    weights = effects.weights
    if weights is None or not weights.are_few:
        return ()
    few = (
        f"Units are few or unequal: an arm is worth {number(weights.least)} units of equal weight "
        f"in the regime where it has least, and formulas for many units take {number(ENOUGH)}. "
    )
    if weights.draws is None:
        return (f"{few}They are too many to be dealt to the arms anew, so p-values and intervals "
                "may be too sure.",)  # fmt: skip
    return (f"{few}The p-value of equal lifts and the width of intervals are those of "
            f"{count(weights.draws, 'deals')} of the same units to the arms.",)  # fmt: skip


def units_needed(effects: Effects, sesoi: float) -> int | None:
    """Units in the last regime that show a gap of `sesoi` with 80 % power; None if there are."""
    gap = effects.shipping_gap
    if gap is None or sesoi <= 0:
        return None
    needed = enough_to_show(gap, sesoi)
    return needed if needed > gap.n else None
