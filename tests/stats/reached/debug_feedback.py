"""Oracles of debug feedback (METHODS section 10)."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from casework.stats.agreement import (
    calibrated_joint,
    cohen_kappa,
    fleiss_kappa,
    level_alpha,
    tallies,
)
from casework.stats.multinomial import labels_needed, worst_case

Values = Mapping[str, Any]


def fleiss(inputs: Values) -> Values:
    return {"kappa": fleiss_kappa(tallies(inputs["counts"]))}


def cohen(inputs: Values) -> Values:
    found = cohen_kappa(inputs["table"])
    assert found is not None
    return {"kappa": found.value}


def krippendorff(inputs: Values) -> Values:
    levels = ("nominal", "ordinal", "interval", "ratio")
    return {level: level_alpha(inputs["reliability_data"], level) for level in levels}


def confident_joint(inputs: Values) -> Values:
    joint = calibrated_joint(inputs["confident_joint"])
    return {"joint": joint.tolist(), "off_diagonal_mass": 1 - float(np.trace(joint))}


def thompson(inputs: Values) -> Values:
    largest, classes = worst_case(inputs["alpha"])
    assert classes == 3
    return {
        "n": labels_needed(inputs["d"], inputs["alpha"]),
        "d2n": round(largest, 5),
        "check_m3": largest,
    }


REACHED: dict[str, Callable[[Values], Values]] = {
    "p10_fleiss_kappa": fleiss,
    "p10_cohen_kappa": cohen,
    "p10_krippendorff_alpha": krippendorff,
    "p10_confident_joint": confident_joint,
    "p10_thompson_multinomial_n": thompson,
}
