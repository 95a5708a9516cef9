"""The gates that share one log of candidates, told apart by reranker and threshold."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from casework.case import Query
from casework.diagnoses._gate_rows import KIND
from casework.diagnoses._gate_runs import BINNED, Run
from casework.diagnoses._inquiry import Inquiry
from casework.stats.periods import PeriodSums
from casework.words import number

COMMONEST = 20
"""Kinds that are told apart; with thresholds that differ by row these hold few candidates."""

KINDS = Query(
    "kinds",
    f"""
    SELECT {KIND} AS kind, min(reranker) AS reranker, min(threshold) AS threshold, bin,
           count(*) AS candidates
    FROM binned
    WHERE {KIND} IN (
        SELECT kind FROM (
            SELECT {KIND} AS kind, count(*) AS candidates FROM binned
            GROUP BY kind ORDER BY candidates DESC, kind LIMIT {COMMONEST}))
    GROUP BY kind, bin ORDER BY kind, bin NULLS FIRST
    """,  # noqa: S608  the text is put together of constants
    "Candidates by reranker, threshold and part of the time, of the commonest kinds.",
    uses=(BINNED,),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """Candidates of one reranker at one threshold; None where the log names none."""

    key: str
    reranker: str | None
    threshold: float | None
    run: Run

    def within(self, other: "Kind") -> bool:
        """Whether all that the log says of this kind it says of the other, which says more."""
        mine, theirs = (self.reranker, self.threshold), (other.reranker, other.threshold)
        return mine != theirs and all(a in (None, b) for a, b in zip(mine, theirs, strict=True))

    def likeness(self, other: "Kind") -> tuple[int, float]:
        """How much speaks for one gate, of which reranker or threshold was changed."""
        same = (self.reranker == other.reranker) + (self.threshold == other.threshold)
        return same, -abs((self.threshold or 0.0) - (other.threshold or 0.0))


@dataclass(frozen=True, slots=True)
class Part:
    """The candidates of one gate, its commonest kind first."""

    kinds: tuple[Kind, ...]

    @property
    def keys(self) -> list[str]:
        """Keys of its kinds."""
        return [kind.key for kind in self.kinds]

    @property
    def candidates(self) -> int:
        """All of its candidates."""
        return sum(kind.run.candidates for kind in self.kinds)

    @property
    def reranker(self) -> str | None:
        """Its commonest reranker."""
        return self.kinds[0].reranker

    @property
    def name(self) -> str:
        """Its commonest reranker and threshold."""
        at = self.kinds[0].threshold
        gate = None if at is None else number(at)
        return " at ".join(part for part in (self.reranker, gate) if part) or "no name"


@dataclass(frozen=True, slots=True)
class Other:
    """A gate that is not examined: its name, its candidates, and what it drops if comparable."""

    name: str
    candidates: int
    drops: PeriodSums | None = None


def parts_of(ask: Inquiry, candidates: int) -> tuple[Part, ...]:
    """Tell the gates apart: kinds that ran beside each other are several gates.

    Kinds that followed one another are one gate, whose reranker or threshold was changed; where
    several could have, the likest. A record without its reranker or threshold goes with the gate
    that it fits, and with none where it fits several. Where thresholds differ from row to row
    all candidates are one gate.
    """
    kinds = list(_kinds(ask))
    if 2 * sum(kind.run.candidates for kind in kinds) < candidates:
        return ()
    whole = [k for k in kinds if not any(k.within(other) for other in kinds)]
    gates = [[kind] for kind in whole]
    while pairs := [(max(a.likeness(b) for a in one for b in other), -i, -j)
                    for (i, one), (j, other) in combinations(enumerate(gates), 2)
                    if not any(a.run.beside(b.run) for a in one for b in other)]:  # fmt: skip
        _, i, j = max(pairs)
        gates[-i] += gates.pop(-j)
    for kind in (k for k in kinds if k not in whole):
        fitting = [gate for gate in gates if any(kind.within(other) for other in gate)]
        if len(fitting) == 1:
            fitting[0].append(kind)
    parts = (Part(tuple(sorted(g, key=lambda k: -k.run.candidates))) for g in gates)
    return tuple(sorted(parts, key=lambda part: -part.candidates))


def _kinds(ask: Inquiry) -> Iterator[Kind]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in ask.ask(KINDS, kinds=None):
        rows.setdefault(row["kind"], []).append(row)
    for key, found in rows.items():
        run = Run({str(row["bin"]): row["candidates"] for row in found})
        yield Kind(key, found[0]["reranker"], found[0]["threshold"], run)
