"""The questions that are compared: items of the eval set, and requests drawn from both groups."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_target import Rows, Target
from casework.stats.coverage import Positions

MOST_ITEMS = 5_000
"""Items that are placed by text or embedding; by topic all are used."""
_KINDS = 12
_WORD = re.compile(r"\w{3,20}")
_ALL = "g"
"""Above every hexadecimal digit: every request is drawn."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Items and drawn requests, and where each lies among all questions.

    Attributes:
        every_item: rows of `items`.
        items: those of them that can be compared.
        questions: rows of `sample`, those that can be compared.
        is_target: of the questions, shape (questions,).
        traffic: requests of the target customers and of the others.
        accounts: accounts of the target customers and of the others.
        basis: `vectors`, `text` or `topic`.
        positions: of items, then questions; None where topics are all that there is.
        item_topics, topics: topic of each item and of each question; empty text is not known.
        recorded: whether topics are recorded; else they are groups of like texts.
    """

    every_item: Rows
    items: Rows
    questions: Rows
    is_target: NDArray[np.bool_]
    traffic: tuple[int, int]
    accounts: tuple[int, int]
    basis: str
    positions: Positions | None
    item_topics: list[str]
    topics: list[str]
    recorded: bool

    @property
    def by_topic(self) -> tuple[Rows, list[str]]:
        """Items and the topic of each: all where topics are recorded, else those compared."""
        if not self.recorded:
            return self.items, self.item_topics
        return self.every_item, [row["topic"] or "" for row in self.every_item]

    @property
    def weights(self) -> NDArray[np.float64]:
        """Requests that each drawn one stands for."""
        drawn = self.is_target.sum(), (~self.is_target).sum()
        mine, theirs = (t / max(1, k) for t, k in zip(self.traffic, drawn, strict=True))
        return np.asarray(np.where(self.is_target, mine, theirs), np.float64)


def draw_sample(ask: Inquiry, target: Target, size: int) -> Sample | None:
    """Draw up to `size` requests of each group; None where nothing can be compared."""
    traffic = target.traffic
    counts, accounts = (
        tuple(sum(row[name] for row in traffic if target.holds(row) is mine)
              for mine in (True, False))
        for name in ("requests", "accounts")
    )  # fmt: skip
    cuts = {"cut_target": _cut(size, counts[0]), "cut_reference": _cut(size, counts[1])}
    ask.case.hold(c.DRAWN, **target.params, **cuts)
    questions = ask.ask(c.SAMPLE, **target.params, **cuts)
    every = ask.ask(e.ITEMS, **target.params)
    topical = _share(questions, "topic") >= 0.5 and _share(every, "topic") >= 0.5
    found = _by_vectors(ask, target, cuts, every, questions)
    basis = "vectors" if found else "text"
    found = found or _by_text(every, questions)
    if found is None and topical:
        basis, found = "topic", _by_topic(every, questions)
    if found is None:
        return None
    items, questions, positions = found
    named = topical
    item_topics, topics = (
        ([row["topic"] or "" for row in items], [row["topic"] or "" for row in questions])
        if named or positions is None
        else _kinds(positions, items, questions, target.seed)
    )
    is_target = np.array([row["is_target"] for row in questions], bool)
    return Sample(every, items, questions, is_target, (counts[0], counts[1]),
                  (accounts[0], accounts[1]), basis, positions, item_topics, topics,
                  named)  # fmt: skip


def of_known_topic(sample: Sample) -> Sample | None:
    """The questions of known topic, compared by their recorded topics alone, where they can be."""
    found = _by_topic(sample.every_item, sample.questions)
    if found is None:
        return None
    items, questions, _ = found
    is_target = np.array([row["is_target"] for row in questions], bool)
    return Sample(sample.every_item, items, questions, is_target, sample.traffic, sample.accounts,
                  "topic", None, [row["topic"] for row in items],
                  [row["topic"] for row in questions], sample.recorded)  # fmt: skip


def _cut(size: int, requests: int) -> str:
    """The digest below which a request is drawn, so that about `size` of them are."""
    if requests <= size:
        return _ALL
    return f"{int(size / requests * 16**8):08x}"


def _share(rows: Rows, name: str) -> float:
    return sum(row[name] is not None for row in rows) / len(rows) if rows else 0.0


_Found = tuple[Rows, Rows, Positions | None]


def _by_vectors(
    ask: Inquiry, target: Target, cuts: dict[str, str], items: Rows, questions: Rows
) -> _Found | None:
    """Embeddings, where they are there for half of the items and of the requests of each group."""
    if not ask.case.filled("vectors"):
        return None
    rows = ask.ask(c.VECTORS, **target.params, **cuts)
    vectors = {row["text_id"]: row["vector"] for row in rows}
    lengths = {len(vector) for vector in vectors.values()}
    if len(lengths) != 1:
        return None
    kept_items = [row for row in items if row["item_id"] in vectors]
    kept = [row for row in questions if row["request_id"] in vectors]
    for mine in (True, False):
        of_group = sum(row["is_target"] is mine for row in questions)
        if sum(row["is_target"] is mine for row in kept) * 2 < max(1, of_group):
            return None
    if len(kept_items) * 2 < max(1, len(items)):
        return None
    kept_items = kept_items[:MOST_ITEMS]
    ids = [row["item_id"] for row in kept_items] + [row["request_id"] for row in kept]
    return kept_items, kept, Positions.of_vectors([vectors[one] for one in ids])


def _by_text(items: Rows, questions: Rows) -> _Found | None:
    if _share(items, "input_text") < 0.5 or not _both_groups(questions, "input_text"):
        return None
    kept_items = [row for row in items if row["input_text"] is not None][:MOST_ITEMS]
    kept = [row for row in questions if row["input_text"] is not None]
    texts = [row["input_text"] for row in (*kept_items, *kept)]
    return kept_items, kept, Positions.of_texts(texts)


def _by_topic(items: Rows, questions: Rows) -> _Found | None:
    if not _both_groups(questions, "topic"):
        return None
    kept = [row for row in questions if row["topic"]]
    if len({row["topic"] for row in kept}) < 2:  # of one topic all are alike
        return None
    return [row for row in items if row["topic"]], kept, None


def _both_groups(questions: Rows, name: str) -> bool:
    return all(
        _share([row for row in questions if row["is_target"] is mine], name) >= 0.5
        for mine in (True, False)
    )


def _kinds(
    positions: Positions, items: Rows, questions: Rows, seed: int
) -> tuple[list[str], list[str]]:
    """Groups of like texts in place of topics, called by the words that mark them."""
    n = len(items) + len(questions)
    k = min(_KINDS, max(2, n // 50))
    labels = positions.groups(k, seed) if n > k else np.zeros(n, np.int64)
    texts = [row["input_text"] or "" for row in (*items, *questions)]
    names = _marks(texts, labels)
    named = [names[int(label)] for label in labels]
    return named[: len(items)], named[len(items) :]


def _marks(texts: list[str], labels: NDArray[np.int64]) -> dict[int, str]:
    """Number each group, and name the three words that it holds most beyond all others."""
    every: Counter[str] = Counter()
    own: dict[int, Counter[str]] = {int(label): Counter() for label in np.unique(labels)}
    for text, label in zip(texts, labels, strict=True):
        found = Counter(set(_WORD.findall(text.lower())))
        own[int(label)].update(found)
        every.update(found)
    names = {}
    for label, counts in own.items():
        size = int((labels == label).sum())
        more = {word: k / size - every[word] / len(texts) for word, k in counts.items()}
        best = sorted(more, key=lambda word: (-more[word], word))[:3]
        names[label] = f"kind {label + 1} ({', '.join(best)})" if best else f"kind {label + 1}"
    return names
