"""Whether a classifier tells questions of customers from the items of the eval set.

Coverage asks whether a question has an item like it; this asks whether the set as a whole could be
a sample of what the customers ask. Items may be phrased unlike any request, whoever asks: so the
questions of the others are told from the items as well, and what both have in common says nothing
of the target.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_coverage import Coverage
from casework.diagnoses._poisoning_likeness import accounts_of
from casework.diagnoses._poisoning_sample import Sample
from casework.diagnoses._poisoning_target import Target
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.stats.told_apart import told_apart
from casework.words import spread

_MOST_ITEMS = 1_500
"""Items that a classifier learns from; they are in random order."""
_MEASURES = ("told_from_items", "told_from_items_others")
_NAMED = 3
_LEVEL = 0.05


def measure_apart(ask: Inquiry, target: Target, found: Coverage) -> None:
    """Record how well questions of the target, and of the others, are told from items."""
    sample = found.sample
    items = np.arange(min(len(sample.items), _MOST_ITEMS))
    for name, mine in zip(_MEASURES, (sample.is_target, ~sample.is_target), strict=True):
        area = _told(sample, items, np.flatnonzero(mine), target.seed)
        ask.estimate(name, area, "area under the ROC curve", c.SAMPLE)


def telling(ask: Inquiry, target: Target, found: Coverage) -> Finding:
    """State how well they are told apart, and by which topics."""
    mine, others = (ask.measures[name] for name in _MEASURES)
    evidence = (ask.evidence_id(c.SAMPLE), ask.evidence_id(e.ITEMS))
    if mine.value is None:
        text = (
            "Whether a classifier tells their questions from items is not known: that takes ten "
            "accounts at least behind the questions and ten behind the items."
        )
        return Finding(text, _MEASURES, evidence)
    text = (
        f"A classifier that does not know the account takes a question of {target.label} customers "
        f"and an item for what they are in {spread(mine.value, mine.ci95, 'share')} of pairs, "
        "where one half is guessing"
    )
    if others.value is not None:
        text += (
            f"; a question of others and an item in {spread(others.value, others.ci95, 'share')}"
        )
    marks = sorted((t for t in found.topics if t.q < _LEVEL), key=lambda t: -abs(t.more.value))
    if marks:
        told = "; ".join(f"{t.name} {_said(t.more)}" for t in marks[:_NAMED])
        text += f". Share of a topic in what they ask minus that in the items: {told}"
    return Finding(f"{text}.", (*_MEASURES, "topics"), evidence)


def _told(
    sample: Sample, items: NDArray[np.int64], questions: NDArray[np.int64], seed: int
) -> Estimate | None:
    rows = np.concatenate([len(sample.items) + questions, items])
    is_question = np.arange(len(rows)) < len(questions)
    owners = [sample.items[i]["account_id"] or f"item {sample.items[i]['item_id']}" for i in items]
    account = np.concatenate([accounts_of(sample)[questions], np.array(owners, str)])
    return told_apart(_features(sample, rows), is_question, account, seed)


def _features(sample: Sample, rows: NDArray[np.int64]) -> Any:
    """Texts by their words, embeddings as they are, topics as one column each."""
    if sample.positions is not None:
        return sample.positions.rows(rows)
    topics = np.array([*sample.item_topics, *sample.topics], str)[rows]
    return (topics[:, None] == np.unique(topics)).astype(np.float64)


def _said(found: Estimate) -> str:
    return spread(found.value, (found.low, found.high), "points")
