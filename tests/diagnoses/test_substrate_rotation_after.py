"""What `substrate_rotation` says beside its verdict: washout, carry-over, neighbours, the alarm."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from tests.diagnoses.conftest import Diagnose, Diagnosed, Rows
from tests.diagnoses.test_substrate_rotation import experiment, instants, vectors

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


def text_vectors(texts: int, moved: np.ndarray, step: float = 16.0) -> Rows:
    """Each text twice a day over thirty days; since the step its vector is the moved one."""
    rng = np.random.default_rng(5)
    base = rng.normal(size=(texts, 16))
    rows: Rows = {"text_id": [], "occurred_at": [], "vector": []}
    for half in range(-2, 42):
        for text in range(texts):
            vector = (base @ moved if half / 2 >= step else base)[text]
            rows["text_id"].append(f"t{text}")
            rows["occurred_at"].extend(instants([half / 2]))
            rows["vector"].append((vector + 1e-6 * rng.normal(size=len(vector))).tolist())
    return rows


def kept(result: Result) -> dict[str, Any]:
    (row,) = result.measures["neighbours_kept"].value
    return dict(row)


def test_a_space_that_turned_finds_nothing_in_a_mixed_index(diagnose: Diagnose) -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(6).normal(size=(16, 16)))
    result = diagnose(**experiment(), vectors=text_vectors(12, turn))
    found = kept(result)
    assert found["itself_high"] < 0.7
    assert found["anew"] == 1
    assert found["texts"] == 12
    assert said(result, "Across change 1, of 12 texts")


@pytest.mark.slow
def test_a_small_step_leaves_a_mixed_index_as_it_was(diagnose: Diagnose) -> None:
    nearly = np.eye(16) + 0.01 * np.random.default_rng(6).normal(size=(16, 16))
    found = kept(diagnose(**experiment(), vectors=text_vectors(12, nearly)))
    assert found["itself"] == 1
    assert found["mixed"] > 0.8


@pytest.mark.slow
def test_vectors_of_another_length_cannot_be_asked_together(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(), vectors=text_vectors(12, np.eye(16)[:, :12]))
    assert (kept(result)["mixed"], kept(result)["p"]) == (None, None)
    assert any("another length" in finding.statement for finding in result.findings)


def test_few_texts_and_no_newcomers_tell_nothing_of_a_search_or_of_habits(
    diagnose: Diagnose,
) -> None:
    result = diagnose(**experiment(), vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert not {"neighbours_kept", "carry_over"} & set(result.measures)
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


def test_without_a_change_nothing_is_said_of_one(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(), vectors=vectors({}))
    names = {"alarms", "neighbours_kept", "carry_over", "heterogeneity_p_washout"}
    assert not names & set(result.measures)


@pytest.mark.parametrize(
    ("wider", "told"),
    [
        (4.0, "not counted as a change"),
        pytest.param(1.0, "no further break", marks=pytest.mark.slow),
    ],
)
def test_scores_that_spread_around_a_middle_that_stays_are_told(
    wider: float, told: str, diagnose: Diagnose
) -> None:
    """Half of the distances, those beyond the median in which changes are searched for, grow."""
    rng = np.random.default_rng(8)
    rows: Rows = {"query_id": [], "doc_id": [], "occurred_at": [], "dense_score": []}
    for day in range(-1, 29):
        for pair in range(24):
            noise = rng.normal()
            noise *= wider if day > 12 and abs(noise) > 0.7 else 1
            rows["query_id"].append(f"q{pair}")
            rows["doc_id"].append("d")
            rows["occurred_at"].extend(instants([day + 0.3]))
            rows["dense_score"].append(0.5 + 0.01 * noise * (day >= 0))
    result = diagnose(**experiment(), candidates=rows)
    assert result.measures["changes"].value == 0
    assert (result.measures["score_distribution_p"].value < 0.05) == (wider > 1)
    assert any(told in finding.statement for finding in result.findings)
