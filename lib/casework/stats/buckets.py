"""Recompute the bucket that an assignment hash gives a unit.

The algorithms are those of the evidence contract. `mod` takes the number at the end of the id
as it is: ids that carry their creation time stay sorted, so the buckets are not random samples.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import mmh3
import numpy as np
from numpy.typing import NDArray

KNOWN: tuple[str, ...] = (
    "mod",
    "md5",
    "sha1",
    "sha256",
    "murmur3",
    "growthbook1",
    "growthbook2",
)
"""Names that `algorithm` may have, optionally followed by `/N` for N buckets instead of 100."""

Integers = NDArray[np.int64]
Words = NDArray[np.uint32]

DIGESTS: dict[str, Callable[[bytes], Any]] = {
    "md5": partial(hashlib.md5, usedforsecurity=False),
    "sha1": partial(hashlib.sha1, usedforsecurity=False),
    "sha256": hashlib.sha256,
}
BLOCK = 1 << 16
"""Units hashed at a time, so that millions need little memory."""

LONGEST = 256
"""Characters up to which ids are hashed side by side; a block of longer ones would not fit."""

FNV_OFFSET, FNV_PRIME = 0x811C9DC5, 0x01000193


def bucket_count(algorithm: str) -> int | None:
    """Count the buckets of an algorithm: 100, or N if it ends in `/N`; None if it is unknown."""
    name, slash, suffix = algorithm.partition("/")
    if name not in KNOWN:
        return None
    if not slash:
        return 100
    plain = suffix.isascii() and suffix.isdigit() and len(suffix) < 10
    return int(suffix) or None if plain else None


def mixes(algorithm: str) -> bool | None:
    """Whether neighbouring ids land in unrelated buckets; None if the algorithm is unknown."""
    return None if bucket_count(algorithm) is None else algorithm.partition("/")[0] != "mod"


def bucket(unit_id: str, salt: str, algorithm: str) -> int | None:
    """Compute the bucket of one unit; None if the algorithm is unknown or gives it none."""
    (number,) = buckets([unit_id], salt, algorithm).tolist()
    return None if number < 0 else int(number)


def buckets(unit_ids: Sequence[str], salts: str | Sequence[str], algorithm: str) -> Integers:
    """Compute the buckets of many units.

    Args:
        unit_ids: identifiers of the units.
        salts: one salt for all, or one per unit.
        algorithm: a name of `KNOWN`, optionally with `/N`.

    Returns:
        Array of shape (units,): the bucket, or -1 where there is none (the algorithm is unknown,
        or `mod` finds no number at the end of the id).

    Raises:
        ValueError: if there is neither one salt nor one per unit.
    """
    n = bucket_count(algorithm)
    if n is None:
        return np.full(len(unit_ids), -1, np.int64)
    if not isinstance(salts, str) and len(salts) != len(unit_ids):
        raise ValueError(f"{len(unit_ids)} units have {len(salts)} salts")
    name = algorithm.partition("/")[0]
    parts = [np.empty(0, np.int64)]
    for start in range(0, len(unit_ids), BLOCK):
        units = unit_ids[start : start + BLOCK]
        salt = [salts] * len(units) if isinstance(salts, str) else salts[start : start + BLOCK]
        parts.append(_block(units, salt, name, n))
    return np.concatenate(parts)


def _block(units: Sequence[str], salts: Sequence[str], name: str, n: int) -> Integers:
    if name == "mod":
        return np.array([_trailing_number(unit, n) for unit in units], np.int64)
    if name == "growthbook1":
        hashes = _fnv1a([unit + salt for unit, salt in zip(units, salts, strict=True)])
        return (hashes % np.uint32(1000)).astype(np.int64) * n // 1000
    texts = [salt + unit for unit, salt in zip(units, salts, strict=True)]
    if name == "growthbook2":
        hashes = _fnv1a_of_decimals(_fnv1a(texts))
        return (hashes % np.uint32(10_000)).astype(np.int64) * n // 10_000
    if name == "murmur3":
        return np.array([mmh3.hash(text, 0, signed=False) for text in texts], np.int64) % n
    return _digests(texts, DIGESTS[name], n)


def _trailing_number(unit_id: str, n: int) -> int:
    digits = unit_id[len(unit_id.rstrip("0123456789")) :]
    if not digits:
        return -1
    remainder = 0
    # Python refuses to parse more than 4,300 digits at once, and an id may be that hostile
    for start in range(0, len(digits), 4000):
        part = digits[start : start + 4000]
        remainder = (remainder * pow(10, len(part), n) + int(part)) % n if start else int(part) % n
    return remainder


def _digests(texts: list[str], digest: Callable[[bytes], Any], n: int) -> Integers:
    """Remainder of each digest, read as one big-endian integer, folded over its 32-bit words."""
    joined = b"".join([digest(text.encode()).digest() for text in texts])
    words = np.frombuffer(joined, ">u4").astype(np.uint64).reshape(len(texts), -1)
    base, remainder = np.uint64((1 << 32) % n), np.zeros(len(texts), np.uint64)
    for column in words.T:
        remainder = (remainder * base + column) % np.uint64(n)
    return remainder.astype(np.int64)


def _fnv1a(texts: list[str]) -> Words:
    """32-bit FNV-1a over code points, as GrowthBook's own SDKs feed it (not UTF-8 bytes)."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    width = int(min(max(lengths.max(), 1), LONGEST))
    codes = np.array([text[:width] for text in texts], f"U{width}").view(np.uint32)
    state = np.full(len(texts), FNV_OFFSET, np.uint32)
    for position, column in enumerate(np.ascontiguousarray(codes.reshape(-1, width).T)):
        state = np.where(position < lengths, (state ^ column) * np.uint32(FNV_PRIME), state)
    for row in np.flatnonzero(lengths > LONGEST):
        state[row] = _continue_fnv1a(int(state[row]), texts[row][LONGEST:])
    return state


def _continue_fnv1a(state: int, text: str) -> int:
    for character in text:
        state = (state ^ ord(character)) * FNV_PRIME & 0xFFFFFFFF
    return state


def _fnv1a_of_decimals(numbers: Words) -> Words:
    """FNV-1a of each number written in decimal, without building the strings."""
    state = np.full(len(numbers), FNV_OFFSET, np.uint32)
    for power in range(9, -1, -1):
        place = np.uint32(10**power)
        digit = numbers // place % np.uint32(10) + np.uint32(ord("0"))
        written = (numbers >= place) if power else np.True_
        state = np.where(written, (state ^ digit) * np.uint32(FNV_PRIME), state)
    return state
