"""Every trap that the method names has an incident that expresses it, or a reason why none can."""

import pytest
from fixtures import ALL

BY_NAME = {incident.name: incident for incident in ALL}

TRAPS = {
    "cohort_skew": {
        "covariates after treatment": "post_treatment_covariate_in_outcomes",
        "bot filter keyed on engagement": "bot_filter",
        "internal users always in the canary": "internal_allow_list",
        "heavy tail by chance": "heavy_tail_by_chance small_canary",
        "delayed logging in one arm": "delayed_logging",
        "unit mismatch": "unit_mismatch uneven_rows",
        "forty covariates unadjusted": "forty_covariates",
    },
    "stale_eval_config": {
        "new label, same content": "relabelled",
        "a canary is served traffic": "canary_before_its_run canary_in_time",
        "staged propagation": "mixed_versions",
        "pinned baseline beside": "pinned_baseline",
        "staging run of the same hash": "staging_run release_candidate",
        "timezone of cron": "local_cron zone_not_named late_in_the_west",
        "templates loaded before the push": "loaded_before_the_push",
        "other retrieval index or tools": "other_index index_scored_again other_parameters",
        "multi-tenant overrides": "tenant_overrides",
    },
    "reproducibility_closure": {
        "bit-exactness is not required": "other_bits",
        "hosted base unpinnable": "hosted_base",
        "eval harness drift": "harness_drift no_control scored_later two_units",
        "data deleted for privacy": "erased",
        "lineage tag whose digest mismatches": "mismatched",
    },
    "registry_rot": {
        "UTC against local time": "late_in_utc",
        "automated approvals on green gates": "automated",
        "review before the formal click": "reviewed_before",
        "role accounts": "role_account",
        "staff list behind": "staff_list_behind",
        "benchmark renamed": "renamed",
        "delegates": "delegate",
        "emergency with later ratification": "emergency",
        "quantised form of the same weights": "quantised",
    },
    "threshold_drift": {
        "re-cut or more documents": "recut_documents corpus_growth",
        "query seasonality": "query_season",
        "top-k changed": "more_candidates",
        "reranker quantised or truncating": "reranker_quantised reranker_truncates",
        "scores of passed candidates only": "passed_only",
        "missing scores as drops": "missing_scores",
        "judge sees only passed documents": "judged_passed_only",
        "several gates in one log": "one_gate_of_two two_gates",
        "several changes in one log": "later_change one_build_of_three quiet_builds",
        "a change that was taken back": "rolled_back",
        "a gate without a reranker": "dense_gate kept_dense_gate",
        "nothing stamped and nothing logged": "unstamped nothing_logged",
        "documents edited": "edited_documents",
    },
    "feedback_poisoning": {
        "NPS lags, outages": "nps_lags",
        "pricing and renewals": "price_changed",
        "survivor bias": "leavers_silent",
        "ecological inference": "unlinked",
        "questions differ because quality was bad": "after_the_harm",
        "thumbs differ by surface": "thumbs_by_surface",
        "judge model changed": "judge_changed",
        "invitation rule changed": "invitations_changed",
    },
    "retired_checkpoint": {
        "reporter's time zone": "local_time zone_not_named",
        "reporter's summer time": "daylight_saving",
        "ticket time is not event time": "one_era report_time_alone",
        "sticky sessions": "sticky_sessions",
        "regional lag": "regional_lag",
        "A/B lane": "other_lane",
        "client cached the answer": "cached_answer",
        "index changed since": "index_changed replayed_on_another_index",
        "non-determinism under batching": "batches_differ",
        "provider moved silently": "silent_move",
        "weights deleted, adapter remains": "adapter_remains adapter_with_its_base",
    },
    "output_attribution": {
        "four rotations, five boundaries": "p8 planted",
        "rollback to equal bytes": "same_bytes_rollback reasserted_alias",
        "rolling deploy and sticky sessions": "rolling_deploy all_by_replica",
        "decisions that wait in a queue": "async_decisions drained_queue",
        "retries": "retries",
        "summer time in local logs": "daylight_saving",
        "batch pinned to an old image": "batch_pinned",
        "human override after the model": "human_override",
        "same digest, another prompt or index": "other_system",
    },
    "substrate_rotation": {
        "novelty": "novelty",
        "weekday and season": "season negative_control",
        "index or corpus change the same night": "index_rebuild",
        "client truncation or dimension": "client_dimension",
        "region endpoint": "region_endpoint both_endpoints",
        "batching counted as drift": "batch_noise",
        "mixed index": "mixed_index",
        "ramp change at the same date": "ramp_raised",
    },
    "debug_feedback": {
        "internal experts": "internal_experts",
        "staging replays real traffic": "staging_replay",
        "style as the goal": "style_goal style_unsaid",
        "reasons missing, not at random": "reasons_missing",
        "wrong judged without context": "no_context",
        "duplicate events by retries": "retries stuck_button",
        "same-domain customers": "shared_domain",
        "row weights": "light_rows heavy_rows",
    },
    "alignment_loss": {
        "template or system prompt differs": "other_template template_not_logged",
        "decoding or max tokens differ": "other_decoding",
        "base refuses for form": "for_form",
        "filter before the base": "filter_before_base",
        "judge shares family with the tuned": "lenient_judge",
        "probes in the training set": "trained_on",
        "capability loss mimics refusal": "abilities_lost",
    },
    "prompt_leakage": {
        "shared boilerplate": "boilerplate",
        "short items": "short_items",
        "questions that recur in production": "recurring_questions",
        "disjoint train split": "disjoint_split",
        "retrieval cached": "cached_retrieval",
        "eval improved for real": "real_improvement",
        "same customer's context": "same_customer",
    },
}
"""What the method names as a trap of each diagnosis, and the incidents that express it."""

BEYOND_THE_EVIDENCE = {
    "substrate_rotation": {
        "cumulative lifts are autocorrelated": "no cumulative lift is computed or drawn",
        "client normalisation": "a cosine does not see it, so nothing seems to change",
    },
}
"""Traps without an incident, and why there can be none."""

EACH = [(diagnosis, trap) for diagnosis, traps in TRAPS.items() for trap in traps]


def incidents_of(diagnosis: str, trap: str):
    return [BY_NAME.get(f"{diagnosis}.{name}") for name in TRAPS[diagnosis][trap].split()]


@pytest.mark.parametrize(("diagnosis", "trap"), EACH)
def test_a_trap_is_expressed_and_not_confirmed(diagnosis: str, trap: str) -> None:
    for incident in incidents_of(diagnosis, trap):
        assert incident is not None
        assert incident.kind in ("trap", "planted")


@pytest.mark.parametrize("incident", ALL, ids=list(BY_NAME))
def test_what_only_looks_alike_is_never_rightly_confirmed(incident) -> None:
    assert ("confirmed" in incident.verdicts) == (incident.kind == "planted")


def test_every_diagnosis_has_its_traps() -> None:
    assert {incident.diagnosis for incident in ALL} == set(TRAPS)


def test_what_cannot_be_expressed_has_a_reason() -> None:
    for diagnosis, reasons in BEYOND_THE_EVIDENCE.items():
        assert not set(reasons) & set(TRAPS[diagnosis])
        assert all(reasons.values())
