"""What `reproducibility_closure` must state, against planted numbers and hand-made records."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cases import also, empty_case
from tests.diagnoses.conftest import Diagnosed

from casework.case import Case, CaseWriter, Receipt, Row
from casework.diagnoses import get
from casework.errors import UsageError
from casework.findings import Result
from casework.stats.closure import CRITICAL
from casework.tables import (
    Table,
    alias_events,
    artifact_inputs,
    checkpoints,
    engagements,
    eval_runs,
    eval_samples,
    model_versions,
    people,
    requests,
    reruns,
    training_rows,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TUNED = f"sha256:{'a' * 64}"


class Record:
    """Rows of a case in which every critical input is pinned, fetched and checked."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        for kind in CRITICAL:
            self.input(kind)

    def add(self, table: Table, **values: Any) -> None:
        self.rows.append(Row(table, f"row {len(self.rows) + 1}", values))

    def input(self, kind: str, **more: Any) -> None:
        self.rows = [row for row in self.rows if row.values.get("kind") != kind]
        self.more(kind, **more)

    def more(self, kind: str, **more: Any) -> None:
        digest = f"sha256:{CRITICAL.index(kind) if kind in CRITICAL else 9}{'b' * 63}"
        self.add(artifact_inputs, **{
            "artifact": TUNED, "kind": kind, "uri": f"store/{kind}", "digest": digest,
            "pin": "pinned", "retrievable": True, "verified_at": NOW, "owner": "ana",
        } | more)  # fmt: skip

    def rebuilt(
        self, scores: list[float], shipped: float | None, segment: str | None = None
    ) -> None:
        for i, score in enumerate(scores):
            self.add(reruns, artifact=TUNED, rerun_id=f"r{i}", seed=i, segment=segment, score=score)
        if shipped is not None:
            self.add(reruns, artifact=TUNED, rerun_id="old", segment=segment, score=shipped,
                     is_original=True)  # fmt: skip

    def judge(self, tmp_path: Path, **settings: Any) -> Result:
        path = tmp_path / "case.duckdb"
        path.write_bytes(empty_case())
        with CaseWriter(path) as writer:
            writer.load(Receipt("rows", "ab" * 32, 1, "rows", "test"), self.rows)
        with Case(path) as case:
            return get("reproducibility_closure")(case, **settings)


@pytest.fixture
def record() -> Record:
    return Record()


def value(result: Result, name: str) -> Any:
    return result.measures[name].value


AROUND = [0.80, 0.801, 0.799, 0.8005, 0.7995, 0.80]


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.slow)])
def test_planted_numbers_are_found(diagnosed: Diagnosed, seed: int) -> None:
    result, truth = diagnosed("reproducibility_closure.planted", seed)
    planted = truth.numbers
    assert value(result, "closure_score") == pytest.approx(planted["closure_score"])
    assert sorted(value(result, "critical_broken")) == planted["critical_broken"]
    assert value(result, "bus_factor") == planted["bus_factor"]
    low, high = result.measures["rerun_gap"].ci95 or (0, 0)
    assert low <= planted["true_gap"] <= high
    assert value(result, "rerun_outside") is True
    assert (result.verdict, result.severity) == ("confirmed", "S1")
    assert len(value(result, "segments")) == 4


@pytest.mark.parametrize(
    ("change", "state", "worth", "verdict"),
    [
        ({"verified_at": None}, "unverified", 0.75, "clean"),
        ({"retrievable": None}, "not tried", 0.5, "inconclusive"),
        ({"retrievable": False}, "gone", 0.25, "confirmed"),
        ({"pin": "floating", "digest": None}, "floating", 0.1, "confirmed"),
        ({"pin": "absent", "digest": None}, "absent", 0, "confirmed"),
        ({"attributes": {"observed_digest": "sha256:" + "c" * 64}}, "mismatched", 0, "confirmed"),
    ],
)
def test_the_worst_critical_link_decides(
    record: Record, tmp_path: Path, change: dict[str, Any], state: str, worth: float, verdict: str
) -> None:
    record.input("train_data", **change)
    result = record.judge(tmp_path)
    row = next(r for r in value(result, "inputs") if r["kind"] == "train_data")
    assert (row["state"], row["value"]) == (state, worth)
    assert result.verdict == verdict
    assert ("train_data" in value(result, "critical_missing")) == (worth <= 0.5)


def test_a_kind_that_nobody_recorded_is_absent(record: Record, tmp_path: Path) -> None:
    record.rows = [row for row in record.rows if row.values["kind"] != "code"]
    record.more("code", artifact="another")  # so that the export does hold such a kind
    result = record.judge(tmp_path, artifact=TUNED)
    assert result.verdict == "confirmed"
    assert value(result, "critical_broken") == ["code"]


def test_a_kind_that_is_on_record_for_no_artifact_may_not_be_in_the_export(
    record: Record, tmp_path: Path
) -> None:
    record.rows = [row for row in record.rows if row.values["kind"] != "code"]
    result = record.judge(tmp_path)
    assert result.verdict == "supported"
    assert result.rivals[0].outcome == "not_excluded"
    assert value(result, "critical_broken") == ["code"]


def test_the_worst_of_several_inputs_of_a_kind_counts(record: Record, tmp_path: Path) -> None:
    record.more("train_data", uri="store/more", digest="md5:" + "d" * 32, retrievable=False)
    assert value(record.judge(tmp_path), "critical_broken") == ["train_data"]


def test_an_audit_says_more_than_the_lock_beside_it(record: Record, tmp_path: Path) -> None:
    record.more("code", uri="src/train.py", retrievable=None, verified_at=None)
    assert record.judge(tmp_path).verdict == "clean"
    record.input("code", retrievable=False)
    record.more("code", uri="src/train.py", retrievable=None, verified_at=None)
    assert value(record.judge(tmp_path), "critical_broken") == ["code"]


def test_what_is_gone_and_can_be_made_again_counts_as_there(record: Record, tmp_path: Path) -> None:
    digest = "md5:" + "d" * 32
    record.input("train_data", digest=digest, retrievable=False)
    record.add(artifact_inputs, artifact=digest, kind="train_data", uri="raw", digest="md5:1",
               pin="pinned", retrievable=True, verified_at=NOW)  # fmt: skip
    record.add(artifact_inputs, artifact=digest, kind="code", uri="prepare.py", digest="md5:2",
               pin="pinned", retrievable=True, verified_at=NOW)  # fmt: skip
    result = record.judge(tmp_path, artifact=TUNED)
    assert result.verdict == "clean"
    assert (
        next(r for r in value(result, "inputs") if r["kind"] == "train_data")["state"] == "remade"
    )


def test_a_circle_of_inputs_ends(record: Record, tmp_path: Path) -> None:
    one, two = "md5:" + "1" * 32, "md5:" + "2" * 32
    record.input("train_data", digest=one, retrievable=False)
    for artifact, digest in ((one, two), (two, one)):
        record.add(artifact_inputs, artifact=artifact, kind="train_data", uri=digest, digest=digest,
                   pin="pinned", retrievable=False)  # fmt: skip
    assert record.judge(tmp_path, artifact=TUNED).verdict == "confirmed"


def test_a_base_of_another_digest_than_the_checkpoint_names_is_a_mismatch(
    record: Record, tmp_path: Path
) -> None:
    record.add(checkpoints, checkpoint=TUNED, base_checkpoint=f"sha256:{'e' * 64}")
    assert value(record.judge(tmp_path), "critical_broken") == ["base_checkpoint"]


@pytest.mark.parametrize(
    ("uri", "state"),
    [("openai:gpt-4.1", "unpinnable"), ("anthropic/claude-sonnet", "unpinnable"),
     ("meta/llama-3-8b", "floating"), ("google/gemma-2b", "floating")],
)  # fmt: skip
def test_only_what_a_provider_hosts_is_unpinnable(
    record: Record, tmp_path: Path, uri: str, state: str
) -> None:
    record.input("base_checkpoint", uri=uri, digest=None, pin="floating", retrievable=None)
    result = record.judge(tmp_path)
    row = next(r for r in value(result, "inputs") if r["kind"] == "base_checkpoint")
    assert row["state"] == state
    assert result.verdict == ("inconclusive" if state == "unpinnable" else "confirmed")


def test_a_record_elsewhere_that_holds_the_link_refutes(record: Record, tmp_path: Path) -> None:
    record.input("train_data", uri="sft-3", digest=None, pin="floating")
    record.add(training_rows, dataset="sft-3", row_id="1", prompt="p", chosen="c")
    result = record.judge(tmp_path)
    assert result.verdict == "inconclusive"
    assert result.falsifier.falsified


def test_erased_for_privacy_is_not_held_against_it(record: Record, tmp_path: Path) -> None:
    record.input("train_data", retrievable=False, attributes={"note": "GDPR erasure"})
    result = record.judge(tmp_path)
    assert result.verdict == "supported"
    assert any(r.outcome == "not_excluded" and "privacy" in r.explanation for r in result.rivals)


def test_rebuilds_outside_the_interval(record: Record, tmp_path: Path) -> None:
    record.rebuilt(AROUND, 0.83)
    result = record.judge(tmp_path)
    assert result.verdict == "confirmed"
    assert value(result, "rerun_gap") == pytest.approx(-0.03)
    assert result.primary is not None
    assert result.primary.p < 0.05


def test_rebuilds_lose_in_one_segment_alone(record: Record, tmp_path: Path) -> None:
    record.rebuilt(AROUND, 0.8002)
    record.rebuilt(AROUND, 0.9, segment="hard")
    record.rebuilt(AROUND, 0.7995, segment="easy")
    result = record.judge(tmp_path)
    assert result.verdict == "confirmed"
    assert value(result, "worst_segment") == "hard"
    assert value(result, "rerun_outside") is False
    assert "hard" in result.headline


SPREAD = [0.80, 0.81, 0.79, 0.805, 0.795, 0.80]


@pytest.mark.parametrize(
    ("shipped", "verdict", "rival"),
    [
        (0.825, "confirmed", "excluded"),  # outside, though Holm over four parts says p > 0.05
        (0.81, "supported", "not_excluded"),  # among them, and a point apart is possible
    ],
)
def test_a_gap_that_chance_may_explain_is_no_landing(
    record: Record, tmp_path: Path, shipped: float, verdict: str, rival: str
) -> None:
    record.input("code", pin="floating", digest=None)
    record.rebuilt(SPREAD, shipped)
    for segment in ("easy", "usual", "hard"):
        record.rebuilt(SPREAD, 0.81, segment=segment)
    result = record.judge(tmp_path)
    assert value(result, "rerun_p") > 0.05
    assert (result.verdict, result.falsifier.falsified) == (verdict, False)
    assert next(r for r in result.rivals if "bits differ" in r.explanation).outcome == rival


def test_rebuilds_that_agree_within_the_margin_land(record: Record, tmp_path: Path) -> None:
    record.input("code", pin="floating", digest=None)
    record.rebuilt(AROUND, 0.8005)
    result = record.judge(tmp_path)
    assert (result.verdict, result.falsifier.falsified) == ("inconclusive", True)


def test_the_control_decides_whether_the_harness_drifted(record: Record, tmp_path: Path) -> None:
    record.add(model_versions, model="m", version="1", checkpoint=TUNED, metric_value=83.0,
               created_at=NOW)  # fmt: skip
    record.rebuilt(AROUND, None)
    without = record.judge(tmp_path)
    assert without.verdict == "supported"
    assert value(without, "reported_score") == pytest.approx(0.83)
    assert any(missing.columns == ("is_original",) for missing in without.missing)
    record.add(reruns, artifact=TUNED, rerun_id="old", score=0.8, is_original=True)
    with_it = record.judge(tmp_path)
    assert with_it.verdict == "clean"
    assert value(with_it, "harness_shift") == pytest.approx(-0.03)


def eval_run(record: Record, run: str, score: float, day: int, **more: Any) -> None:
    start = NOW + timedelta(days=day)
    record.add(eval_runs, **{"run_id": run, "suite": "main", "started_at": start,
                             "checkpoint": TUNED, "score": score} | more)  # fmt: skip


@pytest.mark.parametrize(
    ("rebuilt", "noted", "read"),
    [
        (84.0, 0.84, 84.0),
        (0.84, 84.0, 0.84),
        (84.0, 83.0, 83.0),
        (0.84, 0.2, 0.2),  # a rebuild may fail altogether
        (0.84, 4.2, None),  # a mark out of five
        (4.2, 0.84, None),
    ],
)
def test_scores_in_two_units_are_not_subtracted(
    record: Record, tmp_path: Path, rebuilt: float, noted: float, read: float | None
) -> None:
    eval_run(record, "er-1", noted, -200)
    record.rebuilt([rebuilt * score / 0.8 for score in AROUND], None)
    result = record.judge(tmp_path)
    assert value(result, "reported_score") == (None if read is None else pytest.approx(read))
    assert any("another unit" in limit for limit in result.limits) == (read is None)
    if read is None or abs(rebuilt - read) < 0.01:
        assert result.verdict == "inconclusive"


def test_the_control_is_said_with_both_scores(record: Record, tmp_path: Path) -> None:
    eval_run(record, "er-1", 0.83, -200)
    record.rebuilt(AROUND, 0.8)
    result = record.judge(tmp_path)
    (said,) = [f.statement for f in result.findings if f.statement.startswith("Control")]
    assert "score 80 %, a shift of −3 points from 83 % in eval run er-1" in said


def test_a_later_run_of_the_same_weights_stands_in_for_the_control(
    record: Record, tmp_path: Path
) -> None:
    eval_run(record, "er-1", 0.83, -200)
    eval_run(record, "er-2", 0.8005, 0)
    eval_run(record, "er-3", 0.99, 1, suite="another")
    record.rebuilt(AROUND, None)
    result = record.judge(tmp_path)
    assert result.verdict == "inconclusive"
    assert value(result, "rerun_gap") == pytest.approx(-0.0005)
    assert value(result, "harness_shift") == pytest.approx(-0.0295)
    outcomes = {rival.explanation[:11]: rival.outcome for rival in result.rivals}
    assert outcomes["The harness"] == "not_excluded"
    assert outcomes["The bits di"] == "not_testable"
    assert any("in eval run er-2, " in finding.statement for finding in result.findings)
    assert not result.falsifier.falsified


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_rebuilds_have_no_interval(record: Record, tmp_path: Path, count: int) -> None:
    record.rebuilt(AROUND[:count], 0.83)
    result = record.judge(tmp_path)
    assert result.verdict == "inconclusive"
    assert value(result, "rerun_interval") is None
    assert value(result, "rerun_outside") is None
    assert value(result, "rerun_gap") == pytest.approx(-0.03, abs=1e-3)


def test_one_rebuild_is_compared_item_by_item(record: Record, tmp_path: Path) -> None:
    for i in range(300):
        right = float(i % 5 > 0)
        record.add(reruns, artifact=TUNED, rerun_id="old", item_id=f"i{i}", score=right,
                   is_original=True)  # fmt: skip
        record.add(reruns, artifact=TUNED, rerun_id="new", item_id=f"i{i}",
                   score=right if i > 60 else 0.0)  # fmt: skip
    result = record.judge(tmp_path)
    assert value(result, "mcnemar_p") < 1e-6
    assert result.verdict == "supported"
    assert "1 rebuild: −16.0 points (" in result.headline
    assert "against the shipped weights on 300 items; 5 of different seeds" in result.headline


def test_scores_that_are_no_shares_have_a_margin_of_their_spread(
    record: Record, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    for run in range(7):
        for i in range(50):
            record.add(reruns, artifact=TUNED, rerun_id=f"r{run}", item_id=f"i{i}",
                       score=float(20 + 5 * rng.normal()), is_original=run == 0)  # fmt: skip
    result = record.judge(tmp_path)
    assert float(result.parameters["margin"].value) == pytest.approx(0.5, abs=0.1)
    assert result.measures["rerun_gap"].unit == "score"


@pytest.mark.parametrize(("apart", "verdict"), [(0.0, "clean"), (0.02, "inconclusive")])
def test_rebuilds_without_items_land_where_they_hardly_differ(
    record: Record, tmp_path: Path, apart: float, verdict: str
) -> None:
    record.rebuilt([0.80 + apart * i for i in (-1, 1, -1, 1, 0.5, -0.5)] + AROUND, 0.8)
    assert record.judge(tmp_path).verdict == verdict


def test_the_run_of_the_version_has_the_inputs(record: Record, tmp_path: Path) -> None:
    """MLflow names the inputs of a version by its run, and what serves by its digest."""
    for row in record.rows:
        if row.table is artifact_inputs:
            row.values["artifact"] = "runs:/f00d"
    record.add(model_versions, model="m", version="7", checkpoint=TUNED, run_id="f00d")
    record.rebuilt(AROUND, 0.8)
    result = record.judge(tmp_path)
    assert (result.verdict, value(result, "critical_missing")) == ("clean", [])


def test_the_suite_of_a_score_is_that_of_the_run_with_it(record: Record, tmp_path: Path) -> None:
    """The harness drifted by three points; which of two suites the registry quotes is not said."""
    record.add(model_versions, model="m", version="7", checkpoint=TUNED, metric_value=0.83,
               created_at=NOW)  # fmt: skip
    for day, suite, score in ((-1, "gate", 83.0), (90, "gate", 80.0), (90, "other", 99.0)):
        record.add(eval_runs, run_id=f"{suite}{day}", suite=suite, checkpoint=TUNED, score=score,
                   started_at=NOW + timedelta(days=day))  # fmt: skip
    record.rebuilt(AROUND, None)
    result = record.judge(tmp_path)
    assert result.verdict == "inconclusive"
    assert value(result, "harness_shift") == pytest.approx(-0.03)


def test_items_that_are_right_or_wrong_in_percent_have_a_margin_of_a_point(
    record: Record, tmp_path: Path
) -> None:
    for run in range(7):
        for i in range(50):
            record.add(reruns, artifact=TUNED, rerun_id=f"r{run}", item_id=f"i{i}",
                       score=100.0 * ((i + run) % 5 > 0), is_original=run == 0)  # fmt: skip
    result = record.judge(tmp_path)
    assert result.parameters["margin"].value == 1.0


def test_who_could_rebuild_it(record: Record, tmp_path: Path) -> None:
    record.input("code", owner="bo")
    record.add(people, person="ana", active_from=NOW - timedelta(days=900))
    record.add(people, person="bo", active_until=NOW - timedelta(days=9))
    assert value(record.judge(tmp_path), "bus_factor") == 1
    record.add(engagements, person="zed", object=TUNED, kind="run", occurred_at=NOW)
    assert value(record.judge(tmp_path), "bus_factor") == 0  # ana owns it and never ran it
    record.add(engagements, person="ana", object=TUNED, kind="run", occurred_at=NOW)
    assert value(record.judge(tmp_path), "bus_factor") == 1


def test_without_owners_on_record_the_bus_factor_is_unknown(record: Record, tmp_path: Path) -> None:
    for row in record.rows:
        row.values["owner"] = None
    record.add(people, person="ana", active_from=NOW)
    assert value(record.judge(tmp_path), "bus_factor") is None


def test_without_a_staff_list_the_bus_factor_is_unknown(record: Record, tmp_path: Path) -> None:
    assert value(record.judge(tmp_path), "bus_factor") is None


def test_inputs_under_the_name_of_the_run_are_found(record: Record, tmp_path: Path) -> None:
    record.rows = [row._replace(values={**row.values, "artifact": "run-7"}) for row in record.rows]
    record.add(model_versions, model="m", version="1", checkpoint=TUNED, run_id="run-7",
               created_at=NOW)  # fmt: skip
    record.rebuilt(AROUND, 0.8)
    result = record.judge(tmp_path)
    assert result.parameters["artifact"].value == TUNED
    assert value(result, "critical_broken") == []


OTHER = f"sha256:{'e' * 64}"


def in_use(record: Record, how: str, checkpoint: str = OTHER) -> None:
    match how:
        case "alias":
            record.add(alias_events, alias="live", checkpoint=checkpoint, valid_from=NOW)
        case "stage":
            record.add(model_versions, model="m", version="9", checkpoint=checkpoint,
                       stage="Production", created_at=NOW)  # fmt: skip
        case "requests":
            record.add(requests, request_id="1", occurred_at=NOW, checkpoint=checkpoint)
        case "replaced":
            in_use(record, "alias")
            record.add(alias_events, alias="live", checkpoint=TUNED,
                       valid_from=NOW + timedelta(days=1))  # fmt: skip


@pytest.mark.parametrize(
    ("how", "judged", "verdict"),
    [
        ("alias", OTHER, "confirmed"),
        ("stage", OTHER, "confirmed"),
        ("requests", OTHER, "confirmed"),
        ("replaced", TUNED, "clean"),
        ("nothing", TUNED, "clean"),
    ],
)
def test_a_broken_artifact_in_use_is_judged_before_one_with_rebuilds(
    record: Record, tmp_path: Path, how: str, judged: str, verdict: str
) -> None:
    for kind in CRITICAL:
        record.more(kind, artifact=OTHER, uri=f"other/{kind}", retrievable=kind != "code")
    record.rebuilt(AROUND, 0.8)
    in_use(record, how)
    result = record.judge(tmp_path)
    assert (result.parameters["artifact"].value, result.verdict) == (judged, verdict)
    assert any("1 other artifact on record, not known to be in use" in limit
               for limit in result.limits)  # fmt: skip
    assert "other artifact in use" not in said(result)


def test_other_artifacts_in_use_are_told(record: Record, tmp_path: Path) -> None:
    for kind in CRITICAL:
        record.more(kind, artifact=OTHER, uri=f"other/{kind}", retrievable=kind != "code")
    in_use(record, "alias")
    result = record.judge(tmp_path, artifact=TUNED)
    assert result.verdict == "clean"
    assert (value(result, "others_broken"), result.measures["others_broken"].n) == (1, 1)
    assert any("code pinned but gone" in finding.statement for finding in result.findings)


def test_a_broken_record_nobody_serves_is_contained(record: Record, tmp_path: Path) -> None:
    record.input("code", pin="floating", digest=None)
    record.add(people, person="ana", active_until=NOW - timedelta(days=9))
    assert record.judge(tmp_path).severity == "S2"
    record.add(alias_events, alias="live", checkpoint=TUNED, valid_from=NOW - timedelta(days=50))
    assert record.judge(tmp_path).severity == "S1"


def test_hostile_text_is_told_and_not_run(record: Record, tmp_path: Path) -> None:
    bad = "x'); DROP TABLE reruns; --<script>\u202e"
    record.input("code", uri=bad, owner=bad, pin="floating", digest=None)
    record.rebuilt(AROUND, 0.9, segment=bad)
    record.rebuilt(AROUND, 0.8)
    result = record.judge(tmp_path)
    assert result.verdict == "confirmed"
    assert value(result, "worst_segment") == bad


@pytest.mark.parametrize(("name", "given"), [("artifact", "no such"), ("as_of", "yesterday")])
def test_a_setting_that_makes_no_sense_is_refused(
    record: Record, tmp_path: Path, name: str, given: str
) -> None:
    with pytest.raises(UsageError):
        record.judge(tmp_path, **{name: given})


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"uri": "lr=1e-4,epochs=3", "pin": None}, "on record"),
        ({"uri": None, "attributes": {"params": {"lr": 1e-4}}}, "on record"),
        ({"uri": "https://store/params.json?rev=main"}, "not tried"),
        ({"uri": "params.json", "pin": None}, "floating"),
        ({"uri": "lr=1e-4", "pin": "absent"}, "absent"),
    ],
)
def test_hyperparameters_are_written_out_or_only_pointed_at(
    record: Record, tmp_path: Path, change: dict[str, Any], state: str
) -> None:
    record.input("hyperparameters", digest=None, retrievable=None, **change)
    row = next(r for r in value(record.judge(tmp_path), "inputs") if r["kind"] == "hyperparameters")
    assert row["state"] == state


def test_an_erasure_without_a_digest_leaves_nothing(record: Record, tmp_path: Path) -> None:
    record.input("train_data", retrievable=False, attributes={"note": "erased"}, digest=None)
    result = record.judge(tmp_path)
    assert "digest kept" not in result.headline
    assert (result.verdict, value(result, "critical_broken")) == ("confirmed", ["train_data"])


def test_what_is_gone_is_told_before_what_was_erased(record: Record, tmp_path: Path) -> None:
    record.input("train_data", uri="a", retrievable=False, attributes={"note": "GDPR erasure"})
    record.more("train_data", uri="b", digest="md5:" + "d" * 32, retrievable=False)
    result = record.judge(tmp_path)
    assert "train data pinned but gone" in result.headline
    assert any("Look for a copy of train data" in remedy for remedy in result.remedies)


def test_a_record_elsewhere_must_hold_what_is_broken(record: Record, tmp_path: Path) -> None:
    record.input("train_data", uri="sft-a", retrievable=False)
    record.more("train_data", uri="sft-b", digest="md5:" + "d" * 32)
    record.add(training_rows, dataset="sft-b", row_id="1", prompt="p", chosen="c")
    assert record.judge(tmp_path).verdict == "confirmed"


def test_a_base_that_is_there_does_not_mend_a_wrong_digest(record: Record, tmp_path: Path) -> None:
    record.add(checkpoints, checkpoint=TUNED, base_checkpoint=OTHER)
    record.add(checkpoints, checkpoint=OTHER, uri="s3://base", exists=True)
    assert record.judge(tmp_path).verdict == "confirmed"


@pytest.mark.parametrize(("days", "verdict"), [(-300, "inconclusive"), (300, "confirmed")])
def test_the_last_check_tells_whether_a_base_is_there(
    record: Record, tmp_path: Path, days: int, verdict: str
) -> None:
    record.input("base_checkpoint", uri="base", digest=None, pin="floating", retrievable=None)
    record.add(checkpoints, checkpoint=TUNED, base_checkpoint=OTHER)
    record.add(checkpoints, checkpoint=OTHER, uri="s3://base", exists=True, verified_at=NOW)
    record.add(checkpoints, checkpoint=OTHER, uri="s3://base", exists=False,
               verified_at=NOW + timedelta(days=days))  # fmt: skip
    assert record.judge(tmp_path).verdict == verdict


@pytest.mark.parametrize(
    ("apart", "shipped", "verdict", "said"),
    [
        (
            0,
            0.8,
            "inconclusive",
            "score as the shipped weights do, but no input of it is on record.",
        ),
        (0, 0.9, "confirmed", "The rebuilds do not explain"),
        (0.02, 0.8, "inconclusive", "No input of sha256:aaaaa…aaaaaaa is on record, and nothing"),
    ],
)
def test_without_any_input_on_record_the_rebuilds_decide(
    record: Record, tmp_path: Path, apart: float, shipped: float, verdict: str, said: str
) -> None:
    record.rows = [row._replace(values={**row.values, "artifact": "other"}) for row in record.rows]
    record.rebuilt([score + apart * (-1) ** i for i, score in enumerate(AROUND)], shipped)
    result = record.judge(tmp_path, artifact=TUNED)
    assert result.verdict == verdict
    assert said in result.headline
    assert "cannot be rebuilt" not in result.headline
    assert result.primary is not None
    assert any(absent.table == "artifact_inputs" for absent in result.missing)


def test_rebuilds_of_one_seed_do_not_tell_how_far_seeds_spread(
    record: Record, tmp_path: Path
) -> None:
    def score(shipped_seed: int | None) -> Result:
        record.rows = [row for row in record.rows if row.table is not reruns]
        for i, found in enumerate(AROUND):
            record.add(reruns, artifact=TUNED, rerun_id=f"r{i}", seed=7, score=found)
        record.add(reruns, artifact=TUNED, rerun_id="old", seed=shipped_seed, score=0.83,
                   is_original=True)  # fmt: skip
        return record.judge(tmp_path)

    other = score(None)
    assert (other.verdict, value(other, "rerun_interval")) == ("inconclusive", None)
    assert "6 rebuilds of 1 seed to compare; 5 of different seeds are needed." in other.headline
    assert not any("falls between" in rival.why for rival in other.rivals)
    assert score(7).verdict == "confirmed", "the same seed is the same recipe"


def test_rebuilds_without_a_score_to_compare_are_not_said_to_be_few(
    record: Record, tmp_path: Path
) -> None:
    record.rebuilt(AROUND, None)
    result = record.judge(tmp_path)
    assert result.headline.endswith("6 rebuilds to compare; the shipped weights scored again are "
                                    "needed.")  # fmt: skip
    told = [result.falsifier.outcome, *(c.title for c in result.charts),
            *(rival.why for rival in result.rivals)]  # fmt: skip
    assert not any("few" in text or "5 " in text for text in told)


def said(result: Result) -> str:
    return " ".join(finding.statement for finding in result.findings)


def test_owners_that_the_staff_list_does_not_name_are_not_known(
    record: Record, tmp_path: Path
) -> None:
    record.add(people, person="zed", active_from=NOW - timedelta(days=900))
    result = record.judge(tmp_path)
    assert value(result, "bus_factor") is None
    assert "rebuild it" not in said(result)
    record.input("code", owner="zed")
    result = record.judge(tmp_path)
    assert (value(result, "bus_factor"), result.measures["bus_factor"].n) == (1, 1)
    assert "one person could still rebuild it; of 1 other owner it is not known" in said(result)


def test_one_owner_in_two_spellings_is_one_person(record: Record, tmp_path: Path) -> None:
    record.input("code", owner="Ana")
    record.add(people, person="ana", active_from=NOW - timedelta(days=900))
    assert value(record.judge(tmp_path), "bus_factor") == 1


def test_an_owner_who_is_not_there_yet_has_not_left(record: Record, tmp_path: Path) -> None:
    record.add(people, person="ana", active_from=NOW + timedelta(days=9),
               active_until=NOW + timedelta(days=99))  # fmt: skip
    result = record.judge(tmp_path)
    assert value(result, "bus_factor") == 0
    assert "left" not in said(result)


def test_rebuilds_are_compared_on_the_items_of_the_shipped_weights(
    record: Record, tmp_path: Path
) -> None:
    for run in range(7):
        for i in range(300 if run == 0 else 350):  # rebuilds are scored on 50 harder items too
            record.add(reruns, artifact=TUNED, rerun_id=f"r{run}", seed=run, item_id=f"i{i}",
                       segment="all", score=float(i < 300 and i % 10 > 0),
                       is_original=run == 0)  # fmt: skip
    result = record.judge(tmp_path)
    assert (result.verdict, value(result, "rerun_gap")) == ("clean", pytest.approx(0))
    assert "50 items that not both the shipped weights and a rebuild" in " ".join(result.limits)


@pytest.mark.parametrize(
    ("count", "wrong", "verdict"),
    [
        (2, 0, "inconclusive"),
        (20, 1, "inconclusive"),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in (
            (1, 0, "inconclusive"), (298, 0, "inconclusive"), (298, 2, "inconclusive"),
            (299, 0, "clean"))),
    ],
)  # fmt: skip
def test_few_items_that_hardly_changed_show_neither_a_gap_nor_that_there_is_none(
    record: Record, tmp_path: Path, count: int, wrong: int, verdict: str
) -> None:
    """Of 298 items none may be of the one in a hundred that another set would show to be lost.

    The shipped weights, or they and a rebuild, have one item wrong.
    """
    for run in range(6):
        for i in range(count):
            record.add(reruns, artifact=TUNED, rerun_id=f"r{run}", seed=run, item_id=f"i{i}",
                       score=float(i > 0 or run >= wrong), is_original=run == 0)  # fmt: skip
    result = record.judge(tmp_path)
    same = verdict == "clean"
    assert (result.verdict, value(result, "equivalent")) == (verdict, same)
    assert ("at least 299 items would be" in " ".join(result.limits)) == (not same and wrong != 1)
    low, high = result.measures["rerun_gap"].ci95 or (0, 0)
    assert high - low > (0.005 if count > 20 else 0.2)
    if count > 1 and not wrong:
        gap = result.measures["paired_gap"]
        assert gap.ci95 == pytest.approx((0.025 ** (1 / count) - 1, 1 - 0.025 ** (1 / count)))
        assert f"equivalence within 1 point is {'' if same else 'not '}shown" in said(result)


@pytest.mark.parametrize(("wrong", "needed"), [(5, True), (40, False)])
def test_how_many_items_would_settle_it(
    record: Record, tmp_path: Path, wrong: int, needed: bool
) -> None:
    """More items do not make a gap equivalent that is larger than what matters."""
    for run in range(7):
        for i in range(2_000):
            right = (run == 0 or i >= wrong) and (i + (run and i < 200)) % 2
            record.add(reruns, artifact=TUNED, rerun_id=f"r{run}", item_id=f"i{i}",
                       score=float(right), is_original=run == 0)  # fmt: skip
    limits = " ".join(record.judge(tmp_path).limits)
    assert ("would be needed" in limits) == needed
    assert not needed or "equivalence within 1 point, about" in limits


def test_the_primary_is_of_a_part_that_departs(record: Record, tmp_path: Path) -> None:
    record.rebuilt(AROUND, 0.8)
    record.rebuilt([0.9, 0.9001, 0.8999, 0.90005, 0.9, 0.9], 0.905, "near")
    record.rebuilt([0.5, 0.52, 0.48, 0.51, 0.49, 0.5], 0.59, "far")
    result = record.judge(tmp_path)
    far, near = value(result, "segments")
    assert near["p_holm"] < far["p_holm"]
    assert result.primary is not None
    assert result.primary.p == far["p_holm"]


def test_what_can_be_made_again_is_not_said_to_be_there(record: Record, tmp_path: Path) -> None:
    digest = "md5:" + "d" * 32
    record.input("train_data", digest=digest, retrievable=False)
    there = {"artifact": digest, "pin": "pinned", "retrievable": True, "verified_at": NOW}
    record.add(artifact_inputs, kind="seed", uri="raw", digest="md5:1", **there)
    assert record.judge(tmp_path, artifact=TUNED).verdict == "confirmed"
    record.add(artifact_inputs, kind="code", uri="prepare.py", digest="md5:2", **there)
    result = record.judge(tmp_path, artifact=TUNED)
    assert result.verdict == "clean"
    assert "pinned and can be fetched, or gone and can be made again." in result.headline


def test_requests_of_tests_put_nothing_in_use(record: Record, tmp_path: Path) -> None:
    record.add(requests, request_id="1", occurred_at=NOW, checkpoint=TUNED, environment="staging")
    assert "served" not in said(record.judge(tmp_path))
    for second in range(2):  # a retry is the same request
        record.add(requests, request_id="2", occurred_at=NOW + timedelta(seconds=second),
                   checkpoint=TUNED)  # fmt: skip
    assert "The artifact served 1 request by the digest" in said(record.judge(tmp_path))


def test_a_run_of_the_version_that_serves_is_in_use(record: Record, tmp_path: Path) -> None:
    record.input("code", pin="floating", digest=None)
    for row in record.rows:
        row.values["artifact"] = "runs:/f00d"
    record.add(model_versions, model="m", version="7", checkpoint=TUNED, run_id="f00d")
    record.add(requests, request_id="2", occurred_at=NOW, checkpoint=TUNED)
    assert "The artifact served 1 request" in said(record.judge(tmp_path))


@pytest.mark.parametrize(
    ("until", "zone", "left"),
    [
        ("2026-02-09T15:00:00+00:00", "Asia/Tokyo", "ana left on 2026-02-10"),
        ("2026-02-10T00:00:00+00:00", None, "ana left on 2026-02-10"),
        ("2026-02-09T15:00:00+00:00", None, "ana left at 2026-02-09 15:00 UTC"),
    ],
)
def test_a_day_of_the_staff_list_is_said_as_that_day(
    record: Record, tmp_path: Path, until: str, zone: str | None, left: str
) -> None:
    record.add(people, person="ana", active_until=datetime.fromisoformat(until), timezone=zone)
    assert left in said(record.judge(tmp_path))


def test_the_run_behind_the_score_at_shipping_is_no_later_one(
    record: Record, tmp_path: Path
) -> None:
    """The gate ran after the version was registered; the registry quotes it."""
    record.add(model_versions, model="m", version="7", checkpoint=TUNED, metric_value=0.83,
               eval_run_id="gate", created_at=NOW)  # fmt: skip
    record.add(eval_runs, run_id="gate", suite="tasks", checkpoint=TUNED, score=0.83,
               started_at=NOW + timedelta(hours=1))  # fmt: skip
    record.rebuilt(AROUND, None)
    result = record.judge(tmp_path)
    assert value(result, "harness_shift") is None
    assert "Control:" not in said(result)


@pytest.mark.parametrize(
    ("found", "matches"),
    [
        ("SHA256:0" + "B" * 63, True),
        ("0" + "b" * 63, True),
        ("0" + "b" * 11, True),  # shortened, as Git does
        ("md5:" + "c" * 32, True),  # of another kind, which says nothing
        ("1" + "b" * 63, False),
        ("no such file", False),
    ],
)
def test_a_digest_is_compared_with_one_of_its_kind(
    record: Record, tmp_path: Path, found: str, matches: bool
) -> None:
    record.input("train_data", attributes={"observed_digest": found})
    row = next(r for r in value(record.judge(tmp_path), "inputs") if r["kind"] == "train_data")
    assert (row["state"] != "mismatched") == matches


def test_a_base_is_compared_with_or_without_the_name_of_its_kind(
    record: Record, tmp_path: Path
) -> None:
    record.add(checkpoints, checkpoint=TUNED, base_checkpoint="e" * 64)
    assert value(record.judge(tmp_path), "critical_broken") == ["base_checkpoint"]
    record.input("base_checkpoint", digest=f"sha256:{'e' * 64}")
    assert value(record.judge(tmp_path), "critical_broken") == []


def test_rebuilds_speak_for_themselves_where_no_inputs_are_loaded(
    record: Record, tmp_path: Path
) -> None:
    record.rows = []
    record.rebuilt(AROUND, 0.9)
    result = record.judge(tmp_path)
    assert result.verdict == "confirmed"
    assert not [rival for rival in result.rivals if rival.outcome == "not_excluded"]
    absent = [missing for missing in result.missing if missing.table == "artifact_inputs"]
    assert [missing.required for missing in absent] == [False]


def test_rebuilds_that_land_are_not_clean_where_no_inputs_are_loaded(
    record: Record, tmp_path: Path
) -> None:
    record.rows = []
    record.rebuilt(AROUND, sum(AROUND) / len(AROUND))
    assert record.judge(tmp_path).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("uri", "state"),
    [
        ("git@example.com:team/train@main", "floating"),
        ("registry/train:latest", "floating"),
        ("git@example.com:team/train@4f1c2d9", "unverified"),
        ("https://example.com/team/train/tree/main/jobs", "floating"),
        ("git@example.com:team/main", "unverified"),
        *also(
            ("jobs/tune.ipynb", "floating"),
            ("torch>=2.1", "floating"),
            ("torch==2.1.0", "unverified"),
            ("store/mainline", "unverified"),
        ),
    ],
)
def test_an_address_that_moves_is_not_pinned_by_being_called_so(
    record: Record, tmp_path: Path, uri: str, state: str
) -> None:
    record.input("code", uri=uri, digest=None)
    result = record.judge(tmp_path)
    (code,) = (row for row in value(result, "inputs") if row["kind"] == "code")
    assert code["state"] == state
    assert result.verdict == ("confirmed" if state == "floating" else "clean")


def test_a_digest_pins_what_an_address_does_not(record: Record, tmp_path: Path) -> None:
    record.input("code", uri="git@example.com:team/train@main")
    assert record.judge(tmp_path).verdict == "clean"


def items(record: Record, run: str, wrong: range, **more: Any) -> None:
    """Two hundred items, half of them hard, of which some are wrong."""
    for i in range(200):
        segment, score = "hard" if i < 100 else "easy", float(i not in wrong)
        record.add(reruns, artifact=TUNED, rerun_id=run, item_id=f"i{i}", score=score,
                   segment=segment, **more)  # fmt: skip


def statement(result: Result, opening: str) -> str:
    return next((f.statement for f in result.findings if f.statement.startswith(opening)), "")


def test_a_loss_in_one_segment_shows_item_by_item_with_few_rebuilds(
    record: Record, tmp_path: Path
) -> None:
    items(record, "old", range(10), is_original=True)
    items(record, "new", range(30), seed=1)
    items(record, "newer", range(30), seed=2)
    result = record.judge(tmp_path, margin=0.05)
    assert "segments" not in result.measures  # two rebuilds have no interval
    rows = {row["segment"]: row for row in value(result, "paired_segments")}
    assert rows["hard"]["gap"] == pytest.approx(-0.2)
    assert rows["hard"]["p_holm"] < 0.001
    assert rows["hard"]["low"] < -0.2 < rows["hard"]["high"] < 0
    easy = rows["easy"]
    assert (easy["gap"], easy["p_holm"], easy["equivalent"]) == (0, 1, True)
    # of a hundred items that did not change, up to 3.6 of another hundred may
    assert easy["high"] == pytest.approx(1 - 0.025 ** (1 / 100))
    assert rows["all items"]["items"] == 200
    told = statement(result, "Item by item")
    assert "in 1 of 2 segments (Holm): hard −20" in told
    assert "equivalence is shown in 1." in told


def test_a_loss_in_a_small_segment_of_many_is_found_item_by_item(
    record: Record, tmp_path: Path
) -> None:
    """Twelve segments are larger than the two that lost all."""
    for run in ("old", "new"):
        for segment in range(14):
            for i in range(11 if segment < 12 else 10):
                record.add(reruns, artifact=TUNED, rerun_id=run, item_id=f"i{segment}.{i}",
                           segment=f"s{segment}", score=float(run == "old" or segment < 12),
                           is_original=run == "old")  # fmt: skip
    result = record.judge(tmp_path)
    shown = [row["segment"] for row in value(result, "paired_segments")]
    assert len(shown) == 13
    assert {"all items", "s12", "s13"} <= set(shown)
    assert "in 2 of 14 segments (Holm): s12 −100" in statement(result, "Item by item")


def test_items_of_one_side_alone_are_not_compared(record: Record, tmp_path: Path) -> None:
    items(record, "new", range(30), seed=1)
    result = record.judge(tmp_path)
    assert "paired_segments" not in result.measures
    assert not statement(result, "Item by item")


def test_it_is_said_which_gap_rebuilds_can_find(record: Record, tmp_path: Path) -> None:
    record.rebuilt([0.80, 0.81, 0.79, 0.80, 0.80], 0.80)
    result = record.judge(tmp_path)
    assert value(result, "rerun_spread") == pytest.approx(0.01 / 2**0.5)
    assert value(result, "detectable_gap") > 3 * value(result, "rerun_spread")
    told = statement(result, "Rebuilds differ")
    assert "no number of rebuilds finds one of 1 point" in told
    assert "of 2.91 points lies outside the prediction interval 80 times in 100" in told
    assert "and one of 3.91 points by 1 point or more" in told


def test_the_spread_of_items_is_not_said_to_be_that_of_rebuilds(
    record: Record, tmp_path: Path
) -> None:
    """Each rebuild has another tenth of the items wrong."""
    for run in range(6):
        for i in range(20):
            record.add(reruns, artifact=TUNED, rerun_id=f"r{run}", seed=run, item_id=f"i{i}",
                       score=float(i // 2 != run), is_original=run == 0)  # fmt: skip
    result = record.judge(tmp_path)
    assert value(result, "rerun_spread_seen") == 0
    assert value(result, "rerun_spread") > 0.04
    told = statement(result, "Rebuilds differ among themselves by 0 points (standard deviation); ")
    assert "by their items it may be 7.07 points" in told


def test_few_rebuilds_are_not_said_to_find_anything(record: Record, tmp_path: Path) -> None:
    record.rebuilt([0.80, 0.81, 0.79], 0.80)
    result = record.judge(tmp_path)
    assert "detectable_gap" not in result.measures


@pytest.mark.parametrize(
    ("kept", "noted", "right", "why"),
    [
        (200, 0.95, 1.0, None),
        (200, 95.0, 1.0, None),  # the unit of the run is not that of its items
        (0, 0.95, 1.0, "are not on record"),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in (
            (1, 0.95, 1.0, "Fewer than two items"), (200, 0.95, 100.0, "are in another unit"))),
    ],
)  # fmt: skip
def test_what_was_lost_since_shipping_is_split(
    record: Record, tmp_path: Path, kept: int, noted: float, right: float, why: str | None
) -> None:
    eval_run(record, "er-1", noted, -200)
    for i in range(kept):
        record.add(eval_samples, run_id="er-1", item_id=f"i{i}", epoch=1, condition="as_run",
                   score=right * (i >= 10))  # fmt: skip
    items(record, "old", range(20), is_original=True)
    for seed in range(5):
        items(record, f"new{seed}", range(26), seed=seed)
    result = record.judge(tmp_path)
    assert value(result, "gap_since_shipping") == pytest.approx(-0.08)
    told = statement(result, "From the score at shipping")
    assert "−8 points, of which −5 points with the harness" in told
    assert "−3 points with the recipe" in told
    assert ("scored both times the same weights moved by −5" in told) == (why is None)
    if why:
        assert why in told
        assert "that shift has no interval" in told
    else:
        shift = result.measures["harness_shift_paired"]
        assert shift.ci95 is not None
        assert shift.ci95[0] < -0.05 < shift.ci95[1] < 0
        assert shift.n == 200


def test_items_that_no_rebuild_was_scored_on_do_not_shift_the_harness(
    record: Record, tmp_path: Path
) -> None:
    """The same weights score the same on 200 items; rebuilds were scored on the 100 hardest."""
    eval_run(record, "er-1", 0.95, -200)
    items(record, "old", range(10), is_original=True)
    for i in range(200):
        record.add(eval_samples, run_id="er-1", item_id=f"i{i}", epoch=1, score=float(i >= 10))
        for seed in range(5 if i < 100 else 0):
            record.add(reruns, artifact=TUNED, rerun_id=f"new{seed}", item_id=f"i{i}", seed=seed,
                       segment="hard", score=float(i >= 10))  # fmt: skip
    result = record.judge(tmp_path)
    assert (value(result, "shipped_score"), value(result, "control_score")) == (0.9, 0.95)
    assert value(result, "harness_shift") == 0
    assert "gap_since_shipping" not in result.measures
    told = statement(result, "Since shipping the same weights moved by 0 points; ")
    assert "no rebuild was scored on 100 items of theirs" in told
    assert (
        "On 200 items scored both times the same weights moved by 0.0 points (−1.8 to +1.8)" in told
    )
    assert "score 95 %, the same as 95 %" in statement(result, "Control")


@pytest.mark.parametrize(
    "again", [True, pytest.param(False, marks=pytest.mark.slow)]
)  # fmt: skip
def test_a_score_of_other_weights_is_not_compared(
    record: Record, tmp_path: Path, again: bool
) -> None:
    """The registry quotes a run of another digest."""
    record.add(model_versions, model="m", version="1", checkpoint=TUNED, metric_value=0.95,
               eval_run_id="er-1", created_at=NOW)  # fmt: skip
    eval_run(record, "er-1", 0.95, -200, checkpoint=OTHER)
    for i in range(20):
        record.add(eval_samples, run_id="er-1", item_id=f"i{i}", epoch=1, score=1.0)
    record.rebuilt(AROUND, 0.8 if again else None)
    result = record.judge(tmp_path)
    assert result.verdict == ("clean" if again else "inconclusive")
    assert (value(result, "harness_shift"), value(result, "reported_score")) == (None, None)
    assert "the same weights" not in said(result)
    assert "0.95 in the registry was measured on other weights, and was not" in str(result.limits)


def test_the_segment_in_which_rebuilds_differ_most_may_be_the_highest(
    record: Record, tmp_path: Path
) -> None:
    record.rebuilt(AROUND, 0.8)
    record.rebuilt(AROUND, 0.7988, "near")
    record.rebuilt(AROUND, 0.6, "far")
    result = record.judge(tmp_path)
    (chart,) = (chart for chart in result.charts if chart.id == "segments")
    assert chart.title.startswith("Rebuilds differ most in far: 20")
    assert "the lowest near, 0.0012" in chart.alt
    assert any("search in far," in remedy for remedy in result.remedies)


def test_the_inputs_are_placed_in_the_records_that_others_ask_for(
    record: Record, tmp_path: Path
) -> None:
    record.input("train_data", retrievable=False)
    record.more("hardware", uri="gpu/8", verified_at=None)
    result = record.judge(tmp_path)
    rows = {row["kind"]: row for row in value(result, "record_fields")}
    assert len(rows) == 10
    assert (rows["train_data"]["annex_iv"], rows["train_data"]["can_be_filled"]) == ("2(d)", False)
    assert rows["code"]["slsa_v1"] == "buildDefinition.resolvedDependencies"
    assert (rows["seed"]["state"], rows["seed"]["can_be_filled"]) == ("absent", False)
    assert value(result, "inputs_checked") == pytest.approx(3 / 5)
    assert "the record can fill 4" in statement(result, "3 of 5 inputs")
