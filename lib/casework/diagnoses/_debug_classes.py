"""What the rows are: shares by class from labels, and whether the labels can carry them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _debug_labels as q
from casework.diagnoses._debug_origins import Known
from casework.diagnoses._inquiry import Inquiry
from casework.stats.agreement import (
    USABLE,
    cohen_kappa,
    disagreement,
    fleiss_kappa,
    krippendorff_alpha,
    tallies,
)
from casework.stats.estimates import Estimate
from casework.stats.multinomial import goodman
from casework.stats.stratified import Stratified, Stratum, stratified_share

LABELS = ("wrong", "style", "dislike", "test", "unknown")
_ADJUDICATES = re.compile(r"adjudic|consensus|arbiter|resolved|(?<![a-z])gold(?![a-z])")
_UNPLACED = ("unmatched", "not recorded", "not recognised")
_KEY = ("stage", "is_suspect", "told", "flagged", "band")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far raters agree. None where they cannot be compared.

    Attributes:
        raters: how many there are, the adjudicator not counted.
        alpha: Krippendorff's, over all classes.
        cohen: Cohen's kappa, of two raters.
        fleiss: Fleiss' kappa, of equally many raters a row.
        apart: share of pairs of labels that differ in whether a row is a correction.
    """

    raters: int
    alpha: Estimate | None = None
    cohen: Estimate | None = None
    fleiss: float | None = None
    apart: float | None = None

    @property
    def reliability(self) -> float:
        """Share of the variance of labels that is no error; zero where it is not known."""
        if self.alpha is None:
            return 1.0 if self.apart == 0 else 0.0
        return min(1.0, max(0.0, self.alpha.value))

    def carries(self, limit: float) -> bool:
        """Whether a verdict may rest on the labels.

        Where nearly all rows are of one class alpha is low though raters hardly differ; then what
        counts is that they differ less than what matters.
        """
        apart = 1.0 if self.apart is None else self.apart
        return self.usable is not False or apart < limit

    @property
    def usable(self) -> bool | None:
        """Whether the codebook can be used; None where no two labels can be compared."""
        if self.alpha is None:
            return True if self.apart == 0 else None
        return self.alpha.value >= USABLE


@dataclass(frozen=True, slots=True)
class Classes:
    """Shares of the weight of the set, estimated from the labelled rows.

    Attributes:
        labelled: rows with a label.
        rows: rows of the set.
        covered: share of the weight in strata with a labelled row.
        contamination: rows that are no correction.
        known: the same with unknown rows taken as corrections.
        hard: the same with rows of style taken as corrections, too.
        once: contamination where repeated rows are counted once.
        suspect: rows that are no correction and internal or not from production.
        suspect_known: the same with unknown rows taken as corrections.
        suspect_at_most: the same with rows of unknown environment taken as suspect.
        within: of the suspect rows, the share that is no correction.
        wrong: rows of class wrong, with an interval of their own.
        mix: the classes with intervals that hold together.
        floor: weight of labelled rows that are no correction, over the whole weight.
        strata: their rows, with the late, long and usual ones, to test how rows were chosen.
    """

    labelled: int
    rows: int
    covered: float
    contamination: Estimate
    known: Estimate
    hard: Estimate
    once: Estimate
    suspect: Estimate | None
    suspect_known: Estimate | None
    suspect_at_most: Estimate | None
    within: Estimate | None
    wrong: Estimate
    mix: dict[str, Estimate]
    floor: float
    strata: list[dict[str, Any]]

    @property
    def census(self) -> bool:
        """Whether every row is labelled."""
        return self.labelled == self.rows


def adjudicators(ask: Inquiry, given: str | None, dataset: str) -> list[str]:
    """Raters whose label settles a row: as given, else those whose name says so."""
    names = [row["rater"] for row in ask.ask(q.RATERS, dataset=dataset)]
    found = [name for name in names if _ADJUDICATES.search(name.lower())]
    ask.infer("adjudicator", given, ", ".join(found))
    return [name.strip() for name in given.split(",")] if given else found or [""]


def classify(ask: Inquiry, known: Known, agreement: Agreement) -> Classes | None:
    """Estimate the classes; None where no row is labelled.

    The rows of a set that is labelled as a whole are still judged with error, as far as raters
    differ; without a second rater as if each row stood for another.
    """
    reliability = agreement.reliability
    strata = ask.ask(q.STRATA, **known)
    counted = ask.ask(q.COUNTED, **known)
    found = share_over(strata, counted, "contamination", reliability)
    if found is None:
        return None
    alone = {**known, "once": True}
    kept, counted_once = ask.ask(q.STRATA_ONCE, **alone), ask.ask(q.COUNTED_ONCE, **alone)
    again = share_over(kept, counted_once, "contamination", reliability)
    suspect = [row for row in strata if row["is_suspect"]]
    perhaps = [row for row in strata if row["is_suspect"] or row["stage"] in _UNPLACED]
    whole = sum(row["weight"] for row in strata)
    within = share_over(suspect, counted, "contamination", reliability)
    return Classes(
        labelled=sum(row["sampled"] for row in strata),
        rows=sum(row["rows"] for row in strata),
        covered=found.covered,
        contamination=found.estimate,
        known=_value(strata, counted, "known", reliability),
        hard=_value(strata, counted, "hard", reliability),
        once=(again or found).estimate,
        suspect=None
        if not suspect and perhaps == strata
        else _part(suspect, counted, "contamination", reliability, whole),
        suspect_at_most=_part(perhaps, counted, "contamination", reliability, whole),
        suspect_known=_part(suspect, counted, "known", reliability, whole),
        within=within.estimate if within else None,
        wrong=_value(strata, counted, "wrong", reliability),
        mix=_mix(strata, counted, found),
        floor=sum(row["wy"] for row in counted if row["target"] == "contamination") / whole,
        strata=strata,
    )


def agree(ask: Inquiry, known: Known, seed: int) -> Agreement:
    """Compare the raters, the adjudicator set apart."""
    ask.case.hold(q.VOTES, **known)
    settled = known["adjudicators"]
    raters = [row["rater"] for row in ask.ask(q.RATERS, **known) if row["rater"] not in settled]
    rows = ask.ask(q.TALLIES, **known)
    if not rows:
        return Agreement(len(raters))
    counts = [[row[label] for label in LABELS] for row in rows]
    found = tallies(counts, [row["rows"] for row in rows])
    right = [label in known["corrections"] for label in LABELS]
    binary = [[sum(line) - (k := sum(n for n, r in zip(line, right, strict=True) if r)), k]
              for line in counts]  # fmt: skip
    return Agreement(
        raters=len(raters),
        alpha=krippendorff_alpha(found, seed),
        cohen=_cohen(ask, known, raters) if len(raters) == 2 else None,
        fleiss=fleiss_kappa(found) if len(raters) > 2 else None,
        apart=disagreement(tallies(binary, [row["rows"] for row in rows])),
    )


def worst_overstatement(mix: dict[str, Estimate]) -> float:
    """How much one rater may overstate, where a second would agree as little as is allowed.

    At the least usable alpha raters differ in a third of what chance would give; at worst all of
    that is a correction that was called something else.
    """
    chance = 1 - sum(e.value**2 for e in mix.values())
    return (1 - USABLE) * chance


def _cohen(ask: Inquiry, known: Known, raters: list[str]) -> Estimate | None:
    pairs = ask.ask(q.CROSSED, **known, rater_1=raters[0], rater_2=raters[1])
    table = [[0] * len(LABELS) for _ in LABELS]
    for row in pairs:
        table[LABELS.index(row["first"])][LABELS.index(row["second"])] = row["rows"]
    return cohen_kappa(table) if pairs else None


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def share_over(
    strata: Sequence[dict[str, Any]],
    counted: Sequence[dict[str, Any]],
    target: str,
    reliability: float,
    whole: float | None = None,
) -> Stratified | None:
    """The share of one target over strata; a stratum without a count of it has none of it."""
    sums = {_key(row): row for row in counted if row["target"] == target}
    none = {"wy": 0.0, "wwy": 0.0, "wwyy": 0.0}
    made = []
    for row in strata:
        own = sums.get(_key(row), none)
        made.append(
            Stratum(row["weight"], row["rows"], row["sampled"], row["w"], row["ww"],
                    own["wy"], own["wwy"], own["wwyy"])
        )  # fmt: skip
    return stratified_share(made, whole, reliability)


def _value(
    strata: Sequence[dict[str, Any]],
    counted: Sequence[dict[str, Any]],
    target: str,
    reliability: float,
) -> Estimate:
    found = share_over(strata, counted, target, reliability)
    return found.estimate if found else Estimate(math.nan, 0.0, 1.0, 0)


def _part(
    strata: Sequence[dict[str, Any]],
    counted: Sequence[dict[str, Any]],
    target: str,
    reliability: float,
    whole: float,
) -> Estimate | None:
    """The share that strata hold of a target, of the whole set; zero where there are none."""
    if not any(row["weight"] for row in strata):
        return Estimate(0.0, 0.0, 0.0, 0)
    found = share_over(strata, counted, target, reliability, whole)
    return found.estimate if found else None


def _mix(
    strata: Sequence[dict[str, Any]], counted: Sequence[dict[str, Any]], found: Stratified
) -> dict[str, Estimate]:
    shares = {label: _value(strata, counted, label, 1.0).value for label in LABELS}
    n = sum(row["sampled"] for row in strata)
    if math.isinf(found.effective):
        return {label: Estimate(p, p, p, n) for label, p in shares.items()}
    effective = max(1.0, min(found.effective, 1e9))
    together = goodman([p * effective for p in shares.values()])
    return {
        label: Estimate(e.value, e.low, e.high, n)
        for label, e in zip(shares, together, strict=True)
    }
