"""Oracles of feedback poisoning (METHODS section 6)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from casework.stats.bounds import manski
from casework.stats.composition import kish
from casework.stats.nps import Answers, adjusted_wald, nps_difference, wald
from casework.stats.weights import hajek, horvitz_thompson, rake

Values = Mapping[str, Any]


def score(inputs: Values) -> Values:
    answers = Answers(**inputs)
    plain, adjusted = wald(answers), adjusted_wald(answers)
    return {
        "nps": answers.score,
        "se_wald": answers.standard_error,
        "ci_wald": [plain.low, plain.high],
        "nps_adj": adjusted.value,
        "ci_adjusted_wald": [adjusted.low, adjusted.high],
    }


def waves(inputs: Values) -> Values:
    before, after = Answers(*inputs["before"]), Answers(*inputs["after"])
    change = nps_difference(before, after)
    return {"diff": -change.value, "se": change.standard_error, "z": change.z, "p": change.p}


def inverse_chances(inputs: Values) -> Values:
    y, chance = inputs["y"], inputs["inclusion_prob"]
    return {
        "ht_total": horvitz_thompson(y, chance),
        "hajek_mean": hajek(y, chance),
        "naive_mean": float(np.mean(y)),
        "n_eff": kish(1 / np.asarray(chance)),
    }


def raked(inputs: Values) -> Values:
    cells = np.asarray(inputs["seed"], float)
    rows, columns = (index.ravel().astype(str).tolist() for index in np.indices(cells.shape))
    targets = {
        "row": dict(zip("0123", inputs["row_targets"], strict=True)),
        "column": dict(zip("0123", inputs["col_targets"], strict=True)),
    }
    found = rake({"row": rows, "column": columns}, targets, cells.ravel())
    return {"fitted": found.reshape(cells.shape).tolist()}


def bounded(inputs: Values) -> Values:
    low, high = manski(inputs["response_rate"], inputs["mean_among_responders"])
    return {"lower": low, "upper": high}


REACHED = {
    "p6_nps_ci": score,
    "p6_nps_difference": waves,
    "p6_horvitz_thompson_hajek": inverse_chances,
    "p6_raking_ipf": raked,
    "p6_manski_bounds": bounded,
}
