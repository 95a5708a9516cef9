"""Sources that are not text: read apart, with limits; what goes wrong never reaches the case."""

import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest
from fixtures.exports import EXPORTS, _otlp
from pyarrow import feather, parquet

from casework import intake, tables
from casework.case import CaseWriter, Item, Row
from casework.errors import CaseworkError
from casework.importers import Importer, Options, Source, get, table_file
from casework.intake import _confined, _reader
from casework.intake import _messages as m
from casework.intake._confined import Confined, is_binary


@pytest.fixture(scope="module")
def confined() -> Iterator[Confined]:
    with Confined() as reader:
        yield reader


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "case.duckdb"
    CaseWriter.create(path, "confined")
    return path


def units(rows: int = 500) -> pa.Table:
    return pa.table({"unit_id": [f"u{n}" for n in range(rows)], "visits": [0.5] * rows})


def tables_of(case: Path) -> list[Any]:
    with duckdb.connect(str(case), read_only=True) as connection:
        return connection.execute("SELECT count(*) FROM units").fetchall()


def reads(confined: Confined, path: Path) -> int | str:
    """How many rows a source gives, or the code of its error."""
    source = Source(path, path.name)
    rows = 0
    try:
        for item in confined.read(source, table_file, Options(tables.get("units"))):
            rows += getattr(item, "content", pa.table({})).num_rows
    except CaseworkError as error:
        return error.code
    return rows


@pytest.mark.parametrize(
    ("data", "binary"),
    [
        (b"a,b\n1,2\n", False),
        ("größe\n".encode("latin-1"), False),
        ("größe".encode()[:-2], False),
        (b"", False),
        (b"PAR1\x15\x04", True),
        (b"PAR1" + b"a" * 70_000, True),
        (b"ARROW1" + b"a" * 70_000, True),
        (b"SQLite format 3\x00", True),
        (b"\xff\xfea\x00", True),
    ],
)
def test_what_is_text_is_not_read_apart(tmp_path: Path, data: bytes, binary: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert is_binary(Source(path, "file")) is binary


@pytest.mark.parametrize("name", ["mlflow_database", "safetensors_header", "inspect_logs"])
def test_read_apart_and_here_is_the_same(tmp_path: Path, confined: Confined, name: str) -> None:
    source = _source(EXPORTS[name](tmp_path, Random(0)).path)
    assert is_binary(source)
    found = confined.importer_of(source)
    assert found is get(name)
    apart = list(confined.read(source, found, Options()))
    here = list(found.read(source, Options()))
    assert sorted(map(str, apart)) == sorted(map(str, here))


def test_spans_of_protobuf_read_apart_are_those_of_json(tmp_path: Path) -> None:
    """Rows, account of fields and notes: a binary source loses nothing on its way."""
    found = []
    for number, way in enumerate(("lines", "protobuf with lengths", "compressed by the collector")):
        case = tmp_path / f"{number}.duckdb"
        CaseWriter.create(case, "otlp")
        (outcome,) = intake.load(case, [_otlp_export(tmp_path / f"{number}.bin", way)])
        exhibit = outcome.exhibit
        assert exhibit, outcome
        assert not exhibit.rows_rejected
        with duckdb.connect(str(case), read_only=True) as connection:
            kept = {
                table: connection.sql(
                    f"SELECT * EXCLUDE (exhibit_id, locator) FROM {table} ORDER BY ALL"
                ).fetchall()
                for table in exhibit.tables
            }
        found.append((kept, exhibit.fields, exhibit.left_out, exhibit.notes, exhibit.rows_read))
    assert found[0] == found[1] == found[2]
    assert len(found[0][0]) == 7


def _otlp_export(path: Path, way: str) -> Path:
    random = Random(3)
    flag = {"feature_flag.key": "f", "feature_flag.context.id": "u", "feature_flag.variant": "b"}
    said = {"evaluations.0.evaluation.score": 0.5, "annotations.0.annotation.label": "like",
            "annotations.0.annotation.annotator_kind": "HUMAN",
            "embedding.embeddings.0.embedding.text": "t",
            "embedding.embeddings.0.embedding.vector": [0.5, 1.0],
            "retrieval.documents.0.document.id": "d"}  # fmt: skip
    event = _otlp.event("feature_flag", flag)
    spans = [_otlp.call(0, 1_762_000_000_123_456_789, random, **said),
             _otlp.span(1, 1_762_000_000_123_456_789, {}, event, event)]  # fmt: skip
    records = [_otlp.record(0, 1_762_000_000_000_000_000, "gen_ai.choice", {}, {"message": "hi"}),
               _otlp.record(0, 1_762_000_000_000_000_000, "other", {})]  # fmt: skip
    _otlp.write_requests(path, spans, records, way)
    return path


def _source(path: Path) -> Source:
    return Source(path, path.name)


def test_tables_read_apart_are_whole(tmp_path: Path, case: Path) -> None:
    parquet.write_table(units(), tmp_path / "units.parquet")
    feather.write_feather(pa.table({"unit_id": ["a", "b", None]}), tmp_path / "units-2.arrow",
                          compression="uncompressed")  # fmt: skip
    outcomes = intake.load(case, [tmp_path / "units.parquet", tmp_path / "units-2.arrow"])
    first, second = (outcome.exhibit for outcome in outcomes)
    assert first is not None
    assert second is not None
    assert (first.rows_kept, first.rows_rejected) == (500, 0)
    assert (second.rows_read, second.rows_kept, second.rows_rejected) == (3, 2, 1)
    assert tables_of(case) == [(502,)]


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_damaged_files_give_a_code_and_the_next_is_read(
    tmp_path: Path, confined: Confined, suffix: str
) -> None:
    whole = tmp_path / f"units.{suffix}"
    if suffix == "parquet":
        parquet.write_table(units(), whole)
    else:
        feather.write_feather(units(), whole, compression="uncompressed")
    data, codes = whole.read_bytes(), set()
    for seed in range(100):
        random = Random(seed)
        damaged = bytearray(data)
        if seed % 2:
            for _ in range(random.randrange(1, 9)):
                damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
        else:
            del damaged[random.randrange(1, len(damaged)) :]
        path = tmp_path / f"damaged.{suffix}"
        path.write_bytes(damaged)
        codes.add(reads(confined, path))
    assert {code for code in codes if isinstance(code, str)} <= {
        *("SOURCE_UNREADABLE", "IMPORT_CRASHED", "IMPORT_MEMORY", "IMPORT_TIME", "BAD_NAME"),
        *("MISSING_COLUMN", "NOT_A_TABLE_FILE", "COMPRESSION"),
    }
    assert "SOURCE_UNREADABLE" in codes
    assert reads(confined, whole) == 500


def test_a_file_that_unfolds_beyond_memory_is_refused(tmp_path: Path, case: Path) -> None:
    text = "x" * (40 << 20)  # one text, said two thousand times: 80 GB from 40 kB
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000, pa.int32()), pa.array([text]))
    path = tmp_path / "units.parquet"
    parquet.write_table(pa.table({"unit_id": column}), path, compression="zstd")
    assert path.stat().st_size < 1 << 20
    (outcome,) = intake.load(case, [path])
    assert (outcome.status, outcome.code) == ("failed", "IMPORT_MEMORY")
    assert tables_of(case) == [(0,)]


def test_rows_of_an_importer_are_said_in_parts_by_their_texts(tmp_path: Path) -> None:
    def read(source: Source, options: Options) -> Iterator[Item]:
        for n in range(600):
            yield Row(tables.get("tickets"), f"row {n}", {"ticket_id": str(n), "text": text})

    text, source = "x" * 140_000, Source(tmp_path, "tickets")
    importer = Importer("wide", "", (tables.get("tickets"),), lambda source: True, read)
    said = [one for one in _reader._read(source, importer, Options()) if isinstance(one, m.Rows)]
    assert [n for one in said for n in one.locators] == [f"row {n}" for n in range(600)]
    assert all(len(one.values) * len(text) < 34 << 20 for one in said)
    assert len(said) == 3


@pytest.mark.slow
def test_a_table_of_wide_rows_is_read_within_the_limits(tmp_path: Path) -> None:
    path, rows, text = tmp_path / "units.parquet", 9_000, "x" * 140_000
    schema = pa.schema([("unit_id", pa.string()), ("region", pa.string())])
    with parquet.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as file:
        texts = [f"{n} {text}" for n in range(rows)]  # 1.3 GB in one group of rows
        file.write_table(pa.table({"unit_id": texts, "region": ["eu"] * rows}, schema=schema))
    with Confined() as reader:
        assert reads(reader, path) == rows


PROGRAMS = {
    "silent": ("import time; time.sleep(60)", "IMPORT_TIME", "said nothing for 2 s"),
    "killed": ("import os; os.kill(os.getpid(), 11)", "IMPORT_CRASHED", "ended by SIGSEGV"),
    "short of memory": ("import os; os.kill(os.getpid(), 9)", "IMPORT_CRASHED",
                        "ended by SIGKILL, as the system does where memory is short"),
    "of no name": ("import os; os.kill(os.getpid(), 40)", "IMPORT_CRASHED", "ended by signal 40"),
    "busy": ("import os; os.kill(os.getpid(), 24)", "IMPORT_TIME", "more processor time than"),
    "ended": ("raise SystemExit(3)", "IMPORT_CRASHED", "exit status 3"),
    "deaf": ("import os, time; os.close(0); os.close(1); time.sleep(60)", "IMPORT_CRASHED",
             "closed its pipe"),
    "garbage": ("print('x' * 100)", "IMPORT_CRASHED", "cannot be understood"),
    "endless": ("import sys; sys.stdout.buffer.write(b'\\xff' * 8)", "IMPORT_CRASHED", "1 GiB"),
}  # fmt: skip


@pytest.mark.parametrize(("program", "code", "words"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_reader_that_fails_is_one_clear_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, code: str, words: str
) -> None:
    path = tmp_path / "units.parquet"
    parquet.write_table(units(1), path)
    monkeypatch.setattr(_confined, "_ENDING_S", 0.5)
    with Confined(patience_s=2.0) as reader, monkeypatch.context() as changed:
        changed.setattr(_confined, "_COMMAND", (sys.executable, "-c", program))
        with pytest.raises(CaseworkError, match=words) as told:
            list(reader.read(Source(path, path.name), table_file, Options()))
    assert told.value.code == code


def test_a_reader_that_is_given_serves_several_loads_and_goes_on(
    tmp_path: Path, case: Path
) -> None:
    with Confined() as reader:
        used = set()
        for n in (3, 5):
            path = tmp_path / f"units{n}.parquet"
            parquet.write_table(units(n), path)
            (outcome,) = intake.load(case, [path], confined=reader)
            assert outcome.status == "loaded", outcome
            used.add(reader._started().pid)
        assert len(used) == 1
    assert tables_of(case) == [(5,)], "the first three are in both"


def test_a_reader_that_died_unasked_is_started_again(tmp_path: Path) -> None:
    path = tmp_path / "units.parquet"
    parquet.write_table(units(), path)
    with Confined() as reader:
        reader.start()
        assert reader._process
        reader._process.kill()
        reader._process.wait()
        assert reads(reader, path) == 500


def test_the_reader_runs_the_code_that_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    command = list(_confined._COMMAND)
    at = command.index(_confined._PROGRAM)
    command[at] = command[at].replace("main()", "print(main.__code__.co_filename)")
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert Path(told.stdout.strip()).samefile(_reader.__file__)


@pytest.mark.parametrize("value", ["lone \ud800", 2**70])
def test_a_row_that_cannot_be_sent_takes_no_other_with_it(value: Any) -> None:
    table, sent = tables.get("tickets"), io.BytesIO()
    rows = [{"ticket_id": "a"}, {"ticket_id": value}, {"ticket_id": "c"}]
    _reader._send(sent, m.Rows(table.name, ["row 1", "row 2", "row 3"], rows))
    sent.seek(0)
    found = [m.receive_answer(sent) for _ in range(4)]
    assert [one.locators for one in found if isinstance(one, m.Rows)] == [["row 1"], ["row 3"]]
    assert [one.locator for one in found if isinstance(one, m.Rejected)] == ["row 2"]


def test_what_fails_while_an_answer_is_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(message: m.Answer) -> bytes:
        if isinstance(message, m.Packed):
            raise MemoryError
        return msgspec.msgpack.encode(message)

    path, sent = tmp_path / "units.parquet", io.BytesIO()
    parquet.write_table(units(), path)
    monkeypatch.setattr(m, "_encode", short)
    monkeypatch.setattr(_reader, "_limit_time", lambda source: None)
    _reader._say(m.Ask(os.fsencode(path), path.name, "table_file"), sent)
    sent.seek(0)
    *_, last = iter(lambda: m.receive_answer(sent), None)
    assert isinstance(last, m.Failed)
    assert last.code == "IMPORT_MEMORY"


def stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def test_what_is_read_again_apart_counts_once(tmp_path: Path, case: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_bytes(b'unit_id,region\nu1,\x01\nu2,eu\nu3,"torn')
    assert is_binary(Source(path, path.name))
    (outcome,) = intake.load(case, [path])
    assert outcome.exhibit
    assert (outcome.exhibit.rows_kept, outcome.exhibit.rows_rejected) == (2, 1)
    assert tables_of(case) == [(2,)]


LOCATED = {"locator": pa.array(["row 1"])}
FORGED: dict[str, m.Answer] = {
    "no table": m.Rows("exhibits", ["x"], [{"path": "forged"}]),
    "no column": m.Rows("units", ["x"], [{"exhibit_id": "forged"}]),
    "other type": m.Packed("units", stream(pa.table({"unit_id": pa.array([1]), **LOCATED}))),
    "missing": m.Packed(
        "units", stream(pa.table({"unit_id": pa.nulls(1, pa.string()), **LOCATED}))
    ),
    "no stream": m.Packed("units", b"forged"),
    "other answer": m.Recognised("table_file"),
    "no answer": m.Rejected("x", "CODE", "why", "raw", "case_info"),
}


@pytest.mark.parametrize("answer", FORGED.values(), ids=FORGED)
def test_a_forged_answer_is_refused(
    tmp_path: Path, case: Path, monkeypatch: pytest.MonkeyPatch, answer: m.Answer
) -> None:
    path = tmp_path / "units.parquet"
    parquet.write_table(units(), path)
    said = b""
    for message in (answer, m.Done()):
        data = msgspec.msgpack.encode(message)
        said += len(data).to_bytes(8, "little") + data
    program = f"import os, time; os.write(1, {said!r}); time.sleep(60)"
    monkeypatch.setattr(_confined, "_COMMAND", (sys.executable, "-c", program))
    (outcome,) = intake.load(case, [path], format_name="table_file")
    assert (outcome.status, outcome.code) == ("failed", "IMPORT_CRASHED")
    assert tables_of(case) == [(0,)]


@pytest.mark.slow
def test_a_load_that_is_killed_leaves_whole_files_and_can_be_finished(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for n in range(40):
        table = pa.table({"unit_id": [f"{n}-{row}" for row in range(5_000)]})
        parquet.write_table(table, evidence / f"units-{n:02}.parquet")
    with closing(sqlite3.connect(evidence / "other.db")) as database, database:
        database.execute("CREATE TABLE t (x)")
    random = Random(7)
    for attempt in range(20):
        case = tmp_path / f"{attempt}.duckdb"
        CaseWriter.create(case, "killed")
        command = [sys.executable, "-m", "casework", "load", str(case), str(evidence)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            time.sleep(0.3 + random.random() * 1.5)
            os.kill(process.pid, signal.SIGKILL)
        per_exhibit = """
            SELECT e.rows_kept, count(u.exhibit_id) FROM exhibits e
            LEFT JOIN units u USING (exhibit_id) GROUP BY e.exhibit_id, e.rows_kept
        """
        with duckdb.connect(str(case)) as connection:
            found = connection.execute(per_exhibit).fetchall()
            strays = "SELECT count(*) FROM units ANTI JOIN exhibits USING (exhibit_id)"
            assert connection.execute(strays).fetchall() == [(0,)]
        assert all(told == kept == 5_000 for told, kept in found)
        outcomes = intake.load(case, [evidence])
        assert {outcome.status for outcome in outcomes} <= {"loaded", "already", "left"}
        assert tables_of(case) == [(200_000,)]
