"""Scores of the shipped weights that stand on record, in the unit of the rebuilds."""

from dataclasses import dataclass

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry


def _is_other(measured: str) -> str:
    """SQL: whether what a score was measured on is known, and is not the registered version `m`."""
    return (
        f"coalesce(NOT list_contains($names, {measured}) AND regexp_replace(lower({measured}), "
        "'^sha256:', '') <> regexp_replace(lower(m.checkpoint), '^sha256:', ''), false)"
    )


REPORTED = Query(
    "reported",
    f"""
    SELECT score, source, noted_at, dataset_hash, run_id, is_other,
           coalesce(suite,
                    (SELECT min(suite) FROM eval_runs
                     WHERE list_contains($names, checkpoint)
                     HAVING count(DISTINCT suite) = 1),
                    (SELECT min(e.suite) FROM eval_runs AS e
                     WHERE list_contains($names, e.checkpoint)
                       AND (abs(e.score - told.score) <= 0.001 * abs(told.score)
                            OR abs(e.score / 100 - told.score) <= 0.001 * abs(told.score))
                     HAVING count(DISTINCT e.suite) = 1)) AS suite
    FROM (
        SELECT m.metric_value AS score, 'the registry' AS source, 0 AS rank,
               m.created_at AS noted_at, r.dataset_hash, coalesce(r.suite, m.benchmark) AS suite,
               m.eval_run_id AS run_id,
               {_is_other("m.eval_checkpoint")} OR {_is_other("r.checkpoint")} AS is_other
        FROM model_versions AS m LEFT JOIN eval_runs AS r ON r.run_id = m.eval_run_id
        WHERE list_contains($names, m.checkpoint) AND m.metric_value IS NOT NULL
        UNION ALL
        SELECT score, concat('eval run ', run_id), 1, started_at, dataset_hash, suite, run_id,
               false
        FROM eval_runs WHERE list_contains($names, checkpoint) AND score IS NOT NULL
    ) AS told
    ORDER BY rank, noted_at, score, source LIMIT 1
    """,  # noqa: S608  the text is put together of constants
    "The score with which the artifact was shipped, as it is on record; its suite is the only one, "
    "or that of the eval run with this score. A version may quote a run of other weights.",
)

RESCORED = Query(
    "rescored",
    """
    SELECT e.score, concat('eval run ', e.run_id) AS source
    FROM eval_runs AS e
    JOIN reported AS r
      ON e.started_at > r.noted_at AND e.suite = r.suite AND e.run_id IS DISTINCT FROM r.run_id
     AND coalesce(e.dataset_hash = r.dataset_hash, true)
    WHERE list_contains($names, e.checkpoint) AND e.score IS NOT NULL
    ORDER BY e.started_at DESC, e.run_id LIMIT 1
    """,
    "The last score of the shipped weights since then, on the same suite.",
    uses=(REPORTED,),
)

_APART = 3.0
"""Marks out of five, ten or twenty, read as percent, lie further from a share than this."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A score on record.

    Attributes:
        score: in the unit of the rebuilds.
        written: as it stands there.
        source: where it stands.
        is_other: whether it was measured on other weights.
    """

    score: float
    written: float
    source: str
    is_other: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """The scores on record.

    Attributes:
        reported: with which the artifact was shipped.
        later: of the last eval run since then, of the same suite; its harness may have drifted.
        unlike: those of another unit than the rebuilds, or of other weights than the shipped,
            which are not compared.
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
    rows = ask.ask(REPORTED, names=names)
    rows = rows + ask.ask(RESCORED, names=names) if rows else rows
    for place, row in enumerate(rows):
        written = row["score"]
        score = written if mean is None else in_unit(written, mean, is_share=is_share)
        is_other = place == 0 and row["is_other"]
        if score is None or is_other:
            unlike.append(Noted(written, written, row["source"], is_other))
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
