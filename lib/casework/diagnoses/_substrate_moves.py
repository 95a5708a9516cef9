"""What a change of the substrate did to a search: do the texts still find what they found?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import Change, Substrate, numbered
from casework.diagnoses._substrate_rows import HAS_DIRECTION
from casework.findings import Finding
from casework.stats.discrepancy import Swapped, swapped_discrepancy
from casework.stats.estimates import Estimate
from casework.stats.moved_neighbours import MovedNeighbours, moved_neighbours
from casework.words import count, number, p_value, spread

FEW_TEXTS = 10
"""Texts that tell what a search finds, at least."""
TOGETHER = 0.05
"""P-value from which on the texts, as a set, may lie where they lay."""

_EMBEDDED = f"""vectors
          WHERE list_contains($named, coalesce(embedding_model, '')) AND {HAS_DIRECTION}"""

AROUND = Query(
    "around",
    f"""
    SELECT e.text_id, b.vector AS before, a.vector AS after
    FROM (SELECT text_id, max(occurred_at) FILTER (WHERE occurred_at <= $started) AS last,
                 min(occurred_at) FILTER (WHERE occurred_at >= $ended) AS next
          FROM {_EMBEDDED}
          GROUP BY text_id HAVING last IS NOT NULL AND next IS NOT NULL
          ORDER BY md5(text_id), text_id LIMIT 100) AS e
    JOIN (SELECT * FROM {_EMBEDDED}) AS b
      ON b.text_id = e.text_id AND b.occurred_at = e.last
    JOIN (SELECT * FROM {_EMBEDDED}) AS a
      ON a.text_id = e.text_id AND a.occurred_at = e.next
    QUALIFY row_number() OVER (
        PARTITION BY e.text_id ORDER BY b.exhibit_id, b.locator, a.exhibit_id, a.locator) = 1
    """,  # noqa: S608  the text is put together of constants
    "The last vector of a text before a change and the first after it, of those with a direction; "
    "of many texts a hundred, by their hash.",
)

ALIKE = Query(
    "alike",
    """
    SELECT text_id, before, after
    FROM (SELECT *, count(*) OVER (PARTITION BY len(before), len(after)) AS texts FROM around)
    QUALIFY rank() OVER (ORDER BY texts DESC, len(before), len(after)) = 1
    """,
    "Of these the texts whose vectors have the lengths, before and after, that most have.",
    uses=(AROUND,),
)

ACROSS = Query(
    "across",
    """
    SELECT a.text_id, b.text_id AS other,
           round(CAST(list_cosine_similarity(a.before, b.before) AS DOUBLE), 7) AS old_old,
           CASE WHEN len(a.after) = len(b.before)
                THEN round(CAST(list_cosine_similarity(a.after, b.before) AS DOUBLE), 7)
           END AS new_old,
           round(CAST(list_cosine_similarity(a.after, b.after) AS DOUBLE), 7) AS new_new
    FROM alike AS a CROSS JOIN alike AS b ORDER BY a.text_id, other
    """,
    "Similarity (cosine) of each two texts: both before a change, the first after it and the other "
    "before, both after.",
    uses=(ALIKE,),
)


@dataclass(frozen=True, slots=True)
class _Move:
    """What the texts find across a change, and whether they moved as a set."""

    place: int
    found: MovedNeighbours
    moved: Swapped | None
    query: Query


def moves_found(
    ask: Inquiry, substrate: Substrate, changes: Sequence[Change]
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Record and state what texts find across each change, or say why that cannot be told."""
    if substrate.source != "vectors" or not changes:
        return (), ()
    moves, few = [], []
    for place, change in enumerate(changes, start=1):
        asked = {"named": list(_models(substrate, change)), "started": change.started,
                 "ended": change.ended}  # fmt: skip
        rows = ask.ask(ACROSS, **asked)
        found = _across(rows)
        if found is None:
            few.append(place)
        else:
            moves.append(_Move(place, *found, ask.recorded(ACROSS, **asked)))
    limits = (
        f"Fewer than {FEW_TEXTS} texts have vectors of one length on both sides of "
        f"{numbered(few)}: what a search finds since cannot be told.",
    ) if few else ()  # fmt: skip
    if not moves:
        return (), limits
    ask.measure("neighbours_kept", [_row(move) for move in moves], "table", moves[0].query,
                n=sum(move.found.texts for move in moves))  # fmt: skip
    worst = min(moves, key=lambda move: move.found.mixed.value if move.found.mixed else 0.0)
    return (
        Finding(
            _said(worst, len(moves)), ("neighbours_kept",),
            tuple(ask.evidence_id(move.query) for move in moves),
        ),
    ), limits  # fmt: skip


def _models(substrate: Substrate, change: Change) -> tuple[str, ...]:
    """Models of the line that a change is of.

    Two lines may have changes that are equal in everything: whose it is, is told by identity.
    """
    return next(
        line.models for line in substrate.lines if any(one is change for one in line.changes)
    )


def _across(rows: Sequence[dict[str, Any]]) -> tuple[MovedNeighbours, Swapped | None] | None:
    """Compare what is found; None with few texts.

    A vector too small or too large to be squared is not even similar to itself; its text is left
    out.
    """
    n = math.isqrt(len(rows))
    old, across, new = (
        np.array([row[x] for row in rows], np.float64).reshape(n, n)
        for x in ("old_old", "new_old", "new_new")
    )
    known = np.flatnonzero(np.isfinite(np.diagonal(old)) & np.isfinite(np.diagonal(new)))
    old, across, new = (x[np.ix_(known, known)] for x in (old, across, new))
    if len(known) < FEW_TEXTS:
        return None
    if not np.isfinite(across).all():
        return moved_neighbours(old, None, new), None
    similarity = np.block([[old, across.T], [across, new]])
    return moved_neighbours(old, across, new), swapped_discrepancy(2 - 2 * similarity)


def _row(move: _Move) -> dict[str, Any]:
    found, moved = move.found, move.moved
    row: dict[str, Any] = {"change": move.place, "texts": found.texts, "nearest": found.nearest}
    for name, e in (("itself", found.itself), ("mixed", found.mixed), ("anew", found.anew)):
        row |= {name: e and e.value, f"{name}_low": e and e.low, f"{name}_high": e and e.high}
    return row | {"discrepancy": moved and moved.squared, "p": moved and moved.p}


def _said(move: _Move, moves: int) -> str:
    """Say what a search finds across a change, in a mixed index and in one that is built anew."""
    found, moved = move.found, move.moved
    where = f"Across change {move.place}{', the worst of them' if moves > 1 else ''}, of "
    where += f"{count(found.texts, 'texts')} that were embedded again: "
    near = f"of the {number(found.nearest)} nearest to each"
    if found.itself is None or found.mixed is None or moved is None:
        return (
            f"{where}an index of vectors from before cannot be asked with those since, which have "
            f"another length; with all embedded anew {_share(found.anew)} {near} stay the nearest."
        )
    as_set = "lie elsewhere" if moved.p < TOGETHER else "may lie where they lay"
    return (
        f"{where}asked with vectors from after it, an index of vectors from before it finds "
        f"{_share(found.itself)} of the texts by their own, and {_share(found.mixed)} {near}; with "
        f"all embedded anew {_share(found.anew)} stay the nearest. As a set the texts {as_set} "
        f"(squared mean discrepancy {number(moved.squared)}, {p_value(moved.p)} against swaps of "
        "before and after)."
    )


def _share(e: Estimate) -> str:
    return spread(e.value, (e.low, e.high), "share")
