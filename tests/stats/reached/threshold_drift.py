"""Oracles of threshold drift (METHODS section 5)."""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np

from casework.stats.distributions import dkw, psi, psi_null, wasserstein
from casework.stats.gates import restoring_rank, restoring_threshold, shapley

Values = Mapping[str, Any]


def steps(scores: Any) -> list[tuple[float, int]]:
    """Distinct scores, falling, with how many pass at each."""
    distinct, counts = np.unique(scores, return_counts=True)
    passing = np.cumsum(counts[::-1]).tolist()
    return list(zip(distinct[::-1].tolist(), passing, strict=True))


def four_bins(inputs: Values) -> Values:
    return {"psi": psi(inputs["expected"], inputs["actual"])}


def sampling_null(inputs: Values) -> Values:
    small = psi_null(inputs["bins"], inputs["N"], inputs["M"])
    large = psi_null(inputs["bins"], inputs["N2"], inputs["M2"])
    return {
        "crit95_small": small.critical,
        "mean_small": small.mean,
        "crit95_large": large.critical,
    }


def restore(inputs: Values) -> Values:
    old = np.arange(1, 101) / 100
    new, gate = old**2, inputs["threshold"]
    passed = int((old >= gate).sum())
    found = restoring_threshold(steps(new), restoring_rank(passed, len(old), len(new)))
    before, after = 1 - (old >= gate).mean(), 1 - (new >= gate).mean()
    return {
        "old_pass_rate": passed / len(old),
        "new_pass_rate_same_threshold": (new >= gate).mean(),
        "restoring_threshold": found.threshold,
        "new_pass_rate_restored": found.passing / len(new),
        "drop_increase_relative": after / before - 1,
    }


def gaussian(inputs: Values) -> Values:
    """A normal population laid out in equal steps of probability; the gate is restored by rank."""
    sd, gate = inputs["sd"], inputs["gate"]
    drop = NormalDist(0.55, sd).cdf(gate)
    more = drop * inputs["drop_multiplier"]
    moved = gate - sd * NormalDist().inv_cdf(more)
    n = 1_000
    passed = round((1 - drop) * n)
    scores = [(NormalDist(moved, sd).inv_cdf(drop + (passed - k) / n), k) for k in range(1, n)]
    found = restoring_threshold(scores, restoring_rank(passed, n, n))
    return {
        "old_drop": drop,
        "new_drop": NormalDist(moved, sd).cdf(gate),
        "implied_new_mean": moved,
        "restoring_gate": found.threshold,
        "mean_shift_sd": (0.55 - moved) / sd,
    }


def two_components(inputs: Values) -> Values:
    found = shapley(inputs["quality"])
    return {
        "phi_embedding": found.first,
        "phi_gate": found.second,
        "total": found.total,
        "interaction": found.interaction,
    }


def scipy_doc(inputs: Values) -> Values:
    return {"values": [wasserstein(*case) for case in inputs["cases"]]}


def band(inputs: Values) -> Values:
    return {"epsilon": dkw(inputs["n"], inputs["alpha"])}


REACHED = {
    "p5_psi_four_bins": four_bins,
    "p5_psi_sampling_null": sampling_null,
    "p5_quantile_threshold_restore": restore,
    "p5_gaussian_37pct_more_drops": gaussian,
    "p5_shapley_two_components": two_components,
    "p5_wasserstein_scipy_doc": scipy_doc,
    "p5_dkw_band": band,
}
