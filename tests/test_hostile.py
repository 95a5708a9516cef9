"""Hostile and broken input: each ends in its code, runs nothing, and the files beside it load."""

import gzip
import io
import json
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from casework import intake
from casework.case import Case, CaseWriter

BOMB = b"\0" * (40 << 20)
MARK = "casework-was-run"  # in the working folder of the test


class Evil:
    """An object that runs a program when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return (os.system, (f"touch {MARK}",))


def archive(*members: tuple[str, bytes], deflate: bool = True) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        for name, data in members:
            method = zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
            file.writestr(zipfile.ZipInfo(name), data, method)
    return sink.getvalue()


def database() -> bytes:
    path = Path("hostile.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE units AS SELECT 'u' AS unit_id")
        connection.execute("CREATE MACRO sum(x) AS 0")
    return path.read_bytes()


def deep(kind: str) -> bytes:
    return (kind * 100_000).encode()


def log(sample: str) -> bytes:
    return b'{"version":2,"status":"success","eval":{"task":"t","model":"m"},"samples":[%s]}' % (
        sample.encode()
    )


LM_EVAL = b'{"results": {}, "configs": {}, "results": {}}'
ALIASES = b"schema: '2.0'\nstages:\n  a: &a {cmd: x}\n  b: *a\n"
TAGGED = b"schema: '2.0'\nstages: !!python/object/apply:os.system ['touch casework-was-run']\n"

# threat, name of the file, its bytes, the code it must end in
WHOLE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "zip: a name that leads out of it": (
        "a.zip",
        lambda: archive(("../../evil.csv", b"x")),
        "ZIP_UNSAFE_NAME",
    ),
    "zip: an absolute name": ("a.zip", lambda: archive(("/etc/evil.csv", b"x")), "ZIP_UNSAFE_NAME"),
    "zip: a name with a drive": (
        "a.zip",
        lambda: archive(("C:\\evil.csv", b"x")),
        "ZIP_UNSAFE_NAME",
    ),
    "zip: 40 MB of zeros": ("a.zip", lambda: archive(("units.csv", BOMB)), "ZIP_RATIO"),
    "gzip: 40 MB of zeros as a table": (
        "units.csv.gz",
        lambda: gzip.compress(BOMB),
        "SOURCE_UNREADABLE",
    ),
    "zip: two names that differ in case": (
        "a.zip",
        lambda: archive(("units.csv", b"unit_id\n1\n"), ("UNITS.csv", b"unit_id\n2\n")),
        "ZIP_DUPLICATE_NAME",
    ),
    "pickle: a model that runs a program": (
        "model.pkl",
        lambda: pickle.dumps(Evil()),
        "ARTIFACT_OPAQUE",
    ),
    "pickle: the same, named as a table": (
        "units.bin",
        lambda: pickle.dumps(Evil()),
        "ARTIFACT_OPAQUE",
    ),
    "YAML: an alias": ("dvc.lock", lambda: ALIASES, "YAML_ALIAS_REFUSED"),
    "YAML: a tag that calls a function": ("dvc.lock", lambda: TAGGED, "YAML"),
    "YAML: 100,000 lists within each other": (
        "dvc.lock",
        lambda: b"stages:\n  a: " + deep("["),
        "YAML_DEPTH",
    ),
    "JSON: results with a key twice": ("results.json", lambda: LM_EVAL, "JSON_DUPLICATE_KEY"),
    "JSON: a log with 100,000 lists within each other": (
        "log.json",
        lambda: b'{"status": "x", "eval": {"task": "t", "model": "m"}, "samples": ' + deep("["),
        "JSON_DEPTH",
    ),
    "JSON: a log that is not UTF-8": (
        "log.json",
        lambda: log('"\xff"').replace(b"\xc3\xbf", b"\xff"),
        "JSON_ENCODING",
    ),
    "Parquet: torn": ("units.parquet", lambda: b"PAR1" + bytes(40), "SOURCE_UNREADABLE"),
    "DuckDB: a file with a macro in place of a function": (
        "evidence.duckdb",
        database,
        "DUCKDB_FILE",
    ),
    "gzip: torn": (
        "units.csv.gz",
        lambda: gzip.compress(b"unit_id\n" + b"u\n" * 999)[:-9],
        "SOURCE_UNREADABLE",
    ),
}

# threat, name of the file, its bytes, the codes of its rejects, and how many rows are kept
ROWS: dict[str, tuple[str, bytes, list[str], int]] = {
    "JSON Lines: a key twice": (
        "units.jsonl",
        b'{"unit_id":"a"}\n{"unit_id":"b","unit_id":"c"}\n',
        ["JSON_DUPLICATE_KEY"],
        1,
    ),
    "JSON Lines: NaN": ("units.jsonl", b'{"unit_id":"a"}\n{"unit_id":"b","x":NaN}\n', ["JSON"], 1),
    "JSON Lines: 100,000 lists within each other": (
        "units.jsonl",
        b'{"unit_id":"a"}\n{"unit_id":' + deep("[") + b"}\n",
        ["JSON_DEPTH"],
        1,
    ),
    "JSON Lines: a line of 17 MiB": (
        "units.jsonl",
        b'{"unit_id":"a"}\n{"unit_id":"' + b"x" * (17 << 20) + b'"}\n',
        ["JSON_TOO_LONG"],
        1,
    ),
    "JSON Lines: half a surrogate": (
        "units.jsonl",
        b'{"unit_id":"a"}\n{"unit_id":"\\ud800"}\n',
        ["JSON"],
        1,
    ),
    "JSON Lines: a torn line": ("units.jsonl", b'{"unit_id":"a"}\n{"unit_id":', ["JSON"], 1),
    "CSV: SQL as the name of a column": (
        "units.csv",
        b'unit_id,"a""; drop table units; --"\nu,1\n',
        [],
        1,
    ),
    "CSV: SQL as a value": ("units.csv", b'unit_id,tier\nu,"x\'); DROP TABLE units; --"\n', [], 1),
}


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    CaseWriter.create(tmp_path / "case.duckdb", "hostile")
    return tmp_path / "case.duckdb"


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """A folder with one good file."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "nps.csv").write_text("account_id,score,responded_at\na,9,2026-03-01T00:00:00Z\n")
    return folder


@pytest.fixture
def programs() -> list[str]:
    """Programs that are started meanwhile."""
    started: list[str] = []

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen"):
            started.append(f"{event} {args[:2]}")

    sys.addaudithook(hook)
    return started


@pytest.mark.parametrize("threat", WHOLE)
def test_a_hostile_file_ends_in_its_code(
    case: Path, evidence: Path, programs: list[str], threat: str
) -> None:
    name, data, code = WHOLE[threat]
    (evidence / name).write_bytes(data())
    outcomes = intake.load(case, [evidence])
    by_name = {Path(outcome.path.rpartition("!")[0] or outcome.path).name: outcome
               for outcome in outcomes}  # fmt: skip
    assert by_name[name].code == code, by_name[name].reason
    assert by_name["nps.csv"].status == "loaded"
    assert not [one for one in programs if "casework.intake._reader" not in one]
    assert not Path(MARK).exists()


@pytest.mark.parametrize("threat", ROWS)
def test_a_hostile_row_is_a_reject_and_the_others_are_kept(
    case: Path, evidence: Path, threat: str
) -> None:
    name, data, codes, kept = ROWS[threat]
    (evidence / name).write_bytes(data)
    outcomes = intake.load(case, [evidence])
    assert {outcome.status for outcome in outcomes} == {"loaded"}
    with Case(case) as opened:
        assert [group.code for group in opened.rejects()] == codes
        assert opened.sql("SELECT count(*) FROM units").rows == [(kept,)]
        assert opened.sql("SELECT count(*) FROM nps").rows == [(1,)]


def test_whole_numbers_beyond_a_double_are_kept_exactly(case: Path, evidence: Path) -> None:
    number = 2**63 + 11
    (evidence / "units.jsonl").write_text(json.dumps({"unit_id": "a", "note": [number]}))
    intake.load(case, [evidence])
    with Case(case) as opened:
        (row,) = opened.sql("SELECT attributes::VARCHAR FROM units").rows
    assert str(number) in row[0]
