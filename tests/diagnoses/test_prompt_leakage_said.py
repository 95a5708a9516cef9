"""What `prompt_leakage` says is true of what was seen: of how many, of what, and no more."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.diagnoses.leaking import (
    bank,
    beside,
    diagnose_columns,
    joined,
    of_runs,
    rival,
    samples,
    texts,
    value,
)

from casework.findings import Result

Diagnose = Callable[..., Result]


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    return partial(diagnose_columns, tmp_path)


def test_rows_of_training_are_not_said_to_be_out_of_prompts_that_were_not_seen(
    diagnose: Diagnose,
) -> None:
    questions = texts(101, 60)
    result = diagnose({
        "eval_samples": samples(questions), "exemplars": bank(texts(102, 40)),
        "training_rows": {"dataset": ["d"] * 12, "row_id": [f"t{k}" for k in range(12)],
                          "prompt": questions[:12]},
    })  # fmt: skip
    assert result.verdict == "supported"
    assert "12 of 60 items stand in the training rows" in result.headline
    assert "none in its own prompt" not in result.headline
    assert "no prompts are recorded" in result.headline
    assert any("Take the 12 items out of the training rows" in r for r in result.remedies)


def test_items_too_short_to_tell_are_not_said_to_be_out_of_their_prompts(
    diagnose: Diagnose,
) -> None:
    questions = [f"capital of land{k}" for k in range(60)]
    given = samples(questions, beside(questions, questions), scores=[1.0] * 60)
    result = diagnose({"eval_samples": given})
    assert result.verdict == "inconclusive"
    assert "None of 60 items" not in result.headline
    assert any("fewer than four words" in limit for limit in result.limits)


def test_examples_are_not_said_to_be_training_rows(diagnose: Diagnose) -> None:
    questions = texts(103, 60)
    result = diagnose({"eval_samples": of_runs(questions, 60, [1.0] * 60, [0.0] * 60)})
    assert not any("training rows" in remedy for remedy in result.remedies)


def test_a_rerun_of_a_part_is_said_to_be_of_a_part(diagnose: Diagnose) -> None:
    questions = texts(104, 200)
    result = diagnose({"eval_samples": of_runs(
        questions, 100, [1.0] * 200, [0.0] * 30 + [None] * 70 + [1.0] * 100,
    )})  # fmt: skip
    assert result.measures["leave_one_out_drop"].n == 30
    assert "of the 30 items scored with and without those examples" in result.headline
    assert any("70 leaked items have no score both" in limit for limit in result.limits)


def test_a_template_that_repeats_the_question_is_no_leak_of_the_rerun(diagnose: Diagnose) -> None:
    questions = texts(105, 80)
    twice = [f"Task: {q}\n\nThink first. Again: {q}" for q in questions]
    leaked = [f"Q: {q}\nA: yes\n\n{t}" for q, t in zip(questions, twice, strict=True)]
    result = diagnose({"eval_samples": joined(
        samples(questions, leaked, scores=[1.0] * 80),
        samples(questions, twice, "leave_one_out", [0.0, 1.0] * 40),
        samples(questions, twice, "zero_shot", [0.0, 1.0] * 40),
    )})  # fmt: skip
    assert value(result, "in_prompt_rate") == 1
    assert value(result, "rerun_still_leaking") == 0


def test_a_rerun_that_still_leaks_is_counted_by_items(diagnose: Diagnose) -> None:
    questions = texts(106, 60)
    first = of_runs(questions, 60, [1.0] * 60, [1.0] * 60)
    first["prompt_text"][60:] = beside(questions, questions)
    second = first | {"epoch": [2] * 120}
    result = diagnose({"eval_samples": joined(first, second)})
    still = result.measures["rerun_still_leaking"]
    assert (still.value, still.n) == (1.0, 60)


def test_a_better_model_in_the_rerun_hides_a_leak(diagnose: Diagnose) -> None:
    questions = texts(107, 400)
    # leaked items are right for their examples, and in the rerun since the model is better
    result = diagnose({
        "eval_samples": of_runs(
            questions, 200, [1.0] * 200 + [0.0, 1.0] * 100, [1.0] * 199 + [0.0] + [1.0] * 200
        ),
    }, sesoi=0.05)  # fmt: skip
    assert value(result, "clean_drop") == -0.5
    assert result.verdict == "inconclusive"
    assert not result.falsifier.falsified
    assert "would settle" not in " ".join(result.limits)


def test_what_leaked_items_lose_is_compared_with_what_the_others_lose(diagnose: Diagnose) -> None:
    questions = texts(108, 2000)
    # leaked items fall by 40.5 on average and clean ones by 39.8: apart, but by less than matters
    after = [60.0, 60.5, 61.0, 59.5, 59.0] * 200
    given = of_runs(questions, 1000, [100.5, 100.5] * 1000, [*after, *(x + 0.7 for x in after)])
    result = diagnose({"eval_samples": given}, sesoi=1.0)
    assert rival(result, "The rerun scores lower").outcome == "not_excluded"
    assert result.verdict == "supported"


def test_scores_that_are_all_the_same_prove_little_of_one_item(diagnose: Diagnose) -> None:
    questions = texts(109, 80)
    result = diagnose({"eval_samples": of_runs(questions, 1, [5.0] * 80, [5.0] * 80)})
    assert result.verdict == "inconclusive"


def test_requests_are_not_said_to_be_missing_where_nothing_leaked(diagnose: Diagnose) -> None:
    questions = texts(110, 60)
    result = diagnose({
        "eval_samples": samples(questions, beside(questions, texts(111, 60)), scores=[1.0] * 60),
        "requests": {"request_id": ["q1"], "occurred_at": ["2026-03-01T00:00:00Z"],
                     "input_text": ["something"]},
    })  # fmt: skip
    assert result.verdict == "clean"
    assert "no requests" not in rival(result, "Customers do ask").why


def test_what_the_prompts_do_not_tell_falsifies_nothing(diagnose: Diagnose) -> None:
    questions = texts(112, 60)
    prompts = beside(questions, texts(113, 60))
    prompts[5:] = ["Something else altogether stands here."] * 55
    result = diagnose({"eval_samples": samples(questions, prompts, scores=[1.0] * 60)})
    assert result.verdict == "inconclusive"
    assert not result.falsifier.falsified


def test_items_whose_prompts_tell_nothing_are_not_said_to_be_in_none(diagnose: Diagnose) -> None:
    questions = texts(120, 60)
    prompts = beside(questions, texts(121, 60))
    prompts[:20] = ["Something else altogether stands here."] * 20
    result = diagnose({
        "eval_samples": samples(questions, prompts, scores=[1.0] * 60),
        "exemplars": bank([*questions[:20], *texts(121, 60)]),
    })  # fmt: skip
    assert "stand in the bank and were not in their own prompts" not in result.headline
    (tiers,) = [chart for chart in result.charts if chart.id == "tiers"]
    assert tiers.title == "0 of 40 items stand in their own prompts"


def test_runs_of_words_that_keep_it_open_are_told(diagnose: Diagnose) -> None:
    questions = texts(122, 100, words=60)
    parts = [f"{' '.join(q.split()[20:35])} {t}"
             for q, t in zip(questions[:5], texts(123, 5, words=40), strict=True)]  # fmt: skip
    given = samples(questions, scores=[0.0, 1.0] * 50)
    result = diagnose({"eval_samples": given, "exemplars": bank(parts)})
    assert result.verdict == "inconclusive"
    assert "5 share a run of 13 words" in result.headline


def test_how_many_answers_were_compared_with_a_label_is_told(diagnose: Diagnose) -> None:
    questions = texts(124, 100)
    runs = of_runs(questions, 40, [1.0] * 100, [1.0] * 20 + [0.0, 1.0] * 10 + [1.0] * 60)
    answers = ["yes"] * 10 + [None] * 90
    result = diagnose({
        "eval_samples": runs | {"output_text": [*answers, *answers]},
        "exemplars": bank(questions[:40], label=["yes"] * 40),
    })  # fmt: skip
    assert result.measures["copy_rate"].n == 10
    (said,) = [f.statement for f in result.findings if "label word for word" in f.statement]
    assert "Of 10 leaked items" in said


def test_a_wide_interval_is_not_drawn_as_about_the_same(diagnose: Diagnose) -> None:
    questions = texts(125, 80)
    runs = of_runs(questions, 8, [1.0] * 80, [1.0] * 5 + [0.0] * 3 + [1.0] * 72)
    result = diagnose({"eval_samples": runs})
    assert result.verdict == "inconclusive"
    assert "about the same" not in result.charts[0].title


def test_a_point_matters_however_often_an_item_is_asked(diagnose: Diagnose) -> None:
    questions = texts(126, 100)
    prompts = beside(questions, questions)
    one = samples(questions, prompts, scores=[0.0, 1.0] * 50)
    two = {**one, "epoch": [2] * 100, "score": [1.0] * 100}
    result = diagnose({"eval_samples": joined(one, two)})
    assert result.parameters["sesoi"].value == 0.01


def test_a_request_that_was_retried_was_served_once(diagnose: Diagnose) -> None:
    questions = texts(127, 60)
    result = diagnose({
        "eval_samples": samples(questions, beside(questions, questions), scores=[1.0] * 60),
        "eval_runs": {"run_id": ["r1"], "suite": ["s"], "started_at": ["2026-03-01T00:00:00Z"],
                      "checkpoint": ["c"]},
        "requests": {"request_id": ["q1", "q1"], "checkpoint": ["c", "c"],
                     "occurred_at": ["2026-03-02T00:00:00Z", "2026-03-02T00:00:05Z"]},
    })  # fmt: skip
    assert value(result, "requests_served") == 1


def test_the_scores_on_record_are_of_the_run_that_is_judged(diagnose: Diagnose) -> None:
    questions = texts(128, 80)
    first = of_runs(questions, 40, [1.0] * 80, [0.0] * 40 + [1.0] * 40)
    first["run_id"] = ["r1"] * 80 + ["r2"] * 80
    plain = samples(questions, [None] * 80, scores=[0.0] * 80) | {"run_id": ["r2"] * 80}
    result = diagnose({"eval_samples": joined(first, plain)})
    assert value(result, "score_all") == 1
    (record,) = [e for e in result.evidence if e.id == result.measures["score_all"].evidence]
    rows = [dict(zip(record.columns, row, strict=True)) for row in record.rows]
    assert [r["mean_score"] for r in rows if r["condition"] == "as_run"] == [1.0, 1.0]


def test_a_source_without_a_name_is_no_common_source(diagnose: Diagnose) -> None:
    questions, others = texts(129, 60), texts(130, 60)
    where = [json.dumps({"source_uri": "", "source_row": str(k)}) for k in range(60)]
    result = diagnose({
        "eval_samples": samples(questions, beside(questions, others), attributes=where),
        "exemplars": bank(others, source_uri=[""] * 60, source_row=[str(k) for k in range(60)]),
    })  # fmt: skip
    assert value(result, "in_prompt_rate") == 0


def test_clean_prompts_that_tell_of_a_part_rest_on_the_bank(diagnose: Diagnose) -> None:
    questions = texts(131, 60)
    prompts = beside(questions, texts(132, 60))
    prompts[:20] = ["Something else altogether stands here."] * 20
    result = diagnose({
        "eval_samples": samples(questions, prompts, scores=[1.0] * 60),
        "exemplars": bank(texts(132, 60)),
    })  # fmt: skip
    assert result.verdict == "clean"
    assert "None of 40 items" in result.headline
    assert "none of all 60 stands in the example bank" in result.headline
