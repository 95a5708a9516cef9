"""Scores of the shipped weights that stand on record, in the unit of the rebuilds."""

from dataclasses import dataclass

from casework.diagnoses import _closure as q
from casework.diagnoses._inquiry import Inquiry

_APART = 3.0
"""Marks out of five, ten or twenty, read as percent, lie further from a share than this."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A score on record.

    Attributes:
        score: in the unit of the rebuilds.
        written: as it stands there.
        source: where it stands.
    """

    score: float
    written: float
    source: str


@dataclass(frozen=True, slots=True)
class Record:
    """The scores on record.

    Attributes:
        reported: with which the artifact was shipped.
        later: of the last eval run since then, of the same suite; its harness may have drifted.
        unlike: those that are of another unit than the rebuilds, which are not compared.
    """

    reported: Noted | None
    later: Noted | None
    unlike: tuple[Noted, ...]


def record_of(ask: Inquiry, names: list[str], mean: float | None, *, is_share: bool) -> Record:
    """Read the scores on record.

    Args:
        ask: the inquiry.
        names: of the artifact.
        mean: of the runs that they are compared with, None without runs.
        is_share: whether all scores of those lie between 0 and 1.
    """
    found: list[Noted | None] = [None, None]
    unlike = []
    rows = ask.ask(q.REPORTED, names=names)
    rows = rows + ask.ask(q.RESCORED, names=names) if rows else rows
    for place, row in enumerate(rows):
        written = row["score"]
        score = written if mean is None else in_unit(written, mean, is_share=is_share)
        if score is None:
            unlike.append(Noted(written, written, row["source"]))
        else:
            found[place] = Noted(score, written, row["source"])
    return Record(found[0], found[1], tuple(unlike))


def in_unit(score: float, mean: float, *, is_share: bool) -> float | None:
    """Read a score in the unit of others: a share among percentages, a percentage among shares.

    Args:
        score: as it is on record.
        mean: of the others.
        is_share: whether all others lie between 0 and 1.

    Returns:
        The score in their unit, or None where it is of another: one of the two is a share, and
        the other is no percentage that is near it.
    """
    if is_share == (0 <= score <= 1):
        return score
    converted = score / 100 if is_share else 100 * score
    return converted if mean / _APART <= converted <= _APART * mean else None
