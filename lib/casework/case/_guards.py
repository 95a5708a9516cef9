"""Concerns that hold for whatever is diagnosed: scores, censored logs, answers before questions.

METHODS, 0.8 and section 14: reported rates that no count of items gives, logs that kept one outcome
alone, and feedback that is older than the request that it is about.
"""

from collections.abc import Iterator

from casework.case._query import Query
from casework.case._reader import Case
from casework.records import Concern
from casework.stats.grim import SINGLE, is_possible_share
from casework.tables import candidates, eval_runs, eval_samples, feedback, requests, tickets

_FEWEST = 20
"""Rows of one outcome below which it may be chance that there is no other."""
_LATE_S = 60
"""Seconds by which clocks of two sources may differ; where `clocks` tells more, more."""
_QUARTER_US = 15 * 60 * 10**6
_DAY_US = 96 * _QUARTER_US

REPORTED = Query(
    "reported_scores",
    """
    SELECT r.exhibit_id, r.score, r.n_items, b.epochs,
           CASE WHEN s.scored = r.n_items * s.epochs THEN s.mean END AS mean, s.scored
    FROM eval_runs AS r
    JOIN (SELECT suite, max(epochs) AS epochs
          FROM (SELECT e.suite, s.run_id, count(*) / count(DISTINCT s.item_id) AS epochs,
                       bool_and(s.score IN (0, 1)) AS whole
                FROM eval_samples AS s JOIN eval_runs AS e ON e.run_id = s.run_id
                WHERE s.score IS NOT NULL AND coalesce(s.condition, 'as_run') = 'as_run'
                GROUP BY e.suite, s.run_id)
          GROUP BY suite HAVING bool_and(whole)) AS b ON b.suite = r.suite
    LEFT JOIN (SELECT run_id, count(*) AS scored, avg(score) AS mean,
                      count(*) / count(DISTINCT item_id) AS epochs
               FROM eval_samples
               WHERE score IS NOT NULL AND coalesce(condition, 'as_run') = 'as_run'
               GROUP BY run_id) AS s ON s.run_id = r.run_id
    WHERE r.n_items > 0 AND r.score BETWEEN 0 AND 1
    ORDER BY r.exhibit_id, r.run_id
    """,
    "Scores of runs of suites whose items are right or wrong, and the mean of the items where all "
    "of them are in the case",
)

ONE_OUTCOME = Query(
    "one_outcome",
    """
    SELECT exhibit_id, count(passed) AS rows, bool_and(passed) AS passed, bool_or(passed) AS any
    FROM candidates WHERE passed IS NOT NULL GROUP BY exhibit_id ORDER BY exhibit_id
    """,
    "Candidates by whether any, and whether all, passed the gate",
)

ONE_THUMB = Query(
    "one_thumb",
    """
    SELECT exhibit_id, count(*) AS rows, bool_and(signal > 0) AS up, bool_or(signal > 0) AS any
    FROM feedback GROUP BY exhibit_id ORDER BY exhibit_id
    """,
    "Thumbs by whether all, and whether any, are up",
)


def impossible_scores(case: Case) -> Iterator[Concern]:
    """Scores of runs that no number of right items gives (GRIM), or that their items do not."""
    by_exhibit: dict[str, list[tuple[bool, bool | None]]] = {}
    for exhibit, score, items, epochs, mean, scored in case.rows(REPORTED).rows:
        possible = any(is_possible_share(score, items * k) for k in range(1, int(epochs) + 1))
        agrees = None if mean is None else _rounds_to(mean, score, scored)
        by_exhibit.setdefault(exhibit, []).append((possible, agrees))
    for exhibit, found in by_exhibit.items():
        counted = [agrees for _, agrees in found if agrees is not None]
        wrong = sum(not possible for possible, _ in found)
        if wrong:
            what = "score is a share that no number of right items gives, of as many as it names"
            yield Concern("impossible", exhibit, eval_runs.name, wrong, len(found), what)
        if counted.count(False):
            what = "score is not the mean of the items of the run, all of which are in the case"
            yield Concern(
                "recount", exhibit, eval_runs.name, counted.count(False), len(counted), what
            )


def _rounds_to(mean: float, score: float, items: int) -> bool:
    """Whether a score is the mean, as far as its decimals or single precision tell."""
    # a score of 1 is that of a hundredth at the least, since who writes 100 % means it
    decimals = max(2, len(f"{score:.10f}".rstrip("0").partition(".")[2]))
    return abs(mean - score) <= max(0.5 * 10.0**-decimals + 1e-9 / items, SINGLE * mean)


def censored(case: Case) -> Iterator[Concern]:
    """Logs that kept candidates of one outcome, or thumbs of one kind, alone."""
    for exhibit, rows, passed in _one_sided(case, ONE_OUTCOME):
        which = "passed" if passed else "did not pass"
        what = f"all candidates {which} the gate: the others may not have been logged"
        yield Concern("censored", exhibit, candidates.name, rows, rows, what)
    for exhibit, rows, is_up in _one_sided(case, ONE_THUMB):
        what = f"all thumbs are {'up' if is_up else 'down'}: a rate cannot be read from them"
        yield Concern("censored", exhibit, feedback.name, rows, rows, what)


def _one_sided(case: Case, query: Query) -> list[tuple[str, int, bool]]:
    """Exhibits of one side alone with enough rows; none where others hold the other side alone.

    Two files, one a side, are one log in two parts.
    """
    found = [(exhibit, rows, every) for exhibit, rows, every, some in case.rows(query).rows
             if every == some]  # fmt: skip
    if len({side for *_, side in found}) > 1:
        return []
    return [one for one in found if one[1] >= _FEWEST]


def too_early(case: Case, filled: set[str]) -> Iterator[Concern]:
    """Feedback and reports that are older than the request that they name.

    A time zone that was read wrongly shows as whole hours. A date alone is midnight where it was
    read. Without a zone that is midnight UTC, and the day ends 36 h later in the last of all zones;
    in a zone that was named it ends 25 h later at most.
    """
    for table, column in ((feedback, "occurred_at"), (tickets, "reported_at")):
        if table.name not in filled or requests.name not in filled:
            continue
        query = Query(
            f"too_early_{table.name}",
            f"""
            SELECT exhibit_id, count(*) FILTER (lead > margin), count(*),
                   median(lead) FILTER (lead > margin)
            FROM (
                SELECT t.exhibit_id,
                       epoch(r.asked_at - t.{column})
                           - CASE WHEN epoch_us(t.{column}) % {_DAY_US} = 0 THEN 36 * 3600
                                  WHEN t.exhibit_id IN ({_of_dates(table.name, column)})
                                  THEN 25 * 3600 ELSE 0 END AS lead,
                       greatest({_LATE_S}, (SELECT coalesce(max(abs(coalesce(offset_s, 0))
                                                                + error_s), 0) FROM clocks))
                           AS margin
                FROM {table.name} AS t
                JOIN (SELECT request_id, min(occurred_at) AS asked_at FROM requests
                      WHERE request_id IN (SELECT request_id FROM {table.name})
                      GROUP BY request_id) AS r ON r.request_id = t.request_id
                WHERE t.{column} IS NOT NULL
            )
            GROUP BY exhibit_id HAVING count(*) FILTER (lead > margin) > 0 ORDER BY exhibit_id
            """,
        )
        for exhibit, rows, of, lead in case.rows(query).rows:
            what = (
                f"{column} is before the request that it is about, by {_said(lead)} at the median"
            )
            yield Concern("too_early", exhibit, table.name, rows, of, what)


def _of_dates(table: str, column: str) -> str:
    """SQL of the exhibits that hold dates alone, all at midnight, which summer moves by an hour.

    It is at a whole quarter of an hour of UTC in every zone.
    """
    quarter = f"epoch_us({column}) % {_DAY_US} // {_QUARTER_US}"
    return f"""
        SELECT exhibit_id FROM {table} WHERE {column} IS NOT NULL GROUP BY exhibit_id
        HAVING bool_and(epoch_us({column}) % {_QUARTER_US} = 0)
           AND max({quarter}) - min({quarter}) IN (0, 4, 92) AND count(DISTINCT {quarter}) <= 2"""


def _said(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} h" if seconds >= 1800 else f"{seconds / 60:.0f} min"


def guards(case: Case, filled: set[str]) -> Iterator[Concern]:
    """All of them, of the tables that hold something."""
    if {eval_runs.name, eval_samples.name} <= filled:
        yield from impossible_scores(case)
    yield from censored(case)
    yield from too_early(case, filled)
