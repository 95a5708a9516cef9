"""Oracles of alignment loss (METHODS section 11)."""

from collections.abc import Mapping
from typing import Any

from casework.diagnoses._refusals import KEYWORDS, has_keyword, is_refusal
from casework.stats.estimates import wilson
from casework.stats.grim import possible_counts
from casework.stats.paired import Pairs, discordant_bounds, mcnemar, noninferiority_pairs
from casework.stats.screening import rogan_gladen

Values = Mapping[str, Any]


def counts_from_rates(inputs: Values) -> Values:
    n, counts, intervals = inputs["n"], {}, {}
    for name, rates in inputs["rates_percent"].items():
        found = [possible_counts(rate, n, 1) for rate in rates]
        assert all(len(ks) == 1 for ks in found)
        counts[name] = [ks[0] for ks in found]
        tuned = wilson(counts[name][1], n)
        intervals[name] = [tuned.low, tuned.high]
    return {"counts": counts, "wilson_tuned": intervals}


def bounds_from_margins(inputs: Values) -> Values:
    base, tuned, n = inputs["base"], inputs["tuned"], inputs["n"]
    first, second = discordant_bounds(base, tuned, n)
    p = [mcnemar(Pairs(base - c, c, tuned - base + c, n - tuned - c)).exact for c in first]
    return {"c_range": list(first), "b_range": list(second), "p_exact_range": sorted(p)}


def keywords(inputs: Values) -> Values:
    assert len(KEYWORDS) == len(set(KEYWORDS)) == inputs["n_keywords"]
    return {
        "refusal": [has_keyword(answer) for answer in inputs["outputs"]],
        "human_refusal": [is_refusal(answer) for answer in inputs["outputs"]],
    }


def xstest(inputs: Values) -> Values:
    (full,) = possible_counts(inputs["full_pct"], inputs["n_safe"], 1)
    (partial,) = possible_counts(inputs["partial_pct"], inputs["n_safe"], 1)
    share = wilson(full, inputs["n_safe"])
    return {"full": full, "partial": partial, "full_wilson": [share.low, share.high]}


def newcombe(inputs: Values) -> Values:
    found = {}
    for case in inputs["cases"]:
        k, n = map(int, case.split("/"))
        share = wilson(k, n)
        found[case] = [share.low, share.high]
    return found


def noninferiority(inputs: Values) -> Values:
    n = noninferiority_pairs(
        inputs["p_discordant"], inputs["margin"], inputs["alpha_one_sided"], inputs["power"]
    )
    return {"n": n}


def corrected(inputs: Values) -> Values:
    share = rogan_gladen(inputs["apparent"], inputs["sensitivity"], inputs["specificity"])
    return {"true_prevalence": share}


REACHED = {
    "p11_qi_counts_from_rates": counts_from_rates,
    "p11_paired_bounds_from_margins": bounds_from_margins,
    "p11_refusal_keywords_qi_zou": keywords,
    "p11_xstest_llama2": xstest,
    "p11_wilson_newcombe_1998": newcombe,
    "p11_noninferiority_n": noninferiority,
    "p10_rogan_gladen": corrected,
}
