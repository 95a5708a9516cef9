from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cases import empty_case

from casework import diagnoses
from casework.case import Case
from casework.case.origins import between, origins, rejected, rows_of
from casework.findings import Evidence, Result
from casework.intake import load
from casework.tables import alias_events, requests

DAY = "2026-03-{:02}T00:00:00Z"


@pytest.fixture(scope="module")
def case_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origins")
    decided = [f"d-{day},{DAY.format(day)},v1,yes" for day in range(2, 20)]
    switches = [f"v1,sha256:{name},{DAY.format(day)}" for name, day in (("a", 1), ("b", 10))]
    for name, head, rows in (
        ("requests", "request_id,occurred_at,endpoint,decision", [*decided, "d-99,never,v1,no"]),
        ("alias_events", "alias,checkpoint,valid_from", switches),
        ("clocks", "host,error_s", ["a,60", "b,unknown", "c,"]),
    ):
        (folder / f"{name}.csv").write_text("\n".join([head, *rows, ""]))
    path = folder / "case.duckdb"
    path.write_bytes(empty_case())
    load(path, [folder / f"{name}.csv" for name in ("requests", "alias_events", "clocks")])
    return path


@pytest.fixture(scope="module")
def result(case_path: Path) -> Result:
    with Case(case_path) as case:
        return diagnoses.get("output_attribution")(case)


def evidence(result: Result, name: str) -> Evidence:
    return next(item for item in result.evidence if item.id.endswith(f".{name}"))


def test_a_row_names_the_rows_of_the_case_that_it_rests_on(case_path: Path, result: Result) -> None:
    found = evidence(result, "unattributed")
    row = dict(zip(found.columns, found.rows[0], strict=True))
    with Case(case_path) as case:
        (origin,) = origins(case, found, row)
    assert (origin.table, origin.locator) == ("requests", "row 9")
    assert origin.values["request_id"] == row["request_id"] == "d-10"
    assert origin.exhibit.path.endswith("requests.csv")


def test_a_row_that_only_counts_names_none(case_path: Path, result: Result) -> None:
    found = evidence(result, "by_grade")
    with Case(case_path) as case:
        assert origins(case, found, dict(zip(found.columns, found.rows[0], strict=True))) == ()


def test_rows_of_a_table_are_found_by_value_and_in_order(case_path: Path) -> None:
    with Case(case_path) as case:
        assert [row.locator for row in rows_of(case, alias_events)] == ["row 1", "row 2"]
        assert [row.locator for row in rows_of(case, requests, request_id="d-5")] == ["row 4"]
        assert rows_of(case, requests, request_id="d-5' OR true --") == []


def test_all_rows_of_a_span_are_found_not_only_the_first(case_path: Path, result: Result) -> None:
    found = evidence(result, "spans")
    start, end = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)
    with Case(case_path) as case:
        inside = between(case, found, start, end)
        none = between(case, found, start.replace(year=2020), end.replace(year=2020))
    assert inside.row_count == len(inside.rows) == 2
    assert inside.columns == found.columns
    assert none.row_count == 0


def test_rejected_rows_are_shown_as_they_were_received(case_path: Path) -> None:
    with Case(case_path) as case:
        found = {group.count: rejected(case, group).rows for group in case.rejects()}
    assert [row[0] for row in found[2]] == ["row 2", "row 3"]
    assert "unknown" in found[2][0][3]
    assert "never" in found[1][0][3]
