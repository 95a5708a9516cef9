"""What became of relevance: outcomes, judged documents that pass, and the replay of the gate."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from casework.diagnoses import _gate_pairs as pairs
from casework.diagnoses import _gate_relevance as q
from casework.diagnoses._gate_periods import Periods
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name
from casework.stats.estimates import Estimate
from casework.stats.gates import JudgedBins, Shapley, precision_threshold, shapley
from casework.stats.periods import PeriodSums

BINS = 200
GROUPS = 128
FEW_JUDGED = 200
"""Judged pairs near the threshold that the precision threshold needs (METHODS section 5)."""
FEW_DROPPED = 0.1
"""Share of the judged that must lie below the threshold, against the share that is dropped."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Judged relevance that passes, with candidates before and after and both thresholds.

    Attributes:
        parts: split between the candidates (first) and the threshold (second).
        threshold_part: the latter with its interval.
        returned: candidates after at the restoring threshold, minus before at the old one.
        lost: candidates after at the old threshold, minus before at it.
        half: what the restoring threshold returns, minus half of what was lost.
    """

    parts: Shapley
    threshold_part: Estimate
    returned: Estimate
    lost: Estimate
    half: Estimate

    @property
    def stays_lost(self) -> bool:
        """Whether relevance was lost, and less than half of it returns with the pass rate."""
        return self.lost.high < 0 and self.half.high < 0


@dataclass(frozen=True, slots=True)
class Relevance:
    """What became of relevance; None where the case does not tell.

    Attributes:
        source: where the quality comes from, in words.
        sums: quality in both periods, paired by query or unit.
        by_outcome: whether it is an outcome rather than judged documents.
        judged: judged candidates before and after, by side of the threshold.
        below: whether candidates below the threshold were judged too.
        precision: the threshold that restores the precision of before.
        target: that precision.
        replay: the gate replayed over both candidate sets.
        relevant_drops: relevant and dropped candidates, of the judged.
        strange: judgments, where they are of no candidate in one of the periods.
    """

    source: str | None = None
    sums: PeriodSums | None = None
    by_outcome: bool = False
    judged: dict[bool, dict[str, Any]] | None = None
    below: bool = False
    precision: Estimate | None = None
    target: float | None = None
    replay: Replay | None = None
    relevant_drops: PeriodSums | None = None
    strange: int = 0


def relevance_of(
    ask: Inquiry,
    params: dict[str, Any],
    periods: Periods,
    levels: dict[bool, dict[str, Any]],
    restored: float,
    metric: str | None,
    seed: int,
) -> Relevance:
    """Settle where quality is recorded, and compare it."""
    outcome = _outcome(ask, params, periods, metric)
    if not ask.case.filled("judgments"):
        return outcome
    ask.case.hold(pairs.JUDGED, **params)
    judged = {row["is_after"]: row for row in ask.ask(pairs.JUDGED_LEVELS, **params)}
    if len(judged) < 2:
        return replace(outcome, strange=ask.one(pairs.JUDGMENTS)["judgments"])
    below = all(_covers_drops(judged[period], levels[period]) for period in (False, True))
    same = levels[False]["of_shared_queries"] > 0
    gain = PeriodSums.of(
        ask.one(q.GAIN, **params, gate_new=params["gate_after"], same_queries=same)
    )
    lost = PeriodSums.of(ask.one(q.RELEVANT_DROPS, **params))
    target, precision = _precision(ask, params, levels, judged, seed)
    if precision and not below and precision.value < params["gate_after"]:
        precision = None  # too little is known of the relevance of what it would let pass
    by_outcome = outcome.sums is not None
    return Relevance(
        source=outcome.source or "judged relevance that passes",
        sums=outcome.sums or (gain if gain.testable and gain.before > 0 else None),
        by_outcome=by_outcome,
        judged=judged,
        below=below,
        precision=precision,
        target=target,
        replay=_replay(ask, params, restored, same, seed) if below else None,
        relevant_drops=lost if below and lost.testable else None,
    )


def _covers_drops(judged: dict[str, Any], level: dict[str, Any]) -> bool:
    """Whether the judged lie below the threshold about as often as candidates do."""
    if not judged["judged"] or not level["scored"]:
        return False
    share = level["scored_dropped"] / level["scored"]
    return bool(judged["judged_dropped"] / judged["judged"] >= FEW_DROPPED * share)


def _outcome(
    ask: Inquiry, params: dict[str, Any], periods: Periods, metric: str | None
) -> Relevance:
    """An outcome that tells relevance: named so, or measured by query."""
    if not ask.case.filled("outcomes"):
        return Relevance()
    rows = ask.ask(q.METRICS, **params)
    if metric is not None and metric not in [row["metric"] for row in rows]:
        raise unknown_name("metric", metric, [row["metric"] for row in rows])
    named = [row["metric"] for row in rows if "relevan" in row["metric"].lower()]
    by_query = [row["metric"] for row in rows if row["of_queries"]]
    likely = next((name for name in by_query if name in named), None)
    likely = likely or next(iter([*named, *by_query]), None)
    if metric is None and likely is None:
        return Relevance()
    metric = str(ask.infer("metric", metric, likely))
    known = next(row for row in rows if row["metric"] == metric)
    opened, ended = periods.changed_at, periods.ended_at
    if opened is None or ended is None or ended > opened:
        return Relevance()
    row = ask.one(
        q.OUTCOME, **params | {"ended_at": opened, "metric": metric,
                               "is_ratio": known["denominators"] == known["observations"]},
    )  # fmt: skip
    sums = PeriodSums.of(row)
    usable = sums.testable and sums.before > 0
    return Relevance(source=metric, sums=sums, by_outcome=True) if usable else Relevance()


def _precision(
    ask: Inquiry,
    params: dict[str, Any],
    levels: dict[bool, dict[str, Any]],
    judged: dict[bool, dict[str, Any]],
    seed: int,
) -> tuple[float | None, Estimate | None]:
    """The threshold that gives the precision of before, from the judged pairs of now.

    A pair counts as often as it was offered, and as one of those that there must be enough of.
    """
    old, new = judged[False], judged[True]
    if not old["judged_passing"]:
        return None, None
    target = old["relevant_passing"] / old["judged_passing"]
    if new["pairs"] < FEW_JUDGED or not new["judged_dropped"]:
        return target, None
    lowest, highest = levels[True]["lowest"], levels[True]["highest"]
    width = (highest - lowest) * (1 + 1e-9) or 1.0
    scale = {"lowest": lowest, "width": width}
    shape = (GROUPS, BINS)
    counts, hits = np.zeros(shape), np.zeros(shape)
    goal = np.zeros((GROUPS, 2))
    for row in ask.ask(pairs.JUDGED_BINS, **params, **scale):
        group = row["query_group"]
        if row["is_after"]:
            counts[group, row["bin"]] += row["judged"]
            hits[group, row["bin"]] += row["relevant"]
        elif row["passes"]:
            goal[group] += row["judged"], row["relevant"]
    offered = np.zeros(BINS)
    for row in ask.ask(pairs.OFFERED_BINS, **params, **scale):
        offered[row["bin"]] = row["candidates"]
    edges = lowest + width * np.arange(BINS) / BINS
    bins = JudgedBins(counts, hits, offered, edges)
    found = precision_threshold(bins, goal, draws=499, seed=seed)
    return target, replace(found, n=new["pairs"]) if found else None


def _replay(
    ask: Inquiry, params: dict[str, Any], restored: float, same: bool, seed: int
) -> Replay | None:
    """Replay the gate: candidates before and after, at the old and the restoring threshold."""
    rows = ask.ask(q.REPLAY, **params | {"gate_new": restored, "same_queries": same})
    names = ("ideal_old", "ideal_new", "g00", "g01", "g10", "g11")
    table = np.array([[float(row[name] or 0) for name in names] for row in rows])
    if len(rows) < 2 or not table[:, 0].sum() or not table[:, 1].sum():
        return None
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=999)
    drawn = weights @ table
    drawn = drawn[(drawn[:, 0] > 0) & (drawn[:, 1] > 0)]

    def shares(sums: Any) -> dict[str, Any]:
        old, new, *gains = sums.T
        of = dict(zip(("00", "01", "10", "11"), gains, strict=True))
        # the first digit says whether the candidates are those after
        return {key: gain / (new if key[0] == "1" else old) for key, gain in of.items()}

    value, draws = shares(table.sum(axis=0)), shares(drawn)
    n = sum(row["queries"] for row in rows)
    return Replay(
        parts=shapley({key: float(x) for key, x in value.items()}),
        threshold_part=_estimate(
            (value["01"] - value["00"] + value["11"] - value["10"]) / 2,
            (draws["01"] - draws["00"] + draws["11"] - draws["10"]) / 2, n,
        ),
        returned=_estimate(value["11"] - value["00"], draws["11"] - draws["00"], n),
        lost=_estimate(value["10"] - value["00"], draws["10"] - draws["00"], n),
        half=_estimate(
            value["11"] - (value["10"] + value["00"]) / 2,
            draws["11"] - (draws["10"] + draws["00"]) / 2, n,
        ),
    )  # fmt: skip


def _estimate(value: float, drawn: Any, n: int) -> Estimate:
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return Estimate(float(value), low, high, n)
