"""Which items stand in which documents: whole, nearly, or in a long run of words.

An item is found whole, whatever nearly all items begin or end with; or nearly, where the document
holds four fifths of its shingles of five words; or by a run that holds half of its words, eight at
least. What many items share does not count, and does not break a run. The first two are usual; the
last finds most of what inflates scores (Singh et al. 2024, ConTAM). Candidates come from an index
that misses none: a document that holds four fifths of the shingles of an item holds one of any
fifth and one more of them, so the rarest are looked for (prefix filter: Chaudhuri et al., ICDE
2006; Bayardo et al., WWW 2007). What is shared is then counted, with nothing estimated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.stats._candidates import Pairs, candidates, same_text, shared
from casework.stats._runs import long_runs
from casework.stats.boilerplate import RUN, SHINGLE, TELLING, Items
from casework.stats.frames import frame, same_but_frame
from casework.stats.shingles import Flags, Seeds, inside
from casework.stats.tokens import Places, Tokens, bounds, spread

Floats = NDArray[np.float64]

LONG = 13
"""Words of the n-gram that is usual in reports of models; no item below 13 words can hold one."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Pairs of an item and a document, one entry each.

    Attributes:
        item: row of the item.
        document: row of the document.
        tier: 1 whole, 2 nearly, 3 a long run; 0 for pairs that share less.
        containment: share of the item's shingles that the document holds, the larger of two views
            (`Items.shingles`).
        jaccard: shingles of both over shingles of either, the same.
        run: words that count in the longest run that was found in both; zero where none is long.
    """

    item: Places
    document: Places
    tier: Places
    containment: Floats
    jaccard: Floats
    run: Places

    def where(self, kept: Flags) -> "Matches":
        """Those of the pairs that are kept."""
        return Matches(*(getattr(self, name)[kept] for name in self.__slots__))


def match(items: Items, documents: Tokens, near: float = 0.8) -> Matches:
    """Find all pairs at tier 3 or better.

    Args:
        items: what is looked for.
        documents: where, one row a document, no two the same.
        near: share of shingles from which an item stands nearly in a document. Items of fewer
            than eight words that count must be as much of the document, by all their words.
    """
    same = [same_text(items, documents), same_but_frame(items.tokens, documents)]
    *long, run = long_runs(items, documents, None)
    nearly = [candidates(items, documents, near, None, shingles) for shingles in items.shingles]
    whole = np.concatenate([_keys(pair, documents) for pair in same])
    keys = [whole, *(_keys(pair, documents) for pair in ((long[0], long[1]), *nearly))]
    found = _graded(items, documents, keys, run, near)
    return found.where(found.tier > 0)


def match_own(
    items: Items, own: Places, documents: Tokens, near: float = 0.8, least: float = 0.3
) -> Matches:
    """Compare each document with its own item alone, whose row `own` gives.

    Pairs that share less than `least` of the shingles and no long run are left out.
    """
    *long, run = long_runs(items, documents, own)
    nearly = [candidates(items, documents, least, own, shingles) for shingles in items.shingles]
    keys = [np.zeros(0, np.int64)]
    keys += [_keys(pair, documents) for pair in ((long[0], long[1]), *nearly)]
    return _graded(items, documents, keys, run, near)


def items_with_long_run(items: Items, documents: Tokens, n: int = LONG) -> Flags:
    """Which items share a run of `n` words with any document, four of which count at least.

    An item of so many words that is a document is such a run, whatever of it many share.
    """
    positions = inside(items.tokens, n)
    counts = bounds(items.is_open.astype(np.int64))
    positions = positions[counts[positions + n] - counts[positions] >= TELLING]
    seeds = Seeds.of(items.tokens, n, positions)
    found = np.zeros(items.tokens.rows, bool)
    # A copy of an item that holds such a run is found by it: only the others are compared whole.
    shut = items.tokens.lengths >= n
    shut[items.tokens.row_of(positions)] = False
    if shut.any():
        same, _ = same_text(items, documents)
        found[same[shut[same]]] = True
    for at, key in seeds.find(documents):
        found[seeds.rows[seeds.entries(at, key)[1]]] = True
    return found


def _graded(
    items: Items, documents: Tokens, pairs: list[Places], run: Places, near: float
) -> Matches:
    """Count what each pair shares and give it its tier.

    `pairs` are keys of items that are a document, of those with a long run, whose words that
    count `run` gives, and of candidates.
    """
    same, long = pairs[:2]
    keys = np.unique(np.concatenate(pairs))
    item, document = np.divmod(keys, max(documents.rows, 1))
    words = np.zeros(len(keys), np.int64)
    words[np.searchsorted(keys, long)] = run
    views = [shared(items, documents, item, document, shingles) for shingles in items.shingles]
    containment, jaccard = (np.max(part, axis=0) for part in zip(*views, strict=True))
    lengths = items.lengths[item]
    told_apart = lengths >= RUN
    alike = _with_all_words(items, documents, item, document) >= near - 1e-9
    whole = np.isin(keys, same) | (told_apart & (words >= lengths) & alike)
    nearly = (containment >= near - 1e-9) & alike
    tier = np.select([whole, nearly, words > 0], [1, 2, 3], 0)
    return Matches(item, document, tier, containment, jaccard, words)


def _with_all_words(items: Items, documents: Tokens, item: Places, document: Places) -> Floats:
    """What pairs share with the words that many share, where few others count; else all.

    Of an item with fewer than eight words that count, shingles of both texts over those of either;
    of one of which less than half count, the share of its own that the document holds. What nearly
    all items begin and end with stays out.
    """
    found = np.ones(len(item))
    head, tail = frame(items.tokens)
    core = items.tokens.lengths - head - tail
    few, little = items.lengths < RUN, (items.lengths >= RUN) & (2 * items.lengths < core)
    begins = spread(items.tokens.offsets[:-1] + head, np.maximum(core - SHINGLE + 1, 0))
    for rows, positions, part in ((few, inside(items.tokens, SHINGLE), 1), (little, begins, 0)):
        some = rows[item]
        if some.any():
            both = shared(items, documents, item[some], document[some], positions)
            found[some] = both[part]
    return found


def _keys(pairs: Pairs, documents: Tokens) -> Places:
    return pairs[0] * max(documents.rows, 1) + pairs[1]
