"""What `debug_feedback` must state, against planted numbers and on small cases."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cases import also, diagnose_rows
from tests.diagnoses.conftest import Diagnosed

from casework.case import Row
from casework.diagnoses._debug_changes import Moves, Slice
from casework.diagnoses._debug_origins import MASH, goal
from casework.errors import UsageError
from casework.findings import Result
from casework.stats.estimates import Estimate
from casework.tables import (
    accounts,
    artifact_inputs,
    eval_runs,
    eval_samples,
    feedback,
    people,
    requests,
    row_labels,
    training_rows,
)

START = datetime(2026, 1, 1, 9, tzinfo=UTC)


def examine(tmp_path: Path, rows: list[Row], **settings: Any) -> Result:
    """Diagnose a case that holds exactly these rows."""
    return diagnose_rows(tmp_path, "debug_feedback", rows, **settings)


def row(i: int, **more: Any) -> Row:
    texts = {"prompt": f"question {i}", "chosen": f"answer {i}", "rejected": f"other {i}"}
    values = {"dataset": "sft", "row_id": f"r{i}", "source_event_id": f"e{i}"} | texts
    return Row(training_rows, f"line {i}", values | more)


def event(i: int, environment: str | None = "production", **more: Any) -> Row:
    values = {"feedback_id": f"e{i}", "occurred_at": START + timedelta(minutes=7 * i, seconds=i),
              "signal": -1, "environment": environment, "user_id": f"u{i}"}  # fmt: skip
    return Row(feedback, f"line {i}", values | more)


def label(i: int, name: str, rater: str = "ines") -> Row:
    values = {"dataset": "sft", "row_id": f"r{i}", "rater": rater, "label": name}
    return Row(row_labels, f"line {i}-{rater}", values)


def both(i: int, name: str) -> list[Row]:
    return [label(i, name), label(i, name, "marek")]


def value(result: Result, name: str) -> Any:
    return result.measures[name].value


def outcome(result: Result, start: str) -> str:
    return next(r.outcome for r in result.rivals if r.explanation.startswith(start))


# Planted incidents and traps


def test_planted_numbers_are_found(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("debug_feedback.planted", 11)
    assert result.verdict == "confirmed"
    for name in ("rows", "internal_share", "non_production_share", "unmatched_share"):
        assert value(result, name) == pytest.approx(truth.numbers[name]), name
    assert (value(result, "slices_up"), value(result, "slices_down")) == (3, 5)
    low, high = result.measures["contamination"].ci95 or (0, 0)
    assert low - 0.01 <= truth.numbers["contamination"] <= high + 0.01
    assert value(result, "wrong_share") == pytest.approx(1 - value(result, "contamination"))
    assert result.primary is not None
    assert result.primary.p < 0.05
    assert len(result.breaks) == 1


def test_a_retrain_that_brings_slices_back_makes_it_grave(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("debug_feedback.retrained", 11)
    assert (result.verdict, result.severity) == ("confirmed", "S1")
    assert outcome(result, "Slices moved") == "excluded"
    alone, _ = diagnosed("debug_feedback.planted", 11)
    assert alone.severity == "S2"
    assert outcome(alone, "Slices moved") == "not_testable"


@pytest.mark.parametrize(
    ("name", "verdicts", "rival"),
    [
        pytest.param("heavy_rows", {"confirmed"}, None, marks=pytest.mark.slow),
        pytest.param("planted_2x", {"confirmed"}, None, marks=pytest.mark.slow),
        ("healthy", {"clean"}, None),
        pytest.param("internal_experts", {"clean"}, "Insiders are", marks=pytest.mark.slow),
        pytest.param("staging_replay", {"clean"}, "Insiders are", marks=pytest.mark.slow),
        pytest.param("style_goal", {"clean"}, None, marks=pytest.mark.slow),
        ("style_unsaid", {"supported"}, "Style is"),
        ("reasons_missing", {"supported", "inconclusive"}, None),
        ("no_context", {"inconclusive"}, "Raters judge"),
        pytest.param("retries", {"clean"}, None, marks=pytest.mark.slow),
        ("stuck_button", {"supported"}, "Retries wrote"),
        pytest.param("shared_domain", {"clean"}, None, marks=pytest.mark.slow),
        pytest.param("light_rows", {"clean"}, None, marks=pytest.mark.slow),
        ("picked_rows", {"supported", "inconclusive"}, "The labelled rows"),
        pytest.param("no_labels", {"supported"}, None, marks=pytest.mark.slow),
        pytest.param("retrain_changes_nothing", {"supported"}, None, marks=pytest.mark.slow),
    ],
)
def test_each_story_by_name(
    name: str, verdicts: set[str], rival: str | None, diagnosed: Diagnosed
) -> None:
    result, _ = diagnosed(f"debug_feedback.{name}", 23)
    assert result.verdict in verdicts, result.headline
    if rival:
        assert outcome(result, rival) == "not_excluded"


def test_style_is_a_correction_where_somebody_says_so(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("debug_feedback.style_unsaid", 23, corrections="wrong,style")
    assert result.verdict == "clean"
    with pytest.raises(UsageError):
        diagnosed("debug_feedback.style_unsaid", 23, corrections="wrong,ugly")
    with pytest.raises(UsageError):
        diagnosed("debug_feedback.style_unsaid", 23, dataset="no such set")


def test_labels_of_rows_of_unknown_time_may_be_picked(tmp_path: Path) -> None:
    """A row in twenty is labelled, most of them no corrections; no event says when they came."""
    rows = [row(i) for i in range(2_000)]
    for i in range(0, 2_000, 20):
        rows += both(i, "wrong" if i % 80 == 0 else "dislike")
    unknown = examine(tmp_path, rows)
    assert outcome(unknown, "The labelled rows") == "not_testable"
    known = examine(tmp_path, [*rows, *(event(i) for i in range(2_000))])
    assert outcome(known, "The labelled rows") == "excluded"
    assert (unknown.verdict, known.verdict) == ("supported", "confirmed")


@pytest.mark.parametrize(("labelled", "bad"), [(1, 1), (5, 2), (10, 3)])
def test_a_handful_of_labels_confirms_nothing(tmp_path: Path, labelled: int, bad: int) -> None:
    """Of so few rows no test could show how they were chosen."""
    rows = [one for i in range(200) for one in (row(i), event(i))]
    rows += [one for i in range(labelled) for one in both(i, "dislike" if i < bad else "wrong")]
    result = examine(tmp_path, rows)
    assert outcome(result, "The labelled rows") == "not_testable"
    assert result.verdict == "supported"
    assert any("30 rows drawn at random" in limit for limit in result.limits)


# Where the rows came from


def test_rows_without_an_event_are_a_class_of_their_own(tmp_path: Path) -> None:
    rows = [row(0), row(1), row(2), row(3, source_event_id=None), row(4)]
    rows += [event(0), event(1, "staging"), event(2, None)]
    result = examine(tmp_path, rows)
    assert value(result, "non_production_share") == pytest.approx(0.2)
    assert value(result, "unmatched_share") == pytest.approx(0.4)
    assert value(result, "unplaced_share") == pytest.approx(0.2)


def test_a_row_may_name_the_request_of_its_feedback(tmp_path: Path) -> None:
    """Of a request with two thumbs nothing tells which one it was."""
    rows = [row(i, source_event_id=f"q{i}") for i in range(4)]
    rows += [event(0, "staging", request_id="q0"), event(1, request_id="q1"),
             event(2, request_id="q2"), event(9, "staging", request_id="q2")]  # fmt: skip
    result = examine(tmp_path, rows)
    assert value(result, "non_production_share") == pytest.approx(0.25)
    assert value(result, "unmatched_share") == pytest.approx(0.5)
    assert any("2 rows name a request" in limit for limit in result.limits)


def test_of_rows_that_cannot_be_traced_nothing_is_said(tmp_path: Path) -> None:
    rows = [row(i, source_event_id=f"lost {i}") for i in range(300)]
    for i in range(300):
        rows += both(i, "dislike" if i % 2 else "wrong")
    result = examine(tmp_path, [*rows, event(1), event(2, "staging")])
    assert value(result, "unmatched_share") == 1
    assert value(result, "non_production_share") is None
    assert outcome(result, "Insiders are") == "not_testable"
    assert "none can be traced" in result.headline


def test_of_rows_that_cannot_be_traced_nothing_is_said_whatever_they_weigh(tmp_path: Path) -> None:
    """Their weights add up to the whole in another order than those of the whole."""
    result = examine(tmp_path, [row(i, weight=0.1 + (i * 37 % 101) / 97) for i in range(997)])
    assert result.verdict == "not_testable"
    assert value(result, "unmatched_share") <= 1


@pytest.mark.parametrize("internal", [True, False, None])
def test_where_no_environment_is_recorded_none_is_counted(
    tmp_path: Path, internal: bool | None
) -> None:
    rows = [one for i in range(40) for one in (row(i), event(i, None, is_internal=False))]
    rows += [row(40), event(40, None, is_internal=internal)]
    if internal is None:
        rows = [row(0), event(0, None), row(1), event(1, None)]
    result = examine(tmp_path, rows)
    assert value(result, "non_production_share") is None
    assert (value(result, "suspect_share") is None) is (internal is None)
    assert "environment" in result.headline
    assert "outside production" not in result.headline + result.charts[0].title
    assert "it is not known how many of the rows come from outside" in result.findings[0].statement
    assert outcome(result, "Insiders are") == "not_testable"


def test_every_combination_counts(tmp_path: Path) -> None:
    """Of rows whose surface is an address of its own each is a combination."""
    rows = [one for i in range(2_100) for one in (row(i), event(i, "staging", surface=f"s{i}"))]
    result = examine(tmp_path, rows)
    assert value(result, "non_production_share") == 1
    assert len(value(result, "origins")) == 2_000


@pytest.mark.parametrize(("environment", "verdict"), [(None, "inconclusive"), ("live", "clean")])
def test_no_set_is_clean_whose_bad_rows_may_all_be_from_staging(
    tmp_path: Path, environment: str | None, verdict: str
) -> None:
    """A share of 8 % matters from insiders or staging, and else it does not."""
    rows = [one for i in range(300) for one in (row(i), event(i, environment, is_internal=False))]
    rows += [one for i in range(300) for one in both(i, "wrong" if i % 13 else "dislike")]
    result = examine(tmp_path, rows)
    assert result.verdict == verdict
    assert (value(result, "contamination_suspect") is None) is (environment is None)


def test_the_request_says_where_the_feedback_does_not(tmp_path: Path) -> None:
    asked = {"request_id": "q0", "occurred_at": START, "environment": "dev"}
    rows = [row(0), row(1), event(0, None, request_id="q0"), event(1)]
    result = examine(tmp_path, [*rows, Row(requests, "line 1", asked)])
    assert value(result, "non_production_share") == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "share", "unknown"),
    [("prod-eu", 0, 0), ("pre-prod", 0.5, 0), ("STAGING", 0.5, 0), ("blue", 0, 0.5),
     *also(("Production", 0, 0), ("nonprod", 0.5, 0), ("default", 0, 0.5))],
)  # fmt: skip
def test_names_of_environments(tmp_path: Path, name: str, share: float, unknown: float) -> None:
    result = examine(tmp_path, [row(0), row(1), event(0), event(1, name)])
    assert value(result, "non_production_share") == pytest.approx(share)
    assert value(result, "unplaced_share") == pytest.approx(unknown)


def test_a_list_of_environments_that_are_allowed(tmp_path: Path) -> None:
    rows = [row(0), row(1), event(0, "blue"), event(1, "production")]
    result = examine(tmp_path, rows, production="blue")
    assert value(result, "non_production_share") == pytest.approx(0.5)
    assert value(result, "unplaced_share") == 0


def test_an_empty_name_is_no_name(tmp_path: Path) -> None:
    """JSON has empty texts, which must not meet the empty list of domains, surfaces, names."""
    rows = [row(0), row(1), *(event(i, "", email_domain="", surface="") for i in range(2))]
    result = examine(tmp_path, rows)
    assert value(result, "unplaced_share") == 1
    assert value(result, "internal_share") is None
    asked = {"request_id": "q0", "occurred_at": START, "environment": "dev"}
    rows = [row(0), event(0, " ", request_id="q0"), Row(requests, "line 1", asked)]
    assert value(examine(tmp_path, rows), "non_production_share") == 1


def test_who_gave_no_name_may_be_an_insider(tmp_path: Path) -> None:
    """A directory of addresses says nothing of feedback that names neither person nor domain."""
    ada = Row(people, "line 1", {"person": "ada@corp.example", "active_from": START})
    rows = [row(0), row(1), *(event(i, user_id=None) for i in range(2)), ada]
    result = examine(tmp_path, rows)
    assert value(result, "internal_share") is None
    assert value(result, "internal_share_at_most") == 1


def test_each_rule_says_what_it_alone_adds(tmp_path: Path) -> None:
    rows = [row(i) for i in range(6)]
    rows += [
        event(0, is_internal=True),
        event(1, user_id="Ada@Corp.example"),
        event(2, email_domain="corp.example"),
        event(3, account_id="t1"),
        event(4, surface="debug panel", is_internal=True),
        event(5, email_domain="corp.example", account_id="c1"),
        Row(people, "line 1", {"person": "ada@corp.example", "active_from": START}),
        Row(accounts, "line 1", {"account_id": "t1", "tier": "test"}),
        Row(accounts, "line 2", {"account_id": "c1", "tier": "gold"}),
    ]
    rows[7] = event(1, user_id="Ada@Corp.example", occurred_at=START + timedelta(days=1))
    result = examine(tmp_path, rows)
    assert value(result, "internal_share") == pytest.approx(5 / 6)
    assert value(result, "internal_share_at_most") == pytest.approx(1)
    alone = {r["rule"]: r["alone_rows"] for r in value(result, "internal_rules")}
    # Ada's address has the corporate domain, too
    assert alone == {"flagged as internal": 1, "in the directory": 0, "corporate domain": 2,
                     "test tenant or bot": 1, "debug surface": 0}  # fmt: skip


def test_who_had_left_is_no_insider(tmp_path: Path) -> None:
    gone = {"person": "u0", "active_from": START - timedelta(days=90), "active_until": START}
    result = examine(tmp_path, [row(0), row(1), event(0), event(1), Row(people, "line 1", gone)])
    assert value(result, "internal_share") == 0


def test_where_nothing_tells_an_insider_nothing_is_said_of_them(tmp_path: Path) -> None:
    result = examine(tmp_path, [*(row(i) for i in range(4)), *(event(i) for i in range(3))])
    assert value(result, "internal_share") is None
    assert value(result, "internal_share_at_most") == 1
    assert "from insiders is not recorded" in result.findings[0].statement
    assert "nothing tells an insider" in " ".join(result.limits)
    assert "email_domain, with the setting `domains`" in " ".join(result.limits)
    flagged = [row(i) for i in range(4)] + [event(i, is_internal=i == 0) for i in range(3)]
    assert value(examine(tmp_path, flagged), "internal_share_at_most") == 0.5


# Several sets


def labelled_set(dataset: str, tests: int, rows: int = 120) -> list[Row]:
    made = []
    for i in range(rows):
        name = f"{dataset}-{i}"
        values = {"dataset": dataset, "row_id": name, "source_event_id": name,
                  "prompt": f"question {name}", "chosen": f"answer {name}"}  # fmt: skip
        made.append(Row(training_rows, name, values))
        made.append(event(i, feedback_id=name, is_internal=False))
        for rater in ("ines", "marek"):
            label = "test" if i < tests else "wrong"
            told = {"dataset": dataset, "row_id": name, "rater": rater, "label": label}
            made.append(Row(row_labels, f"{name}-{rater}", told))
    return made


@pytest.mark.parametrize("tests", [0, 60])
def test_of_several_sets_the_one_is_judged_that_tells_most(tmp_path: Path, tests: int) -> None:
    """A larger set that is in order and a public one without events hide nothing."""
    rows = labelled_set("first", tests) + labelled_set("second", 0, 180)
    rows += [row(i, dataset="public", source_event_id=None) for i in range(300)]
    result = examine(tmp_path, rows)
    assert result.verdict == ("confirmed" if tests else "clean")
    chosen = "first" if tests else "second"
    assert result.parameters["dataset"].value == chosen
    assert f"of {chosen}" in result.headline
    (said,) = [limit for limit in result.limits if "training sets" in limit]
    assert "public (300 rows, nothing known of its rows)" in said
    other = examine(tmp_path, rows, dataset="public")
    assert other.verdict == "not_testable"


def test_a_set_without_labels_stands_behind_one_with_them(tmp_path: Path) -> None:
    rows = labelled_set("labelled", 0)
    rows += [row(i) for i in range(200)] + [
        event(i, is_internal=False, user_id=f"v{i}") for i in range(200)
    ]
    result = examine(tmp_path, rows)
    assert (result.verdict, result.parameters["dataset"].value) == ("clean", "labelled")
    assert "sft (200 rows, not settled)" in " ".join(result.limits)


def test_rows_count_by_weight(tmp_path: Path) -> None:
    weights = (3.0, 1.0, float("nan"), -5.0)
    rows = [row(i, weight=w) for i, w in enumerate(weights)]
    rows += [event(0, "staging"), *(event(i) for i in (1, 2, 3))]
    result = examine(tmp_path, rows)
    assert value(result, "non_production_share") == pytest.approx(3 / 5)
    result = examine(tmp_path, [row(0, weight=0.0), event(0)])
    assert result.verdict == "not_testable"


# Behaviour


def test_a_retry_is_no_burst(tmp_path: Path) -> None:
    quick = {"user_id": "u", "occurred_at": START + timedelta(seconds=5)}
    soon = {"user_id": "u", "occurred_at": START + timedelta(seconds=5.4)}
    rows = [row(0), row(1), event(0, **quick, request_id="q1"), event(1, **soon, request_id="q1")]
    assert value(examine(tmp_path, rows), "screen_burst") == 0
    rows = [row(0), row(1), event(0, **quick, request_id="q1"), event(1, **soon, request_id="q2")]
    assert value(examine(tmp_path, rows), "screen_burst") == pytest.approx(1)


def test_answers_that_correct_nothing(tmp_path: Path) -> None:
    rows = [row(0), row(1, chosen="  "), row(2, chosen="Other, 2!"), row(3, chosen="asdf asdf")]
    result = examine(tmp_path, [*rows, *(event(i) for i in range(4))])
    found = [value(result, f"screen_{n}") for n in ("no_answer", "same_answer", "mash")]
    assert found == pytest.approx([0.25] * 3)
    assert result.verdict == "supported"


def test_near_copies_are_repeats(tmp_path: Path) -> None:
    copy = {"prompt": "Question 0?", "chosen": "ANSWER 0", "rejected": "other  0"}
    result = examine(tmp_path, [row(0), row(1, **copy), row(2), event(0), event(1), event(2)])
    assert value(result, "duplicate_share") == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("text", "mash"),
    [("asdf", True), ("test test", True), ("xkcdqqq", True), ("Lorem ipsum", True),
     ("the test passed", False), ("данные", False),
     *also(("qwerty asdfgh", True), ("asd is a diagnosis", False), ("12 May", False),
           ("nein", False), ("überweisung", False))],
)  # fmt: skip
def test_keyboard_mash(tmp_path: Path, text: str, mash: bool) -> None:
    assert MASH
    result = examine(tmp_path, [row(0, chosen=text), event(0)])
    assert value(result, "screen_mash") == (1 if mash else 0)


# What the rows are


def test_rows_counted_once_have_a_record_of_their_own(tmp_path: Path) -> None:
    rows = [one for i in range(4) for one in (row(i), event(i), *both(i, "wrong"))]
    result = examine(tmp_path, rows)
    by = {name: next(one for one in result.evidence if one.id == result.measures[name].evidence)
          for name in ("contamination", "contamination_once")}  # fmt: skip
    assert [one.params["once"] for one in by.values()] == [False, True]


def test_ties_are_split_and_adjudicated(tmp_path: Path) -> None:
    rows = [row(i) for i in range(4)] + [event(i) for i in range(4)]
    rows += [*both(0, "wrong"), *both(1, "wrong"), *both(2, "wrong")]
    rows += [label(3, "wrong"), label(3, "test", "marek")]
    assert value(examine(tmp_path, rows), "contamination") == pytest.approx(1 / 8)
    settled = [*rows, label(3, "test", "adjudicator")]
    assert value(examine(tmp_path, settled), "contamination") == pytest.approx(1 / 4)
    voted = [*rows, label(3, "wrong", "tove")]
    assert value(examine(tmp_path, voted), "contamination") == 0


@pytest.mark.parametrize(
    ("name", "adjudicator"),
    [
        ("m.goldberg", ""),
        ("gold_2", "gold_2"),
        *also(("marigold", ""), ("Adjudicator", "Adjudicator")),
    ],
)
def test_a_person_is_no_adjudicator_by_a_part_of_the_name(
    tmp_path: Path, name: str, adjudicator: str
) -> None:
    result = examine(tmp_path, [row(0), event(0), label(0, "wrong"), label(0, "test", name)])
    assert result.parameters["adjudicator"].value == adjudicator


def test_one_rater_may_be_wrong_as_far_as_two_may_differ(tmp_path: Path) -> None:
    def labelled(names: str) -> list[Row]:
        kinds = {"w": "wrong", "t": "test", "d": "dislike"}
        rows = [row(i) for i in range(len(names))] + [event(i) for i in range(len(names))]
        return rows + [label(i, kinds[name]) for i, name in enumerate(names)]

    heavy = examine(tmp_path, labelled("wtd" * 40))
    assert (heavy.verdict, value(heavy, "alpha")) == ("confirmed", None)
    light = examine(tmp_path, labelled("wwwwd" * 24))
    assert light.verdict == "supported"
    assert outcome(light, "Raters judge") == "not_testable"


def test_rows_that_nobody_could_judge_confirm_nothing(tmp_path: Path) -> None:
    names = ("wrong",) * 30 + ("unknown",) * 10
    rows = [row(i) for i in range(40)] + [event(i) for i in range(40)]
    rows += [one for i, name in enumerate(names) for one in both(i, name)]
    result = examine(tmp_path, rows)
    assert (value(result, "contamination"), result.verdict) == (pytest.approx(0.25), "supported")
    assert outcome(result, "Rows that nobody") == "not_excluded"


def test_labels_alone_are_enough(tmp_path: Path) -> None:
    rows = [row(i, source_event_id=None) for i in range(60)]
    rows += [one for i in range(60) for one in both(i, ("wrong", "test", "dislike")[i % 3])]
    result = examine(tmp_path, rows)
    assert (result.verdict, value(result, "unmatched_share")) == ("confirmed", 1)
    assert result.primary is None  # every row is labelled: a census


def test_without_feedback_and_labels_it_cannot_be_tested(tmp_path: Path) -> None:
    result = examine(tmp_path, [row(0), row(1)])
    assert result.verdict == "not_testable"
    assert {"feedback", "row_labels"} <= {m.table for m in result.missing}


def test_without_labels_it_is_never_clean(tmp_path: Path) -> None:
    result = examine(tmp_path, [*(row(i) for i in range(9)), *(event(i) for i in range(9))])
    assert result.verdict == "inconclusive"
    assert "labelled by two raters" in " ".join(result.limits)


# Slices


def scored(run: str, scores: list[float], **more: Any) -> list[Row]:
    return [Row(eval_samples, f"{run}-{i}", {"run_id": run, "item_id": f"i{i}", "score": s} | more)
            for i, s in enumerate(scores)]  # fmt: skip


def run(name: str, day: int, **more: Any) -> Row:
    values = {"run_id": name, "suite": "golden", "started_at": START + timedelta(days=day)}
    return Row(eval_runs, name, values | more)


def test_graded_scores_are_compared_item_by_item(tmp_path: Path) -> None:
    before = [0.1 * (i % 7) for i in range(60)]
    after = [s - 0.05 - 0.01 * (i % 3) for i, s in enumerate(before)]
    rows = [row(0), event(0), run("a", 1), run("b", 2)]
    rows += scored("a", before, category="x") + scored("b", after, category="x")
    result = examine(tmp_path, rows)
    assert (value(result, "slices_up"), value(result, "slices_down")) == (0, 1)
    assert value(result, "slices")[0]["change"] == pytest.approx(-0.06)


def test_runs_are_told_apart_by_what_they_were_trained_on(tmp_path: Path) -> None:
    rows = [row(0), event(0), run("a", 1, checkpoint="base"), run("b", 2, checkpoint="tuned"),
            run("c", 3, checkpoint="later")]  # fmt: skip
    for name, share in (("a", 9), ("b", 2), ("c", 9)):
        rows += scored(name, [float(i % 10 < share) for i in range(80)], topic="x")
    trained = {"artifact": "tuned", "kind": "train_data", "uri": "s3://sets/sft.jsonl"}
    result = examine(tmp_path, [*rows, Row(artifact_inputs, "line 1", trained)])
    assert value(result, "slices_down") == 1
    chosen = examine(tmp_path, rows, before="a", after="c")
    assert value(chosen, "slices_down") == 0
    with pytest.raises(UsageError):
        examine(tmp_path, rows, after="no such run")


def test_after_a_rollback_the_runs_of_the_tuned_model_are_compared(tmp_path: Path) -> None:
    rows = [row(0), event(0), run("a", 1, endpoint="acme/base"), run("b", 2, endpoint="acme/sft"),
            run("c", 3, endpoint="acme/base")]  # fmt: skip
    for name, share in (("a", 9), ("b", 2), ("c", 9)):
        rows += scored(name, [float(i % 10 < share) for i in range(80)], topic="x")
    assert value(examine(tmp_path, rows), "slices_down") == 1


def test_one_slice_of_many_by_chance_is_none(tmp_path: Path) -> None:
    """Twenty slices without a change, each judged against all of them."""
    rows = [row(0), event(0), run("a", 1), run("b", 2)]
    for k in range(20):
        flip = 5 if k == 0 else 1
        first = [float(i % 4 > 0) for i in range(40)]
        second = [1 - s if i < flip and s else s for i, s in enumerate(first)]
        for name, scores in (("a", first), ("b", second)):
            made = scored(name, scores, category=f"s{k}")
            rows += [Row(r.table, f"{r.locator}-{k}", {**r.values, "item_id": f"{k}-{j}"})
                     for j, r in enumerate(made)]  # fmt: skip
    result = examine(tmp_path, rows)
    assert value(result, "slices_down") == 0


# Hostile and odd evidence


def test_hostile_text_is_data(tmp_path: Path) -> None:
    bad = "'); DROP TABLE feedback; -- <script>alert(1)</script> \u202e"
    rows = [row(i, dataset=bad, prompt=bad) for i in range(3)]
    rows += [event(i, bad, surface=bad, user_id=bad, reason=bad) for i in range(3)]
    rows += [Row(row_labels, f"l{i}", {"dataset": bad, "row_id": f"r{i}", "rater": bad,
                                       "label": "test"}) for i in range(3)]  # fmt: skip
    result = examine(tmp_path, rows)
    assert value(result, "rows") == 3
    assert value(result, "contamination") == pytest.approx(1)


def test_the_same_case_gives_the_same_result(diagnosed: Diagnosed) -> None:
    first, _ = diagnosed("debug_feedback.planted", 11)
    assert first == diagnosed.anew("debug_feedback.planted", 11)
    assert json.dumps(first.headline)


@pytest.mark.parametrize(
    ("name", "said"),
    [("brand-voice-3", "style"), ("prod_corrections_q2", "corrections"), ("sft", None)],
)
def test_what_a_set_is_named_for(name: str, said: str | None) -> None:
    assert goal(name) == said


# What a retrain brings back


def fallen(name: str, items: int, fell: float, back: float) -> Slice:
    """A slice that fell, and what a retrain gave back, with a spread of 0.3 over its items."""
    past_half = items * (back - fell / 2), items * ((back - fell / 2) ** 2 + 0.09)
    change = Estimate(-fell, -fell - 0.01, -fell + 0.01, items)
    given = Estimate(back, back - 0.06, back + 0.06, items)
    return Slice(name, items, 0.8, 0.8 - fell, change, 0.0, False, given, (items, *past_half), 0.01)


@pytest.mark.parametrize(
    ("slices", "stays_down"),
    [
        ([("tone", 0.2, 0.0), ("names", 0.2, 0.01)], True),
        # a small fall by chance, which no retrain can fail to bring back for certain
        ([("tone", 0.2, 0.0), ("names", 0.2, 0.01), ("addresses", 0.03, 0.02)], True),
        ([("tone", 0.2, 0.2), ("names", 0.2, 0.01)], False),
        ([("tone", 0.2, 0.19), ("names", 0.2, 0.2)], False),
        ([], False),
    ],
)
def test_retrains_that_leave_the_falls_as_they_are(
    slices: list[tuple[str, float, float]], stays_down: bool
) -> None:
    moves = Moves(tuple(fallen(name, 140, fell, back) for name, fell, back in slices), retrains=3)
    assert moves.not_recovered is stays_down


@pytest.mark.parametrize(
    ("kept", "more", "retrains"),
    [
        (range(0, 40, 2), {}, 3),
        # a copy leaves out nothing, and the bad rows alone leave out the sound ones
        (range(40), {}, 0),
        (range(1, 40, 2), {}, 0),
        # numbers of lines are the same in any set
        (range(0, 40, 2), {"source_event_id": None, "prompt": "another"}, 0),
    ],
)
def test_a_retrain_is_one_without_the_rows_in_doubt(
    tmp_path: Path, kept: range, more: dict[str, Any], retrains: int
) -> None:
    rows = [one for i in range(40) for one in (row(i), event(i))]
    rows += [one for i in range(40) for one in both(i, "dislike" if i % 2 else "wrong")]
    rows += [row(i, dataset="other", **more) for i in kept]
    names = ("base", "tuned", "again 1", "again 2", "again 3")
    for day, name in enumerate(names):
        rows += [run(name, day, checkpoint=name)]
        rows += scored(name, [float(i % 10 < (2 if day == 1 else 9)) for i in range(80)])
        if day:
            uri = "s3://sets/sft.jsonl" if day == 1 else "s3://sets/other.jsonl"
            made = {"artifact": name, "kind": "train_data", "uri": uri}
            rows.append(Row(artifact_inputs, f"input {day}", made))
    result = examine(tmp_path, rows, dataset="sft")
    assert value(result, "retrains") == retrains
    assert value(result, "slices_down") == 1
    assert outcome(result, "Slices moved") == ("excluded" if retrains else "not_testable")


def test_few_items_of_a_retrain_bring_nothing_back(tmp_path: Path) -> None:
    """Two items that agree leave no spread, and show nothing of the others."""
    rows = [one for i in range(40) for one in (row(i), event(i))]
    rows += [one for i in range(40) for one in both(i, "dislike" if i % 2 else "wrong")]
    rows += [row(i, dataset="other") for i in range(0, 40, 2)]
    for day, name in enumerate(("base", "tuned", "again 1", "again 2", "again 3")):
        rows += [run(name, day, checkpoint=name)]
        items = 80 if day < 2 else 2
        rows += scored(name, [float(day != 1 or i > 60) for i in range(items)])
        if day:
            uri = "s3://sets/sft.jsonl" if day == 1 else "s3://sets/other.jsonl"
            made = {"artifact": name, "kind": "train_data", "uri": uri}
            rows.append(Row(artifact_inputs, f"input {day}", made))
    result = examine(tmp_path, rows, dataset="sft")
    assert (value(result, "retrains"), value(result, "slices_down")) == (3, 1)
    assert outcome(result, "Slices moved") == "not_testable"


def test_who_was_served_is_unknown_without_a_tuned_checkpoint(tmp_path: Path) -> None:
    asked = {"request_id": "q0", "occurred_at": START, "checkpoint": "m"}
    result = examine(tmp_path, [row(0), event(0), Row(requests, "line 1", asked)])
    assert value(result, "served_requests") is None
