"""What an experiment stands on was changed while it ran, and its lift does not hold.

## What it looks for
Steps of the embedding, from texts that are embedded again and again or pairs that are scored again
and again, without a look at outcomes. Texts of each embedding model are judged by themselves. Then
the lift in each regime between the steps with users as clusters, whether the lifts agree, and the
lift under the substrate that ships. METHODS section 9.

## Why it matters
A hosted embedding moves without notice. Both arms stay comparable within a regime, but what is
read out is an average over regimes, and the decision is made for the last one.

## What would rule it out
A metric that the substrate does not touch breaks at the same moments: then it is the calendar. A
steady course of the lift that fits as well as steps. A ramp that let other users in at the same
time. An index rebuild in the same night, or a client that asks for another dimension.

## Known false alarms
Batches and rounding move vectors a little: repeats within a day give the noise floor. A change
alone is no finding: lifts that agree leave the decision as it was. A regime of a few hours cannot
show what ships. A metric that only one arm's retrieval serves mixes feature and substrate. Where
the endpoint of one region moved, or queries and not the documents of their index, some texts stay:
then the whole is neither changed nor known to be unchanged.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from casework.diagnoses import _cohorts as cohorts
from casework.diagnoses import _substrate_rows as rows
from casework.diagnoses import _substrate_sums as q
from casework.diagnoses._arms import TWO_ARMS, Comparison, said_moved, settle
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.diagnoses._substrate import Substrate
from casework.diagnoses._substrate_after import carried_found, settled_found
from casework.diagnoses._substrate_alarm import alarms_found
from casework.diagnoses._substrate_charts import draw
from casework.diagnoses._substrate_cover import gaps_of, left_out
from casework.diagnoses._substrate_experiment import not_judged, told, usual
from casework.diagnoses._substrate_lifts import Metric, effects_of
from casework.diagnoses._substrate_metrics import Metrics, cuts_of, settle_metrics, within
from casework.diagnoses._substrate_moves import moves_found
from casework.diagnoses._substrate_rivals import (
    Checks,
    allocation_moved,
    falsify,
    rivals_of,
)
from casework.diagnoses._substrate_scores import by_scores
from casework.diagnoses._substrate_shape import shape_found
from casework.diagnoses._substrate_trend import trend_of
from casework.diagnoses._substrate_verdict import Ruling, least_that_matters, rule
from casework.diagnoses._substrate_watch import judged, lines_of, part_of
from casework.diagnoses._substrate_words import (
    findings,
    headline,
    limits,
    models_judged,
    remedies,
    tested_alike,
)
from casework.findings import Break, Missing, Primary
from casework.tables import assignments, candidates, config_events, outcomes, units, vectors

Cuts = list[tuple[datetime, datetime]]


def judge(
    ask: Inquiry, *,
    experiment: str | None = None, control: str | None = None, treatment: str | None = None,
    embedding_model: str | None = None, metric: str | None = None,
    negative_control: str | None = None, material: float = 0.2, alpha: float = 0.05, seed: int = 1,
) -> Conclusion:  # fmt: skip
    """Find changes of the substrate, and compare the lift between them.

    Args:
        ask: the inquiry.
        experiment: the experiment; else one that retrieves, then that saw a change, the largest.
        control: the arm to compare with; else the one named so, else the larger.
        treatment: the arm that was changed; else the largest other one.
        embedding_model: the model that the experiment uses; else the ones that its candidates and
            requests name, else all whose texts are embedded again and again.
        metric: the metric of the lift; else of all the one whose lifts agree least, by Holm.
        negative_control: a metric that the substrate does not touch; else the only other one.
        material: smallest departure from the lift as read out that matters, as a share of it.
        alpha: level of the test of equal lifts.
        seed: of the permutation of days, where scores alone tell, and of the deals of few units.
    """
    lines = lines_of(ask)
    scored = None if lines else by_scores(ask, seed)
    if not lines and scored is None:
        return _no_substrate()
    every = scored.changes if scored else [one for line in lines for one in line.changes]
    likely = usual(ask, every)
    compared = settle(ask, experiment, control, treatment, None, likely, staged=False)
    if compared.too_few:
        return Conclusion("not_testable", f"Not testable. {compared.too_few}.", missing=(TWO_ARMS,))
    params = compared.params
    ask.case.hold(q.COMPARED, **params)
    models = told(ask, params, embedding_model, lines)
    substrate = scored or judged(lines, models)
    if not (seen := ask.ask(q.SEEN, **params)):
        return _no_outcomes(compared)
    metrics = settle_metrics(ask, seen, substrate.changes, params, metric, negative_control,
                             alpha, seed)  # fmt: skip
    found = _Found(ask, substrate, compared, metrics)
    beyond = not_judged(ask, compared.experiment, every)
    return _with_beside(ask, found, _conclude(ask, found, beyond, material, alpha))


class _Found:
    """What was found: the changes inside the experiment, and the lifts between them."""

    def __init__(
        self, ask: Inquiry, substrate: Substrate, compared: Comparison, metrics: Metrics
    ) -> None:
        self.substrate, self.compared, self.metrics = substrate, compared, metrics
        metric = metrics.metric
        self.changes = within(substrate.changes, metric)
        self.outside = len(substrate.changes) - len(self.changes)
        self.part = part_of(ask, substrate, metric.first, metric.last)
        self.gaps = gaps_of(substrate, metric)
        params = compared.params
        cuts = cuts_of(self.changes)
        ask.case.hold(q.WATCH, **params, **metric.params)
        self.effects = effects_of(ask, params, metric, cuts)
        self.checks = self._check(ask, params, metric, metrics.control, cuts)

    def _check(
        self, ask: Inquiry, params: dict[str, Any], metric: Metric, other: Metric | None,
        cuts: Cuts,
    ) -> Checks:  # fmt: skip
        events = tuple(ask.ask(rows.RECORDED))
        ramp = ask.ask(cohorts.ROLLOUT, experiment=self.compared.experiment)
        own = (self.compared.control, self.compared.treatment)
        arms = tuple(row["arm"] for row in ask.ask(rows.RETRIEVING) if row["arm"] in own)
        ramped = tuple(row["occurred_at"] for row in ramp)
        if not cuts:
            return Checks((), None, None, None, events, arms, ramped)
        moved: list[Cuts] = [[(a, a) for a, _ in cuts], [(b, b) for _, b in cuts]]
        shifted = [effects_of(ask, params, metric, each).agreement for each in moved]
        early = None
        if allocation_moved(self.changes, self.effects, ramped):
            early = effects_of(ask, params, metric, cuts, assigned_by=self.changes[0].started)
        trend = trend_of(ask, params, metric, self.effects)
        control = effects_of(ask, params, other, cuts) if other else None
        return Checks(tuple(a.p for a in shifted if a), early, control, trend, events, arms, ramped)


def _conclude(
    ask: Inquiry, found: _Found, others: tuple[str, ...], material: float, alpha: float
) -> Conclusion:
    effects, changes, substrate = found.effects, found.changes, found.substrate
    experiment = found.compared.experiment
    sesoi = least_that_matters(effects, material)
    rivals = (
        rivals_of(changes, substrate, effects, found.checks, alpha, experiment) if changes else ()
    )
    falsifier = falsify(effects, found.checks, found.metrics.is_control_said)
    ruling = rule(effects, rivals, falsifier, sesoi, alpha) if changes else _unchanged(found)
    _measure(ask, found)
    draw(ask, substrate, changes, effects)
    agreement = effects.agreement
    return Conclusion(
        verdict=ruling.verdict,
        headline=headline(ruling, substrate, found.part, changes, effects, experiment, falsifier),
        wide=bool(changes) and not ruling.may_hold and any(
            lift is not None and lift.excludes(0) for lift in (effects.pooled, effects.shipping)
        ),
        findings=findings(ask, substrate, changes, effects, found.compared),
        rivals=rivals,
        falsifier=falsifier,
        remedies=remedies(ruling, changes),
        limits=(
            *(f"In the way of `confirmed`: {text}." for text in ruling.open),
            *others,
            *said_moved(found.compared),
            *models_judged(substrate, experiment),
            *(tested_alike(found.metrics) if changes else found.gaps),
            *left_out(ask, substrate),
            *limits(substrate, found.part, changes, effects, found.checks.events, found.outside,
                    0.0 if ruling.verdict != "inconclusive" or ruling.is_refuted else sesoi),
        ),
        primary=Primary(agreement.p, alpha) if agreement and changes else None,
        breaks=tuple(Break(one.started, one.ended, "the substrate changed") for one in changes),
    )  # fmt: skip


def _with_beside(ask: Inquiry, found: _Found, conclusion: Conclusion) -> Conclusion:
    """Add what has no say in the verdict: washout, carry-over, searches, the alarm, the shape."""
    effects, changes = found.effects, found.changes
    beside = (
        settled_found(ask, effects, found.checks.trend),
        carried_found(ask, found.compared.params, found.metrics.metric, effects),
        moves_found(ask, found.substrate, changes),
        alarms_found(ask, found.substrate, changes),
    )
    return replace(
        conclusion,
        findings=(
            *conclusion.findings,
            *(finding for findings, _ in beside for finding in findings),
            *shape_found(ask, found.substrate, found.metrics.metric.seed),
        ),
        limits=(*conclusion.limits, *(limit for _, limits in beside for limit in limits)),
    )


def _unchanged(found: _Found) -> Ruling:
    moved = found.part is not None and found.part.is_seen
    return Ruling("inconclusive" if found.gaps or moved else "clean")


def _measure(ask: Inquiry, found: _Found) -> None:
    effects, agreement = found.effects, found.effects.agreement
    by = rows.STEPS if found.substrate.source == "vectors" else rows.DAILY_SCORES
    changes, n = found.changes, found.substrate.n
    ask.measure("changes", len(changes), "count:changes", by, n=n)
    times = [[one.started, one.ended] for one in changes]
    ask.measure("change_times", times, "brackets", by, n=n)
    unit, query = effects.unit, effects.query
    total = effects.pooled.n if effects.pooled else None
    ask.estimate("lift_pooled", effects.pooled, unit, query)
    each = [regime.lift.value if regime.lift else None for regime in effects.regimes]
    ask.measure("lift_by_regime", each, unit, query, n=total)
    ask.estimate("lift_shipping", effects.shipping, unit, query)
    ask.estimate("shipping_gap", effects.shipping_gap, unit, query)
    weights = effects.weights
    ask.measure("n_eff", weights and weights.n_eff, "count:units", query, n=total)
    ask.measure("largest_unit_share", weights and weights.largest, "share", query, n=total)
    p = agreement.p if agreement else None
    ask.measure("heterogeneity_p", p, "p", query, n=total)
    ask.measure("i_squared", agreement.i2 if agreement else None, "share", query, n=total)
    control = found.checks.control
    broken = control.agreement.p if control and control.agreement else None
    ask.measure("negative_control_p", broken, "p", control.query if control else query)
    regimes = [
        {"start": r.start, "end": r.end, "treated_share": r.treated_share,
         "lift": r.lift.value if r.lift else None, "low": r.lift.low if r.lift else None,
         "high": r.lift.high if r.lift else None, "units": r.lift.n if r.lift else None}
        for r in effects.regimes
    ]  # fmt: skip
    ask.measure("regimes", regimes, "table", query, n=total)


def _no_substrate() -> Conclusion:
    return Conclusion(
        "not_testable",
        "Not testable: no text is embedded, and no pair scored, again and again. Load vectors.",
        missing=(
            Missing("vectors", ("text_id", "occurred_at", "vector"), "repeats of the same texts"),
            Missing("candidates", ("dense_score", "occurred_at"), "or repeated scores of pairs"),
        ),
    )


def _no_outcomes(compared: Comparison) -> Conclusion:
    return Conclusion(
        "not_testable",
        f"Not testable. No outcome of the units of {compared.experiment} while it ran.",
        missing=(Missing("outcomes", ("unit_id", "metric", "value"), "the lift by regime"),),
    )


substrate_rotation = Diagnosis(
    name="substrate_rotation",
    family="threshold drift",
    claim="the substrate changed inside the experiment, and the lift that was read out does not "
    "hold under the substrate that ships",
    doc=__doc__ or "",
    needs=(
        Need(assignments, ("experiment", "unit_id", "arm"), "who was in which arm"),
        Need(outcomes, ("unit_id", "metric", "value"), "the lift by regime"),
        Need(vectors, ("text_id", "vector"), "when the substrate changed", required=False),
        Need(
            candidates,
            ("dense_score",),
            "repeated scores of pairs, where there are no vectors",
            required=False,
        ),
        Need(units, ("unit_id",), "staff and bots to set apart", required=False),
        Need(config_events, ("key", "new_value"), "what else was changed", required=False),
    ),
    judge=judge,
)
