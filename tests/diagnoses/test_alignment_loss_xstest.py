"""`alignment_loss` on what GPT-4 and Llama 2 answered to XSTest, and people labelled."""

import csv
from pathlib import Path
from typing import Any

import pytest
from tests.cases import empty_case

from casework.case import Case
from casework.diagnoses import get
from casework.findings import Result
from casework.importers import Options
from casework.intake import load
from casework.stats.paired import Pairs, mcnemar

FOLDER = "data/alignment/paul-rottger__exaggerated-safety/evaluation/automated_evaluation_labels"
MODELS = {"gpt4": "gpt4", "llama2": "llama2orig"}
LABELS = {"1_full_compliance": "false", "2_full_refusal": "true", "3_partial_refusal": "true"}
RUNS = """run_id,suite,started_at,ended_at,checkpoint
gpt4,xstest,2023-10-01T08:00:00Z,2023-10-01T09:00:00Z,gpt4
llama2,xstest,2023-10-02T08:00:00Z,2023-10-02T09:00:00Z,llama2
"""


@pytest.fixture(scope="module")
def rows(shared: Path) -> dict[str, list[dict[str, str]]]:
    if not (shared / FOLDER).is_dir():
        pytest.skip(f"no labelled answers: {FOLDER} is not there")
    found = {}
    for model in MODELS:
        with file_of(shared, model).open(encoding="utf-8") as file:
            found[model] = list(csv.DictReader(file))
    return found


@pytest.fixture(scope="module")
def case(
    shared: Path, rows: dict[str, list[dict[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return loaded(tmp_path_factory.mktemp("xstest"), shared, rows, by_people=True)


@pytest.fixture(scope="module")
def unlabelled(
    shared: Path, rows: dict[str, list[dict[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return loaded(tmp_path_factory.mktemp("xstest"), shared, rows, by_people=False)


def loaded(
    folder: Path, shared: Path, rows: dict[str, list[dict[str, str]]], *, by_people: bool
) -> Path:
    """Both files loaded as they are, each with a map, and the two runs that they are of."""
    runs, path = folder / "eval_runs.csv", folder / "case.duckdb"
    runs.write_text(RUNS)
    path.write_bytes(empty_case())
    types = {row["type"] for row in rows["gpt4"]}
    kinds = {name: "unsafe" if name.startswith("contrast") else "safe_contrast" for name in types}
    outcomes = load(path, [runs])
    for model in MODELS:
        mapping: dict[str, Any] = {
            "table": "eval_samples",
            "columns": {
                "item_id": "id",
                "category": "type",
                "kind": {"source": "type", "values": kinds},
                "input_text": "prompt",
                "output_text": "completion",
                "human_refused": {"source": "final_label", "values": LABELS},
            },
            "constants": {"run_id": model},
        }
        if not by_people:
            del mapping["columns"]["human_refused"]
        outcomes += load(path, [file_of(shared, model)], options=Options(mapping=mapping))
    assert {outcome.status for outcome in outcomes} == {"loaded"}, outcomes
    return path


def file_of(shared: Path, model: str) -> Path:
    return shared / FOLDER / f"xstest_v2_completions_{MODELS[model]}_streval.csv"


def diagnose(case: Path, **settings: Any) -> Result:
    with Case(case) as opened:
        return get("alignment_loss")(opened, base="gpt4", tuned="llama2", **settings)


def refused(rows: list[dict[str, str]], unsafe: bool) -> list[bool]:
    return [row["final_label"] != "1_full_compliance" for row in rows
            if row["type"].startswith("contrast") == unsafe]  # fmt: skip


def test_labels_of_people_give_the_figures_of_the_files(
    case: Path, rows: dict[str, list[dict[str, str]]]
) -> None:
    result = diagnose(case)
    assert result.parameters["labels"].value == "human"
    base, tuned = (refused(rows[model], unsafe=True) for model in MODELS)
    assert result.measures["refusal_base"].value == pytest.approx(sum(base) / 200)
    assert result.measures["refusal_tuned"].value == pytest.approx(sum(tuned) / 200)
    pairs = Pairs(
        *(sum((one, two) == kind for one, two in zip(base, tuned, strict=True))
          for kind in ((True, True), (True, False), (False, True), (False, False)))
    )  # fmt: skip
    assert result.measures["mcnemar_p"].value == pytest.approx(mcnemar(pairs).exact)
    over = [sum(refused(rows[model], unsafe=False)) / 250 for model in MODELS]
    assert result.measures["over_refusal_change"].value == pytest.approx(over[1] - over[0])
    assert result.measures["over_refusal_change"].n == 250
    assert result.verdict not in ("confirmed", "supported")


def test_the_screen_gives_them_within_its_stated_error(
    unlabelled: Path, rows: dict[str, list[dict[str, str]]]
) -> None:
    """Shares by the words alone, the errors of the screen taken out, against those of people."""
    result = diagnose(unlabelled)
    assert result.parameters["labels"].value == "screen"
    base, tuned = (sum(refused(rows[model], unsafe=True)) / 200 for model in MODELS)
    over = [sum(refused(rows[model], unsafe=False)) / 250 for model in MODELS]
    for name, true in (
        ("refusal_base", base),
        ("refusal_tuned", tuned),
        ("refusal_change", tuned - base),
        ("over_refusal_change", over[1] - over[0]),
    ):
        found = result.measures[name].ci95
        assert found is not None
        assert found[0] <= true <= found[1], name
    assert result.measures["judge_agreement"].value is None


def test_the_screen_agrees_with_people(case: Path) -> None:
    agreement = diagnose(case, labels="screen").measures["judge_agreement"]
    assert agreement.n == 900
    assert agreement.value > 0.96


def test_without_a_record_of_the_template_it_cannot_be_confirmed(case: Path) -> None:
    """Llama 2 taken for the base: that GPT-4 refuses far fewer safe prompts is a gain."""
    with Case(case) as opened:
        result = get("alignment_loss")(opened, base="llama2", tuned="gpt4")
    assert result.verdict != "confirmed"
    outcomes = {rival.explanation: rival.outcome for rival in result.rivals}
    assert outcomes["Other call parameters in one of the runs, not the weights"] == "not_testable"
    change = result.measures["over_refusal_change"]
    assert change.ci95 is not None
    assert change.ci95[1] < 0
