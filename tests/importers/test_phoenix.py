"""Phoenix: its database and its tables of annotations say what Phoenix says of the same traces."""

import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from fixtures.exports import EXPORTS
from fixtures.exports.phoenix import _SCHEMA, _insert
from pyarrow import parquet
from tests.importers.loading import load, refusal_of, rows, source_of

from casework.errors import CaseworkError
from casework.importers import Options, get

DATABASE, TABLE = get("phoenix_database"), get("phoenix_annotations")
AT = "2025-03-01 10:00:02.500000"


def database(path: Path, *marks: dict[str, Any], attributes: Any = None, kind: str = "LLM") -> Path:
    """A database with one trace of one span, and marks of the tables that they name."""
    said = {"llm": {"model_name": "m", "invocation_parameters": '{"temperature": 0.5}'}}
    with closing(sqlite3.connect(path)) as opened:
        opened.executescript(_SCHEMA)
        _insert(opened, "projects", id=1, name="shop")
        _insert(opened, "project_sessions", id=1, session_id="sess", project_id=1)
        _insert(opened, "traces", id=7, project_rowid=1, trace_id="t", project_session_rowid=1)
        _insert(opened, "spans", id=9, trace_rowid=7, span_id="abc", span_kind=kind, name="ask",
                start_time="2025-03-01 10:00:00.000000", end_time=AT, status_code="ERROR",
                attributes=said if attributes is None else attributes, events=[])  # fmt: skip
        for mark in marks:
            table = mark.pop("table", "span_annotations")
            key = {"trace_annotations": "trace_rowid"}.get(table, "span_rowid")
            defaults = {key: 7 if key == "trace_rowid" else 9, "created_at": AT, "metadata": {}}
            _insert(opened, table, **{**defaults, **mark})
        opened.commit()
    return path


def notes_of(path: Path, importer: Any = DATABASE) -> str:
    items = importer.read(source_of(path), Options())
    return "\n".join(item.text for item in items if hasattr(item, "text"))


def test_a_span_of_the_database_is_that_of_the_span_table(case: Path, tmp_path: Path) -> None:
    load(case, DATABASE, database(tmp_path / "phoenix.db"))
    sql = """
        SELECT request_id, trace_id, session_id, endpoint, status, latency_ms, occurred_at::VARCHAR,
               attributes->>'project'
        FROM requests
    """
    found = ("abc", "t", "sess", "m", "error", 2500.0, "2025-03-01 10:00:00+00", "shop")
    assert rows(case, sql) == [found]
    span = {"name": "ask", "context": {"trace_id": "t", "span_id": "abc"}, "span_kind": "LLM",
            "start_time": "2025-03-01T10:00:00+00:00", "end_time": "2025-03-01T10:00:02.5+00:00",
            "parent_id": None, "status_code": "ERROR", "attributes": {
                "llm.model_name": "m", "session.id": "sess",
                "llm.invocation_parameters": '{"temperature": 0.5}'}}  # fmt: skip
    path = tmp_path / "spans.jsonl"
    path.write_text(json.dumps(span))
    other = tmp_path / "other.duckdb"
    load(other, get("openinference_spans"), path)
    same = "SELECT * EXCLUDE (exhibit_id, locator, attributes) FROM requests"
    assert rows(case, same) == rows(other, same)


def test_times_are_utc_whatever_zone_is_named(tmp_path: Path) -> None:
    path = database(tmp_path / "phoenix.db")
    items = list(DATABASE.read(source_of(path), Options(timezone="Asia/Tokyo")))
    (call,) = [item for item in items if getattr(item, "table", None)]
    assert str(call.values["occurred_at"]) == "2025-03-01 10:00:00+00:00"
    assert "no time zone" not in notes_of(path)


@pytest.mark.parametrize(
    ("marks", "signals"),
    [
        ([{"label": "thumbs-down"}], [-1]),
        ([{"label": "correct"}], [1]),
        ([{"score": 1.0}], []),  # perhaps one star
        ([{"score": 1.0}, {"score": 0.0}], [1, -1]),
        ([{"score": 1.0}, {"score": -1.0}, {"score": 0.0}], [1, -1]),
        ([{"score": 1.0}, {"score": 4.0}], []),
        ([{"label": "1"}, {"label": "5"}], []),
        ([{"score": 1.0, "label": "good"}, {"score": 0.7, "label": "fair"}], [1]),
        ([{"annotator_kind": "LLM", "label": "correct"}], []),
        ([{"annotator_kind": "CODE", "score": 1.0}, {"score": 0.0}], []),
    ],
)
def test_only_what_a_person_says_without_doubt_is_feedback(
    case: Path, tmp_path: Path, marks: list[dict[str, Any]], signals: list[int]
) -> None:
    given = [{"name": "n", "annotator_kind": "HUMAN", "identifier": f"p{n}", **mark}
             for n, mark in enumerate(marks)]  # fmt: skip
    (exhibit,) = load(case, DATABASE, database(tmp_path / "phoenix.db", *given))
    found = rows(case, "SELECT signal, request_id, occurred_at::VARCHAR FROM feedback")
    assert found == [(one, "abc", "2025-03-01 10:00:02.5+00") for one in signals]
    samples = rows(case, "SELECT count(*), count(DISTINCT epoch) FROM eval_samples")
    assert samples[0][0] == len(marks) - len(signals)
    assert exhibit.rows_rejected == 0


def test_a_thumb_on_another_span_names_the_one_call_of_the_trace(
    case: Path, tmp_path: Path
) -> None:
    mark = {"name": "n", "annotator_kind": "HUMAN", "label": "👍", "table": "trace_annotations"}
    load(case, DATABASE, database(tmp_path / "phoenix.db", mark))
    assert rows(case, "SELECT signal, request_id FROM feedback") == [(1, "abc")]


def test_a_judge_is_a_run_that_never_ends(case: Path, tmp_path: Path) -> None:
    marks = [{"name": "tone", "annotator_kind": "LLM", "score": 0.5, "identifier": str(n),
              "created_at": f"2025-03-0{n} 00:00:00"} for n in (3, 2)]  # fmt: skip
    load(case, DATABASE, database(tmp_path / "phoenix.db", *marks))
    sql = "SELECT run_id, suite, started_at::VARCHAR, ended_at, score, harness FROM eval_runs"
    run = ("openinference:LLM:tone", "tone", "2025-03-02 00:00:00+00", None, None, "openinference")
    assert rows(case, sql) == [run]
    orphans = "SELECT count(*) FROM eval_samples ANTI JOIN eval_runs USING (run_id)"
    assert rows(case, orphans) == [(0,)]


def test_a_judgment_that_could_not_be_read_is_none(case: Path, tmp_path: Path) -> None:
    mark = {"name": "tone", "annotator_kind": "LLM", "label": "NOT_PARSABLE", "score": 0.0}
    path = database(tmp_path / "phoenix.db", mark)
    load(case, DATABASE, path)
    sql = "SELECT score, category, attributes->>'label' FROM eval_samples"
    assert rows(case, sql) == [(None, None, "NOT_PARSABLE")]
    assert "1 judgment could not be read" in notes_of(path)


def test_a_mark_of_what_is_not_there_is_a_reject(case: Path, tmp_path: Path) -> None:
    mark = {"name": "tone", "annotator_kind": "LLM", "score": 1.0, "span_rowid": 77}
    (exhibit,) = load(case, DATABASE, database(tmp_path / "phoenix.db", mark))
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (1, 1)
    assert rows(case, "SELECT code, locator FROM rejects") == [("ORPHAN", "span_annotations/1")]


def test_a_table_of_annotations_whose_partner_is_missing_is_passed_over_and_told(
    case: Path, tmp_path: Path
) -> None:
    path = database(tmp_path / "phoenix.db")
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("ALTER TABLE traces DROP COLUMN project_session_rowid")
        opened.execute("DROP TABLE project_sessions")
        opened.execute("CREATE TABLE IF NOT EXISTS project_session_annotations"
                       "(id, project_session_id, name, annotator_kind, score)")  # fmt: skip
        _insert(opened, "project_session_annotations", id=1, project_session_id=1, name="tone",
                annotator_kind="LLM", score=0.5)  # fmt: skip
        opened.commit()
    (exhibit,) = load(case, DATABASE, path)
    assert rows(case, "SELECT request_id FROM requests") == [("abc",)]
    assert exhibit.left_out["rows of project_session_annotations"] == 1


def test_tables_that_lack_columns_leave_the_others(case: Path, tmp_path: Path) -> None:
    mark = {"name": "n", "annotator_kind": "HUMAN", "label": "thumbs-up"}
    path = database(tmp_path / "phoenix.db", mark)
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("ALTER TABLE project_sessions DROP COLUMN session_id")
        opened.execute("ALTER TABLE spans DROP COLUMN span_kind")
        opened.commit()
    load(case, DATABASE, path)
    assert rows(case, "SELECT signal FROM feedback") == [(1,)]


def test_a_value_beyond_the_limit_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("casework.importers._sqlite._MOST_BYTES", 1 << 20)
    path = database(tmp_path / "phoenix.db", attributes={"x": "y" * (2 << 20)})
    with pytest.raises(CaseworkError, match="larger than 1 MiB"):
        list(DATABASE.read(source_of(path), Options()))


@pytest.mark.parametrize("attributes", ["{", '{"a": 1, "a": 2}', "[" * 70 + "]" * 70, 7])
def test_attributes_that_are_no_json_reject_their_span(
    case: Path, tmp_path: Path, attributes: Any
) -> None:
    path = database(tmp_path / "phoenix.db", attributes=attributes)
    (exhibit,) = load(case, DATABASE, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (0, 1)
    assert rows(case, "SELECT table_name, locator FROM rejects") == [("requests", "spans/9")]


@pytest.mark.parametrize(("column", "kept"), [("name", 2), ("attributes", 1), ("span_id", 2)])
def test_text_that_is_no_utf_8_harms_its_row_alone(
    case: Path, tmp_path: Path, column: str, kept: int
) -> None:
    """It is kept with escapes; of JSON, which it is no more, the row is a reject."""
    path = database(tmp_path / "phoenix.db")
    with closing(sqlite3.connect(path)) as opened:
        _insert(opened, "spans", id=10, trace_rowid=7, span_id="bad", span_kind="LLM", name="ask",
                start_time=AT, end_time=AT, status_code="OK", attributes={}, events=[])  # fmt: skip
        broken = f"UPDATE spans SET {column} = CAST(x'7B22FF223A317D' AS TEXT) WHERE id = 10"
        opened.execute(broken)  # {"\xff":1}
        opened.commit()
    (exhibit,) = load(case, DATABASE, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (kept, 2 - kept)
    if column == "span_id":
        assert rows(case, "SELECT max(span_id) FROM requests") == [('{"\\xff":1}',)]


def test_a_database_of_others_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as opened:
        opened.executescript("CREATE TABLE projects (id); CREATE TABLE traces (id); "
                             "CREATE TABLE spans (id)")  # fmt: skip
    assert not DATABASE.recognises(source_of(path))
    assert refusal_of(lambda: list(DATABASE.read(source_of(path), Options()))) == "DATABASE_SCHEMA"


def test_both_schemas_give_the_same_calls(tmp_path: Path) -> None:
    kinds = set()
    for seed in range(5):
        folder = tmp_path / str(seed)
        folder.mkdir()
        export = EXPORTS["phoenix_database"](folder, Random(seed))
        (exhibit,) = load(folder / "case.duckdb", DATABASE, export.path)
        kinds.add(exhibit.tables["eval_runs"])
        assert exhibit.tables["requests"] == export.rows["requests"]
        found = rows(folder / "case.duckdb", "SELECT DISTINCT session_id IS NULL FROM requests")
        assert found == [(False,)]
    assert kinds == {1, 3}


# Tables


def table(path: Path, *listed: dict[str, Any], name: str | None = None) -> Path:
    held = pa.Table.from_pylist(list(listed))
    if name:
        held = held.replace_schema_metadata({"arize": json.dumps({"eval_name": name})})
    parquet.write_table(held, path)
    return path


def test_an_evaluation_has_the_name_that_its_file_notes(case: Path, tmp_path: Path) -> None:
    row = {"context.span_id": "a", "label": "toxic", "score": 1.0, "explanation": "rude"}
    load(case, TABLE, table(tmp_path / "evaluations-1.parquet", row, name="Toxicity"))
    found = rows(case, "SELECT run_id, item_id, category, score FROM eval_samples")
    assert found == [("openinference:annotation:Toxicity", "a", "toxic", 1.0)]


def test_a_nameless_evaluation_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tone.csv"
    path.write_text("context.span_id,label,score,explanation\na,kind,1,\n")
    assert "1 row names no evaluation; it was taken to be 'tone'" in notes_of(path, TABLE)


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_none_and_told(
    case: Path, tmp_path: Path, score: float
) -> None:
    row = {"span_id": "a", "name": "tone", "label": "NOT_PARSABLE", "score": score,
           "explanation": ""}  # fmt: skip
    other = {**row, "span_id": "b", "label": "odd"}
    path = table(tmp_path / "x.parquet", row, other)
    load(case, TABLE, path)
    sql = "SELECT item_id, score, category FROM eval_samples ORDER BY 1"
    assert rows(case, sql) == [("a", None, None), ("b", None, "odd")]
    assert "1 score is NaN" in notes_of(path, TABLE)


def test_a_score_in_words_is_kept_as_an_attribute(case: Path, tmp_path: Path) -> None:
    path = tmp_path / "tone.csv"
    path.write_text("span_id,label,score,explanation\na,kind,high,\nb,kind,0.5,\n")
    load(case, TABLE, path)
    sql = "SELECT score, attributes->>'score' FROM eval_samples ORDER BY item_id"
    assert rows(case, sql) == [(None, "high"), (0.5, None)]
    assert "1 score is NaN, infinite or no number" in notes_of(path, TABLE)


def test_a_thumb_without_an_instant_is_a_sample_and_told(case: Path, tmp_path: Path) -> None:
    row = {"span_id": "a", "name": "n", "annotator_kind": "HUMAN", "label": "thumbs-up",
           "score": None, "explanation": ""}  # fmt: skip
    path = table(tmp_path / "x.parquet", row)
    (exhibit,) = load(case, TABLE, path)
    assert exhibit.tables == {"eval_samples": 1}
    assert "1 thumb of a person names no instant" in notes_of(path, TABLE)


def test_a_row_about_nothing_is_a_reject(case: Path, tmp_path: Path) -> None:
    row = {"span_id": "a", "name": "n", "label": "x", "score": 1.0, "explanation": ""}
    path = table(tmp_path / "x.parquet", row, {**row, "span_id": None})
    (exhibit,) = load(case, TABLE, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (1, 1)
    assert rows(case, "SELECT code, locator FROM rejects") == [("ORPHAN", "row 2")]


def test_the_levels_of_a_page_of_the_api(case: Path, tmp_path: Path) -> None:
    said = {"annotator_kind": "LLM", "name": "n", "created_at": "2026-01-01T00:00:00Z"}
    listed = [{"id": "1", "span_id": "a", "result": {"label": "x", "score": 0.5}, **said},
              {"id": "2", "trace_id": "t", "result": {"label": "x", "score": 0.5}, **said},
              {"id": "3", "session_id": "s", "result": {"label": "x", "score": 0.5}, **said},
              {"id": "4", "span_id": "a", "document_position": 3, "result": {"score": 1}, **said},
              7]  # fmt: skip
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"data": listed, "next_cursor": None}))
    assert TABLE.recognises(source_of(path))
    (exhibit,) = load(case, TABLE, path)
    assert (exhibit.tables["eval_samples"], exhibit.rows_rejected) == (4, 1)
    found = rows(case, "SELECT item_id FROM eval_samples ORDER BY locator")
    assert found == [("a",), ("t",), ("s",), ("a/3",)]


def test_the_position_of_a_document_is_a_whole_number(case: Path, tmp_path: Path) -> None:
    """A column of which some rows are empty holds fractions, and NaN."""
    one = {"span_id": "a", "name": "n", "label": "x", "score": 0.5, "explanation": ""}
    positions = (0.0, math.nan, None, 2.0)
    path = table(tmp_path / "x.parquet", *({**one, "document_position": at} for at in positions))
    load(case, TABLE, path)
    found = rows(case, "SELECT item_id, count(*) FROM eval_samples GROUP BY 1 ORDER BY 1")
    assert found == [("a", 2), ("a/0", 1), ("a/2", 1)]


def test_an_annotation_that_comes_again_is_a_duplicate(case: Path, tmp_path: Path) -> None:
    """As in pages that overlap; those of two annotators are two epochs."""
    one = {"id": "1", "span_id": "a", "name": "n", "annotator_kind": "LLM", "label": "x",
           "score": 0.5, "explanation": "", "created_at": "2026-01-01T00:00:00Z"}  # fmt: skip
    path = tmp_path / "x.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in (one, {**one, "id": "2"}, one)))
    (exhibit,) = load(case, TABLE, path)
    assert rows(case, "SELECT epoch FROM eval_samples ORDER BY 1") == [(1,), (2,)]
    assert (exhibit.rows_rejected, exhibit.rows_duplicate) == (0, 1)


def test_a_table_of_spans_or_of_anything_is_not_taken(tmp_path: Path) -> None:
    for header in ("span_id,label,score", "label,score,explanation", "id,label,score,explanation",
                   "context.span_id,span_kind,start_time,label,score,explanation"):  # fmt: skip
        path = tmp_path / "x.csv"
        path.write_text(f"{header}\n1,2,3\n")
        assert not TABLE.recognises(source_of(path)), header


def test_a_table_with_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.parquet"
    parquet.write_table(pa.table({"span_id": ["s"], "label": ["good"], "score": [1.0]}), path)
    path.write_bytes(path.read_bytes().replace(b"label", b"l\xffbel"))
    assert not TABLE.recognises(source_of(path))
    with pytest.raises(CaseworkError, match="SOURCE_UNREADABLE"):
        list(TABLE.read(source_of(path), Options()))
