"""What must be known of the evidence before it is relied on: orphans, clocks, silences, identity.

Every number is one SELECT over the case. Nothing is judged here: a concern says what was found.
"""

from collections.abc import Iterator

from casework.case._guards import guards
from casework.case._query import Query
from casework.case._reader import Case
from casework.records import Concern, Identity
from casework.tables import ALL, Table, alias_events, eval_runs, requests

_SPANS = (
    ("requests", "occurred_at", "ended_at"),
    ("eval_runs", "started_at", "ended_at"),
    ("alias_events", "valid_from", "valid_until"),
    ("deployments", "valid_from", "valid_until"),
)
_SERIES = (requests, eval_runs)
_FEWEST = 100

IDENTITY = Query(
    "model_identity",
    """
    SELECT exhibit_id, count(*) AS requests,
           count(*) FILTER (known_by = 'digest') AS digest,
           count(*) FILTER (known_by = 'response_model') AS response_model,
           count(*) FILTER (known_by = 'copied') AS copied,
           count(*) FILTER (known_by = 'nothing') AS nothing
    FROM (
        SELECT exhibit_id,
               CASE WHEN checkpoint IS NOT NULL THEN 'digest'
                    WHEN response_model IS NULL THEN 'nothing'
                    WHEN bool_and(response_model = endpoint) FILTER (response_model IS NOT NULL)
                         OVER (PARTITION BY exhibit_id) THEN 'copied'
                    ELSE 'response_model' END AS known_by
        FROM requests
    )
    GROUP BY exhibit_id ORDER BY exhibit_id
    """,
    "How the model behind each request is known: a digest on it; a response model that is not "
    "always the name that was called; one that always is, so probably copied; nothing",
)

RETRIES = Query(
    "retried_requests",
    """
    SELECT exhibit_id, count(*) FILTER (nth > 1) AS rows, count(*) AS requests
    FROM (
        SELECT exhibit_id,
               row_number() OVER (PARTITION BY request_id ORDER BY occurred_at, locator) AS nth
        FROM requests
    )
    GROUP BY exhibit_id HAVING count(*) FILTER (nth > 1) > 0 ORDER BY exhibit_id
    """,
    "Requests that repeat an id at a later instant: retries of the same decision",
)

WITHIN = Query(
    "requests_within_requests",
    """
    SELECT outer_one.exhibit_id, count(*) AS rows,
           (SELECT count(*) FROM requests AS every WHERE every.exhibit_id = outer_one.exhibit_id)
    FROM requests AS outer_one SEMI JOIN requests AS inner_one
    ON inner_one.trace_id = outer_one.trace_id AND inner_one.parent_span_id = outer_one.span_id
    GROUP BY outer_one.exhibit_id ORDER BY outer_one.exhibit_id
    """,
    "Model calls whose span is the parent of another model call",
)

CURRENT_ONLY = Query(
    "current_only_aliases",
    """
    SELECT exhibit_id, count(*) AS rows, count(*) FILTER (source LIKE '%current only%') AS now
    FROM alias_events GROUP BY exhibit_id ORDER BY exhibit_id
    """,
    "Alias events that a registry knows of the present alone, without a history",
)


def identities(case: Case) -> tuple[Identity, ...]:
    """How the model behind the requests of each exhibit is known."""
    return tuple(Identity(*row) for row in case.rows(IDENTITY).rows)


def concerns(case: Case) -> tuple[Concern, ...]:
    """All concerns, by exhibit and kind. Tables that hold nothing raise none."""
    filled = {fill.table for fill in case.tables() if fill.rows}
    found = [*_counts(case)]
    for table in ALL:
        if table.name in filled:
            found += _orphans(case, table, filled)
            found += _instants(case, table)
    for name, begun, ended in _SPANS:
        if name in filled:
            found += _backwards(case, name, begun, ended)
    for series in _SERIES:
        if series.name in filled:
            found += _silences(case, series)
    found += (*_repeated(case), *_within(case)) if requests.name in filled else ()
    found += _present_only(case) if alias_events.name in filled else ()
    found += guards(case, filled)
    return tuple(sorted(found, key=lambda one: (one.exhibit_id, one.kind, one.table)))


def _counts(case: Case) -> Iterator[Concern]:
    for one in case.exhibits():
        told = one.rows_kept + one.rows_rejected + one.rows_duplicate
        if told != one.rows_read:
            yield Concern("counts", one.id, "exhibits", abs(one.rows_read - told), one.rows_read,
                          "rows read are not rows kept, rejected and repeated")  # fmt: skip


def _orphans(case: Case, table: Table, filled: set[str]) -> Iterator[Concern]:
    for column, target in table.references.items():
        other, _, key = target.partition(".")
        if other not in filled:
            continue
        query = Query(
            f"orphans_{table.name}_{column}",
            f"""
            SELECT exhibit_id, count(*) FILTER (NOT known), count(*)
            FROM (
                SELECT exhibit_id, {column} IN (SELECT {key} FROM {other}) AS known
                FROM {table.name} WHERE {column} IS NOT NULL
            )
            GROUP BY exhibit_id HAVING count(*) FILTER (NOT known) > 0 ORDER BY exhibit_id
            """,
        )
        for exhibit, rows, of in case.rows(query).rows:
            yield Concern("orphans", exhibit, table.name, rows, of,
                          f"{column} names what is not in {other}")  # fmt: skip


def _instants(case: Case, table: Table) -> Iterator[Concern]:
    if table.time is None:
        return
    query = Query(
        f"instants_{table.name}",
        f"""
        SELECT t.exhibit_id, count(*) FILTER (t.{table.time} > e.loaded_at),
               count(*) FILTER (t.{table.time} < TIMESTAMPTZ '2000-01-01 00:00:00+00'), count(*)
        FROM {table.name} AS t JOIN exhibits AS e USING (exhibit_id)
        WHERE t.{table.time} IS NOT NULL GROUP BY t.exhibit_id ORDER BY t.exhibit_id
        """,
    )
    for exhibit, future, ancient, of in case.rows(query).rows:
        if future:
            yield Concern("future", exhibit, table.name, future, of,
                          f"{table.time} is later than the load")  # fmt: skip
        if ancient:
            yield Concern("ancient", exhibit, table.name, ancient, of,
                          f"{table.time} is before the year 2000")  # fmt: skip


def _backwards(case: Case, table: str, begun: str, ended: str) -> Iterator[Concern]:
    query = Query(
        f"backwards_{table}",
        f"""
        SELECT exhibit_id, count(*) FILTER ({ended} < {begun}), count(*) FROM {table}
        GROUP BY exhibit_id HAVING count(*) FILTER ({ended} < {begun}) > 0 ORDER BY exhibit_id
        """,
    )
    for exhibit, rows, of in case.rows(query).rows:
        what = f"{ended} is before {begun}"
        yield Concern("backwards", exhibit, table, rows, of, what)


def _silences(case: Case, table: Table) -> Iterator[Concern]:
    """The longest silence of a series, where it stands out.

    It is longer than an hour, than twenty times the median spacing, and than twice the second
    longest: nights and week-ends come more than once, an outage does not.
    """
    query = Query(
        f"silences_{table.name}",
        f"""
        SELECT exhibit_id, longest[1], longest[2], rows, until
        FROM (
            SELECT exhibit_id, max(gap, 2) AS longest, median(gap) AS spacing,
                   count(*) + 1 AS rows, arg_max(instant, gap) AS until
            FROM (
                SELECT exhibit_id, {table.time} AS instant,
                       epoch({table.time} - lag({table.time}) OVER (
                           PARTITION BY exhibit_id ORDER BY {table.time})) AS gap
                FROM {table.name}
            )
            WHERE gap IS NOT NULL GROUP BY exhibit_id
        )
        WHERE rows >= {_FEWEST} AND longest[1] > 3600 AND longest[1] > 20 * spacing
              AND longest[1] > 2 * coalesce(longest[2], 0)
        ORDER BY exhibit_id
        """,
    )
    for exhibit, longest, second, rows, until in case.rows(query).rows:
        told = f"nothing for {longest / 3600:,.1f} h until {until:%Y-%m-%d %H:%M} UTC"
        what = f"{told}; the next longest silence is {(second or 0) / 3600:,.1f} h"
        yield Concern("silence", exhibit, table.name, 0, rows, what)


def _repeated(case: Case) -> Iterator[Concern]:
    for exhibit, rows, of in case.rows(RETRIES).rows:
        what = "an id comes again at a later instant: a retry, of which the first counts"
        yield Concern("retries", exhibit, requests.name, rows, of, what)


def _within(case: Case) -> Iterator[Concern]:
    """A framework and the client that it calls may each tell of one call, as the same or not."""
    what = (
        "a model call stands below it in its trace: a framework and its client may both tell of one"
    )
    for exhibit, rows, of in case.rows(WITHIN).rows:
        yield Concern("nested_calls", exhibit, requests.name, rows, of, what)


def _present_only(case: Case) -> Iterator[Concern]:
    what = "the present alias alone: where it pointed before is unknown"
    for exhibit, rows, now in case.rows(CURRENT_ONLY).rows:
        if now:
            yield Concern("current_only", exhibit, alias_events.name, now, rows, what)
