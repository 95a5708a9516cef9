"""Answers of items that stood in their own prompts without the question.

METHODS section 12 tells input, label, and both apart. An example that states another question and
bears the very answer of the item gives it away as well; it is no leak of the item, and not counted
as one: the verdict knows of questions alone.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from casework.diagnoses._leak_prompts import InPrompt, stood_in
from casework.diagnoses._leak_references import NONE, Reference
from casework.diagnoses._leak_samples import Samples
from casework.stats.boilerplate import TELLING
from casework.stats.estimates import Estimate, wilson
from casework.stats.tokens import Places, normalise

_MOST = 5
"""Examples of one answer that are looked for in a prompt: what more of them bear is a form."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Items whose answer, and not whose question, stood in their own prompts.

    Attributes:
        found: each item with the row of the example that bore its answer.
        items: items that could be told: with a prompt that states them, no leak, and an answer of
            four words or more that is no other item's.
    """

    found: tuple[tuple[int, int], ...]
    items: int

    @property
    def rate(self) -> Estimate | None:
        """Share of those items; None where there are none."""
        return wilson(len(self.found), self.items) if self.items else None


def answers_of(
    samples: Samples, bank: Reference | None, found: InPrompt | None, near: float
) -> Answers | None:
    """Look for answers in prompts; None without prompts or a bank."""
    if bank is None or found is None:
        return None
    texts, place = _coded(samples.table["target"].take(samples.first))
    counts = np.bincount(place, minlength=len(texts))
    own = (counts == 1) & np.array([len(text.split()) >= TELLING for text in texts], bool)
    told = own[place] & found.known & ~found.flags & (bank.tier == NONE)
    item_of = {texts[place[item]]: item for item in np.flatnonzero(told).tolist()}
    if not item_of:
        return Answers((), 0)
    labels, label = _coded(bank.table["label"])
    bears = np.array([text in item_of for text in labels], bool)
    seen: Counter[int] = Counter()
    pairs = []
    for row in np.flatnonzero(bears[label]).tolist():
        item = item_of[labels[label[row]]]
        seen[item] += 1
        if seen[item] <= _MOST:
            pairs.append((item, row))
    there: dict[int, int] = {}
    stood = stood_in(samples, bank, found, pairs, near, labels=True)
    for (item, row), stands in zip(pairs, stood, strict=True):
        if stands:
            there.setdefault(item, row)
    return Answers(tuple(sorted(there.items())), len(item_of))


def _coded(column: Any) -> tuple[list[str], Places]:
    """The different texts of a column as they are compared, and the place of each row in them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    plain = normalise(pa.chunked_array([encoded.dictionary]))
    place = {text: i for i, text in enumerate(dict.fromkeys(plain))}
    of = np.array([place[text] for text in plain], np.int64)
    return list(place), of[encoded.indices.to_numpy()]
