"""Swapped labels, the score along the similarity, and candidates for a paraphrase."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.diagnoses.conftest import Diagnosed
from tests.diagnoses.leaking import bank, diagnose_columns, joined, samples, texts, value

from casework.findings import Result

Diagnose = Callable[..., Result]
OTHERS = ("one of the other examples", "another of the other examples")


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    return partial(diagnose_columns, tmp_path)


def shown(questions: list[str], labels: list[str]) -> list[str | None]:
    rest = f"Q: {OTHERS[1]}\nLabel: not yet known"
    return [
        f"Q: {q}\nLabel: {a}\n\n{rest}\n\nQ: {q}\nLabel:"
        for q, a in zip(questions, labels, strict=True)
    ]


def swap_case(
    questions: list[str], swapped: list[str], answers: list[str], targets: list[str] | None = None
) -> dict[str, Any]:
    """Each item's own example says `yes`; in another run it says what `swapped` says."""
    n = len(questions)
    yes = ["yes"] * n
    more = {"target": targets or yes}
    return {
        "eval_samples": joined(
            samples(questions, shown(questions, yes), "as_run", output_text=yes, **more),
            samples(questions, shown(questions, swapped), "replay", output_text=answers, **more),
        ),
        "exemplars": bank([*questions, *OTHERS], label=[*yes, "no", "not yet known"]),
    }


def test_a_planted_swap_is_followed_as_often_as_planted(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("prompt_leakage.planted_swap", 11)
    rate = result.measures["label_swap_rate"]
    assert rate.ci95 is not None
    assert rate.ci95[0] <= truth.numbers["label_swap"] <= rate.ci95[1]
    assert value(result, "label_swap_rate_left_out") < rate.ci95[0]
    assert any("With a wrong label" in finding.statement for finding in result.findings)
    assert result.verdict == "confirmed"


def test_answers_that_follow_the_swapped_label_are_counted(diagnose: Diagnose) -> None:
    questions = texts(40, 40)
    swapped = ["NO!"] * 20 + ["not yet known"] * 20
    answers = ["no"] * 15 + ["yes"] * 5 + ["Not yet  known."] * 10 + ["not"] * 10
    result = diagnose(swap_case(questions, swapped, answers))
    assert value(result, "label_swap_rate") == 25 / 40
    assert result.measures["label_swap_rate"].n == 40
    assert value(result, "label_swap_rate_left_out") is None
    assert not any("label swap" in limit for limit in result.limits)


def test_what_shows_no_wrong_label_is_not_in_the_swap(diagnose: Diagnose) -> None:
    questions = texts(41, 40)
    swapped = ["yes"] * 10 + ["unheard of"] * 10 + ["no"] * 20
    targets = ["yes"] * 30 + ["no"] * 10
    result = diagnose(swap_case(questions, swapped, ["no"] * 40, targets))
    assert value(result, "label_swap_rate") == 1
    assert result.measures["label_swap_rate"].n == 10
    assert any("30 leaked items are not in the label swap" in limit for limit in result.limits)


def test_a_swap_without_a_leak_says_nothing(diagnose: Diagnose) -> None:
    questions, others = texts(47, 60), texts(48, 60)
    plain: list[str | None] = [f"Q: {q}\nLabel:" for q in questions]
    result = diagnose({
        "eval_samples": joined(samples(questions, plain), samples(questions, plain, "replay")),
        "exemplars": bank(others, label=["yes"] * 60),
    })  # fmt: skip
    assert result.verdict == "clean"
    assert value(result, "label_swap_rate") is None


def test_without_such_a_run_nothing_is_said_of_it(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("prompt_leakage.planted", 21)
    assert value(result, "label_swap_rate") is None
    assert not any("wrong label" in finding.statement for finding in result.findings)


def partly(question: str, words: int) -> str:
    return f"Q: {' '.join(question.split()[:words])}\nA: yes\n\nQ: {question}\nA:"


def test_the_score_rises_with_what_stands_in_the_prompt(diagnose: Diagnose) -> None:
    questions = texts(42, 160, words=19)
    kept = [0, 10, 14, 20] * 40
    prompts: list[str | None] = [partly(q, k) for q, k in zip(questions, kept, strict=True)]
    left_out: list[str | None] = [partly(q, 0) for q in questions]
    right = [float(k // 4 % 10 < {0: 2, 10: 5, 14: 7, 20: 10}[kept[k]]) for k in range(160)]
    later = [0.0] * 80 + [1.0] * 80
    result = diagnose({
        "eval_samples": joined(samples(questions, prompts, scores=right),
                               samples(questions, left_out, "leave_one_out", later)),
    })  # fmt: skip
    # 20 words have 16 shingles; of them 10 words hold 6, and 14 words 10
    x = np.array([{0: 0.0, 10: 6 / 16, 14: 10 / 16, 20: 1.0}[k] for k in kept])
    expected = float(np.polyfit(x, right, 1)[0])
    assert value(result, "similarity_trend") == pytest.approx(expected)
    assert value(result, "similarity_trend_p") < 1e-6
    flat = result.measures["similarity_trend_left_out"]
    assert flat.ci95 is not None
    assert flat.ci95[0] < 0 < flat.ci95[1]
    sweep = {row["threshold"]: row for row in value(result, "sweep")}
    assert [sweep[t]["flagged"] for t in (0.3, 0.4, 0.6, 0.7, 1.0)] == [0.75, 0.5, 0.5, 0.25, 0.25]
    assert sweep[1.0]["gain"] == pytest.approx(np.mean(right) - np.mean(np.array(right)[x < 1]))
    drawn = {chart.id: chart for chart in result.charts}
    assert {row["x"] for row in drawn["sweep"].rows} == {0, 25, 50, 75}
    assert {row["x"] for row in drawn["similarity"].rows} == {0, 30, 60, 100}
    assert len(result.charts) <= 5


def test_paraphrases_are_candidates_and_no_leak(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("prompt_leakage.paraphrases", 11)
    assert result.verdict == "inconclusive"
    assert value(result, "in_prompt_rate") == 0
    assert value(result, "longest_match_rate") == 0
    assert value(result, "leaks") == []
    candidates = value(result, "paraphrase_candidates")
    planted = {c["item_id"] for c in candidates if c["exemplar_id"].startswith("pp")}
    assert len(planted) >= 0.9 * truth.numbers["paraphrases"]
    assert value(result, "paraphrase_candidates_in_prompt") >= 0.9 * truth.numbers["paraphrases"]
    similar = [c["similarity"] for c in candidates]
    assert similar == sorted(similar, reverse=True)
    assert min(similar) >= value(result, "paraphrase_radius")
    assert "which somebody has to read" in result.headline
    assert not result.falsifier.falsified
    assert any(f"Read the {len(candidates)} pairs" in remedy for remedy in result.remedies)
    assert any("Until somebody has read them" in limit for limit in result.limits)


def test_texts_of_the_same_subjects_are_clean(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("prompt_leakage.same_subjects", 11)
    assert result.verdict == "clean"
    assert value(result, "paraphrase_candidate_rate") < 0.05
    assert result.falsifier.falsified


def embedded(ids: list[str], rows: Any, model: str = "m", day: int = 1) -> dict[str, list[Any]]:
    at = [f"2026-01-{day:02}T00:00:00Z"] * len(ids)
    vectors = [[float(x) for x in row] for row in rows]
    return {
        "text_id": ids,
        "occurred_at": at,
        "vector": vectors,
        "embedding_model": [model] * len(ids),
    }


def test_embeddings_of_a_text_are_told_by_its_id(diagnose: Diagnose) -> None:
    rng = np.random.default_rng(1)
    items, others = rng.normal(size=(60, 16)), rng.normal(size=(60, 16))
    others[:6] = items[:6]
    ids, examples = [f"i{k}" for k in range(60)], [f"e{k}" for k in range(60)]
    tables: dict[str, Any] = {
        "eval_samples": samples(texts(43, 60)),
        "exemplars": bank(texts(44, 60)),
    }
    tables["vectors"] = joined(
        embedded(ids, items), embedded(examples, rng.normal(size=(60, 16))),
        embedded(examples, others, day=2), embedded(ids[:30], items[:30, :8], "other"),
    )  # fmt: skip
    result = diagnose(tables)
    pairs = [(c["item_id"], c["exemplar_id"]) for c in value(result, "paraphrase_candidates")]
    assert sorted(pairs[:6]) == [(f"i{k}", f"e{k}") for k in range(6)]
    assert {c["in_prompt"] for c in value(result, "paraphrase_candidates")} == {None}
    # without prompts nothing is known of what stood in them: candidates alone decide nothing
    assert result.verdict == "clean"


@pytest.mark.parametrize("flaw", ["one side", "ids of both", "no direction", "few items"])
def test_embeddings_that_tell_nothing_are_said_to_be_missing(flaw: str, diagnose: Diagnose) -> None:
    rng = np.random.default_rng(2)
    n = 30 if flaw == "few items" else 60
    ids, examples = [f"i{k}" for k in range(n)], [f"e{k}" for k in range(60)]
    tables: dict[str, Any] = {
        "eval_samples": samples(texts(45, n)),
        "exemplars": bank(texts(46, 60)),
    }
    if flaw == "ids of both":
        examples = [f"i{k}" for k in range(60)]
        tables["exemplars"]["exemplar_id"] = examples
    rows = np.zeros((n, 8)) if flaw == "no direction" else rng.normal(size=(n, 8))
    parts = [embedded(ids, rows)]
    if flaw in ("no direction", "few items"):
        parts.append(embedded(examples, rng.normal(size=(60, 8))))
    result = diagnose({**tables, "vectors": joined(*parts)})
    assert value(result, "paraphrase_candidate_rate") is None
    assert value(result, "paraphrase_candidates") == []
    assert any("They were not looked for" in limit for limit in result.limits)
