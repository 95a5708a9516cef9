"""What `output_attribution` must state, against planted numbers and cases of a few rows."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cases import diagnose_rows
from tests.diagnoses.attributing import (
    START,
    alias,
    clock,
    decision,
    minutes,
    value,
)
from tests.diagnoses.conftest import Diagnosed

from casework.case import Row
from casework.errors import UsageError
from casework.findings import Result
from casework.stats.rotations import count_rotations
from casework.tables import deployments


def attribute(tmp_path: Path, rows: list[Row], **settings: Any) -> Result:
    return diagnose_rows(tmp_path, "output_attribution", rows, **settings)


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.slow)])
def test_planted_numbers_are_found(diagnosed: Diagnosed, seed: int) -> None:
    result, truth = diagnosed("output_attribution.planted", seed)
    names = [n for n in result.measures if n in truth.numbers and n != "checkpoints"]
    assert {"coverage", "grade_d", "boundaries", "rotations", "unlogged_rotations"} <= set(names)
    assert {n: value(result, n) for n in names} == {n: truth.numbers[n] for n in names}
    found = {r["checkpoint"]: (r["definite"], r["possible"]) for r in value(result, "checkpoints")}
    planted = {k: (v["definite"], v["possible"]) for k, v in truth.numbers["checkpoints"].items()}
    assert found == {k: v for k, v in planted.items() if v != (0, 0)}


def test_a_digest_on_the_record_beats_replica_and_alias(tmp_path: Path) -> None:
    replica = {"replica": "r1", "checkpoint": "b", "valid_from": START}
    rows = [
        alias("a", START),
        Row(deployments, "row 1", replica),
        decision(0, START + minutes(60), checkpoint="c", replica="r1"),
        decision(1, START + minutes(60), replica="r1"),
        decision(2, START + minutes(60), replica="elsewhere"),
        clock(1),
    ]
    result = attribute(tmp_path, rows)
    assert [value(result, f"grade_{g}") for g in "abcde"] == [1, 1, 1, 0, 0]
    assert {r["checkpoint"] for r in value(result, "checkpoints")} == {"a", "b", "c"}
    assert value(result, "unlogged_rotations") == 2  # b and c ran, and no alias event names them


def test_the_earliest_record_of_an_id_is_the_decision(tmp_path: Path) -> None:
    rows = [
        alias("a", START),
        alias("b", START + minutes(60), 1),
        decision(0, START + minutes(10)),
        decision(0, START + minutes(90)),
        clock(1),
    ]
    result = attribute(tmp_path, rows)
    assert value(result, "decisions") == 1
    assert [r["checkpoint"] for r in value(result, "checkpoints")] == ["a"]


def test_a_later_record_that_decides_otherwise_is_told(tmp_path: Path) -> None:
    rows = [alias("a", START), clock(1), decision(0, START + minutes(10))]
    rows += [decision(0, START + minutes(90), decision="by hand"), decision(1, START + minutes(5))]
    result = attribute(tmp_path, rows)
    assert value(result, "grade_c") == 2
    assert any("Of 1 decision a later record" in limit for limit in result.limits)


def test_decisions_of_test_environments_are_set_apart(tmp_path: Path) -> None:
    """Staging decides a few seconds after the switch; where there is nothing else, it counts."""
    log = [alias("a", START), alias("b", START + minutes(60), 1), clock(30)]
    live = [decision(n, START + minutes(n + 1), environment="prod") for n in range(3)]
    near = START + minutes(60) + timedelta(seconds=5)
    tests = [decision(10 + n, near, environment="Staging") for n in range(2)]

    def judge(rows: list[Row], name: str, **settings: Any) -> Result:
        (tmp_path / name).mkdir()
        return attribute(tmp_path / name, [*log, *rows], **settings)

    result = judge([*live, *tests], "both")
    assert (result.verdict, value(result, "decisions")) == ("clean", 3)
    assert any("2 records of environments for tests (Staging)" in said for said in result.limits)
    assert value(judge([*live, *tests], "all", environment="all"), "grade_d") == 2
    assert value(judge([*live, *tests], "one", environment="Staging"), "decisions") == 2
    assert value(judge(tests, "alone"), "decisions") == 2
    with pytest.raises(UsageError):
        judge(live, "none", environment="nowhere")


def test_one_checkpoint_behind_two_prompts_is_one_checkpoint(tmp_path: Path) -> None:
    rows = [alias("a", START), clock(1)]
    rows += [decision(i, START + minutes(i + 1), prompt_hash=f"p{i % 2}") for i in range(6)]
    result = attribute(tmp_path, rows)
    assert (value(result, "boundaries"), result.verdict) == (0, "clean")
    assert any("2 prompts." in limit for limit in result.limits)


def test_a_rollout_leaves_both_neighbours_open_until_its_end(tmp_path: Path) -> None:
    rows = [
        alias("a", START),
        alias("b", START + minutes(60), 1, rollout_ended_at=START + minutes(90)),
    ]
    rows += [decision(i, START + minutes(at)) for i, at in enumerate((50, 61, 89, 95))]
    result = attribute(tmp_path, [*rows, clock(30)])
    assert (value(result, "grade_c"), value(result, "grade_d")) == (2, 2)


def test_a_decision_that_ran_across_a_switch_is_ambiguous(tmp_path: Path) -> None:
    rows = [alias("a", START), alias("b", START + minutes(60), 1), clock(1)]
    rows += [decision(0, START + minutes(50), ended_at=START + minutes(70))]
    rows += [decision(1, START + minutes(50), ended_at=START + minutes(51))]
    result = attribute(tmp_path, rows)
    assert (value(result, "grade_c"), value(result, "grade_d")) == (1, 1)


def test_an_alias_of_another_region_does_not_count(tmp_path: Path) -> None:
    rows = [
        alias("a", START, region="eu"),
        alias("b", START, 1, region="us"),
        decision(0, START + minutes(5), region="eu"),
        decision(1, START + minutes(5), region="us"),
        decision(2, START + minutes(5)),
        clock(1),
    ]
    result = attribute(tmp_path, rows)
    assert (value(result, "grade_c"), value(result, "grade_d")) == (2, 1)


def ran(
    replica: str, checkpoint: str, since: float, until: float | None = None, **more: Any
) -> Row:
    closes = None if until is None else START + minutes(until)
    values = {"replica": replica, "checkpoint": checkpoint, "valid_from": START + minutes(since)}
    return Row(deployments, f"{replica} {since}", values | {"valid_until": closes} | more)


def test_an_unlogged_digest_may_have_made_what_names_no_replica(tmp_path: Path) -> None:
    """Its replica answered for the alias at that time; for another region, time, replica not."""
    rows = [
        alias("a", START),
        clock(1),
        ran("spare", "z", 60, 120, region="eu"),
        decision(0, START + minutes(90), replica="spare", region="eu"),
        decision(1, START + minutes(90)),
        decision(2, START + minutes(90), region="us"),
        decision(3, START + minutes(90), replica="other"),
        decision(4, START + minutes(130)),
        decision(5, START + minutes(90), endpoint="v2"),
        alias("c", START, 1, alias="v2"),
        decision(6, START + minutes(59), ended_at=START + minutes(61)),
    ]
    result = attribute(tmp_path, rows, population="requests")
    assert (result.verdict, result.severity) == ("confirmed", "S1")
    assert [value(result, f"grade_{g}") for g in "abcde"] == [0, 1, 4, 2, 0]
    found = {r["checkpoint"]: (r["definite"], r["possible"]) for r in value(result, "checkpoints")}
    assert found == {"a": (3, 5), "c": (1, 1), "z": (1, 3)}
    assert "1 digest ran that no alias event names" in result.headline


def test_an_unlogged_digest_on_one_of_the_replicas_leaves_the_others_open(tmp_path: Path) -> None:
    """One replica logged the alias's digest, then another: the rest may have moved with it."""
    rows = [alias("a", START), clock(1), ran("r1", "a", 0, 60), ran("r1", "z", 60, 120)]
    rows += [decision(n, START + minutes(90), replica=f"r{n}") for n in (1, 2)]
    result = attribute(tmp_path, rows)
    assert [value(result, f"grade_{g}") for g in "bcd"] == [1, 0, 1]


@pytest.mark.parametrize("named", ["b", "c"])
def test_a_replica_that_switches_is_not_settled_by_the_alias(tmp_path: Path, named: str) -> None:
    """The alias moved five minutes before, or names what the replica did not run at all."""
    rows = [alias("a", START), alias(named, START + minutes(30), 1), clock(20)]
    rows += [ran("r", "a", 0, 35), ran("r", "b", 35)]
    result = attribute(tmp_path, [*rows, decision(0, START + minutes(35), replica="r")])
    assert [value(result, f"grade_{g}") for g in "abcde"] == [0, 0, 0, 1, 0]
    assert {r["checkpoint"] for r in value(result, "checkpoints")} == {"a", "b"}


def test_the_alias_tells_which_of_two_models_of_a_replica_answered(tmp_path: Path) -> None:
    rows = [alias("a", START), alias("b", START, 1, alias="v2"), clock(20)]
    rows += [ran("r", "a", 0, 300), ran("r", "b", 5, 300)]
    result = attribute(tmp_path, [*rows, decision(0, START + minutes(60), replica="r")])
    assert value(result, "grade_c") == 1


def test_a_replica_of_one_name_in_two_regions_is_two(tmp_path: Path) -> None:
    """As pods of a stateful set, which bear the same names in every cluster."""
    rows = [clock(1), ran("pod-0", "a", 0, region="eu"), ran("pod-0", "b", 60, region="us")]
    rows += [
        decision(n, START + minutes(90), replica="pod-0", region=region)
        for n, region in enumerate(("eu", "us", None))
    ]
    result = attribute(tmp_path, rows)
    assert [value(result, f"grade_{g}") for g in "bd"] == [2, 1]
    found = {r["checkpoint"]: (r["definite"], r["possible"]) for r in value(result, "checkpoints")}
    assert found == {"a": (1, 2), "b": (1, 2)}


def test_a_replica_in_one_region_is_found_however_requests_name_it(tmp_path: Path) -> None:
    rows = [clock(1), ran("pod-0", "a", 0, region="eu"), ran("pod-0", "b", 60)]
    rows += [decision(0, START + minutes(90), replica="pod-0", region="eu-west-1")]
    result = attribute(tmp_path, rows)
    assert [r["checkpoint"] for r in value(result, "checkpoints")] == ["b"]


def test_what_ran_for_other_endpoints_or_before_the_log_is_no_rotation(tmp_path: Path) -> None:
    rows = [
        alias("a", START + minutes(60)),
        clock(1),
        ran("vectors", "e", 0),
        decision(0, START + minutes(90), replica="vectors", endpoint="vectors"),
        ran("r1", "before", 0, 59),
        decision(1, START + minutes(30), checkpoint="before"),
        decision(2, START + minutes(90)),
    ]
    result = attribute(tmp_path, rows)
    assert value(result, "unlogged_rotations") == 0
    assert [value(result, f"grade_{g}") for g in "abcde"] == [1, 1, 1, 0, 0]


def test_the_replica_that_alone_contradicts_the_alias_is_named(tmp_path: Path) -> None:
    rows = [alias("a", START), alias("b", START + minutes(60), 1), clock(1), ran("batch", "a", 0)]
    rows += [decision(n, START + minutes(90), replica=("batch", "web")[n]) for n in range(2)]
    result = attribute(tmp_path, rows)
    assert result.verdict == "supported"
    assert "other records of replica batch contradict the alias log" in result.headline
    assert "all of replica batch" in result.falsifier.outcome


def test_a_gap_in_the_log_is_no_candidate(tmp_path: Path) -> None:
    rows = [
        alias("a", START, valid_until=START + minutes(60)),
        alias("b", START + minutes(120), 1),
        decision(0, START + minutes(90)),
        clock(1),
    ]
    result = attribute(tmp_path, rows)
    assert value(result, "grade_e") == 1
    assert result.verdict == "confirmed"


def test_a_log_that_begins_late_caps_the_verdict(tmp_path: Path) -> None:
    rows = [alias("a", START + minutes(60)), clock(1)]
    rows += [decision(i, START + minutes(i * 30)) for i in range(6)]
    result = attribute(tmp_path, rows)
    assert value(result, "grade_e") == 2
    assert result.verdict == "supported"


def test_a_log_that_begins_late_caps_the_verdict_whatever_the_clocks(tmp_path: Path) -> None:
    """Just before the log begins the clocks leave one candidate or none: that is the log's gap."""
    rows = [alias("a", START + minutes(60)), clock(120)]
    rows += [decision(i, START + minutes(i)) for i in range(90)]
    result = attribute(tmp_path, rows)
    assert (value(result, "grade_d"), value(result, "grade_e")) == (2, 58)
    assert result.verdict == "supported"
    assert result.rivals[0].why.startswith("60 of 60 decisions")


def test_a_record_without_an_endpoint_is_no_gap_of_the_export(tmp_path: Path) -> None:
    rows = [alias("a", START), clock(1), decision(0, START + minutes(1))]
    result = attribute(tmp_path, [*rows, decision(1, START + minutes(1), endpoint=None)])
    assert value(result, "grade_e") == 1
    assert result.verdict == "confirmed"
    assert result.rivals[0].why.startswith("0 of 1 decision")
    assert result.rivals[0].why.endswith("1 do not, 1 of them without an endpoint")


def test_a_registry_that_knows_only_the_present_yields_to_a_history(tmp_path: Path) -> None:
    present = {"source": "mlflow registry (current only)"}
    rows = [
        alias("a", START),
        alias("models:/m/3", START + minutes(30), 1, **present),
        decision(0, START + minutes(60)),
        clock(1),
    ]
    result = attribute(tmp_path, rows)
    assert (value(result, "grade_c"), value(result, "boundaries")) == (1, 0)


def test_an_alias_goes_by_its_uri_too(tmp_path: Path) -> None:
    """Of two models with one alias name the URI tells which; a plain history is of the only one."""

    def of(model: str, checkpoint: str, number: int) -> Row:
        uri = {"attributes": {"model": model, "uri": f"models:/{model}@champion"}}
        at = START + minutes(60 + number)
        now = "mlflow registry (current only)"
        return alias(checkpoint, at, number, alias="champion", source=now, **uri)

    rows = [of("credit", "a", 0), clock(1)]
    rows += [decision(n, START + minutes(90), endpoint="models:/credit@champion") for n in (1, 2)]
    rows.append(decision(3, START + minutes(90), endpoint="champion"))
    rows.append(
        decision(4, START + minutes(30), endpoint="models:/credit@champion", checkpoint="o")
    )

    def judge(name: str, *more: Row) -> list[Any]:
        (tmp_path / name).mkdir()
        result = attribute(tmp_path / name, [*rows, *more])
        return [value(result, n) for n in ("grade_a", "grade_c", "grade_d", "unlogged_rotations")]

    assert judge("one") == [1, 3, 0, 0]
    assert judge("two", of("fraud", "b", 1)) == [1, 2, 1, 0]
    history = alias("a", START + minutes(20), 2, alias="champion")
    assert judge("history", history) == [1, 3, 0, 1]


def test_a_move_of_an_alias_that_callers_name_in_two_ways_is_one(tmp_path: Path) -> None:
    """Under its name and its URI one alias moved; of two models with one alias each moved."""

    def moved(model: str, late: int = 0) -> list[Row]:
        uri = {"alias": "champion", "attributes": {"uri": f"models:/{model}@champion"}}
        return [alias(digest + model, START + minutes(60 * n + late), 3 * late + n, **uri)
                for n, digest in enumerate("aab")]  # fmt: skip

    def judge(name: str, rows: list[Row], called: list[str]) -> Result:
        (tmp_path / name).mkdir()
        at = START + minutes(120)
        rows = [*rows, *(decision(n, START + minutes(10 + 5 * n), endpoint=called[n % 2])
                         for n in range(30)), decision(30, at, endpoint=called[1])]  # fmt: skip
        return attribute(tmp_path / name, [*rows, clock(1)])

    def counted(result: Result) -> list[Any]:
        return [value(result, "boundaries"), value(result, "rotations"), len(result.breaks)]

    uris = ["models:/A@champion", "models:/B@champion"]
    one = judge("one", moved("A"), ["champion", uris[0]])
    assert counted(one) == [1, 1, 1]
    assert "the alias made 1 rotation with 1 boundary" in one.headline
    assert one.rivals[2].why.startswith("1 re-asserted event ")
    (drawn,) = (chart for chart in one.charts if chart.id == "in_force")
    assert {row["lane"] for row in drawn.rows} == {"champion"}
    two = judge("two", moved("A") + moved("B", 3), uris)
    assert counted(two) == [2, 2, 2]
    assert "2 aliases made" in two.headline


def test_embeddings_decide_nothing(tmp_path: Path) -> None:
    rows = [alias("a", START), clock(1)]
    rows.append(decision(0, START + minutes(1), decision=None, operation="acompletion"))
    rows.append(decision(1, START + minutes(1), decision=None))
    calls = [
        decision(2 + n, START + minutes(2), decision=None, operation=operation, endpoint="vectors")
        for n, operation in enumerate(("EMBEDDING", "aembedding", "embeddings", "arerank"))
    ]
    (tmp_path / "only").mkdir()
    result = attribute(tmp_path, [*rows, *calls])
    assert (result.verdict, value(result, "decisions")) == ("clean", 2)
    assert any("4 calls for embeddings or rankings" in limit for limit in result.limits)
    assert attribute(tmp_path / "only", [*rows[:2], *calls]).verdict == "not_testable"


def test_only_what_decides_is_an_unlogged_digest(tmp_path: Path) -> None:
    rows = [alias("a", START), clock(1), decision(0, START + minutes(1))]
    call = decision(1, START + minutes(2), decision=None, operation="embeddings", checkpoint="e")
    call.values["endpoint"] = None
    result = attribute(tmp_path, [*rows, call])
    assert (value(result, "unlogged_rotations"), result.verdict) == (0, "clean")


def test_numbers_of_requests_that_decide_nothing_are_not_missing(tmp_path: Path) -> None:
    rows = [alias("a", START), clock(1)]
    rows += [decision(n, START + minutes(1), decision="yes" if n % 5 else None) for n in range(20)]
    (tmp_path / "gap").mkdir()
    assert any("0 of the 19 from" in limit for limit in attribute(tmp_path, rows).limits)
    rows.pop(6)
    assert any("1 of the 19 from" in limit for limit in attribute(tmp_path / "gap", rows).limits)


def test_a_bound_of_a_clock_has_no_sign(tmp_path: Path) -> None:
    rows = [alias("a", START), alias("b", START + minutes(1), 1), clock(-5.0, -1.0)]
    result = attribute(tmp_path, [*rows, decision(0, START + minutes(1))])
    assert value(result, "clock_error_s") == 6
    assert value(result, "grade_d") == 1


def test_several_aliases_and_more_open_decisions_than_ticks_are_said(tmp_path: Path) -> None:
    rows = [clock(1)]
    for n, name in enumerate(("v1", "v2")):
        rows += [
            alias("a", START + minutes(60), 2 * n, alias=name),
            alias("b", START + minutes(70), 2 * n + 1, alias=name),
            decision(900 + n, START + minutes(80), endpoint=name),
        ]
    rows += [decision(n, START + minutes(n % 50)) for n in range(600)]
    result = attribute(tmp_path, rows)
    assert "2 aliases made" in result.headline
    (drawn,) = (chart for chart in result.charts if chart.id == "in_force")
    assert drawn.title.startswith("2 aliases moved 1 time ")
    assert "the first 500 of 600 unattributed decisions" in drawn.alt
    assert any("the 600 without a candidate apart" in f.statement for f in result.findings)


def test_without_any_history_it_cannot_be_tested(tmp_path: Path) -> None:
    result = attribute(tmp_path, [decision(0, START)])
    assert result.verdict == "not_testable"
    assert {"alias_events", "deployments"} <= {m.table for m in result.missing}


def test_without_any_history_it_says_how_many_lack_a_digest(tmp_path: Path) -> None:
    stamped = [decision(n, START, checkpoint="a") for n in range(9)]
    result = attribute(tmp_path, [*stamped, decision(9, START)])
    assert result.verdict == "not_testable"
    assert "1 of 10 decisions" in result.headline


def test_without_clocks_it_cannot_be_clean(tmp_path: Path) -> None:
    rows = [alias("a", START), decision(0, START + minutes(5))]
    result = attribute(tmp_path, rows)
    assert result.verdict == "inconclusive"
    assert "clocks" in {m.table for m in result.missing}


def test_a_fingerprint_of_one_checkpoint_settles_what_is_open(tmp_path: Path) -> None:
    rows = [alias("a", START), alias("b", START + minutes(60), 1), clock(60)]
    rows += [decision(0, START + minutes(10), fingerprint="fp-a")]
    rows += [decision(1, START + minutes(60), fingerprint="fp-a")]
    result = attribute(tmp_path, rows)
    assert result.falsifier.falsified
    assert result.verdict == "inconclusive"


def test_the_same_case_gives_the_same_evidence(diagnosed: Diagnosed) -> None:
    first, _ = diagnosed("output_attribution.planted", 5)
    assert first == diagnosed.anew("output_attribution.planted", 5)


@pytest.mark.parametrize(
    ("digests", "rotations"),
    [("", 0), ("a", 0), ("aa", 0), ("ab", 1), ("aba", 2), ("abab", 2), ("ababcd", 4),
     ("abac", 3), ("abcbc", 3), ("abcb", 3)],
)  # fmt: skip
def test_rotations_count_a_rollback_once(digests: str, rotations: int) -> None:
    assert count_rotations(list(digests)) == rotations
