"""Items in their own prompts, beside the question that the prompt asks.

A rendered prompt states the item once, as the question under test, and that does not count. Where
a template states the question several times, all of them are the question.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.stats.boilerplate import TELLING, Items
from casework.stats.shingles import Flags, powers, sums_of, whole
from casework.stats.texts import match_own
from casework.stats.tokens import Places, Tokens, bounds, spread, stir

Floats = NDArray[np.float64]

_AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True)
class OwnPrompts:
    """What each prompt holds of its own item, one entry a prompt.

    Attributes:
        stated: how often the prompt states the item word for word, the question included.
        placed: whether the question was found; without it nothing can be said of the rest.
        tier: of the rest of the prompt: 1 whole, 2 nearly, 3 a long run, 0 none of these.
        containment: share of the item's shingles that the rest holds, 0 where it is small.
    """

    stated: Places
    placed: Flags
    tier: Places
    containment: Floats


def occurrences(items: Tokens, own: Places, prompts: Tokens) -> tuple[Places, Places]:
    """Where each prompt states its own item word for word: rows of prompts, and positions.

    Args:
        items: the items.
        own: for each prompt the row of its item.
        prompts: the prompts.
    """
    found = []
    ends = prompts.offsets[1:]
    cuts = np.unique(np.searchsorted(ends, np.arange(_AT_ONCE, ends[-1:].sum() + 1, _AT_ONCE)))
    begin = 0
    for end in [*(cuts + 1), prompts.rows]:
        rows = np.arange(begin, min(end, prompts.rows))
        if len(rows):
            found.append(_stated(items, own[rows], prompts, rows))
        begin = int(end)
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    row, at = (np.concatenate(part) for part in zip(*found, strict=True))
    return row, at


def _stated(items: Tokens, own: Places, prompts: Tokens, rows: Places) -> tuple[Places, Places]:
    first, last = prompts.offsets[rows[0]], prompts.offsets[rows[-1] + 1]
    hashes, lengths = prompts.hashes[first:last], prompts.lengths[rows]
    words = items.lengths[own]
    padded = np.append(items.hashes, np.uint64(0))
    opening = padded[items.offsets[own]]
    at = np.flatnonzero(hashes == np.repeat(opening, lengths))
    local = prompts.row_of(at + first) - rows[0]
    fits = (words[local] > 0) & (at + first + words[local] <= prompts.offsets[rows[local] + 1])
    at, local = at[fits], local[fits]
    base = powers(len(hashes))
    sums = sums_of(hashes * base)
    same = sums[at + words[local]] - sums[at] == base[at] * whole(items)[own[local]]
    return rows[local[same]], at[same] + first


def without_question(
    items: Tokens, own: Places, prompts: Tokens, repeats: int = 1
) -> tuple[Tokens, Places]:
    """Blank the last `repeats` statements of the item in each prompt.

    Returns:
        the prompts, with words that match nothing where the question was, and how often each
        stated its item before.
    """
    row, at = occurrences(items, own, prompts)
    stated = np.bincount(row, minlength=prompts.rows)
    from_last = bounds(stated)[1:][row] - 1 - np.arange(len(row))
    last = from_last < repeats
    places = spread(at[last], items.lengths[own[row[last]]])
    hashes = prompts.hashes.copy()
    hashes[places] = stir(places.astype(np.uint64) ^ np.uint64(0xA5A5A5A5A5A5A5A5))
    return Tokens(hashes, prompts.offsets), stated


def own_prompts(
    items: Items, own: Places, prompts: Tokens, repeats: int = 1, near: float = 0.8
) -> OwnPrompts:
    """Look for each item in the rest of its own prompt.

    Args:
        items: the items.
        own: for each prompt the row of its item.
        prompts: the prompts as rendered, one row each.
        repeats: how often the template states the question.
        near: share of shingles from which an item stands nearly in its prompt.
    """
    rest, stated = without_question(items.tokens, own, prompts, repeats)
    placed = stated >= repeats
    again, _ = occurrences(items.tokens, own, rest)
    tier = np.zeros(prompts.rows, np.int64)
    containment = np.zeros(prompts.rows)
    found = match_own(items, own, rest, near, min(near, 0.3))
    tier[found.document] = found.tier
    containment[found.document] = found.containment
    whole_again = again[items.tokens.lengths[own[again]] >= TELLING]
    tier[whole_again] = 1
    containment[whole_again] = 1.0
    return OwnPrompts(stated, placed, np.where(placed, tier, 0), np.where(placed, containment, 0))
