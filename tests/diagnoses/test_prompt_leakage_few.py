"""Where little was seen `prompt_leakage` says so: few leaked items, prompts without a question."""

from pathlib import Path

import numpy as np
import pytest
from tests.diagnoses.leaking import bank, diagnose_columns, joined, samples, texts, value


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
