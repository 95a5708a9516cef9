"""What `substrate_rotation` must state, against planted numbers."""

from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from tests.cases import also
from tests.diagnoses.conftest import Diagnose, Diagnosed, Rows

from casework.errors import UsageError
from casework.findings import Result, Rival
from casework.words import parse_instant

DAY = timedelta(days=1)
START = datetime(2026, 1, 5, tzinfo=UTC)


def rival(result: Result, beginning: str) -> Rival:
    return next(r for r in result.rivals if r.explanation.startswith(beginning))


@pytest.fixture(scope="module")
def planted(diagnosed: Diagnosed) -> Result:
    result, _ = diagnosed("substrate_rotation.planted", 21)
    return result


def test_every_change_is_bracketed(planted: Result, diagnosed: Diagnosed) -> None:
    _, truth = diagnosed("substrate_rotation.planted", 21)
    assert planted.measures["changes"].value == 3
    for (start, end), at in zip(
        planted.measures["change_times"].value, truth.numbers["change_times"], strict=True
    ):
        moments = [parse_instant(text) for text in (start, f"{at}+00:00", end)]
        assert moments[0] < moments[1] <= moments[2]  # type: ignore[operator]


def test_states_the_lift_of_each_regime(planted: Result, diagnosed: Diagnosed) -> None:
    _, truth = diagnosed("substrate_rotation.planted", 21)
    assert planted.verdict == "confirmed"
    found = planted.measures["regimes"].value
    inside = [r["low"] <= lift <= r["high"]
              for r, lift in zip(found, truth.numbers["lifts"], strict=True)]  # fmt: skip
    assert sum(inside) >= 3
    assert planted.measures["lift_by_regime"].value == [r["lift"] for r in found]
    assert planted.measures["lift_shipping"].value == found[-1]["lift"]
    assert planted.measures["heterogeneity_p"].value < 0.001
    assert planted.measures["i_squared"].value > 0.5
    assert planted.measures["negative_control_p"].value > 0.01
    assert planted.falsifier.ran
    assert not planted.falsifier.falsified
    assert len(planted.breaks) == 3


def test_every_rival_of_the_method_is_tested(planted: Result) -> None:
    for beginning in ("Noise", "Only a part", "Novelty", "The ramp", "An index rebuild",
                      "The own client", "Only one arm", "The answer hangs"):  # fmt: skip
        assert rival(planted, beginning).outcome != "not_excluded"


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("novelty", "Novelty"),
        ("index_rebuild", "An index rebuild"),
        ("one_arm", "Only one arm"),
        ("client_dimension", "The own client"),
    ],
)
def test_each_trap_is_named(name: str, beginning: str, diagnosed: Diagnosed) -> None:
    result, _ = diagnosed(f"substrate_rotation.{name}", 22)
    assert rival(result, beginning).outcome == "not_excluded"
    assert result.verdict != "confirmed"


def test_texts_that_stayed_leave_open_what_moved(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("substrate_rotation.region_endpoint", 21)
    assert rival(result, "Only a part").outcome == "not_excluded"
    assert result.verdict == "supported"


@pytest.mark.parametrize(
    ("name", "seed", "told"),
    [("mixed_index", 3000, "4 of 10 texts"), ("both_endpoints", 3000, "repeats of one text")],
)
def test_a_part_that_moved_is_neither_a_change_nor_none(
    name: str, seed: int, told: str, diagnosed: Diagnosed
) -> None:
    result, _ = diagnosed(f"substrate_rotation.{name}", seed)
    assert result.verdict == "inconclusive"
    assert result.measures["changes"].value == 0
    assert told in result.headline
    assert any("name neither region nor side" in limit for limit in result.limits)


def test_a_negative_control_that_breaks_refutes(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("substrate_rotation.negative_control", 22)
    assert result.falsifier.falsified
    assert result.verdict == "inconclusive"


@pytest.mark.parametrize("seed", [22, 5000])
def test_hours_of_data_say_how_many_units_it_takes(diagnosed: Diagnosed, seed: int) -> None:
    """In the second the lift of the hours is far from the others', and still has no say."""
    result, _ = diagnosed("substrate_rotation.hours_of_data", seed)
    assert result.verdict == "inconclusive"
    assert any("units in the last regime" in limit for limit in result.limits)


def test_noise_of_batches_is_no_change(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("substrate_rotation.batch_noise", 22)
    assert result.measures["changes"].value == 0
    assert result.verdict == "clean"


def test_scores_tell_where_no_vectors_do(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("substrate_rotation.scores_only", 22)
    assert result.measures["changes"].value == 1
    ((start, end),) = result.measures["change_times"].value
    at = parse_instant(f"{truth.numbers['change_times'][0]}+00:00")
    assert at is not None
    assert parse_instant(start) < at <= parse_instant(end)  # type: ignore[operator]


@pytest.mark.parametrize("seed", [22, *also((23,))])
def test_readings_bracket_a_change_within_its_day(diagnosed: Diagnosed, seed: int) -> None:
    """The day of a change has readings of both levels; it is neither a level nor a change."""
    result, truth = diagnosed("substrate_rotation.scores_by_readings", seed)
    brackets = result.measures["change_times"].value
    assert len(brackets) == 2
    for (start, end), at in zip(brackets, truth.numbers["change_times"], strict=True):
        moments = [parse_instant(text) for text in (start, f"{at}+00:00", end)]
        assert moments[0] < moments[1] <= moments[2]  # type: ignore[operator]
        assert moments[2] - moments[0] < DAY  # type: ignore[operator]


def test_the_experiment_that_retrieves_is_judged_by_its_own_model(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("substrate_rotation.crowded", 21)
    assert result.parameters["experiment"].value == truth.numbers["experiment"]
    assert result.verdict == "confirmed"
    assert rival(result, "Only a part").outcome == "excluded"
    assert any("not judged: invoice_footer" in limit for limit in result.limits)
    assert any("picture-model (4 texts, 0 changes)" in limit for limit in result.limits)


def test_another_model_that_moved_is_told_and_not_counted(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("substrate_rotation.other_model", 21)
    assert result.verdict == "clean"
    assert result.measures["changes"].value == 0
    assert any("picture-model (4 texts, 2 changes)" in limit for limit in result.limits)
    result, _ = diagnosed("substrate_rotation.other_model", 21, embedding_model="picture-model")
    assert result.measures["changes"].value == 2


def test_a_lift_that_cancels_out_is_as_much_of_a_finding(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("substrate_rotation.nothing_read_out", 21)
    low, high = result.measures["lift_pooled"].ci95 or (1, 1)
    assert low < 0 < high
    assert (result.verdict, result.severity) == ("confirmed", "S1")


def test_a_result_below_confirmed_says_what_is_in_the_way(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("substrate_rotation.negative_control", 22)
    assert "breaks at the same changes" in result.headline
    assert "breaks at the same changes" in result.limits[0]
    assert not any("units in the last regime" in limit for limit in result.limits)
    result, _ = diagnosed("substrate_rotation.index_rebuild", 22)
    assert result.verdict == "supported"
    assert "An index rebuild" in result.limits[0]


def test_few_tenants_of_unlike_size_are_dealt_anew(diagnosed: Diagnosed) -> None:
    """By the formulas for many units the lifts would differ, p = 0.017."""
    result, _ = diagnosed("substrate_rotation.few_tenants", 2)
    assert result.verdict == "inconclusive"
    assert result.measures["heterogeneity_p"].value > 0.05
    assert result.measures["n_eff"].value < 10
    assert result.measures["largest_unit_share"].value > 0.3
    assert any("deals of the same units to the arms" in limit for limit in result.limits)


def test_a_change_in_few_tenants_is_found(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("substrate_rotation.few_tenants_moved", 3)
    assert result.verdict in ("confirmed", "supported")
    found = result.measures["regimes"].value
    assert all(r["low"] <= lift <= r["high"]
               for r, lift in zip(found, truth.numbers["lifts"], strict=True))  # fmt: skip


def test_unequal_units_too_many_to_be_dealt_anew_confirm_nothing(
    diagnosed: Diagnosed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.diagnoses._substrate_lifts.MOST_DEALT", 10)
    result = diagnosed.anew("substrate_rotation.few_tenants_moved", 3)
    assert result.verdict == "supported"
    assert any("may be too sure" in limit for limit in result.limits)


def test_too_few_units_for_a_lift_are_said(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(8), vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert "no regime has 5 units in each arm" in result.headline


def test_of_two_metrics_the_one_that_broke_carries_the_lift(diagnosed: Diagnosed) -> None:
    name = "substrate_rotation.other_metric_larger"
    result, _ = diagnosed(name, 1)
    metric, other = (result.parameters[key].value for key in ("metric", "negative_control"))
    assert result.verdict == "confirmed"
    assert result.parameters["control"].value == "off"
    assert result.measures["lift_by_regime"].value[0] > 0.1
    assert any("Tested alike" in limit and metric in limit for limit in result.limits)
    assert (
        "which is taken to be one that the substrate does not touch" in result.falsifier.statement
    )
    named, _ = diagnosed(name, 1, metric=metric, negative_control=other)
    assert named.verdict == "confirmed"
    assert not any("Tested alike" in limit for limit in named.limits)
    p, alone = (r.measures["heterogeneity_p"].value for r in (result, named))
    assert p == pytest.approx(2 * alone)
    assert f"{other}, which the substrate does not touch" in named.falsifier.statement


def test_a_lift_that_ships_as_read_out_confirms_nothing(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("substrate_rotation.ships_as_read_out", 1)
    assert (result.verdict, result.severity) == ("supported", "S3")
    assert "which may be the same" in result.headline
    result, _ = diagnosed("substrate_rotation.ships_as_read_out", 2)
    assert result.verdict == "clean"
    assert "in between it was another one" in result.headline


def test_settings_are_taken_and_checked(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("substrate_rotation.planted", 21, material="0.9")
    assert result.parameters["material"].source == "given"
    for setting in ("metric", "negative_control", "experiment", "embedding_model"):
        with pytest.raises(UsageError):
            diagnosed("substrate_rotation.planted", 21, **{setting: "no such"})


# Small cases


@pytest.fixture
def diagnose(diagnose_tables: Diagnose) -> Diagnose:
    return partial(diagnose_tables, "substrate_rotation")


def instants(days: list[float]) -> list[str]:
    return [(START + day * DAY).isoformat() for day in days]


def experiment(units: int = 80) -> dict[str, Rows]:
    rng = np.random.default_rng(1)
    names = [f"u{i}" for i in range(units)]
    days = [float(d) + 0.5 for d in range(20)]
    return {
        "assignments": {
            "experiment": ["x'); DROP TABLE units; --"] * units,
            "unit_id": names,
            "arm": ["control", "<b>on</b>"] * (units // 2),
            "assigned_at": instants([0.0] * units),
        },
        "outcomes": {
            "unit_id": [name for name in names for _ in days],
            "metric": ["score"] * units * 20,
            "occurred_at": instants(days * units),
            "value": rng.normal(5, 1, units * 20).tolist(),
        },
    }


def vectors(steps: dict[str, float], texts: int = 4, until: float = 21.0) -> Rows:
    """Vectors four times a day; `steps` gives the day on which a text turns."""
    rng = np.random.default_rng(2)
    rows: Rows = {"text_id": [], "occurred_at": [], "vector": []}
    base, turned = rng.normal(size=(2, texts, 8))
    for quarter in range(-2, int(until * 4)):
        for text in range(texts):
            name = f"t{text}"
            moved = quarter / 4 >= steps.get(name, 99)
            vector = (turned if moved else base)[text] + 1e-5 * rng.normal(size=8)
            rows["text_id"].append(name)
            rows["occurred_at"].extend(instants([quarter / 4]))
            rows["vector"].append(vector.tolist())
    return rows


def named(rows: Rows, model: str) -> Rows:
    return {**rows, "embedding_model": [model] * len(rows["text_id"])}


def joined(*parts: Rows) -> Rows:
    return {name: [x for part in parts for x in part[name]] for name in parts[0]}


def test_a_model_that_follows_another_is_a_change(diagnose: Diagnose) -> None:
    """The same texts, from day nine on by another model under another name."""
    moved = vectors({f"t{i}": 9.0 for i in range(4)})
    since = (START + 9 * DAY).isoformat()
    moved["embedding_model"] = ["old" if at < since else "new" for at in moved["occurred_at"]]
    result = diagnose(**experiment(), vectors=moved)
    assert result.measures["changes"].value == 1


def test_two_models_of_the_same_texts_are_no_change(diagnose: Diagnose) -> None:
    turned = vectors({f"t{i}": -9.0 for i in range(4)})
    both = joined(named(vectors({}), "one"), named(turned, "other"))
    result = diagnose(**experiment(), vectors=both)
    assert result.measures["changes"].value == 0
    assert result.verdict == "clean"
    assert any("Nothing tells which model" in limit for limit in result.limits)


def test_a_model_that_was_not_watched_to_the_end_is_no_pass(diagnose: Diagnose) -> None:
    both = joined(named(vectors({}), "one"), named(vectors({}, until=10.0), "other"))
    assert diagnose(**experiment(), vectors=both).verdict == "inconclusive"


def steps_of_one_of_two_models(diagnose: Diagnose) -> Result:
    turned = named(vectors({f"t{i}": 9.0 for i in range(4)}), "one")
    still = named(vectors({}), "other")
    still["text_id"] = [f"other-{name}" for name in still["text_id"]]
    return diagnose(**experiment(), vectors=joined(turned, still))


def test_where_nothing_tells_the_model_each_is_judged(diagnose: Diagnose) -> None:
    result = steps_of_one_of_two_models(diagnose)
    assert result.measures["changes"].value == 1
    assert "The substrate (one) changed" in result.headline
    assert rival(result, "Only a part").outcome == "excluded"
    assert rival(result, "The experiment uses a model that stayed").outcome == "not_excluded"


def test_the_largest_experiment_over_a_change_is_judged_and_others_named(
    diagnose: Diagnose,
) -> None:
    """A larger one that began after the change is none of them."""
    tables = experiment()
    late, small = experiment(100)["assignments"], experiment(20)["assignments"]
    late.update(experiment=["late"] * 100, assigned_at=instants([15.0] * 100))
    small.update(experiment=["small"] * 20)
    tables["assignments"] = joined(tables["assignments"], late, small)
    result = diagnose(**tables, vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert result.parameters["experiment"].value == "x'); DROP TABLE units; --"
    (limit,) = [limit for limit in result.limits if "not judged" in limit]
    assert "small (20 units)" in limit
    assert "late" not in limit


@pytest.mark.parametrize(
    ("control", "treatment"), [("off", "on"), ("A", "B"), *also(("0", "1"), ("false", "true"))]
)
def test_an_arm_that_is_off_is_the_control_however_small(
    control: str, treatment: str, diagnose: Diagnose
) -> None:
    tables = experiment()
    tables["assignments"]["arm"] = [control if i % 3 == 0 else treatment for i in range(80)]
    result = diagnose(**tables, vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert result.parameters["control"].value == control
    assert any(f"of {treatment} over {control}" in each.statement for each in result.findings)


def steady_scores(days: int = 60, pairs: int = 16) -> Rows:
    """Pairs that are scored twice a day, with noise."""
    rng = np.random.default_rng(1)
    rows: Rows = {"query_id": [], "doc_id": [], "occurred_at": [], "dense_score": []}
    for half in range(-2, 2 * days):
        rows["query_id"] += [f"q{pair}" for pair in range(pairs)]
        rows["doc_id"] += [f"d{pair}" for pair in range(pairs)]
        rows["occurred_at"] += instants([half / 2 + 0.2] * pairs)
        rows["dense_score"] += (0.5 + 0.005 * rng.normal(size=pairs)).tolist()
    return rows


def test_the_first_score_of_a_pair_is_not_its_own_distance(diagnose: Diagnose) -> None:
    """Half of the scores of the first day would lie at no distance, as of another level."""
    result = diagnose(**experiment(), candidates=steady_scores())
    assert result.measures["changes"].value == 0
    assert not any("Before or after" in limit for limit in result.limits)
    assert result.verdict == "clean"


def test_a_bracket_holds_the_change_where_the_search_comes_a_day_late(diagnose: Diagnose) -> None:
    """Five of 16 pairs are read at a time, so the median of a day says little of its level."""
    rng = np.random.default_rng(4)
    rows: Rows = {"query_id": [], "doc_id": [], "occurred_at": [], "dense_score": []}
    old = rng.uniform(0.3, 0.8, 16)
    new = old + rng.normal(0, 0.1, 16)
    rng.normal(size=16)
    step = 14.6
    for third in range(-3, 120):
        at = third / 3 + 0.25
        read = rng.permutation(16)[:5]
        rows["query_id"] += [f"q{pair}" for pair in read]
        rows["doc_id"] += [f"d{pair}" for pair in read]
        rows["occurred_at"] += instants([at] * 5)
        level = new if at >= step else old
        rows["dense_score"] += [float(level[pair] + 0.002 * rng.normal()) for pair in read]
    result = diagnose(**experiment(), candidates=rows)
    ((start, end),) = result.measures["change_times"].value
    assert start < (START + step * DAY).isoformat() <= end
    assert rival(result, "The own client").outcome == "not_testable"


def test_without_a_substrate_it_is_not_testable(diagnose: Diagnose) -> None:
    result = diagnose(**experiment())
    assert result.verdict == "not_testable"
    assert {missing.table for missing in result.missing} >= {"vectors", "candidates"}


def test_a_step_of_few_texts_is_told_and_not_counted(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(), vectors=vectors({"t0": 9.0}))
    assert result.measures["changes"].value == 0
    assert any("less than half" in limit for limit in result.limits)


def test_steps_that_lie_within_one_bracket_are_one_change(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(), vectors=vectors({f"t{i}": 9.1 for i in range(4)}))
    assert result.measures["changes"].value == 1
    assert result.verdict in ("inconclusive", "clean")


def test_a_step_after_the_experiment_is_not_its_own(diagnose: Diagnose) -> None:
    late = vectors({f"t{i}": 24.0 for i in range(4)}, until=28.0)
    result = diagnose(**experiment(), vectors=late)
    assert result.measures["changes"].value == 0
    assert any("Before or after" in limit for limit in result.limits)


def test_texts_that_were_not_watched_to_the_end_are_no_pass(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(), vectors=vectors({}, until=10.0))
    assert result.verdict == "inconclusive"


def test_one_arm_is_not_testable(diagnose: Diagnose) -> None:
    tables = experiment()
    tables["assignments"]["arm"] = ["control"] * 80
    assert diagnose(**tables, vectors=vectors({})).verdict == "not_testable"


def embedded(days: list[float], turned_at: float, texts: int = 10, later: float = 0.0) -> Rows:
    """All texts at each of these days, turned by an angle from a day on, half of them later."""
    rng = np.random.default_rng(3)
    rows: Rows = {"text_id": [], "occurred_at": [], "vector": []}
    base = np.eye(16)[:texts]
    side = np.roll(np.eye(16), 1, axis=1)[:texts]
    for day in days:
        for text in range(texts):
            turned = day >= turned_at + later * (text % 2)
            vector = base[text] + 0.3 * turned * side[text]
            rows["text_id"].append(f"t{text}")
            rows["occurred_at"] += instants([day])
            rows["vector"].append((vector + 1e-5 * rng.normal(size=16)).tolist())
    return rows


@pytest.mark.parametrize("days", [[-0.5, 20.5], [-0.5, 10.0, 20.5]])
def test_few_looks_cannot_tell_a_step_from_noise_and_are_no_pass(
    days: list[float], diagnose: Diagnose
) -> None:
    result = diagnose(**experiment(), vectors=embedded(days, 5.0))
    assert result.verdict == "inconclusive"
    assert any("noise cannot be told from a step" in limit for limit in result.limits)


def test_one_step_among_many_looks_a_day_is_no_noise(diagnose: Diagnose) -> None:
    """It is one of 23 repeats of its day, and more than one of 1,000 of all."""
    hourly = embedded([hour / 24 for hour in range(-12, 504)], 9.3)
    assert diagnose(**experiment(), vectors=hourly).measures["changes"].value == 1


@pytest.mark.parametrize("part", [0.0, None])
def test_a_vector_without_a_direction_hides_no_change(
    part: float | None, diagnose_files: Diagnose
) -> None:
    looks = embedded([quarter / 4 for quarter in range(-2, 84)], 9.0, texts=16)
    looks["vector"][200] = [part] * 16
    result = diagnose_files("substrate_rotation", **experiment(), vectors=looks)
    assert result.measures["changes"].value == 1
    told = any("1 vector without a direction" in limit for limit in result.limits)
    assert told == (part is not None)  # where parts are missing the row is a reject


def test_few_days_of_scores_are_no_pass(diagnose: Diagnose) -> None:
    scores = steady_scores(days=10)
    tables = experiment()
    until = (START + 9 * DAY).isoformat()
    seen = tables["outcomes"]
    kept = [i for i, at in enumerate(seen["occurred_at"]) if at < until]
    tables["outcomes"] = {name: [column[i] for i in kept] for name, column in seen.items()}
    result = diagnose(**tables, candidates=scores)
    assert result.measures["changes"].value == 0
    assert result.verdict == "inconclusive"
    assert any("too few for the search" in limit for limit in result.limits)


def test_what_was_not_watched_is_said(diagnose: Diagnose) -> None:
    result = diagnose(**experiment(), vectors=vectors({}, until=10.0))
    assert any("was watched from" in limit for limit in result.limits)


def of_two_metrics() -> dict[str, Rows]:
    """The lift of the second, with fewer observations, goes on day nine."""
    tables = experiment()
    first = tables["outcomes"]
    rng = np.random.default_rng(5)
    until = (START + 9 * DAY).isoformat()
    gains = [1.5 * (int(unit[1:]) % 2 and at < until)
             for unit, at in zip(first["unit_id"], first["occurred_at"], strict=True)]  # fmt: skip
    second = {**first, "metric": ["clicks"] * len(gains),
              "value": [float(rng.normal(5 + gain)) for gain in gains]}  # fmt: skip
    tables["outcomes"] = joined(first, {name: column[:-5] for name, column in second.items()})
    return tables


def test_each_measure_cites_the_record_of_its_own_metric(diagnose: Diagnose) -> None:
    result = diagnose(**of_two_metrics(), vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    record = {evidence.id: evidence for evidence in result.evidence}
    cited = {name: record[measure.evidence or ""] for name, measure in result.measures.items()}
    assert result.parameters["metric"].value == "clicks"
    assert cited["lift_pooled"].params["metric"] == "clicks"
    assert cited["heterogeneity_p"].params["metric"] == "clicks"
    assert cited["negative_control_p"].params["metric"] == "score"


def test_texts_that_move_one_after_the_other_give_the_time_over_which_they_did(
    diagnose: Diagnose,
) -> None:
    minutes = [9 + ten / 144 for ten in range(-6, 12)]
    looks = sorted({quarter / 4 for quarter in range(-2, 84)} | set(minutes))
    result = diagnose(**experiment(), vectors=embedded(looks, 9 + 1 / 144, later=3 / 144))
    ((start, end),) = result.measures["change_times"].value
    assert (start, end) == ("2026-01-14T00:00:00Z", "2026-01-14T00:40:00Z")


def staged() -> dict[str, Rows]:
    tables = experiment()
    log = tables["assignments"]
    log["stage"] = ["1"] * 20 + ["2"] * 60
    log["assigned_at"] = instants([0.0] * 20 + [1.0] * 60)
    return tables


def test_units_of_every_stage_are_compared_and_counted(diagnose: Diagnose) -> None:
    result = diagnose(**staged(), vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert {result.measures[name].n for name in ("n_eff", "lift_by_regime", "lift_pooled")} == {80}
    assert "stage" not in result.parameters


def test_a_first_stage_of_one_arm_is_no_experiment_of_one_arm(diagnose: Diagnose) -> None:
    tables = staged()
    tables["assignments"]["arm"][:20] = ["<b>on</b>"] * 20
    assert diagnose(**tables, vectors=vectors({})).verdict != "not_testable"


def test_an_arm_of_one_unit_is_called_that(diagnose: Diagnose) -> None:
    tables = experiment()
    tables["assignments"]["arm"] = ["control"] * 79 + ["on"]
    result = diagnose(**tables, vectors=vectors({}))
    assert result.verdict == "not_testable"
    assert "on of x'); DROP TABLE units; -- has 1 unit" in result.headline
    assert [missing.table for missing in result.missing if missing.required] == ["assignments"]


def test_what_was_seen_before_the_experiment_is_none_of_it(diagnose: Diagnose) -> None:
    """Half of the units have no time of assignment, the others came on day ten."""
    tables = experiment()
    tables["assignments"]["assigned_at"] = [None] * 40 + instants([10.0] * 40)
    result = diagnose(**tables, vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert result.measures["regimes"].value[0]["start"] == "2026-01-15T12:00:00Z"


def test_no_time_of_assignment_leaves_every_outcome(diagnose: Diagnose) -> None:
    tables = experiment()
    del tables["assignments"]["assigned_at"]
    result = diagnose(**tables, vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert result.measures["regimes"].value[0]["start"] == "2026-01-05T12:00:00Z"


def test_a_regime_of_three_units_is_not_called_unobserved(diagnose: Diagnose) -> None:
    tables = experiment()
    seen = tables["outcomes"]
    until = (START + 9 * DAY).isoformat()
    kept = [i for i, at in enumerate(seen["occurred_at"])
            if at < until or seen["unit_id"][i] in ("u0", "u1", "u2")]  # fmt: skip
    tables["outcomes"] = {name: [column[i] for i in kept] for name, column in seen.items()}
    result = diagnose(**tables, vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert result.measures["lift_shipping"].value is None
    assert "what it is under what ships is not known" in result.headline


def test_a_unit_that_changes_its_arm_does_not_end_the_experiment(diagnose: Diagnose) -> None:
    tables = of_two_metrics()
    log = tables["assignments"]
    slip = (log["experiment"][0], "u4", "<b>on</b>", instants([3.0])[0])
    for column, value in zip(log.values(), slip, strict=True):
        column.append(value)
    result = diagnose(**tables, vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert result.measures["changes"].value == 1
    assert any("Moved to another arm later: 1 unit; too few" in limit for limit in result.limits)
    # its own outcomes from then on are none of the control's
    assert result.measures["regimes"].value[1]["units"] == 79


def test_models_that_move_within_each_others_bracket_leave_no_regime_between(
    diagnose: Diagnose,
) -> None:
    one = named(embedded([quarter / 4 + 0.05 for quarter in range(-2, 84)], 9.1), "one")
    other = named(embedded([quarter / 4 + 0.1 for quarter in range(-2, 84)], 9.08), "other")
    other["text_id"] = [f"other-{name}" for name in other["text_id"]]
    result = diagnose(**experiment(), vectors=joined(one, other))
    assert result.measures["changes"].value == 2
    regimes = result.measures["regimes"].value
    assert len(regimes) == 2
    assert all(regime["start"] < regime["end"] for regime in regimes)


def test_a_setting_that_cannot_be_used_is_refused(diagnose: Diagnose) -> None:
    seen = vectors({f"t{i}": 9.0 for i in range(4)})
    for given in ({"metric": "clicks", "negative_control": "clicks"}, {"embedding_model": "ada"}):
        with pytest.raises(UsageError):
            diagnose(given, **of_two_metrics(), vectors=seen)
    with pytest.raises(UsageError):
        diagnose({"embedding_model": "ada"}, **experiment(), candidates=steady_scores())


def test_an_arm_without_outcomes_excludes_no_ramp(diagnose: Diagnose) -> None:
    tables = experiment()
    seen = tables["outcomes"]
    kept = [i for i, unit in enumerate(seen["unit_id"]) if int(unit[1:]) % 2]
    tables["outcomes"] = {name: [column[i] for i in kept] for name, column in seen.items()}
    result = diagnose(**tables, vectors=vectors({f"t{i}": 9.0 for i in range(4)}))
    assert rival(result, "The ramp").outcome == "not_testable"
