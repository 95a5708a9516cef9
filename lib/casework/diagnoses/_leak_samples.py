"""The samples of one run as columns: one entry an item, one row a prompt."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.stats.tokens import Places

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a run in one condition.

    Attributes:
        table: a row a sample, in the order of the items (`pyarrow.Table`).
        item: for each row its item.
        first: for each item its first row.
        ids: the item ids, in order.
    """

    table: Any
    item: Places
    first: Places
    ids: list[str]

    def scores(self) -> Floats:
        """Mean score of each item over its epochs; NaN where none was scored."""
        found = self.table["score"].to_numpy()
        known = np.isfinite(found)
        counts = np.bincount(self.item[known], minlength=len(self.ids))
        sums = np.bincount(self.item[known], found[known], len(self.ids))
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    def texts(self, column: str, items: Places) -> list[str | None]:
        """A column of the first sample of these items."""
        return list(self.table[column].take(self.first[items]).to_pylist())


def read(ask: Inquiry, run: str, condition: str) -> Samples:
    """Read the samples of a run in one condition."""
    table = ask.case.arrow(q.SAMPLES, run=run, condition=condition)
    encoded = table["item_id"].combine_chunks().dictionary_encode()
    item = encoded.indices.to_numpy().astype(np.int64)
    _, first = np.unique(item, return_index=True)
    return Samples(table, item, first, encoded.dictionary.to_pylist())


def aligned(ids: list[str], samples: Samples) -> Floats:
    """Scores of another condition in the order of `ids`; NaN for items that it does not have."""
    known = dict(zip(samples.ids, samples.scores().tolist(), strict=True))
    return np.array([known.get(item, np.nan) for item in ids], float)
