"""Two million requests in Parquet, loaded and attributed against 50 alias boundaries.

Peers in the same run: the bare table in DuckDB (`CREATE TABLE AS SELECT`), and the bare as-of join
of DuckDB and of Polars, which know neither grades nor clocks.
"""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks._measuring import Measured, measured

START = datetime(2026, 1, 1, tzinfo=UTC)
BOUNDARIES = 50


def write(folder: Path, rows: int) -> None:
    """Write requests.parquet, alias_events.csv and clocks.csv."""
    import duckdb

    step = 90 * 86_400 * 1_000_000 // rows
    duckdb.sql(
        f"""
        COPY (
            SELECT 'd-' || lpad(i::VARCHAR, 9, '0') AS request_id,
                   TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds(i * {step})
                       AS occurred_at,
                   'triage' AS service, 'v1' AS endpoint, 'v1' AS response_model,
                   'u' || (i * 7919 % 200000) AS user_id, 200 + i % 900 AS input_tokens,
                   50 + i % 400 AS output_tokens, 300 + i % 1700 + 0.5 AS latency_ms,
                   CASE WHEN i % 5 = 0 THEN 'refer' ELSE 'accept' END AS decision
            FROM range({rows}) AS r(i)
        ) TO '{folder / "requests.parquet"}'
        """
    )
    gap = timedelta(days=90) / (BOUNDARIES + 1)
    lines = ["alias,checkpoint,valid_from"]
    for i in range(BOUNDARIES + 1):
        at = START - timedelta(days=1) if i == 0 else START + i * gap
        lines.append(f"v1,sha256:{i:064x},{at.isoformat()}")
    (folder / "alias_events.csv").write_text("\n".join(lines) + "\n")
    (folder / "clocks.csv").write_text("host,offset_s,error_s\ngateway,0.5,29.5\n")


def load_case(folder: str) -> int:
    """Ours: make a case and load the folder."""
    from casework.case import Case
    from casework.intake import load

    case = Path(folder, "case.duckdb")
    Case.create(case).close()
    outcomes = load(case, [Path(folder, name) for name in
                           ("requests.parquet", "alias_events.csv", "clocks.csv")])  # fmt: skip
    return sum(o.exhibit.rows_kept for o in outcomes if o.exhibit)


def diagnose_case(folder: str) -> str:
    """Ours: the whole diagnosis."""
    from casework.case import Case
    from casework.diagnoses import get

    with Case(Path(folder, "case.duckdb")) as case:
        result = get("output_attribution")(case)
    return f"{result.verdict}, coverage {result.measures['coverage'].value:.6f}"


def bare_table(folder: str) -> int:
    """Peer: the columns as they are in a DuckDB file."""
    import duckdb

    with duckdb.connect(str(Path(folder, "bare.duckdb"))) as connection:
        connection.execute(
            f"CREATE TABLE requests AS FROM read_parquet('{folder}/requests.parquet')"
        )
        return int(connection.execute("SELECT count(*) FROM requests").fetchall()[0][0])


def bare_join(folder: str) -> Any:
    """Peer: an as-of join in DuckDB and a count per checkpoint."""
    import duckdb

    with duckdb.connect(str(Path(folder, "bare.duckdb"))) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return len(connection.execute(
            f"""
            SELECT a.checkpoint, count(*) FROM requests AS r
            ASOF LEFT JOIN read_csv('{folder}/alias_events.csv') AS a
              ON r.endpoint = a.alias AND r.occurred_at >= a.valid_from
            GROUP BY a.checkpoint
            """
        ).fetchall())  # fmt: skip


def polars_join(folder: str) -> Any:
    """Peer: the same as-of join in Polars, from the Parquet file."""
    import polars as pl

    requests = pl.read_parquet(f"{folder}/requests.parquet").sort("occurred_at")
    events = pl.read_csv(f"{folder}/alias_events.csv", try_parse_dates=True)
    events = events.with_columns(
        pl.col("valid_from").cast(pl.Datetime("us", "UTC"))).sort("valid_from")  # fmt: skip
    joined = requests.join_asof(events, left_on="occurred_at", right_on="valid_from",
                                by_left="endpoint", by_right="alias")  # fmt: skip
    return joined.group_by("checkpoint").len().height


def main() -> None:
    """Print seconds, memory and ratios."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        write(Path(folder), rows)
        table = measured(bare_table, folder)
        ours = measured(load_case, folder)
        join = measured(bare_join, folder)
        polars = measured(polars_join, folder)
        verdict = measured(diagnose_case, folder)
    print(f"{rows:,} requests, {BOUNDARIES} alias boundaries")
    _line("load: bare CREATE TABLE AS SELECT", table, table)
    _line("load: casework, hash and custody included", ours, table)
    _line("attribute: bare as-of join, DuckDB", join, join)
    _line("attribute: bare as-of join, Polars", polars, join)
    _line("attribute: casework, the whole diagnosis", verdict, join)


def _line(what: str, one: Measured, peer: Measured) -> None:
    print(f"{what:45} {one.seconds:7.2f} s {one.megabytes:7.0f} MB "
          f"{one.seconds / peer.seconds:6.2f} x   {one.value}")  # fmt: skip


if __name__ == "__main__":
    main()
