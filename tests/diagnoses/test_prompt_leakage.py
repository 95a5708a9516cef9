"""What `prompt_leakage` must state, against planted numbers, on traps, and on real sets."""

import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.diagnoses.conftest import Diagnosed
from tests.diagnoses.leaking import bank, diagnose_columns, joined, rival, samples, texts, value

from casework.findings import Result

Diagnose = Callable[..., Result]


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    return partial(diagnose_columns, tmp_path)


@pytest.fixture(scope="module")
def planted(diagnosed: Diagnosed) -> tuple[Result, dict[str, Any]]:
    result, truth = diagnosed("prompt_leakage.planted", 21)
    return result, dict(truth.numbers)


def test_states_which_items_stood_in_their_prompts(planted: tuple[Result, dict[str, Any]]) -> None:
    result, truth = planted
    assert result.verdict == "confirmed"
    assert value(result, "items") == truth["items"]
    assert value(result, "in_prompt_rate") == truth["in_prompt"] / truth["items"]
    assert value(result, "longest_match_rate") == truth["in_bank"] / truth["items"]
    leaks = value(result, "leaks")
    assert len(leaks) == truth["in_prompt"]
    assert all(leak["exemplar_id"].startswith("ev") for leak in leaks)
    rates = [value(result, f"{n}_rate") for n in ("exact", "near_duplicate", "longest_match")]
    assert rates == sorted(rates)


def test_states_the_score_with_and_without_them(planted: tuple[Result, dict[str, Any]]) -> None:
    result, truth = planted
    drop = result.measures["leave_one_out_drop"]
    assert drop.ci95 is not None
    assert drop.ci95[0] <= truth["true_drop"] <= drop.ci95[1]
    assert drop.n == truth["in_prompt"]
    fall = value(result, "score_all") - value(result, "score_leave_one_out")
    assert fall == pytest.approx(drop.value * truth["in_prompt"] / truth["items"])
    gained = value(result, "score_all") - value(result, "score_clean")
    assert value(result, "estimated_gain") == pytest.approx(gained, abs=1e-9)
    assert abs(value(result, "clean_drop")) < 0.1


def test_states_how_much_was_copied(planted: tuple[Result, dict[str, Any]]) -> None:
    result, _ = planted
    assert value(result, "copy_rate") > 0.85
    assert value(result, "copy_rate_left_out") < value(result, "copy_rate") - 0.1
    assert value(result, "leaked_with_label") > 0.85


def test_rivals_are_tested_and_the_falsifier_ran(planted: tuple[Result, dict[str, Any]]) -> None:
    result, _ = planted
    assert [r.outcome for r in result.rivals].count("not_excluded") == 0
    assert rival(result, "Customers do ask").outcome == "not_testable"
    assert result.falsifier.ran
    assert not result.falsifier.falsified


def test_the_first_picture_is_of_the_scores_and_the_second_of_the_tiers(
    planted: tuple[Result, dict[str, Any]],
) -> None:
    result, _ = planted
    assert [chart.id for chart in result.charts][:2] == ["scores", "tiers"]
    scores = result.charts[0]
    assert {(row["series"], row["x"]) for row in scores.rows} == {
        (group, condition)
        for group in ("leaked", "clean")
        for condition in ("as run", "leave one out")
    }


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("healthy", "clean"),
        ("boilerplate", "clean"),
        pytest.param("disjoint_split", "clean", marks=pytest.mark.slow),
        ("same_customer", "clean"),
        pytest.param("never_retrieved", "clean", marks=pytest.mark.slow),
        pytest.param("label_only", "clean", marks=pytest.mark.slow),
        pytest.param("few_clean_items", "inconclusive", marks=pytest.mark.slow),
        pytest.param("cached_retrieval", "inconclusive", marks=pytest.mark.slow),
        ("recurring_questions", "supported"),
        ("real_improvement", "supported"),
        ("no_rerun", "supported"),
        pytest.param("zero_shot_only", "supported", marks=pytest.mark.slow),
        pytest.param("taken_out", "supported", marks=pytest.mark.slow),
        ("phrases", "clean"),
    ],
)
def test_traps_by_name(name: str, verdict: str, diagnosed: Diagnosed) -> None:
    result, _ = diagnosed(f"prompt_leakage.{name}", 21)
    assert result.verdict == verdict


def test_leaks_amid_phrases_that_many_share_are_all_found(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("prompt_leakage.planted_phrases", 21)
    n = truth.numbers["items"]
    assert result.verdict == "confirmed"
    assert value(result, "in_prompt_rate") == truth.numbers["in_prompt"] / n
    assert value(result, "longest_match_rate") == truth.numbers["in_bank"] / n
    assert value(result, "ngram13_rate") >= value(result, "exact_rate")


def test_easier_items_score_higher_and_fall_by_nothing(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("prompt_leakage.easier_items", 21)
    assert result.verdict in ("clean", "inconclusive")
    assert value(result, "estimated_gain") > 0.05
    drop = result.measures["leave_one_out_drop"]
    assert drop.ci95 is not None
    assert drop.ci95[0] <= 0 <= drop.ci95[1]
    assert any("would settle" in limit for limit in result.limits) or result.verdict == "clean"


def test_a_better_model_is_no_leak(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("prompt_leakage.real_improvement", 21)
    assert rival(result, "The model itself").outcome == "not_excluded"
    assert rival(result, "The rerun scores lower").outcome == "not_excluded"


def test_context_of_the_customer_is_counted_apart(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("prompt_leakage.same_customer", 21)
    assert value(result, "in_prompt_rate") == 0
    assert value(result, "context_rate") > 0.2
    assert result.falsifier.falsified


def test_what_was_never_retrieved_is_told_and_to_be_taken_out(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("prompt_leakage.never_retrieved", 21)
    assert value(result, "longest_match_rate") == truth.numbers["in_bank"] / truth.numbers["items"]
    assert f"{truth.numbers['in_bank']} stand in the bank" in result.headline
    assert result.remedies


def test_a_rerun_from_a_cache_is_found_out(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("prompt_leakage.cached_retrieval", 21)
    assert value(result, "rerun_still_leaking") == 1
    assert not result.falsifier.falsified


def test_recurring_questions_stay_an_open_rival(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("prompt_leakage.recurring_questions", 21)
    assert rival(result, "Customers do ask").outcome == "not_excluded"


def test_what_a_rerun_would_need_is_said(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("prompt_leakage.no_rerun", 21)
    assert any(m.columns == ("score",) and "leave_one_out" in m.why for m in result.missing)
    assert not result.falsifier.ran
    assert value(result, "leave_one_out_drop") is None


def test_settings_are_inferred_given_and_recorded(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("prompt_leakage.planted", 21, sesoi="0.02", near="0.9")
    assert (result.parameters["sesoi"].value, result.parameters["sesoi"].source) == (0.02, "given")
    assert result.parameters["run"].source == "inferred"
    assert result.parameters["min_clean"].source == "default"
    huge, _ = diagnosed("prompt_leakage.planted", 21, sesoi="0.9")
    assert huge.verdict == "clean"


def test_the_score_of_clean_items_is_told_as_it_is_and_as_weighted(diagnose: Diagnose) -> None:
    questions, others = texts(14, 160), texts(15, 160)
    # half of the leaked items are of topic b, of the clean ones a quarter
    topic = ["a"] * 20 + ["b"] * 20 + ["a"] * 90 + ["b"] * 30
    scores = [1.0] * 40 + [1.0] * 63 + [0.0] * 27 + [1.0] * 9 + [0.0] * 21
    shown = [*questions[:40], *others[40:]]
    prompts: list[str | None] = [f"{o}\n\n{q}" for o, q in zip(shown, questions, strict=True)]
    result = diagnose({"eval_samples": samples(questions, prompts, scores=scores, topic=topic)})
    assert value(result, "score_clean_unweighted") == pytest.approx(72 / 120)
    weighted = (110 * 0.7 + 50 * 0.3) / 160
    assert value(result, "score_clean") == pytest.approx(weighted)
    (said,) = [f.statement for f in result.findings if f.statement.startswith("The run scores")]
    assert "its clean items 60 %, and 57.5 % weighted to the topics of all items" in said


def test_prompts_alone_are_enough(diagnose: Diagnose) -> None:
    questions, others = texts(1, 120), texts(2, 120)
    prompts = [f"Q: {q if k < 60 else o}\nA: yes\n\nQ: {q}\nA:"
               for k, (q, o) in enumerate(zip(questions, others, strict=True))]  # fmt: skip
    left_out = [f"Q: {o}\nA: yes\n\nQ: {q}\nA:" for q, o in zip(questions, others, strict=True)]
    result = diagnose({"eval_samples": joined(
        samples(questions, prompts, scores=[1.0] * 60 + [0.0, 1.0] * 30),
        samples(questions, left_out, "leave_one_out", [0.0, 1.0] * 60),
    )})  # fmt: skip
    assert result.verdict == "confirmed"
    assert value(result, "in_prompt_rate") == 0.5
    assert value(result, "leave_one_out_drop") == 0.5
    assert rival(result, "The text in the prompt").outcome == "not_testable"


def test_a_fall_below_what_matters_is_clean(diagnose: Diagnose) -> None:
    questions = texts(3, 600)
    prompts = [f"Q: {q}\nA: yes\n\nQ: {q}\nA:" for q in questions]
    plain = [f"Q: {q}\nA:" for q in questions]
    scores = [float(k % 2) for k in range(600)]
    result = diagnose({"eval_samples": joined(
        samples(questions, prompts, scores=scores),
        samples(questions, plain, "leave_one_out", scores),
    )})  # fmt: skip
    assert result.verdict == "clean"
    assert result.falsifier.falsified


def test_a_template_that_repeats_the_question_is_seen_without_examples(diagnose: Diagnose) -> None:
    questions = texts(4, 80)
    twice = [f"Task: {q}\n\nThink first. Again: {q}" for q in questions]
    scores = [1.0] * 80
    result = diagnose({"eval_samples": joined(
        samples(questions, twice, scores=scores),
        samples(questions, twice, "zero_shot", scores),
    )})  # fmt: skip
    assert value(result, "in_prompt_rate") == 0
    assert result.verdict == "clean"


def test_prompts_without_their_question_leave_it_open(diagnose: Diagnose) -> None:
    questions = texts(5, 40)
    prompts: list[str | None] = [f"Examples only: {t}" for t in texts(6, 40)]
    prompts[0] = None
    result = diagnose({"eval_samples": samples(questions, prompts, scores=[1.0] * 40)})
    assert result.verdict == "inconclusive"
    assert any("do not state their question" in limit for limit in result.limits)


def test_the_same_row_of_the_same_file_is_a_leak_whatever_its_text(diagnose: Diagnose) -> None:
    questions, edited = texts(7, 30), texts(8, 30)
    prompts = [f"Q: {e}\nA: no\n\nQ: {q}\nA:" for q, e in zip(questions, edited, strict=True)]
    where = [json.dumps({"source_uri": "evals/set.jsonl", "source_row": str(k)}) for k in range(30)]
    result = diagnose({
        "eval_samples": samples(questions, prompts, attributes=where),
        "exemplars": bank(edited, source_uri=["s3://bucket/evals/set.jsonl"] * 30,
                          source_row=[str(k) for k in range(30)]),
    })  # fmt: skip
    assert value(result, "exact_rate") == 1
    assert value(result, "in_prompt_rate") == 1
    assert {leak["how"] for leak in value(result, "leaks")} == {"same source"}
    assert result.verdict == "supported"


def test_training_rows_of_the_same_event_are_told(diagnose: Diagnose) -> None:
    questions = texts(9, 60)
    result = diagnose({
        "eval_samples": samples(questions, source_event_id=[f"ev{k}" for k in range(60)]),
        "training_rows": {"dataset": ["sft"] * 60, "row_id": [f"t{k}" for k in range(60)],
                          "prompt": texts(10, 60),
                          "source_event_id": [f"ev{k}" for k in range(20)] + [None] * 40},
    })  # fmt: skip
    assert value(result, "exact_rate") == 20 / 60
    assert result.verdict == "supported"


def test_nothing_to_compare_with_is_not_testable(diagnose: Diagnose) -> None:
    result = diagnose({"eval_samples": samples(texts(11, 5))})
    assert result.verdict == "not_testable"
    assert {m.table for m in result.missing} >= {"exemplars", "training_rows", "eval_samples"}


def test_hostile_texts_and_ids_are_data(diagnose: Diagnose) -> None:
    odd = [
        "'; DROP TABLE eval_samples; --",
        "<script>alert(1)</script>",
        "\u202e\u0000x",
        "",
        "🙂",
        "a" * 9000,
    ]
    questions = [f"{o} {t}" for o, t in zip(odd * 5, texts(12, 30), strict=True)] + ["🙂", " "]
    prompts: list[str | None] = [f"{q}\n\n{q}" for q in questions]
    columns = samples(questions, prompts, scores=[1.0] * 32)
    columns["item_id"] = [f"{odd[k % 6]}{k}" for k in range(32)]
    result = diagnose({"eval_samples": columns, "exemplars": bank(questions[:10])})
    assert value(result, "items") == 32
    assert len(value(result, "leaks")) == 10
    assert value(result, "context_rate") == 20 / 30


def test_epochs_are_of_one_item_and_scores_that_lack_are_no_zero(diagnose: Diagnose) -> None:
    questions = texts(13, 20)
    prompts: list[str | None] = [f"{q}\n\n{q}" for q in questions]
    first = samples(questions, prompts, scores=[1.0] * 10 + [None] * 10)
    second = {**first, "epoch": [2] * 20, "score": [0.0] * 10 + [None] * 10}
    result = diagnose({"eval_samples": joined(first, second), "exemplars": bank(questions[:5])})
    assert value(result, "items") == 20
    assert value(result, "score_all") == 0.5
    assert result.measures["score_all"].n == 10


@pytest.fixture
def leakage_data(shared: Path) -> Path:
    folder = shared / "data" / "leakage"
    if not folder.is_dir():
        pytest.skip("no public evaluation sets beside the repository")
    return folder


def test_no_item_of_gsm8k_stands_in_its_training_split(
    leakage_data: Path, diagnose: Diagnose
) -> None:
    folder = leakage_data / "openai__grade-school-math/grade_school_math/data"
    test, train = (
        [
            json.loads(line)["question"]
            for line in (folder / f"{name}.jsonl").read_text().split("\n")
            if line
        ]
        for name in ("test", "train")
    )
    result = diagnose({
        "eval_samples": samples(test),
        "training_rows": {"dataset": ["train"] * len(train), "prompt": train,
                          "row_id": [str(k) for k in range(len(train))]},
    })  # fmt: skip
    assert value(result, "items") == 1319
    assert value(result, "exact_rate") == 0
    assert round(value(result, "ngram13_rate") * 1319) == 3
    assert value(result, "in_prompt_rate") is None
    assert result.verdict in ("clean", "inconclusive", "supported")


def test_an_item_of_humaneval_is_found_in_a_bank_that_holds_it(
    leakage_data: Path, diagnose: Diagnose
) -> None:
    with gzip.open(leakage_data / "openai__human-eval/data/HumanEval.jsonl.gz", "rt") as lines:
        tasks = [json.loads(line)["prompt"] for line in lines]
    assert len(tasks) == 164
    result = diagnose({"eval_samples": samples(tasks[:100]), "exemplars": bank(tasks[50:])})
    assert round(value(result, "exact_rate") * 100) == 50
    assert value(result, "longest_match_rate") <= 0.53
    assert result.verdict == "supported"
