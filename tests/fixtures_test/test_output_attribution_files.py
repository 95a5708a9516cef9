"""The alias incidents, attributed again from the files that were written, one row at a time."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet
import pytest
from fixtures import ALL, Truth
from tests.fixtures_test.conftest import incidents_of

Written = Callable[[str], tuple[Path, Truth]]

ATTRIBUTIONS = list(incidents_of("output_attribution"))
NO_CLOCKS = "output_attribution.no_clocks"
LOCAL = "output_attribution.daylight_saving"


def instant(text: Any) -> datetime | None:
    if not text:
        return None
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def until(row: dict[str, Any]) -> datetime:
    return instant(row["valid_until"]) or datetime(9999, 1, 1, tzinfo=UTC)


def table(folder: Path, name: str) -> list[dict[str, Any]]:
    for path in folder.glob(f"{name}.*"):
        if path.suffix == ".parquet":
            return pyarrow.parquet.read_table(path).to_pylist()
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in path.read_text().splitlines()]
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    return []


@dataclass(frozen=True)
class Decision:
    id: str
    began: datetime
    ended: datetime
    replica: str
    alias: str
    digest: str | None


def decisions(folder: Path, zone: str = "UTC") -> list[Decision]:
    path = folder / "traces" / "decisions.jsonl.gz"
    if not path.exists():
        return [_local(row, zone) for row in table(folder, "decisions")] or [
            Decision(row["request_id"], instant(row["occurred_at"]),
                     instant(row.get("ended_at") or row["occurred_at"]), "", row["endpoint"], None)
            for row in table(folder, "requests") if row.get("operation", "chat") == "chat"
        ]  # fmt: skip
    found = []
    for line in gzip.decompress(path.read_bytes()).splitlines():
        for group in json.loads(line)["resourceSpans"]:
            resource = _plain(group["resource"]["attributes"])
            for span in group["scopeSpans"][0]["spans"]:
                said = _plain(span["attributes"])
                assert said["gen_ai.request.model"] == said["gen_ai.response.model"]
                found.append(
                    Decision(
                        said["request_id"],
                        _from_ns(span["startTimeUnixNano"]),
                        _from_ns(span["endTimeUnixNano"]),
                        resource["service.instance.id"],
                        said["gen_ai.request.model"],
                        said.get("checkpoint"),
                    )
                )
    return found


def _local(row: dict[str, str], zone: str) -> Decision:
    case, when, alias, replica = row.values()
    naive = datetime.strptime(when, "%d.%m.%Y %H:%M:%S")
    at = naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return Decision(case, at, at, replica, alias, None)


def _plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: next(iter(pair["value"].values())) for pair in attributes}


def _from_ns(text: str) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(text) // 1000)


def earliest(rows: list[Decision]) -> list[Decision]:
    first: dict[str, Decision] = {}
    for row in sorted(rows, key=lambda row: row.began):
        first.setdefault(row.id, row)
    return list(first.values())


class Recount:
    """Attribution by the words of the contract, without haste."""

    def __init__(self, folder: Path, rows: list[Decision], error_s: float) -> None:
        self.error = timedelta(seconds=error_s)
        self.deployed = [
            (row["replica"], row["checkpoint"], instant(row["valid_from"]), until(row))
            for row in table(folder, "deployments")
        ]
        log = sorted(table(folder, "alias_events"), key=lambda row: instant(row["valid_from"]))
        self.log = [
            (
                row["checkpoint"],
                instant(row["valid_from"]),
                instant(row.get("rollout_ended_at")) or instant(row["valid_from"]),
            )
            for row in log
        ]
        named = {digest for digest, _, _ in self.log}
        self.unlogged = [run for run in self.deployed if run[1] not in named]
        begin, end = rows[0].began, rows[-1].began
        self.boundaries = [
            (before[0], *after)
            for before, after in pairwise(self.log)
            if before[0] != after[0] and begin <= after[1] <= end
        ]
        self.candidates = [self.candidates_of(row) for row in rows]
        self.grades = Counter(grade for grade, _ in self.candidates)

    def candidates_of(self, row: Decision) -> tuple[str, set[str]]:
        if row.digest:
            return "A", {row.digest}
        for replica, digest, since, end in self.deployed:
            if replica == row.replica and since <= row.began < end:
                return "B", {digest}
        sides: set[str] = set()
        for before, after, start, stop in self.boundaries:
            if row.began <= stop + self.error and row.ended >= start - self.error:
                sides |= {before, after}
        past = [digest for digest, start, _ in self.log if start <= row.began]
        beside = {
            digest
            for _, digest, since, end in self.unlogged
            if past and row.began <= end + self.error and row.ended >= since - self.error
        }
        if sides or beside:
            return "D", sides | beside | {*past[-1:]}
        return ("C", {past[-1]}) if past else ("E", set())

    def rotations(self) -> int:
        """Moves forward, and each rollback once: the way back from one is not counted."""
        seen: list[str] = [self.log[0][0]]
        undone: str | None = None
        count = 0
        for _, after, _, _ in self.boundaries:
            if after == undone:
                undone = None
            else:
                undone = seen[-1] if after in seen else None
                count += 1
            seen.append(after)
        return count


@pytest.fixture(scope="module")
def recounted(written: Written) -> Callable[[str], Recount]:
    kept: dict[str, Recount] = {}

    def recount(name: str) -> Recount:
        if name not in kept:
            folder, truth = written(name)
            rows = earliest(decisions(folder, truth.numbers.get("zone", "UTC")))
            clocks = table(folder, "clocks")
            error = max((float(c["error_s"]) + float(c["offset_s"]) for c in clocks), default=30.0)
            kept[name] = Recount(folder, rows, error)
        return kept[name]

    return recount


every_attribution = pytest.mark.parametrize("name", ATTRIBUTIONS)


@every_attribution
def test_grades_are_as_told(name: str, recounted, written: Written) -> None:
    truth, found = written(name)[1].numbers, recounted(name)
    assert sum(found.grades.values()) == truth["decisions"]
    assert {g: found.grades[g] for g in "ABCDE"} == {
        g: truth[f"grade_{g.lower()}"] for g in "ABCDE"
    }
    known = truth["decisions"] - found.grades["D"] - found.grades["E"]
    assert truth["coverage"] == pytest.approx(known / truth["decisions"])


@every_attribution
def test_boundaries_and_rotations_are_as_told(name: str, recounted, written: Written) -> None:
    truth, found = written(name)[1].numbers, recounted(name)
    assert len(found.boundaries) == truth["boundaries"]
    moments = [f"{start:%Y-%m-%dT%H:%M:%SZ}" for _, _, start, _ in found.boundaries]
    assert moments == truth["boundary_times"]
    assert found.rotations() == truth["rotations"]


@every_attribution
def test_bounds_by_checkpoint_are_as_told(name: str, recounted, written: Written) -> None:
    definite: Counter[str] = Counter()
    possible: Counter[str] = Counter()
    for grade, digests in recounted(name).candidates:
        possible.update(digests)
        definite.update(digests if grade != "D" else ())
    told = written(name)[1].numbers["checkpoints"]
    assert {d: (b["definite"], b["possible"]) for d, b in told.items()} == {
        digest: (definite[digest], possible[digest]) for digest in possible
    }


@every_attribution
def test_clock_error_and_unlogged_rotations_are_as_told(name: str, written: Written) -> None:
    folder, truth = written(name)
    clocks = [float(row["error_s"]) + float(row["offset_s"]) for row in table(folder, "clocks")]
    assert max(clocks, default=None) == truth.numbers["clock_error_s"]
    logged = {row["checkpoint"] for row in table(folder, "alias_events")}
    ran = {row["checkpoint"] for row in table(folder, "deployments")}
    assert len(ran - logged) == truth.numbers["unlogged_rotations"]


@every_attribution
def test_ambiguity_agrees_with_the_right_verdict(name: str, written: Written) -> None:
    incident = next(incident for incident in ALL if incident.name == name)
    numbers = written(name)[1].numbers
    unknown = numbers["grade_d"] + numbers["grade_e"]
    assert (unknown > 0) == ("confirmed" in incident.verdicts)


@pytest.mark.parametrize("seed", range(6))
def test_planted_seeds_all_hold_ambiguous_decisions(seed: int, tmp_path: Path) -> None:
    from fixtures.attribution import attribution_truth
    from fixtures.decisions import drain
    from fixtures.output_attribution import busy_day, rotated

    estate = rotated(seed)
    truth = attribution_truth(estate, drain(estate, busy_day(estate), ()))
    assert truth.numbers["boundaries"] == 5
    assert truth.numbers["grade_d"] >= 5


def test_the_worked_example_is_exact(recounted, written: Written) -> None:
    """METHODS' closed example: a decision a minute, five boundaries, clocks good to 120 s."""
    found = recounted("output_attribution.p8")
    assert found.grades == {"C": 43_175, "D": 25}
    told = written("output_attribution.p8")[1].numbers["checkpoints"].values()
    assert sorted((b["definite"], b["possible"]) for b in told) == [
        (6_113, 6_128),
        (10_075, 10_085),
        (11_517, 11_522),
        (15_470, 15_490),
    ]


def test_retries_counted_by_row_would_be_ambiguous(written: Written) -> None:
    folder, truth = written("output_attribution.retries")
    rows = decisions(folder)
    assert (
        len(rows) == truth.numbers["rows"] == truth.numbers["decisions"] + truth.numbers["retries"]
    )
    assert Recount(folder, rows, truth.numbers["clock_error_s"]).grades["D"] > 0


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT-1", "Etc/GMT+4", "Etc/GMT+5"])
def test_local_times_read_wrongly_fall_on_boundaries(zone: str, written: Written) -> None:
    folder, truth = written(LOCAL)
    rows = decisions(folder, zone)
    assert Recount(folder, rows, truth.numbers["clock_error_s"]).grades["D"] > 0


def test_the_zone_changes_its_clocks_within_the_log(written: Written) -> None:
    folder, truth = written(LOCAL)
    zone = ZoneInfo(truth.numbers["zone"])
    rows = decisions(folder, truth.numbers["zone"])
    assert len({row.began.astimezone(zone).utcoffset() for row in rows}) == 2


def test_the_pinned_batch_disagrees_with_the_alias(recounted, written: Written) -> None:
    folder, truth = written("output_attribution.batch_pinned")
    found = recounted("output_attribution.batch_pinned")
    (pinned,) = {row["checkpoint"] for row in table(folder, "deployments")}
    assert found.grades["B"] == truth.numbers["batch"]
    assert pinned != found.log[-1][0]


def test_some_planted_seeds_hold_each_complication() -> None:
    from fixtures.output_attribution import busy_day as traffic
    from fixtures.output_attribution import rotated, stamp

    late, again, stamped = set(), set(), set()
    for seed in range(40):
        estate = rotated(seed)
        late.add(estate.logged[0].at_ms > 0)
        digests = [switch.checkpoint for switch in estate.logged]
        again.add(any(a == b for a, b in pairwise(digests)))
        if seed < 12:
            stamped.add(bool(stamp(estate, traffic(estate)).stamped.any()))
    assert late == again == stamped == {False, True}
