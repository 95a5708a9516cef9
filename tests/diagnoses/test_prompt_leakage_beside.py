"""What stands beside the effect of a leak: clean items, other runs, topics, answers alone."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import false_discovery_control
from tests.diagnoses.leaking import (
    alone,
    bank,
    beside,
    diagnose_columns,
    joined,
    samples,
    texts,
    value,
)

from casework.findings import Result

Diagnose = Callable[..., Result]


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    return partial(diagnose_columns, tmp_path)


def said(result: Result, beginning: str) -> str:
    return next(f.statement for f in result.findings if f.statement.startswith(beginning))


def of_topics(right: dict[tuple[str, bool], tuple[int, int]]) -> dict[str, Any]:
    """Items by topic and whether they leaked, so many right of so many."""
    groups = [(topic, leaked, k, n) for (topic, leaked), (k, n) in right.items()]
    topics = [topic for topic, _, _, n in groups for _ in range(n)]
    leaked = [bad for _, bad, _, n in groups for _ in range(n)]
    scores = [float(i < k) for _, _, k, n in groups for i in range(n)]
    questions, others = texts(61, len(topics)), texts(62, len(topics))
    shown = [q if bad else o for q, o, bad in zip(questions, others, leaked, strict=True)]
    prompts = beside(questions, shown)
    return {"eval_samples": samples(questions, prompts, scores=scores, topic=topics)}


def test_leaked_items_of_easy_topics_are_no_better_than_their_like(diagnose: Diagnose) -> None:
    result = diagnose(of_topics({
        ("easy", True): (54, 60), ("easy", False): (36, 40),
        ("hard", True): (6, 20), ("hard", False): (24, 80),
    }))  # fmt: skip
    assert value(result, "leaked_questions") == value(result, "leaked_n_eff") == 80
    assert not any("the same one" in limit for limit in result.limits)
    assert value(result, "leaked_gap") == pytest.approx(60 / 80 - 60 / 120)
    assert value(result, "leaked_gap_p") < 0.001
    alike = result.measures["leaked_gap_alike"]
    assert alike.ci95 is not None
    assert abs(alike.value) < 0.06
    assert alike.ci95[0] < 0 < alike.ci95[1]
    # all 200 items are 60 % right: the leaked ones lie above that, in standard errors
    z = {row["subset"]: row["z"] for row in value(result, "subsets")}
    assert z["leaked"] == pytest.approx((0.75 - 0.6) / np.sqrt(0.6 * 0.4 / 80))
    assert z["clean"] == pytest.approx((0.5 - 0.6) / np.sqrt(0.6 * 0.4 / 120))
    text = said(result, "In the same run 80 leaked items score")
    assert "at equal topic and length" in text
    assert text.endswith("At equal topic and length nothing is left beyond chance.")


@pytest.mark.parametrize(("easy", "hard", "rare", "told"), [
    ((64, 20), (0, 20), 0, "The sign turns round: topics and lengths make"),
    ((64, 20), (0, 20), 9, "The sign turns round: topics, lengths or the items left out make"),
    ((71, 18), (6, 24), 0, "nothing is left beyond chance"),
])  # fmt: skip
def test_a_gap_that_turns_round_by_topic_is_told(
    diagnose: Diagnose, easy: tuple[int, int], hard: tuple[int, int], rare: int, told: str
) -> None:
    """So many right of 80 and 20 easy items, leaked and clean, and of 20 and 80 hard ones."""
    groups = {
        ("easy", True): (easy[0], 80), ("easy", False): (easy[1], 20),
        ("hard", True): (hard[0], 20), ("hard", False): (hard[1], 80),
    }  # fmt: skip
    result = diagnose(of_topics(groups | ({("rare", True): (rare, rare)} if rare else {})))
    assert value(result, "leaked_gap") > 0 > value(result, "leaked_gap_alike")
    assert told in said(result, "In the same run")


def test_graded_scores_have_welchs_interval(diagnose: Diagnose) -> None:
    from scipy.stats import ttest_ind

    tables = of_topics({("one", True): (0, 40), ("one", False): (0, 60)})
    scores = np.random.default_rng(5).normal(3, 1, 100)
    tables["eval_samples"]["score"] = scores.tolist()
    result = diagnose(tables)
    found = ttest_ind(scores[:40], scores[40:], equal_var=False)
    gap = result.measures["leaked_gap"]
    assert gap.ci95 == pytest.approx(tuple(found.confidence_interval()))
    assert value(result, "leaked_gap_p") == pytest.approx(found.pvalue)
    assert {row["z"] for row in value(result, "subsets")} == {None}


def of_quarters(*leaking: int, right: list[list[float]]) -> dict[str, Any]:
    """A suite of 60 items, run once a quarter, with as many of them in their own prompts."""
    questions, others = texts(63, 60), texts(64, 60)
    names = [f"q{k + 1}" for k in range(len(leaking))]
    parts = []
    for name, n, scores in zip(names, leaking, right, strict=True):
        shown = [*questions[:n], *others[n:]]
        run = samples(questions, beside(questions, shown), scores=scores)
        parts.append({**run, "run_id": [name] * 60})
    at = [f"2026-{1 + 3 * k:02}-01" for k in range(len(leaking))]
    return {
        "eval_runs": {"run_id": names, "suite": ["s"] * len(names),
                      "started_at": np.array(at, "datetime64[s]")},
        "eval_samples": joined(*parts),
    }  # fmt: skip


def share(leaked: int, clean: int) -> list[float]:
    """So many of 20 items right, and so many of the other 40."""
    return [float(i < leaked) for i in range(20)] + [float(i < clean) for i in range(40)]


def test_runs_without_a_leak_stand_for_models_without_it(diagnose: Diagnose) -> None:
    right = [share(8, 16), share(12, 20), share(19, 24)]
    result = diagnose(of_quarters(0, 0, 20, right=right))
    assert value(result, "reference_runs") == 2
    gained = result.measures["gain_over_reference_runs"]
    assert gained.value == pytest.approx((19 - 10) / 20 - (24 - 18) / 40)
    assert gained.n == 60
    assert gained.ci95 is not None
    assert gained.ci95[0] > 0
    by_run = [(r["run_id"], r["in_prompt"], r["leaked"], r["clean"])
              for r in value(result, "score_by_run")]  # fmt: skip
    assert by_run == [("q1", 0, 0.4, 0.4), ("q2", 0, 0.6, 0.5), ("q3", 20, 0.95, 0.6)]
    assert "gained +30 points" in said(result, "Against 2 runs of the same items")
    (broke,) = result.breaks
    assert (broke.start.month, broke.end.month) == (4, 7)


def test_a_model_that_got_better_gains_on_both(diagnose: Diagnose) -> None:
    right = [share(8, 16), share(14, 28)]
    gained = diagnose(of_quarters(0, 20, right=right)).measures["gain_over_reference_runs"]
    assert gained.value == pytest.approx(0)
    assert gained.ci95 is not None
    assert gained.ci95[0] < 0 < gained.ci95[1]


def test_a_run_that_may_have_leaked_stands_for_none(diagnose: Diagnose) -> None:
    tables = of_quarters(0, 20, right=[share(8, 16), share(19, 16)])
    tables["eval_samples"]["prompt_text"][59] = "a prompt that does not state its question"
    result = diagnose(tables)
    assert value(result, "reference_runs") == 0
    assert value(result, "gain_over_reference_runs") is None
    assert result.breaks == ()
    assert len(value(result, "score_by_run")) == 2


def test_an_item_whose_prompt_tells_nothing_is_not_among_the_clean(diagnose: Diagnose) -> None:
    right = [1.0] * 40 + [0.0] * 20
    tables = of_quarters(0, 20, right=[right, right])
    tables["eval_samples"]["prompt_text"][100:] = ["a prompt without its question"] * 20
    result = diagnose(tables)
    assert [row["clean"] for row in value(result, "score_by_run")] == [1.0, 1.0]
    (clean,) = [row for row in value(result, "subsets") if row["subset"] == "clean"]
    assert (clean["items"], clean["score"]) == (40 - 20, 1.0)


def test_runs_of_other_items_place_no_leak_in_time(diagnose: Diagnose) -> None:
    """The second run asks what the first does not; a third asks again what the first did."""
    tables = of_quarters(0, 20, 20, right=[share(8, 16)] * 3)
    items = tables["eval_samples"]["item_id"]
    items[60:120] = [f"other-{name}" for name in items[60:120]]
    assert diagnose(tables, run="q2").breaks == ()
    tables["eval_samples"]["prompt_text"][60:120] = tables["eval_samples"]["prompt_text"][:60]
    (broke,) = diagnose(tables).breaks
    assert (broke.start.month, broke.end.month) == (1, 7)


def of_rerun(topics: list[str], before: list[float], after: list[float]) -> dict[str, Any]:
    """All items leaked, and were run again without their examples."""
    questions = texts(65, len(topics))
    return {"eval_samples": joined(
        samples(questions, beside(questions, questions), scores=before, topic=topics),
        samples(questions, alone(questions), "leave_one_out", after, topic=topics),
    )}  # fmt: skip


def test_topics_that_fall_are_told_among_all_that_are_looked_at(diagnose: Diagnose) -> None:
    topics = ["a"] * 30 + ["b"] * 20 + ["c"] * 10
    before = [1.0] * 60
    after = [0.0] * 20 + [1.0] * 10 + [1.0] * 19 + [0.0] + [1.0] * 6 + [0.0] * 4
    result = diagnose(of_rerun(topics, before, after))
    rows = {row["topic"]: row for row in value(result, "drop_by_topic")}
    assert [rows[t]["drop"] for t in "abc"] == pytest.approx([2 / 3, 0.05, 0.4])
    # of mid-p: all of the discordant pairs fell
    p = [0.5**k for k in (20, 1, 4)]
    assert [rows[t]["p"] for t in "abc"] == pytest.approx(p)
    expected = false_discovery_control(p)
    assert [rows[t]["p_adjusted"] for t in "abc"] == pytest.approx(expected)
    told = said(result, "By topic, the score of leaked items")
    assert "in 1 of 3 topics" in told
    assert "most in `a`" in told
    (tier,) = value(result, "drop_by_tier")
    assert (tier["how_at_least"], tier["items"]) == ("exact", 60)
    assert tier["drop"] == value(result, "leave_one_out_drop")


def test_a_topic_falls_where_test_and_interval_say_so(diagnose: Diagnose) -> None:
    """All of few items fall, most by little: the test of signs is beyond chance, Student's not."""
    falls = [0.1, 0.11, 0.12, 0.13, 0.14, 0.15, 3.0] * 2
    result = diagnose(of_rerun(["a"] * 7 + ["b"] * 7, [4.0] * 14, [4 - x for x in falls]))
    assert all(row["p_adjusted"] < 0.05 and row["low"] < 0 < row["drop"]
               for row in value(result, "drop_by_topic"))  # fmt: skip
    assert "in 0 of 2 topics" in said(result, "By topic, the score of leaked items")


def test_the_order_of_rows_moves_no_digest(diagnose: Diagnose) -> None:
    """Sums of scores are made in one order, also of those in several epochs."""
    tables = of_rerun(["a"] * 6 + ["b"] * 6, [0.0] * 12, [0.0] * 12)
    again = tables["eval_samples"] | {"epoch": [2] * 24}
    runs = [part | {"run_id": [f"r{k}"] * 24} for k in (1, 2)
            for part in (tables["eval_samples"], again)]  # fmt: skip
    columns = joined(*runs)
    columns["score"] = np.random.default_rng(7).uniform(0, 1, 96).tolist()
    found = []
    for order in (range(96), np.random.default_rng(8).permutation(96).tolist()):
        rows = {name: [column[i] for i in order] for name, column in columns.items()}
        result = diagnose({"eval_samples": rows})
        found.append((result.measures, {e.id: e.sha256 for e in result.evidence}))
    assert found[0] == found[1]


def test_copies_of_one_question_are_told(diagnose: Diagnose) -> None:
    tables = of_rerun(["a"] * 40, [1.0] * 40, [0.0] * 40)
    for column in ("input_text", "prompt_text"):
        texts_of = tables["eval_samples"][column]
        for begin in (0, 40):
            texts_of[begin : begin + 10] = [texts_of[begin]] * 10
    result = diagnose(tables)
    assert value(result, "leaked_questions") == 31
    assert value(result, "leaked_n_eff") == pytest.approx(40**2 / (10**2 + 30))
    assert value(result, "top_question_share") == 0.25
    assert any("40 leaked items ask 31 questions, 25" in limit for limit in result.limits)


def test_of_many_topics_the_largest_are_told_and_the_others_counted(diagnose: Diagnose) -> None:
    topics = [f"t{k:02}" for k in range(25) for _ in range(2)] + ["big"] * 10
    result = diagnose(of_rerun(topics, [3.5] * 60, [3.0, 2.0] * 30))
    rows = value(result, "drop_by_topic")
    assert (len(rows), rows[0]["topic"]) == (20, "big")
    assert any("6 topics more are in the whole alone" in limit for limit in result.limits)


def answering(words: int) -> dict[str, Any]:
    """Examples of other questions bear the answers of the first 12 items, in 9 of their prompts.

    Of these 9, one shows its example without the label, and one with the label of another.
    """
    questions, others = texts(66, 60), texts(67, 60)
    targets = texts(68, 60, words=words)
    labels = [*targets[:12], *texts(69, 48, words=words)]
    places = [*range(9), *range(12, 60), *range(3)]
    answers = ["", labels[20], *(labels[k] for k in places[2:])]
    prompts: list[str | None] = [
        f"Q: {others[k]}\nA: {a}\n\nQ: {q}\nA:"
        for q, k, a in zip(questions, places, answers, strict=True)
    ]
    return {
        "eval_samples": samples(questions, prompts, target=targets),
        "exemplars": bank(others, label=labels),
    }


def test_an_answer_beside_another_question_is_told_and_no_leak(diagnose: Diagnose) -> None:
    result = diagnose(answering(6))
    assert result.verdict == "clean"
    assert value(result, "in_prompt_rate") == 0
    rate = result.measures["answer_only_rate"]
    assert (rate.value, rate.n) == (7 / 60, 60)
    pairs = [(row["item_id"], row["exemplar_id"]) for row in value(result, "answers_in_prompts")]
    assert pairs == [(f"i{k}", f"e{k}") for k in range(2, 9)]
    assert "7 (12 % (6 to 22))" in said(result, "Of 60 items that did not leak")
    assert any("answer alone" in limit for limit in result.limits)


def test_short_answers_and_labels_of_many_tell_nothing(diagnose: Diagnose) -> None:
    tables, short = answering(6), answering(2)
    for table, column in (("eval_samples", "target"), ("exemplars", "label")):
        short_ones = short[table][column][:6]
        same = ["the claim is to be refused at once"] * 54
        tables[table][column] = [*short_ones, *same]
    result = diagnose(tables)
    assert value(result, "answer_only_rate") is None
    assert value(result, "answers_in_prompts") == []
