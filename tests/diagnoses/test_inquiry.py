"""What an inquiry records of the questions that it asks."""

from pathlib import Path

from tests.importers import loading

from casework.case import Case, Query
from casework.diagnoses._inquiry import Inquiry
from casework.report.figures import figure


def test_no_question_takes_the_record_of_another(tmp_path: Path) -> None:
    path = tmp_path / "case.duckdb"
    path.write_bytes(loading.empty_case())
    with Case(path) as case:
        inquiry = Inquiry(case, "d")
        for n in (1, 2, 3, 2):
            inquiry.ask(Query("texts", f"SELECT {n} AS a"))
            inquiry.ask(Query("values", "SELECT $a AS a"), a=n)
    names = ("", "-2", "-3")
    kinds = ("texts", "values")
    assert [*inquiry.evidence] == [f"d.{kind}{name}" for name in names for kind in kinds]
    found = [e.rows for id, e in inquiry.evidence.items() if "texts" in id]
    assert found == [((1,),), ((2,),), ((3,),)]


def test_a_name_of_any_length_leaves_the_picture_on_the_page(tmp_path: Path) -> None:
    path = tmp_path / "case.duckdb"
    path.write_bytes(loading.empty_case())
    names = [f"{n} {'x' * 30_000} {n}" for n in range(20)]
    rows = [{"label": name, "value": 1.0, "n": 2} for name in names]
    with Case(path) as case:
        inquiry = Inquiry(case, "d")
        order, by = {"order": names}, Query("q", "SELECT 1")
        inquiry.chart("c", "bars", "t", "s", "; ".join(names), rows, order, by)
    (chart,) = inquiry.charts
    assert chart.encode["order"] == [row["label"] for row in chart.rows]
    assert len({row["label"] for row in chart.rows}) == 20
    assert figure(chart, "f").chart is chart
