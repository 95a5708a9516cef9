"""Pairs of items and documents that share enough shingles, and how much exactly they share."""

import numpy as np
from numpy.typing import NDArray

from casework.stats.boilerplate import SHINGLE, Items
from casework.stats.shingles import Flags, Seeds, inside, of_row, whole, windows
from casework.stats.tokens import Hashes, Places, Tokens, bounds, spread

Floats = NDArray[np.float64]
Pairs = tuple[Places, Places]

_AT_ONCE = 1 << 21
_MOST_HELD = 1 << 20


def same_text(items: Items, documents: Tokens) -> Pairs:
    """Items that are a document, word for word, boilerplate and all."""
    tokens = items.tokens
    filled = np.flatnonzero(documents.lengths > 0)
    opening = tokens.hashes[tokens.offsets[:-1][tokens.lengths > 0]]
    like = np.isin(documents.hashes[documents.offsets[filled]], opening)
    rows = filled[like & np.isin(documents.lengths[filled], tokens.lengths)]
    if not len(rows):
        return rows, rows
    keys, other = whole(tokens), whole(documents.take(rows))
    order = np.argsort(keys)
    at = np.minimum(np.searchsorted(keys, other, sorter=order), len(keys) - 1)
    item = order[at]
    same = (keys[item] == other) & (tokens.lengths[item] == documents.lengths[rows])
    return item[same], rows[same]


def candidates(
    items: Items, documents: Tokens, near: float, own: Places | None, shingles: Places
) -> Pairs:
    """Pairs that share one of the rarest of these shingles, so many that none is missed."""
    tokens = items.tokens
    every = Seeds.of(tokens, SHINGLE, shingles)
    entries, keys = every.once()
    held = np.bincount(keys, minlength=len(every.keys))[keys]
    # by item, and within it the shingles that the fewest items hold first
    order = np.argsort(every.rows[entries] * _MOST_HELD + np.minimum(held, _MOST_HELD - 1))
    order = entries[order]
    rows = every.rows[order]
    m = np.bincount(rows, minlength=tokens.rows)
    rank = np.arange(len(rows)) - bounds(m)[rows]
    first = rank <= m[rows] - np.ceil(near * m[rows] - 1e-9)
    seeds = Seeds.of(tokens, SHINGLE, every.positions[order[first]])
    found = [np.zeros(0, np.int64)]
    for at, key in seeds.find(documents):
        at, entry = seeds.entries(at, key)
        row, item = documents.row_of(at), seeds.rows[entry]
        kept = slice(None) if own is None else own[row] == item
        found.append(np.unique(item[kept] * documents.rows + row[kept]))
    pairs = np.unique(np.concatenate(found))
    return pairs // max(documents.rows, 1), pairs % max(documents.rows, 1)


def shared(
    items: Items, documents: Tokens, item: Places, document: Places, shingles: Places
) -> tuple[Floats, Floats]:
    """Containment of these shingles in the documents and their Jaccard index, pair by pair."""
    rows, local = np.unique(document, return_inverse=True)
    texts = documents.take(rows)
    theirs, row = _shingles(texts, inside(texts, SHINGLE))
    sizes = np.bincount(row, minlength=len(rows))
    known = np.sort(of_row(theirs, row))
    tokens = items.tokens
    ours, row = _shingles(tokens, shingles)
    offsets = bounds(np.bincount(row, minlength=tokens.rows))
    m = np.diff(offsets)[item]
    both = np.zeros(len(item), np.int64)
    # some millions of look-ups at a time, whatever the number of pairs
    ends = np.unique(np.append(np.searchsorted(bounds(m), np.arange(_AT_ONCE, m.sum(), _AT_ONCE)),
                               len(item)))  # fmt: skip
    for begin, end in zip([0, *ends], ends, strict=False):
        part = slice(begin, end)
        looked = ours[spread(offsets[item[part]], m[part])]
        hit = _among(of_row(looked, np.repeat(local[part], m[part])), known)
        both[part] = np.diff(bounds(hit.astype(np.int64))[bounds(m[part])])
    either = m + sizes[local] - both
    return both / np.maximum(m, 1), both / np.maximum(either, 1)


def _shingles(tokens: Tokens, positions: Places) -> tuple[Hashes, Places]:
    """The different shingles of each row, by row, and the row of each."""
    hashes = windows(tokens.hashes, SHINGLE)[positions]
    rows = tokens.row_of(positions)
    order = np.lexsort((hashes, rows))
    hashes, rows = hashes[order], rows[order]
    once = np.ones(len(rows), bool)
    once[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
    return hashes[once], rows[once]


def _among(looked: Hashes, known: Hashes) -> Flags:
    """Which of the hashes are among the sorted ones."""
    if not len(known):
        return np.zeros(len(looked), bool)
    at = np.minimum(np.searchsorted(known, looked), len(known) - 1)
    found: Flags = known[at] == looked
    return found
