"""What `feedback_poisoning` must state, against planted numbers, traps and odd evidence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cases import also, diagnose_rows
from tests.diagnoses.conftest import Diagnosed

from casework.case import Row
from casework.findings import Result, Rival
from casework.tables import Table, accounts, eval_runs, eval_samples, feedback, nps, requests

START = datetime(2026, 1, 5, tzinfo=UTC)
TOPIC, WORDS, VECTORS = 1000, 1002, 1004
"""Seeds of the company in which a topic, texts, or embeddings are recorded."""


def value(result: Result, name: str) -> Any:
    return result.measures[name].value


def rival(result: Result, beginning: str) -> Rival:
    (found,) = (r for r in result.rivals if r.explanation.startswith(beginning))
    return found


def judged(tmp_path: Path, rows: list[Row], **settings: Any) -> Result:
    """Diagnose a case that holds exactly these rows."""
    return diagnose_rows(tmp_path, "feedback_poisoning", rows, **settings)


def survey(silent: tuple[str, ...] = ()) -> list[Row]:
    """Gold accounts of which the third with most revenue turns from promoters to detractors.

    All answer the first wave. The last one is answered by all others, and of the largest by one,
    or by none of those that are `silent`.
    """
    rows = []
    for row in product():
        a = int(row.locator.split()[1])
        if row.table is accounts:
            rows.append(Row(accounts, row.locator, {**row.values, "revenue": float(a)}))
        elif row.table is requests or row.table is eval_runs or row.table is eval_samples:
            rows.append(row)
    for a in range(0, 40, 2):
        name, large = f"a{a}", a >= 28
        first = {"account_id": name, "score": 10.0, "responded_at": START, "invited_at": START}
        rows.append(Row(nps, f"first {a}", first))
        if name in silent or (large and a > 28):
            continue
        at = START + timedelta(days=60)
        last = {"account_id": name, "score": 0.0 if large else 10.0, "responded_at": at}
        rows.append(Row(nps, f"last {a}", last))
    return rows


def product(
    *, tiers: tuple[str | None, ...] = ("gold", "basic"), texts: bool = False, hostile: str = ""
) -> list[Row]:
    """Accounts that ask by topic, and an eval of four weeks that lacks what the first tier asks."""
    rows = []
    for a in range(40):
        tier = tiers[a % len(tiers)]
        values: dict[str, Any] = {"account_id": f"a{a}{hostile}", "tier": tier, "revenue": 10.0}
        rows.append(Row(accounts, f"account {a}", values))
        for k in range(6):
            own = a % 2 == 0 and k < 3
            topic = f"audit{hostile}" if own else f"billing{hostile}"
            asked: dict[str, Any] = {
                "request_id": f"r{a}-{k}", "occurred_at": START + timedelta(days=k, minutes=a),
                "account_id": f"a{a}{hostile}", "attributes": {"topic": topic},
            }  # fmt: skip
            if texts:
                asked["input_text"] = f"{topic} question {a} {k}"
            rows.append(Row(requests, f"request {a} {k}", asked))
    for week in range(4):
        run = {"run_id": f"run{week}", "suite": "s", "started_at": START + timedelta(weeks=week)}
        rows.append(Row(eval_runs, f"run {week}", run))
        for i in range(20):
            item = {
                "run_id": f"run{week}", "item_id": f"i{i}", "score": float(i % 5 > 0),
                "topic": f"billing{hostile}", "tier": tiers[-1], "account_id": f"a1{hostile}",
            }  # fmt: skip
            rows.append(Row(eval_samples, f"item {week} {i}", item))
    return rows


def audited(
    graded_by: dict[str, Any], versions: tuple[str, ...] = ("1", "1", "2", "2")
) -> list[Row]:
    """The small product, an eval by a harness of these versions, and a fresh sample of gold."""
    rows = []
    for row in product():
        week = int(row.locator.split()[1])
        named = {"harness": "judgekit", "harness_version": versions[week % len(versions)]}
        own = named if row.table is eval_runs else {}
        rows.append(Row(row.table, row.locator, {**row.values, **own}))
    run = {"run_id": "audit", "suite": "audit", "started_at": START + timedelta(days=24)}
    rows.append(Row(eval_runs, "audit", run | graded_by))
    for i in range(60):
        asked = {
            "run_id": "audit", "item_id": f"f{i}", "score": float(i % 4 == 0), "tier": "gold",
            "condition": "replay", "account_id": f"a{i * 2 % 40}",
        }  # fmt: skip
        rows.append(Row(eval_samples, f"audit {i}", asked))
    return rows


@pytest.mark.parametrize(
    ("graded_by", "versions", "outcome"),
    [
        ({"harness": "judgekit", "harness_version": "2"}, ("1", "1", "2", "2"), "excluded"),
        ({"harness": "judgekit", "harness_version": "1"}, ("1", "1", "2", "2"), "not_excluded"),
        ({"harness": "human"}, ("1", "1", "2", "2"), "not_excluded"),
        ({}, ("1", "1", "2", "2"), "not_excluded"),
        ({"harness": "judgekit", "harness_version": "2"}, ("1",), "not_excluded"),
        ({"harness": "judgekit", "harness_version": "1"}, ("1",), "excluded"),
        ({"harness": "human"}, ("1",), "excluded"),
    ],
)
def test_a_change_of_the_judge_is_excluded_by_one_grader_after_it_alone(
    tmp_path: Path, graded_by: dict[str, Any], versions: tuple[str, ...], outcome: str
) -> None:
    result = judged(tmp_path, audited(graded_by, versions), target="gold")
    assert rival(result, "The judge changed").outcome == outcome
    assert result.verdict == "supported"
    same = graded_by == {"harness": "judgekit", "harness_version": versions[-1]}
    assert any("differ on the same answer" in limit for limit in result.limits) != same


def thumbed(condition: str, chosen: tuple[int, ...] = (0, 1, 2, 3, 4, 5)) -> list[Row]:
    """The small product; gold clicks up on half of what it asks, on what was answered well.

    Graded are those requests of each gold account that are `chosen`.
    """
    rows = product()
    run = {"run_id": "audit", "suite": "audit", "started_at": START + timedelta(days=24)}
    rows.append(Row(eval_runs, "audit", run))
    for a in range(0, 40, 2):
        for k in range(6):
            good = k % 2 == 0
            name = f"r{a}-{k}"
            if good:
                thumb = {"feedback_id": f"t{name}", "occurred_at": START, "signal": 1,
                         "request_id": name}  # fmt: skip
                rows.append(Row(feedback, f"thumb {name}", thumb))
            if k in chosen:
                asked = {
                    "run_id": "audit", "item_id": f"f{name}", "score": float(good), "tier": "gold",
                    "condition": condition, "account_id": f"a{a}",
                    "source_event_id": f"t{name}" if good and a % 4 else name,
                }  # fmt: skip
                rows.append(Row(eval_samples, f"audit {name}", asked))
    return rows


@pytest.mark.parametrize("condition", ["as_run", "replay"])
def test_a_question_with_a_thumb_is_not_chosen_by_it(tmp_path: Path, condition: str) -> None:
    result = judged(tmp_path, thumbed(condition), target="gold")
    assert value(result, "fresh_items") == 120
    assert value(result, "fresh_score") == 0.5
    assert rival(result, "Which of their questions").outcome == "excluded"


@pytest.mark.parametrize("condition", ["as_run", "replay"])
def test_a_suite_that_thumbs_chose_is_no_random_sample(tmp_path: Path, condition: str) -> None:
    result = judged(tmp_path, thumbed(condition, (0, 1, 3, 5)), target="gold")
    assert value(result, "fresh_items") == 60
    assert rival(result, "Which of their questions").outcome == "not_excluded"
    assert any(limit.startswith("20 graded questions") for limit in result.limits)
    assert result.verdict != "confirmed"


@pytest.mark.parametrize("seed", [TOPIC, VECTORS, *also((WORDS,))])
def test_the_planted_set_is_found_whatever_is_recorded(diagnosed: Diagnosed, seed: int) -> None:
    result, truth = diagnosed("feedback_poisoning.planted", seed)
    assert result.verdict == "confirmed"
    assert result.severity == "S1"
    assert result.parameters["target"].value == truth.numbers["target"]
    assert value(result, "estimable") is False
    assert value(result, "score_transported") is None
    assert value(result, "top_cohort_item_share") == truth.numbers["top_cohort_item_share"]
    assert value(result, "fixed_items") == truth.numbers["fixed_items"]
    low, high = result.measures["fresh_score"].ci95 or (1, 0)
    assert low - 0.03 < truth.numbers["score_target"] < high + 0.03
    assert value(result, "nps_change") < -0.2
    assert value(result, "score_lower_bound") <= value(result, "fresh_score")
    assert value(result, "fresh_score") <= value(result, "score_upper_bound")
    assert result.primary is not None
    assert result.primary.p < result.primary.alpha
    if truth.numbers["true_gap"] is not None:
        low, high = result.measures["coverage_gap"].ci95 or (1, 0)
        assert low <= truth.numbers["true_gap"] <= high


def test_topics_without_an_item_are_named(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("feedback_poisoning.planted", TOPIC)
    named = sorted(row["topic"] for row in value(result, "topics_without_items"))
    assert named == truth.numbers["topics_without_items"]
    assert set(named) == set(truth.numbers["special_topics"])
    assert any(topic in result.findings[0].statement for topic in named)


def test_the_rise_is_that_of_new_items(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("feedback_poisoning.planted", VECTORS)
    slope, fixed = result.measures["eval_slope"], result.measures["fixed_item_slope"]
    assert slope.ci95 is not None
    assert slope.ci95[0] > 0
    assert fixed.value < slope.value
    assert value(result, "rise_other_items") > abs(value(result, "rise_same_items"))
    assert rival(result, "The product got better").outcome == "excluded"


def test_without_fresh_grades_it_is_supported_and_says_what_to_load(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("feedback_poisoning.ungraded", TOPIC)
    assert result.verdict == "supported"
    assert "cannot be transported" in result.headline
    assert value(result, "fresh_items") == 0
    assert any("at least 200 requests" in remedy for remedy in result.remedies)


def test_a_random_set_is_not_blamed(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("feedback_poisoning.healthy", VECTORS)
    assert result.verdict in ("clean", "inconclusive")
    assert value(result, "estimable") is True
    low, high = result.measures["score_transported"].ci95 or (1, 0)
    assert low - 0.05 < truth.numbers["score_target"] < high + 0.05


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("after_the_harm", "They ask other questions"),
        ("judge_changed", "The judge changed"),
        ("judge_then_audit", "The judge changed"),
    ],
)
def test_a_trap_is_caught_by_its_own_rival(diagnosed: Diagnosed, name: str, beginning: str) -> None:
    result, _ = diagnosed(f"feedback_poisoning.{name}", TOPIC)
    assert result.verdict != "confirmed"
    assert rival(result, beginning).outcome == "not_excluded"


def test_graded_questions_with_a_thumb_count(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("feedback_poisoning.thumbed_audit", TOPIC)
    assert result.verdict != "confirmed"
    low, high = result.measures["fresh_score"].ci95 or (1, 0)
    assert low - 0.03 < truth.numbers["score_target"] < high + 0.03


def test_a_product_that_got_better_overstates_nothing(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("feedback_poisoning.better_product", WORDS)
    assert result.verdict != "confirmed"
    low, high = result.measures["overstatement"].ci95 or (1, 0)
    assert low <= 0.05
    assert high >= -0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["nps_lags", "price_changed", "leavers_silent", "invitations_changed", "quotas",
     "thumbs_by_surface", "harder_mix"],
)  # fmt: skip
def test_what_moves_the_survey_alone_is_no_poisoning(diagnosed: Diagnosed, name: str) -> None:
    result, _ = diagnosed(f"feedback_poisoning.{name}", TOPIC)
    assert result.verdict in ("clean", "inconclusive")


def test_few_accounts_say_how_many_would_settle_it(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("feedback_poisoning.few_answers", WORDS)
    assert result.verdict in ("inconclusive", "supported")
    assert any("accounts of the target" in limit for limit in result.limits)
    if result.verdict == "inconclusive":
        assert "accounts of theirs would tell it from 5 points" in result.headline


def test_a_score_below_fresh_grades_is_said_so(tmp_path: Path) -> None:
    rows = [
        Row(row.table, row.locator, {**row.values, "score": 1.0})
        if row.locator.startswith("audit ") else row
        for row in audited({})
    ]  # fmt: skip
    result = judged(tmp_path, rows, target="gold")
    assert value(result, "overstatement") < 0
    assert result.falsifier is not None
    assert "below" in result.falsifier.outcome


def test_without_a_rise_nothing_of_it_can_be_gone(tmp_path: Path) -> None:
    result = judged(tmp_path, product(), target="gold")
    assert value(result, "rise") == 0
    assert value(result, "tipping_point") is None


def test_thumbs_up_that_chose_no_more_than_others_are_not_said_to_choose(tmp_path: Path) -> None:
    rows = []
    for row in product():
        item = int(row.locator.split()[-1])
        own = {"source_event_id": f"f{item}"} if row.table is eval_samples else {}
        rows.append(Row(row.table, row.locator, {**row.values, **own}))
    for k in range(80):
        thumb = {"feedback_id": f"f{k}", "occurred_at": START, "signal": 1 if k % 2 else -1}
        rows.append(Row(feedback, f"thumb {k}", thumb))
    told = " ".join(f.statement for f in judged(tmp_path, rows, target="gold").findings)
    assert "25 % of thumbs up became items and 25 % of thumbs down, apart within chance" in told
    assert "chosen by a thumb" not in told


def written(rows: list[Row]) -> list[Row]:
    """The same rows, with the tier gold written in another way in each table."""
    ways = {"accounts": " Gold", "nps": "GOLD", "eval_samples": "gold "}
    return [
        Row(row.table, row.locator, {**row.values, "tier": ways[row.table.name]})
        if row.values.get("tier") == "gold" or row.table is nps else row
        for row in rows
    ]  # fmt: skip


@pytest.mark.parametrize("given", ["gold", "GOLD "])
def test_a_tier_is_the_same_however_it_is_written(tmp_path: Path, given: str) -> None:
    rows = [*survey(), *(row for row in audited({}) if row.locator.startswith("audit"))]
    (tmp_path / "plain").mkdir()
    plain = judged(tmp_path / "plain", rows, target="gold")
    result = judged(tmp_path, written(rows), target=given)
    assert result.parameters["target"].value == given
    assert value(result, "fresh_items") == 60
    assert value(result, "target_revenue") == value(plain, "target_revenue")
    assert value(result, "coverage_gap") == value(plain, "coverage_gap")
    assert value(result, "nps_change") == value(plain, "nps_change")
    assert "Gold customers" in result.headline


def test_few_answers_have_no_weighted_change(tmp_path: Path) -> None:
    few = {f"{wave} {a}" for wave in ("first", "last") for a in range(0, 40, 2) if a > 6}
    rows = [row for row in survey() if row.locator not in few]
    result = judged(tmp_path, rows, target="gold")
    assert value(result, "nps_change_weighted") is None
    why = str(rival(result, "Other customers answer").why)
    assert "points and" in why


def test_the_target_can_be_given(diagnosed: Diagnosed) -> None:
    inferred, _ = diagnosed("feedback_poisoning.planted", TOPIC)
    given, _ = diagnosed("feedback_poisoning.planted", TOPIC, target="churned")
    assert given.parameters["target"].source == "given"
    assert given.measures["target_accounts"].value < inferred.measures["target_accounts"].value


def test_the_same_case_and_seed_give_the_same(diagnosed: Diagnosed) -> None:
    first, _ = diagnosed("feedback_poisoning.planted", TOPIC, seed=3)
    other, _ = diagnosed("feedback_poisoning.planted", TOPIC, seed=4)
    assert first == diagnosed.anew("feedback_poisoning.planted", TOPIC, seed=3)
    assert other.verdict == first.verdict
    assert value(other, "coverage_gap") == pytest.approx(value(first, "coverage_gap"), abs=0.03)


def test_a_smaller_sample_is_told(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("feedback_poisoning.planted", TOPIC, sample=300)
    assert any("drawn by the digest" in limit for limit in result.limits)
    drawn = next(e for e in result.evidence if e.id == "feedback_poisoning.sample")
    assert 450 < drawn.row_count < 750
    assert result.verdict == "confirmed"


def test_the_smallest_case_that_can_be_judged(tmp_path: Path) -> None:
    result = judged(tmp_path, product(), target="gold")
    assert result.verdict == "supported"
    assert value(result, "coverage_target") == 0.5
    assert value(result, "coverage_reference") == 1
    assert value(result, "nps_change") is None
    assert value(result, "eval_slope") is None
    assert value(result, "estimable") is False
    assert "gold" in result.headline


@pytest.mark.parametrize("texts", [False, True])
def test_hostile_names_are_names(tmp_path: Path, texts: bool) -> None:
    result = judged(
        tmp_path, product(texts=texts, hostile="'; DROP TABLE x; --<script>$target\u202e"),
        target="gold",
    )  # fmt: skip
    assert result.verdict == "supported"


def test_without_tiers_or_leavers_nobody_is_the_target(tmp_path: Path) -> None:
    result = judged(tmp_path, product(tiers=(None,)))
    assert result.verdict == "not_testable"
    assert result.missing[-1].table == "accounts"


def test_without_text_or_topic_questions_cannot_be_compared(tmp_path: Path) -> None:
    rows = [
        Row(row.table, row.locator, {k: v for k, v in row.values.items() if k != "attributes"})
        for row in product()
    ]
    result = judged(tmp_path, rows)
    assert result.verdict == "not_testable"
    assert result.missing[-1].table == "requests"


def test_a_case_without_scores_is_not_testable(tmp_path: Path) -> None:
    rows = [row for row in product() if row.table is not eval_samples]
    assert judged(tmp_path, rows).verdict == "not_testable"


def test_answers_are_weighted_to_who_was_there(tmp_path: Path) -> None:
    result = judged(tmp_path, survey(), target="gold")
    # of 20 accounts 14 stay promoters and 6 turn to detractors, one of which answers
    assert value(result, "nps_change") == pytest.approx(13 / 15 - 1)
    assert value(result, "nps_change_weighted") == pytest.approx((14 - 6) / 20 - 1)
    assert value(result, "nps_silent_share") == 0
    assert value(result, "nps_answered_share") == pytest.approx(15 / 20)
    assert any("takes every account that was there as asked" in limit for limit in result.limits)


def test_kinds_that_fell_silent_leave_bounds(tmp_path: Path) -> None:
    result = judged(tmp_path, survey(silent=("a28",)), target="gold")
    assert value(result, "nps_change") == 0
    assert value(result, "nps_change_weighted") == pytest.approx(0)
    assert value(result, "nps_silent_share") == pytest.approx(6 / 20)
    low, high = (value(result, f"nps_change_{end}_bound") for end in ("lower", "upper"))
    assert low <= (14 - 6) / 20 - 1 <= high
    assert rival(result, "Other customers answer").outcome == "not_excluded"


def test_without_accounts_answers_have_no_weight(tmp_path: Path) -> None:
    rows = [
        Row(requests, row.locator, {**row.values, "tier": tier}) if row.table is requests
        else Row(nps, row.locator, {**row.values, "tier": "gold"}) if row.table is nps else row
        for row in survey() if row.table is not accounts
        for tier in ("gold" if int(row.locator.split()[1]) % 2 == 0 else "basic",)
    ]  # fmt: skip
    result = judged(tmp_path, rows, target="gold")
    assert value(result, "nps_change") == pytest.approx(13 / 15 - 1)
    assert value(result, "nps_change_weighted") is None


@pytest.mark.parametrize("seed", [1000, *also((1001,))])
def test_the_gap_is_known_without_topics(diagnosed: Diagnosed, seed: int) -> None:
    result, truth = diagnosed("feedback_poisoning.planted_ready", seed)
    assert result.verdict == "confirmed"
    assert value(result, "coverage_basis") in ("text", "vectors")
    low, high = result.measures["coverage_gap"].ci95 or (1, 0)
    assert low <= truth.numbers["true_gap"] <= high


def test_texts_that_cannot_show_a_gap_make_nothing_clean(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("feedback_poisoning.like_words", 1000)
    assert result.verdict in ("inconclusive", "supported")
    assert value(result, "coverage_gap_others_alone") < 0.05
    assert any("likeness cannot show a gap here" in limit for limit in result.limits)
    if result.verdict == "inconclusive":
        assert "likeness cannot show one here" in result.headline


@pytest.mark.slow
def test_a_gap_that_random_sets_have_as_well_is_not_blamed(diagnosed: Diagnosed) -> None:
    # embeddings in which the topics of the target lie scattered: any set of this size misses them
    result, _ = diagnosed("feedback_poisoning.quotas", 3018)
    low, high = result.measures["coverage_gap_random_sets"].ci95 or (1, 0)
    assert low <= value(result, "coverage_gap") <= high
    assert result.verdict == "inconclusive"
    assert rival(result, "The set is small").outcome == "not_excluded"


def test_one_answer_and_one_week_make_no_trend(tmp_path: Path) -> None:
    rows = [row for row in product() if not row.locator.startswith(("run 1", "run 2", "run 3",
            "item 1", "item 2", "item 3"))]  # fmt: skip
    answer = {"account_id": "a0", "score": 3.0, "responded_at": START}
    result = judged(tmp_path, [*rows, Row(nps, "answer", answer)], target="gold")
    assert value(result, "eval_slope") is None
    assert value(result, "nps_change") is None
    assert "one week only" in " ".join(f.statement for f in result.findings)


def changed(rows: list[Row], table: Table, **more: Any) -> list[Row]:
    """The same rows, those of a table with other values."""
    return [Row(r.table, r.locator, {**r.values, **(more if r.table is table else {})})
            for r in rows]  # fmt: skip


@pytest.mark.parametrize("every", [1, 4])
def test_a_rise_is_as_large_however_seldom_the_eval_is_run(tmp_path: Path, every: int) -> None:
    rows = [row for row in product() if row.table is accounts or row.table is requests]
    for k in range(6):
        run = {"run_id": f"run{k}", "suite": "s", "started_at": START + timedelta(weeks=every * k)}
        rows.append(Row(eval_runs, f"run {k}", run))
        for i in range(20):
            item = {"run_id": f"run{k}", "item_id": f"i{i}", "score": 0.3 + 0.1 * k + 0.01 * i,
                    "topic": "billing", "account_id": f"a{2 * i + 1}"}  # fmt: skip
            rows.append(Row(eval_samples, f"item {k} {i}", item))
    better = rival(judged(tmp_path, rows, target="gold"), "The product got")
    assert better.outcome == "not_excluded"
    assert better.why.startswith("the same items changed by 0.5 ")


def test_what_is_too_few_for_a_trend_is_told(tmp_path: Path) -> None:
    better = rival(judged(tmp_path, product(), target="gold"), "The product got")
    assert (
        better.why == "20 items there all the time, in 4 weeks with a run, are too few for a trend"
    )


def test_a_retry_is_the_same_request(tmp_path: Path) -> None:
    rows = product()
    rows += [Row(requests, f"{row.locator} again", {**row.values, "occurred_at": later})
             for row in rows if row.table is requests
             for later in [row.values["occurred_at"] + timedelta(seconds=5)]]  # fmt: skip
    result = judged(tmp_path, rows, target="gold")
    assert (value(result, "uncovered_requests"), value(result, "target_accounts")) == (60, 20)
    assert not any("drawn by the digest" in limit for limit in result.limits)


def test_one_topic_for_everything_compares_nothing(tmp_path: Path) -> None:
    chat = changed(changed(product(), requests, attributes={"topic": "chat"}), eval_samples,
                   topic="chat")  # fmt: skip
    assert judged(tmp_path, chat, target="gold").verdict == "not_testable"


def test_questions_of_unknown_topic_are_not_covered_by_items_of_unknown_topic(
    tmp_path: Path,
) -> None:
    """Items phrased unlike any request are compared by topic, which a third does not have."""
    rows = []
    for row in product(texts=True):
        values = dict(row.values)
        if row.table is requests and int(row.locator.split()[2]) % 3 == 0:
            values["attributes"] = {}
        if row.table is eval_samples:
            values["input_text"] = f"zzz {values['item_id']}"
            values["topic"] = None if values["item_id"] == "i3" else "billing"
        rows.append(Row(row.table, row.locator, values))
    result = judged(tmp_path, rows, target="gold")
    assert value(result, "coverage_basis") == "topic"
    assert value(result, "coverage_target") == pytest.approx(0.5)


def test_a_score_is_not_transported_to_questions_without_a_topic(tmp_path: Path) -> None:
    rows = []
    for row in product(texts=True):
        values = dict(row.values)
        if row.table is requests and int(row.locator.split()[1]) % 2 == 0:
            values["attributes"] = {}
        if row.table is eval_samples:
            values |= {"input_text": f"billing question {row.locator}", "tier": "gold"}
        rows.append(Row(row.table, row.locator, values))
    result = judged(tmp_path, rows, target="gold")
    assert value(result, "estimable") is False
    assert any("no question of theirs has a topic." in f.statement for f in result.findings)


def test_revenue_that_nobody_recorded_is_not_nought(tmp_path: Path) -> None:
    """Of gold nothing is recorded; of those that left nothing, of those that stayed their own."""
    rows = product()
    unknown = [Row(r.table, r.locator, {**r.values, "revenue": None})
               if r.table is accounts and r.values["tier"] == "gold" else r
               for r in rows]  # fmt: skip
    assert "target_revenue" not in judged(tmp_path, unknown, target="gold").measures
    gone = {"churned_at": START + timedelta(days=50), "revenue": None}
    left = [Row(r.table, r.locator, {**r.values, **gone}) if r.locator == "account 0" else r
            for r in rows]  # fmt: skip
    (tmp_path / "case.duckdb").unlink()
    result = judged(tmp_path, left, target="gold")
    assert (value(result, "target_revenue"), value(result, "churned_revenue")) == (190, None)
    said = " ".join(f.statement for f in result.findings)
    assert "how much of it left is not recorded" in said
    assert "1 account that left and 19 that stayed asked: what those that left lack takes 5" in said


def test_what_ranks_tiers_is_asked_for_where_nothing_does(tmp_path: Path) -> None:
    result = judged(tmp_path, changed(product(), accounts, revenue=None))
    assert result.verdict == "not_testable"
    assert "revenue or nps" in result.headline


def test_thumbs_of_another_time_say_nothing_of_what_was_asked(tmp_path: Path) -> None:
    def thumbs(days: int) -> list[Row]:
        return [Row(feedback, f"thumb {i}", {
            "feedback_id": f"f{i}", "occurred_at": START + timedelta(days=days), "signal": 1,
            "account_id": f"a{i % 40}"}) for i in range(60)]  # fmt: skip

    during = judged(tmp_path, [*product(), *thumbs(3)], target="gold")
    assert during.measures["approval"].n == 60
    (tmp_path / "case.duckdb").unlink()
    assert "approval" not in judged(tmp_path, [*product(), *thumbs(-900)], target="gold").measures


def test_items_without_a_tier_are_told(tmp_path: Path) -> None:
    rows = [Row(r.table, r.locator, {**r.values, "tier": None, "account_id": None})
            if r.table is eval_samples and r.values["item_id"] != "i3" else r
            for r in product()]  # fmt: skip
    said = [f.statement for f in judged(tmp_path, rows, target="gold").findings]
    assert any("Of 1 item whose tier is known 100 % stem from one" in text for text in said)


@pytest.mark.parametrize(("surface", "outcome"), [(None, "not_testable"), ("chat", "excluded")])
def test_surfaces_that_nobody_recorded_exclude_nothing(
    tmp_path: Path, surface: str | None, outcome: str
) -> None:
    rows = product()
    rows += [Row(feedback, f"thumb {i}", {
        "feedback_id": f"f{i}", "occurred_at": START + timedelta(days=3),
        "signal": 1 if i % 3 else -1, "account_id": f"a{i % 40}", "surface": surface})
        for i in range(80)]  # fmt: skip
    assert rival(judged(tmp_path, rows, target="gold"), "Thumbs differ").outcome == outcome


def test_accounts_are_counted_in_the_time_that_was_compared(tmp_path: Path) -> None:
    """Where nobody asked while the eval ran, what was asked half a year before is compared."""
    rows = [Row(r.table, r.locator, {**r.values,
                                     "occurred_at": r.values["occurred_at"] - timedelta(days=60)})
            if r.table is requests else r
            for r in product()]  # fmt: skip
    result = judged(tmp_path, rows, target="gold")
    measured = result.measures["target_accounts"]
    (by,) = (one for one in result.evidence if one.id == measured.evidence)
    assert (measured.value, by.row_count) == (20, 2)


@pytest.mark.parametrize(("askers", "beyond"), [(1, False), (12, True)])
def test_one_account_that_asks_much_is_no_topic_of_the_tier(
    tmp_path: Path, askers: int, beyond: bool
) -> None:
    """One item of 20 is of a topic that is a third of the requests, of one account or of all."""
    rows = [Row(r.table, r.locator, {**r.values, "topic": "audit"})
            if r.table is eval_samples and r.values["item_id"] == "i3" else r
            for r in product() if r.table is not requests]  # fmt: skip
    for k in range(180):
        topic, a = ("audit", 2 * (k % askers)) if k < 60 else ("billing", k % 40)
        asked = {"request_id": f"r{k}", "occurred_at": START + timedelta(minutes=k),
                 "account_id": f"a{a}", "attributes": {"topic": topic}}  # fmt: skip
        rows.append(Row(requests, f"request {k}", asked))
    said = [f.statement for f in judged(tmp_path, rows, target="gold").findings]
    assert any("beyond chance: audit" in text for text in said) is beyond


def test_texts_that_share_no_word_are_not_alike(tmp_path: Path) -> None:
    rows = []
    for row in product():
        values = dict(row.values)
        if row.table is requests:
            values |= {"attributes": {}, "input_text": f"{row.locator}".replace(" ", "x")}
        if row.table is eval_samples:
            values |= {"topic": None, "tier": None, "input_text": f"zzz{values['item_id']}"}
        rows.append(Row(row.table, row.locator, values))
    result = judged(tmp_path, rows, target="gold")
    assert (result.verdict, value(result, "coverage_target")) == ("inconclusive", 0)


def test_graded_questions_that_no_request_is_known_of_are_told(tmp_path: Path) -> None:
    rows = [
        Row(row.table, row.locator, {k: v for k, v in row.values.items() if k != "condition"})
        for row in audited({})
    ]
    result = judged(tmp_path, rows, target="gold")
    assert value(result, "fresh_items") == 0
    assert any(
        limit.startswith("60 graded questions of theirs in other") for limit in result.limits
    )
    (tmp_path / "used").mkdir()
    used = judged(tmp_path / "used", audited({}), target="gold")
    assert not any("nothing says that they are requests" in limit for limit in used.limits)


def of_many(rows: list[Row]) -> list[Row]:
    """The same, each item from an account of its own."""
    return [Row(r.table, r.locator, {**r.values, "account_id": f"own {r.values['item_id']}"})
            if r.table is eval_samples else r for r in rows]  # fmt: skip


def test_what_parts_questions_from_items_is_told(tmp_path: Path) -> None:
    """Of gold half the questions are of a topic that no item has; of others all have the items'."""
    result = judged(tmp_path, of_many(product()), target="gold")
    told = result.measures["told_from_items"]
    assert told.value == pytest.approx(0.5 * 1 + 0.5 * 0.5)
    assert told.n == 40
    assert told.ci95 is not None
    assert told.ci95[0] < told.value < told.ci95[1]
    assert value(result, "told_from_items_others") == pytest.approx(0.5)
    assert any("audit 50 points" in f.statement for f in result.findings)
    topics = {row["topic"]: row for row in value(result, "topics")}
    assert (topics["audit"]["share_of_target"], topics["audit"]["items"]) == (0.5, 0)
    assert topics["audit"]["low"] > 0
    assert topics["billing"]["target_minus_items"] == -0.5


def test_items_of_few_accounts_tell_nothing(tmp_path: Path) -> None:
    result = judged(tmp_path, product(), target="gold")
    assert value(result, "told_from_items") is None
    assert any("tells their questions from items is not known" in f.statement
               for f in result.findings)  # fmt: skip


def test_coverage_is_told_of_each_tier_and_of_those_that_left(tmp_path: Path) -> None:
    """Of gold every other account left, and those ask of nothing else than what no item has.

    Three more accounts are of a tier of their own.
    """
    rows = [Row(accounts, f"few {a}", {"account_id": f"t{a}", "tier": "trial"}) for a in range(3)]
    rows += [Row(requests, f"few {a}", {
        "request_id": f"t{a}", "occurred_at": START, "account_id": f"t{a}",
        "attributes": {"topic": "billing"}}) for a in range(3)]  # fmt: skip
    for row in product():
        a, values = int(row.locator.split()[1]), dict(row.values)
        if row.table is accounts and a % 4 == 0:
            values["churned_at"] = START + timedelta(days=50)
        if row.table is requests and a % 4 == 0:
            values["attributes"] = {"topic": "audit"}
        rows.append(Row(row.table, row.locator, values))
    result = judged(tmp_path, rows, target="gold")
    groups = {(row["tier"], row["accounts_that"]): row
              for row in value(result, "coverage_by_group")}  # fmt: skip
    found = {group: row["coverage"] for group, row in groups.items()}
    assert found["gold", "left"] == 0
    assert found["gold", "stayed"] == 0.5
    assert found["gold", "all"] == 0.25
    assert found["basic", "all"] == 1
    assert found["all", "all"] == pytest.approx((0.625 * 240 + 3) / 243)
    assert ("trial", "all") not in groups
    (told,) = (f.statement for f in result.findings if "Covered is" in f.statement)
    assert "each tier with 5 accounts or more, the least first: gold" in told
    assert "; of 1 tier with fewer it is not told." in told
    assert groups["gold", "left"]["high"] > 0
    assert ("basic", "left") not in groups
    gap = result.measures["coverage_gap_leavers"]
    assert gap.value == 0.5
    assert gap.ci95 is not None
    assert gap.ci95[0] < 0.5 < gap.ci95[1]
    assert value(result, "target_accounts_effective") == pytest.approx(20)
    assert value(result, "largest_account_share") == pytest.approx(1 / 20)


def clicked(*, rises: bool, late: int = 80) -> list[Row]:
    """The small product with 80 thumbs in each half of the time, of the 40 accounts in turn.

    In the first half the thumbs of the first 40 are up, in the second as well, or all of `late`
    where it `rises`. The 20 items are made of thumbs up of basic accounts. There are 240 requests
    in each half.
    """
    rows = []
    for row in product():
        values = dict(row.values)
        if row.table is eval_samples:
            values["source_event_id"] = f"f{2 * int(row.locator.split()[2]) + 1}"
        if row.table is requests:
            later = {"request_id": f"late {values['request_id']}",
                     "occurred_at": values["occurred_at"] + timedelta(days=20)}  # fmt: skip
            rows.append(Row(requests, f"late {row.locator}", {**values, **later}))
        rows.append(Row(row.table, row.locator, values))
    for i in range(80 + late):
        thumb = {"feedback_id": f"f{i}", "signal": 1 if i % 80 < 40 or (rises and i >= 80) else -1,
                 "account_id": f"a{i % 40}",
                 "occurred_at": START + timedelta(days=2 if i < 80 else 22)}  # fmt: skip
        rows.append(Row(feedback, f"thumb {i}", thumb))
    return rows


def test_which_thumbs_became_items_is_told_by_tier(tmp_path: Path) -> None:
    """Neither thumbs of staff nor those given after the eval ended could become items."""
    others = [Row(feedback, f"thumb {name} {k}", {
        "feedback_id": f"{name}{k}", "signal": 1, "is_internal": name == "own", "account_id": "a1",
        "occurred_at": START + timedelta(days=days)})
        for k in range(60) for name, days in (("own", 2), ("later", 90))]  # fmt: skip
    result = judged(tmp_path, [*clicked(rises=False), *others], target="gold")
    rows = {(row["tier"], row["thumb"]): row for row in value(result, "item_selection")}
    chosen = {key: (row["items"], row["thumbs"]) for key, row in rows.items()}
    assert chosen == {("basic", "up"): (20, 40), ("basic", "down"): (0, 40),
                      ("gold", "up"): (0, 40), ("gold", "down"): (0, 40)}  # fmt: skip
    assert rows["basic", "up"]["low"] < 0.5 < rows["basic", "up"]["high"]
    gap = result.measures["item_selection_gap"]
    assert gap.value == 0.5
    assert gap.ci95 is not None
    assert gap.ci95[0] > 0.3


def test_a_rise_of_thumbs_says_what_the_silent_must_think(tmp_path: Path) -> None:
    result = judged(tmp_path, clicked(rises=True), target="gold")
    assert value(result, "approval_change") == 0.5
    assert value(result, "approval_tipping_point") == pytest.approx(0.5 / (1 - 80 / 240))
    (tmp_path / "case.duckdb").unlink()
    steady = judged(tmp_path, clicked(rises=False), target="gold")
    assert value(steady, "approval_change") == 0
    assert "approval_tipping_point" not in steady.measures
    (tmp_path / "case.duckdb").unlink()
    many = judged(tmp_path, clicked(rises=True, late=200), target="gold")
    assert value(many, "approval_change") == 0.5
    assert value(many, "approval_tipping_point") is None
    assert any("Some of that rise is left even if no request" in f.statement
               for f in many.findings)  # fmt: skip


def test_new_easy_items_of_a_topic_are_another_mix(tmp_path: Path) -> None:
    rows = product()
    for i in range(20):
        easy = {"run_id": "run3", "item_id": f"easy{i}", "score": 1.0, "topic": "greetings"}
        rows.append(Row(eval_samples, f"item 3 easy {i}", easy))
    result = judged(tmp_path, rows, target="gold")
    mix = result.measures["rise_topic_mix"]
    assert mix.value == pytest.approx(0.1)
    assert mix.ci95 is not None
    assert mix.ci95[0] > 0
    assert value(result, "rise_within_topics") == pytest.approx(0)
    assert value(result, "rise") == pytest.approx(0.1)
    assert {row["topic"] for row in value(result, "rise_by_topic")} == {"billing", "greetings"}


def test_what_so_many_answers_show_is_told(tmp_path: Path) -> None:
    """Of three waves the middle one tells nothing of the change."""
    middle = [Row(nps, f"middle {a}", {"account_id": f"a{a}", "score": 8.0,
                                       "responded_at": START + timedelta(days=30)})
              for a in range(0, 40, 2)]  # fmt: skip
    result = judged(tmp_path, [*survey(), *middle], target="gold")
    change = result.measures["nps_change"]
    assert change.ci95 is not None
    standard_error = (change.ci95[1] - change.ci95[0]) / 2 / 1.96
    assert value(result, "nps_smallest_shown") == pytest.approx(2.8 * standard_error, rel=1e-3)
    assert result.measures["nps_smallest_shown"].n == 20 + 15
    assert any("(35 answers in the two waves show a change of" in f.statement
               for f in result.findings)  # fmt: skip


def test_quotas_say_how_many_items_a_random_set_would_have(tmp_path: Path) -> None:
    """Of what is asked a quarter is audit of gold; the set has 20 items, all billing of basic."""
    result = judged(tmp_path, product(), target="gold")
    rows = value(result, "item_quotas")
    assert [(row["tier"], row["topic"], row["items"], row["items_at_random"]) for row in rows] == [
        ("gold", "audit", 0, 5), ("gold", "billing", 0, 5), ("basic", "billing", 20, 10),
    ]  # fmt: skip
    assert sum(row["share_of_requests"] for row in rows) == pytest.approx(1)
    (tmp_path / "case.duckdb").unlink()
    of_nobody = changed(product(), eval_samples, tier=None, account_id=None)
    by_topic = value(judged(tmp_path, of_nobody, target="gold"), "item_quotas")
    assert [(row["tier"], row["items_at_random"]) for row in by_topic] == [("all", 5), ("all", 15)]
    (tmp_path / "case.duckdb").unlink()
    wordy = [Row(r.table, r.locator, {k: v for k, v in r.values.items() if k != "attributes"}
                 | ({"input_text": r.values["topic"]} if r.table is eval_samples else {}))
             for r in product(texts=True)]  # fmt: skip
    assert "item_quotas" not in judged(tmp_path, wordy, target="gold").measures


def test_items_without_a_text_are_counted_though_they_cannot_be_compared(tmp_path: Path) -> None:
    """Of 20 items 5 have none, and these alone are of gold and of a topic that gold asks about."""
    rows = []
    for row in product(texts=True):
        values = dict(row.values)
        if row.table is eval_samples:
            bare = int(row.locator.split()[2]) < 5
            values |= {"input_text": "billing question", "score": 1.0}
            if bare:
                values |= {"input_text": None, "score": 0.0, "topic": "audit", "tier": "gold"}
        rows.append(Row(row.table, row.locator, values))
    result = judged(tmp_path, rows, target="gold")
    quotas = value(result, "item_quotas")
    assert [sum(row[of] for row in quotas) for of in ("items", "items_at_random")] == [20, 20]
    assert result.measures["top_cohort_item_share"].n == 20
    assert result.measures["coverage_basis"].n == 15
    assert value(result, "eval_score") == 0.75
    assert value(result, "topics_without_items") == []
    assert value(result, "estimable") is True
    assert value(result, "score_transported") == pytest.approx(0.5)
    assert "Not compared are 5 of 20 items: those without a text." in result.limits


def test_a_score_that_one_account_transports_is_not_sure(tmp_path: Path) -> None:
    """Of gold one account alone has topics, so that the mix of gold rests on it."""
    rows = []
    for row in product():
        values = dict(row.values)
        place = [int(part) for part in row.locator.split()[1:]]
        topic = ("billing", "chat")[place[-1] % 2]
        if row.table is requests:
            values["input_text"] = f"{topic} question {place[1]}"
            values["attributes"] = {"topic": topic} if place[0] % 2 or not place[0] else {}
        if row.table is eval_samples:
            values |= {"input_text": f"{topic} question {place[1] % 6}", "topic": topic,
                       "tier": None, "account_id": f"own {place[1]}"}  # fmt: skip
        rows.append(Row(row.table, row.locator, values))
    result = judged(tmp_path, rows, target="gold")
    transported = result.measures["score_transported"]
    assert transported.value is not None
    assert transported.ci95 is None
    assert any("(how sure is not known)" in f.statement for f in result.findings)
    assert not any("∞" in str(part) for part in (result.findings, result.falsifier, result.charts))
