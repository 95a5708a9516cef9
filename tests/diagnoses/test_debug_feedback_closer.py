"""What stands beside the verdict of `debug_feedback`: parts of the set, raters, thumbs."""

from pathlib import Path

import pytest
from tests.diagnoses.test_debug_feedback import (
    both,
    event,
    examine,
    label,
    row,
    run,
    scored,
    value,
)

from casework.case import Row
from casework.diagnoses._debug_raters import is_model
from casework.findings import Result
from casework.tables import artifact_inputs, eval_samples


def parts(result: Result, by: str = "origin") -> dict[str, dict[str, float]]:
    return {line["part"]: line for line in value(result, "contamination_by_part")
            if line["by"] == by}  # fmt: skip


def said(result: Result, start: str) -> str:
    return next((f.statement for f in result.findings if f.statement.startswith(start)), "")


def test_each_origin_has_its_own_share(tmp_path: Path) -> None:
    """Of 60 rows from production 6 are no corrections, of 40 from staging 30; all are labelled."""
    rows: list[Row] = []
    for i in range(100):
        staging = i >= 60
        rows += [row(i), event(i, "staging" if staging else "production", reason="wrong"
                               if i % 2 else None)]  # fmt: skip
        rows += both(i, "dislike" if (i < 6 or i >= 70) else "wrong")
    result = examine(tmp_path, rows)
    found = parts(result)
    assert found["in production"]["contamination"] == pytest.approx(0.1)
    assert found["not production"]["contamination"] == pytest.approx(0.75)
    assert found["not production"]["weight"] == pytest.approx(0.4)
    assert value(result, "contamination_filtered") == pytest.approx(0.1)
    mixed = sum(p["weight"] * p["contamination"] for p in found.values())
    assert mixed == pytest.approx(value(result, "contamination"))
    told = parts(result, "told with the thumb")
    assert {name: line["rows"] for name, line in told.items()} == {
        "neither reason nor comment": 50, "a reason": 50}  # fmt: skip
    assert "not production, 75 % (75 to 75) by 40 labelled rows" in said(
        result, "No corrections by origin"
    )


def test_a_part_without_a_label_is_unknown(tmp_path: Path) -> None:
    rows = [one for i in range(40) for one in (row(i), event(i, "staging" if i > 19 else "prod"))]
    rows += [one for i in range(20) for one in both(i, "wrong")]
    result = examine(tmp_path, rows)
    assert parts(result)["not production"]["contamination"] is None
    assert not said(result, "No corrections by origin")


def model_and_people(people: int, name: str = "gpt-4o") -> list[Row]:
    """Of 400 rows 80 are no corrections. The model misses 3 in 8 of them and flags 1 in 16 others.

    People label the first rows, in which both come in the same proportions.
    """
    rows: list[Row] = []
    for i in range(400):
        rows += [row(i), event(i)]
        bad = i % 5 == 0
        errs = (i // 5) % 8 < 3 if bad else (i // 5 * 4 + i % 5 - 1) % 16 == 0
        rows.append(label(i, "dislike" if bad != errs else "wrong", name))
        if i < people:
            rows.append(label(i, "dislike" if bad else "wrong", "ines"))
    return rows


def test_the_share_of_a_model_is_put_right_by_people(tmp_path: Path) -> None:
    result = examine(tmp_path, model_and_people(160))
    corrected = result.measures["contamination_corrected"]
    assert corrected.value == pytest.approx(0.2)
    low, high = corrected.ci95 or (0, 0)
    assert 0.1 < low < 0.2 < high < 0.3
    assert value(result, "model_sensitivity") == pytest.approx(5 / 8)
    assert value(result, "model_specificity") == pytest.approx(15 / 16)
    assert value(result, "model_rows_alone") == 240
    assert result.parameters["model_raters"].value == "gpt-4o"
    assert any("label of a model alone (gpt-4o)" in limit for limit in result.limits)


def test_what_a_model_did_not_label_widens_its_interval(tmp_path: Path) -> None:
    """It labelled the 100 rows of production, 40 of which people did too, and none of staging."""
    rows: list[Row] = []
    for i in range(500):
        rows += [row(i), event(i, "production" if i < 100 else "staging")]
        name = "wrong" if i % 10 else "dislike"
        rows += [label(i, name, "gpt-4o")] if i < 100 else []
        rows += [label(i, name)] if i < 40 else []
    result = examine(tmp_path, rows)
    low, high = result.measures["contamination_corrected"].ci95 or (0, 0)
    assert low < 0.03
    assert high > 0.8
    assert value(result, "contamination_corrected") == pytest.approx(0.1)
    assert any("80 % of the weight lies in strata that it did not label" in limit
               for limit in result.limits)  # fmt: skip


@pytest.mark.parametrize(
    ("labelled", "told"),
    [((500, 501), False), pytest.param((0, 1), True, marks=pytest.mark.slow)],
)
def test_where_no_row_has_the_label_of_a_model_alone_none_is_told(
    tmp_path: Path, labelled: tuple[int, int], told: bool
) -> None:
    """The model labelled rows that the set does not hold, or that a person labelled, too."""
    rows = [one for i in range(3) for one in (row(i), event(i), label(i, "wrong"))]
    result = examine(tmp_path, rows + [label(i, "wrong", "gpt-4o") for i in labelled])
    assert told == any("People labelled every row that a model did (gpt-4o)" in limit
                       for limit in result.limits)  # fmt: skip
    assert not any("of a model alone" in limit for limit in result.limits)


@pytest.mark.slow
def test_a_model_that_nobody_checked_is_told(tmp_path: Path) -> None:
    result = examine(tmp_path, model_and_people(0))
    assert value(result, "contamination_corrected") is None
    assert any("How often it errs is not known" in limit for limit in result.limits)


@pytest.mark.parametrize(
    ("name", "model"),
    [("modesta", False), ("clauden", False), ("botond", False), ("automne", False),
     ("claude-3", True), ("our_classifier", True), ("gpt4", True), ("model-b", True),
     ("claude.martin@acme.com", False), ("jean-claude", False), ("gemma.jones@acme.com", False),
     ("jo.bots", False), ("ana@openai.com", False), ("Claude", True), ("google/gemma-7b", True),
     ("claude_sonnet", True), ("autolabeler", True), ("gpt-4@acme.com", True)],
)  # fmt: skip
def test_names_of_models(name: str, model: bool) -> None:
    assert is_model(name) == model


def test_a_model_may_be_named(tmp_path: Path) -> None:
    rows = [row(0), event(0), label(0, "wrong", "Otto"), label(0, "wrong", "gpt-4o")]
    result = examine(tmp_path, rows, model_raters="otto")
    assert value(result, "model_rows") == 1
    assert any("(Otto)" in limit for limit in result.limits)


def test_the_rater_who_stands_apart_is_named(tmp_path: Path) -> None:
    """Two of three always agree; the third calls every other row something else."""
    rows: list[Row] = []
    for i in range(60):
        name = ("wrong", "dislike", "style")[i % 3]
        other = ("dislike", "style", "wrong")[i % 3] if i % 2 else name
        rows += [row(i), event(i), *both(i, name), label(i, other, "otto")]
    result = examine(tmp_path, rows)
    found = {line["rater"]: line for line in value(result, "raters")}
    assert found["otto"]["kappa"] == pytest.approx(0.25)
    assert found["otto"]["alpha_without"] == 1
    assert found["ines"]["kappa"] > found["otto"]["kappa"]
    assert value(result, "alpha") < 0.667
    assert "otto agrees least" in said(result, "Of 3 raters")
    assert "usable" in said(result, "Of 3 raters")


def test_raters_who_agree_alike_do_not_stand_apart(tmp_path: Path) -> None:
    """Fourteen raters, of whom the twelve with most labels are compared."""
    rows: list[Row] = []
    for i in range(4):
        rows += [row(i), event(i)]
        rows += [label(i, ("wrong", "dislike")[i % 2], f"rater {n}") for n in range(14)]
    result = examine(tmp_path, rows)
    told = said(result, "Of 12 raters, those with most labels of 14, none agrees less")
    assert "kappa 1 of each" in told
    assert {line["shared_rows"] for line in value(result, "raters")} == {4}


def thumbs(people: int, signal: int | None = None) -> list[Row]:
    """People with ten thumbs each, of which two to five are down, and one with ten down."""
    rows = [row(i) for i in range(10)]
    for person in range(people):
        downs = 10 if person == 0 else 2 + person % 4
        for thumb in range(10):
            i = 10 * person + thumb
            rows.append(
                event(i, user_id=f"p{person}", signal=signal or (-1 if thumb < downs else 1))
            )
    return rows


def test_whose_thumbs_stand_apart_is_told_with_their_rows(tmp_path: Path) -> None:
    """Somebody whose button was stuck gave one thumb, forty times; they do not stand apart."""
    stuck = [event(9_000 + i, user_id="stuck", request_id="q") for i in range(40)]
    result = examine(tmp_path, [*thumbs(80), *stuck])
    assert value(result, "thumb_outliers") == 1
    assert value(result, "thumb_outlier_share") == 1
    (line,) = value(result, "thumbs_apart")
    assert (line["person"], line["downs"], line["events"]) == ("p0", 10, 10)
    assert "1 stands apart from the others. Over all of these" in said(result, "Of 80 people")


@pytest.mark.parametrize(
    ("people", "signal", "why"),
    [
        (12, None, "and 20 such people are needed"),
        pytest.param(30, -1, "all of theirs are down", marks=pytest.mark.slow),
    ],
)
def test_without_peers_it_says_so(
    tmp_path: Path, people: int, signal: int | None, why: str
) -> None:
    result = examine(tmp_path, thumbs(people, signal))
    assert value(result, "thumb_outliers") is None
    assert any(why in limit for limit in result.limits)


def test_where_nobody_is_named_neither_thumbs_nor_pastes_are_told(tmp_path: Path) -> None:
    """Six prompts have one correction, and no feedback names who gave it; a set of thumbs alone
    has none.
    """
    rows = [row(i, chosen="Please use the template.") for i in range(6)]
    rows += [event(i, user_id=None) for i in range(9)]
    rows += [row(i, dataset="thumbs", chosen=None) for i in range(6, 9)]
    result = examine(tmp_path, rows, dataset="sft")
    assert value(result, "screen_canned") is None
    assert any("no feedback names who gave it" in limit for limit in result.limits)
    assert any(limit.startswith("Whether one correction was pasted") for limit in result.limits)
    beside = examine(tmp_path, rows, dataset="thumbs")
    assert (value(beside, "screen_canned"), value(beside, "screen_no_answer")) == (None, 0)


def test_a_correction_that_one_person_pasted_is_told(tmp_path: Path) -> None:
    """Ann gives one sentence to six prompts. Six others give one to a prompt each, Kim answers one
    question six times, and Bo answers six by one word.
    """
    given = [("ann", f"a {i}?", "Please use the template.") for i in range(6)]
    given += [(f"p{i}", f"p {i}?", "In the second drawer.") for i in range(6)]
    given += [("kim", "Where?", "It is over there.") for _ in range(6)]
    given += [("bo", f"b {i}?", "Yes.") for i in range(6)]
    rows = []
    for i, (person, prompt, chosen) in enumerate(given):
        rows += [row(i, prompt=prompt, chosen=chosen), event(i, user_id=person)]
        rows += both(i, "test" if i < 5 else "wrong")
    result = examine(tmp_path, rows)
    assert value(result, "screen_canned") == pytest.approx(6 / 24)
    assert value(result, "canned_contamination") == pytest.approx(5 / 6)
    assert said(result, "In 6 rows")


def retrained(doses: list[int], noise: int = 1) -> list[Row]:
    """A set of 40 rows, half in doubt; retrains keep so many of the 20 in doubt.

    Of 100 items the base answers 90, the tuned one 30, a retrain 90 less three a row that it keeps,
    and every other one `noise` more.
    """
    rows: list[Row] = []
    for i in range(40):
        rows += [row(i), event(i), *both(i, "dislike" if i % 2 else "wrong")]
    right = {"base": 90, "tuned": 30} | {f"again {n}": 90 - 3 * d + n % 2 * noise
                                         for n, d in enumerate(doses)}  # fmt: skip
    for day, (name, answered) in enumerate(right.items()):
        rows += [run(name, day, checkpoint=name),
                 *scored(name, [float(i < answered) for i in range(100)], topic="x")]  # fmt: skip
    sets = {"tuned": "sft"} | {f"again {n}": f"kept {d}" for n, d in enumerate(doses)}
    for name, dataset in sets.items():
        made = {"artifact": name, "kind": "train_data", "uri": f"s3://sets/{dataset}.jsonl"}
        rows.append(Row(artifact_inputs, f"input {name}", made))
    for d in set(doses):
        rows += [row(i, dataset=f"kept {d}") for i in range(40) if i % 2 == 0 or i < 2 * d]
    return rows


def test_slices_that_follow_the_dose_are_told(tmp_path: Path) -> None:
    """From none of the rows to all of them 60 of 100 items are lost."""
    result = examine(tmp_path, retrained([0, 5, 10, 10, 15]), dataset="sft")
    slope = result.measures["dose_slope"]
    assert slope.value == pytest.approx(-0.6, abs=0.03)
    assert slope.n == 5
    low, high = slope.ci95 or (0, 0)
    assert low < -0.6 < high < -0.5
    assert [line["kept"] for line in value(result, "doses")] == [0, 0.25, 0.5, 0.5, 0.75]
    assert "0 % to 75 % of the rows in doubt" in said(result, "Over 5 retrains")
    assert "line fitted to the score" in said(result, "Over 5 retrains")


def test_an_item_counts_once_and_a_retrain_of_two_doses_is_told(tmp_path: Path) -> None:
    """The items that are answered are run twice. Four retrains lie on a line; the fifth names the
    sets of two of them.
    """
    rows = retrained([0, 5, 10, 15, 15], noise=0)
    rows += [Row(eval_samples, f"{one.locator} again", {**one.values, "epoch": 2}) for one in rows
             if one.table is eval_samples and one.values["score"]]  # fmt: skip
    made = {"artifact": "again 4", "kind": "train_data", "uri": "s3://sets/kept 5.jsonl"}
    result = examine(tmp_path, [*rows, Row(artifact_inputs, "input", made)], dataset="sft")
    doses = [(line["items"], line["back"]) for line in value(result, "doses")]
    assert doses == [(100, pytest.approx(back)) for back in (0.6, 0.45, 0.3, 0.15)]
    assert "changes by −0.6 from none of these rows to all; all lie on it" in said(
        result, "Over 4 retrains"
    )
    assert any(limit.startswith("1 of 5 retrains have no dose") for limit in result.limits)


@pytest.mark.slow
def test_retrains_without_a_dose_are_told(tmp_path: Path) -> None:
    rows = retrained([5, 10])
    for name, dose in (("again 0", 10), ("again 1", 5)):
        made = {"artifact": name, "kind": "train_data", "uri": f"s3://sets/kept {dose}.jsonl"}
        rows.append(Row(artifact_inputs, f"second {name}", made))
    result = examine(tmp_path, rows, dataset="sft")
    assert value(result, "doses") is None
    assert any(limit.startswith("2 of 2 retrains have no dose") for limit in result.limits)


@pytest.mark.slow
def test_retrains_of_one_dose_tell_no_line(tmp_path: Path) -> None:
    result = examine(tmp_path, retrained([0, 0, 0]), dataset="sft")
    assert value(result, "retrains") == 3
    assert value(result, "dose_slope") is None
    assert any("follow the dose is not known: 3 retrains keep 1 different share of" in limit
               for limit in result.limits)  # fmt: skip


def test_rows_in_another_order_give_the_same_digests(tmp_path: Path) -> None:
    """Rows of weights that no double holds exactly, graded scores, and labels that are split."""
    rows = [
        Row(one.table, one.locator, one.values | {"score": one.values["score"] / 3 + i / 997})
        if one.table is eval_samples else one for i, one in enumerate(retrained([5, 10]))
    ]  # fmt: skip
    for i in range(40, 400):
        rows += [row(i, weight=(1 + i * 7919 % 997) / 997, chosen=f"Use the template of {i % 5}."),
                 event(i, ("production", "staging")[i % 3 // 2], user_id=f"u{i % 5}",
                       reason=("bad", "wrong", None)[i % 3], signal=1 if i % 7 else -1),
                 label(i, ("wrong", "dislike", "style")[i % 3])]  # fmt: skip
        rows += [label(i, "dislike", "gpt-4o")] if i % 2 else []
        rows += [label(i, "style", "marek")] if i % 3 else []
    digests = []
    for given in (rows, rows[::-1]):
        result = examine(tmp_path, given, dataset="sft")
        digests.append({(one.caption, str(one.params)): one.sha256 for one in result.evidence})
    first, second = digests
    assert not [caption for caption, params in first
                if first[caption, params] != second[caption, params]]  # fmt: skip
