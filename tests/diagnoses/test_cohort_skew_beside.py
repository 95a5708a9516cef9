"""What `cohort_skew` says beside its verdict: of counts, buckets, salts, a classifier, and luck."""

import hashlib
import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from statistics import mean

import pytest
from fixtures.formats.tables import write_table
from scipy.stats import ttest_ind
from tests.cases import empty_case
from tests.diagnoses.conftest import Rows

from casework.case import Case
from casework.diagnoses import get
from casework.findings import Result
from casework.intake import load

START = datetime(2026, 3, 2)
Diagnose = Callable[[dict[str, Rows]], Result]


@pytest.fixture(scope="module")
def diagnose(tmp_path_factory: pytest.TempPathFactory) -> Diagnose:
    """Load tables, each given by its columns, and diagnose `flag`."""

    def run(tables: dict[str, Rows]) -> Result:
        folder = tmp_path_factory.mktemp("case")
        files = [folder / f"{name}.jsonl" for name in tables]
        for file, columns in zip(files, tables.values(), strict=True):
            write_table(file, columns)
        case = Path(folder, "case.duckdb")
        case.write_bytes(empty_case())
        assert all(outcome.status == "loaded" for outcome in load(case, files))
        with Case(case) as opened:
            return get("cohort_skew")(opened, experiment="flag")

    return run


def sentence(result: Result, *words: str) -> str:
    """The one finding that says all the words."""
    (said,) = [f.statement for f in result.findings if all(word in f.statement for word in words)]
    return said


def hashed(unit: str, salt: str = "s1") -> int:
    return int(hashlib.sha256(f"{salt}{unit}".encode()).hexdigest(), 16) % 100


def log(units: list[str], buckets: list[int], arms: list[str], at: list[datetime], **more: object
        ) -> Rows:  # fmt: skip
    """An assignment log of `flag`, one row a unit."""
    n = len(units)
    columns: Rows = {"experiment": ["flag"] * n, "unit_id": list(units), "arm": arms,
                     "bucket": buckets, "assigned_at": [str(moment) for moment in at]}  # fmt: skip
    return columns | {name: [value] * n for name, value in more.items()}


@pytest.fixture(scope="module")
def fair(diagnose: Diagnose) -> Result:
    """Half of 2,000 units by a hash of its own salt; the share was raised from 20 % on day 4."""
    rng = random.Random(5)
    units = [f"u{i}" for i in range(2000)]
    at = [START + timedelta(hours=rng.uniform(0, 24 * 8)) for _ in units]
    raised = START + timedelta(days=4)
    arms = ["on" if hashed(u) < (50 if when >= raised else 20) else "off"
            for u, when in zip(units, at, strict=True)]  # fmt: skip
    return diagnose({
        "assignments": log(units, [hashed(u) for u in units], arms, at, salt="s1",
                           algorithm="sha256"),
        "units": {"unit_id": units, "tier": [rng.choice(["free", "pro"]) for _ in units],
                  "seats": [rng.lognormvariate(1, 0.5) for _ in units]},
        "config_events": {"occurred_at": [str(START - timedelta(days=1)), str(raised)],
                          "key": ["rollout:flag"] * 2, "new_value": ["20", "50"]},
    })  # fmt: skip


@pytest.fixture(scope="module")
def faulty(diagnose: Diagnose) -> Result:
    """Snowflakes dealt by their remainder, with the salt of an earlier experiment.

    Of both arms as many are counted, but of `pro` more are treated and of `free` fewer, and the
    treatment begins 36 hours late. Its units vary less, about the same mean.
    """
    rng = random.Random(6)
    ids = [str((ms << 22) | (worker << 12)) for ms in range(1000) for worker in range(4)]
    treated = [int(i) % 100 < 50 for i in ids]
    at = [START + timedelta(hours=rng.uniform(36 * t, 24 * 6)) for t in treated]
    tables = {"assignments": log(ids, [int(i) % 100 for i in ids],
                                 ["on" if t else "off" for t in treated], at, salt="7",
                                 algorithm="mod")}  # fmt: skip
    for name, salt, lead, arms in (("older", "7", 90, ("b", "a")), ("other", "12", 0, ("x", "y"))):
        for unit, is_treated in list(zip(ids, treated, strict=True))[:3000]:
            arm = arms[not is_treated] if salt == "7" else rng.choice(arms)
            when = str(START - timedelta(days=lead))
            row = (name, unit, arm, int(unit) % 100, when, salt, "mod")
            for column, value in zip(tables["assignments"].values(), row, strict=True):
                column.append(value)
    tier = [rng.random() < (0.3 if t else 0.15) for t in treated]
    tables["units"] = {
        "unit_id": ids, "tier": ["pro" if is_pro else "free" for is_pro in tier],
        "score": [100 + rng.gauss(0, 1 if t else 3) for t in treated],
    }  # fmt: skip
    return diagnose(tables)


def test_counts_as_planned_in_each_slice_raise_nothing(fair: Result) -> None:
    said = sentence(fair, "Counts of units per arm by", "day (8)")
    assert "none of" in said
    assert "Tiers and regions are not tested" in said
    assert "raises no alarm" in sentence(fair, "running check")
    assert fair.measures["srm_running_p"].value > 0.05
    assert {row["planned_share"] for row in fair.measures["srm_times"].value
            if row["kind"] == "day" and row["slice"] in ("2", "7")} == {0.2, 0.5}  # fmt: skip


def test_a_segment_that_is_not_as_planned_is_named_though_the_total_is(faulty: Result) -> None:
    assert faulty.measures["srm_p"].value > 0.0005
    said = sentence(faulty, "Counts of units per arm by", "depart")
    assert "tier pro with" in said
    rows = {row["slice"]: row for row in faulty.measures["srm_segments"].value}
    pro = rows["pro"]
    assert pro["share_low"] > pro["planned_share"] > rows["free"]["share_high"]
    assert pro["share"] == pytest.approx(pro["treatment"] / (pro["treatment"] + pro["control"]))
    assert pro["adjusted_p"] < 0.0005
    shares = [pro[arm] / (pro[arm] + rows["free"][arm]) for arm in ("treatment", "control")]
    scale = math.sqrt(sum(p * (1 - p) for p in shares) / 2)
    assert pro["smd"] == pytest.approx((shares[0] - shares[1]) / scale)
    assert "the share of tier " in said
    assert faulty.measures["srm_segments"].n == 4000


def test_a_late_start_is_strongest_on_the_first_day_and_alarms_early(faulty: Result) -> None:
    assert "Of the days the first departs most" in sentence(faulty, "Counts of units per arm by")
    first = next(r for r in faulty.measures["srm_times"].value
                 if (r["kind"], r["slice"]) == ("day", "1"))  # fmt: skip
    assert first["treatment"] == 0
    said = sentence(faulty, "running check", "first alarm at 2026-03-03")
    assert "of 4,000 (anytime-valid p below 0.0005" in said
    assert faulty.measures["srm_running_p"].value < 0.0005


def test_stages_are_each_held_against_their_own_share(diagnose: Diagnose) -> None:
    rng = random.Random(8)
    units = [f"u{i}" for i in range(1600)]
    later = [i >= 800 for i in range(1600)]
    on = [rng.random() < ((0.9 if i % 2 else 0.1) if late else 0.2)
          for i, late in enumerate(later)]  # fmt: skip
    tables = {
        "assignments": log(units, [0] * 1600, ["on" if t else "off" for t in on],
                           [START + timedelta(days=9 * late) for late in later]),
        "units": {"unit_id": units, "seats": [rng.random() for _ in units],
                  "is_internal": [bool(late and i % 2) for i, late in enumerate(later)]},
    }  # fmt: skip
    tables["assignments"]["stage"] = ["50 %" if late else "20 %" for late in later]
    result = diagnose(tables)
    rows = {row["slice"]: row for row in result.measures["srm_stages"].value}
    assert rows["20 %"]["planned_share"] == 0.2
    assert rows["20 %"]["adjusted_p"] > 0.0005
    assert rows["50 %"]["control"] + rows["50 %"]["treatment"] == 400  # staff are set apart
    assert rows["50 %"]["adjusted_p"] < 1e-6
    assert "stage 50 % with" in sentence(result, "Counts of units per arm by")


def test_units_without_a_stage_are_no_stage_and_stages_keep_their_plan(diagnose: Diagnose) -> None:
    """Half of those without a stage are staff in the treatment; nothing plans the whole."""
    units = [f"u{i}" for i in range(1200)]
    stage = [(None, "canary", "50 %")[i // 400] for i in range(1200)]
    on = [i % 2 == 0 if i < 400 else i % 5 == 0 if i < 800 else i % 4 > 0 for i in range(1200)]
    tables = {
        "assignments": log(units, [0] * 1200, ["on" if t else "off" for t in on],
                           [START + timedelta(hours=i // 10) for i in range(1200)]),
        "units": {"unit_id": units, "is_internal": [i < 400 and t for i, t in enumerate(on)]},
    }  # fmt: skip
    tables["assignments"]["stage"] = stage
    result = diagnose(tables)
    assert [row["slice"] for row in result.measures["srm_stages"].value] == ["50 %"]
    said = sentence(result, "Counts of units per arm by")
    assert "against the share over all (stages against their own)" in said
    assert "of 400 units where planned are 50 %" in said


def test_the_running_check_says_where_it_ends(diagnose: Diagnose) -> None:
    """At 20 % all is well; then 50 % are planned and 70 % are treated."""
    rng = random.Random(31)
    units = [f"u{i}" for i in range(1000)]
    on = [rng.random() < (0.2 if i < 400 else 0.7) for i in range(1000)]
    result = diagnose({
        "assignments": log(units, [0] * 1000, ["on" if t else "off" for t in on],
                           [START + timedelta(hours=i // 10) for i in range(1000)]),
        "config_events": {"occurred_at": [str(START - timedelta(days=1)),
                                          str(START + timedelta(hours=40))],
                          "key": ["rollout:flag"] * 2, "new_value": ["20", "50"]},
    })  # fmt: skip
    said = sentence(result, "running check")
    assert "until the planned share was changed, of 400 of 1,000 units" in said
    assert "raises no alarm" in said


def test_a_small_tier_weighs_in_what_the_arms_hold(diagnose: Diagnose) -> None:
    """A twentieth is treated: half of it is large, as are 20 of the others; the region is apart."""
    units = [f"u{i}" for i in range(2000)]
    on = [i < 100 for i in range(2000)]
    result = diagnose({
        "assignments": log(units, [0] * 2000, ["on" if t else "off" for t in on], [START] * 2000),
        "units": {"unit_id": units, "seats": [i % 7 for i in range(2000)],
                  "region": ["eu" if t else "us" for t in on],
                  "tier": ["large" if i < 50 or i >= 1980 else "free" for i in range(2000)]},
        "config_events": {"occurred_at": [str(START - timedelta(days=1))],
                          "key": ["rollout:flag"], "new_value": ["5"]},
    })  # fmt: skip
    rows = {row["slice"]: row for row in result.measures["srm_segments"].value}
    assert "large" not in rows  # too few to test
    control = 1880 / 1900
    scale = math.sqrt((0.25 + control * (1 - control)) / 2)
    assert rows["free"]["smd"] == pytest.approx((0.5 - control) / scale)
    assert rows["eu"]["smd"] is None
    said = sentence(result, "Counts of units per arm by")
    assert "the share of region eu differs wholly between the arms" in said
    assert "\u221e" not in said


def test_one_account_in_both_arms_does_not_make_users_of_all(diagnose: Diagnose) -> None:
    units = [(f"u{i}-{k}", f"a{i}") for i in range(60) for k in range(6)]
    on = [i % 12 < 6 if unit != "u7-0" else True for i, (unit, _) in enumerate(units)]
    at = [START + timedelta(hours=i // 10) for i in range(len(units))]
    result = diagnose({
        "assignments": log([u for u, _ in units], [0] * 360, ["on" if t else "off" for t in on],
                           at),
        "units": {"unit_id": [u for u, _ in units], "account_id": [a for _, a in units],
                  "tier": ["pro" if hashed(a) % 2 else "free" for _, a in units]},
    })  # fmt: skip
    assert "Counts of accounts per arm by tier" in sentence(result, "slices")


def test_a_control_that_was_moved_is_no_control_from_then_on(diagnose: Diagnose) -> None:
    """The treatment adds 1; on day 14 half of the controls get it, too."""
    rng = random.Random(21)
    units = [f"u{i}" for i in range(800)]
    later = [i >= 400 for i in range(800)]
    on = [rng.random() < (0.4 if late else 0.3) for late in later]
    moved = [not t and i % 2 == 0 for i, t in enumerate(on)]
    tables: dict[str, Rows] = {
        "assignments": log(units, [0] * 800, ["on" if t else "off" for t in on],
                           [START + timedelta(days=7 * late) for late in later]),
    }  # fmt: skip
    tables["assignments"]["stage"] = ["40 %" if late else "30 %" for late in later]
    reached = [u for u, m in zip(units, moved, strict=True) if m]
    more = log(reached, [0] * len(reached), ["on"] * len(reached),
               [START + timedelta(days=14)] * len(reached), stage="70 %")  # fmt: skip
    for name, column in tables["assignments"].items():
        column += more[name]
    days = [8 * late + day for day in (1, 3, 15, 20) for late in later]
    tables["outcomes"] = {
        "unit_id": units * 4, "metric": ["mails"] * 3200,
        "occurred_at": [str(START + timedelta(days=day)) for day in days],
        "value": [rng.gauss(20 + (on[i % 800] or (moved[i % 800] and day > 14)), 1)
                  for i, day in enumerate(days)],
    }  # fmt: skip
    tables["units"] = {"unit_id": units, "seats": [rng.random() for _ in units]}
    rows = diagnose(tables).measures["lift_by_stage"].value
    assert [row["stage"] for row in rows] == ["30 %", "40 %"]
    assert all(row["low"] < 1 < row["high"] and row["low"] > 0.7 for row in rows)


def test_the_lift_is_told_by_stage_and_never_thrown_together(diagnose: Diagnose) -> None:
    """The treatment adds 2 at 20 % and 1 at 80 %, where everybody has 10 less."""
    rng = random.Random(12)
    units = [f"u{i}" for i in range(1200)]
    later = [i >= 600 for i in range(1200)]
    on = [rng.random() < (0.8 if late else 0.2) for late in later]
    level = [rng.gauss(20 - 10 * late + (2 - late) * t, 1)
             for late, t in zip(later, on, strict=True)]  # fmt: skip
    tables = {
        "assignments": log(units, [0] * 1200, ["on" if t else "off" for t in on],
                           [START + timedelta(days=9 * late) for late in later]),
        "outcomes": {"unit_id": units * 2, "metric": ["mails"] * 2400, "value": level * 2,
                     "occurred_at": [str(START + timedelta(days=9 * late + add))
                                     for add in (1, 2) for late in later]},
        "units": {"unit_id": units, "seats": [rng.random() for _ in units]},
    }  # fmt: skip
    tables["assignments"]["stage"] = ["80 %" if late else "20 %" for late in later]
    result = diagnose(tables)
    for row, late in zip(result.measures["lift_by_stage"].value, (False, True), strict=True):
        of = {arm: [y for y, t, when in zip(level, on, later, strict=True)
                    if t is arm and when is late] for arm in (False, True)}  # fmt: skip
        welch = ttest_ind(of[True], of[False], equal_var=False)
        assert row["lift"] == pytest.approx(mean(of[True]) - mean(of[False]), abs=1e-3)
        assert row["low"] == pytest.approx(welch.confidence_interval().low, abs=0.01)
        assert (row["stage"], row["units"]) == ("80 %" if late else "20 %", 600)
    said = sentence(result, "The lift of those dealt in each stage")
    assert "differ beyond chance (Cochran's Q, p < 0.001" in said
    assert "Thrown together the stages show" in said.replace("\u2212", "-")
    assert "Simpson" in said
    assert [chart.id for chart in result.charts] == ["lift", "balance", "ramp"]


@pytest.mark.slow
def test_accounts_dealt_whole_are_counted_as_accounts(diagnose: Diagnose) -> None:
    """Fifty colleagues each: as units, counts by tier and bucket would scatter beyond chance."""
    accounts = [f"a{i}" for i in range(300)]
    units = [(f"u{i}-{k}", a) for i, a in enumerate(accounts) for k in range(5 if i % 9 else 90)]
    buckets = [hashed(a) for _, a in units]
    result = diagnose({
        "assignments": log([u for u, _ in units], buckets, ["on" if b < 50 else "off"
                           for b in buckets], [START] * len(units), salt="s1", algorithm="sha256"),
        "units": {"unit_id": [u for u, _ in units], "account_id": [a for _, a in units],
                  "tier": ["pro" if int(a[1:]) % 3 else "free" for _, a in units],
                  "seats": [hashed(a, "x") for _, a in units]},
    })  # fmt: skip
    assert "Counts of accounts per arm by tier (2)" in sentence(result, "none of 2 slices departs")
    assert result.measures["srm_segments"].n == 300
    assert result.measures["bucket_uniformity_p"].n == 300
    assert result.measures["bucket_uniformity_p"].value > 1e-4


def test_without_tiers_and_times_it_says_why_not(diagnose: Diagnose) -> None:
    units = [f"u{i}" for i in range(60)]
    result = diagnose({
        "assignments": {"experiment": ["flag"] * 60, "unit_id": units,
                        "arm": ["on" if i % 2 else "off" for i in range(60)]},
    })  # fmt: skip
    assert result.verdict == "not_testable"
    assert "could not be tested" in sentence(result, "Counts per arm within segments")
    assert not {"srm_running_p", "buckets_filled", "classifier_p"} & set(result.measures)


def test_buckets_that_a_remainder_cannot_reach_are_counted(faulty: Result, fair: Result) -> None:
    """Between the first and the last bucket of the arms, 0 to 48 and 52 to 96, lie 94."""
    said = sentence(faulty, "buckets of the arms 25 hold 4,000 units")
    assert said.startswith("Of the 94 buckets")
    assert "chance fills 94" in said
    assert "all lie 4 apart" in said
    assert faulty.measures["bucket_uniformity_p"].value < 1e-9
    assert "filled as chance fills them" in sentence(fair, "buckets of the arms 100 hold")


def test_an_empty_bucket_is_of_one_arm(diagnose: Diagnose) -> None:
    """The treatment has the buckets 40 to 59, between those of the control."""
    ids = [str(4 * i) for i in range(500)]
    result = diagnose({
        "assignments": log(ids, [int(i) % 100 for i in ids],
                           ["on" if 40 <= int(i) % 100 < 60 else "off" for i in ids],
                           [START] * 500, salt="7", algorithm="mod"),
    })  # fmt: skip
    # 0 to 36, 40 to 56 and 60 to 96: what lies between two arms is of neither
    assert sentence(result, "buckets of the arms").startswith("Of the 91 buckets")


def test_equal_salts_begun_together_are_said_to_be_so(diagnose: Diagnose) -> None:
    units = [f"u{i}" for i in range(60)]
    arms = ["on" if i % 2 else "off" for i in range(60)]
    tables = {"assignments": log(units, [0] * 60, arms, [START] * 60, salt="7")}
    for name, column in log(units, [0] * 60, arms, [START] * 60, salt="7").items():
        tables["assignments"][name] += ["other"] * 60 if name == "experiment" else column
    said = sentence(diagnose(tables), "The salt of flag is that of other")
    assert "a simultaneous one" in said
    assert "drawn" not in said


@pytest.mark.slow
def test_ids_in_sequence_are_more_even_than_chance(diagnose: Diagnose) -> None:
    units = [str(i) for i in range(2000)]
    result = diagnose({
        "assignments": log(units, [i % 100 for i in range(2000)],
                           ["on" if i % 100 < 50 else "off" for i in range(2000)],
                           [START] * 2000, algorithm="mod"),
        "units": {"unit_id": units, "created_at": [str(START - timedelta(hours=i))
                                                   for i in range(2000)]},
    })  # fmt: skip
    assert "more evenly than chance allows" in sentence(result, "buckets of the arms")
    said = sentence(result, "Counts per arm are as planned")  # exactly: chance does that, too
    assert "counts per arm" not in said


def test_a_salt_of_an_earlier_experiment_is_named(faulty: Result) -> None:
    said = sentence(faulty, "The salt of flag is that of older, the earlier one")
    assert "of the 3,000 units of both 100 % of on and 0 % of off were in its arm b" in said
    assert "of other," not in said
    chance = 1 - math.prod((6 - i) / 6 for i in range(3))
    told = "from 7 to 12: of so many drawn at random from there, two agree with a chance of "
    assert f"{told}{100 * chance:.1f} %" in said


def test_a_spread_that_no_mean_shows_tells_the_arms_apart(faulty: Result, fair: Result) -> None:
    said = sentence(faulty, "A classifier that learnt from half of")
    assert "Shuffled, score by" in said
    accuracy = faulty.measures["classifier_accuracy"]
    assert accuracy.ci95 is not None
    assert accuracy.ci95[0] > 0.55
    assert faulty.measures["classifier_covariates"].value[0]["covariate"] == "score"
    assert faulty.verdict == "clean"
    assert any(limit.startswith("Clean is said of means") for limit in faulty.limits)
    assert "no combination of covariates" in sentence(fair, "A classifier that learnt")
    assert fair.measures["classifier_accuracy"].ci95[0] < 0.5  # type: ignore[index]


def test_evidence_is_recorded_for_what_stands_beside(faulty: Result, fair: Result) -> None:
    for result in (faulty, fair):
        recorded = {evidence.id for evidence in result.evidence}
        assert {measure.evidence for measure in result.measures.values()} <= recorded
        assert {id_ for finding in result.findings for id_ in finding.evidence} <= recorded
        measures = {name for finding in result.findings for name in finding.measures}
        assert measures <= set(result.measures)


@pytest.mark.parametrize(
    ("lift", "times"), [(0.0, 3.0), pytest.param(0.5, 1.0, marks=pytest.mark.slow)]
)
def test_a_lucky_lift_is_said_to_be_overstated(
    lift: float, times: float, diagnose: Diagnose
) -> None:
    """The treated are older by half a deviation, which doubles the metric before and after."""
    rng = random.Random(9)
    units = [f"u{i}" for i in range(1000)]
    treated = [i % 5 == 0 for i in range(1000)]
    level = [rng.lognormvariate(0.3 if t else 0.0, 0.6) for t in treated]
    days = (-9, -5, 3, 7)
    seen = [(u, "mails", str(START + timedelta(days=day)),
             x * (1 + lift * (t and day > 0)) * rng.uniform(0.8, 1.2))
            for u, x, t in zip(units, level, treated, strict=True) for day in days]  # fmt: skip
    names = ("unit_id", "metric", "occurred_at", "value")
    result = diagnose({
        "assignments": log(units, [0] * 1000, ["on" if t else "off" for t in treated],
                           [START] * 1000),
        "outcomes": dict(zip(names, map(list, zip(*seen, strict=True)), strict=True)),
    })  # fmt: skip
    ratio = result.measures["exaggeration_ratio"]
    said = sentence(result, "exaggeration ratio")
    if lift:
        assert ratio.value == pytest.approx(times, abs=0.2)
        assert ratio.ci95 is not None
    else:
        assert ratio.value > times
        assert "times or more" in said
        assert "does not hold the lift for everyone" in said
