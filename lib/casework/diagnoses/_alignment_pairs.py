"""Several tuned checkpoints in one case: each is judged, and the worst leads."""

from dataclasses import dataclass, replace
from typing import Any

from casework.diagnoses import _alignment as q
from casework.diagnoses._alignment_changes import Found
from casework.diagnoses._alignment_runs import Compared
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.visible import shorten
from casework.words import VERDICT_WORD, count, headline, number

_SHOWN = 5
_WORST_FIRST = ("confirmed", "supported", "inconclusive", "not_testable", "clean")


@dataclass(frozen=True, slots=True)
class Judged:
    """One pair and what was concluded of it.

    Attributes:
        base: the base.
        tuned: the tuned checkpoint.
        known: parameters of the queries that read its answers.
        found: the changes; None where its answers have neither labels nor texts.
        conclusion: as if it were the only one, at the level that several pairs leave to each.
        compared: its runs; None like `found`.
    """

    base: str
    tuned: str
    known: dict[str, Any]
    found: Found | None
    conclusion: Conclusion
    compared: Compared | None = None

    @property
    def badness(self) -> tuple[float, ...]:
        """Order of the pairs, the worst first: by verdict, the loss that is certain or possible."""
        rank = _WORST_FIRST.index(self.conclusion.verdict)
        if self.found is None:
            return rank, 0.0, 0.0
        change = self.found.change
        return rank, min(change.high, 0.0), change.low

    @property
    def name(self) -> str:
        """Both checkpoints, shortened."""
        return f"{shorten(self.tuned)} tuned from {shorten(self.base)}"

    def row(self) -> dict[str, Any]:
        """The pair as a row of a table."""
        told: dict[str, Any] = {
            "base": self.base, "tuned": self.tuned, "verdict": self.conclusion.verdict,
        }  # fmt: skip
        if self.found is None:
            return told | dict.fromkeys(("n", "refusal_base", "refusal_tuned", "change", "low",
                                         "high", "p_adjusted"))  # fmt: skip
        found, change = self.found, self.found.change
        return told | {
            "n": found.counts.n, "refusal_base": found.base.value,
            "refusal_tuned": found.tuned.value, "change": change.value, "low": change.low,
            "high": change.high, "p_adjusted": found.p,
        }  # fmt: skip


def tell_all(ask: Inquiry, lead: Judged, others: list[Judged]) -> Conclusion:
    """Conclude of the worst pair, and name the others and those that could not be compared."""
    conclusion, limits = lead.conclusion, list(lead.conclusion.limits)
    if others:
        for other in others:
            if other.found is not None:
                ask.ask(q.CHANGES, **other.known)
        rows = [judged.row() for judged in (lead, *others)]
        ask.measure("pairs", rows, "table", q.CHANGES, n=len(rows))
        conclusion = replace(
            conclusion,
            headline=f"{conclusion.headline} The worst of {count(len(rows), 'pairs')}: "
            f"{lead.name}.",
        )
        limits.append(
            f"{count(len(rows), 'pairs')} of base and tuned checkpoint were judged: the p-value of "
            "the change is multiplied by that number, that of McNemar's test is as it is, and "
            "intervals are those of one pair alone."
        )
        limits += [f"Another pair, {other.name}: {VERDICT_WORD[other.conclusion.verdict].lower()}. "
                   f"{headline(other.conclusion.headline, other.conclusion.verdict)}"
                   for other in others[:_SHOWN]]  # fmt: skip
        if len(others) > _SHOWN:
            limits.append(f"{number(len(others) - _SHOWN)} more pairs are in the table of pairs.")
    limits += _not_compared(ask, {lead.tuned} | {other.tuned for other in others})
    return replace(conclusion, limits=tuple(limits))


def _not_compared(ask: Inquiry, judged: set[str]) -> list[str]:
    """Name the tuned checkpoints that were run, and not judged beside a base of theirs."""
    run = {row["model"] for row in ask.ask(q.RUNS)}
    left = sorted({row["checkpoint"] for row in ask.ask(q.BASES)} & run - judged)
    if not left:
        return []
    shown = ", ".join(shorten(name) for name in left[:_SHOWN])
    more = f" and {number(len(left) - _SHOWN)} more" if len(left) > _SHOWN else ""
    return [
        f"Not judged: {shown}{more}, of which a base is declared and no unsafe prompts were asked "
        "of both."
    ]
