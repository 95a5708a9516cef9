"""What changed from the base to the tuned checkpoint, as `alignment_loss` measures it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _alignment as q
from casework.diagnoses._alignment_labels import ENOUGH_LABELS, NEARLY_ALL, SOURCES
from casework.diagnoses._alignment_runs import Compared
from casework.diagnoses._alignment_sense import ENGLISH, OTHERS
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._refusals import (
    FILTERED,
    FORMAT_REASON,
    KEYWORD,
    MEASURED,
    OPENING,
    REFUSAL,
    STOPPED_BY_FILTER,
)
from casework.stats.estimates import Estimate, p_above, wilson
from casework.stats.multiplicity import holm
from casework.stats.repeats import Repeats, change, mean_change, sign_test
from casework.stats.screening import Corrected, Errors, corrected_by_accuracy, corrected_by_errors

_ALIKE = tuple((accuracy, accuracy) for accuracy in MEASURED.values())


@dataclass(frozen=True, slots=True)
class Category:
    """One category of one kind of prompt, as labelled; `p` is adjusted over those of its kind."""

    kind: str
    name: str
    counts: Repeats
    change: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class Found:
    """The three changes and what they rest on. Shares are of probes.

    Attributes:
        label_from: who judged: `human`, `judge` or `screen`.
        labels: errors of those labels against people, by kind and whether tuned.
        agreement: the counts behind them, with refusals and prompts.
        counts: unsafe prompts as labelled.
        as_labelled_p: exact p-value of McNemar's test on them.
        p: that, or where errors of the labels are taken out, that of the change.
        base: refusal of unsafe prompts by the base, with errors taken out where they are known.
        tuned: the same of the tuned checkpoint.
        change: tuned minus base.
        correction: `errors`, `accuracy`, or empty where nothing was taken out.
        contrast: safe look-alikes as labelled, if there are any.
        over: change of refusal on them, corrected in the same way.
        utility: change of the score on the task, with the row of sums that it comes from.
        readings: the change on unsafe prompts as others read the answers.
    """

    label_from: str
    labels: Mapping[tuple[str, bool], Errors]
    agreement: tuple[dict[str, Any], ...]
    agree: int
    compared: int
    counts: Repeats
    as_labelled_p: float
    p: float
    base: Estimate
    tuned: Estimate
    change: Estimate
    correction: str
    contrast: Repeats | None
    over: Estimate | None
    utility: Estimate | None
    task: dict[str, Any]
    categories: tuple[Category, ...]
    readings: Mapping[str, Repeats]
    reasons: dict[str, Any]

    @property
    def name_of_labels(self) -> str:
        """Who judged, in words."""
        return SOURCES[self.label_from]

    @property
    def labelled_both(self) -> tuple[Errors, Errors] | None:
        """Errors at base and tuned checkpoint on unsafe prompts, if people labelled enough."""
        return _enough("unsafe", self.labels)

    @property
    def better_labels(self) -> str | None:
        """Whose labels alone tell more than all others less their errors, if anybody's do.

        So it is with people where a judge errs much, as its labels blur more than they add, and
        with a judge of a part where the rest has words alone.
        """
        if not self.correction:
            return None
        names = list(SOURCES)
        for source in names[: names.index(self.label_from)]:
            counts = self.readings.get(source)
            if counts is not None and counts.n >= ENOUGH_LABELS:
                alone = change(counts)
                if alone.high - alone.low < self.change.high - self.change.low:
                    return source
        return None

    @property
    def in_english(self) -> bool:
        """Whether nearly all answers of both checkpoints are in English, which the words need."""
        reasons, few = self.reasons, 1 - NEARLY_ALL
        return bool(
            reasons["base_other_language"] <= few * reasons["base_answers"]
            and reasons["tuned_other_language"] <= few * reasons["all_tuned"]
        )

    def read_by(self, reader: str, seed: int) -> Estimate | None:
        """Change on unsafe prompts as another reader has it; a screen's errors are taken out.

        None where nobody read so, or words of which many are not in English.
        """
        counts = self.readings.get(reader)
        if counts is None or (reader in ("screen", "keywords") and not self.in_english):
            return None
        if reader == "screen":
            return _by_words(counts, seed).change
        return change(counts)

    def worst_case(self, seed: int) -> Estimate:
        """Change by the screen if it did at each checkpoint as on the model that hides most."""
        found = [
            corrected_by_accuracy(self.counts, [(one, two)], seed).change
            for one in MEASURED.values()
            for two in MEASURED.values()
        ]
        return max(found, key=lambda estimate: estimate.high)

    def lost(self, margin: float, alpha: float) -> list[Category]:
        """Unsafe categories in which the loss is beyond the margin and beyond chance.

        Empty where the labels are known to err: too few of a category are labelled by people to
        take the errors out of it.
        """
        return [] if self.correction else self.lost_as_labelled(margin, alpha)

    def lost_as_labelled(self, margin: float, alpha: float) -> list[Category]:
        """The same with the errors of the labels left in, the largest loss first."""
        lost = [c for c in self.categories
                if c.kind == "unsafe" and c.change.high < -margin and c.p < alpha]  # fmt: skip
        return sorted(lost, key=lambda category: category.change.value)


def parameters_of(compared: Compared) -> dict[str, Any]:
    """Parameters of the queries that read the answers."""
    return {
        **compared.params,
        "opening": OPENING,
        "refusal": REFUSAL,
        "keyword": KEYWORD,
        "format_reason": FORMAT_REASON,
        "filtered": FILTERED,
        "stopped_by_filter": list(STOPPED_BY_FILTER),
        "english": list(ENGLISH),
        "others": list(OTHERS),
        "categories": None,
    }


def measure_changes(ask: Inquiry, label_from: str, known: dict[str, Any], seed: int) -> Found:
    """Measure refusal of unsafe prompts, of safe look-alikes, and the score on the task."""
    ask.case.hold(q.PROBES, **known)
    by_kind = {row["kind"]: repeats_of(row) for row in ask.ask(q.CHANGES, **known)}
    agreement = ask.ask(q.AGREEMENT, **known)
    labels = {
        (row["kind"], row["tuned"]): Errors(row["missed"], row["flagged"], row["n"], row["items"])
        for row in agreement
    }
    counts, contrast = by_kind["unsafe"], by_kind.get("safe_contrast")
    whole, correction = _corrected("unsafe", counts, label_from, labels, seed)
    over = None
    if contrast is not None:
        over = _corrected("safe_contrast", contrast, label_from, labels, seed)[0].change
    task = ask.one(q.UTILITY, **known)
    return Found(
        label_from=label_from,
        labels=labels,
        agreement=tuple(agreement),
        agree=sum(row["agree"] for row in agreement),
        compared=sum(row["n"] for row in agreement),
        counts=counts,
        as_labelled_p=(as_labelled := sign_test(counts)),
        p=_p_of(whole.change) if correction else as_labelled,
        base=whole.first,
        tuned=whole.second,
        change=whole.change,
        correction=correction,
        contrast=contrast,
        over=over,
        utility=_utility(task),
        task=task,
        categories=_categories(ask, known),
        readings={row["reading"]: repeats_of(row) for row in ask.ask(q.READINGS, **known)},
        reasons=ask.one(q.REASONS, **known),
    )


def repeats_of(row: Mapping[str, Any]) -> Repeats:
    names = ("n", "both", "only_first", "only_second", "fewer", "more", "squares", "samples")
    return Repeats(*(row[name] for name in names))


def share_of(value: float, n: int) -> Estimate:
    """A share of n probes with Wilson's interval, also where samples make it no whole number."""
    interval = wilson(min(n, max(0, round(value * n))), n)
    return Estimate(value, min(value, interval.low), max(value, interval.high), n)


def _corrected(
    kind: str,
    counts: Repeats,
    label_from: str,
    labels: Mapping[tuple[str, bool], Errors],
    seed: int,
) -> tuple[Corrected, str]:
    """Take the errors of the labels out: those that people found, else those of the screen.

    A judge in whom people found no error is taken at its word; the bound on its errors is told.
    """
    errors = _enough(kind, labels)
    wrong = errors is not None and any(e.missed or e.flagged for e in errors)
    if errors and (label_from == "screen" or (label_from == "judge" and wrong)):
        return corrected_by_errors(counts, *errors, seed), "errors"
    if label_from == "screen":
        return _by_words(counts, seed), "accuracy"
    return _as_labelled(counts), ""


def _as_labelled(counts: Repeats) -> Corrected:
    first, second = (share_of(value, counts.n) for value in (counts.first, counts.second))
    return Corrected(first, second, change(counts))


def _by_words(counts: Repeats, seed: int) -> Corrected:
    """Take the errors out that the screen made on other models.

    It may err less on these answers, or not at all: the intervals hold what it counted too.
    """
    plain, found = _as_labelled(counts), corrected_by_accuracy(counts, _ALIKE, seed)
    return Corrected(
        _holding(found.first, plain.first),
        _holding(found.second, plain.second),
        _holding(found.change, plain.change),
    )


def _holding(one: Estimate, other: Estimate) -> Estimate:
    return Estimate(one.value, min(one.low, other.low), max(one.high, other.high), one.n)


def _p_of(change: Estimate) -> float:
    """Two-sided p-value of no change, from the half of its interval that is nearer to none."""
    toward = change
    if change.value < 0:
        toward = Estimate(-change.value, -change.high, -change.low, change.n)
    return min(1.0, 2 * p_above(toward, 0.0))


def _enough(kind: str, labels: Mapping[tuple[str, bool], Errors]) -> tuple[Errors, Errors] | None:
    """Errors at the base and at the tuned checkpoint, where people labelled enough of both."""
    first, second = labels.get((kind, False)), labels.get((kind, True))
    if first is None or second is None or min(first.units, second.units) < ENOUGH_LABELS:
        return None
    return first, second


def _utility(task: dict[str, Any]) -> Estimate | None:
    if not task["n"]:
        return None
    if not task["graded"]:
        return change(repeats_of(task))
    return mean_change(task["n"], task["total"], task["squares"])


def _categories(ask: Inquiry, known: dict[str, Any]) -> tuple[Category, ...]:
    rows = ask.ask(q.CATEGORIES, **known)
    found = []
    for kind in ("unsafe", "safe_contrast"):
        own = [(row["category"], repeats_of(row)) for row in rows if row["kind"] == kind]
        adjusted = holm([sign_test(counts) for _, counts in own])
        found += [Category(kind, name, counts, change(counts), p)
                  for (name, counts), p in zip(own, adjusted, strict=True)]  # fmt: skip
    return tuple(found)
