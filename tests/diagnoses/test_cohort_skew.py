"""What `cohort_skew` must state, against planted numbers."""

import hashlib
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from tests.cases import also
from tests.diagnoses.conftest import Diagnose, Diagnosed, Rows

from casework.errors import UsageError
from casework.findings import Result, Rival


def rival(result: Result, beginning: str) -> Rival:
    return next(r for r in result.rivals if r.explanation.startswith(beginning))


@pytest.fixture(scope="module")
def planted(diagnosed: Diagnosed) -> Result:
    result, _ = diagnosed("cohort_skew.planted_2x", 21)
    return result


def test_states_what_differed_and_how_much_it_explains(planted: Result) -> None:
    assert planted.verdict == "confirmed"
    share = planted.measures["composition_share"]
    assert share.ci95 is not None
    assert share.ci95[0] > 0.25
    assert planted.measures["mechanism"].value == "non_mixing"
    assert planted.measures["rehash_p"].value == 0.001  # the least that 999 draws can give
    assert planted.measures["srm_p"].value > 0.0005  # counts are perfect, and prove nothing


@pytest.mark.slow
def test_the_lift_for_everyone_holds_the_planted_one(diagnosed: Diagnosed) -> None:
    inside = 0
    for seed in (31, 32, 33):
        result, truth = diagnosed("cohort_skew.planted_2x", seed)
        population, raw = result.measures["lift_population"], result.measures["lift_raw"]
        assert population.ci95 is not None
        assert raw.value == pytest.approx(truth.numbers["lift_canary"], rel=0.1)
        assert abs(population.value) < abs(raw.value) / 3
        inside += population.ci95[0] <= truth.numbers["true_lift"] <= population.ci95[1]
    assert inside == 3


def test_every_rival_of_the_method_is_tested(planted: Result) -> None:
    beginnings = ("Bad luck", "The filter", "Novelty or interference", "Season", "One arm's")
    assert all(rival(planted, b).outcome != "not_excluded" for b in beginnings)
    assert planted.falsifier.ran
    assert not planted.falsifier.falsified


def test_a_verified_hash_makes_a_difference_bad_luck(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("cohort_skew.healthy", 21)
    assert truth.numbers["mechanism"] == "mixing"
    assert result.verdict in ("clean", "inconclusive")
    assert result.measures["mechanism"].value == "mixing"
    assert result.measures["bucket_mismatch_rate"].value == 0
    assert rival(result, "Bad luck").outcome == "not_excluded"


def test_a_filter_that_was_set_after_exposure_is_told(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("cohort_skew.bot_filter", 22)
    shares = truth.numbers["bot_share"]
    assert shares["treatment"] > shares["control"]
    assert result.verdict != "confirmed"


@pytest.mark.slow
def test_accounts_dealt_whole_are_compared_as_accounts(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("cohort_skew.unit_mismatch", 21)
    cells = next(e for e in result.evidence if e.id == "cohort_skew.cells")
    assert cells.params["dealt_by"] == "account_id"
    assert result.measures["bucket_mismatch_rate"].value == 0


def test_settings_are_inferred_given_and_recorded(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("cohort_skew.planted_2x", 21, alpha="0.02")
    assert result.parameters["experiment"].value == truth.numbers["experiment"]
    assert result.parameters["control"].value == truth.numbers["control"]
    assert result.parameters["experiment"].source == "inferred"
    assert (result.parameters["alpha"].value, result.parameters["alpha"].source) == (0.02, "given")
    assert result.parameters["sesoi_smd"].source == "default"


def test_the_same_case_and_seed_give_the_same_evidence(
    planted: Result, diagnosed: Diagnosed
) -> None:
    assert planted == diagnosed.anew("cohort_skew.planted_2x", 21)


@pytest.mark.slow
def test_another_salt_gives_about_the_same_p(diagnosed: Diagnosed) -> None:
    first, _ = diagnosed("cohort_skew.healthy", 24)
    other, _ = diagnosed("cohort_skew.healthy", 24, seed=2)
    assert first.evidence != other.evidence
    assert abs(first.measures["rehash_p"].value - other.measures["rehash_p"].value) < 0.08


# Small logs, as an experiment platform writes them.

START = datetime(2026, 3, 2)
RAMP = ((10, 0), (40, 14), (70, 21), (100, 28))


def canary(
    lift: Callable[[int], float] = lambda days: 0.0,
    *,
    buckets: bool = True,
    last_day: int = 35,
    staff: int = 0,
) -> dict[str, Rows]:
    """A canary of 1,500 units that is ramped, each unit logged again when the ramp reaches it.

    The buckets are a digest's. `lift` is the relative one by whole days since exposure; staff are
    put into the treatment by a list.
    """
    rng = random.Random(7)
    log: list[tuple[object, ...]] = []
    seen: list[tuple[object, ...]] = []
    ids = [f"u{i}" for i in range(1500)]
    for i, unit in enumerate(ids):
        bucket = int(hashlib.sha256(f"s1{unit}".encode()).hexdigest(), 16) % 100
        stage, day = next((p, d) for p, d in RAMP if bucket < p)
        stage, day = (10, 0) if i < staff else (stage, day)
        dealt = (bucket, "s1", "sha256") if buckets else (None, None, None)
        if day:
            log.append(("flag", unit, "off", *dealt, START, "10"))
        log.append(("flag", unit, "on", *dealt, START + timedelta(days=day, seconds=1), str(stage)))
        level = 20 * rng.lognormvariate(0, 0.3)
        for at in range(-14, last_day, 2):
            gain = lift(at - day) if at >= day else 0.0
            when = START + timedelta(days=at, hours=9)
            seen.append((unit, "mails", when, level * (1 + gain) * rng.uniform(0.9, 1.1)))
    named = ("experiment", "unit_id", "arm", "bucket", "salt", "algorithm", "assigned_at", "stage")
    percents = [(START + timedelta(days=d), "rollout:flag", str(p)) for p, d in RAMP]
    return {
        "assignments": table(named, log),
        "units": {"unit_id": ids, "is_internal": [i < staff for i in range(len(ids))],
                  "seats": [rng.randint(1, 9) for _ in ids]},
        "outcomes": table(("unit_id", "metric", "occurred_at", "value"), seen),
        "config_events": table(("occurred_at", "key", "new_value"), percents),
    }  # fmt: skip


def table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Rows:
    columns = zip(*rows, strict=True)
    return {
        name: [str(v) if isinstance(v, datetime) else v for v in column]
        for name, column in zip(names, columns, strict=True)
    }


def test_an_experiment_that_is_logged_more_often_does_not_hide_the_canary(
    diagnose_tables: Diagnose,
) -> None:
    tables = canary()
    log = tables["assignments"]
    ids = tables["units"]["unit_id"]
    for view in range(3):
        for i, unit in enumerate(ids):
            at = str(START + timedelta(days=view))
            arm = "dark" if i % 2 else "control"
            for name, value in zip(
                log, ("theme", unit, arm, None, None, None, at, str(view)), strict=True
            ):
                log[name].append(value)
    result = diagnose_tables("cohort_skew", **tables)
    assert result.parameters["experiment"].value == "flag"
    assert result.parameters["experiment"].source == "inferred"
    said = next(limit for limit in result.limits if "not examined" in limit)
    assert "theme (1,500 units)" in said
    assert "--set cohort_skew.experiment=NAME" in said


def test_the_canary_is_followed_while_others_are_reached_by_the_ramp(
    diagnose_tables: Diagnose,
) -> None:
    result = diagnose_tables("cohort_skew", **canary(lambda days: 0.2))
    fading = rival(result, "Novelty or interference")
    assert fading.explanation.endswith("with the ramp")
    assert fading.outcome == "excluded"
    assert "42.9 % and 42.9 %" in rival(result, "One arm's").why  # 3 of the 7 days in 14


def test_a_lift_that_wears_off_along_the_ramp_is_seen(diagnose_tables: Diagnose) -> None:
    result = diagnose_tables("cohort_skew", **canary(lambda days: 0.3 * 2 ** (-days / 4)))
    assert rival(result, "Novelty or interference").outcome == "not_excluded"


def test_before_the_ramp_only_novelty_can_be_seen(diagnose_tables: Diagnose) -> None:
    result = diagnose_tables("cohort_skew", **canary(lambda days: 0.2, last_day=14))
    fading = rival(result, "Novelty")
    assert fading.explanation.endswith("with time")
    assert fading.outcome == "excluded"
    assert "to see interference" in fading.why


def test_wearing_off_is_seen_before_the_ramp_too(diagnose_tables: Diagnose) -> None:
    tables = canary(lambda days: 0.3 * 2 ** (-days / 4), last_day=14)
    assert rival(diagnose_tables("cohort_skew", **tables), "Novelty").outcome == "not_excluded"


def test_counts_are_those_of_the_units_that_are_compared(diagnose_tables: Diagnose) -> None:
    result = diagnose_tables("cohort_skew", **canary(staff=150))
    srm = result.measures["srm_p"]
    assert srm.n == 1350
    assert srm.value > 0.01
    told = next(f.statement for f in result.findings if "srm_p" in f.measures)
    assert told.startswith("Counts per arm are as planned")
    assert "With the 150 units set apart, 150 of them in on, p < 0.001." in told


def test_what_was_not_shown_is_not_said(diagnose_tables: Diagnose) -> None:
    result = diagnose_tables("cohort_skew", **canary(buckets=False))
    assert result.measures["rehash_p"].value > 0.05
    assert result.verdict == "inconclusive"
    assert "differed before exposure is not shown" in result.headline
    assert "units in on would show it; there are" in result.headline
    assert rival(result, "Bad luck").outcome == "not_excluded"
    assert [missing.columns for missing in result.missing] == [("bucket", "salt", "algorithm")]


def test_a_covariate_that_is_known_of_one_arm_alone_compares_nothing(
    diagnose_tables: Diagnose,
) -> None:
    ids = [f"u{i}" for i in range(40)]
    arms = ["on" if i % 2 else "control" for i in range(40)]
    result = diagnose_tables(
        "cohort_skew",
        assignments={"experiment": ["flag"] * 40, "unit_id": ids, "arm": arms},
        units={"unit_id": ids, "seats": [i % 7 if i % 2 else None for i in range(40)]},
    )
    assert result.verdict == "not_testable"
    assert "of both arms" in result.headline


def test_the_platform_names_the_control_where_the_log_knows_numbers(
    diagnose_tables: Diagnose,
) -> None:
    ids = [f"u{i}" for i in range(200)]
    result = diagnose_tables(
        "cohort_skew",
        assignments={"experiment": ["hint"] * 200, "unit_id": ids,
                     "assigned_at": [str(START)] * 200,
                     "arm": ["0" if i < 90 else "1" for i in range(200)]},
        units={"unit_id": ids, "seats": [i % 7 for i in range(200)]},
        config_events={"occurred_at": [str(START)], "key": ["rollout:hint"], "new_value": ["50"],
                       "control": [["0", "v_0"]]},
    )  # fmt: skip
    assert result.parameters["control"].value == "0"
    assert result.measures["srm_p"].value > 0.1


def test_a_fair_deal_does_not_make_arms_alike(diagnosed: Diagnosed) -> None:
    result, _ = diagnosed("cohort_skew.unlucky_canary", 7001)
    smd, share = result.measures["max_abs_smd"].ci95, result.measures["composition_share"].ci95
    assert smd is not None
    assert smd[0] > 0
    assert share is not None
    assert share[0] > 0.25
    assert result.verdict == "supported"
    assert "as chance may have dealt them" in result.headline
    assert rival(result, "Bad luck").outcome == "not_excluded"


def test_accounts_are_counted_and_dealt_anew_as_accounts(diagnosed: Diagnosed) -> None:
    result, truth = diagnosed("cohort_skew.one_large_account", 7000)
    m = result.measures
    assert m["srm_p"].n == m["rehash_p"].n == m["max_abs_smd"].n == truth.numbers["accounts"]
    assert m["srm_p"].value > 0.05
    # of the users a quarter is treated; of the accounts, and so of the draws, a tenth
    assert 0.03 < m["rehash_p"].value < 0.2
    smd = m["max_abs_smd"].ci95
    assert smd is not None
    assert smd[0] < 0.1
    assert any(f.statement.startswith("Counts of accounts per arm") for f in result.findings)
    assert "accounts in" in result.headline


def dealt(arms: Sequence[bool], accounts: Sequence[str] | None = None) -> dict[str, Rows]:
    """Units of which the first were treated or not, as told."""
    ids = [f"u{i}" for i in range(len(arms))]
    log = [("flag", unit, "on" if on else "off", START) for unit, on in zip(ids, arms, strict=True)]
    tables = {"assignments": table(("experiment", "unit_id", "arm", "assigned_at"), log)}
    tables["units"] = {"unit_id": ids, **({"account_id": list(accounts)} if accounts else {})}
    return tables


def seen(before: Sequence[float], after: Sequence[float]) -> Rows:
    rows = [
        (f"u{i}", "mails", START + timedelta(days=day), value)
        for day, values in ((-7, before), (7, after))
        for i, value in enumerate(values)
    ]
    return table(("unit_id", "metric", "occurred_at", "value"), rows)


def test_a_lift_for_everyone_that_cannot_be_known_is_not_said(diagnose_tables: Diagnose) -> None:
    rng = random.Random(3)
    tables = dealt([i < 80 for i in range(400)])
    tables["units"]["seats"] = list(range(400))
    before = [i + rng.gauss(0, 9) for i in range(400)]
    tables["outcomes"] = seen(before, [value + rng.gauss(0, 9) for value in before])
    result = diagnose_tables("cohort_skew", **tables)
    assert result.verdict in ("confirmed", "supported")
    assert result.measures["lift_population"].value is None
    assert "For everyone the change is worth" not in result.headline
    assert "for everyone it cannot be estimated" in result.headline


def test_colleagues_are_no_units_of_their_own_for_the_lift(diagnose_tables: Diagnose) -> None:
    rng = random.Random(4)
    accounts = [f"a{i // 20}" for i in range(1200)]
    shock = {account: rng.gauss(0, 5) for account in set(accounts)}
    tables = dealt([i // 20 % 2 == 0 for i in range(1200)], accounts)
    before = [rng.gauss(50, 1) for _ in accounts]
    after = [value + shock[a] for value, a in zip(before, accounts, strict=True)]
    result = diagnose_tables("cohort_skew", **tables, outcomes=seen(before, after))
    lift = result.measures["lift_population"]
    assert lift.ci95 is not None
    # 30 accounts an arm: 2 x 5 x sqrt(2 / 30) = 2.6; 600 users an arm would make it 0.6
    assert 1.5 < lift.ci95[1] - lift.value < 4


def test_a_hash_that_gives_neither_does_not_make_accounts_the_unit(
    diagnose_tables: Diagnose,
) -> None:
    accounts = [f"a{i // 3}" for i in range(300)]
    tables = dealt([i % 2 == 0 for i in range(300)], accounts)
    log = tables["assignments"]
    # more than by chance are their account's, as buckets of an unknown salt may be
    digest = [int(hashlib.sha256(f"s{a}".encode()).hexdigest(), 16) % 100 for a in accounts]
    log["bucket"] = [b if i < 30 else i % 100 for i, b in enumerate(digest)]
    log["salt"], log["algorithm"] = ["s"] * 300, ["sha256"] * 300
    tables["units"]["seats"] = [i % 7 for i in range(300)]
    result = diagnose_tables("cohort_skew", **tables)
    assert result.measures["bucket_mismatch_rate"].value > 0.5
    assert result.measures["srm_p"].n == 300


def test_arms_are_clean_where_every_interval_is_short_of_what_matters(
    diagnose_tables: Diagnose,
) -> None:
    tables = dealt([i % 2 == 0 for i in range(4000)])
    tables["units"]["seats"] = [i // 2 % 9 for i in range(4000)]
    result = diagnose_tables("cohort_skew", **tables)
    assert result.verdict == "clean"
    assert "alike before exposure: no covariate differs by 0.1" in result.headline


def of_two_hundred() -> dict[str, Rows]:
    """A fair deal of 200 units with seats, and their mails before and after."""
    rng = random.Random(5)
    tables = dealt([i % 2 == 0 for i in range(200)])
    tables["units"]["seats"] = [rng.randint(1, 9) for _ in range(200)]
    before, after = ([rng.gauss(10, 2) for _ in range(200)] for _ in "ab")
    tables["outcomes"] = seen(before, after)
    return tables


def test_an_arm_of_one_account_has_a_verdict_and_no_lift(diagnose_tables: Diagnose) -> None:
    rng = random.Random(6)
    accounts = [f"a{i // 20}" for i in range(600)]
    tables = dealt([i < 20 for i in range(600)], accounts)
    before = [rng.gauss(50, 5) for _ in accounts]
    result = diagnose_tables("cohort_skew", **tables, outcomes=seen(before, before))
    assert result.verdict == "inconclusive"
    assert result.measures["lift_raw"].value is None
    assert any("No lift of mails is estimated" in limit for limit in result.limits)


def test_a_covariate_that_varies_by_rounding_alone_is_none(diagnose_tables: Diagnose) -> None:
    tables = of_two_hundred()
    tables["units"]["rate"] = [0.3 if i % 3 else 0.1 + 0.2 for i in range(200)]
    findings = diagnose_tables("cohort_skew", **tables).findings
    assert any("of 2 covariates" in finding.statement for finding in findings)


def test_a_covariate_with_a_value_for_each_arm_differs(diagnose_tables: Diagnose) -> None:
    tables = of_two_hundred()
    tables["units"]["beta"] = [int(i % 2 == 0) for i in range(200)]
    result = diagnose_tables("cohort_skew", **tables)
    assert result.measures["rehash_p"].value == 0.001
    assert "on: beta by ∞" in result.headline
    assert any("excludes zero for 1 of 3" in finding.statement for finding in result.findings)


def test_a_stage_that_is_not_there_is_refused(diagnose_tables: Diagnose) -> None:
    with pytest.raises(UsageError, match="UNKNOWN_STAGE"):
        diagnose_tables("cohort_skew", {"stage": "None"}, **of_two_hundred())


def test_every_measure_and_finding_cites_what_was_asked(diagnose_tables: Diagnose) -> None:
    result = diagnose_tables("cohort_skew", **of_two_hundred())
    recorded = {evidence.id for evidence in result.evidence}
    assert {measure.evidence for measure in result.measures.values()} <= recorded
    assert {id_ for finding in result.findings for id_ in finding.evidence} <= recorded


def test_an_unknown_time_of_assignment_is_told_and_no_lack_of_outcomes(
    diagnose_tables: Diagnose,
) -> None:
    tables = of_two_hundred()
    del tables["assignments"]["assigned_at"]
    result = diagnose_tables("cohort_skew", **tables)
    assert any("When units were assigned is not recorded" in limit for limit in result.limits)
    assert ("assigned_at",) in [missing.columns for missing in result.missing]
    assert "known to be from before" in result.falsifier.outcome


def test_the_metric_is_one_of_the_compared_units(diagnose_tables: Diagnose) -> None:
    tables = of_two_hundred()
    others = table(("unit_id", "metric", "occurred_at", "value"),
                   [(f"x{i}", "clicks", START, 1.0) for i in range(900)])  # fmt: skip
    tables["outcomes"] = {name: tables["outcomes"][name] + others[name] for name in others}
    result = diagnose_tables("cohort_skew", **tables)
    assert result.parameters["metric"].value == "mails"
    assert result.measures["lift_raw"].value is not None


def test_units_without_a_bucket_are_not_proved_to_be_dealt_by_the_hash(
    diagnose_tables: Diagnose,
) -> None:
    """A quarter is put into the treatment by a list, and has more seats."""
    ids = [f"u{i}" for i in range(400)]
    hashed = [int(hashlib.sha256(f"s{u}".encode()).hexdigest(), 16) % 100 for u in ids]
    buckets = [bucket if i % 4 else None for i, bucket in enumerate(hashed)]
    tables = dealt([bucket is None or bucket < 50 for bucket in buckets])
    named = [None if bucket is None else "sha256" for bucket in buckets]
    tables["assignments"] |= {"bucket": buckets, "salt": ["s"] * 400, "algorithm": named}
    tables["units"]["seats"] = [i % 7 + 9 * (b is None) for i, b in enumerate(buckets)]
    result = diagnose_tables("cohort_skew", **tables)
    assert result.measures["bucket_mismatch_rate"].value == 0
    assert result.measures["mechanism"].value == "unknown"
    assert rival(result, "Bad luck").outcome == "excluded"


def test_a_ratio_is_said_as_a_ratio_and_counts_units(diagnose_tables: Diagnose) -> None:
    tables = of_two_hundred()
    outcomes = tables["outcomes"]
    outcomes["denominator"] = [10 + int(unit[1:]) % 90 for unit in outcomes["unit_id"]]
    result = diagnose_tables("cohort_skew", **tables)
    assert result.measures["lift_raw"].n == 200
    level = rival(result, "Season").why.partition(" from ")[2]
    assert 10 < float(level.removesuffix(" %")) < 50


def test_stages_without_times_are_in_the_order_of_their_numbers(diagnose_tables: Diagnose) -> None:
    rows = [
        ("flag", f"u{i}", "on" if i < reached else "off", percent)
        for percent, reached in (("5", 20), ("20", 80), ("100", 400))
        for i in range(400)
    ]
    log = table(("experiment", "unit_id", "arm", "stage"), rows)
    units = {"unit_id": [f"u{i}" for i in range(400)], "seats": [i % 7 for i in range(400)]}
    result = diagnose_tables("cohort_skew", assignments=log, units=units)
    assert result.measures["rehash_p"].n == 400
    assert result.measures["n_eff"].n == 20


def test_what_is_known_of_no_unit_is_named_to_load(diagnose_tables: Diagnose) -> None:
    result = diagnose_tables("cohort_skew", **dealt([i % 2 == 0 for i in range(40)]))
    assert result.verdict == "not_testable"
    assert ("units", ("covariates",)) in [(each.table, each.columns) for each in result.missing]


def test_a_unit_that_changes_its_arm_is_counted_until_then(diagnose_tables: Diagnose) -> None:
    tables = of_two_hundred()
    log = tables["assignments"]
    for unit, at in (("u1", str(START + timedelta(days=1))), ("u3", None)):
        row = ("flag", unit, "on", at)
        for column, value in zip(log.values(), row, strict=True):
            column.append(value)
    result = diagnose_tables("cohort_skew", **tables)
    assert "Moved to another arm later: 1 unit; too few" in " ".join(result.limits)
    assert "In two arms at one time, or at an unknown one: 1 unit." in " ".join(result.limits)
    assert result.measures["lift_raw"].n == 199


@pytest.mark.parametrize(("stage", "is_planned"), [("week 1", True), ("5 %", False), ("5", False)])
def test_the_number_of_a_week_is_no_percentage(
    stage: str, is_planned: bool, diagnose_tables: Diagnose
) -> None:
    tables = of_two_hundred()
    tables["assignments"]["stage"] = [stage] * 199 + ["later"]
    srm = diagnose_tables("cohort_skew", **tables).measures["srm_p"].value
    assert (srm > 0.5) == is_planned


@pytest.mark.parametrize(
    ("column", "ran"),
    [("pre_mails", True), ("premium", False),
     *also(("mails_28d_before", True), ("pre_metric", True), ("pre_exposure_score", False))],
)  # fmt: skip
def test_the_metric_from_before_may_stand_with_the_units(
    column: str, ran: bool, diagnose_tables: Diagnose
) -> None:
    treated = [i < 60 for i in range(1200)]
    level = [10 + 6 * is_treated + i % 7 for i, is_treated in enumerate(treated)]
    tables = dealt(treated)
    ids = tables["assignments"]["unit_id"]
    tables["units"] = {"unit_id": list(ids), column: level}
    days = (1, 4, 8, 12)
    tables["outcomes"] = {
        "unit_id": [unit for unit in ids for _ in days], "metric": ["mails"] * 4800,
        "occurred_at": [str(START + timedelta(days=day)) for _ in ids for day in days],
        "value": [(value + day % 2) for value in level for day in days],
    }  # fmt: skip
    result = diagnose_tables("cohort_skew", **tables)
    assert (result.falsifier.ran, "not run" not in result.falsifier.outcome) == (ran, ran)
    assert result.verdict == ("confirmed" if ran else "supported")
