"""The measures of `prompt_leakage`."""

import numpy as np

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_beside import measure_beside
from casework.diagnoses._leak_case import Investigated, left_out_score
from casework.diagnoses._leak_paraphrases import EMBEDDED, Paraphrases
from casework.diagnoses._leak_slices import TIERS
from casework.stats.estimates import wilson
from casework.stats.leakage import bootstrap_mean, is_binary


def measure(ask: Inquiry, found: Investigated, seed: int) -> None:
    """Record what was counted, scored, and reached."""
    n = found.items
    ask.measure("items", n, "count:items", q.ITEMS, n=n)
    for name, cut in (("exact_rate", 1), ("near_duplicate_rate", 2), ("longest_match_rate", 3)):
        _share(ask, name, int((found.tier <= cut).sum()) if found.looked_at else None,
               found.looked_at)  # fmt: skip
    reference = found.reference
    long_run = None if reference is None else int(reference.long_run.sum())
    _share(ask, "ngram13_rate", long_run, n)
    if found.training is not None and found.bank is not None:
        _share(ask, "training_rate", int((found.training.tier <= 3).sum()), n)
    seen = found.in_prompt
    known = 0 if seen is None else int(seen.known.sum())
    _share(ask, "in_prompt_rate", None if seen is None else found.leaked, known)
    _share(ask, "context_rate", None if seen is None else len(seen.context), known)
    ask.measure("leaks", _leaks(found), "table", q.ITEMS, n=found.leaked)
    by_run = [{"run_id": seen.run["run_id"], "started_at": seen.run["started_at"],
               "items": seen.known, "in_prompt": seen.leaked} for seen in found.runs]  # fmt: skip
    ask.measure("in_prompt_by_run", by_run, "table", q.RUNS, n=len(by_run))
    ask.measure("paraphrase_candidates", _candidates(found), "table",
                EMBEDDED if found.paraphrases else q.ITEMS)  # fmt: skip
    _measure_scores(ask, found, seed)
    _measure_similarity(ask, found)
    _measure_paraphrases(ask, found.paraphrases)
    measure_beside(ask, found.beside, found.effect)
    for name, value, noun, by in (
        ("versions_resting", found.versions, "versions", q.RESTED_ON),
        ("requests_served", found.served["requests"], "requests", q.SERVED),
        ("accounts_served", found.served["accounts"], "accounts", q.SERVED),
    ):
        ask.measure(name, value, f"count:{noun}", by)


def _measure_scores(ask: Inquiry, found: Investigated, seed: int) -> None:
    effect = found.effect
    level, change = ("share", "points") if effect.binary else ("score", "score")
    adjusted = effect.adjusted
    ask.estimate("score_all", effect.score_all, level, q.BY_LEAK)
    ask.estimate("score_clean", adjusted.score if adjusted else None, level, q.BY_LEAK)
    ask.estimate("score_clean_unweighted", effect.score_plain, level, q.BY_LEAK)
    ask.estimate("estimated_gain", adjusted.gain if adjusted else None, change, q.BY_LEAK)
    n_eff = adjusted.n_eff if adjusted else None
    ask.measure("n_eff", n_eff, "count:items", q.BY_LEAK, n=effect.clean_items)
    ask.estimate(
        "leave_one_out_drop", effect.drop.estimate if effect.drop else None, change, q.BY_LEAK
    )
    p = effect.drop.p if effect.drop else None
    ask.measure("leave_one_out_p", p, "p", q.BY_LEAK,
                n=effect.drop.estimate.n if effect.drop else None)  # fmt: skip
    ask.estimate(
        "clean_drop", effect.control.estimate if effect.control else None, change, q.BY_LEAK
    )
    ask.estimate("difference_in_differences", effect.changed, change, q.BY_LEAK)
    traffic = found.traffic
    by = q.RECURRING if traffic else q.BY_LEAK
    rest = traffic.rest.estimate if traffic and traffic.rest else None
    ask.estimate("drop_not_recurring", rest, change, by)
    ask.estimate("drop_traffic_weighted", traffic.weighted if traffic else None, change, by)
    mixed = left_out_score(found)
    without = None
    if len(mixed):
        binary = is_binary(mixed)
        without = wilson(int(mixed.sum()), len(mixed)) if binary else bootstrap_mean(mixed, seed)
    ask.estimate("score_leave_one_out", without, level, q.BY_LEAK)
    ask.estimate("copy_rate", effect.copies, "share:leaked items", q.BY_LEAK)
    ask.estimate("copy_rate_left_out", effect.copies_left_out, "share:leaked items", q.BY_LEAK)
    ask.estimate("wrong_label_copies", effect.wrong_copies, "share:leaked items", q.BY_LEAK)
    ask.estimate("leaked_with_label", effect.with_label, "share:leaked items", q.BY_LEAK)
    ask.estimate("rerun_still_leaking", found.still, "share:leaked items", q.BY_LEAK)


def _measure_similarity(ask: Inquiry, found: Investigated) -> None:
    """The score along the similarity to the own prompt, and with the labels swapped."""
    change = "points" if found.effect.binary else "score"
    along, swap = found.along, found.swap
    trend = along.trend if along else None
    left_out = along.trend_left_out if along else None
    slope = trend.slope if trend else None
    ask.estimate("similarity_trend", slope, change, q.BY_LEAK)
    ask.measure("similarity_trend_p", trend.p if trend else None, "p", q.BY_LEAK,
                n=slope.n if slope else None)  # fmt: skip
    ask.estimate("similarity_trend_left_out", left_out.slope if left_out else None, change,
                 q.BY_LEAK)  # fmt: skip
    rows = [
        {"threshold": f.threshold, "items": f.items, "flagged": f.share, "gain": f.gain.value,
         "low": f.gain.low, "high": f.gain.high}
        for f in (along.sweep if along else ())
    ]  # fmt: skip
    ask.measure("sweep", rows, "table", q.BY_LEAK, n=len(along.similarity) if along else 0)
    follow, base = (swap.follow, swap.left_out) if swap else (None, None)
    ask.estimate("label_swap_rate", follow, "share:leaked items", q.BY_LEAK)
    ask.estimate("label_swap_rate_left_out", base, "share:leaked items", q.BY_LEAK)


def _measure_paraphrases(ask: Inquiry, found: Paraphrases | None) -> None:
    by = EMBEDDED if found else q.ITEMS
    ask.estimate("paraphrase_candidate_rate", found.rate if found else None, "share:items", by)
    ask.measure("paraphrase_candidates_in_prompt", found.in_prompt if found else None,
                "count:items", by, n=found.items if found else None)  # fmt: skip
    ask.measure("paraphrase_rate_by_chance", found.radius.by_chance if found else None,
                "share:items", by, n=found.radius.items if found else None)  # fmt: skip
    ask.measure("paraphrase_radius", found.radius.similarity if found else None, "cosine", by,
                n=found.radius.items if found else None)  # fmt: skip


def _share(ask: Inquiry, name: str, k: int | None, n: int) -> None:
    if k is None or not n:
        ask.measure(name, None, "share:items", q.ITEMS, n=n)
        return
    e = wilson(k, n)
    ask.measure(name, e.value, "share:items", q.ITEMS, ci95=(e.low, e.high), n=n)


def _leaks(found: Investigated) -> list[dict[str, object]]:
    """The leaked items with the example that stood in their prompt, in the order of the items."""
    if found.in_prompt is None:
        places = np.flatnonzero(found.effect.leaked).tolist()
        return [{"item_id": found.samples.ids[i], "how": TIERS[found.tier[i]],
                 "bank": None, "exemplar_id": None} for i in places]  # fmt: skip
    rows: list[dict[str, object]] = []
    for _, leak in sorted(found.in_prompt.leaks.items()):
        row: dict[str, object] = {"item_id": found.samples.ids[leak.item],
                                  "how": TIERS[leak.tier]}  # fmt: skip
        for column in ("bank", "exemplar_id"):
            held = found.bank is not None and leak.row is not None
            row[column] = found.bank.table[column][leak.row].as_py() if held else None  # type: ignore[union-attr]
        rows.append(row)
    return rows


def _candidates(found: Investigated) -> list[dict[str, object]]:
    """The pairs that somebody has to read, nearest first."""
    if found.paraphrases is None or found.bank is None:
        return []
    table = found.bank.table
    return [
        {"item_id": found.samples.ids[c.item], "bank": table["bank"][c.row].as_py(),
         "exemplar_id": table["exemplar_id"][c.row].as_py(), "similarity": c.similarity,
         "in_prompt": c.in_prompt}
        for c in found.paraphrases.candidates
    ]  # fmt: skip
