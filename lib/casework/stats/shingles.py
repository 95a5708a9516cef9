"""Runs of words as hashes: shingles of one length, whole rows, and an index to find them by.

Hashes of runs are polynomials of the hashes of words, modulo 2^64 (Karp & Rabin, IBM J. Res. Dev.
1987), for all positions of a column at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.stats.tokens import Hashes, Places, Tokens, bounds, spread, stir

Flags = NDArray[np.bool_]

_BASE = np.uint64(0xD6E8FEB86659FD93)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_BLOCK = 1 << 20


def windows(hashes: Hashes, n: int) -> Hashes:
    """Hashes of the `n` words from each position on, over the ends of rows too.

    Runs of twice the length are joined of two, so that it takes about log n passes.
    """
    if len(hashes) < n:
        return np.zeros(0, np.uint64)
    block, size = hashes, 1
    found: Hashes | None = None
    length = 0
    while True:
        if n & size:
            found = block if found is None else _joined(block, found, size, length)
            length += size
        if length == n:
            return stir(found[: len(hashes) - n + 1])  # type: ignore[index]
        block, size = _joined(block, block, size, size), 2 * size


def _joined(first: Hashes, second: Hashes, length: int, of_second: int) -> Hashes:
    """Hashes of runs of `first`, of this length, with those of `second` right after them."""
    count = min(len(first), len(second) - length)
    return first[:count] * _power(of_second) + second[length : length + count]


def _power(n: int) -> np.uint64:
    return np.uint64(pow(int(_BASE), n, 1 << 64))


def powers(n: int, inverse: bool = False) -> Hashes:
    """The first `n` powers of the base, from zero on, or of its inverse."""
    base = pow(int(_BASE), -1, 1 << 64) if inverse else int(_BASE)
    found = np.full(max(n, 1), base, np.uint64)
    found[0] = 1
    return np.cumprod(found, dtype=np.uint64)[:n]


def whole(tokens: Tokens) -> Hashes:
    """A hash of each row as a whole; the same words in the same order give the same."""
    found = np.zeros(tokens.rows, np.uint64)
    size = max(_BLOCK, int(tokens.lengths.max(initial=0)))
    up, down = powers(min(size, len(tokens.hashes))), powers(min(size, len(tokens.hashes)), True)
    begin = 0
    while begin < tokens.rows:
        first = tokens.offsets[begin]
        end = int(np.searchsorted(tokens.offsets, first + size, side="right")) - 1
        places = tokens.offsets[begin : end + 1] - first
        sums = sums_of(tokens.hashes[first : first + places[-1]] * up[: places[-1]])
        rows = np.flatnonzero(places[1:] > places[:-1])
        starts = places[rows]
        # counted from the beginning of the row, not of the block
        found[begin + rows] = (sums[places[rows + 1]] - sums[starts]) * down[starts]
        begin = end
    return found


def sums_of(hashes: Hashes) -> Hashes:
    """Running sums from zero, modulo 2^64."""
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashes, dtype=np.uint64)])


def distinct(tokens: Tokens) -> tuple[Places, Places]:
    """The first row of each group of rows that are the same, in order, and the group of each."""
    keys = stir(whole(tokens) ^ (tokens.lengths.astype(np.uint64) * _MIX))
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(first), np.int64)
    place[order] = np.arange(len(first))
    return first[order], place[group]


def of_row(hashes: Hashes, rows: Places) -> Hashes:
    """Tie hashes to their rows, so that the same run in another row is another key."""
    return stir(hashes ^ ((rows + 1).astype(np.uint64) * _MIX))


def inside(tokens: Tokens, n: int) -> Places:
    """Positions from which `n` words lie within one row."""
    return spread(tokens.offsets[:-1], np.maximum(tokens.lengths - n + 1, 0))


@dataclass(frozen=True, slots=True)
class Seeds:
    """Runs of `n` words by their hash, with where each was found.

    Attributes:
        n: words of a run.
        keys: the hashes, sorted, each once.
        offsets: where the entries of each key begin.
        rows: the row of each entry.
        positions: the position of each entry among all words.
    """

    n: int
    keys: Hashes
    offsets: Places
    rows: Places
    positions: Places
    table: Flags
    shift: np.uint64

    @classmethod
    def of(cls, tokens: Tokens, n: int, positions: Places) -> "Seeds":
        """Index the runs that begin at these positions."""
        runs = windows(tokens.hashes, n)
        hashes = runs[positions] if len(positions) else np.zeros(0, np.uint64)
        order = np.argsort(hashes, kind="stable")
        keys, counts = np.unique(hashes[order], return_counts=True)
        bits = min(max(len(keys).bit_length() + 5, 10), 27)
        shift = np.uint64(64 - bits)
        table = np.zeros(1 << bits, bool)
        table[keys >> shift] = True
        positions = positions[order]
        return cls(n, keys, bounds(counts), tokens.row_of(positions), positions, table, shift)

    def once(self) -> tuple[Places, Places]:
        """Entries of which none repeats the key and the row of another, and the key of each."""
        keys = np.repeat(np.arange(len(self.keys)), np.diff(self.offsets))
        # entries of a key stand in the order of their positions, so of their rows
        first = np.ones(len(keys), bool)
        first[1:] = (keys[1:] != keys[:-1]) | (self.rows[1:] != self.rows[:-1])
        entries = np.flatnonzero(first)
        return entries, keys[entries]

    def find(self, tokens: Tokens) -> Iterator[tuple[Places, Places]]:
        """Positions of another column at which a known run begins, and the index of its key."""
        if not len(self.keys):
            return
        size = len(tokens.hashes)
        for begin in range(0, size, _BLOCK):
            runs = windows(tokens.hashes[begin : begin + _BLOCK + self.n - 1], self.n)
            at = np.flatnonzero(self.table[runs >> self.shift])
            key = np.minimum(np.searchsorted(self.keys, runs[at]), len(self.keys) - 1)
            same = self.keys[key] == runs[at]
            at, key = at[same] + begin, key[same]
            row = tokens.row_of(at)
            fits = at + self.n <= tokens.offsets[row + 1]
            yield at[fits], key[fits]

    def entries(self, at: Places, key: Places) -> tuple[Places, Places]:
        """Each position once for every entry of its key, and the index of that entry."""
        counts = self.offsets[key + 1] - self.offsets[key]
        return np.repeat(at, counts), spread(self.offsets[key], counts)
