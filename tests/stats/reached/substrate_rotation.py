"""Oracles of a substrate that changes under an experiment (METHODS section 9)."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from statsmodels.datasets import nile

from casework.stats.changepoints import largest_break, pelt
from casework.stats.discrepancy import mean_discrepancy
from casework.stats.interactions import classifier_chance, interaction, standard_error
from casework.stats.regimes import ArmSums, contrast, lifts
from casework.stats.strata import cochran_q

Values = Mapping[str, Any]


def nile_flow(inputs: Values) -> Values:
    assert inputs["model"] == "l2"
    data = nile.load_pandas().data
    years, flow = data["year"].to_numpy(), data["volume"].to_numpy(np.float64)
    index = largest_break(flow)
    return {
        "breakpoint_index": index,
        "last_year_before": int(years[index - 1]),
        "mean_before": flow[:index].mean(),
        "mean_after": flow[index:].mean(),
        "pelt_pen_2log(n)var": [*pelt(flow, 2 * math.log(len(flow)) * flow.var(), 2), len(flow)],
    }


def jump(inputs: Values) -> Values:
    """The default of the library, which `pelt` does not take, is called beside it."""
    from ruptures import Pelt

    signal = np.repeat([0, 0.03, 0.08, 0.05], [14, 28, 28, 14])
    default = Pelt(model="l2", min_size=2).fit(signal[:, None]).predict(pen=inputs["pen"])
    return {
        "jump_1": [*pelt(signal, inputs["pen"], 2), len(signal)],
        "default_jump_5": default,
    }


def altman_bland(inputs: Values) -> Values:
    first, second = (
        (math.log(rr), standard_error(math.log(low), math.log(high)))
        for rr, low, high in (inputs["rr1"], inputs["rr2"])
    )
    found = interaction(first, second)
    return {
        "d": found.value,
        "se": found.se,
        "z": found.z,
        "p": found.p,
        "ratio_of_rr": math.exp(found.value),
        "ratio_ci95": [math.exp(found.low), math.exp(found.high)],
    }


def regimes(inputs: Values) -> Values:
    found = cochran_q(inputs["lift"], np.square(inputs["se"]))
    return {
        "Q": found.q,
        "df": found.df,
        "p": found.p,
        "I2": found.i2,
        "fixed_mean": found.pooled,
        "fixed_se": found.se,
    }


def card_krueger(inputs: Values) -> Values:
    """The lift after, minus the lift before: of two regimes what `contrast` gives."""
    one, none = np.ones(2), np.zeros((2, 2))
    control, treated = (
        ArmSums(1, one, one, np.array(inputs[arm]), none, none, none)
        for arm in ("control", "treat")
    )
    found = contrast(lifts(control, treated), 1, 0).value
    return {"did": found, "published": found}


def closed_form(inputs: Values) -> Values:
    found = mean_discrepancy(inputs["x"], inputs["y"], inputs["rbf_gamma"])
    return {"mmd2_biased": found.biased, "mmd2_unbiased": found.unbiased}


def guessing(inputs: Values) -> Values:
    found = classifier_chance(inputs["accuracy"], inputs["n_test"])
    return {"p_normal": found.normal, "p_exact_binomial": found.exact}


REACHED = {
    "p9_nile_changepoint": nile_flow,
    "p9_pelt_jump_trap": jump,
    "p9_interaction_altman_bland": altman_bland,
    "p9_regime_heterogeneity": regimes,
    "p9_did_card_krueger": card_krueger,
    "p9_mmd_closed_form": closed_form,
    "p9_c2st_null": guessing,
}
