"""The longest runs of words that items and documents have in common."""

import numpy as np

from casework.stats.boilerplate import RUN, Items
from casework.stats.shingles import Seeds, inside
from casework.stats.tokens import Places, Tokens


def long_runs(items: Items, documents: Tokens, own: Places | None) -> tuple[Places, Places, Places]:
    """Pairs with a run that is long enough for their item: item, document, words of the run."""
    tokens = items.tokens
    positions = inside(tokens, RUN, items.is_open)
    shut = np.flatnonzero(~items.is_open)
    begins = tokens.offsets[tokens.row_of(positions)]
    if len(shut):
        before = np.searchsorted(shut, positions)
        begins = np.where(before > 0, np.maximum(begins, shut[before - 1] + 1), begins)
    # Any run of the needed length holds one of these, since they stand closer than it is longer.
    step = items.needed[tokens.row_of(positions)] - RUN + 1
    seeds = Seeds.of(tokens, RUN, positions[(positions - begins) % step == 0])
    parts = []
    for at, key in seeds.find(documents):
        at, entry = seeds.entries(at, key)
        if own is not None:
            kept = own[documents.row_of(at)] == seeds.rows[entry]
            at, entry = at[kept], entry[kept]
        run = _extend(items, documents, at, seeds.positions[entry])
        long = run >= items.needed[seeds.rows[entry]]
        parts.append((seeds.rows[entry][long], documents.row_of(at[long]), run[long]))
    if not parts:
        return (np.zeros(0, np.int64),) * 3
    item, document, run = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((-run, document, item))
    item, document, run = item[order], document[order], run[order]
    best = np.ones(len(item), bool)
    best[1:] = (item[1:] != item[:-1]) | (document[1:] != document[:-1])
    return item[best], document[best], run[best]


def _extend(items: Items, documents: Tokens, at: Places, places: Places) -> Places:
    """Length of the runs through eight words that begin at `at` and, in the items, at `places`."""
    run = np.full(len(at), RUN)
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
            going = going[same & items.is_open[places[going] + far]]
            run[going] += 1
            step += 1
    return run
