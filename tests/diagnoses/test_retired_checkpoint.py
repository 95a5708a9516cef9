"""What `retired_checkpoint` must state, against planted numbers and cases of a few rows."""

from datetime import datetime, timedelta
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

from casework.case import Note, Row
from casework.findings import Result
from casework.tables import checkpoints, deployments, eval_runs, eval_samples, requests, tickets

NOON = START + timedelta(hours=12, minutes=5)


def judge(tmp_path: Path, rows: list[Any], **settings: Any) -> Result:
    return diagnose_rows(tmp_path, "retired_checkpoint", rows, **settings)


def ticket(number: int, reported: datetime, **more: Any) -> Row:
    values = {"ticket_id": f"t{number}", "reported_at": reported, "endpoint": "v1"}
    return Row(tickets, f"row {number + 1}", values | more)


def stored(name: str, *, there: bool | None = True, place: str = "s3", **more: Any) -> Row:
    values = {"checkpoint": name, "uri": place, "exists": there}
    return Row(checkpoints, f"{name} {place}", values | more)


def replay(name: str, number: int, said: str) -> list[Row]:
    """One replay of `t0` on a checkpoint."""
    run = {"run_id": f"{name}{number}", "suite": "replay", "started_at": NOON, "checkpoint": name}
    sample = {"run_id": f"{name}{number}", "item_id": "t0", "condition": "replay",
              "output_text": said}  # fmt: skip
    return [Row(eval_runs, f"{name}{number}", run), Row(eval_samples, f"{name}{number}", sample)]


def of(result: Result, name: str) -> dict[str, float]:
    """The candidates of one ticket with their probabilities."""
    row = next(row for row in value(result, "tickets") if row["ticket_id"] == name)
    return {c["checkpoint"]: c["probability"] for c in row["candidates"]}


def grades(result: Result) -> dict[str, str]:
    return {row["ticket_id"]: row["grade"] for row in value(result, "tickets")}


def outcomes(result: Result) -> dict[str, str]:
    return {rival.explanation: rival.outcome for rival in result.rivals}


TWO = [alias("a", START - timedelta(days=9)), alias("b", NOON, 1), stored("a"), stored("b")]


@pytest.mark.parametrize("seed", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_planted_numbers_are_found(diagnosed: Diagnosed, seed: int) -> None:
    result, truth = diagnosed("retired_checkpoint.planted", seed)
    names = ("resolved", "ambiguous", "unresolved", "unreachable")
    assert {n: value(result, n) for n in names} == {n: truth.numbers[n] for n in names}
    assert result.measures["tickets"].n == truth.numbers["ticket_count"]
    found = {
        row["ticket_id"]: sorted(c["checkpoint"] for c in row["candidates"] if c["checkpoint"])
        for row in value(result, "tickets")
    }
    assert found == truth.numbers["candidates"]
    assert result.verdict == "confirmed"
    named = [name for name, candidates in found.items() if candidates]
    assert all(abs(sum(of(result, name).values()) - 1) < 0.1 for name in named)


STORIES = {
    "healthy": "clean", "adapter_remains": "confirmed", "zone_not_named": "supported",
    "other_lane": "clean",
}  # fmt: skip
MORE_STORIES = {
    "deleted_weights": "confirmed", "one_era": "clean", "reasserted_alias": "clean",
    "stamped_at_a_swap": "clean", "local_time": "clean", "cached_answer": "clean",
    "replayed": "clean", "log_begins_late": "supported", "named_and_not_stamped": "clean",
    "report_time_alone": "supported", "batches_differ": "clean", "index_changed": "clean",
    "silent_move": "supported", "reproduced_anywhere": "supported",
}  # fmt: skip


@pytest.mark.parametrize(
    ("story", "verdict"),
    [*STORIES.items(),
     *(pytest.param(*item, marks=pytest.mark.slow) for item in MORE_STORIES.items())],
)  # fmt: skip
def test_a_story_is_judged_rightly(diagnosed: Diagnosed, story: str, verdict: str) -> None:
    result, truth = diagnosed(f"retired_checkpoint.{story}", 4)
    assert result.verdict == verdict
    for name in {"resolved", "ambiguous", "unresolved", "unreachable"} & truth.numbers.keys():
        assert value(result, name) == truth.numbers[name], name


@pytest.mark.parametrize("story", ["daylight_saving", "regional_lag", "sticky_sessions"])
def test_each_ticket_gets_the_checkpoint_that_answered(diagnosed: Diagnosed, story: str) -> None:
    result, truth = diagnosed(f"retired_checkpoint.{story}", 4)
    found = {name: sorted(of(result, name)) for name in truth.numbers["candidates"]}
    assert found == truth.numbers["candidates"]
    assert result.verdict == "clean"


def test_replays_on_a_rebuilt_index_settle_nothing(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("retired_checkpoint.replayed_on_another_index", 4)
    ((name, candidates),) = truth.numbers["candidates"].items()
    assert sorted(of(result, name)) == candidates
    assert result.verdict == "confirmed"
    assert any("ask another system" in limit for limit in result.limits)


def moved_at(hours: int, prints: list[str], later: list[str]) -> list[Row]:
    """Requests of two days, a dozen an hour, whose fingerprints change after some hours."""
    return [
        decision(i, START + minutes(5 * i),
                 fingerprint=(prints if i < 12 * hours else later)[i % 2])
        for i in range(12 * 48)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "prints", "later", "moves", "verdict"),
    [
        (20, ["f1", "f2"], ["f3", "f4"], 1, "supported"),
        (20, ["f1", "f2"], ["f2", "f3"], 0, "clean"),
        (48, ["f1", "f2"], [], 0, "clean"),
        (1, ["f1", "f1"], ["f2", "f2"], 0, "clean"),
    ],
)
def test_a_provider_that_moves_silently_shows_by_all_its_fingerprints(
    tmp_path: Path, hours: int, prints: list[str], later: list[str], moves: int, verdict: str
) -> None:
    rows = [alias("a", START - minutes(5)), stored("a"), *moved_at(hours, prints, later)]
    rows += [
        ticket(0, START + timedelta(days=3), observed_at=START + timedelta(hours=3, minutes=1))
    ]
    result = judge(tmp_path, rows)
    assert (value(result, "silent_moves"), result.verdict) == (moves, verdict)


def test_a_request_beats_the_window_and_a_digest_the_alias(tmp_path: Path) -> None:
    ran = {"replica": "r1", "checkpoint": "c", "valid_from": START}
    rows = [*TWO, stored("c"), Row(deployments, "row 1", ran), clock(1)]
    rows += [
        decision(0, NOON, checkpoint="a"), decision(1, NOON, replica="r1"),
        decision(2, NOON - minutes(60), replica="r2"), decision(3, NOON, replica="r2"),
        decision(4, NOON - minutes(60)),
    ]  # fmt: skip
    rows += [ticket(i, NOON + minutes(90), request_id=f"d{i}") for i in range(5)]
    result = judge(tmp_path, rows)
    assert grades(result) == {"t0": "A", "t1": "B", "t2": "C", "t3": "D", "t4": "D"}
    assert of(result, "t3") == {"a": 0.5, "b": 0.5}
    assert of(result, "t4") == {"a": 0.5, "c": 0.5}  # no alias event names c, and r1 ran it
    assert (value(result, "resolved"), value(result, "ambiguous")) == (3, 2)


def test_when_it_was_seen_counts_and_not_when_it_was_reported(tmp_path: Path) -> None:
    rows = [*TWO, ticket(0, NOON + minutes(600), observed_at=NOON - minutes(1)),
            ticket(1, NOON + minutes(600), observed_at=NOON)]  # fmt: skip
    result = judge(tmp_path, rows, clock_error_s=0)
    assert (of(result, "t0"), of(result, "t1")) == ({"a": 1.0}, {"b": 1.0})
    assert result.verdict == "clean"
    wide = judge(_sub(tmp_path), rows, clock_error_s=90)
    assert wide.measures["ambiguous"].value == 2


def _sub(folder: Path, name: str = "inner") -> Path:
    inner = folder / name
    inner.mkdir()
    return inner


def test_candidates_are_weighted_by_the_traffic_of_the_window(tmp_path: Path) -> None:
    before = [decision(i, NOON - minutes(5 * i + 65)) for i in range(10)]
    after = [decision(100 + i, NOON + minutes(2 * i + 65)) for i in range(30)]
    seen = ticket(0, NOON + timedelta(hours=10))
    result = judge(tmp_path, [*TWO, *before, *after, seen], lag_s=20 * 3600)
    assert of(result, "t0") == pytest.approx({"a": 0.25, "b": 0.75}, abs=0.01)
    assert value(result, "ambiguous") == 1


@pytest.mark.parametrize(("share", "expected"), [(3, 1 / 3), (20, 0.95)])
def test_a_region_is_weighed_by_its_own_traffic(
    tmp_path: Path, share: int, expected: float
) -> None:
    """Two regions ran b; they are not one region twice, and not as large as the other."""
    log = [alias("b" if n else "a", START - timedelta(days=9), n, region=region)
           for n, region in enumerate(("us", "eu", "ap"))]  # fmt: skip
    where = (lambda i: ("us", "eu", "ap")[i % 3]) if share == 3 else (lambda i: "us" if i % 20
                                                                     else "eu")  # fmt: skip
    asked = [decision(i, NOON - minutes(3 * i + 61), region=where(i)) for i in range(60)]
    seen = ticket(0, NOON, observed_at=NOON - timedelta(hours=2))
    rows = [*log, *asked, seen, stored("a"), stored("b")]
    result = judge(tmp_path, rows, clock_error_s=7_200)
    assert of(result, "t0")["a"] == pytest.approx(expected, abs=0.02)


def test_what_a_replica_ran_unlogged_is_a_candidate_of_a_window_too(tmp_path: Path) -> None:
    """A ticket that leads to a request at that time has both, and so has one that leads to none."""
    ran = {"replica": "r1", "checkpoint": "c", "valid_from": START}
    rows = [*TWO, stored("c"), Row(deployments, "row 1", ran), clock(1)]
    rows += [decision(1, NOON, replica="r1"), decision(2, NOON - minutes(60)),
             ticket(0, NOON, request_id="d2"),
             ticket(1, NOON, observed_at=NOON - minutes(60))]  # fmt: skip
    result = judge(tmp_path, rows)
    assert of(result, "t0") == of(result, "t1") == {"a": 0.5, "c": 0.5}


def test_without_traffic_time_is_the_weight(tmp_path: Path) -> None:
    rows = [*TWO, ticket(0, NOON + timedelta(hours=2))]
    result = judge(tmp_path, rows, lag_s=8 * 3600)
    assert of(result, "t0") == pytest.approx({"a": 0.75, "b": 0.25}, abs=0.01)


SWAP = START + timedelta(hours=12)


@pytest.mark.parametrize(
    ("before", "found"), [(1, {"a": 11 / 14, "b": 3 / 14}), (70, {"a": 1.0})], ids=["few", "many"]
)
def test_a_stretch_without_a_logged_request_may_hold_the_answer(
    tmp_path: Path, before: int, found: dict[str, float]
) -> None:
    """The answer was given, whatever was logged; only many requests of a show that b is rare."""
    log = [alias("a", START - timedelta(days=9)), alias("b", SWAP, 1), stored("a"), stored("b")]
    asked = [stamped(i, SWAP - minutes(30 + i / 3), "a") for i in range(before)]
    seen = ticket(0, SWAP + timedelta(days=9), observed_at=SWAP - minutes(30))
    result = judge(tmp_path, [*log, *asked, seen], clock_error_s=3600)
    assert of(result, "t0") == pytest.approx(found, abs=0.01)
    assert (value(result, "resolved"), result.verdict) == (
        (1, "clean") if before > 1 else (0, "confirmed"))  # fmt: skip


@pytest.mark.parametrize(
    ("log", "asked", "found"),
    [
        ([alias("a", START)], {"checkpoint": "c", "lane": "x", "account_id": "k"}, "c"),
        ([alias("a", START, region="us"), alias("z", START, 1, region="ap")],
         {"region": "us"}, "a"),
    ],
    ids=["a lane with stamps of its own", "a region that stands by"],
)  # fmt: skip
def test_what_a_lane_or_a_region_logged_stays_certain(
    tmp_path: Path, log: list[Row], asked: dict[str, str], found: str
) -> None:
    """The answer of the ticket is one request of its lane, and of a region that has any."""
    rows = [*log, *(decision(i, SWAP - minutes(9 * i), **asked) for i in range(3))]
    seen = ticket(0, NOON, observed_at=SWAP - minutes(9), account_id=asked.get("account_id"))
    assert of(judge(tmp_path, [*rows, seen], clock_error_s=600), "t0") == pytest.approx(
        {found: 1.0}, abs=1e-4)  # fmt: skip


def test_an_assumed_lag_alone_is_not_confirmed(tmp_path: Path) -> None:
    result = judge(tmp_path, [*TWO, ticket(0, NOON + timedelta(days=3))])
    assert result.parameters["lag_s"].source == "default"
    assert result.verdict == "supported"
    given = judge(_sub(tmp_path), [*TWO, ticket(0, NOON + timedelta(days=3))], lag_s=8 * 86400)
    assert given.verdict == "confirmed"


def test_few_reports_may_show_that_the_lag_is_long_and_not_that_it_is_short(
    tmp_path: Path,
) -> None:
    def lag(days: float) -> Any:
        seen = ticket(1, NOON + timedelta(days=days), observed_at=NOON)
        rows = [*TWO, seen, ticket(0, NOON + timedelta(days=50))]
        return judge(_sub(tmp_path, f"{days}"), rows).parameters["lag_s"]

    assert (lag(3).value, lag(3.5).source) == (42 * 86_400, "default")
    assert (lag(60).value, lag(61).source) == (60 * 86_400, "inferred")


def test_an_account_without_a_request_in_the_window_is_where_its_others_are(
    tmp_path: Path,
) -> None:
    """The other region follows the swap two days later."""
    log = [
        alias("a", START - timedelta(days=9), 0, region="us"),
        alias("b", NOON, 1, region="us"),
        alias("a", START - timedelta(days=9), 2, region="eu"),
        alias("b", NOON + timedelta(days=2), 3, region="eu"),
        stored("a"),
        stored("b"),
    ]
    asked = [
        decision(n, START - timedelta(hours=n), account_id=name, region=region)
        for n, (name, region) in enumerate([("e", "eu"), ("u", "us"), ("m", "eu"), ("m", "us")])
    ]
    seen = NOON + timedelta(days=1)
    reports = [ticket(n, seen + timedelta(days=3), observed_at=seen, account_id=name)
               for n, name in enumerate("eum")]  # fmt: skip
    result = judge(tmp_path, [*log, *asked, *reports])
    assert (of(result, "t0"), of(result, "t1")) == ({"a": 1.0}, {"b": 1.0})
    assert of(result, "t2").keys() == {"a", "b"}, "that account is in both"
    assert any("2 tickets of accounts without a request" in limit for limit in result.limits)


def test_candidates_are_told_until_they_are_certain_together(tmp_path: Path) -> None:
    """What is unlikely is told where the likely ones leave room, and does not count as gone."""
    rows = [alias("a", START - timedelta(days=9)), alias("b", NOON - minutes(117), 1),
            alias("c", NOON - minutes(2), 2), stored("a", there=False), stored("b"), stored("c"),
            ticket(0, NOON)]  # fmt: skip
    result = judge(tmp_path, rows, lag_s=7_200, clock_error_s=0)
    found = of(result, "t0")
    assert found == pytest.approx({"b": 115 / 120, "a": 3 / 120, "c": 2 / 120}, abs=0.01)
    assert (value(result, "ambiguous"), value(result, "unreachable")) == (1, 0)


def test_an_alias_without_a_log_is_another_gap_than_a_log_that_begins_late(
    tmp_path: Path,
) -> None:
    late = [ticket(0, NOON, observed_at=START - timedelta(days=20))]
    rows = [*TWO, *late, ticket(1, NOON, observed_at=NOON - minutes(5), endpoint="ghost")]
    result = judge(tmp_path, rows)
    assert value(result, "unresolved") == 2
    rival = next(r for r in result.rivals if r.explanation.startswith("The alias log begins"))
    assert rival.why.startswith("1 before the log, of 2 tickets")
    assert any("older part" in said for said in result.remedies)
    assert any("alias log of ghost" in said for said in result.remedies)


def test_a_date_alone_is_a_day_in_any_zone(tmp_path: Path) -> None:
    rows = [*TWO, ticket(0, START + timedelta(days=4), observed_at=START)]
    rows += [ticket(1, START + timedelta(days=4), observed_at=START + timedelta(days=1))]
    result = judge(tmp_path, rows, clock_error_s=0)
    assert of(result, "t0") == pytest.approx({"a": 26.08 / 50, "b": 23.92 / 50}, abs=0.001)
    assert of(result, "t1") == pytest.approx({"b": 0.958, "a": 0.042}, abs=0.001)
    assert value(result, "ambiguous") == 2
    assert any("a day alone" in limit for limit in result.limits)


@pytest.mark.parametrize(
    ("reported", "seen", "found"),
    [(START, START, {"a", "b"}), (START, None, {"a", "b"}),
     (START, NOON + timedelta(hours=1), {"b"})],
    ids=["both are dates", "the report alone", "seen on the day of the report"],
)  # fmt: skip
def test_a_report_with_a_date_alone_is_of_that_day(
    tmp_path: Path, reported: datetime, seen: datetime | None, found: set[str]
) -> None:
    """A spreadsheet that keeps days only: midnight is not the end of what may have been seen."""
    rows = [*TWO, ticket(0, reported, observed_at=seen)]
    result = judge(tmp_path, rows, clock_error_s=0, lag_s=3600)
    assert of(result, "t0").keys() == found
    assert not any("after they were reported" in limit for limit in result.limits)


def test_a_zone_explains_no_ticket_that_names_its_request(tmp_path: Path) -> None:
    said = Note("reported_at has no time zone and was read as UTC")
    rows = [*TWO, clock(60), decision(0, NOON), ticket(0, NOON, request_id="d0"), said]
    result = judge(tmp_path, rows)
    assert outcomes(result)["The reporter's time zone"] == "excluded"
    assert (result.verdict, value(result, "ambiguous")) == ("confirmed", 1)


def test_a_report_without_a_zone_is_no_end_of_its_window(tmp_path: Path) -> None:
    """Both instants are eight hours off together where the desk is west of UTC."""
    seen, said = NOON - timedelta(hours=2), Note("observed_at has no time zone and was read as UTC")
    rows = [*TWO, ticket(0, NOON - timedelta(hours=1), observed_at=seen), said]
    result = judge(tmp_path, rows, clock_error_s=0)
    assert of(result, "t0").keys() == {"a", "b"}
    assert (result.verdict, value(result, "ambiguous")) == ("supported", 1)


def test_seen_after_it_was_reported_is_a_contradiction(tmp_path: Path) -> None:
    rows = [*TWO, ticket(0, NOON - minutes(30), observed_at=NOON + minutes(5))]
    result = judge(tmp_path, rows, lag_s=3600)
    assert of(result, "t0") == {"a": 1.0}
    assert any("after the report" in limit for limit in result.limits)


def test_the_text_of_an_answer_leads_to_its_request(tmp_path: Path) -> None:
    rows = [
        *TWO,
        decision(0, NOON - minutes(90), output_text="It is 42.", checkpoint="a"),
        decision(1, NOON + minutes(90), output_text="It is 41.", checkpoint="b"),
        ticket(0, NOON + minutes(200), observed_at=NOON + minutes(100), output="It is 42."),
    ]
    result = judge(tmp_path, rows)
    assert of(result, "t0") == {"a": 1.0}
    assert grades(result) == {"t0": "A"}


def test_a_ticket_may_name_the_trace_of_its_request(tmp_path: Path) -> None:
    rows = [
        *TWO,
        decision(0, NOON - minutes(1), trace_id="trace-7", checkpoint="a", output_text="x"),
        decision(1, NOON + minutes(9), checkpoint="b", output_text="x"),
        ticket(0, NOON + minutes(60), request_id="trace-7", output="x"),
        ticket(1, NOON + minutes(60), request_id="trace-8", output="x"),
    ]
    result = judge(tmp_path, rows)
    assert of(result, "t0") == {"a": 1.0}
    assert of(result, "t1") == {"a": 0.5, "b": 0.5}  # its id leads nowhere, the text does
    assert grades(result)["t0"] == "A"
    assert not any("not among the records" in limit for limit in result.limits)


def test_an_embedding_answers_no_ticket(tmp_path: Path) -> None:
    """It stands in the trace of the answer, at an endpoint of its own that has no alias log."""
    of_numbers = {"operation": "embeddings", "endpoint": "text-embedding", "decision": None}
    rows = [
        *TWO,
        decision(0, NOON - minutes(1), trace_id="trace-7", checkpoint="a"),
        decision(1, NOON - minutes(1), trace_id="trace-7", **of_numbers),
        ticket(0, NOON + minutes(60), request_id="trace-7"),
        ticket(1, NOON + minutes(60), observed_at=NOON - minutes(60), endpoint=None),
    ]
    result = judge(tmp_path, rows)
    assert (of(result, "t0"), of(result, "t1")) == ({"a": 1.0}, {"a": 1.0})
    assert result.verdict == "clean"


def test_the_endpoint_of_a_ticket_may_have_other_capitals(tmp_path: Path) -> None:
    seen = {"observed_at": NOON + minutes(100), "endpoint": " V1"}
    rows = [*TWO, alias("z", START, 2, alias="other"), clock(1)]
    rows += [ticket(0, NOON + minutes(200), **seen)]
    assert of(judge(tmp_path, rows), "t0") == {"b": 1.0}


def test_a_common_answer_keeps_all_its_checkpoints(tmp_path: Path) -> None:
    said = {"output_text": "Sorry."}
    rows = [*TWO, decision(0, NOON - minutes(90), checkpoint="a", **said)]
    rows += [decision(1 + i, NOON + minutes(90 + i), checkpoint="b", **said) for i in range(3)]
    rows += [ticket(0, NOON + minutes(200), observed_at=NOON + minutes(100), output="Sorry.")]
    assert of(judge(tmp_path, rows), "t0") == {"a": 0.25, "b": 0.75}


def test_a_request_with_two_candidates_counts_once(tmp_path: Path) -> None:
    said = {"output_text": "Sorry."}
    rows = [*TWO, clock(60), decision(0, NOON, **said), decision(1, NOON - minutes(90), **said),
            ticket(0, NOON + minutes(60), output="Sorry.")]  # fmt: skip
    assert of(judge(tmp_path, rows), "t0") == {"a": 0.75, "b": 0.25}


def test_a_fingerprint_settles_a_request_on_a_boundary(tmp_path: Path) -> None:
    rows = [*TWO, clock(60), decision(0, NOON, fingerprint="fp-a"),
            ticket(0, NOON + minutes(60), request_id="d0")]  # fmt: skip
    rows += [decision(10 + i, NOON - minutes(100 + i), checkpoint="a", fingerprint="fp-a")
             for i in range(80)]  # fmt: skip
    rows += [decision(200 + i, NOON + minutes(100 + i), checkpoint="b", fingerprint="fp-b")
             for i in range(80)]  # fmt: skip
    result = judge(tmp_path, rows)
    assert of(result, "t0").keys() == {"a"}
    assert result.falsifier.falsified
    assert result.verdict == "clean"


def test_replays_need_a_control_that_does_not_reproduce(tmp_path: Path) -> None:
    rows = [*TWO, clock(60), ticket(0, NOON + minutes(60), observed_at=NOON, output="x")]
    for i in range(150):
        rows += [*replay("a", i, "x"), *replay("b", i, "y")]
    result = judge(tmp_path, rows)
    assert of(result, "t0").keys() == {"a"}
    table = {row["checkpoint"]: row for row in value(result, "reproduction")}
    assert table["b"]["excludes_5_percent"]
    assert table["b"]["high"] == pytest.approx(1 - 0.05 ** (1 / 150))
    inner = _sub(tmp_path)
    control = judge(inner, [*rows, *replay("c", 0, "x")])
    assert set(of(control, "t0")) == {"a", "b"}
    whole = "It is not of the checkpoint but of the prompt, the data or a tool"
    assert outcomes(control)[whole] == "not_excluded"
    assert control.verdict == "supported"
    assert any("Look into the prompt" in remedy for remedy in control.remedies)
    assert not any("Replay" in remedy for remedy in control.remedies)


def test_a_replay_that_nobody_judged_did_not_fail(tmp_path: Path) -> None:
    """The ticket quotes no answer, and only the replays on b have a score."""
    rows = [*TWO, clock(60), ticket(0, NOON + minutes(60), observed_at=NOON)]
    for i in range(150):
        run, sample = replay("b", i, "y")
        rows += [*replay("a", i, "x"), run, sample._replace(values={**sample.values, "score": 1})]
    result = judge(tmp_path, rows)
    assert [row["checkpoint"] for row in value(result, "reproduction")] == ["b"]
    assert of(result, "t0").keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("more", "reachable"),
    [
        ([stored("a")], True),
        ([stored("a", there=False)], False),
        ([stored("a", there=False), stored("a", place="tape")], True),
        ([stored("a", there=None)], None),
        ([stored("z")], None),
        ([stored("a", retained_until=START - timedelta(days=30))], False),
        ([stored("a", retained_until=START - timedelta(days=30), verified_at=START)], True),
        ([stored("a", base_checkpoint="base"), stored("base", there=False)], False),
        ([stored("a", base_checkpoint="base")], True),
        ([stored("a", base_checkpoint="a")], True),
        ([stored("a", there=True, verified_at=START),
          stored("a", there=False, verified_at=START + timedelta(days=1))], False),
    ],
)  # fmt: skip
def test_whether_it_can_be_run(tmp_path: Path, more: list[Row], reachable: bool | None) -> None:
    rows = [alias("a", START - timedelta(days=90)), *more,
            ticket(0, NOON, observed_at=NOON - minutes(5))]  # fmt: skip
    result = judge(tmp_path, rows)
    (row,) = value(result, "tickets")
    assert row["reachable"] is reachable
    assert result.verdict == {True: "clean", False: "confirmed", None: "inconclusive"}[reachable]


def test_a_candidate_that_no_record_names_is_not_known_to_be_there(tmp_path: Path) -> None:
    rows = [*TWO, ticket(0, START - timedelta(days=8))]
    (row,) = value(judge(tmp_path, rows, lag_s=2 * 86_400), "tickets")
    assert {c["checkpoint"]: c["reachable"] for c in row["candidates"]} == {None: None, "a": True}
    assert row["reachable"] is None


def test_the_grade_is_that_of_the_requests_of_the_checkpoint(tmp_path: Path) -> None:
    """One of 200 equal answers came from an endpoint of which nothing is known."""
    rows = [*TWO, ticket(0, NOON, output="Sorry.", endpoint=None)]
    rows += [decision(n, NOON - minutes(60 + n), output_text="Sorry.", endpoint="v1" if n else "v0",
                      checkpoint="a" if n else None) for n in range(200)]  # fmt: skip
    result = judge(tmp_path, rows)
    assert grades(result) == {"t0": "A"}
    assert value(result, "resolved") == 1


def test_a_contradicted_alias_log_is_not_clean(tmp_path: Path) -> None:
    rows = [*TWO, decision(0, NOON - minutes(60), checkpoint="b"),
            ticket(0, NOON, request_id="d0"),
            ticket(1, NOON, observed_at=NOON - minutes(70))]  # fmt: skip
    result = judge(tmp_path, rows)
    assert result.verdict == "supported"
    assert "contradicted by 1 of 1" in result.falsifier.outcome


def test_a_request_that_is_not_recorded_is_told(tmp_path: Path) -> None:
    rows = [*TWO, ticket(0, NOON, observed_at=NOON - minutes(70), request_id="gone")]
    result = judge(tmp_path, rows)
    assert of(result, "t0") == {"a": 1.0}
    assert any("not among the records" in limit for limit in result.limits)


def test_a_ticket_without_an_endpoint_needs_one_where_there_are_two(tmp_path: Path) -> None:
    rows = [*TWO, alias("c", START, 2, alias="v2"),
            ticket(0, NOON, endpoint=None, observed_at=NOON - minutes(5))]  # fmt: skip
    result = judge(tmp_path, rows)
    assert value(result, "unresolved") == 1
    assert grades(result) == {"t0": "E"}
    assert of(judge(_sub(tmp_path), rows, endpoint="v2"), "t0") == {"c": 1.0}


def test_without_any_history_it_cannot_be_tested(tmp_path: Path) -> None:
    result = judge(tmp_path, [ticket(0, NOON)])
    assert result.verdict == "not_testable"
    assert "alias_events" in {m.table for m in result.missing}


def test_hostile_names_are_data(tmp_path: Path) -> None:
    name = "'; DROP TABLE tickets; --<script>\u202e"
    seen = {"ticket_id": name, "observed_at": NOON - minutes(5), "output": name}
    rows = [alias(name, START), stored(name), ticket(0, NOON, **seen)]
    result = judge(tmp_path, rows)
    assert of(result, name) == {name: 1.0}
    assert result.verdict == "clean"


@pytest.mark.parametrize(
    ("there", "seen", "told"),
    [(True, [60], "The ticket is about exactly one checkpoint, which can still be run."),
     (False, [60], "The ticket is about exactly one checkpoint, which can no longer be run."),
     (None, [60], "The ticket is about exactly one checkpoint, but nothing says whether it can "
                  "still be run."),
     (True, [0], "The ticket has several candidates."),
     (True, [0, 60, 60], "Of 3 tickets 2 are about exactly one checkpoint, 1 has several "
                         "candidates and 0 none; for 0 a likely one can no longer be run.")],
)  # fmt: skip
def test_the_headline_counts_as_people_do(
    tmp_path: Path, there: bool | None, seen: list[int], told: str
) -> None:
    rows = [*TWO[:2], stored("a", there=there), stored("b"), clock(60)]
    rows += [ticket(n, NOON, observed_at=NOON - minutes(ago)) for n, ago in enumerate(seen)]
    assert judge(tmp_path, rows).headline == told


def test_the_same_case_gives_the_same_result(diagnosed: Diagnosed) -> None:
    first, _ = diagnosed("retired_checkpoint.planted", 3)
    assert first == diagnosed.anew("retired_checkpoint.planted", 3)


def stamped(number: int, at: datetime, name: str) -> Row:
    values = {"request_id": f"s{number}", "occurred_at": at, "endpoint": "v1", "checkpoint": name}
    return Row(requests, f"stamped {number}", values)


@pytest.mark.parametrize(
    ("hours", "found"),
    [
        (-30, {}),
        (-5, {"a": 1.0}),
        (0, {"a": 0.5, "b": 0.5}),
        (5, {"b": 1.0}),
        (30, {}),
    ],
)
def test_stamps_around_the_window_name_its_candidates(
    tmp_path: Path, hours: int, found: dict[str, float]
) -> None:
    """Requests every six hours, a before noon and b from then on; no alias event is loaded."""
    rows = [stamped(i, NOON + timedelta(hours=6 * i + 3), "ab"[i >= 0]) for i in range(-4, 4)]
    seen = NOON + timedelta(hours=hours)
    result = judge(tmp_path, [*rows, stored("a"), stored("b"),
                              ticket(0, seen + timedelta(days=9), observed_at=seen)])  # fmt: skip
    assert of(result, "t0") == pytest.approx(found)


def test_without_any_alias_log_no_candidate_is_not_confirmed(tmp_path: Path) -> None:
    ran = {"replica": "r1", "checkpoint": "a", "valid_from": START}
    rows = [Row(deployments, "row 1", ran), stored("a"), ticket(0, NOON, observed_at=NOON)]
    result = judge(tmp_path, rows)
    assert result.verdict == "supported"
    assert outcomes(result)["The alias log is not loaded, rather than not kept"] == "not_excluded"


def test_an_unlikely_candidate_that_reproduces_it_is_no_control(tmp_path: Path) -> None:
    rows = [*TWO, ticket(0, NOON + timedelta(hours=24), output="x")]
    for i in range(60):
        rows += [*replay("a", i, "x" if i % 3 else "y"), *replay("b", i, "y")]
    result = judge(tmp_path, rows, lag_s=25 * 3600)
    assert of(result, "t0")["a"] > 0.7
