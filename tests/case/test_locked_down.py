"""What a person types as SQL reaches the evidence and nothing else, and changes nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from tests.importers import loading

from casework import intake
from casework.case import Case, CaseWriter, Query, Receipt, Row
from casework.errors import CaseworkError
from casework.tables import get

planted = pa.table({"x": [1]})
"""A table of Python that a replacement scan would find."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a case, a secret beside it, and a link to the secret."""
    folder = tmp_path_factory.mktemp("case")
    (folder / "case.duckdb").write_bytes(loading.empty_case())
    with CaseWriter(folder / "case.duckdb") as writer:
        row = Row(get("units"), "line 1", {"unit_id": "u1"})
        writer.load(Receipt("units.csv", "0" * 64, 1, "csv", "table_file"), [row])
    (folder / "secret.txt").write_text("TOPSECRET")
    (folder / "secret.csv").write_text("a\nTOPSECRET\n")
    (folder / "link.txt").symlink_to(folder / "secret.txt")
    return folder


@pytest.fixture(scope="module")
def opened(folder: Path) -> Iterator[Case]:
    """Opened once: what one question could change, the next ones would show."""
    with Case(folder / "case.duckdb") as case:
        yield case


REFUSED = {
    # files
    "read_text": "SELECT content FROM read_text('{0}/secret.txt')",
    "read_text of a link": "SELECT content FROM read_text('{0}/link.txt')",
    "read_text upwards": "SELECT content FROM read_text('{0}/x/../secret.txt')",
    "read_text of the case": "SELECT * FROM read_text('{0}/case.duckdb')",
    "read_blob of the case": "SELECT length(content) FROM read_blob('{0}/case.duckdb')",
    "read_csv": "SELECT * FROM read_csv('{0}/secret.csv')",
    "READ_CSV": "SELECT * FROM READ_CSV('{0}/secret.csv')",
    "quoted read_csv": "SELECT * FROM \"read_csv\"('{0}/secret.csv')",
    "qualified read_csv": "SELECT * FROM system.main.read_csv('{0}/secret.csv')",
    "read_json": "SELECT * FROM read_json('{0}/secret.txt')",
    "read_parquet": "SELECT * FROM read_parquet('{0}/secret.txt')",
    "read_duckdb": "SELECT * FROM read_duckdb('{0}/case.duckdb', table_name='units')",
    "a file as a table": "SELECT * FROM '{0}/secret.csv'",
    "the case as a table": "SELECT * FROM '{0}/case.duckdb'",
    "within a join": "SELECT * FROM units JOIN read_text('{0}/secret.txt') ON true",
    "within a subquery": "SELECT (SELECT content FROM read_text('{0}/secret.txt'))",
    "within a CTE": "WITH x AS (FROM read_text('{0}/secret.txt')) SELECT * FROM x",
    "within SUMMARIZE": "SUMMARIZE SELECT * FROM read_text('{0}/secret.txt')",
    "within DESCRIBE": "DESCRIBE SELECT * FROM read_csv('{0}/secret.csv')",
    "glob": "SELECT * FROM glob('/etc/*')",
    "sniff_csv": "FROM sniff_csv('{0}/secret.csv')",
    "parquet_metadata": "SELECT * FROM parquet_metadata('{0}/secret.txt')",
    "query": "SELECT * FROM query('SELECT content FROM read_text(''{0}/secret.txt'')')",
    "query_table": "SELECT * FROM query_table('{0}/secret.csv')",
    "getenv": "SELECT getenv('HOME')",
    "a Python table": "SELECT * FROM planted",
    # the net
    "https": "SELECT * FROM read_parquet('https://example.com/x.parquet')",
    "https as a table": "SELECT * FROM 'https://example.com/x.csv'",
    # writing
    "COPY out": "COPY (SELECT 1) TO '{0}/out.csv'",
    "COPY over the case": "COPY (SELECT 42) TO '{0}/case.duckdb' (FORMAT csv)",
    "COPY over the case at once": (
        "COPY (SELECT 42) TO '{0}/case.duckdb' (FORMAT csv, USE_TMP_FILE false)"
    ),
    "COPY over the log": "COPY (SELECT 42) TO '{0}/case.duckdb.wal' (FORMAT csv)",
    "COPY in": "COPY units FROM '{0}/secret.csv'",
    "EXPORT": "EXPORT DATABASE '{0}/export'",
    "IMPORT": "IMPORT DATABASE '{0}'",
    "INSERT": "INSERT INTO units (unit_id) VALUES ('x')",
    "INSERT in a CTE": (
        "WITH x AS (INSERT INTO units (unit_id) VALUES ('x') RETURNING *) SELECT * FROM x"
    ),
    "DELETE in a CTE": "WITH x AS (DELETE FROM units RETURNING *) SELECT * FROM x",
    "INSERT deep in a CTE": (
        "SELECT * FROM (WITH x AS (UPDATE units SET tier = 'x' RETURNING *) SELECT * FROM x)"
    ),
    "DELETE": "DELETE FROM units",
    "DROP": "DROP TABLE units",
    "ALTER": "ALTER TABLE units ADD COLUMN x INT",
    "CREATE TABLE": "CREATE TABLE x (a INT)",
    "CREATE TEMP TABLE": "CREATE TEMP TABLE units AS SELECT 1 AS unit_id",
    "CREATE MACRO": "CREATE MACRO sum(x) AS 0",
    "CREATE VIEW": "CREATE TEMP VIEW units AS SELECT 1",
    "VACUUM": "VACUUM",
    "CHECKPOINT": "CHECKPOINT",
    # settings and surroundings
    "ATTACH a file": "ATTACH '{0}/other.duckdb'",
    "ATTACH memory": "ATTACH ':memory:' AS m",
    "ATTACH the net": "ATTACH 'https://example.com/x.duckdb'",
    "DETACH": "DETACH evidence",
    "USE": "USE memory",
    "INSTALL": "INSTALL httpfs",
    "INSTALL community": "INSTALL shellfs FROM community",
    "LOAD": "LOAD httpfs",
    "LOAD a file": "LOAD '{0}/evil.duckdb_extension'",
    "CREATE SECRET": "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "SET external access": "SET enable_external_access = true",
    "RESET": "RESET enable_external_access",
    "SET directories": "SET allowed_directories = ['/']",
    "SET anything": "SET threads = 1",
    "SET VARIABLE": "SET VARIABLE x = 1",
    "PRAGMA": "PRAGMA enable_external_access = true",
    "profiling to a file": "PRAGMA profiling_output = '{0}/profile.json'",
    "logging to a file": (
        "CALL enable_logging(storage = 'file', storage_config = {{'path': '{0}/log'}})"
    ),
    "logging as a table": (
        "SELECT * FROM enable_logging(storage = 'file', storage_config = {{'path': '{0}/log'}})"
    ),
    "CALL": "CALL pragma_version()",
    "EXPLAIN ANALYZE": "EXPLAIN ANALYZE SELECT 1",
    "PREPARE": "PREPARE x AS SELECT 1",
    "BEGIN": "BEGIN",
    # shape
    "two statements": "SELECT 1; SELECT 2",
    "a second one behind a comment": "SELECT 1; -- over\n DROP TABLE units",
    "none": "",
    "only a comment": "-- nothing",
    "no SQL": "SELEC 1",
    "a table that is not there": "SELECT * FROM nowhere",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_reaches_outside_is_refused_and_changes_nothing(
    folder: Path, opened: Case, name: str
) -> None:
    case_file = folder / "case.duckdb"
    before = case_file.read_bytes()
    names = sorted(path.name for path in folder.iterdir())
    with pytest.raises(CaseworkError) as caught:
        opened.sql(REFUSED[name].format(folder))
    assert opened.sql("SELECT unit_id FROM units").rows == [("u1",)]
    assert caught.value.code.startswith(("SQL_", "QUERY_FAILED"))
    assert "TOPSECRET" not in str(caught.value)
    assert case_file.read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == names


HARMLESS = {
    "SELECT": ("SELECT unit_id FROM units", [("u1",)]),
    "FROM": ("FROM units SELECT unit_id", [("u1",)]),
    "VALUES": ("VALUES (1), (2)", [(1,), (2,)]),
    "a trailing semicolon": ("SELECT 1;", [(1,)]),
    "CTE": ("WITH x AS (SELECT 1 AS a) SELECT * FROM x", [(1,)]),
    "UNION": ("SELECT 1 UNION ALL SELECT 2", [(1,), (2,)]),
    "recursion": (
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) "
        "SELECT max(n) FROM r",
        [(3,)],
    ),
    "materialised CTE": ("WITH x AS MATERIALIZED (SELECT 1 AS a) SELECT * FROM x", [(1,)]),
    "text that looks like code": ("SELECT 'read_csv(''x''); DROP TABLE units'", None),
    "a column that looks like code": ("SELECT unit_id AS read_text FROM units", [("u1",)]),
    "instants are UTC": (
        "SELECT CAST(TIMESTAMPTZ '2026-03-01 09:00:00+01' AS VARCHAR)",
        [("2026-03-01 08:00:00+00",)],
    ),
    "secrets": ("SELECT count(*) FROM duckdb_secrets()", [(0,)]),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_questions_are_answered(opened: Case, name: str) -> None:
    sql, expected = HARMLESS[name]
    found = opened.sql(sql).rows
    assert expected is None or found == expected


@pytest.mark.parametrize("sql", ["DESCRIBE units", "SUMMARIZE units", "SHOW TABLES"])
def test_questions_about_the_tables_are_answered(opened: Case, sql: str) -> None:
    assert opened.sql(sql).rows


def test_a_question_that_takes_too_long_is_stopped(folder: Path) -> None:
    slow = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"
    with Case(folder / "case.duckdb") as case:
        with pytest.raises(CaseworkError, match=r"QUERY_TIMEOUT.*longer than 0.5 s"):
            case.sql(slow, seconds=0.5)
        assert case.sql("SELECT 1").rows == [(1,)]


def test_no_more_rows_than_asked_for(folder: Path) -> None:
    with Case(folder / "case.duckdb") as case:
        assert len(case.sql("SELECT * FROM range(100000000)", limit=7).rows) == 7


def test_the_settings_hold_even_without_the_gate(folder: Path) -> None:
    """What the gate lets through by mistake meets a second wall."""
    with Case(folder / "case.duckdb") as case:
        for sql in (
            f"SELECT * FROM read_text('{folder}/secret.txt')",
            f"COPY (SELECT 1) TO '{folder}/out.csv'",
            f"ATTACH '{folder}/other.duckdb'",
            "INSERT INTO units (unit_id) VALUES ('x')",
            "SET enable_external_access = true",
            "SELECT * FROM planted",
        ):
            for connection in (case._connection, case._asking):
                with pytest.raises(duckdb.Error):
                    connection.execute(sql)


@pytest.mark.parametrize("opened", [Case, CaseWriter])
def test_a_file_of_another_database_fetches_no_extension(tmp_path: Path, opened: type) -> None:
    with closing(sqlite3.connect(tmp_path / "case.duckdb")) as other:
        other.execute("CREATE TABLE t (a)")
        other.commit()
    with pytest.raises(CaseworkError, match="NOT_A_CASE") as caught:
        opened(tmp_path / "case.duckdb")
    assert "://" not in str(caught.value), "it went to the net"


@pytest.mark.parametrize("prefix", ["sqlite:", "s3:", "md:"])
def test_the_name_of_a_case_chooses_no_other_database(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    (tmp_path / f"{prefix}case.duckdb").write_bytes((folder / "case.duckdb").read_bytes())
    monkeypatch.chdir(tmp_path)
    with Case(f"{prefix}case.duckdb") as case:
        assert case.filled("units")
    CaseWriter(Path(f"{prefix}case.duckdb")).close()


LATE = "SELECT CASE WHEN i = 5000 THEN error('late') ELSE i END FROM range(6000) t(i)"
"""A query that fails while its rows are fetched."""


def test_what_fails_late_is_told_like_what_fails_at_once(folder: Path) -> None:
    with Case(folder / "case.duckdb") as case:
        with pytest.raises(CaseworkError, match=r"QUERY_FAILED.*late"):
            case.sql(LATE, limit=6000)
        with pytest.raises(CaseworkError, match=r"QUERY_FAILED.*late"):
            case.rows(Query("late", LATE))


def test_a_case_that_cannot_be_made_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise duckdb.IOException('IO Error: Could not write file "x": No space left on device')

    monkeypatch.setattr("casework.case._writer.build", full)
    with pytest.raises(CaseworkError, match=r"CASE_NOT_WRITABLE.*No space left"):
        Case.create(tmp_path / "new.duckdb")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_no_fault_of_the_source(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise duckdb.IOException('IO Error: Could not write file "x": No space left on device')

    path = tmp_path / "case.duckdb"
    path.write_bytes((folder / "case.duckdb").read_bytes())
    (tmp_path / "units.csv").write_text("unit_id\nu2\n")
    monkeypatch.setattr("casework.case._loading.settle", full)
    (outcome,) = intake.load(path, [tmp_path / "units.csv"])
    assert (outcome.status, outcome.code) == ("failed", "CASE_NOT_WRITABLE")
    with Case(path) as case:
        assert case.sql("SELECT unit_id FROM units").rows == [("u1",)]
