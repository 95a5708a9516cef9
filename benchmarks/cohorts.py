"""Five million assignments with units and outcomes through `cohort_skew`.

Peer in the same run: the re-hash test with every unit hashed anew for each draw (SHA-256 through
DuckDB for one draw, times the number of draws), and the same test by NumPy permutation.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks._measuring import measured

DRAWS = 999


def write(folder: Path, units: int) -> None:
    """Write assignments, units with five covariates, and an outcome before and after exposure."""
    import duckdb

    def copy(sql: str, name: str) -> None:
        duckdb.sql(f"COPY ({sql}) TO '{folder / name}.parquet'")

    unit = "'u' || lpad(i::VARCHAR, 8, '0')"
    treated = f"md5_number_lower('salt' || {unit}) % 100 < 5"
    heavy = "exp(1.2 * sqrt(-2 * ln(1 - (hash(i) % 1000003) / 1000003.0)) * cos(6.2831853 * (hash(i * 31 + 7) % 1000003) / 1000003.0))"  # noqa: E501
    copy(
        f"""
        SELECT 'triage' AS experiment, {unit} AS unit_id,
               CASE WHEN {treated} THEN 'treatment' ELSE 'control' END AS arm,
               CAST(md5_number({"'salt' || " + unit}) % 100 AS INTEGER) AS bucket,
               'salt' AS salt, 'in_house' AS algorithm,
               TIMESTAMPTZ '2026-02-01 00:00:00+00' AS assigned_at
        FROM range({units}) AS r(i)
        """,
        "assignments",
    )
    copy(
        f"""
        SELECT {unit} AS unit_id, 'a' || (i // 3) AS account_id,
               TIMESTAMPTZ '2023-01-01 00:00:00+00' + to_minutes(i % 1000000) AS created_at,
               i % 400 = 0 AS is_internal, {heavy} AS sessions_30d, {heavy} * 3 + i % 7 AS requests,
               (i % 1000)::DOUBLE AS tenure_days, (i % 13)::DOUBLE AS seats,
               (hash(i) % 97)::DOUBLE AS score
        FROM range({units}) AS r(i)
        """,
        "units",
    )
    copy(
        f"""
        SELECT {unit} AS unit_id, 'tasks' AS metric,
               CASE WHEN p = 0 THEN TIMESTAMPTZ '2026-01-25 00:00:00+00'
                    ELSE TIMESTAMPTZ '2026-02-08 00:00:00+00' END AS occurred_at,
               {heavy} * (1 + 0.05 * p) + (hash(i * 5 + p) % 100) / 50.0 AS value
        FROM range({units}) AS r(i), range(2) AS q(p)
        """,
        "outcomes",
    )


def load_case(folder: str) -> int:
    """Make a case and load the three files."""
    from casework.case import Case
    from casework.intake import load

    case = Path(folder, "case.duckdb")
    Case.create(case).close()
    files = [Path(folder, f"{name}.parquet") for name in ("assignments", "units", "outcomes")]
    return sum(o.exhibit.rows_kept for o in load(case, files) if o.exhibit)


def diagnose_case(folder: str) -> str:
    """Ours: the whole diagnosis, re-hash test included."""
    from casework.case import Case
    from casework.diagnoses import get

    with Case(Path(folder, "case.duckdb")) as case:
        result = get("cohort_skew")(case)
    return f"{result.verdict}, rehash p {result.measures['rehash_p'].value:.3f}"


def one_rehash(folder: str) -> int:
    """Peer: hash every unit anew and sum the covariates by arm, once."""
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""
            SELECT md5_number_lower('fresh' || unit_id) % 100 < 5 AS treated, count(*),
                   sum(sessions_30d), sum(requests), sum(tenure_days), sum(seats), sum(score),
                   sum(sessions_30d * sessions_30d), sum(requests * requests),
                   sum(tenure_days * tenure_days), sum(seats * seats), sum(score * score)
            FROM read_parquet('{folder}/units.parquet') GROUP BY treated
            """
        ).fetchall()
    return len(rows)


def main() -> None:
    """Print seconds and memory."""
    units = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory(prefix="casework-") as folder:
        write(Path(folder), units)
        loaded = measured(load_case, folder)
        ours = measured(diagnose_case, folder)
        peer = measured(one_rehash, folder)
    print(f"{units:,} assignments, {units:,} units, {2 * units:,} outcomes")
    print(f"load                              {loaded.seconds:8.1f} s {loaded.megabytes:6.0f} MB")
    print(f"cohort_skew, {DRAWS} draws included   {ours.seconds:8.1f} s {ours.megabytes:6.0f} MB"
          f"   {ours.value}")  # fmt: skip
    print(f"one draw by hashing every unit    {peer.seconds:8.1f} s; {DRAWS} draws would take "
          f"{peer.seconds * DRAWS:,.0f} s")  # fmt: skip


if __name__ == "__main__":
    main()
