"""What `stale_eval_config` must state, against planted numbers and cases of a few rows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cases import also, diagnose_rows
from tests.diagnoses.conftest import Diagnosed

from casework.case import Case, Item, Note, Row
from casework.findings import Result
from casework.tables import clocks, config_events, eval_runs, eval_samples, requests, tickets

START = datetime(2026, 3, 2, 9, 2, tzinfo=UTC)
TIMES = ("time_to_signal_s", "time_to_measurement_s", "detection_after_measurement_s")


def diagnose(
    tmp_path: Path, rows: Sequence[Item], more: Sequence[Item] = (), **settings: Any
) -> Result:
    """Diagnose a case that holds exactly these rows, and more of another exhibit."""
    return diagnose_rows(tmp_path, "stale_eval_config", rows, more, **settings)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def request(number: int, at: float, config: str | None, **more: Any) -> Row:
    values = {"request_id": f"q{number}", "occurred_at": START + minutes(at),
              "prompt_name": "p", "prompt_hash": config}  # fmt: skip
    return Row(requests, f"line {number + 1}", values | more)


def run(number: int, ended: float | None, config: str | None, **more: Any) -> Row:
    end = None if ended is None else START + minutes(ended)
    values = {"run_id": f"r{number}", "suite": "s", "started_at": START + minutes((ended or 0) - 5),
              "ended_at": end, "prompt_name": "p", "prompt_hash": config}  # fmt: skip
    return Row(eval_runs, f"row {number + 1}", values | more)


def push(number: int, at: float, version: str, name: str = "p") -> Row:
    values = {"occurred_at": START + minutes(at), "key": f"prompt:{name}", "new_value": version}
    return Row(config_events, f"row {number + 1}", values)


def ticket(number: int, at: float, **more: Any) -> Row:
    return Row(tickets, f"row {number + 1}",
               {"ticket_id": f"t{number}", "reported_at": START + minutes(at)} | more)  # fmt: skip


def traffic(config: str | None, start: int, until: int, **more: Any) -> list[Row]:
    return [request(minute + 10_000, minute, config, **more) for minute in range(start, until)]


def value(result: Result, name: str) -> Any:
    return result.measures[name].value


def outcomes(result: Result) -> dict[str, str]:
    return {rival.explanation: rival.outcome for rival in result.rivals}


OLD = [run(0, -700, "old"), *traffic("old", -600, 0)]
"""An old configuration that was scored before it was served."""


@pytest.mark.parametrize("seed", [7, pytest.param(12, marks=pytest.mark.slow)])
def test_planted_numbers_are_found(diagnosed: Diagnosed, seed: int) -> None:
    result, truth = diagnosed("stale_eval_config.planted", seed)
    names = [name for name in result.measures if name in truth.numbers]
    assert set(TIMES) <= set(names)
    assert {n: value(result, n) for n in names} == pytest.approx(
        {n: truth.numbers[n] for n in names}
    )
    assert [value(result, name) / 60 for name in TIMES] == [469, 481, 0]
    assert value(result, "blind_seconds") == pytest.approx(481 * 60)
    assert (result.verdict, result.severity) == ("confirmed", "S1")


def test_configurations_of_one_prompt_are_drawn_apart(tmp_path: Path) -> None:
    rows = [run(1, 0, "sha256:aaaa", checkpoint="m1"), run(2, 70, "sha256:aaaa", checkpoint="m2")]
    rows += traffic("sha256:aaaa", 10, 60, checkpoint="m1")
    rows += traffic("sha256:aaaa", 60, 120, checkpoint="m2")
    result = diagnose(tmp_path, rows)
    (chart,) = [chart for chart in result.charts if chart.form == "bars"]
    whole: dict[str, float] = {}
    for row in chart.rows:
        whole[row["label"]] = whole.get(row["label"], 0) + row["share"]
    assert whole == {"all requests": 1.0, "p aaaa, m1": 1.0, "p aaaa, m2": 1.0}


def test_the_twin_with_a_run_in_time_is_clean(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("stale_eval_config.healthy", 7)
    assert (result.verdict, value(result, "blind_requests")) == ("clean", 0)
    assert value(result, "coverage_requests") == 1


STORIES = {
    "canary_before_its_run": ("confirmed",), "zone_not_named": ("supported", "inconclusive"),
    "late_in_the_west": ("inconclusive",),
    "release_candidate": ("inconclusive",),
    "loaded_before_the_push": ("supported",), "tenant_overrides": ("clean",),
}  # fmt: skip
MORE_STORIES = {
    "never_evaluated": ("confirmed",), "other_parameters": ("confirmed",),
    "other_checkpoint": ("confirmed",), "relabelled": ("clean",), "canary_in_time": ("clean",),
    "mixed_versions": ("clean",), "pinned_baseline": ("clean",), "staging_run": ("clean",),
    "local_cron": ("clean",), "process_start_alone": ("supported",),
    "within_clock_error": ("clean", "inconclusive"), "unmasked_hashes": ("clean",),
    "older_than_the_record": ("clean",), "staging_traffic": ("clean",),
    "index_scored_again": ("clean",), "other_index": ("inconclusive",),
}  # fmt: skip


@pytest.mark.parametrize(
    ("story", "verdicts"),
    [*STORIES.items(),
     *(pytest.param(*item, marks=pytest.mark.slow) for item in MORE_STORIES.items())],
)  # fmt: skip
def test_a_story_is_judged_rightly(
    diagnosed: Diagnosed, story: str, verdicts: tuple[str, ...]
) -> None:
    result, truth = diagnosed(f"stale_eval_config.{story}", 9)
    assert result.verdict in verdicts
    names = {"blind_requests", "blind_seconds", "evidence_grade"} & truth.numbers.keys()
    for name in names:
        assert value(result, name) == pytest.approx(truth.numbers[name]), name


def rebuilt(at: float, key: str = "index_build", before: str | None = "1") -> Row:
    values = {"occurred_at": START + minutes(at), "key": key, "old_value": before, "new_value": "2"}
    return Row(config_events, "row 90", values)


@pytest.mark.parametrize(
    ("rows", "moved", "verdict"),
    [
        ([rebuilt(-300)], 300, "inconclusive"),
        ([rebuilt(-300, "price_list")], 0, "clean"),
        ([rebuilt(-300), run(1, -250, "old")], 45, "inconclusive"),
        ([rebuilt(-650)], 0, "clean"),
        ([rebuilt(-650, before=None), rebuilt(-300, before=None)], 0, "clean"),
        ([rebuilt(-300, before=None)], 300, "inconclusive"),
        ([rebuilt(-300), run(1, -290, "new"), *traffic("new", 0, 300)], 300, "inconclusive"),
    ],
    ids=["not again", "another key", "scored again", "too early", "said again", "said once",
         "another prompt"],
)  # fmt: skip
def test_a_run_before_the_index_changed_scored_another_system(
    tmp_path: Path, rows: list[Row], moved: int, verdict: str
) -> None:
    result = diagnose(tmp_path, [*OLD, *rows])
    assert value(result, "blind_requests") == 0
    assert value(result, "requests_since_index_moved") == pytest.approx(moved, abs=6)
    assert result.verdict == verdict


def test_parameters_that_hold_the_index_change_with_it(tmp_path: Path) -> None:
    before = [run(0, -700, "p", params_hash="1"), *traffic("p", -600, -300, params_hash="1")]
    after = [run(1, -310, "p", params_hash="2"), *traffic("p", -299, 0, params_hash="2")]
    result = diagnose(tmp_path, [*before, rebuilt(-300), *after])
    assert value(result, "requests_since_index_moved") == 0
    assert result.verdict == "clean"


def test_text_on_both_sides_makes_the_hash(diagnosed: Diagnosed) -> None:
    """Traces and Inspect logs that hold the system prompt and no hash compare by content."""
    result, _ = diagnosed("stale_eval_config.planted", 7)
    with Case(diagnosed.path("stale_eval_config.planted", 7)) as case:
        importers = {exhibit.importer for exhibit in case.exhibits()}
    assert {"otlp_traces", "inspect_logs"} <= importers
    assert (result.verdict, value(result, "evidence_grade")) == ("confirmed", "rendered_hash")


def test_clocks_bound_what_is_blind(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60), run(1, 30, "new"), run(2, -90, "old")]
    clock = Row(clocks, "row 1", {"host": "a", "error_s": 120.0, "offset_s": 0.0})
    result = diagnose(tmp_path, [*rows, clock])
    assert result.measures["blind_requests"].ci95 == (28, 32)
    assert value(result, "blind_requests") == 30
    assert result.measures["blind_seconds"].ci95 == (26 * 60, 34 * 60)
    assert result.verdict == "confirmed"


def test_a_run_within_the_clock_error_is_not_confirmed(tmp_path: Path) -> None:
    result = diagnose(tmp_path, [*OLD, *traffic("new", 0, 60), run(1, 1, "new")], clock_error_s=90)
    assert result.measures["blind_requests"].ci95 == (0, 3)
    assert result.verdict == "clean"


def test_a_run_that_did_not_complete_does_not_cover(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60), run(1, None, "new"), run(2, -30, "new", n_items=0)]
    result = diagnose(tmp_path, [*rows, run(3, 100, "old")])
    assert (result.verdict, value(result, "configs_never_evaluated")) == ("confirmed", 1)
    assert "2 never completed" in result.falsifier.outcome
    assert value(result, "time_to_measurement_s") is None


@pytest.mark.parametrize(
    ("started", "verdict", "blind"),
    [(-100, "inconclusive", (0, 60)), (40, "confirmed", (40, 60))],
    ids=["may have ended before", "began too late in any case"],
)  # fmt: skip
def test_a_harness_that_records_no_end_is_not_said_to_have_failed(
    tmp_path: Path, started: int, verdict: str, blind: tuple[int, int]
) -> None:
    """An export of promptfoo says when a run began, what it scored, and not when it ended."""
    scored = {"score": 0.9, "n_items": 50, "harness": "promptfoo"}
    late = run(1, None, "new", **scored, started_at=START + minutes(started))
    result = diagnose(tmp_path, [*OLD, *traffic("new", 0, 60), late])
    assert (result.verdict, result.measures["blind_requests"].ci95) == (verdict, blind)
    assert ", 0 never completed" in result.falsifier.outcome
    assert "Record when each run ended." in result.remedies
    broken = tmp_path / "broken"
    broken.mkdir()
    ended = run(2, -200, "old", harness="promptfoo")
    result = diagnose(broken, [*OLD, *traffic("new", 0, 60), late, ended])
    assert result.verdict == "confirmed", "others of that harness have an end: this one broke off"
    assert ", 1 never completed" in result.falsifier.outcome


def test_another_prompt_name_with_the_full_hash_falsifies(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60), run(1, -10, "new", prompt_name="renamed")]
    result = diagnose(tmp_path, rows)
    assert result.falsifier.falsified
    assert result.verdict == "inconclusive"
    told = "run r1 of the same hash, under the name renamed, was complete 10 min before it began"
    assert "that no eval had scored under its name" in result.headline
    assert told in result.headline
    assert "no valid run under its name" in result.headline
    assert any(told in finding.statement for finding in result.findings)
    assert "p new was scored as renamed." in result.remedies[1]
    assert not any("never scored." in text for text in (*result.remedies, result.headline))


def test_each_configuration_is_looked_for_under_other_names(tmp_path: Path) -> None:
    """Many runs of one do not hide those of the next; one that names no checkpoint counts too."""
    rows = [*OLD, *traffic("new", 0, 60, checkpoint="k"), run(0, -500, "old")]
    rows += [request(i, i, "more", prompt_name="q") for i in range(60)]
    rows += [run(100 + i, -400 + i, "new", prompt_name="x") for i in range(250)]
    rows += [run(900, -100, "more", prompt_name="y"),
             run(901, -90, "new", prompt_name="x", checkpoint="z")]  # fmt: skip
    result = diagnose(tmp_path, rows)
    assert (result.falsifier.falsified, result.verdict) == (True, "inconclusive")
    assert "251 with the same hash under another name" in result.falsifier.outcome
    assert "1 with other parameters or another checkpoint" in result.falsifier.outcome


def test_a_run_under_another_name_of_another_hash_is_no_news(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60), run(1, -10, "else", prompt_name="renamed")]
    result = diagnose(tmp_path, rows)
    assert result.verdict == "confirmed"
    assert "under" not in result.headline
    assert "Run the suite on p new now: it was never scored." in result.remedies


ZONELESS = Note("started_at, ended_at have no time zone and were read as UTC")


@pytest.mark.parametrize(
    ("ended", "items", "verdict", "shifted"),
    [(-30, [ZONELESS], "inconclusive", 60), (-13 * 60, [ZONELESS], "clean", 0),
     (-30, [], "clean", None)],
    ids=["some zone makes it late", "no zone does", "the zone is named"],
)  # fmt: skip
def test_a_run_in_time_by_a_log_without_a_zone(
    tmp_path: Path, ended: float, items: list[Item], verdict: str, shifted: int | None
) -> None:
    rows = [run(0, -2000, "old"), *traffic("old", -600, 0), *traffic("new", 0, 60)]
    result = diagnose(tmp_path, [*rows, run(1, ended, "new"), *items])
    rival = outcomes(result)["The eval log is in another time zone"]
    held = result.measures.get("blind_requests_in_another_zone")
    assert (result.verdict, held and held.value) == (verdict, shifted)
    assert rival == ("not_excluded" if shifted else "excluded")


def test_only_the_runs_that_name_no_zone_are_moved(tmp_path: Path) -> None:
    rows = [run(0, -2000, "old"), *traffic("old", -600, 0), *traffic("new", 0, 60)]
    late = [run(1, -30, "new"), ZONELESS]
    assert diagnose(tmp_path, [*rows, run(2, -20, "new")], late).verdict == "clean"


def test_a_log_without_a_zone_does_not_move_a_run_of_one_that_names_it(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60), run(1, 30, "new")]
    for name, late, verdict in (("other", "old", "confirmed"), ("same", "new", "supported")):
        (tmp_path / name).mkdir()
        more = [run(2, 40, late), ZONELESS]
        assert diagnose(tmp_path / name, rows, more).verdict == verdict


def test_the_time_from_push_to_first_request_is_not_said_to_be_met(tmp_path: Path) -> None:
    rows = [*OLD, push(0, 0, "2"), *traffic("new", 28, 60, prompt_version="2"), run(1, 50, "new")]
    result = diagnose(tmp_path, rows)
    assert value(result, "blind_seconds") == 50 * 60
    assert result.headline.startswith("For 50 min a configuration was live that no eval had scored")
    assert ": 22 of 632 requests met it." in result.headline
    assert any("met its first request 28 min later" in f.statement for f in result.findings)


def test_a_push_is_not_the_beginning_of_a_later_checkpoint(tmp_path: Path) -> None:
    """The version went live with its push, and forty minutes later on another checkpoint."""
    label: dict[str, Any] = {"prompt_version": "2"}
    rows = [*OLD, push(0, 0, "2"), run(1, -10, "new", checkpoint="k1"),
            *traffic("new", 0, 40, checkpoint="k1", **label),
            *traffic("new", 40, 80, checkpoint="k2", **label),
            run(2, 60, "new", checkpoint="k2")]  # fmt: skip
    result = diagnose(tmp_path, rows)
    assert (result.verdict, value(result, "blind_requests")) == ("confirmed", 20)
    assert value(result, "blind_seconds") == value(result, "time_to_measurement_s") == 20 * 60
    assert result.breaks[0].start == START + minutes(40)


@pytest.mark.parametrize(
    ("runs", "told"),
    [([], "No run was completed in that time."),
     ([run(1, 20, "old")], "1 run was completed in that time, none of this configuration."),
     ([run(1, 20, "old"), run(2, 30, "z", prompt_name="z")],
      "2 runs were completed in that time, none of this configuration; 1 of 2 scored another "
      "prompt.")],
    ids=["none", "one", "one of another prompt"],
)  # fmt: skip
def test_runs_of_another_prompt_are_told_apart(tmp_path: Path, runs: list[Row], told: str) -> None:
    result = diagnose(tmp_path, [*OLD, *traffic("new", 0, 60), *runs])
    assert told in [finding.statement for finding in result.findings]
    assert "2 configurations were served; 1 was never scored." in result.findings[0].statement


def test_hashes_that_never_meet_are_not_confirmed(tmp_path: Path) -> None:
    """A gateway and a harness that hash differently share no value, whatever was evaluated."""
    rows = [*traffic("gateway-1", -60, 0), *traffic("gateway-2", 0, 60)]
    result = diagnose(tmp_path, [*rows, run(0, -100, "harness-1"), run(1, -10, "harness-2")])
    rival = "Requests and runs write the same hash or checkpoint differently"
    assert outcomes(result)[rival] == "not_excluded"
    assert result.verdict == "inconclusive"
    assert result.measures["blind_requests"].ci95 == (0, 120)
    assert "Not one hash of a prompt occurs both in requests and in eval runs" in result.headline


def test_a_hash_that_was_cut_short_is_the_whole_one(tmp_path: Path) -> None:
    old, new = f"{'ab' * 31}01", f"{'cd' * 31}01"
    rows = [*traffic(old, -60, 0), *traffic(new, 0, 60), run(0, -100, old[:12])]
    result = diagnose(tmp_path, [*rows, run(1, 20, new[:16])])
    assert (result.verdict, value(result, "blind_requests")) == ("confirmed", 20)


@pytest.mark.parametrize(
    ("served", "evaluated"),
    [
        ("sha256:{:.16}", "{}"),
        ("MD5-{:.32}", "SHA256:{:.40}"),
        *also(
            ("{:.32}", "{}"),
            ("MD5-{:.32}", "{}"),
            ("sha256:{:.16}", "SHA256:{:.40}"),
            ("{:.32}", "SHA256:{:.40}"),
        ),
    ],
)
def test_a_hash_is_the_same_whatever_names_its_algorithm(
    served: str, evaluated: str, tmp_path: Path
) -> None:
    old, new = f"{'ab' * 31}01", f"{'cd' * 31}01"
    rows = [*traffic(served.format(old), -60, 0), *traffic(served.format(new), 0, 60)]
    rows += [run(0, -100, evaluated.format(old)), run(1, 20, evaluated.format(new))]
    result = diagnose(tmp_path, rows)
    assert (result.verdict, value(result, "blind_requests")) == ("confirmed", 20)


def test_a_hash_that_both_sides_have_is_not_one_that_was_cut_short(tmp_path: Path) -> None:
    whole = f"{'cd' * 31}01"
    rows = [run(0, -700, whole), *traffic(whole, -600, 0), *traffic(whole[:16], 0, 60)]
    result = diagnose(tmp_path, rows)
    assert value(result, "blind_requests") <= 60  # and none of the 600 of the one that was scored


def test_parameters_that_never_meet_are_set_aside(tmp_path: Path) -> None:
    """The team hashes 0.0 and the gateway 0; what was blind by prompt is blind either way."""
    rows = [
        *traffic("old", -600, 0, params_hash="gateway"),
        run(0, -700, "old", params_hash="team"),
    ]
    early = [*rows, *traffic("new", 0, 60, params_hash="gateway")]
    result = diagnose(tmp_path, [*early, run(1, 30, "new", params_hash="team")])
    assert (result.verdict, value(result, "blind_requests")) == ("confirmed", 30)
    assert "Hashes of parameters are set aside" in " ".join(result.limits)
    (tmp_path / "healthy").mkdir()
    result = diagnose(tmp_path / "healthy", [*early, run(1, -30, "new", params_hash="team")])
    assert (result.verdict, value(result, "blind_requests")) == ("inconclusive", 0)
    assert "not one hash of parameters occurs in both" in result.headline


ROLLED = [*traffic("p", -600, 0, checkpoint="k1"), *traffic("p", 0, 600, checkpoint="k2")]


@pytest.mark.parametrize(
    ("runs", "verdict", "doubtful"),
    [([run(0, -700, "p"), run(1, -60, "p")], "inconclusive", 600),
     ([run(0, -700, "p"), run(1, 120, "p")], "inconclusive", 120),
     ([run(0, -700, "p"), run(1, -60, "p", checkpoint="k2")], "clean", 0),
     ([run(0, -700, "p", checkpoint="k1"), run(1, 60, "p", checkpoint="k1")], "confirmed", 0)],
    ids=["before it was served", "alone in service later", "named by a run", "another one named"],
)  # fmt: skip
def test_a_run_that_names_no_checkpoint_is_no_run_of_a_later_one(
    tmp_path: Path, runs: list[Row], verdict: str, doubtful: int
) -> None:
    result = diagnose(tmp_path, [*ROLLED, *runs])
    assert (result.verdict, value(result, "requests_in_doubt")) == (verdict, doubtful)
    rival = "What ran before scored another checkpoint, other parameters, model or prompt"
    assert outcomes(result)[rival] == ("not_excluded" if doubtful else "excluded")
    if doubtful:
        assert (
            f"what {doubtful} of 1,200 requests met: the runs name no checkpoint" in result.headline
        )
        assert result.measures["blind_requests"].ci95 == (0, doubtful)
        assert result.measures["blind_seconds"].ci95[1] >= (doubtful - 1) * 60  # type: ignore[index]


def test_parameters_that_change_are_not_covered_by_a_run_that_names_none(tmp_path: Path) -> None:
    rows = [*traffic("p", -600, 0, params_hash="a"), *traffic("p", 0, 60, params_hash="b")]
    result = diagnose(tmp_path, [*rows, run(0, -700, "p"), run(1, -60, "p")])
    assert (result.verdict, value(result, "requests_in_doubt")) == ("inconclusive", 60)


def test_one_checkpoint_throughout_is_that_of_a_run_that_names_none(tmp_path: Path) -> None:
    rows = [row._replace(values={**row.values, "checkpoint": "k"}) for row in OLD[1:]]
    result = diagnose(tmp_path, [*rows, run(0, -700, "old")])
    assert result.verdict == "clean"
    assert "one that was alone in service is taken for it" in " ".join(result.limits)


def test_a_doubt_about_what_is_older_than_the_record_is_one_too(tmp_path: Path) -> None:
    """Both checkpoints were in service when the records begin, and the run may be of either."""
    rows = [request(1_000 * (1 + n) + i, i + n / 10, "p", checkpoint=f"k{n}")
            for n in range(2) for i in range(120)]  # fmt: skip
    rows += [run(0, 20, "p"), *traffic("z", 60, 65, prompt_name="z"),
             run(1, 50, "z", prompt_name="z")]  # fmt: skip
    result = diagnose(tmp_path, rows)
    assert (result.verdict, value(result, "requests_in_doubt")) == ("inconclusive", 200)


@pytest.mark.parametrize(
    ("name", "verdict", "doubtful"),
    [("openai/gpt-5-mini", "inconclusive", 60), ("openai/gpt-6-mini-2026-01-01", "clean", 0),
     ("eval-gateway", "clean", 0)],
    ids=["the model before", "the model served", "a name of its own"],
)  # fmt: skip
def test_a_model_that_no_run_names_is_not_covered_by_the_one_before(
    tmp_path: Path, name: str, verdict: str, doubtful: int
) -> None:
    rows = [*traffic("p", -600, 0, response_model="gpt-5-mini-2025-08-01"),
            *traffic("p", 0, 60, response_model="gpt-6-mini-2026-01-01"),
            run(0, -700, "p", endpoint="openai/gpt-5-mini")]  # fmt: skip
    result = diagnose(tmp_path, [*rows, run(1, -30, "p", endpoint=name)])
    assert (result.verdict, value(result, "requests_in_doubt")) == (verdict, doubtful)


@pytest.mark.parametrize(("days", "verdict"), [(5, "inconclusive"), (1, "confirmed")])
def test_a_label_of_many_hashes_may_be_one_template(
    tmp_path: Path, days: int, verdict: str
) -> None:
    """A date in the prompt makes a hash a day; a hash that changed once is another content."""
    label: dict[str, Any] = {"prompt_version": "7"}
    rows = [run(99, -1500, "day 0", **label)]
    for day in range(days + 1):
        rows += traffic(f"day {day}", day * 1440, day * 1440 + 90, **label)
        rows.append(run(day, day * 1440 + 30, f"day {day}", **label))
    result = diagnose(tmp_path, rows)
    assert result.verdict == verdict
    assert value(result, "blind_requests") == (0 if days > 1 else 30)
    if days > 1:
        assert value(result, "requests_in_doubt") == days * 30
        assert "as one template with its variables filled in has" in result.headline


def test_a_run_without_a_hash_caps_the_verdict(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60, prompt_version="2"),
            run(1, -10, None, prompt_version="2")]  # fmt: skip
    result = diagnose(tmp_path, rows)
    assert outcomes(result)["A run that recorded no hash did score it"] == "not_excluded"
    assert result.verdict == "supported"


def test_labels_alone_without_load_times_are_not_clean(tmp_path: Path) -> None:
    rows = [request(i, i, None, prompt_version="1") for i in range(30)]
    rows += [run(0, -40, None, prompt_version="1"), run(1, -20, None, prompt_version="1")]
    result = diagnose(tmp_path, rows)
    assert (result.verdict, value(result, "evidence_grade")) == ("inconclusive", "version_label")


def test_what_was_in_service_when_the_records_begin_is_told_and_not_counted(tmp_path: Path) -> None:
    rows = [*traffic("old", 0, 60), run(0, 20, "old"), *traffic("new", 60, 90), run(1, 30, "new")]
    result = diagnose(tmp_path, rows)
    assert (result.verdict, value(result, "blind_requests")) == ("clean", 0)
    assert any("20 requests met configurations" in limit for limit in result.limits)


def test_clean_does_not_claim_what_is_not_known(tmp_path: Path) -> None:
    old = [*traffic("old", 0, 60), run(0, 20, "old")]
    said = [diagnose(_sub(tmp_path, name), rows, clock_error_s=90) for name, rows in (
        ("older", [*old, *traffic("new", 60, 90), run(1, 30, "new")]),
        ("close", [*OLD, *traffic("new", 0, 60), run(1, 1, "new")]),
    )]  # fmt: skip
    assert [(result.verdict, result.headline) for result in said] == [
        ("clean", "What was first served within the records was scored by a completed run before "
         "customers met it, over 90 requests; 1 of 2 configurations were served when they begin."),
        ("clean", "Of 660 requests at most 3 met a configuration that no run before is known to "
         "have scored, less than the share that matters (1 %)."),
    ]  # fmt: skip


def _sub(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def test_a_case_that_begins_with_the_question_is_not_confirmed(tmp_path: Path) -> None:
    """No record reaches back before the configuration, so an earlier run may be missing."""
    alike = [*traffic("z", 60, 65, prompt_name="z"), run(1, 50, "z", prompt_name="z")]
    result = diagnose(tmp_path, [*traffic("new", 0, 60), run(0, 20, "old"), *alike])
    assert result.verdict == "supported"
    alone = tmp_path / "alone"
    alone.mkdir()
    assert diagnose(alone, [*traffic("new", 0, 60), run(0, 20, "new")]).verdict == "inconclusive"


def test_what_may_have_been_scored_earlier_is_not_said_never_to_have_been(tmp_path: Path) -> None:
    alike = [*traffic("z", 60, 65, prompt_name="z"), run(1, 50, "z", prompt_name="z")]
    result = diagnose(tmp_path, [*traffic("new", 0, 60), run(0, 20, "old"), *alike])
    assert result.measures["blind_seconds"].ci95 == (0, 59 * 60)
    assert "that no eval on record had scored" in result.headline
    assert "1 was in no run on record" in result.findings[0].statement
    assert "Run the suite on p new now: no run of it is on record." in result.remedies
    assert not result.breaks, "it was in service when the records begin"


def test_a_break_has_a_name_where_the_prompt_has_none(tmp_path: Path) -> None:
    rows = [row._replace(values={**row.values, "prompt_name": None})
            for row in (*OLD, *traffic("new", 0, 60), run(1, -100, "old"))]  # fmt: skip
    assert [found.what for found in diagnose(tmp_path, rows).breaks] == ["new went live unscored"]


def test_an_eval_log_that_ends_early_caps_the_verdict(tmp_path: Path) -> None:
    rows = [*OLD, run(1, -400, "old"), run(2, -300, "old"), *traffic("new", 0, 700)]
    result = diagnose(tmp_path, rows)
    assert outcomes(result)["The eval log ends before the requests do"] == "not_excluded"
    assert result.verdict == "supported"


def test_one_run_does_not_show_that_the_eval_log_goes_on(tmp_path: Path) -> None:
    result = diagnose(tmp_path, [*OLD, *traffic("new", 0, 60)])
    assert outcomes(result)["The eval log ends before the requests do"] == "not_excluded"
    assert result.verdict == "supported"


def test_a_configuration_that_went_and_came_is_blind_while_it_is_served(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60), *traffic("old", 60, 200), *traffic("new", 200, 260)]
    result = diagnose(tmp_path, [*rows, run(1, 50, "old")])
    assert value(result, "blind_seconds") == pytest.approx(119 * 60)


def test_retries_and_other_environments_are_set_aside(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60), run(1, -5, "new")]
    again = [request(10_000 + i, i + 0.5, "new") for i in range(5)]
    elsewhere = [request(i, i, "next", environment="staging") for i in range(5)]
    result = diagnose(tmp_path, [*rows, *again, *elsewhere])
    assert (value(result, "configs_served"), result.verdict) == (2, "clean")
    assert result.measures["coverage_requests"].n == 660
    named = tmp_path / "named"
    named.mkdir()
    result = diagnose(named, [*rows, *elsewhere], environment="staging")
    assert value(result, "blind_requests") == 5


def test_detection_is_the_event_that_acts_where_the_run_shows_nothing(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 200, prompt_version="2"), push(0, 0, "2"), push(1, 180, "1")]
    rows += [run(1, 120, "new", score=0.9, n_items=100), run(2, -60, "old", score=0.9, n_items=100)]
    result = diagnose(tmp_path, rows)
    assert value(result, "time_to_measurement_s") == 120 * 60
    assert value(result, "detection_after_measurement_s") == 60 * 60


def test_the_first_signal_departs_from_the_base_rate(tmp_path: Path) -> None:
    base = [ticket(i, -60 * 24 * 3 + 300 * i) for i in range(14)]
    stray, burst = [ticket(20, 33)], [ticket(30 + i, 90 + i / 2) for i in range(8)]
    early = [ticket(40, 5, observed_at=START - minutes(300))]
    rows = [*OLD, *traffic("new", 0, 120), run(1, -30, "old"), *base, *stray, *burst, *early]
    result = diagnose(tmp_path, rows)
    assert value(result, "time_to_signal_s") == 90 * 60


def test_what_is_not_recorded_is_not_said_to_differ_or_depart(tmp_path: Path) -> None:
    scored = {"score": 0.9, "n_items": 100}
    rows = [*OLD, *traffic("new", 0, 60, params_hash="a"), run(1, -30, "old", **scored),
            run(2, 50, "new", params_hash="a", **scored), ticket(0, 30)]  # fmt: skip
    told = " ".join(finding.statement for finding in diagnose(tmp_path, rows).findings)
    assert "differ too" not in told
    assert "(the first ticket after it is of 2026-03-02 09:32 UTC; none before" in told
    assert "of accounts that are not recorded" in told


def test_an_environment_without_a_request_is_not_said_to_lack_names(tmp_path: Path) -> None:
    result = diagnose(tmp_path, [*OLD, *traffic("new", 0, 60)], environment="prod")
    assert result.headline.endswith("No request is of the environment that was asked about (prod).")


def test_many_runs_before_do_not_push_the_window_out_of_the_picture(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60), run(900, 30, "new", score=0.5, n_items=100)]
    rows += [run(i + 1, i - 620, "old", score=0.9, n_items=100) for i in range(610)]
    charts = {chart.id: chart for chart in diagnose(tmp_path, rows).charts}
    lane = [row["label"] for row in charts["lanes"].rows if row["lane"] == "evaluated"]
    assert [label for label in lane if label] == ["p old", "p new"]
    assert (len(charts["scores"].rows), charts["scores"].rows[-1]["value"]) == (500, 0.5)


def test_graded_scores_are_compared_item_by_item(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 120), run(1, -30, "old"), run(2, 60, "new")]
    scores = {"r1": 0.8, "r2": 0.6}
    rows += [
        Row(eval_samples, f"{run_id} {i}",
            {"run_id": run_id, "item_id": f"i{i}", "score": score + (i % 7) / 50})
        for run_id, score in scores.items() for i in range(40)
    ]  # fmt: skip
    result = diagnose(tmp_path, rows)
    assert value(result, "score_change") == pytest.approx(-0.2)
    assert value(result, "harm") == pytest.approx(0.2 * 60)
    assert value(result, "detection_after_measurement_s") == 0
    assert result.severity == "S1"


def statement(result: Result, part: str) -> str:
    return next((f.statement for f in result.findings if part in f.statement), "")


@pytest.mark.parametrize(
    ("back", "how"),
    [("1", "rolled back to 1"), pytest.param("3", "replaced by 3", marks=pytest.mark.slow)],
)
def test_the_time_to_replacement_is_that_of_the_next_push(
    tmp_path: Path, back: str, how: str
) -> None:
    rows = [*OLD, push(0, -700, "1"), push(1, 0, "2"), push(2, 60, back),
            *traffic("new", 0, 63, prompt_version="2"), run(1, -30, "old")]  # fmt: skip
    result = diagnose(tmp_path, rows)
    assert value(result, "time_to_replacement_s") == 3600
    told = statement(result, how)
    assert told.startswith("1 h after it began")
    assert told.endswith(f"{how}, and last met 2 min after that.")


def test_a_push_that_may_be_its_own_or_is_of_another_prompt_replaces_nothing(
    tmp_path: Path,
) -> None:
    rows = [*OLD, *traffic("new", 0, 60), push(1, 0.5, "38"), run(1, -30, "old")]
    result = diagnose(tmp_path, rows)
    assert "which replaced p new or is its own version" in statement(result, "38 was pushed")
    assert result.measures["time_to_replacement_s"].value is None
    unnamed = [run(1, -30, "old"), *traffic("new", 0, 60, prompt_name=None, prompt_version="2"),
               push(1, 20, "9", "greeting"), push(2, 30, "9", "farewell")]  # fmt: skip
    assert "9" not in statement(diagnose(tmp_path, unnamed), "replaced")


def test_a_version_that_is_pushed_again_is_told(tmp_path: Path) -> None:
    rows = [*OLD, push(0, -700, "1"), push(1, 0, "2"), push(2, 30, "1"), push(3, 60, "2"),
            *traffic("new", 0, 30, prompt_version="2"),
            *traffic("new", 60, 90, prompt_version="2"), run(1, -30, "old")]  # fmt: skip
    told = statement(diagnose(tmp_path, rows), "rolled back to 1")
    assert told.endswith(
        "rolled back to 1, and pushed again 2026-03-02 10:02 UTC, and last met 59 min after that."
    )


def test_without_a_push_it_is_replaced_where_its_requests_end(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 60), *traffic("old", 60, 200), run(1, 50, "old")]
    result = diagnose(tmp_path, rows)
    assert value(result, "time_to_replacement_s") == 59 * 60
    assert "and 140 requests of its prompt came after that" in statement(result, "No push")


def test_the_lag_of_each_configuration_is_told_with_the_error_of_the_clocks(
    tmp_path: Path,
) -> None:
    rows = [*OLD, *traffic("new", 0, 60), *traffic("last", 60, 120), run(1, 20, "new")]
    result = diagnose(tmp_path, rows, clock_error_s=60.0)
    longest = result.measures["scoring_lag_max_s"]
    assert (longest.value, longest.ci95, longest.n) == (1200, (1140, 1260), 2)
    assert value(result, "scoring_lag_median_s") == (1200 - 100 * 60) / 2
    lags = {row["configuration"]: row["lag_s"] for row in value(result, "lags")}
    assert lags == {"p old": -6000, "p new": 1200, "p last": None}
    assert "3 configurations, 2 of them with a completed run" in statement(result, "First served")


def rendered(run_id: str, text: str) -> list[Row]:
    values = (
        {"run_id": run_id, "item_id": f"i{i}", "prompt_text": f"{text} {i}"} for i in range(9)
    )
    return [Row(eval_samples, f"{run_id} {i}", one) for i, one in enumerate(values)]


def test_prompts_as_rendered_show_whether_the_runs_moved(tmp_path: Path) -> None:
    rows = [*OLD, push(0, -700, "1"), push(1, 0, "2"), *traffic("new", 0, 120, prompt_version="2"),
            run(1, -30, "old"), run(2, 40, "old"), run(3, 90, "new")]  # fmt: skip
    rows += [*rendered("r1", "Be brief."), *rendered("r2", "Be brief."), *rendered("r3", "Rhyme!")]
    result = diagnose(tmp_path, rows)
    assert (value(result, "prompts_unmoved"), result.measures["prompts_unmoved"].n) == (1, 9)
    assert value(result, "prompts_unmoved_when_scored") == 0
    told = statement(result, "The prompts that the runs rendered")
    assert "9 of 9 prompts are the same text (mean length 11 characters, 11 before)" in told
    assert "0 of 9 prompts are the same text (mean length 8 characters, 11 before)" in told


@pytest.mark.parametrize("kept", [True, False])
def test_by_labels_alone_it_is_said_whether_prompts_were_seen(tmp_path: Path, kept: bool) -> None:
    rows = [run(0, -700, None, prompt_version="1"), push(0, -700, "1"), push(1, 0, "2"),
            *traffic(None, -600, 0, prompt_version="1"),
            *traffic(None, 0, 120, prompt_version="2"),
            run(1, 40, None, prompt_version="1"), run(2, 90, None, prompt_version="2")]  # fmt: skip
    if kept:
        rows += [*rendered("r0", "Be brief."), *rendered("r1", "Be brief.")]
    result = diagnose(tmp_path, rows)
    assert value(result, "evidence_grade") == "version_label"
    assert ("prompts_unmoved" in result.measures) == kept
    assert any("as rendered" in limit for limit in result.limits) != kept


def test_harm_is_told_with_the_error_of_the_change_and_of_the_clocks(tmp_path: Path) -> None:
    rows = [*OLD, *traffic("new", 0, 120), run(1, -30, "old"), run(2, 60, "new")]
    for run_id, wrong in (("r1", 10), ("r2", 50)):
        rows += [Row(eval_samples, f"{run_id} {i}",
                     {"run_id": run_id, "item_id": f"i{i}", "score": float(i >= wrong)})
                 for i in range(100)]  # fmt: skip
    result = diagnose(tmp_path, rows, clock_error_s=300.0)
    change = result.measures["score_change"].ci95
    assert change is not None
    assert value(result, "harm") == pytest.approx(0.4 * 60)
    low, high = value(result, "harm_bounds")
    # an interval of loss alone: least loss over the fewest requests, most over the most
    assert low == pytest.approx(-change[1] * 55)
    assert high == pytest.approx(-change[0] * 65)
    told = statement(result, "met it unscored the change")
    assert "a loss of 24 right answers (" in told
    assert "with the error of the clocks too" in told


def test_no_complaint_about_what_is_still_served_bounds_the_share(tmp_path: Path) -> None:
    rows = [
        *OLD,
        *traffic("old", 0, 30, account_id="z"),
        run(1, -30, "old"),
        ticket(0, 90, account_id="z"),
    ]
    rows += [request(i, i, "new", account_id=f"a{i}") for i in range(1, 21)]
    result = diagnose(tmp_path, rows)
    assert result.measures["complaint_rate"].ci95 == pytest.approx((0, 1 - 0.05 ** (1 / 20)))
    assert "is below 13.9 % (one-sided, 95 %)" in statement(result, "0 of 20 accounts")
    assert value(result, "time_to_replacement_s") is None
    assert statement(result, "Nothing shows that p new was replaced")


def test_without_any_identity_it_cannot_be_tested(tmp_path: Path) -> None:
    rows = [request(0, 0, None), run(0, 10, None)]
    result = diagnose(tmp_path, rows)
    assert result.verdict == "not_testable"
    assert {"requests", "eval_runs"} <= {m.table for m in result.missing}


def test_a_judge_of_traffic_hides_no_prompt_and_covers_none(tmp_path: Path) -> None:
    """Its run names no configuration and never ends, so it says nothing of what was evaluated."""
    other = traffic("z1", 0, 60, prompt_name="z")
    rows = [*OLD, *(row._replace(values={**row.values, "request_id": f"z{n}"})
                    for n, row in enumerate(other))]  # fmt: skip
    found = []
    for name, judges in (("a", []), ("b", [run(7, None, None, prompt_name=None)])):
        (tmp_path / name).mkdir()
        result = diagnose(tmp_path / name, [*rows, *judges])
        found.append((result.verdict, value(result, "configs_never_evaluated")))
    assert found[0] == found[1]
    assert found[0][1] == 1


def test_unnamed_requests_are_not_passed_over(tmp_path: Path) -> None:
    rows = [*OLD, *[request(i, i, None) for i in range(60)], run(1, -5, "new")]
    result = diagnose(tmp_path, rows)
    assert result.verdict == "inconclusive"
    assert "60 of 660 requests name none" in result.headline


def test_an_embedding_is_no_request_without_a_name(tmp_path: Path) -> None:
    """A gateway logs the calls of the retriever among the answers; they have no prompt."""
    of_numbers = {"prompt_name": None, "operation": "embeddings", "endpoint": "text-embedding"}
    rows = [*OLD, *traffic("new", 0, 60), run(1, -5, "new"),
            *(request(i, i + 0.5, None, **of_numbers) for i in range(60))]  # fmt: skip
    result = diagnose(tmp_path, rows)
    assert (result.verdict, value(result, "blind_requests")) == ("clean", 0)
    assert result.measures["coverage_requests"].n == 660


def test_hostile_names_are_data(tmp_path: Path) -> None:
    name = "'; DROP TABLE requests; --<script>\u202e"
    rows = [request(i, i, f"h{name}", prompt_name=name, account_id=name, prompt_version=name)
            for i in range(5)]  # fmt: skip
    rows += [run(0, -5, "x", prompt_name=name), push(0, 0, name, name), ticket(0, 3)]
    result = diagnose(tmp_path, rows)
    assert value(result, "blind_requests") == 5
    assert value(result, "blind_accounts") == 1


def test_the_same_case_gives_the_same_result(diagnosed: Diagnosed) -> None:
    first, _ = diagnosed("stale_eval_config.planted", 7)
    assert first == diagnosed.anew("stale_eval_config.planted", 7)


def test_the_version_before_the_first_push_is_the_one_that_it_replaced(tmp_path: Path) -> None:
    rows: list[Item] = [request(i, i, None) for i in range(-600, 700)]
    pushes = [(0, "v38", "v37"), (480, "v37", "v38")]
    rows += [Row(config_events, f"row {i}", {"occurred_at": START + minutes(at), "key": "prompt:p",
                                             "new_value": new, "old_value": old})
             for i, (at, new, old) in enumerate(pushes)]  # fmt: skip
    began = [(-700, -900), (200, -900), (480, 460)]
    rows += [run(i, ended, None, process_started_at=START + minutes(start))
             for i, (ended, start) in enumerate(began)]  # fmt: skip
    result = diagnose(tmp_path, rows)
    assert value(result, "blind_requests") == 480
    assert value(result, "evidence_grade") == "process_start"
    assert value(result, "blind_seconds") == 480 * 60
    assert result.measures["blind_requests"].n == 1300
    assert result.verdict == "supported"


@pytest.mark.parametrize("name", ["P", "team/p@prod"])
def test_names_of_prompts_that_never_meet_do_not_hide_the_same_hashes(
    name: str, tmp_path: Path
) -> None:
    rows = [*OLD, *traffic("new", 0, 60)]
    rows[0] = run(0, -700, "old", prompt_name=name)
    rows += [run(1, 30, "old", prompt_name=name), run(2, 60, "new", prompt_name=name)]
    result = diagnose(tmp_path, rows)
    assert (value(result, "blind_requests"), result.verdict) == (60, "confirmed")
    assert value(result, "configs_never_evaluated") == 0
    assert value(result, "time_to_measurement_s") == 3600
    assert any("Names of prompts are set aside" in limit for limit in result.limits)
