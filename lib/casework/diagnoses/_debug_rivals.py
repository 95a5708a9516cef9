"""What else could explain rows that look like no corrections, and the attempt to refute."""

from dataclasses import dataclass

import numpy as np

from casework.diagnoses._debug_changes import RETRAINS, Moves
from casework.diagnoses._debug_classes import Agreement, Classes, worst_overstatement
from casework.diagnoses._debug_origins import Known, Origins, goal
from casework.findings import Falsifier, Outcome, Rival
from casework.stats.agreement import USABLE
from casework.stats.estimates import Estimate
from casework.stats.strata import mantel_haenszel
from casework.words import count, number, p_value, share, spread

CORRECT = 0.9
"""A wrong share above this refutes the finding (METHODS section 10)."""

STYLE = "Style is what the set is for"
RATERS = "Raters judge without context, so that the labels mean little"
UNCLEAR = "Rows that nobody could judge are corrections"
PICKED = "The labelled rows were picked, not drawn"
RETRIES = "Retries wrote one event many times"
GATES = frozenset((STYLE, RATERS, UNCLEAR, PICKED, RETRIES))
"""Rivals that must be excluded before the finding is confirmed."""

FEWEST_LABELS = 30
"""Labelled rows below which no test could show how they were chosen."""

_CHANCE = 0.001


@dataclass(frozen=True, slots=True)
class Limits:
    """Smallest shares that matter: of rows that are no correction, and of suspect ones."""

    contamination: float
    suspect: float


def exceeds(contamination: Estimate, suspect: Estimate | None, limits: Limits) -> bool:
    """Whether one of the two shares lies above its limit with its whole interval."""
    return contamination.low > limits.contamination or (
        suspect is not None and suspect.low > limits.suspect
    )


def rivals_of(
    known: Known,
    origins: Origins,
    classes: Classes | None,
    agreement: Agreement,
    moves: Moves,
    limits: Limits,
    *,
    stated: bool,
) -> tuple[Rival, ...]:
    """Test the rival explanations; `stated` says that somebody named what a correction is."""
    return (
        _experts(origins, classes, limits),
        _style(known, classes, limits, stated=stated),
        _raters(classes, agreement, limits),
        _unclear(classes, limits),
        _picked(classes, limits),
        _retries(origins, classes, limits),
        _set_up(moves),
    )


def falsify(classes: Classes | None, moves: Moves) -> Falsifier:
    """Look for a sample that is nearly all corrections, and for a retrain that changes nothing."""
    statement = (
        f"Labels show that more than {share(CORRECT)} of the rows are corrections, or a retrain "
        "without the others does not bring the fallen slices back"
    )
    said, falsified = [], False
    if classes:
        right = _complement(classes.contamination)
        falsified = right.low > CORRECT
        said.append(f"corrections are {_told(right)} of the rows")
    if moves.retrains and moves.fallen:
        falsified |= moves.not_recovered
        said.append(
            f"{count(moves.retrains, 'retrains')} bring {number(moves.recovered)} of "
            f"{count(len(moves.fallen), 'fallen slices')} back"
        )
    if not said:
        return Falsifier(statement, False, "not run: no row is labelled and there is no retrain")
    if not (moves.retrains and moves.fallen):
        said.append("there is no retrain to look at" if moves.fallen else "no slice fell")
    return Falsifier(statement, bool(classes), "; ".join(said), falsified)


def causal(moves: Moves) -> bool:
    """Whether the fall of slices may be laid to these rows: retrains without them bring it back."""
    return moves.retrains >= RETRAINS and moves.recovered > 0 and not moves.not_recovered


def _experts(origins: Origins, classes: Classes | None, limits: Limits) -> Rival:
    explanation = "Insiders are the best labellers, or staging replays what customers asked"
    test = "labels of the rows from insiders and from outside production"
    if origins.is_unknown:
        return Rival(explanation, test, "not_testable", "no row can be traced to its feedback")
    if not origins.suspect and (origins.environments_unknown or origins.insiders_unknown):
        return Rival(explanation, test, "not_testable", "nothing tells all of these rows")
    if not origins.suspect:
        return Rival(explanation, test, "excluded", "there are no such rows")
    within = classes.within if classes else None
    if within is None:
        return Rival(explanation, test, "not_testable", "none of these rows is labelled")
    outcome: Outcome = "not_testable"
    if within.low > limits.contamination:
        outcome = "excluded"
    elif within.high < 1 - CORRECT or within.value < limits.contamination:
        outcome = "not_excluded"
    return Rival(explanation, test, outcome, f"of them {_told(within)} are no corrections")


def _style(known: Known, classes: Classes | None, limits: Limits, *, stated: bool) -> Rival:
    test = "what the set is named and said to be for; rows of style taken as corrections"
    aim = goal(known["dataset"])
    if stated or aim:
        by = "as given" if stated else "by the name of the set"
        right = ", ".join(known["corrections"])
        return Rival(STYLE, test, "excluded", f"{by}, corrections are rows of: {right}")
    if classes is None:
        return Rival(STYLE, test, "not_testable", "no row is labelled")
    outcome: Outcome = "excluded" if classes.hard.low > limits.contamination else "not_excluded"
    if classes.mix["style"].value == 0:
        outcome = "excluded"
    return Rival(STYLE, test, outcome, f"without them {_told(classes.hard)} are no corrections")


def _raters(classes: Classes | None, agreement: Agreement, limits: Limits) -> Rival:
    test = f"Krippendorff's alpha of the raters, usable from {USABLE}"
    if classes is None:
        return Rival(RATERS, test, "not_testable", "no row is labelled")
    if agreement.usable is not None:
        alpha = agreement.alpha
        why = f"alpha {_plain(alpha)}" if alpha else "raters never differ in it"
        if agreement.apart is not None:
            why += f"; pairs of labels differ in correction or not in {share(agreement.apart)}"
        usable: Outcome = "excluded" if agreement.usable else "not_excluded"
        return Rival(RATERS, test, usable, why)
    over = worst_overstatement(classes.mix)
    held = classes.contamination.low - over > limits.contamination
    return Rival(
        RATERS,
        "the largest overstatement of one rater whom a second would confirm as little as allowed",
        "excluded" if held else "not_testable",
        f"no row has two labels; taking off {share(over)}, "
        f"{share(max(0.0, classes.contamination.low - over))} remain at least",
    )


def _unclear(classes: Classes | None, limits: Limits) -> Rival:
    test = "rows of class unknown taken as corrections"
    if classes is None:
        return Rival(UNCLEAR, test, "not_testable", "no row is labelled")
    held = exceeds(classes.known, classes.suspect_known, limits)
    outcome: Outcome = "excluded" if held or not classes.mix["unknown"].value else "not_excluded"
    return Rival(UNCLEAR, test, outcome, f"then {_told(classes.known)} are no corrections")


def _picked(classes: Classes | None, limits: Limits) -> Rival:
    """Labelled rows as early, long and usual as others, within strata; else only they count."""
    test = "time, length and reason of labelled rows against the others, within strata"
    if classes is None:
        return Rival(PICKED, test, "not_testable", "no row is labelled")
    if classes.census:
        return Rival(PICKED, test, "excluded", "every row is labelled")
    floor = f"the rows labelled no corrections are alone {share(classes.floor)} of the whole set"
    material = classes.floor > limits.contamination
    open_one: Outcome = "excluded" if material else "not_testable"
    if classes.labelled < FEWEST_LABELS:
        few = f"{count(classes.labelled, 'labelled rows')}, of which {FEWEST_LABELS} are needed"
        return Rival(PICKED, test, open_one, f"{few}; {floor}")
    late, *others = (_chosen(classes, what) for what in ("late", "long", "usual"))
    if late is None:
        why = f"no stratum tells whether they are as early as the others; {floor}"
        return Rival(PICKED, test, open_one, why)
    p = min(1.0, 3 * min(late, *(1.0 if other is None else other for other in others)))
    held = p >= _CHANCE or material
    return Rival(PICKED, test, "excluded" if held else "not_excluded", f"{p_value(p)}; {floor}")


def _chosen(classes: Classes, what: str) -> float | None:
    """P-value of the labelled rows being like the others; None where all rows are the same."""
    tables = []
    for row in classes.strata:
        yes, yes_sampled = row[what], row[f"{what}_sampled"]
        rest, rest_sampled = row["rows"] - yes, row["sampled"] - yes_sampled
        tables.append([[yes_sampled, rest_sampled], [yes - yes_sampled, rest - rest_sampled]])
    found = mantel_haenszel(np.array(tables, np.float64))
    return None if found is None else found.p


def _retries(origins: Origins, classes: Classes | None, limits: Limits) -> Rival:
    test = "rows with the same texts counted once"
    repeats = origins.screened("repeats")
    told = f"{share(repeats)} of the weight is in repeated rows"
    if classes is None:
        held = origins.suspect_once > limits.suspect or not repeats
        outcome: Outcome = "excluded" if held else "not_excluded"
        return Rival(RETRIES, test, outcome, told)
    held = classes.once.low > limits.contamination or repeats == 0
    held |= abs(classes.once.value - classes.contamination.value) < limits.contamination / 4
    return Rival(
        RETRIES,
        test,
        "excluded" if held else "not_excluded",
        f"{told}; counted once, {_told(classes.once)} are no corrections",
    )


def _set_up(moves: Moves) -> Rival:
    explanation = "Slices moved for another reason: prompt, parameters, another change"
    test = "set-up of the runs on both sides; a retrain without the rows in doubt"
    if not moves.slices:
        return Rival(explanation, test, "not_testable", "no run before and after training")
    if causal(moves):
        return Rival(explanation, test, "excluded",
                     f"{count(moves.retrains, 'retrains')} bring back "
                     f"{number(moves.recovered)} of {number(len(moves.fallen))}")  # fmt: skip
    if moves.same_set_up is False:
        return Rival(explanation, test, "not_excluded", "prompt or parameters differ")
    same = "the same" if moves.same_set_up else "not recorded"
    return Rival(
        explanation, test, "not_testable", f"prompt and parameters are {same}; "
        f"{count(moves.retrains, 'retrains')}, {RETRAINS} are needed",
    )  # fmt: skip


def _complement(e: Estimate) -> Estimate:
    return Estimate(1 - e.value, 1 - e.high, 1 - e.low, e.n)


def _told(e: Estimate) -> str:
    return spread(e.value, (e.low, e.high), "share")


def _plain(e: Estimate) -> str:
    return spread(e.value, (e.low, e.high), "score")
