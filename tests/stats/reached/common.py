"""Oracles that belong to no diagnosis alone (METHODS section 0)."""

from collections.abc import Mapping
from typing import Any

from casework.stats.multiplicity import benjamini_hochberg, holm
from casework.stats.paired import Pairs, mcnemar, newcombe_paired, tango
from casework.stats.proportions import difference_of_shares

Values = Mapping[str, Any]


def adjusted(inputs: Values) -> Values:
    p, alpha = inputs["p"], inputs["alpha"]
    return {
        "n_reject_bh": sum(q <= alpha for q in benjamini_hochberg(p)),
        "n_reject_holm": sum(q <= alpha for q in holm(p)),
        "n_reject_bonferroni": sum(q * len(p) <= alpha for q in p),
    }


def unpaired(inputs: Values) -> Values:
    found = difference_of_shares((inputs["x2"], inputs["n2"]), (inputs["x1"], inputs["n1"]))
    return {"diff": found.value, "ci": [found.low, found.high]}


def fagerland(inputs: Values) -> Values:
    pairs = Pairs(inputs["a"], inputs["c"], inputs["b"], inputs["d"])
    test, score, hybrid = mcnemar(pairs), tango(pairs), newcombe_paired(pairs)
    return {
        "p_exact": test.exact,
        "p_midp": test.mid,
        "p_asymptotic": test.asymptotic,
        "newcombe_ci": [hybrid.low, hybrid.high],
        "tango_ci": [score.low, score.high],
        "diff": pairs.difference,
    }


def agresti(inputs: Values) -> Values:
    test = mcnemar(Pairs(*(inputs[cell] for cell in "abcd")))
    return {"chi2": test.chi2, "chi2_corrected": test.chi2_corrected, "p": test.asymptotic}


def one_way(inputs: Values) -> Values:
    pairs = Pairs(0, inputs["c"], inputs["b"], inputs["n"] - inputs["b"] - inputs["c"])
    score = tango(pairs)
    return {
        "p_exact_two_sided": mcnemar(pairs).exact,
        "diff": pairs.difference,
        "tango_ci95": [score.low, score.high],
    }


REACHED = {
    "p0_bh_1995": adjusted,
    "p0_newcombe_unpaired": unpaired,
    "p11_mcnemar_fagerland": fagerland,
    "p11_mcnemar_agresti": agresti,
    "p11_qi_llava_exact_mcnemar": one_way,
    "p11_qi_advbench_exact_mcnemar": one_way,
}
