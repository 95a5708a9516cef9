"""What `threshold_drift` finds at a gate: drops, same pairs, candidate sets, what moved."""

from dataclasses import dataclass, field
from typing import Any

from casework.diagnoses import _gate_pairs as pairs
from casework.diagnoses import _gate_rows as q
from casework.diagnoses._gate_changes import Change
from casework.diagnoses._gate_kinds import Other, Part
from casework.diagnoses._gate_periods import Gate, Periods
from casework.diagnoses._gate_relevance_found import Relevance
from casework.diagnoses._inquiry import Inquiry
from casework.stats.distributions import Drift, column_drift
from casework.stats.estimates import Z95, Estimate
from casework.stats.gates import Restored, restoring_rank, restoring_threshold
from casework.stats.multiplicity import benjamini_hochberg
from casework.stats.periods import PeriodSums

FEW = 30
"""Queries or pairs that a comparison of the same ones needs at least."""
SAME = 0.01
"""Share of pairs that may score differently where the reranker is the same (1 point)."""
SAME_SD = 0.01
"""Difference of two scores that counts as none, in standard deviations of the score."""
FEW_CHANGED = 0.05
"""Share of the documents that may have been edited where the reranker is the same."""
ALL_OF_THEM = 0.9
"""Share of the pairs of an edited document that score differently, at least."""
DENSE = 1e-4
"""Difference of two dense scores that counts as none, where no repeats tell their noise."""
REPEATED = 3
"""Documents with several pairs that tell an edit of documents from pairs here and there."""
DEPTH = 0.02
"""Relative change of the length of the list that counts as none."""


Levels = dict[bool, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of query and document scored in both periods.

    Attributes:
        n: pairs.
        queries: their queries.
        largest: largest difference of a score; None without pairs.
        tolerance: difference that counts as none: noise floor, rounding, or a part of the spread.
        moved: pairs beyond it.
        turned: pairs that are dropped since, less those that pass since, at the old threshold.
        documents, changed: documents of the pairs, and those with a pair that moved.
        repeated, repeated_pairs, repeated_moved: of the latter those with several pairs, these
            pairs, and how many of them moved.
        dense_n, dense_moved: pairs with a dense score at both times, and those that changed.
    """

    n: int
    queries: int
    largest: float | None
    tolerance: float
    moved: int
    turned: int
    documents: int
    changed: int
    repeated: int
    repeated_pairs: int
    repeated_moved: int
    dense_n: int
    dense_moved: int

    @property
    def tested(self) -> bool:
        """Whether there are enough of them."""
        return self.n >= FEW

    @property
    def same(self) -> bool:
        """Whether the scorer gave the same scores, as far as was tested."""
        return self.tested and self.moved <= SAME * self.n

    @property
    def edited(self) -> bool:
        """Whether all that moved are a few documents, each with nearly all of its pairs.

        A document that was edited scores differently for every query, and no other does.
        """
        return (
            self.tested
            and self.changed <= FEW_CHANGED * self.documents
            and self.repeated >= REPEATED
            and self.repeated_moved >= ALL_OF_THEM * self.repeated_pairs
        )

    @property
    def embedding_moved(self) -> bool:
        """Whether the dense scores of the same pairs changed: the embedding, not the corpus."""
        return self.dense_n >= FEW and self.dense_moved > SAME * self.dense_n


@dataclass(frozen=True, slots=True)
class Choice:
    """The gate that is examined, and the change.

    Attributes:
        periods, gate: what is compared.
        levels: counts before and after.
        part: its candidates; None where the log holds one gate.
        compared: gates and changes among which this one was chosen by what the gate drops.
        others: gates that are not examined.
        changes: the other changes at this gate, in time order.
        undone: the later one that took this one back.
        crowded: keys of changes that could not be told apart.
    """

    periods: Periods
    gate: Gate
    levels: Levels
    part: Part | None = None
    compared: int = 1
    others: tuple[Other, ...] = ()
    changes: tuple[Change, ...] = ()
    undone: Change | None = None
    crowded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """All that is found at the gate.

    Attributes:
        choice: what is compared, and what it was chosen among.
        in_force: drops at the thresholds in force, of candidates with a score.
        as_logged: the same with candidates without a score, as the log has them; None without any.
        fixed: drops at the old threshold in both periods, of candidates with a score.
        same_queries, known_documents, same_depth: the same of queries asked in both periods, of
            documents offered before, and of the first places that both lists have; None where
            that cannot be told or is the same.
        pairs: the same pairs.
        overlap: mean Jaccard overlap of the candidates of a query; None without shared queries.
        restored, restored_interval: the threshold that restores the pass rate.
        drift: columns of the summaries by query, with adjusted p-values.
        relevance: what became of relevance.
    """

    choice: Choice
    in_force: PeriodSums
    as_logged: PeriodSums | None
    fixed: PeriodSums
    same_queries: PeriodSums | None
    known_documents: PeriodSums | None
    same_depth: PeriodSums | None
    depth: int | None
    pairs: Pairs
    overlap: Estimate | None
    restored: Restored
    restored_interval: tuple[float, float]
    drift: tuple[tuple[Drift, float], ...]
    events: tuple[dict[str, Any], ...] = ()
    relevance: Relevance = field(default_factory=Relevance)

    @property
    def periods(self) -> Periods:
        """What is compared."""
        return self.choice.periods

    @property
    def gate(self) -> Gate:
        """The thresholds of both periods."""
        return self.choice.gate

    @property
    def levels(self) -> Levels:
        """Counts before and after."""
        return self.choice.levels

    @property
    def gates_embedding(self) -> bool:
        """Whether the gate reads the score of the embedding itself, and no reranker's."""
        return self.periods.score == "dense_score"

    @property
    def embedding_rescored(self) -> bool:
        """Whether the gate reads that score, and the embedding gives the same pairs another."""
        return self.gates_embedding and self.pairs.embedding_moved

    @property
    def p(self) -> float | None:
        """Of an unchanged drop rate, times the gates and changes among which this was chosen.

        Holm's step for the smallest of them; of a change searched for, that of the search.
        """
        p, searched, compared = self.fixed.p, self.periods.p or 0.0, self.choice.compared
        return None if p is None else min(1.0, max(p, searched) * max(1, compared))


def level_of(ask: Inquiry, periods: Periods, gate: Gate) -> Levels:
    """Hold the candidates of both periods and count them."""
    params = params_of(periods, gate)
    ask.case.hold(q.LOGGED, **params)
    ask.case.hold(q.OFFERED, **params)
    return {row["is_after"]: row for row in ask.ask(q.LEVELS, **params)}


def params_of(periods: Periods, gate: Gate) -> dict[str, Any]:
    """Parameters of all queries of the gate."""
    return periods.params | {"gate": gate.before, "gate_after": gate.after}


def drops(
    ask: Inquiry,
    params: dict[str, Any],
    gate_used: float,
    *,
    in_force: bool = False,
    unscored: bool = False,
    same_queries: bool = False,
    known_documents: bool = False,
    depth: int | None = None,
) -> PeriodSums:
    """Drops by query: at thresholds in force or given, of all candidates or of some."""
    row = ask.one(
        q.DROPS, **params, gate_used=gate_used, in_force=in_force, unscored=unscored,
        same_queries=same_queries, known_documents=known_documents, depth=depth,
    )  # fmt: skip
    return PeriodSums.of(row)


def same_pairs(ask: Inquiry, params: dict[str, Any], spread: float) -> Pairs:
    """Compare the scores of the same pairs, against noise, rounding and spread."""
    ask.case.hold(pairs.PAIRS, **params)
    repeats = ask.one(pairs.REPEATS, **params)
    enough = repeats["pairs"] >= FEW
    noise = repeats["noise"] if enough else None
    dense = max(DENSE, (repeats["dense_noise"] or 0.0) if enough else 0.0)
    rounding = ask.one(pairs.PRECISION, **params)
    steps = (10.0**-d for d in range(1, 5) if rounding[f"to_{d}"] == rounding["scored"])
    tolerance = max(noise or 0.0, next(steps, 0.0) * 1.01, SAME_SD * spread)
    row = ask.one(pairs.SAME_PAIRS, **params, tolerance=tolerance, dense_tolerance=dense)
    of = ask.one(pairs.CHANGED, **params, tolerance=tolerance)
    return Pairs(
        row["pairs"], row["queries"], row["largest"], tolerance, row["moved"],
        row["newly_dropped"] - row["newly_passed"], of["documents"], of["changed"],
        of["repeated"], of["repeated_pairs"], of["repeated_moved"],
        row["dense_pairs"], row["dense_moved"],
    )  # fmt: skip


def overlap_of(ask: Inquiry, params: dict[str, Any]) -> Estimate | None:
    """Mean overlap of the candidates of a query, over queries asked in both periods."""
    ask.case.hold(pairs.BY_QUERY, **params)
    row = ask.one(pairs.OVERLAP, **params)
    n = row["queries"]
    if n < 2:
        return None
    mean = row["total"] / n
    variance = max(0.0, row["squares"] - n * mean**2) / (n - 1)
    half = Z95 * (variance / n) ** 0.5
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half), n)


def restore(
    ask: Inquiry, params: dict[str, Any], fixed: PeriodSums
) -> tuple[Restored, tuple[float, float]]:
    """The threshold that restores the pass rate, with an interval.

    The interval takes in every threshold at which the pass rates do not differ beyond 1.96
    standard errors, queries as clusters (Woodruff, JASA 1952, for quantiles of a clustered
    sample), and is never narrower than what as many independent scores would give.
    """
    n1, k = int(fixed.n1), rank_of(fixed)
    found = restoring_threshold(_steps(ask, params, k), k)
    at = drops(ask, params, found.threshold)
    half = round(Z95 * at.difference_se * n1)
    ends = []
    for rank in (min(n1, k + half), max(1, k - half)):
        ends.append(restoring_threshold(_steps(ask, params, rank), rank).threshold)
    return found, (ends[0], ends[1])


def rank_of(fixed: PeriodSums) -> int:
    """How many candidates after must pass for the share that passed before."""
    return restoring_rank(int(fixed.n0) - int(fixed.y0), int(fixed.n0), int(fixed.n1))


def _steps(ask: Inquiry, params: dict[str, Any], k: int) -> list[tuple[float, int]]:
    rows = ask.ask(pairs.STEPS, **params, k=k)
    return [(row["score"], row["passing"]) for row in rows]


def drifted(ask: Inquiry, params: dict[str, Any]) -> tuple[tuple[Drift, float], ...]:
    """Compare the summaries of the queries before and after, column by column."""
    table = ask.case.arrow(pairs.SUMMARIES, **params)
    after = table["is_after"].to_numpy()
    columns = {name: table[name].to_numpy() for name in table.column_names if name != "is_after"}
    found = column_drift(
        {name: values[~after] for name, values in columns.items()},
        {name: values[after] for name, values in columns.items()},
    )
    adjusted = benjamini_hochberg([drift.p for drift in found])
    return tuple(zip(found, adjusted, strict=True))
