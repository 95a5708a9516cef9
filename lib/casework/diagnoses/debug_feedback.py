"""The training set holds feedback that corrects nothing.

## What it looks for
Where each row of a training set came from, by its feedback event: environment, surface, insider or
customer; rows without an event are a class of their own. What the rows are, from labels of raters
on a sample, over strata and by weight in training: wrong answer, style, dislike, test. Which eval
slices moved after training, over all slices at once. Beside that: shares by origin, raters who
stand apart, what the labels of a model are worth, people whose thumbs are unlike those of their
peers, corrections that were pasted, and how slices follow what retrains keep. METHODS section 10.

## Why it matters
A thumb on a staging screen was meant for the engineer on call. Months later it is "production
feedback with corrections", and the model learns what bored somebody.

## What would rule it out
Labels of a random sample that show nine in ten rows to be corrections. Retrains without the other
rows that do not bring the fallen slices back: then the rows are not why they fell.

## Known false alarms
Insiders may be the best labellers, and staging may replay what customers asked: where labels show
that, origin alone is nothing. In a set for style, style is a correction (`corrections`). Retries
write one event many times. Raters without context disagree; below an alpha of 0.667 labels carry
no verdict, unless they hardly differ in what is a correction. Rows may weigh next to nothing in
training, so rows are counted by weight. Customers may share the domain of the company.
"""

from functools import partial

from casework.diagnoses import _debug_rows as q
from casework.diagnoses._debug_changes import Moves, compare
from casework.diagnoses._debug_charts import draw
from casework.diagnoses._debug_classes import Agreement, Classes, adjudicators, agree, classify
from casework.diagnoses._debug_closer import Closer, look_closer
from casework.diagnoses._debug_measures import measure_classes, measure_moves, measure_origins
from casework.diagnoses._debug_origins import Known, Origins, listed, place, settle
from casework.diagnoses._debug_parts import draw_parts
from casework.diagnoses._debug_rivals import Limits, causal, falsify, rivals_of
from casework.diagnoses._debug_sets import Choice, choose
from casework.diagnoses._debug_verdict import conclude, primary_of
from casework.diagnoses._debug_words import findings, headline, limits_of, remedies
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.errors import unknown_name
from casework.findings import Break, Missing
from casework.tables import (
    accounts,
    artifact_inputs,
    eval_runs,
    eval_samples,
    feedback,
    people,
    row_labels,
    training_rows,
)
from casework.words import count


def judge(
    ask: Inquiry, *, dataset: str | None = None, corrections: str | None = None,
    production: str | None = None, domains: str | None = None, adjudicator: str | None = None,
    model_raters: str | None = None, before: str | None = None, after: str | None = None,
    sesoi_contamination: float = 0.1, sesoi_suspect: float = 0.05, seed: int = 1,
) -> Conclusion:  # fmt: skip
    """Count where the rows came from, estimate what they are, and test the slices.

    Args:
        ask: the inquiry.
        dataset: the training set; else the one whose rows speak most against it.
        corrections: classes that count as such, with commas; else `wrong`, and `style` by name.
        production: environments that are production, separated by commas; else by their names.
        domains: e-mail domains of the company; else those of the directory.
        adjudicator: raters whose label settles a row; else those named so.
        model_raters: raters that are a model, separated by commas; else those named so.
        before: checkpoint or run before training; else by base checkpoint, else the first.
        after: checkpoint or run after training; else by training data, else the last.
        sesoi_contamination: smallest share of rows that are no correction that matters.
        sesoi_suspect: the same of such rows from insiders or from outside production.
        seed: of the bootstrap of agreement, and of simulated intervals.
    """
    limits = Limits(sesoi_contamination, sesoi_suspect)
    settled = partial(_settled, names=(production, domains, corrections, adjudicator))
    choice = choose(ask, dataset, settled, limits, seed)
    ask.infer("dataset", dataset, choice.dataset)
    known = settled(ask, choice.dataset)
    origins = place(ask, known)
    if not origins.weight:
        return Conclusion("not_testable", f"Not testable. No row of {known['dataset']} weighs.")
    agreement = agree(ask, known, seed)
    classes = classify(ask, known, agreement)
    moves = compare(ask, known, before, after)
    _measure(ask, known, origins, classes, agreement, moves)
    if classes is None and origins.is_unknown:
        return _nothing_known(origins)
    closer = look_closer(ask, known, origins, classes, agreement, moves, model_raters, seed)
    found = (origins, classes, agreement, moves, closer)
    return _conclude(ask, known, found, limits, choice, stated=corrections is not None)


def _conclude(
    ask: Inquiry,
    known: Known,
    found: tuple[Origins, Classes | None, Agreement, Moves, Closer],
    limits: Limits,
    choice: Choice,
    *,
    stated: bool,
) -> Conclusion:
    origins, classes, agreement, moves, closer = found
    draw(ask, known, origins, classes, moves)
    draw_parts(ask, closer.parts, limits.contamination)
    rivals = rivals_of(known, origins, classes, agreement, moves, limits, stated=stated)
    for spent in (q.LINKED, q.SCREENED):
        ask.case.release(spent)
    falsifier = falsify(classes, moves)
    primary = primary_of(classes, limits, choice.tested)
    verdict = conclude(origins, classes, agreement, rivals, falsifier, limits, primary)
    return Conclusion(
        verdict=verdict,
        headline=headline(verdict, origins, classes, agreement, moves, limits, choice.told),
        wide=bool(moves.fallen) and (causal(moves) or bool(ask.measures["served_requests"].value)),
        findings=findings(ask, known, origins, classes, moves) + closer.findings,
        rivals=rivals,
        falsifier=falsifier,
        remedies=remedies(origins, classes, agreement, moves, limits),
        limits=(
            *limits_of(verdict, origins, classes, agreement, moves, limits),
            *closer.limits,
            *choice.limits,
        ),
        primary=primary,
        breaks=_breaks(moves),
    )


def _settled(
    ask: Inquiry, dataset: str, *, names: tuple[str | None, str | None, str | None, str | None]
) -> Known:
    production, domains, corrections, adjudicator = names
    _check(corrections)
    known = settle(ask, dataset, production, domains, corrections)
    return known | {"adjudicators": adjudicators(ask, adjudicator, dataset)}


def _check(corrections: str | None) -> None:
    classes = [v for c in row_labels.columns if c.name == "label" for v in c.values]
    for name in listed(corrections):
        if name not in classes:
            raise unknown_name("class", name, classes)


def _measure(
    ask: Inquiry,
    known: Known,
    origins: Origins,
    classes: Classes | None,
    agreement: Agreement,
    moves: Moves,
) -> None:
    measure_origins(ask, known, origins)
    measure_classes(ask, classes, agreement)
    measure_moves(ask, moves)


def _nothing_known(origins: Origins) -> Conclusion:
    return Conclusion(
        "not_testable",
        f"Not testable. None of {count(origins.rows, 'rows')} has a feedback event, and none "
        "is labelled: load feedback or row_labels.",
        missing=(
            Missing("feedback", ("feedback_id", "environment"), "where the rows came from"),
            Missing("row_labels", ("row_id", "label"), "what the rows are"),
        ),
    )


def _breaks(moves: Moves) -> tuple[Break, ...]:
    if (
        moves.bracket is None
        or not (moves.fallen or moves.up)
        or moves.bracket[0] > moves.bracket[1]
    ):
        return ()
    what = f"{count(moves.up, 'slices')} rose and {len(moves.fallen)} fell after training"
    return (Break(*moves.bracket, what),)


debug_feedback = Diagnosis(
    name="debug_feedback",
    family="feedback poisoning",
    claim="the training set holds a material share of rows that are not corrections",
    doc=__doc__ or "",
    needs=(
        Need(training_rows, ("dataset", "row_id"), "the rows"),
        Need(feedback, ("feedback_id",), "where the rows came from", required=False),
        Need(row_labels, ("row_id", "label"), "what the rows are", required=False),
        Need(people, ("person",), "who is an insider", required=False),
        Need(accounts, ("account_id",), "who is a customer", required=False),
        Need(eval_runs, ("run_id",), "runs before and after training", required=False),
        Need(eval_samples, ("item_id", "score"), "which slices moved", required=False),
        Need(artifact_inputs, ("artifact", "uri"), "what was trained on the set", required=False),
    ),
    judge=judge,
)
