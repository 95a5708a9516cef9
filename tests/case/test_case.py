"""The case file: made once, written by one, read by many, whole after every fault."""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from tests.importers import loading

from casework.case import (
    Batch,
    Case,
    CaseWriter,
    Fields,
    Item,
    Note,
    Packed,
    Query,
    Receipt,
    Reject,
    Row,
    Select,
    identifier,
    pack,
)
from casework.case._schema import VERSION
from casework.case.origins import rows_of
from casework.errors import CaseworkError
from casework.findings import (
    Chart,
    Evidence,
    Falsifier,
    Finding,
    Measure,
    Missing,
    Parameter,
    Result,
    Rival,
)
from casework.records import Exhibit
from casework.tables import ALL, get

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
UNITS, EVAL_RUNS = get("units"), get("eval_runs")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty case."""
    path = tmp_path / "case.duckdb"
    path.write_bytes(loading.empty_case())
    return path


def receipt(name: str) -> Receipt:
    return Receipt(name, name.encode().hex().ljust(64, "0"), len(name), "csv", "table_file")


def keep(path: Path, name: str, items: list[Item]) -> Exhibit:
    with CaseWriter(path) as writer:
        return writer.load(receipt(name), items)


def unit(name: str, line: int = 1, **values: Any) -> Row:
    return Row(UNITS, f"line {line}", {"unit_id": name, **values})


def code_of(path: Path, open_as: Any = Case) -> str:
    return loading.refusal_of(lambda: open_as(path).close())


def python(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, **options)


# Made


def test_a_new_case_is_empty_and_says_what_it_is(tmp_path: Path) -> None:
    with Case.create(tmp_path / "a.duckdb", "A title") as case:
        facts = case.facts()
        assert facts.title == "A title"
        assert facts.id.startswith("urn:uuid:")
        assert facts.schema_version == VERSION
        assert case.exhibits() == case.tables() == case.rejects() == case.results() == ()
        (entry,) = case.custody()
    assert (entry.sequence, entry.action) == (1, "new")
    assert entry.detail == {"title": "A title", "id": facts.id}
    assert "@" in entry.actor
    assert entry.tool.startswith("casework ")


def test_a_case_without_a_title_has_that_of_its_file(tmp_path: Path) -> None:
    with Case.create(tmp_path / "canary.duckdb") as case:
        assert case.facts().title == "canary"


def test_any_duckdb_client_finds_the_manual_in_the_file(path: Path) -> None:
    sql = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
    found = {(table, column): comment for table, column, comment in loading.rows(path, sql)}
    for table in ALL:
        for column in table.all_columns:
            assert found[table.name, column.name] == column.doc


def test_there_is_no_second_case_of_a_name(path: Path) -> None:
    before = path.read_bytes()
    assert loading.refusal_of(lambda: Case.create(path)) == "CASE_EXISTS"
    assert path.read_bytes() == before


def test_a_case_cannot_be_made_where_there_is_no_folder(tmp_path: Path) -> None:
    wanted = tmp_path / "nowhere" / "a.duckdb"
    assert loading.refusal_of(lambda: Case.create(wanted)) == "CASE_NOT_WRITABLE"


@pytest.mark.parametrize("said", ["today", "9" * 15, "9" * 30])
def test_a_clock_that_is_none_is_told_and_leaves_no_file(
    tmp_path: Path, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", said)
    assert loading.refusal_of(lambda: Case.create(tmp_path / "a.duckdb")) == "BAD_CLOCK"
    assert not list(tmp_path.iterdir())


def test_a_user_without_a_name_can_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs under a bare number."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])
    with Case.create(tmp_path / "a.duckdb") as case:
        assert case.custody()[0].actor.startswith(f"uid {os.getuid()}@")


@pytest.mark.parametrize("open_as", [Case, CaseWriter])
def test_what_is_no_case(tmp_path: Path, open_as: Any) -> None:
    assert code_of(tmp_path / "none.duckdb", open_as) == "CASE_MISSING"
    text = tmp_path / "text.csv"
    text.write_text("unit_id\nu1\n")
    assert code_of(text, open_as) == "NOT_A_CASE"
    assert text.read_text() == "unit_id\nu1\n"
    foreign = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("CREATE TABLE case_info (key VARCHAR, value VARCHAR)")
    assert code_of(foreign, open_as) == "NOT_A_CASE"
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("INSERT INTO case_info VALUES ('schema_version', 'new')")
    assert code_of(foreign, open_as) == "NOT_A_CASE"
    tables = loading.rows(foreign, "SELECT table_name FROM duckdb_tables()")
    assert tables == [("case_info",)]


# Loaded


def test_a_load_keeps_rows_and_tells_what_became_of_the_others(path: Path) -> None:
    items: list[Item] = [
        unit("u1", 1, created_at=NINE, covariates={"visits": 3.0}, attributes={"b": 1, "a": [2]}),
        Note("said"),
        unit("u2", 2, is_bot=True),
        Reject("line 3", "TORN", "why", "raw \udcff", UNITS),
        unit("u1", 4, created_at=NINE, covariates={"visits": 3.0}, attributes={"a": [2], "b": 1}),
        unit("u2", 5, is_bot=False),
    ]
    exhibit = keep(path, "units", items)
    assert (exhibit.rows_read, exhibit.rows_kept) == (5, 2)
    assert (exhibit.rows_rejected, exhibit.rows_duplicate) == (2, 1)
    assert (exhibit.tables, exhibit.notes) == ({"units": 2}, ("said",))
    with Case(path) as case:
        assert case.exhibits() == (exhibit,)
        assert case.filled("units", ("created_at", "covariates"))
        assert not case.filled("units", ("created_at", "is_bot"))
        torn, contradiction = sorted(case.rejects(), key=lambda group: group.code, reverse=True)
        assert (torn.code, torn.count, torn.first_locator) == ("TORN", 1, "line 3")
        assert (contradiction.code, contradiction.first_locator) == ("CONTRADICTS", "line 5")
        (fill,) = case.tables()
        assert (fill.rows, fill.first, fill.last) == (2, NINE, NINE)
    sql = "SELECT locator, same_as_locator FROM duplicates"
    assert loading.rows(path, sql) == [("line 4", "line 1")]
    assert loading.rows(path, "SELECT raw FROM rejects WHERE code = 'TORN'") == [("raw \\udcff",)]


def test_the_first_of_contradicting_rows_is_kept_across_exhibits(path: Path) -> None:
    first = keep(path, "first", [unit("u1", region="eu"), unit("u2", 2, region="eu")])
    second = keep(path, "second", [unit("u1", region="us"), unit("u2", 2, region="eu")])
    assert (second.rows_kept, second.rows_rejected, second.rows_duplicate) == (0, 1, 1)
    assert loading.rows(path, "SELECT DISTINCT region FROM units") == [("eu",)]
    sql = "SELECT exhibit_id, same_as_exhibit FROM duplicates"
    assert loading.rows(path, sql) == [(second.id, first.id)]
    ((reason, raw),) = loading.rows(path, "SELECT reason, raw FROM rejects")
    assert reason == f"same key as {first.id} line 1, other region"
    assert json.loads(raw)["region"] == "us"
    keep(path, "third", [unit("u1", region="x" * 9_000)])
    assert loading.rows(path, "SELECT max(length(raw)) FROM rejects") == [(4_000,)]


def test_a_row_takes_from_another_exhibit_what_the_first_leaves_open(path: Path) -> None:
    first = keep(path, "first", [unit("u1", region="eu", attributes={"a": 1, "b": 2})])
    second = keep(
        path,
        "second",
        [
            unit("u1", 1, is_bot=True, attributes={"b": 2, "c": 3}),
            unit("u1", 2, is_bot=False, created_at=NINE),  # of the row before another is told
            unit("u1", 3, attributes={"a": 9}, created_at=NINE),
            unit("u1", 4, covariates={"visits": 3.0}),
        ],
    )
    assert (second.rows_kept, second.rows_rejected, second.rows_duplicate) == (0, 2, 2)
    assert second.tables == {"units": 0}
    assert second.notes == ("completes 1 row of units told before",)
    columns = "region, is_bot, created_at, covariates, attributes, exhibit_id, locator"
    ((*told, attributes, exhibit, locator),) = loading.rows(path, f"SELECT {columns} FROM units")
    assert told == ["eu", True, None, {"visits": 3.0}]
    assert json.loads(attributes) == {"a": 1, "b": 2, "c": 3}
    assert (exhibit, locator) == (first.id, "line 1")
    with Case(path) as case:
        places = [(row.exhibit.id, row.locator) for row in rows_of(case, UNITS, unit_id="u1")]
        units = Query("units", "SELECT count(*) FROM units")
        assert case.exhibits_of(units) == tuple(sorted((first.id, second.id)))
    assert places == [(first.id, "line 1"), (second.id, "line 1"), (second.id, "line 4")]


def test_a_contradiction_names_what_differs(path: Path) -> None:
    held = {"owner": "a", "note": "x", "seen": None}
    keep(path, "first", [unit("u1", tier="free", covariates={"x": 1.0}, attributes=held)])
    other = {"note": "x", "owner": "b", "seen": 2, "more": 1}
    rows = [unit("u1", tier="pro", covariates={"x": 2.0, "y": 1.0}, attributes=other)]
    again = keep(path, "second", rows)
    assert (again.rows_kept, again.rows_rejected) == (0, 1)
    ((reason,),) = loading.rows(path, "SELECT reason FROM rejects")
    assert reason.endswith(", other tier, attributes.owner, covariates.x")


def test_what_goes_on_began_at_the_earliest_that_is_told(path: Path) -> None:
    """Each export of a judge's marks holds another part of them."""

    def run(name: str, day: int, **values: Any) -> Row:
        begun = NINE.replace(day=day)
        facts = {"run_id": name, "suite": "tone", "started_at": begun, **values}
        return Row(EVAL_RUNS, f"{name} {day}", facts)

    keep(path, "first", [run("goes on", 9), run("later", 5), run("ended", 9, ended_at=NINE)])
    judged = [run("goes on", 7), run("goes on", 8), run("later", 6), run("ended", 8)]
    again = keep(path, "second", judged)
    assert (again.rows_kept, again.rows_duplicate, again.rows_rejected) == (0, 3, 1)
    assert again.notes == ("completes 1 row of eval_runs told before",)
    found = loading.rows(path, "SELECT run_id, day(started_at), locator FROM eval_runs ORDER BY 1")
    assert found == [("ended", 9, "ended 9"), ("goes on", 7, "goes on 9"), ("later", 5, "later 5")]
    ((locator, reason),) = loading.rows(path, "SELECT locator, reason FROM rejects")
    assert (locator, reason[-18:]) == ("ended 8", ", other started_at")
    keep(path, "third", [run("goes on", 4, suite="other"), run("goes on", 6)])
    sql = "SELECT day(started_at) FROM eval_runs WHERE run_id = 'goes on'"
    assert loading.rows(path, sql) == [(6,)], "what is rejected says nothing of the beginning"


def test_extras_that_the_first_row_lacks_are_compared_with_each_other(path: Path) -> None:
    extras: list[dict[str, int] | None] = [None, {"a": 1}, {"b": 2}, {"b": 3}, {"a": 1, "b": 2}]
    rows = [unit("u1", line, attributes=held) for line, held in enumerate(extras, 1)]
    exhibit = keep(path, "first", rows)
    assert (exhibit.rows_kept, exhibit.rows_rejected, exhibit.rows_duplicate) == (1, 1, 3)
    ((held,),) = loading.rows(path, "SELECT attributes FROM units")
    assert json.loads(held) == {"a": 1, "b": 2}
    assert loading.rows(path, "SELECT locator FROM rejects") == [("line 4",)]


def taken(rows: list[Row]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The rows of a key as one where they come one after the other, and which are none."""
    stand: dict[str, dict[str, Any]] = {}
    out = []
    for row in rows:
        told = {name: value for name, value in row.values.items() if not isinstance(value, dict)}
        for name in ("covariates", "attributes"):
            told |= {f"{name} {key}": held for key, held in (row.values.get(name) or {}).items()}
        told = {name: value for name, value in told.items() if value is not None}
        before = stand.setdefault(row.values["unit_id"], told)
        if any(before.get(name, value) != value for name, value in told.items()):
            out.append(row.locator)
        else:
            stand[row.values["unit_id"]] = told | before
    return stand, out


def test_rows_of_a_key_are_judged_one_after_the_other(path: Path) -> None:
    """Whatever is rejected counts for no later row, and covariates are values each of its own."""
    draw = Random(8)

    def some(values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if draw.random() < 0.4}

    def told() -> dict[str, Any]:
        maps = {name: some({key: draw.randrange(2) for key in "abc"}) or None
                for name in ("covariates", "attributes")}  # fmt: skip
        return {**maps, **some({"region": draw.choice("ab"), "tier": draw.choice("ab")})}

    rows = [unit(f"u{n % 150}", n, **told()) for n in range(900)]
    keep(path, "first", rows[:500])
    keep(path, "second", rows[500:])
    stand, out = taken(rows)
    assert loading.rows(path, "SELECT locator FROM rejects ORDER BY CAST(locator[6:] AS INT)") == [
        (locator,) for locator in out
    ]
    assert 100 < len(out) < 800
    columns = "unit_id, region, tier, covariates, attributes"
    for key, region, tier, covariates, attributes in loading.rows(
        path, f"SELECT {columns} FROM units"
    ):
        held = {"region": region, "tier": tier, "covariates": covariates,
                "attributes": json.loads(attributes or "{}")}  # fmt: skip
        assert taken([unit(key, **held)])[0] == {key: stand[key]}


def test_rows_that_only_repeat_complete_nothing(path: Path) -> None:
    held = {"b": 1, "a": [2], "c": 3}
    keep(path, "first", [unit("u1", region="eu", covariates={"x": 1, "y": 2}, attributes=held)])
    rows = [unit("u1", attributes=held), unit("u1", 2), unit("u1", 3, attributes={"b": 1}),
            unit("u1", 4, covariates={"y": 2})]  # fmt: skip
    again = keep(path, "second", rows)
    assert (again.rows_duplicate, again.notes) == (4, ())


@pytest.mark.parametrize("column", ["attributes", "covariates"])
def test_many_rows_of_a_key_with_names_of_their_own_take_no_long_time(
    path: Path, column: str
) -> None:
    """What grows faster than their number takes minutes here."""
    many = 3_000
    names = [unit("u1", n, **{column: {f"n{n}": 1}}) for n in range(many)]
    other = [unit("u2", n, **{column: {f"n{n}": 1, f"n{n + 1}": 0}}) for n in range(many)]
    begun = process_time()
    exhibit = keep(path, "names", [*names, *other])
    assert process_time() - begun < 5
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (2, many // 2)
    assert exhibit.rows_duplicate == many - 1 + many // 2 - 1


def test_zero_has_no_sign_whatever_else_disagrees(path: Path) -> None:
    outcomes, vectors = get("outcomes"), get("vectors")
    key = {"unit_id": "u1", "metric": "m", "occurred_at": NINE}
    told = [(0.0, None), (-0.0, None), (0.0, 1.0), (0.0, 2.0)]
    rows = [Row(outcomes, f"line {n}", {**key, "value": value, "denominator": of})
            for n, (value, of) in enumerate(told)]  # fmt: skip
    rows += [unit("u1", 10 + n, covariates={"a": held[0], "b": held[1]})
             for n, held in enumerate([(0.0, 1.0), (-0.0, 1.0), (0.0, 2.0)])]  # fmt: skip
    text = {"text_id": "t1", "occurred_at": NINE}
    rows += [Row(vectors, f"line {20 + n}", {**text, "vector": [held]})
             for n, held in enumerate([0.0, -0.0, 1.0])]  # fmt: skip
    keep(path, "zeros", rows)
    sql = "SELECT locator FROM rejects ORDER BY locator"
    assert loading.rows(path, sql) == [("line 12",), ("line 22",), ("line 3",)]


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("ab" * 32, "sha256:" + "ab" * 32),
        ("SHA256:" + "AB" * 32, "sha256:" + "ab" * 32),
        ("sha256-" + "Ab" * 32, "sha256:" + "ab" * 32),
        ("sha256:" + "ab" * 16, "sha256:" + "ab" * 16),
        ("AB" * 20, "AB" * 20),
        ("x" + "ab" * 32, "x" + "ab" * 32),
        ("registry/model@sha256:" + "ab" * 32, "registry/model@sha256:" + "ab" * 32),
    ],
)
def test_a_digest_has_one_spelling(path: Path, written: str, spelled: str) -> None:
    runs = get("eval_runs")
    values = {"run_id": "r", "suite": "s", "started_at": NINE, "checkpoint": written,
              "prompt_hash": written}  # fmt: skip
    keep(path, "runs", [Row(runs, "line 1", values)])
    ((checkpoint, prompt),) = loading.rows(path, "SELECT checkpoint, prompt_hash FROM eval_runs")
    assert checkpoint == spelled
    assert prompt == (spelled[7:] if len(spelled) == 71 else spelled)
    looked = {"person": "p", "object": written, "kind": "view", "occurred_at": NINE}
    keep(path, "looks", [Row(get("engagements"), "line 1", looked)])
    assert loading.rows(path, "SELECT object FROM engagements") == [(checkpoint,)]


def test_a_retry_at_a_later_instant_is_a_row_of_its_own(path: Path) -> None:
    requests = get("requests")
    rows: list[Item] = [
        Row(requests, f"line {n}", {"request_id": "r1", "occurred_at": NINE.replace(second=n)})
        for n in (1, 2)
    ]
    assert keep(path, "retries", rows).rows_kept == 2


def test_rows_whose_key_is_partly_null_are_compared_too(path: Path) -> None:
    values = {"experiment": "e", "unit_id": "u1", "arm": "a"}
    rows: list[Item] = [Row(get("assignments"), f"line {n}", values) for n in (1, 2)]
    assert keep(path, "assignments", rows).rows_duplicate == 1


def test_rows_that_do_not_fit_take_none_with_them(path: Path) -> None:
    rows: list[Item] = [
        unit("u1", 1),
        unit("u2", 2, created_at="not an instant"),
        Row(UNITS, "line 3", {"region": "eu"}),
        unit("u4", 4, is_bot=False),
        unit("u5", 5, created_at=2**70),
    ]
    exhibit = keep(path, "mixed", rows)
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (2, 3)
    sql = "SELECT locator, code, reason FROM rejects ORDER BY locator"
    (second, third, fifth) = loading.rows(path, sql)
    assert second[:2] == ("line 2", "VALUE")
    assert third == ("line 3", "VALUE", "unit_id is missing")
    assert fifth[:2] == ("line 5", "VALUE")


def test_a_name_that_is_not_utf_8_is_written_out_wherever_it_stands(path: Path) -> None:
    name = os.fsdecode(b"x\xff")
    rows = [Reject(name, "TORN", name, name), Note(name), Fields({name: ["units.tier"]}, {name: 1})]
    exhibit = keep(path, "folder", [*rows, unit("u1")])
    assert (exhibit.notes, exhibit.left_out) == (("x\\udcff",), {"x\\udcff": 1})
    assert exhibit.fields == {"x\\udcff": ["units.tier"]}
    with Case(path) as case:
        assert case.exhibits() == (exhibit,)
        assert case.rejects()[0].first_locator == "x\\udcff"


def test_rows_batches_and_selects_give_the_same(path: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.parquet"
    pa.parquet.write_table(pa.table({"u": ["s1", "s2", None]}), source)
    items: list[Item] = [
        unit("r1"),
        Batch(UNITS, {"unit_id": ["b1", "b2"], "locator": ["row 1", "row 2"]}),
        *pack(
            Select(
                UNITS,
                ("unit_id",),
                "SELECT u, CASE WHEN u IS NULL THEN 'missing' END, "
                "CASE WHEN u IS NULL THEN 'x' END FROM read_parquet($path)",
                {"path": str(source)},
            )
        ),
    ]
    exhibit = keep(path, "all", items)
    assert (exhibit.rows_read, exhibit.rows_kept, exhibit.rows_rejected) == (6, 5, 1)
    kept = loading.rows(path, "SELECT unit_id FROM units ORDER BY unit_id")
    assert [name for (name,) in kept] == ["b1", "b2", "r1", "s1", "s2"]


@pytest.mark.parametrize(("rows", "characters"), [(40_000, 10), (600, 140_000), (3, 40 << 20)])
def test_batches_are_sized_by_bytes_too(rows: int, characters: int) -> None:
    query = "SELECT 'u' || n, repeat('x', $size), NULL::VARCHAR, NULL::VARCHAR FROM range($n) t(n)"
    parameters = {"n": rows, "size": characters}
    parts = [one.content for one in pack(Select(UNITS, ("unit_id", "region"), query, parameters))
             if isinstance(one, Packed)]  # fmt: skip
    assert all(part.num_rows <= 16_384 for part in parts)
    assert all(part.nbytes <= 32 << 20 or part.num_rows == 1 for part in parts)
    assert len(parts) <= 3 + 2 * rows * (characters + 40) / (
        32 << 20
    )  # and no smaller than need be
    ids, places = ([value for part in parts for value in part.column(name).to_pylist()]
                   for name in ("unit_id", "locator"))  # fmt: skip
    assert ids == [f"u{n}" for n in range(rows)]
    assert places == [f"row {n}" for n in range(1, rows + 1)]


def test_rows_that_are_written_while_others_are_read_keep_their_order(path: Path) -> None:
    count = 300_000

    def items() -> Iterator[Item]:
        for first in range(0, count, 70_000):
            numbers = range(first, min(count, first + 70_000))
            names, places = [f"u{n}" for n in numbers], [f"row {n}" for n in numbers]
            yield Packed(UNITS, pa.table({"unit_id": names, "locator": places}))
            yield Reject(f"row {first}x", "TORN", "why", "raw")

    exhibit = keep(path, "many", items())
    assert (exhibit.rows_read, exhibit.rows_kept, exhibit.rows_rejected) == (count + 5, count, 5)
    out_of_place = (
        "SELECT count(*) FROM units WHERE unit_id <> 'u' || rowid OR locator[5:] <> rowid"
    )
    assert loading.rows(path, out_of_place) == [(0,)]


def test_what_cannot_be_written_while_more_is_read_leaves_nothing(path: Path) -> None:
    def items() -> Iterator[Item]:
        yield Batch(UNITS, {"unit_id": ["u1"], "locator": ["row 1"]})
        yield Packed(UNITS, pa.table({"unit_id": ["u2"] * 300_000, "elsewhere": [1] * 300_000}))
        yield unit("u3")

    with CaseWriter(path) as writer:
        with pytest.raises(duckdb.Error, match="locator"):
            writer.load(receipt("bad"), items())
        assert writer.load(receipt("good"), [unit("u4")]).rows_kept == 1
    assert loading.rows(path, "SELECT unit_id FROM units") == [("u4",)]


def test_other_bytes_of_the_same_id_are_refused(path: Path) -> None:
    keep(path, "first", [unit("u1")])
    other = replace(receipt("other"), sha256=receipt("first").sha256[:-1] + "1")
    with CaseWriter(path) as writer:
        assert loading.refusal_of(lambda: writer.load(other, [unit("u2")])) == "EXHIBIT_CLASH"
    assert loading.rows(path, "SELECT unit_id FROM units") == [("u1",)]


def test_an_importer_that_raises_midway_leaves_nothing(path: Path) -> None:
    keep(path, "before", [unit("u0")])
    before = loading.rows(path, "SELECT * FROM custody")

    def items() -> Iterator[Item]:
        yield from (unit(f"u{number}", number) for number in range(60_000))
        yield Reject("line 1", "TORN", "why", "raw")
        raise CaseworkError("TOO_BAD", "what", "fix")

    with CaseWriter(path) as writer:
        with pytest.raises(CaseworkError, match="TOO_BAD"):
            writer.load(receipt("bad"), items())
        assert writer.loaded_as(receipt("bad").sha256) is None
        exhibit = writer.load(receipt("bad"), [unit("u1")])
    assert exhibit.rows_kept == 1
    assert loading.rows(path, "SELECT unit_id FROM units ORDER BY 1") == [("u0",), ("u1",)]
    assert loading.rows(path, "SELECT count(*) FROM rejects") == [(0,)]
    assert loading.rows(path, "SELECT * FROM custody")[: len(before)] == before


def test_a_damaged_source_of_a_select_is_told_as_such(path: Path) -> None:
    bad = Select(UNITS, ("unit_id",), "SELECT error('torn'), NULL, NULL", {})
    with pytest.raises(CaseworkError, match=r"SOURCE_UNREADABLE.*torn"):
        keep(path, "bad", pack(bad))


def test_the_custody_log_names_every_act(path: Path) -> None:
    exhibit = keep(path, "units", [unit("u1"), Reject("line 2", "TORN", "why", "raw")])
    with Case(path) as case:
        new, load = case.custody()
    assert (new.action, load.action, load.sequence) == ("new", "load", 2)
    assert load.detail == {
        "exhibit": exhibit.id,
        "path": "units",
        "sha256": exhibit.sha256,
        "importer": "table_file",
        "read": 2,
        "kept": 1,
        "rejected": 1,
        "duplicate": 0,
    }


# Of another version


def aged(path: Path, *statements: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


OLDER = "UPDATE case_info SET value = '0' WHERE key = 'schema_version'"


@pytest.mark.parametrize("open_as", [Case, CaseWriter])
def test_an_older_case_gets_what_it_lacks_and_keeps_what_it_has(path: Path, open_as: Any) -> None:
    keep(path, "units", [unit("u1", region="eu")])
    aged(path, OLDER, "DROP TABLE nps", "ALTER TABLE units DROP COLUMN is_bot")
    open_as(path).close()
    with Case(path) as case:
        assert case.facts().schema_version == VERSION
        assert case.sql("SELECT unit_id, region, is_bot FROM units").rows == [("u1", "eu", None)]
        assert case.sql("SELECT count(*) FROM nps").rows == [(0,)]
        assert case.custody()[-1].action == "migrate"
    assert keep(path, "more", [unit("u2", is_bot=True)]).rows_kept == 1


@pytest.mark.parametrize("open_as", [Case, CaseWriter])
def test_a_newer_case_is_left_alone(path: Path, open_as: Any) -> None:
    newer = f"UPDATE case_info SET value = '{VERSION + 1}' WHERE key = 'schema_version'"
    before = aged(path, newer).read_bytes()
    assert code_of(path, open_as) == "CASE_NEWER"
    assert path.read_bytes() == before


HIDDEN = """
    CREATE MACRO sum(x) AS 0;
    CREATE MACRO duckdb_functions() AS TABLE
    SELECT '' AS function_name, true AS internal
"""


ENDLESS = """
    DROP TABLE case_info;
    CREATE VIEW case_info AS
    SELECT 'schema_version' AS key, max(a.range * b.range)::VARCHAR AS value
    FROM range(10_000_000) AS a, range(10_000_000) AS b
"""


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE MACRO sum(x) AS 0",
        HIDDEN,
        "ALTER TABLE units ALTER tier SET DEFAULT 'enterprise'",
        "CREATE TABLE more (a INT, b INT AS (a + 1))",
        "CREATE MACRO units() AS TABLE SELECT 1",
        "CREATE VIEW looked AS SELECT * FROM units",
        'CREATE TYPE "JSON" AS INTEGER',
        ENDLESS,
        "CREATE TRIGGER t AFTER INSERT ON units FOR EACH STATEMENT DELETE FROM nps",
    ],
)
@pytest.mark.parametrize("open_as", [Case, CaseWriter])
def test_a_case_that_holds_code_is_not_trusted(path: Path, statement: str, open_as: Any) -> None:
    """A macro `sum` would falsify every query without a trace."""
    before = aged(path, statement).read_bytes()
    assert code_of(path, open_as) == "CASE_HOLDS_CODE"
    assert path.read_bytes() == before


# Several at once

HOLD = """
import sys
from pathlib import Path
from casework.case import Case, CaseWriter
opened = (CaseWriter if sys.argv[2] == "write" else Case)(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize(
    ("other", "open_as", "code"),
    [
        ("write", Case, "CASE_LOCKED"),
        ("write", CaseWriter, "CASE_LOCKED"),
        ("read", CaseWriter, "CASE_LOCKED"),
        ("read", Case, ""),
    ],
)
def test_many_read_or_one_writes(path: Path, other: str, open_as: Any, code: str) -> None:
    with python(HOLD, path, other, stdin=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        found = loading.refusal_of(lambda: open_as(path).close())
        if code:
            with pytest.raises(CaseworkError, match=str(process.pid)):
                open_as(path)
        process.communicate("\n")
    assert found == code
    assert code_of(path, open_as) == ""


def test_readers_and_a_writer_within_one_process(path: Path) -> None:
    with Case(path) as first, Case(path) as second:
        assert first.facts() == second.facts()
        assert code_of(path, CaseWriter) == "CASE_LOCKED"
    with CaseWriter(path):
        assert code_of(path) == "CASE_LOCKED"


def test_reading_leaves_nothing_behind(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = path.read_bytes()
    with Case(path) as case:
        case.hold(Query("many", "SELECT range AS n FROM range(100000)"))
        case.sql("SELECT count(*) FROM units")
    code_of(tmp_path / "none.duckdb")
    assert not list(temporary.iterdir())
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.glob("case*")] == ["case.duckdb"]


# Asked


ORIGIN = Query("origin", "SELECT unit_id FROM units WHERE region = $region")
DERIVED = Query("derived", "SELECT count(*) AS n FROM origin WHERE $most >= 0", uses=(ORIGIN,))


@pytest.fixture
def asked(path: Path) -> Path:
    keep(path, "units", [unit("u1", 1, region="eu"), unit("u2", 2, region="us")])
    keep(path, "more", [unit("u3", 1, region="us")])
    return path


def test_parameters_that_a_query_does_not_name_are_left_out(asked: Path) -> None:
    with Case(asked) as case:
        found = case.rows(DERIVED, region="us", most=0, other=1)
        assert found.dicts() == [{"n": 2}]
        assert case.arrow(DERIVED, region="us", most=0).to_pylist() == [{"n": 2}]
        assert loading.refusal_of(lambda: case.rows(DERIVED, region="us")) == "QUERY_FAILED"


def test_a_held_query_is_used_only_with_its_own_parameters(asked: Path) -> None:
    with Case(asked) as case:
        case.hold(ORIGIN, region="eu", most=9)
        case._connection.execute("DELETE FROM temp.origin")
        assert case.rows(DERIVED, region="eu", most=0).rows == [(0,)], "the held table is used"
        assert case.rows(DERIVED, region="us", most=0).rows == [(2,)], "computed anew"
        case.hold(ORIGIN, region="us")
        assert case.rows(DERIVED, region="us", most=0).rows == [(2,)]
        assert case.rows(DERIVED, region="eu", most=0).rows == [(1,)]


def test_another_query_of_the_same_id_is_not_taken_for_the_held_one(asked: Path) -> None:
    other = Query("origin", "SELECT 'x' AS region", "Another question.")
    of_other = Query("of_other", "SELECT region FROM origin", "It.", uses=(other,))
    with Case(asked) as case:
        case.hold(Query(ORIGIN.id, "SELECT 1 AS n", "Another."))
        assert case.rows(of_other).rows == [("x",)]
        case.hold(other)
        assert case.rows(DERIVED, region="us", most=0).rows == [(2,)]
        assert case.rows(of_other).rows == [("x",)]


def test_a_held_query_does_not_change_what_an_auditor_sees(asked: Path) -> None:
    with Case(asked) as case:
        case.hold(ORIGIN, region="us")
        text = DERIVED.text()
        with duckdb.connect(str(asked), read_only=True) as client:
            found = client.execute(text, {"region": "us", "most": 0}).fetchall()
        assert case.rows(DERIVED, region="us", most=0).rows == found


def test_what_is_held_is_out_of_reach_of_typed_sql(asked: Path) -> None:
    with Case(asked) as case:
        case.hold(ORIGIN, region="us")
        assert loading.refusal_of(lambda: case.sql("SELECT * FROM origin")) == "QUERY_FAILED"


def test_the_exhibits_of_a_query_are_those_of_its_tables(asked: Path) -> None:
    nps = {"account_id": "a", "score": 9, "responded_at": NINE}
    other = keep(asked, "nps", [Row(get("nps"), "line 1", nps)])
    with Case(asked) as case:
        assert len(case.exhibits_of(DERIVED)) == 2
        assert case.exhibits_of(Query("n", "SELECT 1 FROM nps")) == (other.id,)


@pytest.mark.parametrize("name", ["", "x" * 256, "a\0b"])
def test_names_that_are_none(name: str) -> None:
    assert loading.refusal_of(lambda: identifier(name)) == "BAD_NAME"


def test_a_quote_in_a_name_stays_in_it() -> None:
    assert identifier('a"; drop table t; --') == '"a""; drop table t; --"'


# Results


def result(**changes: Any) -> Result:
    full = Result(
        diagnosis="cohort_skew",
        family="cohort skew",
        verdict="confirmed",
        severity="S1",
        headline="It holds: “≠” <b>\u202e\n, ’n.",
        measures={
            "a": Measure(0.1 + 0.2, "share", (-math.inf, 1e-300), 3, "e"),
            "b": Measure([{"x": 1, "y": None}, {"x": 2.5, "y": [1]}], "table"),
            "c": Measure("non_mixing", "label"),
            "d": Measure(None, "p"),
        },
        findings=(Finding("It is so.", ("a",), ("e",), ("c1",)),),
        rivals=(Rival("other", "tested", "not_excluded", "why"),),
        falsifier=Falsifier("if", True, "not seen", False),
        missing=(Missing("units", ("unit_id",), "why", False),),
        remedies=("Do.",),
        evidence=(
            Evidence(
                "e", "c", "SELECT 1", {"p": 1.5}, ("n", "t"), ((1, "x"),), 1, "0" * 64, ("f",)
            ),
        ),
        charts=(Chart("c1", "bars", "t", "s", "alt", ({"label": "x", "n": 1},), {"x": "n"}, "e"),),
        limits=("One.",),
        parameters={"seed": Parameter(7, "given"), "arms": Parameter(["a", "b"], "inferred")},
        seed=7,
    )
    return replace(full, **changes)


def test_a_result_comes_back_as_it_was_kept(path: Path) -> None:
    kept = result()
    with CaseWriter(path) as writer:
        writer.store([kept])
    with Case(path) as case:
        (found,) = case.results()
        entry = case.custody()[-1]
    for one in fields(Result):
        assert getattr(found, one.name) == getattr(kept, one.name), one.name
    assert entry.action == "diagnose"
    assert entry.detail == {"cohort_skew": {"verdict": "confirmed", "given": {"seed": 7}}}


def test_the_last_result_of_each_diagnosis_counts(path: Path) -> None:
    with CaseWriter(path) as writer:
        writer.store([result(verdict="clean"), result(diagnosis="registry_rot")])
        writer.store([result(verdict="supported")])
    with Case(path) as case:
        found = {one.diagnosis: one.verdict for one in case.results()}
    assert found == {"cohort_skew": "supported", "registry_rot": "confirmed"}
    assert loading.rows(path, "SELECT count(*) FROM results") == [(3,)]


def test_a_result_of_another_version_is_told_until_it_is_made_again(path: Path) -> None:
    aged(path, """INSERT INTO results VALUES (1, 'cohort_skew', 'clean', '{"verdict": "fine"}')""")
    with Case(path) as case:
        assert loading.refusal_of(case.results) == "RESULT_UNREADABLE"
    with CaseWriter(path) as writer:
        writer.store([result()])
    with Case(path) as case:
        assert case.results()[0].verdict == "confirmed"


def test_a_case_can_be_read_from_a_folder_that_cannot_be_written(path: Path) -> None:
    """As an auditor who is handed a read-only copy does."""
    copy = path.with_name("copy.duckdb")
    shutil.copy(path, copy)
    copy.chmod(0o444)
    with Case(copy) as case:
        assert case.exhibits() == ()
