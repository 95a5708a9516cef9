"""Answers of items that stood in their own prompts without the question.

METHODS section 12 tells input, label, and both apart. An example that states another question and
bears the very answer of the item gives it away as well; it is no leak of the item, and not counted
as one: the verdict knows of questions alone.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from casework.diagnoses._leak_prompts import InPrompt, stood_in
from casework.diagnoses._leak_references import NONE, Reference
from casework.diagnoses._leak_samples import Samples
from casework.stats.boilerplate import TELLING
from casework.stats.estimates import Estimate, wilson
from casework.stats.tokens import normalise

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
    targets = normalise(samples.table["target"].take(samples.first))
    of = Counter(targets)
    told = [
        item for item, target in enumerate(targets)
        if of[target] == 1 and len(target.split()) >= TELLING
        and found.known[item] and item not in found.leaks and bank.tier[item] == NONE
    ]  # fmt: skip
    if not told:
        return Answers((), 0)
    rows = defaultdict(list)
    for row, label in enumerate(normalise(bank.table["label"])):
        rows[label].append(row)
    pairs = [(item, row) for item in told for row in rows.get(targets[item], ())[:_MOST]]
    stood = np.array(stood_in(samples, bank, found, pairs, near), bool)
    there = dict(pairs[place] for place in np.flatnonzero(stood).tolist()[::-1])
    return Answers(tuple(sorted(there.items())), len(told))
