"""What every diagnosis owes its reader. New ones are picked up by themselves."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlglot
from fixtures import ALL as INCIDENTS
from tests.diagnoses.conftest import Diagnosed

import casework.diagnoses
from casework.canonical import digest_rows
from casework.case import Case, Query
from casework.diagnoses import (
    ALL,
    Diagnosis,
    _cohort_classifier,
    _cohort_strata,
    _cohort_sums,
    _substrate_sums,
)
from casework.errors import UsageError

SECTIONS = ["What it looks for", "Why it matters", "What would rule it out", "Known false alarms"]
SOURCES = ("x[$name_1]", "days_since_sign_up", "x[$name_3]")

every = pytest.mark.parametrize("diagnosis", ALL, ids=lambda d: d.name)


def queries() -> dict[str, Query]:
    """Every query in the package, those with a number of columns included, each once."""
    found: dict[Query, str] = {}
    for module in pkgutil.iter_modules(casework.diagnoses.__path__):
        loaded = importlib.import_module(f"casework.diagnoses.{module.name}")
        for name, value in vars(loaded).items():
            if isinstance(value, Query):
                found.setdefault(value, f"{module.name}.{name}")
    made = [
        _cohort_sums.standardised(SOURCES), _cohort_sums.cells(SOURCES),
        _cohort_sums.arm_sums(SOURCES), _cohort_classifier.sampled(SOURCES),
        *(_cohort_sums.moments(SOURCES, (1, 3), weighted=w) for w in (True, False)),
        *(make(cuts) for cuts in (0, 3)
          for make in (_substrate_sums.sums, _substrate_sums.by_unit)),
        *(make(_cohort_strata.Plan(SOURCES, (1, 3), own, weighted=own is None, grouped=own is None))
          for own in (2, None) for make in (_cohort_strata.edges, _cohort_strata.strata)),
    ]  # fmt: skip
    for i, query in enumerate(made):
        found.setdefault(query, f"made.{i}.{query.id}")
    return {name: query for query, name in found.items()}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with Case.create(tmp_path_factory.mktemp("empty") / "empty.duckdb") as case:
        yield case


def parameters(query: Query) -> dict[str, object]:
    """A value of the right kind for every parameter that a query of ours may name."""
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    known: dict[str, object] = dict.fromkeys(
        ("experiment", "control", "treatment", "stage", "metric", "seed", "population"), "a"
    )
    names = ("environment", "endpoint", "prompt", "suite", "valid_run", "run_before")
    known |= dict.fromkeys(names, "a") | {"config": 1, "push_lead_s": 3600.0}
    known |= {"lag_s": 3600.0, "zoneless": "", "own": 1.0}
    known |= {"shown_from": 0.0, "shown_until": 1.0}
    known |= {"dealt_by": "unit_id", "cohort": "week", "algorithm": "md5", "clock_error_s": 1.0}
    known |= dict.fromkeys(("opened_at", "closed_at", "middle_at"), instant)
    known |= dict.fromkeys(("raised_at", "launched_at"), instant)
    known |= {"is_ratio": False, "everyone": False, "least": 10.0, "other": "a"}
    known |= {"cells_control": 4096, "cells_treated": 4096, "below": "100"}
    known |= dict.fromkeys(("run", "condition", "suite", "bank", "checkpoint"), "a")
    known |= {name: ["a"] for name in ("runs", "leaked", "clean")}
    known |= {name: ["a"] for name in ("base_runs", "tuned_runs", "stopped_by_filter")}
    known |= {name: ["a"] for name in ("english", "others", "categories", "launch_runs")}
    known |= dict.fromkeys(("named_for_harm", "harm_field", "named_for_judge"), "a")
    known |= {"trained": ["a"], "most": 3}
    known |= dict.fromkeys(
        ("tuned", "label_from", "refusal", "keyword", "format_reason", "filtered"), "a"
    )
    known |= {"opening": 500}
    known |= {name: ["a"] for name in ("production", "elsewhere", "domains", "surfaces")}
    known |= {name: ["a"] for name in ("adjudicators", "corrections", "tuned_checkpoints")}
    known |= {name: ["a"] for name in ("models", "outlying", "fallen")} | {"left_out": "a"}
    known |= {f"runs_{name}": ["a"] for name in ("before", "after", "ablated")}
    known |= dict.fromkeys(("dataset", "mash", "rater_1", "rater_2"), "a")
    known |= dict.fromkeys(("fine", "answers", "once", "directory_used"), True)
    known |= dict.fromkeys(("suite", "target", "cut_target", "cut_reference"), "a")
    known |= dict.fromkeys(("first_week", "last_week", "middle"), instant) | {"by": "tier"}
    known |= dict.fromkeys(("first_asked", "last_asked"), instant)
    known |= {f"name_{i}": "a" for i in range(1, 5)}
    known |= dict.fromkeys(("as_of", "live_from"), instant)
    known |= {"digests": ["a"], "names": ["a"], "artifact": "a"}
    known |= dict.fromkeys(("engagement_days", "hr_lag_days", "card_grace_days"), 1.0)
    for name in ("mean", "spread", "slope", "edge"):
        known |= {f"{name}_{i}": 1.0 for i in ("y", "w", 1, 2, 3, 4)}
    known |= {"score": "rerank_score", "before": "a", "after": "b", "by_version": True, "k": 3}
    known |= {"kinds": ["a"]}
    known |= dict.fromkeys(("changed_at", "ended_at", "since", "until"), instant)
    for name in ("in_force", "unscored", "same_queries", "known_documents"):
        known[name] = False
    for name in ("gate", "gate_after", "gate_used", "gate_old", "gate_new", "tolerance",
                 "dense_tolerance", "lowest", "width", "depth", "near"):  # fmt: skip
        known[name] = 1.0
    known |= {"model": "a", "dimensions": 3}
    known |= {
        "ids_differ": False,
        "same_day": True,
        "floor": 0.1,
        "value_step": 1.0,
        "denominator_step": 1.0,
    }
    known |= dict.fromkeys(("started", "ended", "opened", "closed", "assigned_by"), instant)
    known |= {"models": ["a"], "named": ["a"], "lines": [0], "judged": [0], "line": 0}
    known |= {"floors": [0.1]}
    known |= {f"{end}_{i}": instant for end in ("start", "end") for i in range(4)}
    return query.parameters(known)


@pytest.mark.parametrize(("name", "query"), queries().items(), ids=lambda value: str(value)[:40])
def test_a_query_binds_on_an_empty_case(name: str, query: Query, empty: Case) -> None:
    assert not query.sql.lstrip().upper().startswith("WITH")
    answer = empty.rows(query, **parameters(query))
    assert answer.columns


@pytest.mark.slow
@pytest.mark.parametrize(("name", "query"), queries().items(), ids=lambda value: str(value)[:40])
def test_a_query_transpiles_to_spark(name: str, query: Query) -> None:
    (spark,) = sqlglot.transpile(query.text(), read="duckdb", write="spark")
    assert sqlglot.parse_one(spark, read="spark")


def test_no_diagnosis_is_forgotten() -> None:
    modules = pkgutil.iter_modules(casework.diagnoses.__path__)
    files = {module.name for module in modules if not module.name.startswith("_")}
    assert files == {diagnosis.name for diagnosis in ALL}


@every
def test_it_is_documented(diagnosis: Diagnosis) -> None:
    headings = [line[3:] for line in diagnosis.doc.splitlines() if line.startswith("## ")]
    assert headings == SECTIONS
    assert diagnosis.claim
    assert all(need.why for need in diagnosis.needs)


@every
def test_it_has_planted_healthy_and_trap_incidents(diagnosis: Diagnosis) -> None:
    kinds = {i.kind for i in INCIDENTS if i.diagnosis == diagnosis.name}
    assert kinds == {"planted", "healthy", "trap"}


@every
def test_an_empty_case_is_not_a_pass(diagnosis: Diagnosis, empty: Case) -> None:
    result = diagnosis(empty)
    assert result.verdict == "not_testable"
    assert any(missing.required for missing in result.missing)
    assert result.severity is None


@every
def test_settings_are_checked(diagnosis: Diagnosis, empty: Case) -> None:
    with pytest.raises(Exception, match="UNKNOWN_PARAMETER"):
        diagnosis(empty, no_such_setting=1)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("output_attribution", "clock_error_s", "abc"),
        ("output_attribution", "clock_error_s", "nan"),
        ("output_attribution", "clock_error_s", "-1"),
        ("cohort_skew", "seed", "1.5"),
        ("output_attribution", "population", "everybody"),
        ("cohort_skew", "metric", "no such metric"),
        ("cohort_skew", "experiment", "no such experiment"),
        ("prompt_leakage", "suite", "no such suite"),
        ("prompt_leakage", "run", "no such run"),
        ("prompt_leakage", "bank", "no such bank"),
        ("prompt_leakage", "near", "almost"),
        ("feedback_poisoning", "target", "no such tier"),
        ("feedback_poisoning", "suite", "no such suite"),
        ("debug_feedback", "model_raters", "no such rater"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    name: str, setting: str, value: str, diagnosed: Diagnosed
) -> None:
    incident = next(i.name for i in INCIDENTS if i.diagnosis == name and i.kind == "planted")
    with pytest.raises(UsageError):
        diagnosed(incident, 11, **{setting: value})


PROMISED = {
    "cohort_skew": "srm_p mechanism bucket_mismatch_rate cohort_by_arm_p max_abs_smd rehash_p "
    "lift_raw lift_adjusted lift_population composition_share n_eff",
    "stale_eval_config": "blind_seconds blind_requests blind_accounts coverage_requests "
    "configs_served configs_never_evaluated time_to_signal_s time_to_measurement_s "
    "detection_after_measurement_s evidence_grade",
    "prompt_leakage": "items exact_rate near_duplicate_rate longest_match_rate in_prompt_rate "
    "score_all score_clean estimated_gain leave_one_out_drop copy_rate",
    "threshold_drift": "threshold pass_rate_before pass_rate_after drop_ratio "
    "same_pair_max_abs_difference candidate_overlap restoring_threshold precision_threshold "
    "quality_change moved",
    "substrate_rotation": "changes change_times lift_pooled lift_by_regime heterogeneity_p "
    "i_squared lift_shipping negative_control_p",
    "reproducibility_closure": "closure_score critical_missing bus_factor rerun_gap "
    "rerun_interval rerun_outside",
    "registry_rot": "governed_traffic_share unregistered_traffic_share absent_owners "
    "deprecated_benchmarks approvals_below_reading_time approvals_without_engagement "
    "card_mismatches",
    "retired_checkpoint": "tickets resolved ambiguous unresolved unreachable",
    "output_attribution": "decisions coverage grade_a grade_b grade_c grade_d grade_e rotations "
    "boundaries clock_error_s unlogged_rotations checkpoints",
    "alignment_loss": "refusal_base refusal_tuned refusal_change mcnemar_p over_refusal_change "
    "utility_change launch_safety_items noninferior judge_agreement",
    "feedback_poisoning": "eval_slope fixed_item_slope nps_change coverage_target "
    "coverage_reference coverage_gap top_cohort_item_share n_eff score_transported estimable",
    "debug_feedback": "rows contamination wrong_share internal_share non_production_share "
    "unmatched_share duplicate_share slices_up slices_down",
}


@every
def test_measures_of_the_contract_are_there(diagnosis: Diagnosis, diagnosed: Diagnosed) -> None:
    result, _ = diagnosed(planted(diagnosis), 11)
    assert set(PROMISED[diagnosis.name].split()) <= set(result.measures)
    ids = {evidence.id for evidence in result.evidence}
    pictures = {chart.id for chart in result.charts}
    assert all(measure.evidence in ids for measure in result.measures.values())
    assert all(set(finding.evidence) <= ids for finding in result.findings)
    assert all(set(finding.charts) <= pictures for finding in result.findings)
    assert 0 < len(pictures) <= 5


@every
def test_every_evidence_query_can_be_run_as_it_stands(
    diagnosis: Diagnosis, diagnosed: Diagnosed
) -> None:
    """Text and parameters of the record give the rows of the record, in another session."""
    result, _ = diagnosed(planted(diagnosis), 11)
    with Case(diagnosed.path(planted(diagnosis), 11)) as case:
        for evidence in result.evidence:
            answer = case.rows(Query("again", evidence.sql), **evidence.params)
            assert digest_rows(answer.columns, answer.rows) == evidence.sha256, evidence.id


def planted(diagnosis: Diagnosis) -> str:
    return next(i.name for i in INCIDENTS
                if i.diagnosis == diagnosis.name and i.kind == "planted")  # fmt: skip
