"""Where little was seen `prompt_leakage` says so: few leaked items, prompts without a question."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.cases import also
from tests.diagnoses.conftest import Diagnosed
from tests.diagnoses.leaking import bank, diagnose_columns, joined, rival, samples, texts, value


def test_prompts_that_do_not_state_their_questions_count_nothing(tmp_path: Path) -> None:
    questions = texts(71, 60)
    given = samples(questions, ["Something else altogether stands here."] * 60, scores=[1.0] * 60)
    result = diagnose_columns(tmp_path, {"eval_samples": given})
    assert result.verdict == "inconclusive"
    assert result.measures["exact_rate"].value is None
    assert "None of 0" not in result.headline
    assert "not known" in result.headline


@pytest.mark.parametrize("leaked", [1, 3])
def test_few_leaked_items_with_stars_are_inconclusive(tmp_path: Path, leaked: int) -> None:
    questions, examples = texts(72, 90), texts(73, 20)
    prompts = [f"{question} stars 3 next {question} answer" if i < leaked else
               f"{examples[i % 20]} stars 3 next {question} answer"
               for i, question in enumerate(questions)]  # fmt: skip
    stars = np.random.default_rng(3).integers(2, 5, 90).astype(float)
    after = stars + np.random.default_rng(4).integers(-1, 2, 90)
    after[:leaked] = stars[:leaked] - 1
    result = diagnose_columns(tmp_path, {
        "eval_samples": joined(
            samples(questions, prompts, scores=stars.tolist()),
            samples(questions, [f"next {question} answer" for question in questions],
                    "leave_one_out", after.tolist()),
        ),
        "exemplars": bank(examples + questions[:leaked]),
    })  # fmt: skip
    assert value(result, "in_prompt_rate") == pytest.approx(leaked / 90)
    assert result.verdict == "inconclusive"
    assert value(result, "leave_one_out_p") == pytest.approx(min(1.0, 2 * 0.5**leaked))


def test_the_question_is_found_among_variables(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("prompt_leakage.variables", 5)
    assert result.verdict == "supported"
    assert value(result, "in_prompt_rate") == truth.numbers["in_prompt"] / truth.numbers["items"]


def test_without_a_leak_what_was_measured_is_told_and_no_rival_is_open(tmp_path: Path) -> None:
    questions, examples = texts(74, 60), texts(75, 20)
    prompts = [f"{examples[i % 20]} next {question}" for i, question in enumerate(questions)]
    result = diagnose_columns(tmp_path, {
        "eval_samples": joined(
            samples(questions, prompts, scores=[1.0] * 60),
            samples(questions, prompts, "leave_one_out", [1.0] * 58 + [0.0] * 2),
        ),
        "exemplars": bank(examples),
    })  # fmt: skip
    assert result.verdict == "clean"
    assert "the score of the clean ones" in rival(result, "The rerun scores lower").why
    assert "no second run" not in rival(result, "The model itself").why
    context = rival(result, "The text in the prompt")
    assert (context.outcome, context.why.split()[0]) == ("excluded", "nothing")
    assert "none of 60 items stands" in rival(result, "The examples come").why


def test_leaked_items_that_are_only_easier_lose_no_more_than_the_others(tmp_path: Path) -> None:
    questions, examples = texts(76, 120), texts(77, 20)
    shown = [questions[i] if i < 40 else examples[i % 20] for i in range(120)]
    rng = np.random.default_rng(9)
    easy = np.repeat([80.0, 60.0], [40, 80]) + rng.normal(0, 5, 120)
    prompts = [f"{own} next {question}" for own, question in zip(shown, questions, strict=True)]
    result = diagnose_columns(tmp_path, {
        "eval_samples": joined(
            samples(questions, prompts, scores=easy.tolist()),
            samples(questions, [f"next {question}" for question in questions], "zero_shot",
                    (easy - 2 + rng.normal(0, 3, 120)).tolist()),
        ),
        "exemplars": bank(examples + questions[:40]),
    })  # fmt: skip
    assert result.verdict == "inconclusive"
    said = " ".join([result.headline, *(finding.statement for finding in result.findings)])
    assert "they lose" not in said.replace("what they lose", "")
    assert "the score changes by" not in said
    assert "easier" in said


def _as_messages(shown: str, question: str) -> str:
    text = f"Q: {shown}\nA: refund\n\nQ: {question}\nA:"
    return json.dumps([{"role": "system", "content": "é"}, {"role": "user", "content": text}])


def _as_turns(shown: str, question: str) -> str:
    said = [("user", shown), ("assistant", "refund"), ("user", question)]
    return json.dumps({"messages": [
        {"role": role, "content": [{"type": "text", "text": text}]} for role, text in said
    ]})  # fmt: skip


def _in_another_form(shown: str, question: str) -> str:
    return f"Customer: {shown}\nThe right class: refund\n\nCustomer: {question}\nThe right class:"


@pytest.mark.parametrize(
    ("form", "labelled"),
    [
        (_as_messages, True),
        (_as_turns, False),
        (_in_another_form, True),
        *also((_as_messages, False), (_as_turns, True), (_in_another_form, False)),
    ],
)
def test_examples_are_found_in_whatever_form_a_prompt_sets_them(
    form: Callable[[str, str], str], labelled: bool, tmp_path: Path
) -> None:
    questions, examples = texts(78, 80), texts(79, 20)
    shown = [questions[i] if i < 40 else examples[i % 20] for i in range(80)]
    prompts = [form(own, question) for own, question in zip(shown, questions, strict=True)]
    bare = [form(examples[i % 20], question) for i, question in enumerate(questions)]
    kept = [f"Q: {text}\nA: refund" for text in examples + questions[:40]]
    result = diagnose_columns(tmp_path, {
        "eval_samples": joined(
            samples(questions, prompts, scores=[1.0] * 80),
            samples(questions, bare, "leave_one_out", [0.0] * 30 + [1.0] * 50),
        ),
        "exemplars": bank(kept, label=["refund" if labelled else None] * 60),
    })  # fmt: skip
    if form is not _as_messages and not labelled:
        assert result.verdict == "inconclusive"
        assert not result.falsifier.falsified
        assert "40 stand in the bank and, in another form, in their own prompts" in result.headline
        assert "were not in their own" not in result.headline
    else:
        assert value(result, "in_prompt_rate") == 0.5
        assert result.verdict == "confirmed"
