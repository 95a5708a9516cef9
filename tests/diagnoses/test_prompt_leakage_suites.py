"""Which suite and run `prompt_leakage` examines where the case holds several."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.year import write_year
from tests.cases import empty_case
from tests.diagnoses.leaking import bank, diagnose_columns, joined, samples, texts, value

from casework.case import Case
from casework.diagnoses import get
from casework.findings import Result
from casework.intake import load

Diagnose = Callable[..., Result]


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    return partial(diagnose_columns, tmp_path)


def suites(**of_run: str) -> dict[str, Any]:
    at = np.array(["2026-02-01T00:00:00"] * len(of_run), "datetime64[s]")
    return {"run_id": list(of_run), "suite": list(of_run.values()), "started_at": at}


def of_run(run: str, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {**columns, "run_id": [run] * len(columns["run_id"])}


def test_the_suite_with_prompts_is_examined_and_the_others_are_named(diagnose: Diagnose) -> None:
    many, few = texts(30, 90), texts(31, 30)
    nothing: list[str | None] = [None] * 90
    leaking: list[str | None] = [f"{q}\n\n{q}" for q in few]
    result = diagnose({
        "eval_runs": suites(r1="many", r2="few"),
        "eval_samples": joined(of_run("r1", samples(many, nothing, scores=[1.0] * 90)),
                               of_run("r2", samples(few, leaking, scores=[1.0] * 30))),
    })  # fmt: skip
    assert result.parameters["suite"].value == "few"
    assert result.parameters["suite"].source == "inferred"
    assert value(result, "in_prompt_rate") == 1
    assert any("not examined: many." in limit for limit in result.limits)


def test_without_prompts_the_suite_in_the_bank_is_examined(diagnose: Diagnose) -> None:
    many, few = texts(32, 90), texts(33, 30)
    tables = {
        "eval_runs": suites(r1="many", r2="few"),
        "eval_samples": joined(of_run("r1", samples(many)), of_run("r2", samples(few))),
        "exemplars": bank([f"  {t.upper()}" for t in few[:12]] + texts(34, 40)),
    }
    result = diagnose(tables)
    assert result.parameters["suite"].value == "few"
    assert value(result, "exact_rate") == 12 / 30
    given = diagnose(tables, suite="many")
    assert given.parameters["suite"].source == "given"
    assert any("few (12 items stand word for word" in limit for limit in given.limits)


def test_of_suites_alike_the_larger_is_examined_and_one_alone_needs_no_limit(
    diagnose: Diagnose,
) -> None:
    many, few = texts(35, 40), texts(36, 30)
    result = diagnose({
        "eval_runs": suites(r1="many", r2="few"),
        "eval_samples": joined(of_run("r1", samples(many)), of_run("r2", samples(few))),
        "exemplars": bank(texts(37, 40)),
    })  # fmt: skip
    assert result.parameters["suite"].value == "many"
    assert any("not examined: few." in limit for limit in result.limits)


def test_a_run_without_prompts_is_not_taken_for_its_date(diagnose: Diagnose) -> None:
    questions = texts(38, 30)
    leaking: list[str | None] = [f"{q}\n\n{q}" for q in questions]
    result = diagnose({
        "eval_runs": {**suites(r1="s", r2="s"),
                      "started_at": np.array(["2026-02-01", "2026-02-08"], "datetime64[s]")},
        "eval_samples": joined(of_run("r1", samples(questions, leaking)),
                               of_run("r2", samples(questions, [None] * 30))),
    })  # fmt: skip
    assert result.parameters["run"].value == "r1"
    assert not any("not examined" in limit for limit in result.limits)


def of_quarters(*leaking: int) -> dict[str, Any]:
    """A suite of 80 items, run once a quarter; so many of them stood in their own prompts."""
    questions, others = texts(50, 80), texts(51, 80)
    at = [f"2026-{1 + 3 * k:02}-01T00:00:00" for k in range(len(leaking))]
    parts = []
    for k, n in enumerate(leaking):
        shown = [*questions[:n], *others[n:]]
        prompts: list[str | None] = [f"{o}\n\n{q}" for o, q in zip(shown, questions, strict=True)]
        parts.append(of_run(f"q{k + 1}", samples(questions, prompts, scores=[1.0, 0.0] * 40)))
    return {
        "eval_runs": {**suites(**{f"q{k + 1}": "s" for k in range(len(leaking))}),
                      "started_at": np.array(at, "datetime64[s]")},
        "eval_samples": joined(*parts),
        "exemplars": bank([*questions[:30], *others]),
    }  # fmt: skip


def test_of_several_runs_one_that_leaks_is_judged_and_the_others_are_told(
    diagnose: Diagnose,
) -> None:
    result = diagnose(of_quarters(0, 30, 0, 1))
    assert result.verdict == "supported"
    assert result.parameters["run"].value == "q2"
    assert value(result, "in_prompt_rate") == 30 / 80
    assert "in run q2" in result.headline
    by_run = [(run["run_id"], run["in_prompt"]) for run in value(result, "in_prompt_by_run")]
    assert by_run == [("q1", 0), ("q2", 30), ("q3", 0), ("q4", 1)]
    (told,) = [limit for limit in result.limits if "is judged" in limit]
    assert "Of 4 runs" in told
    assert "q4, 1 of 80 items" in told
    assert "q1, none of 80 items" in told


def test_of_several_runs_that_leak_the_latest_is_judged(diagnose: Diagnose) -> None:
    assert diagnose(of_quarters(30, 30, 20, 0)).parameters["run"].value == "q3"


def test_a_run_that_was_asked_for_is_judged_and_says_that_another_leaks(
    diagnose: Diagnose,
) -> None:
    result = diagnose(of_quarters(0, 30, 0), run="q3")
    assert result.verdict == "clean"
    assert "in run q3, but items did in 1 other run, 30 of them in q2" in result.headline


def test_where_no_run_leaks_it_is_said_of_all(diagnose: Diagnose) -> None:
    result = diagnose(of_quarters(0, 0, 0))
    assert result.verdict == "clean"
    assert result.parameters["run"].value == "q3"
    assert "as an example in any of 3 runs" in result.headline


def test_in_a_year_of_many_suites_the_few_shot_suite_is_examined(tmp_path: Path) -> None:
    case = tmp_path / "case.duckdb"
    write_year(tmp_path / "evidence", 3, "quiet")
    case.write_bytes(empty_case())
    files = ("eval_runs.parquet", "eval_samples.parquet", "exemplars.csv")
    load(case, [tmp_path / "evidence" / file for file in files])
    with Case(case) as opened:
        result = get("prompt_leakage")(opened)
    assert result.verdict == "clean"
    assert result.parameters["suite"].value == "few-shot"
    assert value(result, "in_prompt_rate") == 0
    assert any("not examined: answers, safety." in limit for limit in result.limits)
