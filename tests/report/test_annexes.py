"""The parts of a report that a reader runs or checks herself work when she does."""

import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from shutil import unpack_archive, which
from typing import Any

import duckdb
import pytest
from tests.report.sample import at, sample

from casework import canonical, charts
from casework.case import Case
from casework.findings import Break, Chart, Evidence, Measure, Triage
from casework.intake import load
from casework.records import TableFill
from casework.report import annexes, tables, timeline
from casework.report.model import Report

NAMES = [
    "plain.csv",
    "e.zip!/in/a.csv",
    "with space.csv",
    "back\\slash",
    "line\nbreak",
    "quote's",
    "-dash",
    "Zürich",
]


@pytest.mark.skipif(not which("sha256sum"), reason="no sha256sum on this system")
def test_checksums_are_read_by_sha256sum(tmp_path: Path) -> None:
    exhibits = []
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
        digest = sha256(name.encode()).hexdigest()
        exhibits.append(replace(sample().exhibits[0], id=name, path=name, sha256=digest))
    exhibits.append(replace(exhibits[0], path="runs", importer="helm_run"))
    exhibits.append(replace(exhibits[0], path="un\u200bseen"))
    (tmp_path / "SHA256SUMS").write_text(annexes.checksums(tuple(exhibits)) + "\n")
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / NAMES[3]).write_bytes(b"changed")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 1


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/x/evidence/a.csv", "/x/evidence/b/c.csv"], ["a.csv", "b/c.csv"]),
        (["/x/one.csv"], ["one.csv"]),
        (["/x/ab/one.csv", "/x/abc/two.csv"], ["ab/one.csv", "abc/two.csv"]),
        (["/x/e.zip!/in/a.csv", "/x/e.zip!/in/b.csv"], ["e.zip!/in/a.csv", "e.zip!/in/b.csv"]),
        (["one.csv", "/x/two.csv"], ["one.csv", "/x/two.csv"]),
        ([], []),
    ],
)
def test_exhibits_are_named_without_the_folder_they_share(
    paths: list[str], names: list[str]
) -> None:
    exhibits = [replace(sample().exhibits[0], id=path, path=path) for path in paths]
    assert list(annexes.names(exhibits).values()) == names


def test_a_name_cannot_add_a_line_to_the_checksums() -> None:
    path = f"a\n{'0' * 64}  /etc/hostname"
    exhibit = replace(sample().exhibits[0], path=path)
    assert len(annexes.checksums((exhibit,)).splitlines()) == 1


@pytest.mark.skipif(not which("sha256sum"), reason="no sha256sum on this system")
def test_what_came_in_an_archive_is_checked_once_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("in/clocks.csv", "host,error_s\na,60\n")
        archive.writestr("in/deep/people.csv", "person\nx\n")
    Case.create(tmp_path / "case.duckdb", "c").close()
    load(tmp_path / "case.duckdb", [tmp_path / "e.zip"])
    with Case(tmp_path / "case.duckdb") as case:
        exhibits = case.exhibits()
    assert len(exhibits) == 2
    (sentence,) = annexes.checked_apart(exhibits)
    assert "`e.zip` into `e.zip!`" in sentence
    unpack_archive(tmp_path / "e.zip", tmp_path / "e.zip!")
    (tmp_path / "SHA256SUMS").write_text(annexes.checksums(exhibits) + "\n")
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


def test_lines_that_cannot_be_checked_are_passed_over_and_explained() -> None:
    plain, *others = (replace(sample().exhibits[0], id=name, path=name) for name in "abc")
    assert annexes.checked_apart((plain,)) == ()
    for odd in (replace(others[0], importer="helm_run"), replace(others[1], path="c\u202ed")):
        first, second = annexes.checksums((plain, odd)).splitlines()
        assert (first[0] == "#", second[0] == "#") == (False, True)
        (sentence,) = annexes.checked_apart((plain, odd))
        assert "compare them by hand" in sentence


@pytest.mark.parametrize(
    "sql",
    ["'Zürich'", "42", "9007199254740993", "0.10", "TIMESTAMP '2026-01-05 10:00:00'",
     "TIMESTAMPTZ '2026-01-05 11:00:00.5+01'", "DATE '2026-01-05'", "TIME '10:00:00'",
     "INTERVAL 90 seconds", "'\\x00\\xFF'::BLOB", "[2, 1]", "{'b': 1, 'a': 2}",
     "MAP {'b': 1, 'a': 2}", "true", "NULL", "[1.0::DOUBLE, 0.1, 1e-5, 1e16]",
     "['nan'::DOUBLE, '-inf'::DOUBLE]"],
)  # fmt: skip
def test_the_page_tells_how_each_kind_of_value_is_written(sql: str) -> None:
    ((value,),) = duckdb.connect().execute(f"SELECT {sql}").fetchall()
    assert canonical.dumps(value) in {row[2] for row in annexes.written().rows}


def test_a_table_with_a_time_that_no_row_has_is_not_one_without_a_time() -> None:
    fills = (TableFill("units", 3, None, None, ()), TableFill("clocks", 3, None, None, ()))
    rows = annexes.completeness(replace(sample(), tables=fills)).rows
    assert [row[2] for row in rows] == ["not recorded", "has no time"]


@pytest.mark.parametrize(
    ("sql", "params", "rows"),
    [
        ("SELECT 1 AS one;", {}, [(1,)]),
        ("SELECT $text AS t", {"text": "'); DROP TABLE kept; --"}, [("'); DROP TABLE kept; --",)]),
        ("SELECT $n + 1 AS n, $x AS x", {"n": 41, "x": 0.1}, [(42, 0.1)]),
        ("SELECT $yes AS yes, $none AS none", {"yes": True, "none": None}, [(True, None)]),
        ("SELECT len($items) AS n", {"items": ["a", "b'c"]}, [(2,)]),
        (
            "SELECT occurred_at >= $since AS later FROM kept",
            {"since": datetime(2026, 1, 5, tzinfo=UTC)},
            [(True,)],
        ),
        ("SELECT date_trunc('day', $at) AS day", {"at": "2026-01-05T10:00:00Z"}, [(at(0),)]),
    ],
)
def test_evidence_can_be_run_again(sql: str, params: dict[str, Any], rows: list[Any]) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE kept AS SELECT now() AS occurred_at")
    found = Evidence("e", "c", sql, canonical.plain(params), ("x",), (), 1, "", ())
    for statement in connection.extract_statements(annexes.rerun(found)):
        result = connection.execute(statement)
    assert result.fetchall() == rows
    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def test_moments_are_in_order_and_told_once() -> None:
    found = timeline.moments(sample())
    starts = [moment.start for moment in found]
    assert starts == sorted(starts)
    assert len({(m.start, m.end, m.label) for m in found}) == len(found)
    assert found[0].label == "First evidence in the case"
    assert {"base upgrade", "rollback for 6 h"} <= {m.label for m in found}


def test_events_at_one_instant_are_each_drawn_once_and_told_by_all() -> None:
    rows = tuple(
        {"label": label, "start": at(3), "kind": "event"} for label in ("v38 pushed", "rolled back")
    )
    chart = Chart("c", "spans", "t", "s", "a", rows, {})
    first, second = (replace(result, charts=(chart,)) for result in sample().results[1:3])
    report = replace(
        sample(), results=(first, replace(second, charts=(replace(chart, rows=rows[:1]),)))
    )
    picture = timeline.picture(report)
    assert picture
    assert [row["label"] for row in picture.rows if row["kind"] == "event"] == [
        "v38 pushed", "rolled back"
    ]  # fmt: skip
    assert picture.title == "2 events on 8 January 2026"
    told = {row[2]: row[3] for row in timeline.table(report).rows}
    assert told["v38 pushed"] == "Cohort skew, Output attribution"
    assert told["rolled back"] == "Output attribution"


def test_a_timeline_of_thousands_of_moments_can_be_drawn() -> None:
    span = {"lane": "v1", "label": "a", "kind": "span"}
    rows = tuple({**span, "start": at(0, n), "end": at(0, n + 1)} for n in range(2_000))
    results = (
        replace(sample().results[1], charts=(Chart("c", "spans", "t", "s", "a", rows, {}),)),
    )
    picture = timeline.picture(replace(sample(), results=results))
    assert picture
    assert len(picture.rows) <= charts.MOST_ROWS
    assert {row["kind"] for row in picture.rows} == {"tick", "span"}
    assert "Drawn are the first" in picture.subtitle


def test_the_picture_is_of_the_incident_not_of_all_evidence() -> None:
    report = sample()
    tables_ = (*report.tables, TableFill("accounts", 9, at(-4_000), at(-3_000), ()))
    picture = timeline.picture(replace(report, tables=tables_))
    assert picture is not None
    assert picture.encode["start"] > at(-10)
    assert picture.encode["end"] < at(40)
    labels = [row.get("label", "") for row in picture.rows]
    assert "requests, 58,324 rows" in labels
    assert "accounts, 9 rows" not in labels
    assert (
        picture.title
        == "4 events, 4 spans in doubt, 5 moments from 5 January 2026 to 31 January 2026"
    )


def with_breaks(*days: tuple[float, float]) -> Report:
    """A report whose one finding has breaks from and to these days."""
    breaks = tuple(Break(at(first), at(last), "it broke") for first, last in days)
    result = replace(sample().results[0], breaks=breaks, charts=(), verdict="confirmed")
    return replace(sample(), results=(result,), triage=Triage())


def test_the_title_of_the_timeline_says_how_far_it_reaches() -> None:
    picture = timeline.picture(with_breaks((1, 12), (2, 3)))
    assert picture
    assert picture.title == "1 span in doubt from 6 January 2026 to 17 January 2026"
    picture = timeline.picture(with_breaks((1, 3), (5, 6)))
    assert picture
    assert picture.title == "2 spans in doubt from 6 January 2026 to 11 January 2026"
    picture = timeline.picture(with_breaks((1, 1.25)))
    assert picture
    assert picture.title == "1 span in doubt on 6 January 2026"


def test_a_break_at_an_instant_is_not_open() -> None:
    rows = timeline.table(with_breaks((1, 1))).rows
    assert [row[:3] for row in rows if row[2] == "it broke"] == [
        ("2026-01-06 00:00 UTC", "an instant", "it broke")
    ]


def test_spans_in_doubt_that_overlap_are_drawn_once_and_listed_each() -> None:
    report = with_breaks((1, 3), (2, 5), (7, 8))
    picture = timeline.picture(report)
    assert picture
    zones = [(row["start"], row["end"]) for row in picture.rows if row.get("kind") == "zone"]
    assert zones == [(at(1), at(5)), (at(7), at(8))]
    assert sum(moment.kind == "zone" for moment in timeline.moments(report)) == 3


def test_a_report_without_instants_has_no_timeline() -> None:
    bare = replace(sample(), results=(), tables=(TableFill("units", 3, None, None, ()),))
    assert timeline.period(bare) is None
    assert timeline.picture(bare) is None
    assert timeline.table(bare).rows == ()


def test_too_many_moments_leave_out_changes_of_spans_first() -> None:
    result = sample().results[1]
    span = dict(result.charts[0].rows[0])
    rows = tuple({**span, "start": at(n / 10), "end": at(n / 10 + 0.1)} for n in range(80))
    chart = replace(result.charts[0], rows=(*rows, *result.charts[0].rows[5:]))
    report = replace(sample(), results=(replace(result, charts=(chart,)),))
    table = timeline.table(report)
    assert len(table.rows) <= tables.MOST_ROWS
    assert "base upgrade" in {row[2] for row in table.rows}
    assert "left out" in table.note


def test_numbers_that_findings_name_come_first() -> None:
    names = [row[0] for row in tables.measures(sample().results[2]).rows]
    assert names[:2] == ["Max abs SMD", "Cohort by arm p"]
    assert names[-2:] == ["n eff", "SRM p"]


def test_a_table_measure_has_its_ids_first_and_nested_values_last() -> None:
    digest = f"sha256:{'a' * 60}b2c6"
    candidates = [{"checkpoint": digest, "probability": 0.5}, {"checkpoint": None}]
    rows = [{"candidates": candidates, "grade": "B", "ticket_id": "t"}]
    table = tables.of_measure("tickets", Measure(rows, "table"))
    assert [column.head for column in table.columns] == ["ticket id", "grade", "candidates"]
    first, second = table.rows[0][2].split("; ")
    assert (first, second) == (
        "checkpoint sha256:aaaaa…aaab2c6, probability 0.5",
        "checkpoint not recorded",
    )


def test_a_table_measure_says_fractions_and_has_ends_after_what_they_are_of() -> None:
    rows = [
        {"high": 0.0109803114, "low": -0.01, "gap": -0.00092592592, "items": 1234, "p": 3.55e-15,
         "back": None, "outside": True, "end": "2026-01-03T04:05:06.123Z",
         "start": "2026-01-02T00:00:00Z"},
    ]  # fmt: skip
    table = tables.of_measure("segments", Measure(rows, "table"))
    heads = [column.head for column in table.columns]
    assert dict(zip(heads, table.rows[0], strict=True)) == {
        "gap": "−0.000926", "items": "1,234", "p": "< 0.001", "low": "−0.01", "high": "0.0110",
        "outside": "yes", "start": "2026-01-02 00:00 UTC", "end": "2026-01-03 04:05:06 UTC",
    }  # fmt: skip
    assert heads == ["start", "end", "gap", "items", "outside", "p", "low", "high"]
    bounds = [{"high_s": 90.0, "low_s": -280.0, "runs": 2}]
    table = tables.of_measure("clock_bounds", Measure(bounds, "table"))
    assert [column.head for column in table.columns] == ["runs", "low", "high"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "true"),
        (0.1, "0.1"),
        (10**20, "100000000000000000000"),
        (at(0), "2026-01-05T00:00:00Z"),
        ("", "(empty text)"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ({"b": at(0), "a": None}, '{"a": null, "b": "2026-01-05T00:00:00Z"}'),
    ],
)
def test_a_cell_is_exact_and_never_blank(value: Any, text: str) -> None:
    assert tables.exact(value) == text


def test_what_was_done_is_told_without_braces() -> None:
    report = sample()
    detail = {"cohort_skew": {"verdict": "confirmed", "given": {}}, "seed": 7}
    told = annexes.custody(replace(report, custody=(replace(report.custody[0], detail=detail),)))
    assert told.rows[0][-1] == "cohort_skew: given none, verdict confirmed; seed: 7"
