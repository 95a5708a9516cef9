"""Oracles of prompt leakage (METHODS section 12)."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from casework.stats.boilerplate import without_boilerplate
from casework.stats.estimates import wilson
from casework.stats.leakage import contamination_z, split_score
from casework.stats.overlap import lsh_recall, lsh_threshold, overlap
from casework.stats.texts import LONG, items_with_long_run
from casework.stats.tokens import normalise, tokenise

Values = Mapping[str, Any]


def decontaminated(inputs: Values) -> Values:
    shares = [wilson(k, n) for _, k, n, _ in inputs["rows"]]
    return {
        "percent": [100 * share.value for share in shares],
        "wilson_codealpaca": [shares[0].low, shares[0].high],
    }


def subsets(inputs: Values) -> Values:
    z = [contamination_z(mean, expected, n) for _, n, mean, expected in inputs["rows"]]
    return {"z": z, "z_published": z}


def adjusted(inputs: Values) -> Values:
    split = split_score(tuple(inputs["leaked"]), tuple(inputs["clean"]))
    return {
        "score_all": split.score_all,
        "score_leaked": split.score_leaked,
        "score_clean": split.score_clean,
        "epg": split.gain,
        "gap": split.gap.value,
        "fisher_p": split.p,
        "gap_newcombe_ci": [split.gap.low, split.gap.high],
    }


def s_curve(inputs: Values) -> Values:
    bands, rows = inputs["b"], inputs["r"]
    chances = [lsh_recall(s, bands, rows) for s in inputs["s"]]
    return {"p": chances, "published": chances, "threshold": lsh_threshold(bands, rows)}


def n_grams(inputs: Values) -> Values:
    texts = pa.array([inputs["a"], inputs["b"]])
    a, b = (text.split() for text in normalise(texts))
    tokens = tokenise(texts)
    items, documents = (tokens.take(pa.array([i]).to_numpy()) for i in (0, 1))
    found = overlap(a, b, 3)
    hit = items_with_long_run(without_boilerplate(items, documents), documents, LONG)
    return {
        "jaccard_3gram": found.jaccard,
        "containment_a_in_b_3gram": found.containment,
        "longest_match_tokens": found.run,
        "longest_match_fraction_of_a": found.run_share,
        "ngram13_hit": bool(hit[0]),
    }


REACHED: dict[str, Callable[[Values], Values]] = {
    "p12_llm_decontaminator_table": decontaminated,
    "p12_llama2_contamination_z": subsets,
    "p12_leakage_adjusted_score": adjusted,
    "p12_lsh_s_curve": s_curve,
    "p12_ngram_overlap": n_grams,
}
