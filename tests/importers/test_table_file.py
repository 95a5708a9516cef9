"""Table files: every format and every way to map it; what is kept is what the source holds."""

import csv
import gzip
import io
import json
import re
import struct
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.importers import loading

from casework.case import Reject
from casework.errors import CaseworkError, UsageError
from casework.importers import Options, _records, _staging, check_options, read_map
from casework.importers._convert import convert
from casework.importers._instants import Instants
from casework.importers._records import Record
from casework.importers._source import Source
from casework.importers.table_file import file_format, named_table, table_file
from casework.records import Exhibit
from casework.tables import get

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
RECORDS = [
    {"request_id": "r1", "occurred_at": "2026-03-01T09:00:00Z", "latency_ms": 12.5, "note": "a"},
    {"request_id": "r2", "occurred_at": "2026-03-01T10:00:00Z", "latency_ms": None, "note": "b,c"},
    {"request_id": "r3", "occurred_at": "2026-03-01T11:00:00Z", "latency_ms": 7.0, "note": None},
]


class Loaded:
    """A case with the rows of one table file, or what became of them."""

    def __init__(self, folder: Path, name: str, data: bytes | str, **options: Any) -> None:
        if "table" in options:
            options["table"] = get(options["table"])
        if "map_text" in options:
            (folder / "map.toml").write_text(options.pop("map_text"))
            options["mapping"] = read_map(folder / "map.toml")
        said = Options(**options)
        check_options(said, None)
        path = folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        self.case = folder / "case.duckdb"
        (exhibit,) = loading.load(self.case, table_file, path, options=said)
        self.exhibit: Exhibit = exhibit

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return loading.rows(self.case, sql)

    @property
    def rejects(self) -> list[tuple[str, str, str]]:
        return self.rows("SELECT locator, code, reason FROM rejects ORDER BY rowid")


def as_csv(records: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(records[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def as_lines(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def as_parquet(records: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(records), out)
    return out.getvalue()


def as_arrow(records: list[dict[str, Any]], *, stream: bool) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pylist(records)
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return out.getvalue()


def str_only(value: object) -> str:
    """The id of a test: gzip writes the time, and an id must be the same in every process."""
    return value if isinstance(value, str) else ""


FORMATS = {
    "requests.csv": as_csv(RECORDS),
    "requests.tsv": as_csv(RECORDS, "\t"),
    "requests-semicolon.csv": as_csv(RECORDS, ";"),
    "requests.jsonl": as_lines(RECORDS),
    "requests.ndjson": as_lines(RECORDS),
    "requests.json": json.dumps(RECORDS, indent=2).encode(),
    "requests-pretty.json": "\n".join(json.dumps(r, indent=2) for r in RECORDS).encode(),
    "requests.parquet": as_parquet(RECORDS),
    "requests.arrow": as_arrow(RECORDS, stream=False),
    "requests.arrows": as_arrow(RECORDS, stream=True),
    "requests.csv.gz": gzip.compress(as_csv(RECORDS)),
    "requests.csv.zst": zstandard.compress(as_csv(RECORDS)),
    "requests.jsonl.gz": gzip.compress(as_lines(RECORDS)),
    "requests.parquet.gz": gzip.compress(as_parquet(RECORDS)),
    "requests.parquet.zst": zstandard.compress(as_parquet(RECORDS)),
    "requests.arrow.zst": zstandard.compress(as_arrow(RECORDS, stream=False)),
    "requests.jsonl.zst": zstandard.compress(as_lines(RECORDS)),
    "requests-with-mark.csv": b"\xef\xbb\xbf" + as_csv(RECORDS),
    "requests-with-mark.jsonl": b"\xef\xbb\xbf" + as_lines(RECORDS),
    "requests-windows.csv": as_csv(RECORDS).replace(b"\n", b"\r\n"),
    "requests-mixed.csv": as_csv(RECORDS).replace(b"\n", b"\r\n", 2),
    "requests-blank-lines.csv": as_csv(RECORDS).replace(b"\n", b"\n\n"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    loaded = Loaded(tmp_path, name, FORMATS[name], table="requests")
    assert loaded.rows(
        "SELECT request_id, occurred_at, latency_ms, attributes ->> 'note' FROM requests"
    ) == [
        ("r1", NINE, 12.5, "a"),
        ("r2", NINE.replace(hour=10), None, "b,c"),
        ("r3", NINE.replace(hour=11), 7.0, None),
    ]
    assert not loaded.rejects


@pytest.mark.parametrize(
    ("name", "locators"),
    [
        ("requests.csv", ["row 1", "row 2", "row 3"]),
        ("requests.parquet", ["row 1", "row 2", "row 3"]),
        ("requests.arrows", ["row 1", "row 2", "row 3"]),
        ("requests.jsonl", ["line 1", "line 2", "line 3"]),
        ("requests.json", ["/0", "/1", "/2"]),
        ("requests-pretty.json", ["line 1", "line 7", "line 13"]),
    ],
)
def test_every_row_says_where_it_stands(tmp_path: Path, name: str, locators: list[str]) -> None:
    loaded = Loaded(tmp_path, name, FORMATS[name], table="requests")
    assert [row[0] for row in loaded.rows("SELECT locator FROM requests")] == locators


@pytest.mark.parametrize("form", [as_csv, as_lines, as_parquet])
def test_a_path_is_one_file_and_no_pattern_and_no_column(
    tmp_path: Path, form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tier=enterprise" / "export[1]"
    folder.mkdir(parents=True)
    (folder.parent / "export1").mkdir()
    for other in (folder / "unitsx.csv", folder.parent / "export1" / "units*.csv"):
        other.write_bytes(form([{"unit_id": "other", "tier": "other"}]))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    loaded = Loaded(folder, "units*.csv", form([{"unit_id": "u", "tier": "free"}]), table="units")
    assert loaded.rows("SELECT unit_id, tier, attributes FROM units") == [("u", "free", None)]


def test_locators_of_a_large_file_are_exact(tmp_path: Path) -> None:
    """DuckDB reads such a file in parallel pieces."""
    n = 300_000
    text = "unit_id,region\n" + "".join(f"u{i},{'x' * (i % 50)}\n" for i in range(1, n + 1))
    loaded = Loaded(tmp_path, "units.csv", text)
    wrong = loaded.rows("SELECT count(*) FROM units WHERE locator <> 'row ' || substr(unit_id, 2)")
    assert wrong == [(0,)]
    assert loaded.exhibit.rows_kept == n


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("units.csv", b"unit_id,x\n", "csv"),
        ("units.csv", b'{"unit_id": "a"}\n', "json"),
        ("units.txt", b'{"unit_id": "a"}\n', "json"),
        ("units.log", b'[{"unit_id": "a"}]', "json"),
        ("units.json", b'unit_id": "a"}\n{"unit_id": "b"}\n', "json"),
        ("units.bin", FORMATS["requests.parquet"], "parquet"),
        ("units.csv", FORMATS["requests.parquet"], "parquet"),
        ("units.x", FORMATS["requests.arrow"], "arrow"),
        ("units.x", FORMATS["requests.arrows"], "arrow"),
        ("units.ini", b"[section]\nkey=1\n", None),
        ("units.md", b"[link](x), and more, text\n", None),
        ("units.csv", b"", "csv"),
        ("units", b"\0\1\2", None),
    ],
)
def test_formats_are_told_by_content_first(
    tmp_path: Path, name: str, head: bytes, expected: str | None
) -> None:
    (tmp_path / name).write_bytes(head)
    assert file_format(loading.source_of(tmp_path / name)) == expected


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("units.csv", "units"),
        ("Units.CSV", "units"),
        ("requests-03.jsonl.gz", "requests"),
        ("requests_2026-03-01.parquet", "requests"),
        ("requests2.csv", "requests"),
        ("requests-2026_03-01.csv", "requests"),
        (f"{'1' * 200}x.csv", None),
        ("nps.parquet.zst", "nps"),
        ("my_units.csv", None),
        ("users.csv", None),
    ],
)
def test_a_file_name_can_name_a_table(tmp_path: Path, name: str, table: str | None) -> None:
    (tmp_path / name).touch()
    found = named_table(loading.source_of(tmp_path / name))
    assert (found.name if found else None) == table


# Columns


@pytest.mark.parametrize("synonym", ["timestamp", "ts", "time", "at", "TimeStamp"])
def test_usual_synonyms_are_taken_and_told(tmp_path: Path, synonym: str) -> None:
    text = f"id,{synonym}\nr1,2026-03-01T09:00:00Z\n"
    loaded = Loaded(tmp_path, "requests.csv", text)
    assert loaded.rows("SELECT request_id, occurred_at FROM requests") == [("r1", NINE)]
    assert f"{synonym!r} was read as occurred_at" in loaded.exhibit.notes
    assert "'id' was read as request_id" in loaded.exhibit.notes


def test_a_synonym_gives_way_to_the_column_itself(tmp_path: Path) -> None:
    text = "request_id,occurred_at,ts\nr1,2026-03-01T09:00:00Z,other\n"
    loaded = Loaded(tmp_path, "requests.csv", text)
    assert loaded.rows("SELECT occurred_at, attributes ->> 'ts' FROM requests") == [(NINE, "other")]


def test_a_missing_column_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(CaseworkError) as caught:
        Loaded(tmp_path, "requests.csv", "request_id,note\nr1,x\n")
    assert caught.value.code == "MISSING_COLUMN"
    assert "requests.occurred_at, the file has: request_id, note" in caught.value.what


HOSTILE = ['a"; drop table units; --', "a'b", "a$b", "a/b~c", "a{b}", "\\", "select", "a.b", "日本"]


@pytest.mark.parametrize("form", [as_csv, as_lines, as_parquet])
def test_hostile_column_names_are_only_names(tmp_path: Path, form: Any) -> None:
    record = {"request_id": "r1", "occurred_at": "2026-03-01T09:00:00Z"}
    record |= {name: f"v{number}" for number, name in enumerate(HOSTILE)}
    loaded = Loaded(tmp_path, "requests.x", form([record]), table="requests")
    ((attributes,),) = loaded.rows("SELECT attributes FROM requests")
    assert json.loads(attributes) == {name: f"v{number}" for number, name in enumerate(HOSTILE)}
    assert loaded.rows("SELECT count(*) FROM units") == [(0,)]


@pytest.mark.parametrize("name", ["casework locator", "Casework RAW"])
@pytest.mark.parametrize("form", [as_csv, as_parquet])
def test_a_source_cannot_forge_its_locators(tmp_path: Path, form: Any, name: str) -> None:
    record = {"request_id": "r1", "occurred_at": "2026-03-01T09:00:00Z", name: "row 99"}
    with pytest.raises(CaseworkError, match="SOURCE_UNREADABLE"):
        Loaded(tmp_path, "requests.x", form([record]), table="requests")


@pytest.mark.parametrize("form", [as_csv, as_parquet, partial(as_arrow, stream=True)])
def test_names_that_differ_in_case_only_are_refused(tmp_path: Path, form: Any) -> None:
    record = {"unit_id": "u1", "Plan": "a", "plan": "b"}
    with pytest.raises(CaseworkError, match=r"SOURCE_UNREADABLE.*two columns"):
        Loaded(tmp_path, "units.x", form([record]), table="units")


def test_numeric_extras_of_units_are_covariates_whatever_the_format(tmp_path: Path) -> None:
    record = {"unit_id": "u1", "visits": 3, "spend": 1.5, "plan": "pro", "seats": None}
    other = {"unit_id": "u2", "visits": None, "spend": 0.0, "plan": "7", "seats": None}
    found = []
    for number, form in enumerate((as_csv, as_lines, as_parquet)):
        folder = tmp_path / str(number)
        folder.mkdir()
        loaded = Loaded(folder, "units.x", form([record, other]), table="units")
        found.append(loaded.rows("SELECT covariates, attributes ->> 'plan' FROM units"))
        assert "kept in covariates: spend, visits" in loaded.exhibit.notes
    assert found[0] == found[1] == found[2]
    assert found[0] == [({"spend": 1.5, "visits": 3.0}, "pro"), ({"spend": 0.0}, "7")]


def test_a_list_is_no_covariate(tmp_path: Path) -> None:
    loaded = Loaded(tmp_path, "units.parquet", as_parquet([{"unit_id": "u1", "v": [1.0, 2.0]}]))
    assert loaded.rows("SELECT covariates, attributes FROM units") == [(None, '{"v":[1.0,2.0]}')]


def test_attributes_of_json_keep_their_types(tmp_path: Path) -> None:
    extra = {"n": 5, "f": 0.5, "t": True, "s": "5", "o": {"a": [1, None], "b": None}, "e": ""}
    record = {"request_id": "r1", "occurred_at": "2026-03-01T09:00:00Z", **extra, "gone": None}
    loaded = Loaded(tmp_path, "requests.jsonl", as_lines([record]))
    ((attributes,),) = loaded.rows("SELECT attributes FROM requests")
    assert json.loads(attributes) == extra


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('{"a": 1}', {"a": 1, "more": "x"}),
        ("no json", {"attributes": "no json", "more": "x"}),
        ("[1]", {"attributes": "[1]", "more": "x"}),
        ("", {"more": "x"}),
    ],
)
def test_a_column_attributes_is_merged_and_never_lost(
    tmp_path: Path, given: str, expected: dict[str, Any]
) -> None:
    record = {"request_id": "r1", "occurred_at": "2026-03-01T09:00:00Z", "attributes": given}
    loaded = Loaded(tmp_path, "requests.csv", as_csv([{**record, "more": "x"}]))
    ((attributes,),) = loaded.rows("SELECT attributes FROM requests")
    assert json.loads(attributes) == expected


def test_what_is_not_finite_is_kept_as_text_in_attributes(tmp_path: Path) -> None:
    record = {"request_id": "r1", "occurred_at": NINE, "x": float("inf"), "y": float("nan")}
    loaded = Loaded(tmp_path, "requests.parquet", as_parquet([record]))
    ((attributes,),) = loaded.rows("SELECT attributes FROM requests")
    assert json.loads(attributes) == {"x": "inf", "y": "nan"}


def test_nested_columns_become_json_text(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": 'it\'s "quoted"'}]
    record = {"request_id": "r1", "occurred_at": NINE, "input_text": messages}
    for number, form in enumerate(
        (as_parquet, lambda rows: as_lines([{**rows[0], "occurred_at": NINE.isoformat()}]))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        loaded = Loaded(folder, "requests.x", form([record]), table="requests")
        ((text,),) = loaded.rows("SELECT input_text FROM requests")
        assert json.loads(text) == messages


# Values


def request(name: str) -> dict[str, Any]:
    return {"request_id": name, "occurred_at": "2026-03-01T09:00:00Z"}


READ = [
    ("latency_ms", "12.5", 12.5),
    ("latency_ms", " 7 ", 7.0),
    ("latency_ms", "1e3", 1000.0),
    ("latency_ms", "", None),
    ("latency_ms", "NaN", None),
    ("input_tokens", "42", 42),
    ("input_tokens", "42.0", 42),
    ("input_tokens", "9007199254740993", 9007199254740993),
    ("status", "", None),
    ("fingerprint", "", None),
    ("output_text", "", ""),
    ("ended_at", "2026-03-01T10:00:00+01:00", NINE),
    ("ended_at", " ", None),
]


@pytest.mark.parametrize("form", [as_csv, as_lines, as_parquet])
def test_texts_are_read_as_their_column_says(tmp_path: Path, form: Any) -> None:
    empty = dict.fromkeys((column for column, *_ in READ), "")
    records = [
        {**request(f"r{number}"), **empty, column: text}
        for number, (column, text, _) in enumerate(READ)
    ]
    loaded = Loaded(tmp_path, "requests.x", form(records), table="requests")
    for number, (column, text, value) in enumerate(READ):
        expected = None if form is as_csv and not text else value  # an empty field holds nothing
        sql = f"SELECT {column} FROM requests WHERE request_id = 'r{number}'"
        assert loaded.rows(sql) == [(expected,)]


UNREADABLE = [
    ("latency_ms", "fast", "latency_ms: fast cannot be read as double"),
    ("latency_ms", "inf", "latency_ms: inf cannot be read as double"),
    ("input_tokens", "3.7", "input_tokens: 3.7 cannot be read as bigint"),
    ("input_tokens", "99999999999999999999", "cannot be read as bigint"),
    ("ended_at", "yesterday", "ended_at: yesterday cannot be read as timestamp"),
    ("ended_at", "2026-02-30", "cannot be read as timestamp"),
    ("ended_at", "infinity", "cannot be read as timestamp"),
    ("ended_at", "290000-01-01 00:00:00Z", "cannot be read as timestamp"),
    ("ended_at", "2026-03-01 10:00:00 Mars/Base", "cannot be read as timestamp"),
    ("ended_at", "2026-07-01 10:00:00 BST", "cannot be read as timestamp"),
    ("ended_at", "2026-07-01 10:00:00 IST", "cannot be read as timestamp"),
    ("ended_at", "2026-07-01 10:00:00 NZ", "cannot be read as timestamp"),
    ("ended_at", "2026-07-01 10:00:00 +5", "cannot be read as timestamp"),
    ("ended_at", "3/1/26 9:00", "cannot be read as timestamp"),
    ("ended_at", "26-03-01 10:00:00", "cannot be read as timestamp"),
    ("ended_at", "epoch", "cannot be read as timestamp"),
    ("ended_at", "17", "cannot be read as timestamp"),
    ("ended_at", "202603011000", "cannot be read as timestamp"),
    ("ended_at", "20260301100000", "cannot be read as timestamp"),
    ("ended_at", "20260301100000123", "cannot be read as timestamp"),
    ("ended_at", "2026030110", "cannot be read as timestamp"),
    ("ended_at", "2026030110.0", "cannot be read as timestamp"),
    ("request_id", "", "request_id is missing"),
    ("occurred_at", " ", "occurred_at is missing"),
]


@pytest.mark.parametrize("form", [as_csv, as_lines])
def test_an_unusable_value_rejects_its_row_alone(tmp_path: Path, form: Any) -> None:
    good = {"latency_ms": "1", "input_tokens": "2", "ended_at": "2026-03-01T09:00:01Z"}
    records = [{**request(f"r{n}"), **good} for n in range(len(UNREADABLE) + 1)]
    for record, (column, value, _) in zip(records, UNREADABLE, strict=False):
        record[column] = value
    loaded = Loaded(tmp_path, "requests.x", form(records), table="requests")
    assert loaded.rows("SELECT request_id FROM requests") == [(f"r{len(UNREADABLE)}",)]
    unit = "row" if form is as_csv else "line"
    for number, ((locator, code, why), (_, _, reason)) in enumerate(
        zip(loaded.rejects, UNREADABLE, strict=True), start=1
    ):
        assert (locator, code) == (f"{unit} {number}", "VALUE")
        assert reason in why


def test_a_float_is_a_whole_number_only_if_it_is_one(tmp_path: Path) -> None:
    values = [3.0, float("nan"), 3.7, float("inf")]
    records = [
        {"request_id": f"r{number}", "occurred_at": NINE, "input_tokens": value}
        for number, value in enumerate(values)
    ]
    loaded = Loaded(tmp_path, "requests.parquet", as_parquet(records))
    found = loaded.rows("SELECT request_id, input_tokens FROM requests")
    assert found == [("r0", 3), ("r1", None)]
    assert [(locator, code) for locator, code, _ in loaded.rejects] == [
        ("row 3", "VALUE"),
        ("row 4", "VALUE"),
    ]


def test_flags(tmp_path: Path) -> None:
    words = ["true", "False", "1", "0", "yes", "2", "1.0", "0.0", "true.0", "1.5"]
    text = "unit_id,is_bot\n" + "".join(f"u{word},{word}\n" for word in words)
    loaded = Loaded(tmp_path, "units.csv", text)
    assert loaded.rows("SELECT is_bot FROM units") == [
        (True,),
        (False,),
        (True,),
        (False,),
        (True,),
        (True,),
        (False,),
    ]
    assert len(loaded.rejects) == 3


def test_numbers_as_flags(tmp_path: Path) -> None:
    records = [{"unit_id": f"u{value}", "is_bot": value} for value in (0, 1, 2)]
    loaded = Loaded(tmp_path, "units.parquet", as_parquet(records))
    assert loaded.rows("SELECT is_bot FROM units") == [(False,), (True,)]
    assert len(loaded.rejects) == 1


def test_true_is_a_score_and_no_measure(tmp_path: Path) -> None:
    records = [{"request_id": "r", "occurred_at": NINE, "latency_ms": True}]
    loaded = Loaded(tmp_path, "requests.parquet", as_parquet(records))
    assert [why for _, _, why in loaded.rejects] == ["latency_ms: true cannot be read as double"]
    (tmp_path / "scores").mkdir()
    scores = [{"run_id": "r", "item_id": f"i{right}", "score": right} for right in (True, False)]
    kept = Loaded(tmp_path / "scores", "eval_samples.parquet", as_parquet(scores))
    assert kept.rows("SELECT score FROM eval_samples") == [(1.0,), (0.0,)]
    (tmp_path / "vectors").mkdir()
    vectors = [{"text_id": "t", "occurred_at": NINE, "vector": [True, False]}]
    flags = Loaded(tmp_path / "vectors", "vectors.parquet", as_parquet(vectors))
    assert flags.exhibit.rows_rejected == 1


def test_an_empty_answer_to_learn_from_is_one_others_are_missing(tmp_path: Path) -> None:
    ticket = {"ticket_id": "t", "reported_at": NINE.isoformat(), "output": "", "prompt": "",
              "endpoint": ""}  # fmt: skip
    loaded = Loaded(tmp_path, "tickets.jsonl", as_lines([ticket]))
    assert loaded.rows("SELECT output, prompt, endpoint FROM tickets") == [(None, None, None)]
    (tmp_path / "rows").mkdir()
    row = {"dataset": "d", "row_id": "1", "chosen": "", "rejected": ""}
    kept = Loaded(tmp_path / "rows", "training_rows.jsonl", as_lines([row]))
    assert kept.rows("SELECT chosen, rejected FROM training_rows") == [("", "")]


def test_a_map_may_translate_an_empty_text(tmp_path: Path) -> None:
    records = [{**request("a"), "where": ""}, {**request("b"), "where": "us"}]
    mapping = '[columns]\nregion = {source = "where", values = {"" = "eu", us = "us"}}\n'
    loaded = Loaded(tmp_path, "requests.jsonl", as_lines(records), map_text=mapping)
    assert loaded.rows("SELECT region FROM requests ORDER BY request_id") == [("eu",), ("us",)]


def test_words_of_a_closed_list(tmp_path: Path) -> None:
    text = "artifact,kind,pin\nm1,code,pinned\nm1,seed,nailed\n"
    loaded = Loaded(tmp_path, "artifact_inputs.csv", text)
    assert loaded.exhibit.rows_kept == 1
    assert "pin: nailed is none of pinned, floating, absent" in loaded.rejects[0][2]


@pytest.mark.parametrize("form", [as_csv, as_lines, as_parquet])
def test_a_thumb_is_up_or_down(tmp_path: Path, form: Any) -> None:
    """Zero and one, as some systems write them, are told and not read as no thumb and one up."""
    records = [{"feedback_id": f"f{n}", "occurred_at": NINE.isoformat(), "signal": n}
               for n in (1, -1, 0, 5)]  # fmt: skip
    loaded = Loaded(tmp_path, "feedback.x", form(records), table="feedback")
    assert loaded.rows("SELECT signal FROM feedback") == [(1,), (-1,)]
    assert [why for _, _, why in loaded.rejects] == [
        "signal: 0 is none of 1, -1", "signal: 5 is none of 1, -1",
    ]  # fmt: skip


@pytest.mark.parametrize("form", [as_lines, as_parquet])
def test_a_thumb_that_is_true_or_false_is_told(tmp_path: Path, form: Any) -> None:
    records = [{"feedback_id": f"f{up}", "occurred_at": NINE.isoformat(), "signal": up}
               for up in (True, False)]  # fmt: skip
    loaded = Loaded(tmp_path, "feedback.x", form(records), table="feedback")
    assert [why for _, _, why in loaded.rejects] == [
        "signal: true cannot be read as bigint", "signal: false cannot be read as bigint",
    ]  # fmt: skip


def test_a_date_in_digits_is_read_as_a_map_says(tmp_path: Path) -> None:
    mapping = '[columns]\noccurred_at = {source = "t", format = "%Y%m%d%H%M%S"}\n'
    text = "id,t\nr1,20260301090000\n"
    loaded = Loaded(tmp_path, "requests.csv", text, map_text=mapping)
    assert loaded.rows("SELECT occurred_at FROM requests") == [(NINE,)]


def test_vectors_come_as_lists_or_as_json_text(tmp_path: Path) -> None:
    rows = [{"text_id": "t", "occurred_at": "2026-03-01T09:00:00Z", "vector": [0.5, -1.0]}]
    for number, data in enumerate((as_lines(rows), as_csv(rows), as_parquet(rows))):
        folder = tmp_path / str(number)
        folder.mkdir()
        loaded = Loaded(folder, "vectors.x", data, table="vectors")
        assert loaded.rows("SELECT vector FROM vectors") == [([0.5, -1.0],)]


@pytest.mark.parametrize(
    "vector", ["[]", "[null]", "[1, null]", '["x"]', "[true, 1]", '[1, "inf"]']
)
def test_what_is_no_vector_is_a_reject_and_those_beside_it_are_kept(
    tmp_path: Path, vector: str
) -> None:
    lines = [f'{{"text_id": "{name}", "occurred_at": "{NINE}", "vector": {one}}}\n'
             for name, one in (("a", "[1, 2]"), ("b", vector), ("c", "[2, 1]"))]  # fmt: skip
    loaded = Loaded(tmp_path, "vectors.jsonl", "".join(lines))
    ((locator, _, why),) = loaded.rejects
    assert (locator, why.endswith("cannot be read as float[]")) == ("line 2", True)
    assert loaded.rows("SELECT text_id FROM vectors") == [("a",), ("c",)]


def test_a_vector_that_is_not_finite_is_a_reject_and_elsewhere_a_text(tmp_path: Path) -> None:
    rows = [{"text_id": f"t{n}", "occurred_at": NINE, "vector": [1.0, odd], "emb": [odd]}
            for n, odd in enumerate((2.0, float("nan"), float("inf")))]  # fmt: skip
    loaded = Loaded(tmp_path, "vectors.parquet", as_parquet(rows))
    assert loaded.rows("SELECT text_id FROM vectors") == [("t0",)]
    assert [locator for locator, *_ in loaded.rejects] == ["row 2", "row 3"]
    (tmp_path / "kept").mkdir()
    calls = [{"request_id": row["text_id"], **row} for row in rows]
    kept = Loaded(tmp_path / "kept", "requests.parquet", as_parquet(calls))
    found = [json.loads(one)["emb"] for (one,) in kept.rows("SELECT attributes FROM requests")]
    assert found == [[2.0], "[nan]", "[inf]"]


def test_a_duration_is_no_bare_number(tmp_path: Path) -> None:
    columns = {"request_id": ["r"], "occurred_at": ["2026-03-01T09:00:00Z"]}
    took = pa.array([5_000_000], pa.duration("us"))
    pa.parquet.write_table(pa.table({**columns, "latency_ms": took}), out := io.BytesIO())
    with pytest.raises(CaseworkError, match=r"SOURCE_UNREADABLE.*'latency_ms' holds durations"):
        Loaded(tmp_path, "requests.parquet", out.getvalue())
    for name, held in (("session_id", columns), ("occurred_at", {"request_id": ["r"]})):
        pa.parquet.write_table(pa.table({**held, name: took}), other := io.BytesIO())
        with pytest.raises(CaseworkError, match=f"holds durations, and {name} is none; rename it"):
            Loaded(tmp_path, "requests.parquet", other.getvalue())
    scaled = '[columns]\nlatency_ms = {source = "latency_ms", scale = 0.001}\n'
    loaded = Loaded(tmp_path, "requests.parquet", out.getvalue(), map_text=scaled)
    assert loaded.rows("SELECT latency_ms FROM requests") == [(5000.0,)]


# Instants


INSTANTS = [
    ("2026-03-01T09:00:00Z", None, NINE),
    ("2026-03-01 10:00:00+01", None, NINE),
    ("2026-03-01T10:00:00.000+0100", None, NINE),
    ("2026-03-01 09:00:00 UTC", None, NINE),
    ("2026-03-01 09:00:00 gmt", None, NINE),
    ("2026-03-01  09:00:00Z", None, NINE),
    ("2026-03-01 10:00:00 +0100", None, NINE),
    ("2026-03-01 10:00:00 +01:00", None, NINE),
    ("2026-03-01 09:00:00 Z", None, NINE),
    ("2026551200", None, datetime.fromtimestamp(2026551200, UTC)),
    ("1772355600.123456789", None, NINE.replace(microsecond=123_456)),
    ("1772355600123456789", None, NINE.replace(microsecond=123_456)),
    ("1772355600123456789.0", None, NINE.replace(microsecond=123_456)),
    ("2026-03-01 04:00:00 America/New_York", None, NINE),
    ("2026-03-01 04:00:00 Etc/GMT+5", None, NINE),
    ("1772355600", None, NINE),
    ("1772355600000", None, NINE),
    ("1772355600000000", None, NINE),
    ("1772355600000000000", None, NINE),
    ("1772355600.25", None, NINE.replace(microsecond=250_000)),
    ("2026-03-01T09:00:00.123456789Z", None, NINE.replace(microsecond=123_456)),
    ("2026-03-01T09:00:00Z", "Europe/Berlin", NINE),
    ("2026-03-01 10:00:00", "Europe/Berlin", NINE),
    ("2026-03-01  10:00:00", "Europe/Berlin", NINE),
]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_instants_as_sources_write_them(tmp_path: Path, zone: str | None) -> None:
    chosen = [(text, expected) for text, named, expected in INSTANTS if named == zone]
    records = [
        {"request_id": str(number), "occurred_at": text} for number, (text, _) in enumerate(chosen)
    ]
    loaded = Loaded(tmp_path, "requests.csv", as_csv(records), timezone=zone)
    found = loaded.rows("SELECT occurred_at FROM requests ORDER BY request_id::INT")
    assert [at for (at,) in found] == [expected for _, expected in chosen]
    assert not [note for note in loaded.exhibit.notes if "read as UTC" in note]


@pytest.mark.parametrize(
    ("text", "hour"), [("2026-03-01T09:00:00", 9), ("2026-03-01", 0), ("2026-03-01 09:00", 9)]
)
def test_an_instant_without_a_zone_is_utc_and_told(tmp_path: Path, text: str, hour: int) -> None:
    loaded = Loaded(tmp_path, "requests.csv", f"id,at\nr1,{text}\n")
    assert loaded.rows("SELECT occurred_at FROM requests") == [(NINE.replace(hour=hour),)]
    assert "at has no time zone and was read as UTC; name it with --timezone" in (
        loaded.exhibit.notes
    )


def test_one_instant_without_a_zone_among_many_is_told(tmp_path: Path) -> None:
    """Also where it comes after many that have one."""
    lines = [f"r{i},2026-03-01T09:00:00Z" for i in range(3_000)]
    text = "\n".join(["request_id,occurred_at", *lines, "last,2026-03-01T09:00:00"]) + "\n"
    loaded = Loaded(tmp_path, "requests.csv", text)
    assert [note for note in loaded.exhibit.notes if "read as UTC" in note]


def test_numbers_count_from_1970(tmp_path: Path) -> None:
    values = (1772355600, 1772355600.0, 1772355600000, 1772355600000000, 1772355600000000999)
    for number, value in enumerate(values):
        folder = tmp_path / str(number)
        folder.mkdir()
        data = as_parquet([{"request_id": "r1", "occurred_at": value}])
        loaded = Loaded(folder, "requests.parquet", data)
        assert loaded.rows("SELECT occurred_at FROM requests") == [(NINE,)]


def test_typed_instants(tmp_path: Path) -> None:
    naive = NINE.replace(tzinfo=None, hour=10)
    rows = [{"request_id": "r1", "occurred_at": NINE, "ended_at": naive}]
    loaded = Loaded(tmp_path, "requests.parquet", as_parquet(rows), timezone="Europe/Berlin")
    assert loaded.rows("SELECT occurred_at, ended_at FROM requests") == [(NINE, NINE)]


def test_an_end_on_the_last_day_of_the_calendar_is_none(tmp_path: Path) -> None:
    """Tables with a history write so that a row still holds; elsewhere it is no instant."""
    ends = ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31 23:59:59.9999999", "infinity",
            "9999-12-30T12:00:00-13:00", "12/31/9999", "31.12.9999", "31-DEC-9999", "99991231",
            "31/12/9999 00:00", "253402300799", "253402214400000", "253402300799000000000",
            "2262-04-11 23:47:16.854775807", "9223372036854775807",
            "2100-01-01T00:00:00Z", "9998-12-31T00:00:00Z", "-infinity", "99999-12-31"]  # fmt: skip
    records = [{"person": f"p{i}", "active_until": end} for i, end in enumerate(ends)]
    loaded = Loaded(tmp_path, "people.csv", as_csv(records))
    rows = loaded.rows("SELECT person, CAST(active_until AS VARCHAR) FROM people ORDER BY person")
    assert dict(rows) == {
        **dict.fromkeys(f"p{n}" for n in range(len(ends) - 4)),
        f"p{len(ends) - 4}": "2100-01-01 00:00:00+00",
        f"p{len(ends) - 3}": "9998-12-31 00:00:00+00",
    }
    assert [locator for locator, *_ in loaded.rejects] == [
        f"row {len(ends) - 1}",
        f"row {len(ends)}",
    ]
    (tmp_path / "typed").mkdir()
    typed = [{"person": "a", "active_until": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)},
             {"person": "b", "active_until": datetime(2030, 1, 1, tzinfo=UTC)}]  # fmt: skip
    kept = Loaded(tmp_path / "typed", "people.parquet", as_parquet(typed))
    assert kept.rows("SELECT person FROM people WHERE active_until IS NULL") == [("a",)]
    (tmp_path / "counts").mkdir()
    counts = [{"person": f"p{unit}", "active_until": 253402300799 * unit} for unit in (1, 1e3, 1e6)]
    counted = Loaded(tmp_path / "counts", "people.parquet", as_parquet(counts))
    assert counted.rows("SELECT DISTINCT active_until FROM people") == [(None,)]
    late = [{"person": "a", "active_from": "9999-12-31T00:00:00Z"}]
    (tmp_path / "from").mkdir()
    assert len(Loaded(tmp_path / "from", "people.csv", as_csv(late)).rejects) == 1


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("person,active_until\na,9999-12-31\nb,2262-04-11 23:47:16.854775807\n", ""),
        ("person\na\nb\n", '[constants]\nactive_until = "9999-12-31"\n'),
    ],
)
def test_an_end_that_is_none_has_no_zone_to_be_told(
    tmp_path: Path, text: str, mapping: str
) -> None:
    loaded = Loaded(tmp_path, "people.csv", text, map_text=mapping)
    assert loaded.rows("SELECT active_until FROM people") == [(None,), (None,)]
    assert not [note for note in loaded.exhibit.notes if "read as UTC" in note]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_instants_in_nanoseconds_as_pandas_writes_them(tmp_path: Path, zone: str | None) -> None:
    begun = 1_772_355_600_123_456_789
    table = pa.table({
        "request_id": ["r1"],
        "occurred_at": pa.array([begun], pa.timestamp("ns", "UTC")),
        "ended_at": pa.array([begun], pa.timestamp("ns")),
    })  # fmt: skip
    pa.parquet.write_table(table, out := io.BytesIO())
    loaded = Loaded(tmp_path, "requests.parquet", out.getvalue(), timezone=zone)
    ended = NINE.replace(hour=8 if zone else 9, microsecond=123_456)
    assert loaded.rows("SELECT occurred_at, ended_at FROM requests") == [
        (NINE.replace(microsecond=123_456), ended)
    ]
    lacking = [note for note in loaded.exhibit.notes if "read as UTC" in note]
    assert lacking == (
        [] if zone else ["ended_at has no time zone and was read as UTC; name it with --timezone"]
    )


def test_text_that_its_writer_calls_bytes(tmp_path: Path) -> None:
    texts = {"request_id": "é", "occurred_at": "2026-03-01T09:00:00Z", "latency_ms": "12.5"}
    columns = {name: pa.array([text.encode()], pa.binary()) for name, text in texts.items()}
    table = pa.table({**columns, "note": pa.array([b"\xff"], pa.binary())})
    pa.parquet.write_table(table, out := io.BytesIO())
    loaded = Loaded(tmp_path, "requests.parquet", out.getvalue())
    sql = "SELECT request_id, occurred_at, latency_ms, attributes->>'note' FROM requests"
    assert loaded.rows(sql) == [("é", NINE, 12.5, "\\xFF")]


BERLIN = 'table = "requests"\n[columns]\noccurred_at = {source = "t", timezone = "Europe/Berlin"}\n'


def test_the_hours_when_clocks_are_moved(tmp_path: Path) -> None:
    hours = {
        "2026-10-25 01:30:00": (23, 30),  # summer time
        "2026-10-25 02:30:00": (0, 30),  # comes twice: the first
        "2026-10-25 03:30:00": (2, 30),  # winter time
        "2026-03-29 02:30:00": (1, 30),  # does not exist: as if the clock had not been moved yet
    }
    text = "id,t\n" + "".join(f"{number},{local}\n" for number, local in enumerate(hours))
    loaded = Loaded(tmp_path, "x.csv", text, map_text=BERLIN)
    found = loaded.rows("SELECT occurred_at AT TIME ZONE 'UTC' FROM requests ORDER BY request_id")
    assert [(at.hour, at.minute) for (at,) in found] == list(hours.values())


# Maps


def test_a_map_renames_scales_translates_and_fills(tmp_path: Path) -> None:
    mapping = """
        table = "requests"
        [columns]
        request_id = "call"
        occurred_at = {source = "when", format = "%d.%m.%Y %H:%M", timezone = "Europe/Berlin"}
        latency_ms = {source = "seconds", scale = 1000}
        status = {source = "code", values = {200 = "ok", 500 = "error"}}
        [constants]
        environment = "production"
        input_tokens = 7
    """
    text = "call,when,seconds,code,region\nr1,01.03.2026 10:00,0.25,200,eu\n"
    loaded = Loaded(tmp_path, "export.csv", text, map_text=mapping)
    assert loaded.rows(
        "SELECT request_id, occurred_at, latency_ms, status, environment, input_tokens, region "
        "FROM requests"
    ) == [("r1", NINE, 250.0, "ok", "production", 7, "eu")]


def test_a_value_that_the_map_does_not_translate_is_a_reject(tmp_path: Path) -> None:
    mapping = '[columns]\nsignal = {source = "thumb", values = {up = 1, down = -1}}\n'
    text = "id,at,thumb\nf1,2026-03-01T09:00:00Z,up\nf2,2026-03-01T09:00:00Z,sideways\n"
    loaded = Loaded(tmp_path, "feedback.csv", text, map_text=mapping)
    assert loaded.rows("SELECT feedback_id, signal FROM feedback") == [("f1", 1)]
    assert "signal: sideways cannot be read" in loaded.rejects[0][2]


@pytest.mark.parametrize(
    ("format", "value", "microsecond"),
    [
        ("epoch_s", "1772355600", 0),
        ("epoch_s", "1772355600.5", 500_000),
        ("epoch_ms", "1772355600250", 250_000),
        ("epoch_us", "1772355600000001", 1),
        ("epoch_ns", "1772355600123456000", 123_456),
        ("%Y/%m/%d %H:%M:%S", "2026/03/01 09:00:00", 0),
        ("%Y-%m-%d %H:%M:%S %z", "2026-03-01 10:00:00 +0100", 0),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-03-01 10:00:00 Europe/Berlin", 0),
        ("%a %b %d %H:%M:%S %Z %Y", "Sun Mar 01 09:00:00 UTC 2026", 0),
        ("%Y-%m-%dT%H:%M:%S%Z", "2026-03-01T09:00:00UTC", 0),
        ("%Y-%m-%d %H:%M:%S.%n %z", "2026-03-01 09:00:00.123456789 +0000", 123_456),
        ("epoch_ns", "1772355600123456789", 123_456),
    ],
)
def test_formats_of_instants(tmp_path: Path, format: str, value: str, microsecond: int) -> None:
    mapping = f'[columns]\noccurred_at = {{source = "t", format = "{format}"}}\n'
    loaded = Loaded(tmp_path, "requests.csv", f"id,t\nr1,{value}\n", map_text=mapping)
    expected = NINE.replace(microsecond=microsecond)
    assert loaded.rows("SELECT occurred_at FROM requests") == [(expected,)]
    is_naive = format == "%Y/%m/%d %H:%M:%S"
    assert any("read as UTC" in note for note in loaded.exhibit.notes) == is_naive


@pytest.mark.parametrize(
    ("format", "value"),
    [
        ("%Y-%m-%d %H:%M:%S %Z", "2026-07-01 10:00:00 BST"),
        ("%a %b %d %H:%M:%S %Z %Y", "Wed Jul 01 10:00:00 PST 2026"),
        ("%m/%d/%Y", "10/09/23"),
    ],
)
def test_what_a_format_reads_by_guessing_is_a_reject(
    tmp_path: Path, format: str, value: str
) -> None:
    mapping = f'[columns]\noccurred_at = {{source = "t", format = "{format}"}}\n'
    loaded = Loaded(tmp_path, "requests.csv", f"id,t\nr1,{value}\n", map_text=mapping)
    assert [why for _, _, why in loaded.rejects] == [
        f"occurred_at: {value} cannot be read as timestamp"
    ]


def test_an_epoch_format_reads_small_numbers_too(tmp_path: Path) -> None:
    mapping = '[columns]\noccurred_at = {source = "t", format = "epoch_s"}\n'
    loaded = Loaded(tmp_path, "requests.csv", "id,t\nr1,60\n", map_text=mapping)
    assert loaded.rows("SELECT epoch(occurred_at) FROM requests") == [(60.0,)]


@pytest.mark.parametrize("value", ["9223372036854775807", "99999999999999999999999", "-1e300"])
def test_an_epoch_out_of_range_is_a_reject_and_no_crash(tmp_path: Path, value: str) -> None:
    mapping = '[columns]\noccurred_at = {source = "t", format = "epoch_us"}\n'
    loaded = Loaded(tmp_path, "requests.csv", f"id,t\nr1,{value}\n", map_text=mapping)
    assert loaded.exhibit.rows_rejected == 1


def test_a_map_can_swap_columns(tmp_path: Path) -> None:
    mapping = '[columns]\nregion = "lane"\nlane = "region"\n'
    text = "id,at,region,lane\nr1,2026-03-01T09:00:00Z,canary,eu\n"
    loaded = Loaded(tmp_path, "requests.csv", text, map_text=mapping)
    assert loaded.rows("SELECT region, lane FROM requests") == [("eu", "canary")]


def test_a_column_displaced_by_a_constant_is_kept(tmp_path: Path) -> None:
    mapping = '[constants]\nregion = "eu"\n'
    text = "id,at,region\nr1,2026-03-01T09:00:00Z,us\n"
    loaded = Loaded(tmp_path, "requests.csv", text, map_text=mapping)
    found = loaded.rows("SELECT region, attributes ->> 'region' FROM requests")
    assert found == [("eu", "us")]


@pytest.mark.parametrize("given", ['"2026-03-01 10:00"', "2026-03-01 10:00:00"])
def test_an_instant_of_a_map_is_in_the_zone_that_is_named(tmp_path: Path, given: str) -> None:
    mapping = f"[constants]\noccurred_at = {given}\n"
    for zone, hour, told in (("Europe/Berlin", 9, 0), (None, 10, 1)):
        folder = tmp_path / str(hour)
        folder.mkdir()
        loaded = Loaded(folder, "requests.csv", "id\nr1\n", map_text=mapping, timezone=zone)
        assert loaded.rows("SELECT occurred_at FROM requests") == [(NINE.replace(hour=hour),)]
        assert sum("read as UTC" in note for note in loaded.exhibit.notes) == told


@pytest.mark.parametrize("given", ["2026-03-01T10:00:00+01:00", '"2026-03-01 10:00:00 +0100"'])
def test_an_instant_of_a_map_with_a_zone_is_that(tmp_path: Path, given: str) -> None:
    mapping = f"[constants]\noccurred_at = {given}\n"
    loaded = Loaded(tmp_path, "requests.csv", "id\nr1\n", map_text=mapping)
    assert loaded.rows("SELECT occurred_at FROM requests") == [(NINE,)]
    assert not [note for note in loaded.exhibit.notes if "read as UTC" in note]


def test_one_source_column_can_fill_two(tmp_path: Path) -> None:
    mapping = '[columns]\nuser_id = "who"\naccount_id = "who"\n'
    text = "id,at,who\nr1,2026-03-01T09:00:00Z,ann\n"
    loaded = Loaded(tmp_path, "requests.csv", text, map_text=mapping)
    assert loaded.rows("SELECT user_id, account_id FROM requests") == [("ann", "ann")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[columns\n", "MAP_INVALID"),
        ("columns = 3\n", "MAP_INVALID"),
        ('[colums]\nuser_id = "uid"\n', "MAP_INVALID"),
        ("table = 3\n", "MAP_INVALID"),
        ('table = "request"\n', "UNKNOWN_TABLE"),
        ('table = "requests"\n[columns]\nuserid = "uid"\n', "UNKNOWN_COLUMN"),
        ('[columns]\nuserid = "uid"\n', "UNKNOWN_COLUMN"),
        ("[columns]\nuser_id = 3\n", "MAP_INVALID"),
        ('[columns]\nuser_id = {from = "uid"}\n', "MAP_INVALID"),
        ('[columns]\nuser_id = {source = "uid", unit = "x"}\n', "MAP_INVALID"),
        ('[columns]\nlatency_ms = {source = "l", scale = "k"}\n', "MAP_INVALID"),
        ('[columns]\nlatency_ms = {source = "l", scale = true}\n', "MAP_INVALID"),
        ('[columns]\nuser_id = {source = "l", scale = 3}\n', "MAP_INVALID"),
        ('[columns]\nuser_id = {source = "l", format = "%Y"}\n', "MAP_INVALID"),
        ('[columns]\noccurred_at = {source = "t", format = "%Q"}\n', "MAP_INVALID"),
        ('[columns]\noccurred_at = {source = "t", format = "seconds"}\n', "MAP_INVALID"),
        (
            '[columns]\noccurred_at = {source = "t", timezone = "Europe/Berln"}\n',
            "UNKNOWN_TIMEZONE",
        ),
        ('[columns]\nsignal = {source = "t", values = 3}\n', "MAP_INVALID"),
        ('table = "requests"\n[constants]\ninput_tokens = "many"\n', "MAP_INVALID"),
        (
            'table = "requests"\n[constants]\noccurred_at = "2026-07-01 10:00:00 BST"\n',
            "MAP_INVALID",
        ),
        ('table = "people"\n[constants]\nactive_until = "0026-01-01"\n', "MAP_INVALID"),
        ('table = "people"\n[constants]\nactive_from = "9999-12-31"\n', "MAP_INVALID"),
        ('[columns]\nregion = "r"\n[constants]\nregion = "eu"\n', "MAP_INVALID"),
        ('table = "artifact_inputs"\n[constants]\npin = "nailed"\n', "MAP_INVALID"),
    ],
)
def test_a_map_is_refused_before_anything_is_opened(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        check_options(Options(mapping=read_map(path)), None)
    assert caught.value.code == code


def test_the_map_of_the_manual_is_one() -> None:
    manual = Path(__file__).parents[2] / "docs" / "loading.md"
    (text,) = re.findall(r"```toml\n(.*?)```", manual.read_text(), re.S)
    check_options(Options(mapping=tomllib.loads(text)), None)


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('table = "units"\n[columns]\nunit_id = \n')
    with pytest.raises(UsageError) as caught:
        read_map(path)
    assert caught.value.where == f"{path}:line 3"


def test_a_map_that_names_a_column_that_is_not_there(tmp_path: Path) -> None:
    mapping = '[columns]\nuser_id = "uid"\n'
    with pytest.raises(CaseworkError, match=r"MAP_COLUMN.*'uid', the file has: id, at"):
        Loaded(tmp_path, "requests.csv", "id,at\nr1,2026-03-01T09:00:00Z\n", map_text=mapping)


def test_as_and_a_map_may_not_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="CONTRADICTION"):
        check_options(Options(table=get("units"), mapping={"table": "nps"}), None)


# Torn and hostile text


TORN = b"""request_id,occurred_at,note
r1,2026-03-01T09:00:00Z,whole
r2,2026-03-01T09:00:00Z
r3,2026-03-01T09:00:00Z,one,too many

r4,2026-03-01T09:00:00Z,"quoted" badly
r5,2026-03-01T09:00:00Z,caf\xff
r6,2026-03-01T09:00:00Z,"a
line within"
"""


def test_a_csv_file_that_is_torn_far_down_is_read_again_from_the_start(tmp_path: Path) -> None:
    n = 20_000
    text = "unit_id,since\n" + "".join(f"u{i},2026-03-01\n" for i in range(1, n + 1))
    loaded = Loaded(tmp_path, "units.csv", text + 'last,"torn')
    assert (loaded.exhibit.rows_kept, loaded.exhibit.rows_rejected) == (n, 1)
    assert loaded.rejects[0][:2] == (f"row {n + 1}", "TORN")
    wrong = loaded.rows("SELECT count(*) FROM units WHERE locator <> 'row ' || substr(unit_id, 2)")
    assert wrong == [(0,)]
    assert len(set(loaded.exhibit.notes)) == len(loaded.exhibit.notes)


def test_rows_of_a_parquet_file_of_many_groups_are_numbered_in_its_order(tmp_path: Path) -> None:
    n = 40_000
    ids = [f"u{i}" if i % 1_000 else "" for i in range(1, n + 1)]
    out = io.BytesIO()
    pa.parquet.write_table(pa.table({"unit_id": ids}), out, row_group_size=7_000)
    loaded = Loaded(tmp_path, "units.parquet", out.getvalue())
    assert (loaded.exhibit.rows_kept, loaded.exhibit.rows_rejected) == (n - n // 1_000, n // 1_000)
    wrong = loaded.rows("SELECT count(*) FROM units WHERE locator <> 'row ' || substr(unit_id, 2)")
    assert wrong == [(0,)]
    assert [at for at, _, _ in loaded.rejects][:2] == ["row 1000", "row 2000"]


def test_the_whole_rows_of_a_torn_csv_file_are_kept(tmp_path: Path) -> None:
    loaded = Loaded(tmp_path, "requests.csv", TORN)
    kept = loaded.rows("SELECT request_id, locator, attributes ->> 'note' FROM requests")
    assert kept == [("r1", "row 1", "whole"), ("r6", "row 6", "a\nline within")]
    assert loaded.rows("SELECT locator, code, raw FROM rejects ORDER BY locator") == [
        ("row 2", "TORN", "r2,2026-03-01T09:00:00Z"),
        ("row 3", "TORN", "r3,2026-03-01T09:00:00Z,one,too many"),
        ("row 4", "TORN", 'r4,2026-03-01T09:00:00Z,"quoted" badly'),
        ("row 5", "ENCODING", "r5,2026-03-01T09:00:00Z,caf\\udcff"),
    ]


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    loaded = Loaded(tmp_path, "units.csv", 'unit_id,region\nu1,eu\nu2,"us\nu3,ap\n')
    assert loaded.rows("SELECT unit_id FROM units") == [("u1",)]
    assert loaded.rows("SELECT code, raw FROM rejects") == [("TORN", 'u2,"us\nu3,ap')]


def test_lines_of_json_that_cannot_be_used(tmp_path: Path) -> None:
    good = '{"unit_id": "u%d"}\n'
    lines = [
        good % 1,
        '{"unit_id": "u2", \n',
        '"u3"}\n',
        "[1]\n",
        "\n",
        '{"unit_id": "a", "unit_id": "b"}\n',
        '{"unit_id": "n", "x": NaN}\n',
        '{"unit_id": "s", "x": "\\ud800"}\n',
        '{"unit_id": "d", "x": ' + "[" * 100 + "]" * 100 + "}\n",
        good % 10,
        '{"unit_id": "u11", "x": "a\\":b"}\n',
    ]
    loaded = Loaded(tmp_path, "units.jsonl", "".join(lines))
    assert loaded.rows("SELECT unit_id, locator FROM units") == [
        ("u1", "line 1"),
        ("u10", "line 10"),
        ("u11", "line 11"),
    ]
    assert [(locator, code) for locator, code, _ in loaded.rejects] == [
        ("line 2", "JSON"),
        ("line 6", "JSON_DUPLICATE_KEY"),
        ("line 7", "JSON"),
        ("line 8", "JSON"),
        ("line 9", "JSON_DEPTH"),
    ]
    ((raw,),) = loaded.rows("SELECT raw FROM rejects WHERE locator = 'line 6'")
    assert raw == lines[5].strip()


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ({"": 1}, "a column has no name"),
        ({"A": 1, "a": 2}, "two columns are named 'A', but for case"),
        ({"Casework locator": "line 9"}, "no column may begin with 'casework '"),
        ({f"c{n}": n for n in range(2_000)}, "more than 2,000 columns"),
    ],
)
def test_a_record_whose_names_no_table_can_have_is_a_reject(
    tmp_path: Path, held: dict[str, Any], why: str
) -> None:
    lines = [{"unit_id": "u1", "A": 1}, {"unit_id": "u2", **held}, {"unit_id": "u3"}]
    loaded = Loaded(tmp_path, "units.jsonl", as_lines(lines))
    assert loaded.rows("SELECT unit_id, locator FROM units") == [("u1", "line 1"), ("u3", "line 3")]
    assert loaded.rejects == [("line 2", "NAMES", why)]


def test_a_name_in_a_header_may_have_blanks_around_it(tmp_path: Path) -> None:
    text = "unit_id, region\nu1,eu\n"
    for name in ("region", " region", "Region "):
        of = f'[columns]\ntier = "{name}"\n'
        loaded = Loaded(tmp_path, "units.csv", text, map_text=of)
        assert loaded.rows("SELECT tier, attributes FROM units") == [("eu", None)]
        loaded.case.unlink()


@pytest.mark.parametrize(
    ("header", "header_rows", "names"),
    [
        ("unit_id,Q1,Q1 ,q2 ", 1, {"Q1": "a", "Q1 ": "b", "q2": "c"}),
        ("unit_id,Q1 ,Q1,q1\n\n,x,y,z", 2, {"Q1": "a", "Q1 (column 3)": "b", "q1 (column 4)": "c"}),
        ("unit_id,Q (column 4),Q,Q\n,,,",
         2, {"Q (column 4)": "a", "Q": "b", "Q (column 4) (column 4)": "c"}),
        ("unit_id,Q1,,\n\n,one,two,two",
         2, {"Q1": "a", "Q1 / two": "b", "Q1 / two (column 4)": "c"}),
    ],
)  # fmt: skip
def test_names_in_a_header_that_are_the_same_but_for_blanks(
    tmp_path: Path, header: str, header_rows: int, names: dict[str, str]
) -> None:
    rows = f"header_rows = {header_rows}\n"
    loaded = Loaded(tmp_path, "units.csv", f"{header}\nu1,a,b,c\n", map_text=rows)
    ((held,),) = loaded.rows("SELECT attributes FROM units")
    assert json.loads(held) == names


def test_a_torn_row_of_a_header_is_no_reject(tmp_path: Path) -> None:
    text = "unit_id,Q1\none question\nu1\nu2,a\n"
    loaded = Loaded(tmp_path, "units.csv", text, map_text="header_rows = 2\n")
    assert [locator for locator, _, _ in loaded.rejects] == ["row 2"]
    assert (loaded.exhibit.rows_read, loaded.exhibit.rows_kept) == (2, 1)


def test_a_question_is_found_behind_a_blank_line(tmp_path: Path) -> None:
    text = "unit_id,Q1\n\n,Where do you live?\nu1,eu\n"
    given = 'header_rows = 2\n[columns]\nregion = {pattern = "live"}\n'
    loaded = Loaded(tmp_path, "units.csv", text, map_text=given)
    assert loaded.rows("SELECT region FROM units") == [("eu",)]


def test_rejects_of_a_stream_are_told_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not held: a small archive may unpack to very many."""
    read = []

    def records(source: Source) -> Iterator[Record | Reject]:
        for one in _records.records(source):
            read.append(one)
            yield one

    monkeypatch.setattr(_staging, "records", records)
    (tmp_path / "units.jsonl").write_bytes(b'{"unit_id": "u1"}\n' + b"{\n" * 10)
    items = table_file.read(loading.source_of(tmp_path / "units.jsonl"), Options())
    for number in range(1, 10):
        assert isinstance(next(items), Reject)
        assert len(read) == 1 + number


def test_elements_of_an_array_that_are_no_records(tmp_path: Path) -> None:
    loaded = Loaded(tmp_path, "units.json", '[{"unit_id": "u0"}, 7, {"unit_id": "u2"}, null]')
    assert loaded.rows("SELECT locator FROM units") == [("/0",), ("/2",)]
    assert [locator for locator, _, _ in loaded.rejects] == ["/1", "/3"]


OFFSETS = struct.pack("<3i", 0, 2, 4)
OUT_OF_MEMORY = as_arrow([{"unit_id": "u1"}, {"unit_id": "u2"}], stream=False).replace(
    OFFSETS, struct.pack("<3i", 0, 1 << 30, 4)
)
LARGE = b"unit_id\n" + b"".join(b"u%d\n" % number for number in range(100_000))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("units.json", b'[{"unit_id": "u1"}, {"unit'),
        ("units.parquet", FORMATS["requests.parquet"][:-20]),
        ("units.parquet", b"PAR1" + b"\0" * 100),
        ("units.arrow", FORMATS["requests.arrow"][:200]),
        ("units.arrows", FORMATS["requests.arrows"][:100]),
        ("units.arrow", OUT_OF_MEMORY),
        ("units.csv.gz", gzip.compress(LARGE)[:-12]),
        ("units.csv.gz", gzip.compress(LARGE)[:-8] + b"\0" * 8),
        ("units.csv.zst", zstandard.compress(LARGE)[:-12]),
        ("units.csv.zst", zstandard.compress(LARGE) + zstandard.compress(LARGE)[:-12]),
        ("units.jsonl.gz", gzip.compress(b'{"unit_id": "u1"}\n' * 1_000)[:-12]),
        ("units.jsonl.zst", zstandard.compress(b'{"unit_id": "u1"}\n' * 1_000)[:-6]),
        ("units.csv", "unit_id,x\nu1,2\n".encode("utf-16")),
        ("units.jsonl", b'{"unit_id": "u1", "a": 1}\n{"unit_id": "u2", "A": 1}'),
        ("units.csv", b"unit_id,,x\nu1,2,3\n"),
        ("units.csv", b"unit_id,x,x\nu1,2,3\n"),
        ("units.csv", b""),
        ("units.csv", b"unit_id," + b"a" * 70_000 + b"\nu1,2\n"),
        ("units.csv", b"unit_id," + b",".join(b"c%d" % n for n in range(4_000)) + b"\n"),
        ("units.parquet", as_parquet([{f"c{n}": 1 for n in range(4_000)}])),
    ],
    ids=str_only,
)
def test_a_damaged_source_is_refused_as_a_whole(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(CaseworkError) as caught:
        Loaded(tmp_path, name, data)
    assert caught.value.code in ("SOURCE_UNREADABLE", "NOT_A_TABLE_FILE", "JSON", "COMPRESSION")
    assert loading.rows(tmp_path / "case.duckdb", "SELECT count(*) FROM units") == [(0,)]
    assert loading.rows(tmp_path / "case.duckdb", "SELECT count(*) FROM exhibits") == [(0,)]


def test_a_file_of_several_frames_is_read_to_its_end(tmp_path: Path) -> None:
    parts = [b"unit_id\nu1\n", b"u2\n", b"u3\n"]
    for suffix, pack in (("gz", gzip.compress), ("zst", zstandard.compress)):
        loaded = Loaded(tmp_path, f"units.csv.{suffix}", b"".join(map(pack, parts)))
    assert loaded.rows("SELECT count(*) FROM units") == [(3,)]
    assert loaded.exhibit.rows_duplicate == 3


@pytest.mark.parametrize("data", [b"", b"\n \n", b"[]", b" [ ]\n"])
def test_json_without_a_record_is_an_exhibit_without_rows(tmp_path: Path, data: bytes) -> None:
    loaded = Loaded(tmp_path, "units.json", data)
    assert (loaded.exhibit.rows_read, loaded.exhibit.notes) == (0, ("it holds no record",))


@pytest.mark.parametrize("seed", range(10))
def test_a_parquet_file_with_flipped_bits_never_crashes(tmp_path: Path, seed: int) -> None:
    data = bytearray(as_parquet(RECORDS * 50))
    place = 4 + seed * (len(data) - 8) // 10
    data[place] ^= 0xFF
    code = loading.refusal_of(lambda: Loaded(tmp_path, "requests.parquet", bytes(data)))
    assert code in ("", "SOURCE_UNREADABLE", "MISSING_COLUMN", "BAD_NAME")


# Nothing is lost

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# A note that is nothing but numbers would be a covariate.
NOTES = CELLS.map(lambda text: text and f"~{text}")
TABLES = st.lists(st.tuples(CELLS, CELLS, NOTES), max_size=12)
QUICK = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def told(tmp_path: Path, name: str, data: bytes) -> tuple[Exhibit, list[tuple[Any, ...]]]:
    """Load one file into a case of its own; its exhibit and its rows in the order of the file."""
    for old in tmp_path.iterdir():
        old.unlink()
    loaded = Loaded(tmp_path, name, data)
    rows = loaded.rows("SELECT locator, unit_id, region, attributes ->> 'note' FROM units")
    return loaded.exhibit, sorted((int(locator.split()[1]), *rest) for locator, *rest in rows)


def expected(
    records: list[tuple[str, str, str]], *, empty_note: str | None
) -> list[tuple[Any, ...]]:
    """What must be kept of records: the first of each id, none without one.

    What the first leaves open is filled by those that agree with it. Of JSON the attributes are
    kept as they stand.
    """
    kept: dict[str, tuple[Any, ...]] = {}
    for number, (unit, region, note) in enumerate(records, start=1):
        said = (region or None, note or empty_note)
        first, _, *known = kept.get(unit, (number, unit, None, None))
        pairs = list(zip(known, said, strict=True))
        if unit and all(None in pair or pair[0] == pair[1] for pair in pairs):
            kept[unit] = (first, unit, *(a if a is not None else b for a, b in pairs))
    return list(kept.values())


def assert_nothing_is_lost(
    records: list[tuple[str, str, str]], exhibit: Exhibit, rows: list[tuple[Any, ...]], want: Any
) -> None:
    told = exhibit.rows_kept + exhibit.rows_rejected + exhibit.rows_duplicate
    assert exhibit.rows_read == told == len(records)
    assert rows == want


@QUICK
@given(records=TABLES)
def test_any_csv_text_is_kept_or_told(tmp_path: Path, records: list[tuple[str, str, str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(("unit_id", "region", "note"))
    writer.writerows(records)
    exhibit, rows = told(tmp_path, "units.csv", out.getvalue().encode())
    assert_nothing_is_lost(records, exhibit, rows, expected(records, empty_note=None))


@QUICK
@given(records=TABLES)
def test_any_text_in_json_lines_is_kept_or_told(
    tmp_path: Path, records: list[tuple[str, str, str]]
) -> None:
    names = ("unit_id", "region", "note")
    data = as_lines([dict(zip(names, record, strict=True)) for record in records])
    exhibit, rows = told(tmp_path, "units.jsonl", data)
    assert_nothing_is_lost(records, exhibit, rows, expected(records, empty_note=""))


@QUICK
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_under_a_header_are_kept_or_told(tmp_path: Path, data: bytes) -> None:
    for old in tmp_path.iterdir():
        old.unlink()
    # That the counts of an exhibit add up is asserted wherever one is loaded.
    text = b"unit_id,region\n" + data
    code = loading.refusal_of(lambda: Loaded(tmp_path, "units.csv", text))
    assert code in ("", "SOURCE_UNREADABLE")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("champion", ["champion"]),
        ("champion; latest,", ["champion", "latest"]),
        ('["champion","latest"]', ["champion", "latest"]),
        ("[champion, latest]", ["champion", "latest"]),
        ("[]", []),
        ("", None),
    ],
)
def test_names_in_one_field_are_a_list(tmp_path: Path, written: str, read: list[str]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([["model", "version", "aliases"], ["m", "1", written]])
    loaded = Loaded(tmp_path, "model_versions.csv", file.getvalue())
    assert not loaded.rejects
    assert loaded.rows("SELECT aliases FROM model_versions") == [(read,)]


def test_a_broken_list_is_no_name(tmp_path: Path) -> None:
    text = 'model,version,aliases\nm,1,"[""champion"\n'
    assert Loaded(tmp_path, "model_versions.csv", text).rejects


@pytest.mark.parametrize("written", ["Base Checkpoint", " base-checkpoint", "BASE_CHECKPOINT"])
def test_the_words_of_a_column_are_known_however_they_are_written(
    tmp_path: Path, written: str
) -> None:
    text = f"artifact,kind,pin\nm,{written},Pinned\n"
    loaded = Loaded(tmp_path, "artifact_inputs.csv", text)
    assert not loaded.rejects
    assert loaded.rows("SELECT kind, pin FROM artifact_inputs") == [("base_checkpoint", "pinned")]


def test_the_words_of_a_column_are_known_in_fields_of_other_formats_too() -> None:
    kind = next(column for column in get("eval_samples").columns if column.name == "kind")
    assert convert("Safe Contrast", kind, Instants(None)) == "safe_contrast"
    with pytest.raises(ValueError, match="not one of"):
        convert("harmless", kind, Instants(None))
