"""Texts as rows of hashed words, made from whole columns.

What differs in letter case, width, accents written in one or two signs, white space or punctuation
alone is the same text: NFKC, case folding, then every run of letters and digits is a word. In
scripts that write no spaces every sign is a word. Words are 64-bit hashes, so that whatever is
found with them is verified on the texts themselves (`casework.stats.overlap`).
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

_CHUNK = 1 << 23
_HASHED = 64
"""Bytes of a word that are hashed, with its end and length: longer ones are blobs."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_STIR = np.uint64(0xBF58476D1CE4E5B9)
_SPACE, _LINE = 32, 10
# Scripts without spaces: Thai to Burmese, kana, ideographs.
_UNSPACED = ((0x0E00, 0x1100), (0x3040, 0x3100), (0x3400, 0xA000), (0xF900, 0xFB00))
_UNSPACED_LATE = (0x20000, 0x32000)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a column of texts, one row a text.

    Attributes:
        hashes: of all words in order, 64 bits each.
        offsets: where each row begins in `hashes`, and at last where the last one ends.
    """

    hashes: Hashes
    offsets: Places

    @property
    def rows(self) -> int:
        """Texts."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Places:
        """Words of each text."""
        return np.diff(self.offsets)

    def row_of(self, positions: Places) -> Places:
        """The text in which each of the positions lies."""
        found: Places = np.searchsorted(self.offsets, positions, side="right") - 1
        return found

    def take(self, rows: Places) -> "Tokens":
        """The texts of these rows, in their order."""
        if np.array_equal(rows, np.arange(self.rows)):
            return self
        lengths = self.lengths[rows]
        positions = spread(self.offsets[rows], lengths)
        return Tokens(self.hashes[positions], bounds(lengths))


def bounds(lengths: Places) -> Places:
    """Where rows of these lengths begin and end: zero and the running sums."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def spread(starts: Places, lengths: Places) -> Places:
    """All positions of the ranges that begin at `starts`, one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total, dtype=np.int64)


def stir(hashes: Hashes) -> Hashes:
    """Mix the bits of hashes, so that any of them may be used alone (splitmix64)."""
    mixed = (hashes ^ (hashes >> np.uint64(30))) * _STIR
    return mixed ^ (mixed >> np.uint64(29))


def tokenise(texts: Any) -> Tokens:
    """Split a column of texts into hashed words.

    Args:
        texts: `pyarrow.Array` or `ChunkedArray` of strings; what is NULL has no words.
    """
    parts = [_words(data, offsets) for data, offsets in _chunks(texts)]
    counts = [np.zeros(0, np.int64), *(lengths for _, lengths in parts)]
    hashes = [np.zeros(0, np.uint64), *(words for words, _ in parts)]
    return Tokens(np.concatenate(hashes), bounds(np.concatenate(counts)))


def normalise(texts: Any) -> list[str]:
    """The texts themselves in the form in which they are compared, words parted by one space."""
    found: list[str] = []
    for data, offsets in _chunks(texts):
        plain, places = _plain(data, offsets)
        ends = places.tolist()
        whole = plain.tobytes()
        found += [
            " ".join(whole[a:b].decode("utf-8", "replace").split()) for a, b in pairwise(ends)
        ]
    return found


def _chunks(texts: Any) -> Iterator[tuple[Bytes, Places]]:
    """Bytes and offsets of runs of rows, about eight megabytes each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunked = texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts])
    for chunk in chunked.chunks:
        array = pc.fill_null(chunk.cast(pa.large_string()), "")
        _, raw, content = array.buffers()
        offsets = np.frombuffer(raw, np.int64)[array.offset : array.offset + len(array) + 1]
        data = np.frombuffer(content, np.uint8) if content else np.zeros(0, np.uint8)
        begin = 0
        while begin < len(array):
            end = int(np.searchsorted(offsets, offsets[begin] + _CHUNK, side="right")) - 1
            end = min(max(end, begin + 1), len(array))
            places = offsets[begin : end + 1]
            yield data[places[0] : places[-1]], places - places[0]
            begin = end


def _plain(data: Bytes, offsets: Places) -> tuple[Bytes, Places]:
    """Small letters, digits and spaces; what is not ASCII is folded first."""
    high = np.flatnonzero(data >= 128)
    if len(high):
        data, offsets = _fold_rows(data, offsets, high)
    return np.frombuffer(data.tobytes().translate(_ascii()), np.uint8), offsets


@cache
def _ascii() -> bytes:
    return bytes(
        i if i >= 128 or (chr(i).isalnum() and not chr(i).isupper())
        else i + 32 if 65 <= i <= 90 else _SPACE
        for i in range(256)
    )  # fmt: skip


def _fold_rows(data: Bytes, offsets: Places, high: Places) -> tuple[Bytes, Places]:
    """Fold the rows that hold more than ASCII, and put all rows together again."""
    rows = np.unique(np.searchsorted(offsets, high, side="right") - 1)
    lengths = np.diff(offsets)
    is_folded = np.zeros(len(lengths), bool)
    is_folded[rows] = True
    inside = np.repeat(is_folded, lengths)
    own = data[inside]
    own[own == _LINE] = _SPACE
    joined = np.insert(own, np.cumsum(lengths[rows])[:-1], np.uint8(_LINE))
    folded = np.frombuffer(_fold(joined.tobytes()), np.uint8)
    ends = np.append(np.flatnonzero(folded == _LINE), len(folded))
    lengths = lengths.copy()
    lengths[rows] = np.diff(ends, prepend=-1) - 1
    again = np.repeat(is_folded, lengths)
    out = np.empty(len(again), np.uint8)
    out[again] = folded[folded != _LINE]
    out[~again] = data[~inside]
    return out, bounds(lengths)


def _fold(lines: bytes) -> bytes:
    """NFKC and case folding of lines, with signs that are no letter or digit made spaces."""
    text = unicodedata.normalize("NFKC", lines.decode("utf-8", "replace")).casefold()
    text = unicodedata.normalize("NFKC", text)
    signs = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
    kinds = _kinds()[np.minimum(signs, len(_kinds()) - 1)]
    signs = np.where(kinds == 0, np.uint32(_SPACE), signs)
    alone = np.flatnonzero(kinds == 2)
    spaced = np.insert(signs, np.concatenate([alone, alone + 1]), np.uint32(_SPACE))
    return spaced.tobytes().decode("utf-32-le", "replace").encode()


@cache
def _kinds() -> Bytes:
    """For each sign 0 where it parts words, 1 within words, 2 where it is a word alone."""
    kinds = np.fromiter((chr(i).isalnum() for i in range(0xD800)), np.uint8, 0xD800)
    kinds = np.concatenate([kinds, np.zeros(0x800, np.uint8)])
    rest = (chr(i).isalnum() for i in range(0xE000, _UNSPACED_LATE[1]))
    kinds = np.concatenate([kinds, np.fromiter(rest, np.uint8, _UNSPACED_LATE[1] - 0xE000)])
    for low, high in (*_UNSPACED, _UNSPACED_LATE):
        kinds[low:high] *= 2
    kinds[_LINE] = 1
    return np.append(kinds, np.uint8(0))


def _words(data: Bytes, offsets: Places) -> tuple[Hashes, Places]:
    """Hashes of the words of a run of rows, and how many each row has."""
    plain, offsets = _plain(data, offsets)
    size = len(plain)
    inner = plain != _SPACE
    edge = np.zeros(size + 1, bool)
    edge[offsets] = True
    before = np.empty(size, bool)
    before[:1] = False
    np.logical_and(inner[:-1], ~edge[1:size], out=before[1:])
    after = np.empty(size, bool)
    after[-1:] = False
    np.logical_and(inner[1:], ~edge[1:size], out=after[:-1])
    starts = np.flatnonzero(inner & ~before)
    lengths = np.flatnonzero(inner & ~after) + 1 - starts
    counts = np.diff(np.searchsorted(starts, offsets))
    return _hash(plain, starts, lengths), counts


def _hash(plain: Bytes, starts: Places, lengths: Places) -> Hashes:
    """Hash words eight bytes at a time."""
    padded = np.concatenate([plain, np.zeros(8, np.uint8)])
    eights: Hashes = np.ndarray((len(plain) + 1,), "<u8", padded, strides=(1,))
    kept = np.array([(1 << 8 * k) - 1 for k in range(9)], np.uint64)
    hashes = eights[starts] & kept[np.minimum(lengths, 8)]
    hashes = stir(hashes * _MIX)
    longer = np.flatnonzero(lengths > 8)
    for begin in range(8, _HASHED, 8):
        if not len(longer):
            return hashes
        rest = np.minimum(lengths[longer] - begin, 8)
        more = eights[starts[longer] + begin] & kept[rest]
        hashes[longer] = stir((hashes[longer] ^ more) * _MIX + np.uint64(begin))
        longer = longer[lengths[longer] > begin + 8]
    ends = eights[starts[longer] + lengths[longer] - 8]
    hashes[longer] = stir((hashes[longer] ^ ends) * _MIX + lengths[longer].astype(np.uint64))
    return hashes
