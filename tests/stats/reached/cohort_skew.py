"""Oracles of cohort skew (METHODS section 1)."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from casework.stats.buckets import buckets
from casework.stats.composition import (
    chance_band,
    evaporated_share,
    independence,
    kish,
    kitagawa,
    standardised_difference_of_shares,
    transport,
)
from casework.stats.lift import RatioSums, ratio_difference
from casework.stats.sample_ratio import sample_ratio, seed_collision, sequential_sample_ratio
from casework.stats.strata import mantel_haenszel, two_proportion_z

Values = Mapping[str, Any]


def srm(inputs: Values) -> Values:
    test = sample_ratio(inputs["counts"], inputs["expected_ratio"])
    return {
        "chi2": test.chi2,
        "p": test.p,
        "p_published": test.p,
        "sample_ratio": test.ratio,
    }


def ramp(inputs: Values) -> Values:
    arms = [(day["treat"], day["control"]) for day in inputs["strata"]]
    test = mantel_haenszel([[[yes, n - yes] for yes, n in stratum] for stratum in arms])
    assert test is not None
    assert test.odds_ratio is not None
    return {
        "pooled_rate_treat": test.pooled_shares[0],
        "pooled_rate_control": test.pooled_shares[1],
        "pooled_diff": test.pooled_difference,
        "stratum_diffs": test.differences,
        "mh_odds_ratio": test.odds_ratio.value,
        "mh_odds_ratio_ci95": [test.odds_ratio.low, test.odds_ratio.high],
        "mh_risk_difference": test.risk_difference.value,
        "cmh_chi2": test.chi2,
        "breslow_day_p": test.breslow_day_p,
        "simpson_reversal": test.simpson_reversal,
    }


def from_r(inputs: Values) -> Values:
    (cells,) = inputs.values()
    tables = np.reshape(cells, (2, 2, -1), order="F").transpose(2, 0, 1)
    test = mantel_haenszel(tables, correction=True)
    assert test is not None
    assert test.odds_ratio is not None
    return {
        "chi2_corrected": test.chi2,
        "p_corrected": test.p,
        "cmh_chi2_corrected": test.chi2,
        "cmh_p_corrected": test.p,
        "mh_or": test.odds_ratio.value,
        "crude_or": test.pooled_odds_ratio,
        "woolf_chi2_plus_half": test.woolf_chi2,
        "woolf_p": test.woolf_p,
        "breslow_day_p": test.breslow_day_p,
    }


def sequential(inputs: Values) -> Values:
    test = sequential_sample_ratio(inputs["data"], inputs["p0"], inputs["dirichlet_alpha"])
    return {
        "log_marginal_m0": test.log_m0,
        "log_marginal_m1": test.log_m1,
        "log_bayes_factor": test.log_bayes_factor[-1],
        "sequential_p": test.p[-1],
    }


def birthday(inputs: Values) -> Values:
    seeds, experiments = inputs["seeds"], inputs["experiments"]
    return {
        "p_collision": seed_collision(seeds, experiments),
        "p_collision_22": seed_collision(seeds, experiments - 1),
    }


def locality(inputs: Values) -> Values:
    ids = range(100_000)
    weeks = [i // 1000 for i in ids]
    found: dict[str, Any] = {}
    for name, keys, algorithm in (("prefix", weeks, "mod"), ("md5", ids, "md5")):
        canary = buckets([str(key) for key in keys], "", algorithm) < 5
        cohorts = np.stack([np.bincount(weeks, ~canary), np.bincount(weeks, canary)], axis=1)
        test = independence(cohorts)
        assert test is not None
        found[f"{name}_n_canary"] = int(canary.sum())
        found[f"{name}_srm_p"] = sample_ratio(cohorts.sum(axis=0), (0.95, 0.05)).p
        found[f"{name}_cohort_by_arm_p"] = test.p
        found[f"{name}_weeks_in_canary"] = int((cohorts[:, 1] > 0).sum())
    return found


def snowflakes(inputs: Values) -> Values:
    ids = [str((ms << 22) | (worker << 12)) for ms in range(2000) for worker in range(4)]
    reached = np.unique(buckets(ids, "any salt", "mod"))
    return {
        "n_nonempty_buckets": len(reached),
        "buckets_below_5": reached[reached < 5].tolist(),
        "residues_multiple_of": int(np.gcd.reduce(reached)),
    }


def austin(inputs: Values) -> Values:
    smd = standardised_difference_of_shares(inputs["p1"], inputs["p0"])
    return {
        "smd": smd,
        "null_95pct_bound": chance_band(inputs["n1"], inputs["n0"]),
        "flag_gt_0.1": abs(smd) > 0.1,
    }


def transported(inputs: Values) -> Values:
    canary = transport(inputs["w_canary"], inputs["stratum_effect"])
    population = transport(inputs["w_population"], inputs["stratum_effect"])
    return {
        "canary_lift": canary,
        "transported_lift": population,
        "evaporated_share": evaporated_share(canary, population),
    }


def decomposed(inputs: Values) -> Values:
    two = kitagawa(inputs["w_treat"], inputs["w_control"], inputs["y_treat"], inputs["y_control"])
    return {"total": two.total, "composition": two.composition, "rate": two.rate}


def underpowered(inputs: Values) -> Values:
    test = two_proportion_z(inputs["conversions"], inputs["n"])
    return {"p_two_sided_z": test.p, "relative_lift": test.relative_lift}


def kish_users(inputs: Values) -> Values:
    return {"n_eff": kish([1] * 99 + [100])}


def aa_simulation(inputs: Values) -> Values:
    """A/A tests of a conversion per request; the oracle leaves open how users differ in it."""
    rng = np.random.default_rng(inputs["seed"])
    users = inputs["users"]
    requests = np.maximum(1, rng.lognormal(1, 1.6, users).astype(int))
    converted = rng.binomial(requests, rng.beta(2, 3, users))
    y, d = converted.astype(float), requests.astype(float)
    per_user = np.stack([np.ones(users), y, d, y * y, y * d, d * d])
    totals = per_user.sum(axis=1)
    p = np.empty((inputs["reps"], 3))
    for rep in p:
        treatment = per_user @ (rng.random(users) < 0.05)
        control, treated = RatioSums(*(totals - treatment)), RatioSums(*treatment)
        rep[0] = two_proportion_z((control.y, treated.y), (control.d, treated.d)).p
        rep[1] = ratio_difference(control, treated).p
        rep[2] = sample_ratio((control.d, treated.d), (0.95, 0.05)).p
    alarms = (p < [inputs["alpha"], inputs["alpha"], 0.0005]).mean(axis=0)
    return {
        "request_level_z_fpr": alarms[0],
        "delta_method_fpr": alarms[1],
        "naive_request_count_srm_fpr_at_.0005": alarms[2],
        "kish_users": kish(requests),
    }


REACHED: dict[str, Callable[[Values], Values]] = {
    "p1_srm_fabijan_kohavi": srm,
    "p1_srm_wikipedia": srm,
    "p1_ramp_simpson_crook": ramp,
    "p1_cmh_rabbits": from_r,
    "p1_simpson_ucb_admissions": from_r,
    "p1_sequential_srm_ssrm_unit_test": sequential,
    "p1_sequential_srm_batch": sequential,
    "p1_hash_seed_birthday": birthday,
    "p1_srm_clean_composition_broken": locality,
    "p1_snowflake_mod_100_buckets": snowflakes,
    "p1_smd_austin": austin,
    "p1_transport_reweighting": transported,
    "p1_kitagawa_composition": decomposed,
    "p1_underpowered_lift_intuition_busters": underpowered,
    "p1_kish_effective_n": kish_users,
    "p1_aa_request_level_fpr": aa_simulation,
}
