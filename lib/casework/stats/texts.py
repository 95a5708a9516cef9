"""Which items stand in which documents: whole, nearly, or in a long run of words.

An item is found whole; or nearly, where the document holds four fifths of its shingles of five
words; or by a run of words that is half of it, eight at least. The first two are usual; the last
finds most of what inflates scores (Singh et al. 2024, ConTAM). Candidates come from an index that
misses none: a document that holds four fifths of the shingles of an item holds one of any fifth
and one more of them, so the rarest are looked for (prefix filter: Chaudhuri et al., ICDE 2006;
Bayardo et al., WWW 2007). What is shared is then counted, with nothing estimated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.stats._candidates import Pairs, candidates, same_text, shared
from casework.stats._runs import long_runs
from casework.stats.boilerplate import RUN, Items
from casework.stats.shingles import Flags, Seeds, inside
from casework.stats.tokens import Places, Tokens

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
        containment: share of the item's shingles that the document holds.
        jaccard: shingles of both over shingles of either.
        run: longest run of words that was found in both; zero where none of eight was.
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
            than eight words must be as much of the document.
    """
    same = same_text(items, documents)
    *long, run = long_runs(items, documents, None)
    near_pairs = candidates(items, documents, near, None)
    keys = [_keys(pair, documents) for pair in (same, near_pairs, (long[0], long[1]))]
    found = _graded(items, documents, keys, run, near)
    return found.where(found.tier > 0)


def match_own(
    items: Items, own: Places, documents: Tokens, near: float = 0.8, least: float = 0.3
) -> Matches:
    """Compare each document with its own item alone, whose row `own` gives.

    Pairs that share less than `least` of the shingles and no long run are left out.
    """
    *long, run = long_runs(items, documents, own)
    near_pairs = candidates(items, documents, least, own)
    keys = [np.zeros(0, np.int64)]
    keys += [_keys(pair, documents) for pair in (near_pairs, (long[0], long[1]))]
    return _graded(items, documents, keys, run, near)


def items_with_long_run(items: Items, documents: Tokens, n: int = LONG) -> Flags:
    """Which items share a run of `n` words with any document."""
    seeds = Seeds.of(items.tokens, n, inside(items.tokens, n, items.is_open))
    found = np.zeros(items.tokens.rows, bool)
    for at, key in seeds.find(documents):
        found[seeds.rows[seeds.entries(at, key)[1]]] = True
    return found


def _graded(
    items: Items, documents: Tokens, pairs: list[Places], run: Places, near: float
) -> Matches:
    """Count what each pair shares and give it its tier.

    `pairs` are keys of items that are a document, of candidates, and of those with a long run,
    whose words `run` gives.
    """
    same, _, long = pairs
    keys = np.unique(np.concatenate(pairs))
    item, document = np.divmod(keys, max(documents.rows, 1))
    words = np.zeros(len(keys), np.int64)
    words[np.searchsorted(keys, long)] = run
    containment, jaccard = shared(items, documents, item, document)
    lengths = items.lengths[item]
    told_apart = lengths >= RUN
    whole = np.isin(keys, same) | (told_apart & (words >= lengths))
    nearly = np.where(told_apart, containment, jaccard) >= near - 1e-9
    tier = np.select([whole, nearly, words >= items.needed[item]], [1, 2, 3], 0)
    return Matches(item, document, tier, containment, jaccard, words)


def _keys(pairs: Pairs, documents: Tokens) -> Places:
    return pairs[0] * max(documents.rows, 1) + pairs[1]
