"""Who labelled the rows: how each rater stands to the others, and what a model's labels are worth.

A model that labels the whole set scales people's labels up, and errs. Where people labelled a part
of the same rows, its share is put right by their mean difference.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _debug_labels as labels
from casework.diagnoses import _debug_scaling as q
from casework.diagnoses._debug_classes import LABELS, Agreement
from casework.diagnoses._debug_origins import Known, listed
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name
from casework.findings import Finding
from casework.stats.agreement import (
    USABLE,
    cohen_kappa,
    krippendorff_alpha,
    tallies,
)
from casework.stats.estimates import Estimate, wilson
from casework.stats.multinomial import labels_needed
from casework.stats.scaled import Scaled, scaled_share
from casework.stats.stratified import Stratum
from casework.visible import shorten
from casework.words import count, number, share, spread

FEWEST = 30
"""Rows that people must have labelled beside a model before its share is put right by them."""

_MOST = 12
"""Raters of whom each is left out in turn."""
_ALIKE = 1e-9
_HALF_WIDTH = 0.05
_MODEL = re.compile(
    r"(?<![a-z])(llms?|(chat)?gpt|gemini|llama|mistral|mixtral|qwen|deepseek|openai|anthropic"
    r"|models?|classifiers?|machine|auto(matic|label(l?er)?)?|bot)(?![a-z])"
)
_NAMESAKE = re.compile(
    r"^(claude|gemma|bots)$|(?<![a-z])(claude|gemma)[-_ ]?(v?\d|opus|sonnet|haiku|instant)"
)
"""Names that people have, too, without what only a model has."""


@dataclass(frozen=True, slots=True)
class Rater:
    """One rater against the others of the same rows, the adjudicator set apart.

    Attributes:
        name: of the rater.
        labels: rows that the rater labelled.
        kappa: Cohen's, against the others; each row counts once. None where none is shared.
        without: Krippendorff's alpha of the others alone; None where no two of them share a row.
        model: whether it is a model.
    """

    name: str
    labels: int
    kappa: Estimate | None
    without: Estimate | None
    model: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """What models say of the set, and how they did on rows that people labelled too.

    Attributes:
        names: of the models.
        rows: rows that they labelled.
        alone: of these, rows that no person labelled.
        both: rows that people labelled too.
        covered: share of the weight in strata with a row that they labelled.
        corrected: rows that are no correction, as people would say; None with too few of both.
        sensitivity: of rows that people call no correction, those that the models call so.
        specificity: of rows that people call a correction, those that the models call so.
    """

    names: tuple[str, ...]
    rows: int
    alone: int
    both: int
    covered: float
    corrected: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None


def compare_raters(
    ask: Inquiry, known: Known, models: Sequence[str], seed: int
) -> tuple[Rater, ...]:
    """Compare each rater with the others, and record it; none where no two share a row."""
    rows = [r for r in ask.ask(labels.RATERS, **known) if r["rater"] not in known["adjudicators"]]
    named = rows[:_MOST]
    pairs = ask.ask(q.AGAINST_OTHERS, **known) if len(named) > 1 else []
    raters = tuple(
        Rater(
            row["rater"],
            row["labels"],
            _kappa([pair for pair in pairs if pair["rater"] == row["rater"]]),
            _without(ask, known, row["rater"], seed) if len(named) > 2 else None,
            row["rater"] in models,
        )
        for row in named
    ) if pairs else ()  # fmt: skip
    table = [
        {"rater": r.name, "labels": r.labels, "model": r.model,
         "kappa": r.kappa.value if r.kappa else None, "low": r.kappa.low if r.kappa else None,
         "high": r.kappa.high if r.kappa else None, "shared_rows": r.kappa.n if r.kappa else 0,
         "alpha_without": r.without.value if r.without else None}
        for r in raters
    ]  # fmt: skip
    by = q.AGAINST_OTHERS if pairs else labels.RATERS
    ask.measure("raters", table or None, "table", by, n=len(rows))
    return raters


def named_models(ask: Inquiry, known: Known, given: str | None) -> list[str]:
    """Raters that are a model: as given, else those whose name says so.

    Raises:
        UsageError: there is no such rater.
    """
    names = [row["rater"] for row in ask.ask(labels.RATERS, **known)]
    found = [name for name in names
             if name not in known["adjudicators"] and is_model(name)]  # fmt: skip
    ask.infer("model_raters", given, ", ".join(found))
    if given is None:
        return found
    for wanted in listed(given):
        if wanted not in map(str.lower, names):
            raise unknown_name("rater", wanted, names)
    return [name for name in names if name.lower() in listed(given)]


def is_model(name: str) -> bool:
    """Whether the name of a rater is that of a model; of an address, what stands before the @."""
    own, at, _ = name.lower().partition("@")
    return bool(_MODEL.search(own) or (not at and _NAMESAKE.search(own)))


def scale_up(ask: Inquiry, known: Known, models: Sequence[str], seed: int) -> Machine | None:
    """Put right what models say of the set, and record it.

    Returns:
        None where no rater is a model, or none labelled a row of the set.
    """
    strata = ask.ask(q.SCALED, **known, models=list(models)) if models else []
    found = _machine(models, strata, seed) if any(row["sampled"] for row in strata) else None
    by = q.SCALED if found else labels.RATERS
    names = ("contamination_corrected", "model_sensitivity", "model_specificity")
    values = (found.corrected, found.sensitivity, found.specificity) if found else (None,) * 3
    for name, value in zip(names, values, strict=True):
        ask.estimate(name, value, "share:rows", by)
    ask.measure("model_rows", found.rows if found else 0, "count:rows", by)
    ask.measure("model_rows_alone", found.alone if found else 0, "count:rows", by)
    return found


def raters_finding(
    ask: Inquiry, raters: Sequence[Rater], agreement: Agreement
) -> tuple[Finding, ...]:
    """Say which of three raters or more stands apart, and what alpha is without them."""
    held = [(r, r.kappa) for r in raters if r.kappa]
    if len(held) < 3 or agreement.alpha is None:
        return ()
    least, kappa = min(held, key=lambda one: one[1].value)
    most = max(k.value for _, k in held)
    who = f"Of {count(len(held), 'raters')}"
    if agreement.raters > len(raters):
        who += f", those with most labels of {number(agreement.raters)}"
    rest = ""
    if most - kappa.value < _ALIKE:
        told = f"none agrees less with the others: kappa {number(kappa.value)} of each"
    else:
        told = (
            f"{shorten(least.name, 60)} agrees least with the others: kappa {_plain(kappa)} on "
            f"{count(kappa.n, 'rows')}"
        )
        rest = _left_out(least, agreement.alpha)
    return (
        Finding(
            f"{who}, {told}; alpha of all is {_plain(agreement.alpha)}.{rest}",
            ("raters", "alpha"),
            (ask.evidence_id(q.AGAINST_OTHERS), ask.evidence_id(labels.TALLIES)),
        ),
    )


def scaling_limits(machine: Machine | None, rows: int) -> tuple[str, ...]:
    """Say what the labels of a model are worth."""
    if machine is None:
        return ()
    told = _labelled(machine)
    if machine.corrected is None:
        n = min(rows, labels_needed(_HALF_WIDTH, rows=rows))
        return (
            f"{told} How often it errs is not known: people labelled {number(machine.both)} of the "
            f"same rows, of which {FEWEST} are the least; {count(n, 'rows')} drawn at random would "
            "do.",
        )
    e, unseen = machine.corrected, ""
    if machine.covered < 1:
        unseen = (
            f" {share(1 - machine.covered)} of the weight lies in strata that it did not label; "
            "the interval takes any share of it for possible."
        )
    return (
        f"{told} Put right by {count(machine.both, 'rows')} that people labelled too, "
        f"{spread(e.value, (e.low, e.high), 'share')} are no corrections, if people drew their "
        f"rows at random; of such rows the model finds {_share(machine.sensitivity)}, and of "
        f"corrections it leaves {_share(machine.specificity)} alone.{unseen}",
    )


def _labelled(machine: Machine) -> str:
    """Say how many rows have the label of a model alone."""
    who = ", ".join(shorten(name, 40) for name in machine.names[:4])
    if not machine.alone:
        return f"People labelled every row that a model did ({who})."
    verb = "has" if machine.alone == 1 else "have"
    return (
        f"{count(machine.alone, 'rows')} {verb} the label of a model alone ({who}), which is "
        "counted as that of a person."
    )


def _left_out(rater: Rater, alpha: Estimate) -> str:
    """Say what alpha is without a rater."""
    if rater.without is None:
        return ""
    usable = alpha.value < USABLE <= rater.without.value
    rest = f", from {USABLE} usable." if usable else "."
    return f" Without this rater alpha is {_plain(rater.without)}{rest}"


def _machine(models: Sequence[str], strata: list[dict[str, Any]], seed: int) -> Machine:
    both = sum(row["both"] for row in strata)
    made = []
    for row in strata:
        apparent = Stratum(row["weight"], row["rows"], row["sampled"], row["w"], row["ww"],
                           row["wy"], row["wwy"], row["wwyy"])  # fmt: skip
        if apparent.share is None:
            continue
        n = row["both_w"] ** 2 / row["both_ww"] if row["both_ww"] else 0.0
        scale = n / row["both_w"] if n else 0.0
        made.append(
            Scaled(
                row["weight"], apparent.share, apparent.effective(), n,
                row["missed"] * scale, row["flagged"] * scale,
            )
        )  # fmt: skip
    cells = {name: sum(row[name] for row in strata) for name in ("yes", "found", "no", "cleared")}
    whole = sum(row["weight"] for row in strata)
    return Machine(
        names=tuple(models),
        rows=sum(row["sampled"] for row in strata),
        alone=sum(row["alone"] for row in strata),
        both=both,
        covered=sum(s.weight for s in made) / whole if whole else 0.0,
        corrected=scaled_share(made, whole, seed) if both >= FEWEST else None,
        sensitivity=wilson(cells["found"], cells["yes"]) if cells["yes"] else None,
        specificity=wilson(cells["cleared"], cells["no"]) if cells["no"] else None,
    )


def _without(ask: Inquiry, known: Known, rater: str, seed: int) -> Estimate | None:
    rows = ask.ask(q.TALLIES_WITHOUT, **known, left_out=rater)
    counts = [[row[label] for label in LABELS] for row in rows]
    return (
        krippendorff_alpha(tallies(counts, [row["rows"] for row in rows]), seed) if rows else None
    )


def _kappa(pairs: Sequence[dict[str, Any]]) -> Estimate | None:
    table = [[0.0] * len(LABELS) for _ in LABELS]
    for pair in pairs:
        table[LABELS.index(pair["own"])][LABELS.index(pair["other"])] += float(pair["rows"])
    return cohen_kappa(table) if pairs else None


def _share(e: Estimate | None) -> str:
    return "an unknown share" if e is None else spread(e.value, (e.low, e.high), "share")


def _plain(e: Estimate) -> str:
    return spread(e.value, (e.low, e.high), "score")
