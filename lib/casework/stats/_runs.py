"""The longest runs of words that items and documents have in common."""

import numpy as np

from casework.stats.boilerplate import RUN, Items
from casework.stats.shingles import Seeds, inside
from casework.stats.tokens import Places, Tokens, bounds


def long_runs(items: Items, documents: Tokens, own: Places | None) -> tuple[Places, Places, Places]:
    """Pairs with a run that is half of their item: item, document, words that count in the run.

    A run goes on through what many items share. It is half of the item by the words that count
    (`Items.needed`), or by all words and by those that count (`Items.halves`).
    """
    needed, (words, counted) = items.needed, items.halves
    seeds = Seeds.of(items.tokens, RUN, _beginnings(items))
    parts = []
    for at, key in seeds.find(documents):
        at, entry = seeds.entries(at, key)
        if own is not None:
            kept = own[documents.row_of(at)] == seeds.rows[entry]
            at, entry = at[kept], entry[kept]
        length, run = _extend(items, documents, at, seeds.positions[entry])
        item = seeds.rows[entry]
        long = (run >= needed[item]) | ((length >= words[item]) & (run >= counted[item]))
        parts.append((item[long], documents.row_of(at[long]), run[long]))
    if not parts:
        return (np.zeros(0, np.int64),) * 3
    item, document, run = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((-run, document, item))
    item, document, run = item[order], document[order], run[order]
    best = np.ones(len(item), bool)
    best[1:] = (item[1:] != item[:-1]) | (document[1:] != document[:-1])
    return item[best], document[best], run[best]


def _beginnings(items: Items) -> Places:
    """Positions of runs of eight words of which any run that is half of an item holds one."""
    tokens = items.tokens
    positions = inside(tokens, RUN)
    shut = bounds((~items.is_open).astype(np.int64))
    # Those in which no word counts are left out: all texts hold them.
    positions = positions[shut[positions + RUN] - shut[positions] < RUN]
    row = tokens.row_of(positions)
    place = np.arange(len(positions)) - bounds(np.bincount(row, minlength=tokens.rows))[row]
    needed, (words, counted) = items.needed, items.halves
    whole = shut[tokens.offsets[1:]] == shut[tokens.offsets[:-1]]
    # A run of n words, k of which count, holds n - 7 such beginnings one after the other where all
    # words count, else as many or half of k: each word that counts begins one, or stands in the
    # last seven, and then as many hold the first of these as stand there.
    apart = np.minimum(
        np.minimum(needed - RUN + 1, -(-needed // 2)),
        np.minimum(words - RUN + 1, -(-counted // 2)),
    )
    step = np.where(whole, needed - RUN + 1, apart)[row]
    found: Places = positions[place % step == 0]
    return found


def _extend(items: Items, documents: Tokens, at: Places, places: Places) -> tuple[Places, Places]:
    """Words of the runs through the eight that begin at `at` and, in the items, at `places`.

    Returns:
        all words of each run, and those that count.
    """
    length = np.full(len(at), RUN)
    counts = bounds(items.is_open.astype(np.int64))
    run = counts[places + RUN] - counts[places]
    ours, theirs = items.tokens, documents
    row, item = theirs.row_of(at), ours.row_of(places)
    for side, room in (
        (1, np.minimum(theirs.offsets[row + 1] - at, ours.offsets[item + 1] - places) - RUN),
        (-1, np.minimum(at - theirs.offsets[row], places - ours.offsets[item])),
    ):
        going = np.arange(len(at))
        step = 0
        while len(going := going[room[going] > step]):
            far = RUN + step if side > 0 else -1 - step
            same = theirs.hashes[at[going] + far] == ours.hashes[places[going] + far]
            going = going[same]
            length[going] += 1
            run[going] += items.is_open[places[going] + far]
            step += 1
    return length, run
