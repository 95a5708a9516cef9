import errno
from hashlib import sha256
from pathlib import Path
from typing import Any

import marimo as mo
import pytest
from workbench import widgets
from workbench.investigate import app

from casework import diagnoses
from casework.case import Case
from casework.case.origins import rows_of
from casework.findings import Evidence, Result
from casework.records import RejectGroup
from casework.tables import requests

NAME = "output_attribution"


def run(case_path: Path | None, **given: Any) -> tuple[str, dict[str, Any]]:
    """Run the app; return the HTML of all cells as one text, and what they define."""
    outputs, defined = app.run(defs={"case_path": case_path and str(case_path), **given})
    return "\n".join(output.text for output in outputs if output is not None), dict(defined)


def asked(case_path: Path, name: str, **given: Any) -> Result:
    with Case(case_path) as case:
        return diagnoses.get(name)(case, **given)


def test_shows_what_the_library_says(case_path: Path) -> None:
    page, defined = run(case_path)
    assert defined["name"] == NAME
    assert defined["result"] == asked(case_path, NAME)
    assert defined["result"].verdict == "confirmed"
    assert defined["result"].headline.rstrip(".") in page


def test_a_setting_changes_the_answer_and_the_old_one_stands_beside_it(case_path: Path) -> None:
    page, defined = run(case_path, name=NAME, given={"clock_error_s": 7200.0})
    found = defined["result"]
    assert found == asked(case_path, NAME, clock_error_s=7200.0)
    assert found.measures["grade_d"].value > defined["baseline"].measures["grade_d"].value
    assert found.headline.rstrip(".") in page
    assert defined["baseline"].headline.rstrip(".") in page


def test_each_setting_has_a_control_with_what_was_inferred(case_path: Path) -> None:
    _, defined = run(case_path)
    controls = defined["knobs"].value
    assert list(controls) == list(diagnoses.get(NAME).settings)
    assert controls["clock_error_s"] == "120"
    assert controls["population"] == "decisions"


def test_what_cannot_be_tested_says_what_to_load(case_path: Path) -> None:
    page, defined = run(case_path, name="cohort_skew")
    assert defined["result"].verdict == "not_testable"
    assert "--as assignments" in page


def test_without_a_case_it_asks_for_one() -> None:
    page, defined = run(None)
    assert "Open a case" in page
    assert "result" not in defined


def test_a_case_that_is_not_there_is_told_and_not_thrown(tmp_path: Path) -> None:
    page, defined = run(tmp_path / "none.duckdb")
    assert "CASE_MISSING" in page
    assert "result" not in defined


def test_a_setting_that_is_refused_leaves_the_case_in_sight(case_path: Path) -> None:
    page, defined = run(case_path, name=NAME, given={"nothing": 1})
    assert "UNKNOWN_PARAMETER" in page
    assert "result" not in defined
    assert "Output attribution" in page


def test_looking_changes_nothing(case_path: Path) -> None:
    before = sha256(case_path.read_bytes()).hexdigest()
    run(case_path, name=NAME, given={"clock_error_s": 600.0})
    assert sha256(case_path.read_bytes()).hexdigest() == before


def test_what_is_seen_is_what_is_reported(case_path: Path) -> None:
    page, defined = run(case_path, name=NAME, given={"clock_error_s": 600.0})
    assert defined["seen"].results == (defined["result"],)
    assert defined["seen"].unkept == (NAME,)
    assert "The case does not keep this result of output attribution" in page
    assert defined["seen"].exhibits == defined["desk"].report.exhibits


def test_a_report_that_cannot_be_written_is_told_and_not_thrown(
    case_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(widgets, "write", locked)
    pressed, other = (mo.ui.button(value=value) for value in (True, False))
    page, defined = run(case_path, write=pressed, keep=other, keep_all=other, reset=other)
    assert "the report was not written: Read-only file system" in page.replace("The ", "the ")
    assert f"{case_path.stem}-report" in page
    assert defined["written"] == []


def test_each_group_of_rejects_is_in_the_list() -> None:
    exhibits = {"1": "jan/nps.csv", "2": "feb/nps.csv", "3": "feb/nps.csv"}
    groups = [RejectGroup(id, "VALUE", 1, "row 1", "no score") for id in exhibits]
    assert list(widgets.rejects_names(groups, exhibits)) == [
        "jan/nps.csv: VALUE, 1 row", "feb/nps.csv: VALUE, 1 row", "feb/nps.csv: VALUE, 1 row (2)"
    ]  # fmt: skip


def test_rows_that_were_not_looked_up_are_not_counted(case_path: Path) -> None:
    evidence = Evidence("e", "c", "SELECT 1", {}, ("run_id",), (("r",),), 1, "", ())
    with Case(case_path) as case:
        origins = rows_of(case, requests)
    assert len(origins) == 50
    assert "At least 47 rows more." in widgets.followed(evidence, 0, origins, case_path.parent)
    assert ">46 rows more." in widgets.followed(evidence, 0, origins[1:], case_path.parent)


def test_text_of_the_case_is_never_markup(case_path: Path) -> None:
    page, _ = run(case_path)
    assert "&lt;img src=x onerror=" in page
    for opened in ("<img", "<iframe", "<script>document", "<animate", "<base", "<meta"):
        assert opened not in page
