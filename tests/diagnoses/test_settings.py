import inspect
from pathlib import Path

import pytest

from casework import diagnoses
from casework.case import Case
from casework.diagnoses import Diagnosis
from casework.diagnoses._settings import Setting, changed, settings_of
from casework.errors import UsageError

SETTINGS = (
    Setting("name", "text", "", "triage", "inferred"),
    Setting("clock_error_s", "number", "", 120.0, "inferred"),
    Setting("seed", "whole", "", 1, "default"),
    Setting("strict", "flag", "", False, "default"),
    Setting("metric", "text", "", None, None),
    Setting("model", "text", "", "embed-2.0", "inferred"),
)
TYPED = {setting.name: setting.text for setting in SETTINGS} | {"strict": False}


@pytest.mark.parametrize("diagnosis", diagnoses.ALL, ids=lambda found: found.name)
def test_every_setting_has_a_kind_and_a_meaning(diagnosis: Diagnosis, tmp_path: Path) -> None:
    with Case.create(tmp_path / "empty.duckdb") as case:
        found = settings_of(diagnosis, diagnosis(case))
    assert [setting.name for setting in found] == list(diagnosis.settings)
    for setting in found:
        assert setting.doc, setting.name
        assert setting.doc in " ".join(inspect.getdoc(diagnosis.judge).split())
        default = diagnosis.settings[setting.name]
        kinds = {bool: "flag", int: "whole", float: "number", str: "text"}
        assert default is None or setting.kind == kinds[type(default)]


def test_what_was_used_is_what_is_typed() -> None:
    assert TYPED == {
        "name": "triage",
        "clock_error_s": "120",
        "seed": "1",
        "strict": False,
        "metric": "",
        "model": "embed-2.0",
    }
    assert SETTINGS[1].title == "Clock error, s"


def test_nothing_is_given_until_something_is_changed() -> None:
    assert changed(SETTINGS, TYPED) == {}
    assert changed(SETTINGS, TYPED | {"name": "  ", "clock_error_s": ""}) == {}


def test_what_is_changed_has_the_type_of_its_setting() -> None:
    typed = {"name": " v2 ", "clock_error_s": "1e3", "seed": "7", "strict": True, "metric": "x"}
    given = changed(SETTINGS, TYPED | typed | {"model": "embed-2"})
    assert given == {
        "name": "v2",
        "clock_error_s": 1000.0,
        "seed": 7,
        "strict": True,
        "metric": "x",
        "model": "embed-2",
    }
    assert [type(value) for value in given.values()] == [str, float, int, bool, str, str]


@pytest.mark.parametrize(("name", "text"), [("clock_error_s", "soon"), ("seed", "1.5")])
def test_what_is_no_number_is_told(name: str, text: str) -> None:
    with pytest.raises(UsageError, match="BAD_VALUE"):
        changed(SETTINGS, TYPED | {name: text})
