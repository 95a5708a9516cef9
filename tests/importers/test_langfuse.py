"""Langfuse: its tables as CSV say what its JSON says, and judges and data sets are runs."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fixtures.exports import langfuse
from fixtures.exports.langfuse import write_csv
from tests.importers.loading import as_jsonl, load, rows, source_of

from casework.importers import get

LANGFUSE = get("langfuse_export")
WHEN = "2026-03-01T10:00:00.000Z"
SCORE = {"id": "s", "traceId": "t", "observationId": "o", "name": "tone", "source": "EVAL",
         "dataType": "NUMERIC", "value": 0.5, "stringValue": None, "timestamp": WHEN}  # fmt: skip
CALL = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": WHEN, "endTime": WHEN,
        "environment": "default", "parentObservationId": None, "model": "m", "level": "DEFAULT",
        "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a\nb"}],
        "output": "Yes", "modelParameters": {"temperature": 0.5}, "promptVersion": 3,
        "usageDetails": {"input": 3}, "metadata": {"tier": "gold", "note": "x"}}  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
@pytest.mark.parametrize("record", [SCORE, CALL, {**SCORE, "source": "API", "value": -1}])
def test_a_table_of_csv_gives_the_rows_of_its_json(
    tmp_path: Path, record: dict[str, Any], suffix: str
) -> None:
    first, second = tmp_path / "json.duckdb", tmp_path / "csv.duckdb"
    path = write_csv(tmp_path / f"table.{suffix}", [record])
    assert LANGFUSE.recognises(source_of(path))
    load(first, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", record))
    load(second, LANGFUSE, path)
    for table in ("requests", "feedback", "eval_samples", "eval_runs"):
        sql = f"SELECT * EXCLUDE (exhibit_id, locator) FROM {table}"
        assert rows(first, sql) == rows(second, sql)
    total = " + ".join(f"(SELECT count(*) FROM {t})" for t in ("requests", "feedback", "eval_runs"))
    assert rows(second, f"SELECT {total}") == [(1,)]


def test_metadata_fills_the_column_of_its_name_where_no_field_does(
    case: Path, tmp_path: Path
) -> None:
    call = {**CALL, "metadata": {"fingerprint": "fp_1", "endpoint": "other", "environment": "x"}}
    graded = {**SCORE, "source": "ANNOTATION", "metadata": {"condition": "replay", "score": 9}}
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", call, graded))
    told = rows(case, "SELECT fingerprint, endpoint, environment FROM requests")
    assert told == [("fp_1", "m", "default")]
    assert rows(case, "SELECT condition, score FROM eval_samples") == [("replay", 0.5)]


def test_names_of_the_database_are_those_of_the_api(case: Path, tmp_path: Path) -> None:
    names = {"traceId": "trace_id", "startTime": "start_time", "endTime": "end_time",
             "parentObservationId": "parent_observation_id", "usageDetails": "usage_details",
             "modelParameters": "model_parameters", "promptVersion": "prompt_version"}  # fmt: skip
    stored = {names.get(key, key): value for key, value in CALL.items()}
    path = as_jsonl(tmp_path / "x.jsonl", stored)
    assert LANGFUSE.recognises(source_of(path))
    load(case, LANGFUSE, path)
    sql = "SELECT trace_id, prompt_version, input_tokens, params_hash IS NULL, tier FROM requests"
    assert rows(case, sql) == [("t", "3", 3, False, "gold")]


def test_instants_in_the_quotes_of_json_are_read(case: Path, tmp_path: Path) -> None:
    quoted = {**SCORE, "timestamp": json.dumps(WHEN)}
    load(case, LANGFUSE, write_csv(tmp_path / "scores.csv", [quoted]))
    assert rows(case, "SELECT added_at::VARCHAR FROM eval_samples") == [("2026-03-01 10:00:00+00",)]


def test_a_torn_row_of_csv_is_a_reject(case: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "scores.csv", [SCORE, {**SCORE, "id": "s2", "observationId": "p"}])
    path.write_text(path.read_text() + '"s3","t3"\n')
    (exhibit,) = load(case, LANGFUSE, path)
    assert exhibit.rows_rejected == 1
    assert rows(case, "SELECT code, locator FROM rejects") == [("TORN", "row 3")]


def test_a_sample_without_a_timestamp_is_as_old_as_its_record(case: Path, tmp_path: Path) -> None:
    undated = {**SCORE, "timestamp": None, "createdAt": WHEN}
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", undated))
    sql = "SELECT added_at = started_at, added_at::VARCHAR FROM eval_samples JOIN eval_runs "
    found = rows(case, sql + "USING (run_id)")
    assert found == [(True, "2026-03-01 10:00:00+00")]


def test_samples_of_judges_name_a_run_that_is_there(case: Path, tmp_path: Path) -> None:
    listed = [{**SCORE, "id": str(n), "traceId": f"t{n}", "observationId": None, "name": name,
               "timestamp": f"2026-03-0{n}T00:00:00Z"}
              for n, name in ((3, "tone"), (1, "tone"), (2, "wit"))]  # fmt: skip
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", *listed))
    sql = "SELECT run_id, suite, started_at::VARCHAR, ended_at, score FROM eval_runs ORDER BY 1"
    assert rows(case, sql) == [
        ("langfuse:EVAL:tone", "tone", "2026-03-01 00:00:00+00", None, None),
        ("langfuse:EVAL:wit", "wit", "2026-03-02 00:00:00+00", None, None),
    ]
    assert rows(case, "SELECT count(*) FROM eval_samples ANTI JOIN eval_runs USING (run_id)") == [
        (0,)
    ]


@pytest.mark.parametrize(
    ("name", "kind", "values", "signals"),
    [
        ("stars", "NUMERIC", [1, 1, 5], []),
        ("stars", "NUMERIC", [0, 1], []),  # nothing says that these are thumbs
        ("user-feedback", "NUMERIC", [1, 0, 1], [1, -1, 1]),
        ("user-feedback", "NUMERIC", [1, 1], []),  # one star of five, or a thumb
        ("user-feedback", "NUMERIC", [1, 0, 4], []),
        ("userFeedback", None, [-1, 0, 1], [-1, 1]),
        ("thumbs", "NUMERIC", [1], [1]),
        ("thumbs", "NUMERIC", [1, 0.5], []),
        ("thumbs_down", "NUMERIC", [1, 0], [-1]),
        ("thumbs_down", "BOOLEAN", [1, 0], [-1]),
        ("accepted", "BOOLEAN", [1, 1], [1, 1]),
        ("json_valid", "BOOLEAN", [1, 0], []),  # a program may send it
        ("human_like", "BOOLEAN", [1, 0], []),
        ("like", "BOOLEAN", [1, 0], [1, -1]),
        ("did_user_like_it", "BOOLEAN", [1, 0], [1, -1]),
        ("user_disliked", "BOOLEAN", [1], []),
        ("quality", "CATEGORICAL", ["good", "thumbs_up"], [1]),
        ("thumb", "CATEGORICAL", ["thumbs_down", "hm"], [-1]),
        ("rating", "CATEGORICAL", ["1", "3"], []),
    ],
)
def test_a_number_is_a_thumb_only_where_its_name_and_its_like_say_so(
    case: Path, tmp_path: Path, name: str, kind: str | None, values: list[Any], signals: list[int]
) -> None:
    listed = [{**SCORE, "id": f"s{n}", "observationId": f"o{n}", "source": "API", "name": name,
               "dataType": kind, "value": None if isinstance(value, str) else value,
               "stringValue": value if isinstance(value, str) else None}
              for n, value in enumerate(values)]  # fmt: skip
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", *listed))
    found = [signal for (signal,) in rows(case, "SELECT signal FROM feedback ORDER BY feedback_id")]
    assert found == signals
    sql = """
        SELECT (SELECT count(*) FROM feedback) + count(*), count(*) FILTER (run_id <> $1)
        FROM eval_samples
    """
    assert rows(case, sql, [f"langfuse:API:{name}"]) == [(len(values), 0)]


def test_a_data_set_run_and_the_items_of_its_set(case: Path, tmp_path: Path) -> None:
    of_set = {"datasetId": "d", "datasetName": "faq", "createdAt": WHEN, "updatedAt": WHEN}
    item = {"id": "i", "datasetItemId": "q1", "datasetRunId": "r", "traceId": "t",
            "createdAt": WHEN}  # fmt: skip
    run = {"id": "r", "name": "nightly", **of_set,
           "metadata": {"prompt_version": "7", "note": "x", "condition": "leave_one_out"},
           "datasetRunItems": [item, {**item, "traceId": "t2"}]}  # fmt: skip
    entry = {"id": "q1", "status": "ACTIVE", "input": {"q": 1}, "expectedOutput": "yes",
             "sourceTraceId": "st", "sourceObservationId": "so", "metadata": {"topic": "tax"},
             **of_set}  # fmt: skip
    load(case, LANGFUSE, as_jsonl(tmp_path / "run.jsonl", run, entry))
    sql = """
        SELECT run_id, suite, prompt_version, ended_at, attributes->>'name',
               attributes->'metadata'->>'note'
        FROM eval_runs ORDER BY run_id
    """
    assert rows(case, sql) == [
        ("langfuse:dataset:faq", "faq", None, None, None, None),
        ("r", "faq", "7", None, "nightly", "x"),
    ]
    sql = """
        SELECT run_id, item_id, epoch, input_text, target, score, source_event_id, topic,
               condition, added_at IS NULL
        FROM eval_samples ORDER BY run_id, epoch
    """
    assert rows(case, sql) == [
        ("langfuse:dataset:faq", "q1", None, '{"q":1}', "yes", None, "so", "tax", None, False),
        ("r", "q1", 1, None, None, None, None, None, "leave_one_out", True),
        ("r", "q1", 2, None, None, None, None, None, "leave_one_out", True),
    ]


def test_items_that_name_no_run_are_rejects(case: Path, tmp_path: Path) -> None:
    item = {
        "id": "i",
        "projectId": "p",
        "datasetItemId": "q1",
        "traceId": "t",
        "observationId": None,
        "createdAt": WHEN,
        "updatedAt": WHEN,
        "datasetName": "faq",
    }
    path = write_csv(tmp_path / "x.csv", [item])  # as the batch export has them
    assert LANGFUSE.recognises(source_of(path))
    (exhibit,) = load(case, LANGFUSE, path)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (0, 1)


def test_a_data_set_alone_is_no_row(case: Path, tmp_path: Path) -> None:
    one = {"id": "d", "name": "faq", "description": None, "metadata": {}, "projectId": "p",
           "createdAt": WHEN, "updatedAt": WHEN}  # fmt: skip
    (exhibit,) = load(case, LANGFUSE, as_jsonl(tmp_path / "x.json", {"data": [one], "meta": {}}))
    assert exhibit.rows_read == 0
    assert any("dataset 1" in note for note in exhibit.notes)


@pytest.mark.parametrize(
    "header",
    [
        "id,type,trace_id,start_time",
        "name,timestamp,value",
        "id,name,description,metadata,projectId,createdAt",
    ],
)
def test_tables_of_others_are_not_taken(tmp_path: Path, header: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{header}\n1,2,3,4\n")
    assert not LANGFUSE.recognises(source_of(path))


@pytest.mark.parametrize("write", ["_trace", "_observations", "_scores", "_data_set"])
@pytest.mark.parametrize("seed", range(3))
def test_each_kind_of_export_is_read_whole(tmp_path: Path, write: str, seed: int) -> None:
    export = getattr(langfuse, write)(tmp_path, Random(seed))
    assert LANGFUSE.recognises(source_of(export.path))
    (exhibit,) = load(tmp_path / "case.duckdb", LANGFUSE, export.path)
    assert {name: count for name, count in exhibit.tables.items() if count} == export.rows
    assert exhibit.rows_rejected == exhibit.rows_duplicate == 0


@pytest.mark.parametrize(
    ("given", "score", "category"),
    [
        ({"dataType": "CATEGORICAL", "value": 0, "stringValue": "rude"}, None, "rude"),
        ({"dataType": "CATEGORICAL", "value": 0, "stringValue": "a", "configId": "c"}, 0, "a"),
        ({"dataType": "CATEGORICAL", "value": 2, "stringValue": "kind"}, 2, "kind"),
        ({"dataType": "TEXT", "value": 0, "stringValue": "a long word"}, None, "a long word"),
        ({"dataType": "NUMERIC", "value": 0}, 0, None),
        ({"dataType": "NUMERIC", "value": "0.25"}, 0.25, None),
        ({"dataType": "BOOLEAN", "value": True}, 1, None),
        ({"dataType": "NUMERIC", "value": {"x": 1}}, None, None),
    ],
)
def test_a_word_is_no_grade_of_zero(
    case: Path, tmp_path: Path, given: dict[str, Any], score: float | None, category: str | None
) -> None:
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", {**SCORE, **given}))
    assert rows(case, "SELECT score, category FROM eval_samples") == [(score, category)]


def test_a_thumb_keeps_the_trace_of_its_observation(case: Path, tmp_path: Path) -> None:
    said = {**SCORE, "source": "ANNOTATION", "name": "thumbs_down", "dataType": "CATEGORICAL",
            "value": 0, "stringValue": "thumbs_down"}  # fmt: skip
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", said))
    sql = "SELECT signal, request_id, attributes->>'traceId' FROM feedback"
    assert rows(case, sql) == [(-1, "o", "t")]


def test_a_score_of_a_whole_run_is_a_reject_that_says_so(case: Path, tmp_path: Path) -> None:
    whole = {**SCORE, "traceId": None, "observationId": None, "datasetRunId": "r"}
    load(case, LANGFUSE, as_jsonl(tmp_path / "x.jsonl", whole, SCORE))
    sql = "SELECT code, raw::JSON->>'name', raw::JSON->>'datasetRunId' FROM rejects"
    assert rows(case, sql) == [("NO_ITEM", "tone", "r")]
    assert rows(case, "SELECT run_id FROM eval_samples") == [("langfuse:EVAL:tone",)]
