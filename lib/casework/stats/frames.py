"""What nearly every text of a column begins and ends with: `Question:`, `Answer:`, a greeting.

An item with it and an example without are the same text all the same.
"""

import numpy as np

from casework.stats.boilerplate import TELLING
from casework.stats.shingles import powers, whole
from casework.stats.tokens import Hashes, Places, Tokens, bounds, spread, stir

NEARLY_ALL = 0.9
_FEWEST = 10
_MOST = 64
_MIX = np.uint64(0x9E3779B97F4A7C15)


def frame(tokens: Tokens) -> tuple[Places, Places]:
    """Words that each text shares with nearly all at its beginning, and at its end.

    None where fewer than ten texts are compared, or where too little else would be left of a text.
    """
    head, tail = _shared(tokens, from_end=False), _shared(tokens, from_end=True)
    bare = head + tail > tokens.lengths - TELLING
    return np.where(bare, 0, head), np.where(bare, 0, tail)


def same_but_frame(items: Tokens, documents: Tokens) -> tuple[Places, Places]:
    """Items that are a document, where words of the frames of both do not count.

    Any number of the words that items begin with may be missing, and all that they end with.
    """
    head, tail = frame(items)
    own_head, own_tail = frame(documents)
    none = np.zeros(0, np.int64)
    if not any(part.any() for part in (head, tail, own_head, own_tail)):
        return none, none
    bare = _cut(documents, own_head, own_tail)
    theirs = np.concatenate([_keys(whole(documents), documents.lengths),
                             _keys(whole(bare), bare.lengths)])  # fmt: skip
    order = np.argsort(theirs, kind="stable")
    found = [(none, none)]
    inverse = powers(2, True)[1]
    for end in (np.zeros_like(tail), tail) if tail.any() else (tail,):
        texts = _cut(items, np.zeros_like(end), end)
        hashes = whole(texts)
        for gone in range(int(head.max(initial=0)) + 1):
            some = np.flatnonzero((head >= gone) & (texts.lengths - gone >= TELLING))
            ours = _keys(hashes[some], texts.lengths[some] - gone)
            low = np.searchsorted(theirs, ours, "left", sorter=order)
            counts = np.searchsorted(theirs, ours, "right", sorter=order) - low
            row = order[spread(low, counts)] % max(documents.rows, 1)
            found.append((np.repeat(some, counts), row))
            first = texts.hashes[texts.offsets[some] + gone]
            hashes[some] = (hashes[some] - first) * inverse
    item, document = (np.concatenate(part) for part in zip(*found, strict=True))
    return item, document


def _shared(tokens: Tokens, *, from_end: bool) -> Places:
    found = np.zeros(tokens.rows, np.int64)
    rows = np.arange(tokens.rows)
    for word in range(_MOST if tokens.rows >= _FEWEST else 0):
        rows = rows[tokens.lengths[rows] > word]
        places = tokens.offsets[rows + 1] - 1 - word if from_end else tokens.offsets[rows] + word
        _, kind, counts = np.unique(tokens.hashes[places], return_inverse=True, return_counts=True)
        if counts.max(initial=0) < NEARLY_ALL * tokens.rows:
            break
        rows = rows[kind == counts.argmax()]
        found[rows] = word + 1
    return found


def _cut(tokens: Tokens, head: Places, tail: Places) -> Tokens:
    """The texts without so many words at their ends."""
    lengths = tokens.lengths - head - tail
    places = spread(tokens.offsets[:-1] + head, lengths)
    return Tokens(tokens.hashes[places], bounds(lengths))


def _keys(hashes: Hashes, lengths: Places) -> Hashes:
    return stir(hashes ^ (lengths.astype(np.uint64) * _MIX))
