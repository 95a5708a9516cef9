"""What the leaked items do to the score of the run: with the leak, without it, and copied."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_prompts import InPrompt
from casework.diagnoses._leak_references import Reference
from casework.diagnoses._leak_runs import LEFT_OUT, WITHOUT, Judged
from casework.diagnoses._leak_samples import Samples, aligned, read
from casework.stats.estimates import Estimate, wilson
from casework.stats.leakage import (
    Adjusted,
    Drop,
    adjusted_score,
    bootstrap_mean,
    difference_in_differences,
    is_binary,
    paired_drop,
)
from casework.stats.shingles import Flags
from casework.stats.tokens import Places, normalise

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effect:
    """Scores with and without the leak. What the evidence does not hold is None.

    Attributes:
        leaked, clean: for each item whether it leaked, or is known not to have.
        scores: by condition the score of each item, NaN where there is none.
        binary: whether all scores are 0 or 1.
        score_all: mean score of the run.
        score_plain: mean score of the clean items as they are.
        adjusted: score of the clean items at the mix of all, and what the leaked add to it.
        drop: as run minus leave-one-out, over the leaked items: the effect.
        control: the same over the clean items, which should be nothing.
        net: how much more the leaked items fall than the clean ones.
        stand_in: without a rerun, the condition that it is made up for with.
        changed: how much more leaked items lose than clean ones against that condition.
        copies: leaked items whose output is the label of the example, of those that have both.
        copies_left_out: the same where the example was left out.
        wrong_copies: of items whose example has another answer than the item, those that gave it.
        with_label: leaked items whose example bears the item's own answer too, of those that
            have both.
    """

    leaked: Flags
    clean: Flags
    scores: dict[str, Floats]
    binary: bool
    score_all: Estimate | None
    score_plain: Estimate | None
    adjusted: Adjusted | None
    drop: Drop | None = None
    control: Drop | None = None
    net: Estimate | None = None
    stand_in: str | None = None
    changed: Estimate | None = None
    copies: Estimate | None = None
    copies_left_out: Estimate | None = None
    wrong_copies: Estimate | None = None
    with_label: Estimate | None = None
    means: dict[tuple[str, bool], Estimate] = field(default_factory=dict)

    @property
    def scored(self) -> Flags:
        """Items with a score in the run."""
        return np.isfinite(self.scores["as_run"])

    @property
    def clean_items(self) -> int:
        """Clean items that have a score."""
        return int((self.clean & self.scored).sum())


def measure_effect(
    ask: Inquiry,
    judged: Judged,
    samples: Samples,
    leaked: Flags,
    known: Flags,
    found: InPrompt | None,
    bank: Reference | None,
    seed: int,
) -> Effect:
    """Compare the scores of leaked and clean items, as run and with the leak taken out."""
    others = {c: read(ask, o["run_id"], c) for c, o in judged.others.items()}
    scores = {"as_run": samples.scores()}
    scores |= {c: aligned(samples.ids, other) for c, other in others.items()}
    clean = known & ~leaked
    y = scores["as_run"]
    used = np.isfinite(y) & (leaked | clean)
    drop, control = _drops(scores, leaked, clean, seed)
    stand_in, changed = _changed(scores, leaked, clean, WITHOUT, seed)
    copies = _copies(samples, found, bank)
    left_out = (
        _copies(others[LEFT_OUT], found, bank, samples)
        if LEFT_OUT in others
        else (None, None, None)
    )
    return Effect(
        leaked=leaked,
        clean=clean,
        scores=scores,
        binary=all(is_binary(s[np.isfinite(s)]) for s in scores.values()),
        score_all=mean_score(y[np.isfinite(y)], seed),
        score_plain=mean_score(y[np.isfinite(y) & clean], seed),
        adjusted=adjusted_score(y[used], leaked[used], topics_of(samples)[0][used]),
        drop=drop,
        control=control,
        net=_changed(scores, leaked, clean, (LEFT_OUT,), seed)[1],
        stand_in=stand_in,
        changed=changed,
        copies=copies[0],
        copies_left_out=left_out[0],
        wrong_copies=copies[1],
        with_label=copies[2],
        means=_means(scores, leaked, clean, seed),
    )


def mean_score(values: Floats, seed: int) -> Estimate | None:
    """Mean of scores with its interval; None where there is none."""
    if not len(values):
        return None
    if is_binary(values):
        return wilson(int(values.sum()), len(values))
    return bootstrap_mean(values, seed)


def _means(
    scores: dict[str, Floats], leaked: Flags, clean: Flags, seed: int
) -> dict[tuple[str, bool], Estimate]:
    """Mean score by condition of leaked and clean items that have one in every condition."""
    found = {}
    compared = [c for c in (LEFT_OUT, *WITHOUT) if c in scores][:1]
    for flag, group in ((True, leaked), (False, clean)):
        kept = group & np.isfinite(scores["as_run"])
        for condition in compared:
            kept &= np.isfinite(scores[condition])
        for condition in ("as_run", *compared):
            mean = mean_score(scores[condition][kept], seed)
            if mean is not None:
                found[condition, flag] = mean
    return found


def _drops(
    scores: dict[str, Floats], leaked: Flags, clean: Flags, seed: int
) -> tuple[Drop | None, Drop | None]:
    if LEFT_OUT not in scores:
        return None, None
    before, after = scores["as_run"], scores[LEFT_OUT]
    both = np.isfinite(before) & np.isfinite(after)
    first, second = (
        paired_drop(before[both & group], after[both & group], seed, span_of(scores))
        if (both & group).any() else None
        for group in (leaked, clean)
    )  # fmt: skip
    return first, second


def span_of(scores: dict[str, Floats]) -> float:
    """From the lowest to the highest score of the run, from nought where all are the same."""
    known = scores["as_run"][np.isfinite(scores["as_run"])]
    if not len(known):
        return 0.0
    return float(np.ptp(known)) or abs(float(known[0]))


def _changed(
    scores: dict[str, Floats], leaked: Flags, clean: Flags, against: Sequence[str], seed: int
) -> tuple[str | None, Estimate | None]:
    """The first of the conditions that can be compared, and how much more leaked items lose."""
    for condition in against:
        if condition in scores:
            change = scores["as_run"] - scores[condition]
            both = np.isfinite(change)
            if (both & leaked).any() and (both & clean).any():
                return condition, difference_in_differences(
                    change[both & leaked], change[both & clean], seed
                )
    return None, None


def topics_of(samples: Samples) -> tuple[Places, list[str]]:
    """Place of each item among the topics, and their names in order.

    The category where there is no topic; one of no name where there is neither.
    """
    import pyarrow.compute as pc

    topics = pc.fill_null(samples.table["topic"].take(samples.first), "")
    encoded = topics.combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    return rank[encoded.indices.to_numpy()], [names[place] for place in order]


def _copies(
    samples: Samples, found: InPrompt | None, bank: Reference | None, of: Samples | None = None
) -> tuple[Estimate | None, Estimate | None, Estimate | None]:
    """Outputs that are the label of the example; of wrong labels alone; labels that are right."""
    if found is None or bank is None:
        return None, None, None
    names = (of or samples).ids
    place = {name: i for i, name in enumerate(samples.ids)}
    leaks = [leak for leak in found.leaks.values() if names[leak.item] in place]
    items = np.array([place[names[leak.item]] for leak in leaks], np.int64)
    rows = [leak.row for leak in leaks]
    labels = bank.table["label"].take(rows) if rows else bank.table["label"].slice(0, 0)
    texts = [_plain(column) for column in (
        samples.table["output_text"].take(samples.first[items]), labels,
        samples.table["target"].take(samples.first[items]),
    )]  # fmt: skip
    both = [(out, label, target) for out, label, target in zip(*texts, strict=True)
            if out and label]  # fmt: skip
    wrong = [out == label for out, label, target in both if target and label != target]
    right = [label == target for _, label, target in zip(*texts, strict=True) if label and target]
    same = [out == label for out, label, _ in both]
    return (
        wilson(sum(same), len(same)) if same else None,
        wilson(sum(wrong), len(wrong)) if wrong else None,
        wilson(sum(right), len(right)) if right else None,
    )


def _plain(texts: object) -> list[str]:
    """Texts as they are compared; signs alone, which have no words, as they are."""
    import pyarrow as pa

    column = texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts])
    given = column.to_pylist()
    return [
        plain or (raw or "").strip() for plain, raw in zip(normalise(column), given, strict=True)
    ]
