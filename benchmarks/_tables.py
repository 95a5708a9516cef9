"""Two million requests as Parquet and CSV, and what DuckDB does alone with them."""

from pathlib import Path

_WRITE = """
COPY (
    SELECT format('req-{{:09d}}', i) AS request_id,
           TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds(i * 1234567) AS occurred_at,
           occurred_at + to_microseconds(CAST(hash(i + 3) % 5000000 AS BIGINT)) AS ended_at,
           md5(CAST(i AS VARCHAR)) AS trace_id, left(md5(CAST(i + 7 AS VARCHAR)), 16) AS span_id,
           'chat' AS operation, 'support' AS service, 'production' AS environment,
           ['eu-west-1', 'us-east-1'][1 + i % 2] AS region, 'pod-' || (i % 17) AS replica,
           'support-prod' AS endpoint, 'gpt-4o-2024-08-06' AS response_model,
           format('u{{:05d}}', CAST(hash(i) % 10000 AS INTEGER)) AS user_id,
           format('a{{:04d}}', CAST(hash(i) % 1000 AS INTEGER)) AS account_id,
           ['free', 'pro', 'enterprise'][1 + i % 3] AS tier,
           'conv-' || (hash(i + 1) % 100000) AS session_id,
           CAST(hash(i + 2) % 3000 AS BIGINT) AS input_tokens,
           CAST(hash(i + 4) % 400 AS BIGINT) AS output_tokens,
           (hash(i + 3) % 5000000) / 1000.0 AS latency_ms,
           CASE WHEN i % 50 = 0 THEN 'error' ELSE 'ok' END AS status
    FROM range($rows) AS r(i)
) TO '{path}'
"""


def write_requests(path: Path, rows: int) -> None:
    """Write the requests in the format that the suffix of the path names."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_WRITE.format(path=path), {"rows": rows})


def bare(path: str, folder: str) -> int:
    """`CREATE TABLE AS SELECT` of the columns of the file."""
    return _made(folder, [f"CREATE TABLE requests AS FROM '{path}'"])


def bare_with_constraints(path: str, folder: str) -> int:
    """The same into a table whose key is unique and whose required columns are never NULL.

    A load settles both too, and keeps the row that was first where DuckDB would stop.
    """
    from casework.tables import requests

    ends = ", ".join((*requests.key,))
    return _made(
        folder,
        [
            f"CREATE TABLE requests AS FROM '{path}' LIMIT 0",
            *(f"ALTER TABLE requests ALTER {name} SET NOT NULL" for name in requests.required),
            f"ALTER TABLE requests ADD PRIMARY KEY ({ends})",
            f"INSERT INTO requests FROM '{path}'",
        ],
    )


def _made(folder: str, statements: list[str]) -> int:
    import duckdb

    with duckdb.connect(f"{folder}/bare.duckdb") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for statement in statements:
            connection.execute(statement)
        return int(connection.execute("SELECT count(*) FROM requests").fetchall()[0][0])
