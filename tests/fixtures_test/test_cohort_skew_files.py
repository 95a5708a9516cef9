"""The experiments, counted again from the files that were written."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fixtures import Truth
from tests.fixtures_test.conftest import incidents_of

Written = Callable[[str], tuple[Path, Truth]]

EXPERIMENTS = list(incidents_of("cohort_skew"))
PLANTED = ["cohort_skew.planted_1x", "cohort_skew.planted_2x", "cohort_skew.planted_relogged"]
BY_ACCOUNT = ["cohort_skew.unit_mismatch", "cohort_skew.one_large_account"]
RELOGGED = ["cohort_skew.planted_relogged", "cohort_skew.novelty_relogged"]
# their rows are not those of the readout
NO_READOUT = {"cohort_skew.delayed_logging", "cohort_skew.uneven_rows", *RELOGGED}
INSTANTS = {"occurred_at", "timestamp", "ts"}
DIGESTS = {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256}


class Files:
    """The tables of a written experiment, as a plain DuckDB session sees them."""

    def __init__(self, folder: Path, experiment: str) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        for table in ("assignments", "units", "outcomes", "config_events"):
            (path,) = folder.glob(f"{table}.*")
            reader = {"parquet": "read_parquet($1)", "jsonl": "read_json($1)"}.get(
                path.name.split(".")[1], "read_csv($1, all_varchar = true)"
            )
            self.connection.execute(f"CREATE TABLE {table} AS SELECT * FROM {reader}", [str(path)])
        self.connection.execute("ALTER TABLE assignments RENAME TO log")
        self.connection.execute(
            "CREATE TABLE assignments AS SELECT * FROM log WHERE experiment = $1 "
            "QUALIFY row_number() OVER (PARTITION BY unit_id ORDER BY assigned_at) = 1",
            [experiment],
        )
        (self.instant,) = INSTANTS & set(self.columns("outcomes"))
        self.connection.execute(
            f"""
            CREATE TABLE cells AS
            SELECT a.*, metric, o."{self.instant}"::TIMESTAMPTZ AS moment, value::DOUBLE AS value,
                   {self.denominator} AS denominator, moment >= assigned_at::TIMESTAMPTZ AS exposed,
                   moment < coalesce((SELECT max(occurred_at)::TIMESTAMPTZ FROM config_events
                                  WHERE new_value = '100'), 'infinity') AS before_launch
            FROM assignments AS a JOIN outcomes AS o USING (unit_id)
            """
        )

    @property
    def denominator(self) -> str:
        """The denominator, or one for each row of a metric that has none."""
        return "denominator::DOUBLE" if "denominator" in self.columns("outcomes") else "1.0"

    def columns(self, table: str) -> list[str]:
        return [row[0] for row in self.connection.execute(f"DESCRIBE {table}").fetchall()]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def value(self, sql: str) -> Any:
        ((found,),) = self.rows(sql)
        return found


@pytest.fixture(scope="module")
def files(written: Written) -> Callable[[str], Files]:
    kept: dict[str, Files] = {}

    def open_files(name: str) -> Files:
        if name not in kept:
            folder, truth = written(name)
            kept[name] = Files(folder, truth.numbers["experiment"])
        return kept[name]

    return open_files


every_experiment = pytest.mark.parametrize("name", EXPERIMENTS)


@every_experiment
def test_units_and_arms_are_as_told(name: str, files, written: Written) -> None:
    truth, found = written(name)[1].numbers, files(name)
    assert found.value("SELECT count(DISTINCT unit_id) FROM assignments") == truth["units"]
    assert found.value("SELECT count(*) FROM units") == truth["units"]
    by_stage = found.rows(
        f"SELECT stage::VARCHAR, count(*), count(*) FILTER (arm = '{truth['treatment']}') "
        "FROM assignments GROUP BY 1"
    )
    assert {stage: n for stage, n, _ in by_stage} == truth["units_by_stage"]
    assert {stage: treated for stage, _, treated in by_stage} == truth["treated_by_stage"]


@every_experiment
def test_covariates_are_as_told(name: str, files, written: Written) -> None:
    known = {"unit_id", "account_id", "tier", "region", "created_at", "is_internal", "is_bot"}
    extra = set(files(name).columns("units")) - known - {"bot_flagged_at"}
    assert sorted(extra) == written(name)[1].numbers["covariates"]
    assert 3 <= len(extra) <= 48


@pytest.mark.parametrize("name", [one for one in EXPERIMENTS if one.values[0] not in NO_READOUT])
def test_raw_lift_is_as_told(name: str, files, written: Written) -> None:
    truth, found = written(name)[1].numbers, files(name)
    mean = "sum(value) / sum(denominator)"
    per_user = (
        f"SELECT stage, arm, unit_id, {mean} AS mean, sum(value) AS value, "
        f"sum(denominator) AS denominator FROM cells WHERE exposed AND before_launch "
        f"AND metric = '{truth['metric']}' GROUP BY ALL"
    )
    of_arm = mean if truth["kind"] == "rate" else "avg(mean)"
    rows = found.rows(f"SELECT stage::VARCHAR, arm, {of_arm} FROM ({per_user}) GROUP BY ALL")
    arms = {(stage, arm): value for stage, arm, value in rows}
    for stage, lift in truth["lift_by_stage"].items():
        gap = arms[stage, truth["treatment"]] - arms[stage, truth["control"]]
        assert gap == pytest.approx(lift, rel=1e-9, abs=1e-9)


@every_experiment
def test_arms_follow_the_buckets(name: str, files, written: Written) -> None:
    truth, found = written(name)[1].numbers, files(name)
    staff = "unit_id IN (SELECT unit_id FROM units WHERE is_internal::BOOLEAN)"
    wrong = found.rows(
        f"SELECT unit_id, {staff} FROM assignments WHERE "
        f"(arm = '{truth['treatment']}') <> (bucket::INTEGER < stage::INTEGER)"
    )
    if name == "cohort_skew.internal_allow_list":
        assert wrong
        assert all(is_staff for _, is_staff in wrong)
    else:
        assert not wrong


@every_experiment
def test_buckets_are_those_of_the_named_algorithm(name: str, files, written: Written) -> None:
    found = files(name)
    if "algorithm" not in found.columns("assignments"):
        pytest.skip("its log names no algorithm")
    salted = "salt" if "salt" in found.columns("assignments") else "NULL"
    unit = "account_id" if name in BY_ACCOUNT else "unit_id::VARCHAR"
    rows = found.rows(
        f"SELECT a.algorithm, {salted}, {unit.replace('unit_id', 'a.unit_id')}, a.bucket::INTEGER "
        "FROM assignments AS a JOIN units AS u ON u.unit_id::VARCHAR = a.unit_id::VARCHAR"
    )
    for algorithm, salt, unit_id, bucket in rows[:3000]:
        if algorithm == "mod":
            assert int(re.findall(r"\d+$", unit_id)[0]) % 100 == bucket
        elif algorithm in DIGESTS:
            digest = DIGESTS[algorithm]((salt + unit_id).encode(), usedforsecurity=False)
            assert int(digest.hexdigest(), 16) % 100 == bucket


@every_experiment
def test_only_the_planted_buckets_follow_the_sign_up(name: str, files, written: Written) -> None:
    correlation = files(name).value(
        "SELECT abs(corr(a.bucket::DOUBLE, epoch(u.created_at::TIMESTAMPTZ))) FROM assignments a "
        "JOIN units u ON u.unit_id::VARCHAR = a.unit_id::VARCHAR"
    )
    if written(name)[1].numbers["mechanism"] == "non_mixing":
        assert correlation > 0.95
    else:
        assert correlation < 0.06


@pytest.mark.parametrize("name", PLANTED)
def test_planted_counts_are_perfect(name: str, written: Written) -> None:
    """No sample-ratio check can see the incident: every stage is treated to the unit."""
    truth = written(name)[1].numbers
    for stage, units in truth["units_by_stage"].items():
        expected = units * int(stage) / 100
        assert abs(truth["treated_by_stage"][stage] - expected) <= 0.01 * units / 10 + 2


@pytest.mark.parametrize("name", PLANTED)
def test_planted_canaries_hold_power_users(name: str, written: Written) -> None:
    assert 1.8 < written(name)[1].numbers["power_ratio"] < 4


@pytest.mark.parametrize("name", PLANTED)
def test_planted_arms_differ_before_exposure(name: str, files, written: Written) -> None:
    truth = written(name)[1].numbers
    rows = files(name).rows(
        f"SELECT arm = '{truth['treatment']}', avg(total) FROM (SELECT arm, unit_id, "
        "sum(value) AS total FROM cells WHERE NOT exposed AND stage = '5' "
        "GROUP BY ALL) GROUP BY 1"
    )
    before = dict(rows)
    assert before[True] > 1.15 * before[False]


@every_experiment
def test_pre_period_and_post_period_are_there(name: str, files) -> None:
    rows = files(name).rows(
        "SELECT count(*) FILTER (exposed), count(*) FILTER (NOT exposed) FROM cells"
    )
    assert min(rows[0]) > 1000


# Each trap holds what it is named for.


def test_late_rows_are_missing_in_one_arm_only(files, written: Written) -> None:
    truth, found = (
        written("cohort_skew.delayed_logging")[1].numbers,
        files("cohort_skew.delayed_logging"),
    )
    last = found.rows(
        "SELECT DISTINCT arm FROM cells WHERE moment = (SELECT max(moment) FROM cells)"
    )
    assert last == [(truth["control"],)]


def test_pooling_the_ramp_reverses_the_sign(written: Written) -> None:
    truth = written("cohort_skew.simpson_ramp")[1].numbers
    assert truth["lift_pooled"] < 0 < truth["true_lift"]


@pytest.mark.parametrize("name", BY_ACCOUNT)
def test_accounts_are_whole(name: str, files) -> None:
    split = files(name).rows(
        "SELECT account_id FROM assignments a JOIN units u ON u.unit_id = a.unit_id "
        "GROUP BY 1 HAVING count(DISTINCT bucket) > 1"
    )
    assert not split


def test_the_bot_filter_marks_one_arm_more(written: Written) -> None:
    share = written("cohort_skew.bot_filter")[1].numbers["bot_share"]
    assert share["treatment"] > 1.5 * share["control"]


def test_the_season_moves_the_control(files, written: Written) -> None:
    control = written("cohort_skew.seasonality")[1].numbers["control"]
    ratio = files("cohort_skew.seasonality").value(
        f"SELECT sum(denominator + value) FILTER (exposed) / count(*) FILTER (exposed) "
        f"/ (sum(denominator + value) FILTER (NOT exposed) / count(*) FILTER (NOT exposed)) "
        f"FROM cells WHERE arm = '{control}' AND before_launch AND stage = '5'"
    )
    assert ratio > 1.1


def _canary_lift(found: Files, treatment: str, when: str) -> float:
    per_arm = dict(
        found.rows(
            f"SELECT arm = '{treatment}', sum(value) / sum(denominator) FROM cells "
            f"WHERE exposed AND before_launch AND stage = '5' AND {when} GROUP BY 1"
        )
    )
    return float(per_arm[True] / per_arm[False] - 1)


@pytest.mark.parametrize("name", ["cohort_skew.novelty", "cohort_skew.interference"])
def test_the_lift_of_the_same_users_wears_off(name: str, files, written: Written) -> None:
    found, treatment = files(name), written(name)[1].numbers["treatment"]
    ends = found.rows(
        "SELECT min(moment), max(moment) FROM cells WHERE exposed AND before_launch AND stage = '5'"
    )
    (first, last), *_ = ends
    middle = first + (last - first) / 2
    early = _canary_lift(found, treatment, f"moment <= '{middle.isoformat()}'")
    late = _canary_lift(found, treatment, f"moment > '{middle.isoformat()}'")
    assert early > late


def test_activity_after_exposure_is_moved(files, written: Written) -> None:
    truth = written("cohort_skew.post_treatment_covariate_in_outcomes")[1].numbers
    found = files("cohort_skew.post_treatment_covariate_in_outcomes")
    only = f"metric = '{truth['activity']}'"
    assert _canary_lift(found, truth["treatment"], only) > 0.15


@pytest.mark.parametrize("name", RELOGGED)
def test_users_are_logged_again_when_the_ramp_reaches_them(name: str, files, written: Written):
    truth, found = written(name)[1].numbers, files(name)
    ours = f"experiment = '{truth['experiment']}'"
    late = f"arm = '{truth['treatment']}' AND bucket::INTEGER >= 5 AND stage::INTEGER > 5"
    assert found.value(f"SELECT count(*) FROM log WHERE {ours} AND {late}") > truth["units"] / 2
    wrong = f"{ours} AND arm = '{truth['treatment']}' AND bucket::INTEGER >= stage::INTEGER"
    assert found.value(f"SELECT count(*) FROM log WHERE {wrong}") == 0
    rows = f"SELECT count(*) FILTER ({ours}), count(*) FILTER (NOT {ours}) FROM log"
    assert found.rows(rows)[0][0] < found.rows(rows)[0][1]
