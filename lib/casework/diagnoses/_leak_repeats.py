"""How many different questions the leaked items ask: copies of one question are no more than one.

METHODS section 14, 13. The tests take each item for itself.
"""

from dataclasses import dataclass

import numpy as np

from casework.diagnoses._leak_references import Questions
from casework.stats.composition import kish
from casework.stats.shingles import Flags


@dataclass(frozen=True, slots=True)
class Repeats:
    """The leaked items by their question.

    Attributes:
        items: leaked items.
        questions: different questions among them.
        n_eff: questions of equally many items that would be as many (Kish 1965).
        top: share of the leaked items that ask the most frequent one.
    """

    items: int
    questions: int
    n_eff: float
    top: float


def repeats_of(leaked: Flags, asked: Questions) -> Repeats | None:
    """Count the questions of the leaked items; None where none leaked."""
    if not leaked.any():
        return None
    _, counts = np.unique(asked.text[leaked], return_counts=True)
    items = int(counts.sum())
    return Repeats(items, len(counts), kish(counts), float(counts.max()) / items)
