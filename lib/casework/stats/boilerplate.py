"""Items as they are looked for: without the text that many of them, or many documents, share.

Instructions, forms and system text make any two items look alike. A shingle of five words that
more than a small share of the items or documents hold is no sign of any one of them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from casework.stats.shingles import Flags, Seeds, inside
from casework.stats.tokens import Places, Tokens, bounds, spread

SHINGLE = 5
RUN = 8
TELLING = 4
"""Words from which what stands a second time may be told from chance."""


@dataclass(frozen=True)
class Items:
    """The items that are looked for.

    Attributes:
        tokens: their words, one row an item, no two rows the same.
        is_open: for each word whether it counts; what many items or documents share does not.
        begins: for each word whether a shingle begins there that many do not share. One that
            spans what many share and what few do is such a one.
    """

    tokens: Tokens
    is_open: Flags
    begins: Flags

    @cached_property
    def lengths(self) -> Places:
        """Words of each item that count."""
        sums = bounds(self.is_open.astype(np.int64))
        return sums[self.tokens.offsets[1:]] - sums[self.tokens.offsets[:-1]]

    @cached_property
    def shingles(self) -> tuple[Places, ...]:
        """Positions from which shingles that count begin, in two views, or one if they are alike.

        Those that many do not share; and those without a word that does not count, to which a
        word changed amid what many share is nothing.
        """
        shut = bounds((~self.is_open).astype(np.int64))
        begins = np.flatnonzero(self.begins)
        whole = begins[shut[begins + SHINGLE] == shut[begins]]
        return (begins,) if len(whole) == len(begins) else (begins, whole)

    @cached_property
    def halves(self) -> tuple[Places, Places]:
        """A run that is half of each item, boilerplate and all: its words, and those that count.

        Eight words at least; of those that count more than half, four at least.
        """
        words = np.maximum(RUN, -(-self.tokens.lengths // 2))
        return words, np.maximum(TELLING, self.lengths // 2 + 1)

    @cached_property
    def needed(self) -> Places:
        """Words that count in a run that is half of each item, eight at least."""
        return np.maximum(RUN, -(-self.lengths // 2))


def without_boilerplate(
    items: Tokens, documents: Tokens, share: float = 0.02, least: int = 10
) -> Items:
    """Leave out of the items what more than `share` of the items or documents hold.

    Shingles are counted once an item and once a distinct document; fewer than `least` never are
    too many. `items` and `documents` have no two rows the same.
    """
    is_open = np.ones(len(items.hashes), bool)
    positions = inside(items, SHINGLE)
    seeds = Seeds.of(items, SHINGLE, positions)
    of_entry = np.repeat(np.arange(len(seeds.keys)), np.diff(seeds.offsets))
    in_items = np.bincount(seeds.once()[1], minlength=len(seeds.keys))
    in_documents = np.zeros(len(seeds.keys), np.int64)
    for at, key in seeds.find(documents):
        in_documents += _rows_by_key(documents.row_of(at), key, len(seeds.keys))
    common = (in_items > max(least, share * items.rows)) | (
        in_documents > max(least, share * documents.rows)
    )
    entries = np.flatnonzero(common[of_entry])
    shut = spread(seeds.positions[entries], np.full(len(entries), SHINGLE))
    is_open[shut] = False
    begins = np.zeros(len(items.hashes), bool)
    begins[positions] = True
    begins[seeds.positions[entries]] = False
    return Items(items, is_open, begins)


def _rows_by_key(rows: Places, keys: Places, count: int) -> Places:
    """In how many different rows each key stands."""
    width = int(rows.max(initial=0)) + 1
    return np.bincount(np.unique(keys * width + rows) // width, minlength=count)
