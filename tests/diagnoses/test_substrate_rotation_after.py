"""What `substrate_rotation` says beside its verdict: washout, carry-over, neighbours, the alarm."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from tests.diagnoses.conftest import Diagnose, Diagnosed, Rows
from tests.diagnoses.test_substrate_rotation import experiment, instants, joined, named, vectors

from casework.findings import Result


@pytest.fixture
def diagnose(diagnose_tables: Diagnose) -> Diagnose:
    return partial(diagnose_tables, "substrate_rotation")


@pytest.fixture(scope="module")
def planted(diagnosed: Diagnosed) -> Result:
    result, _ = diagnosed("substrate_rotation.planted", 21)
    return result


def said(result: Result, beginning: str) -> bool:
    return any(finding.statement.startswith(beginning) for finding in result.findings)


def test_lifts_are_told_without_the_first_half_of_each_regime(
    planted: Result, diagnosed: Diagnosed
) -> None:
    _, truth = diagnosed("substrate_rotation.planted", 21)
    assert planted.measures["heterogeneity_p_washout"].value < 0.001
    assert planted.measures["heterogeneity_p_washout"].evidence in {e.id for e in planted.evidence}
    assert said(planted, "Without the first half of each regime")
    assert len(truth.numbers["lifts"]) == planted.measures["changes"].value + 1


def test_each_change_is_told_by_the_alarm_on_its_day(planted: Result) -> None:
    alarms = planted.measures["alarms"].value
    assert [row["change"] for row in alarms] == [1, 2, 3]
    assert all(row["days_after"] in (0, 1) for row in alarms)
    assert not any(row["false_alarm_before"] for row in alarms)
    assert any(
        "noise alone raises an alarm in" in finding.statement
        for finding in planted.findings
        if "alarms" in finding.measures
    )


def text_vectors(levels: dict[float, np.ndarray], noise: float = 1e-6) -> Rows:
    """Each text twice a day until day 21; its vectors since each of these days."""
    rng = np.random.default_rng(5)
    rows: Rows = {"text_id": [], "occurred_at": [], "vector": []}
    for half in range(int(2 * min(levels)), 42):
        now = levels[max(day for day in levels if day <= half / 2)]
        for text, vector in enumerate(now):
            rows["text_id"].append(f"t{text}")
            rows["occurred_at"].extend(instants([half / 2]))
            rows["vector"].append((vector + noise * rng.normal(size=len(vector))).tolist())
    return rows


BASE = np.random.default_rng(5).normal(size=(12, 16))
TURN, _ = np.linalg.qr(np.random.default_rng(6).normal(size=(16, 16)))


def test_the_level_before_a_change_begins_with_the_change_before_the_experiment(
    diagnose: Diagnose,
) -> None:
    """Two levels lie as far from the first vectors, so none of the days between tells of a change.

    The day of the second change has vectors of the third level.
    """
    places = np.eye(16).reshape(4, 4, 16)
    levels = {-30.0: places[0], -15.0: places[1], 9.0: places[2], 16.5: places[0] + places[3]}
    result = diagnose(**experiment(), vectors=text_vectors(levels))
    (first,) = result.measures["alarms"].value
    assert first["base_days"] == 23
    assert first["level"] == pytest.approx(1, abs=1e-4)
    assert first["sd"] < 1e-4
    assert (first["days_after"], first["false_alarm_before"]) == (None, False)
    assert any("would have told of change 2 cannot be told" in limit for limit in result.limits)


def kept(result: Result) -> dict[str, Any]:
    (row,) = result.measures["neighbours_kept"].value
    return dict(row)


def test_a_space_that_turned_finds_nothing_in_a_mixed_index(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(), vectors=text_vectors({-1.0: BASE, 16.0: BASE @ TURN}))
    found = kept(result)
    assert found["itself_high"] < 0.7
    assert found["anew"] == 1
    assert found["texts"] == 12
    assert said(result, "Across change 1, of 12 texts")


def test_what_cannot_be_compared_hides_no_other_text(diagnose_files: Diagnose) -> None:
    """A text of another length, and a vector of which a part is missing just before the step."""
    rows = text_vectors({-1.0: BASE, 16.0: BASE @ TURN})
    rows["vector"][33 * 12 + 3][0] = None
    odd = text_vectors({-1.0: BASE[:1, :6], 16.0: BASE[1:2, :6]})
    odd["text_id"] = ["odd"] * len(odd["text_id"])
    result = diagnose_files("substrate_rotation", **experiment(), vectors=joined(rows, odd))
    assert kept(result)["texts"] == 12
    assert kept(result)["anew"] == 1
    assert not any("what a search finds since" in limit for limit in result.limits)


def test_each_of_two_models_that_change_at_once_is_looked_at(diagnose: Diagnose) -> None:
    """Their changes are equal in time and distance; the vectors of the second are noise."""
    levels = {-1.0: BASE, 9.0: BASE[:, :12]}
    one, other = text_vectors(levels), text_vectors(levels, noise=0.3)
    other["text_id"] = [f"other-{text}" for text in other["text_id"]]
    both = joined(named(one, "one"), named(other, "other"))
    rows = diagnose(**experiment(), vectors=both).measures["neighbours_kept"].value
    assert rows[0]["anew"] != rows[1]["anew"]


@pytest.mark.slow
def test_a_small_step_leaves_a_mixed_index_as_it_was(diagnose: Diagnose) -> None:
    nearly = np.eye(16) + 0.01 * np.random.default_rng(6).normal(size=(16, 16))
    found = kept(diagnose(**experiment(), vectors=text_vectors({-1.0: BASE, 16.0: BASE @ nearly})))
    assert found["itself"] == 1
    assert found["mixed"] > 0.8


@pytest.mark.slow
def test_vectors_of_another_length_cannot_be_asked_together(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(), vectors=text_vectors({-1.0: BASE, 16.0: BASE[:, :12]}))
    assert (kept(result)["mixed"], kept(result)["p"]) == (None, None)
    assert any("another length" in finding.statement for finding in result.findings)


def test_few_texts_and_no_newcomers_tell_nothing_of_a_search_or_of_habits(
    diagnose: Diagnose,
) -> None:
    result = diagnose(**experiment(20), vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    beside = {"neighbours_kept", "carry_over", "alarms", "heterogeneity_p_washout"}
    assert not beside & set(result.measures)
    assert any("first half of each regime cannot be told: units are few" in x
               for x in result.limits)  # fmt: skip
    assert any("an alarm on the daily distance would have told of change 1 cannot be" in x
               for x in result.limits)  # fmt: skip
    assert any("0 units are known to have been assigned in the last" in x for x in result.limits)
    assert any("what a search finds since cannot be told" in limit for limit in result.limits)


def newcomers(carry: float) -> dict[str, Rows]:
    """Half of 400 users come on day ten, a day after the step; those before keep a lift."""
    rng = np.random.default_rng(7)
    tables: dict[str, Rows] = {
        "assignments": {"experiment": [], "unit_id": [], "arm": [], "assigned_at": []},
        "outcomes": {"unit_id": [], "metric": [], "occurred_at": [], "value": []},
    }
    for user in range(400):
        came, treated = 10 * (user % 2), user // 2 % 2
        row = ("layout", f"u{user}", ("control", "on")[treated], *instants([came]))
        for column, value in zip(tables["assignments"].values(), row, strict=True):
            column.append(value)
        for day in range(came, 20):
            lift = treated * (1 + carry * (came == 0 and day > 9))
            seen = (f"u{user}", "score", *instants([day + 0.5]), float(rng.normal(5 + lift, 1)))
            for column, value in zip(tables["outcomes"].values(), seen, strict=True):
                column.append(value)
    return tables


@pytest.mark.parametrize("carry", [pytest.param(0.0, marks=pytest.mark.slow), 1.0])
def test_what_units_carry_over_a_change_is_told(carry: float, diagnose: Diagnose) -> None:
    turned = vectors({f"t{i}": 9.0 for i in range(4)})
    result = diagnose(**newcomers(carry), vectors=turned)
    found = result.measures["carry_over"]
    assert found.ci95 is not None
    assert found.ci95[0] <= carry <= found.ci95[1]
    assert (result.measures["carry_over_p"].value < 0.001) == bool(carry)
    assert found.n == 400
    assert any("so would other users" in finding.statement for finding in result.findings)


def test_a_metric_that_does_not_vary_tells_nothing_of_habits(diagnose: Diagnose) -> None:
    """A rare event that nobody had since the step."""
    tables = newcomers(0.0)
    seen, (step,) = tables["outcomes"], instants([9.0])
    had = zip(seen["occurred_at"], seen["value"], strict=True)
    seen["value"] = [value if at < step else 0.0 for at, value in had]
    result = diagnose(**tables, vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert "carry_over" not in result.measures
    assert any("the metric does not vary in units from before it" in x for x in result.limits)


def test_without_a_change_nothing_is_said_of_one(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(), vectors=vectors({}))
    names = {"alarms", "neighbours_kept", "carry_over", "heterogeneity_p_washout"}
    assert not names & set(result.measures)


@pytest.mark.parametrize(
    ("wider", "told"),
    [
        (4.0, "The distribution of the scores changed, on"),
        pytest.param(1.0, "Quantiles of the scores by day show no break", marks=pytest.mark.slow),
    ],
)
def test_scores_that_spread_around_a_middle_that_stays_are_told(
    wider: float, told: str, diagnose: Diagnose
) -> None:
    """Distances beyond the median, in which changes are searched for, grow; there is no change."""
    rng = np.random.default_rng(8)
    rows: Rows = {"query_id": [], "doc_id": [], "occurred_at": [], "dense_score": []}
    for day in range(-1, 29):
        for pair in range(24):
            noise = rng.normal()
            noise *= wider if day > 12 and abs(noise) > 0.8 else 1
            rows["query_id"].append(f"q{pair}")
            rows["doc_id"].append("d")
            rows["occurred_at"].extend(instants([day + 0.3]))
            rows["dense_score"].append(0.5 + 0.01 * noise * (day >= 0))
    result = diagnose(**experiment(), candidates=rows)
    assert result.measures["changes"].value == 0
    assert (result.measures["score_distribution_p"].value < 0.05) == (wider > 1)
    assert said(result, told)
