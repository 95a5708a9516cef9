"""Eval items stood in their own prompts.

## What it looks for
Items of an evaluation among the examples of their own rendered prompts, beside the question under
test: the same row of the same file, the same text, nearly the same, or a run of half the words.
Then whether that raised the score: each leaked item as run against the same item with its own
examples left out (leave-one-out). METHODS section 12.

## Why it matters
The benchmark rises and customers see nothing of it: the model reads the answer beside the
question. A gate that rests on such a score lets through what it should stop.

## What would rule it out
No item in its own prompt. A leave-one-out rerun in which the leaked items score the same. A rerun
of another model, or in which clean items fall as much. Customers who ask these very questions.

## Known false alarms
Instructions and forms that many items share are left out by their frequency. Leaked items may be
easier than the others, so that their higher score alone proves nothing. A customer's own context
is no example. Items in a bank that were never retrieved raise no score. Items below four words
cannot be told from chance in a prompt. Paraphrases and translations are not found.
"""

import numpy as np

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.diagnoses._leak_case import Investigated, investigate, left_out_score
from casework.diagnoses._leak_charts import draw
from casework.diagnoses._leak_rivals import rivals_of
from casework.diagnoses._leak_runs import LEFT_OUT, settle
from casework.diagnoses._leak_verdict import falsify, judge_leak
from casework.diagnoses._leak_words import findings, headline, limits, remedies
from casework.errors import unknown_name
from casework.findings import Missing, Primary
from casework.stats.estimates import wilson
from casework.stats.leakage import bootstrap_mean, is_binary
from casework.tables import eval_runs, eval_samples, exemplars, requests, training_rows

_SCORES = "scores of the same items with their own examples left out, in condition leave_one_out"
_UNSEEN = "Not testable. Load rendered prompts, the example bank, or the training rows."
_NOTHING = (
    Missing("eval_samples", ("prompt_text",), "the prompts as they were rendered"),
    Missing("exemplars", ("text",), "the examples that prompts are made of"),
    Missing("training_rows", ("prompt",), "the rows that the model was trained on"),
)


def judge(
    ask: Inquiry,
    *,
    suite: str | None = None,
    run: str | None = None,
    bank: str | None = None,
    near: float = 0.8,
    boilerplate: float = 0.02,
    sesoi: float | None = None,
    min_clean: int = 50,
    alpha: float = 0.05,
    seed: int = 1,
) -> Conclusion:
    """Find the items in their own prompts, and what it did to the score.

    Args:
        ask: the inquiry.
        suite: the suite; else one with rendered prompts, then with items in the bank word for
            word, then with a leave-one-out rerun, then with most items.
        run: the run; else of those with prompts the one that a leave-one-out rerun is nearest to,
            else the latest.
        bank: the example bank; else all.
        near: share of an item's shingles from which it stands nearly in a text.
        boilerplate: share of the items or examples from which common text is left out.
        sesoi: smallest fall of the score that matters; else one point, or a tenth of a deviation.
        min_clean: clean items below which leaked and clean ones are not compared.
        alpha: level of the test.
        seed: of the bootstrap.
    """
    _check(ask, bank)
    judged = settle(ask, suite, run)
    if judged is None:
        return Conclusion("not_testable", "Not testable. No item was run as it is.")
    ask.ask(q.ITEMS, **judged.params)
    compared = [ask.case.filled(m.table, m.columns) for m in _NOTHING[1:]]
    if not judged.run["prompts"] and not any(compared):
        return Conclusion("not_testable", _UNSEEN, missing=_NOTHING)
    found = investigate(ask, judged, bank, near, boilerplate, sesoi, seed)
    _measure(ask, found, seed)
    draw(ask, found)
    return _conclude(ask, found, alpha, min_clean)


def _check(ask: Inquiry, bank: str | None) -> None:
    if bank is not None:
        known = [row["bank"] for row in ask.ask(q.BANKS)]
        if bank not in known:
            raise unknown_name("bank", bank, known)


def _conclude(ask: Inquiry, found: Investigated, alpha: float, min_clean: int) -> Conclusion:
    rivals = rivals_of(found)
    verdict = judge_leak(found, rivals, alpha, min_clean)
    drop = found.effect.drop
    return Conclusion(
        verdict=verdict,
        headline=headline(verdict, found),
        wide=found.versions > 0,
        findings=findings(ask, found),
        rivals=rivals,
        falsifier=falsify(found),
        remedies=remedies(verdict, found),
        limits=limits(verdict, found, min_clean),
        missing=_wanted(found),
        primary=Primary(drop.p, alpha) if drop else None,
    )


def _wanted(found: Investigated) -> tuple[Missing, ...]:
    """What would settle what is open."""
    if found.leaked and LEFT_OUT not in found.effect.scores:
        return (Missing("eval_samples", ("score",), _SCORES, required=False),)
    return ()


def _measure(ask: Inquiry, found: Investigated, seed: int) -> None:
    n = found.items
    ask.measure("items", n, "count:items", q.ITEMS, n=n)
    for name, cut in (("exact_rate", 1), ("near_duplicate_rate", 2), ("longest_match_rate", 3)):
        _share(ask, name, int((found.tier <= cut).sum()), n)
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
    _measure_scores(ask, found, seed)
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
    changed = effect.changed.estimate if effect.changed else None
    ask.estimate("difference_in_differences", changed, change, q.BY_LEAK)
    rest = found.drop_rest.estimate if found.drop_rest else None
    ask.estimate("drop_not_recurring", rest, change, q.BY_LEAK)
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


def _share(ask: Inquiry, name: str, k: int | None, n: int) -> None:
    if k is None or not n:
        ask.measure(name, None, "share:items", q.ITEMS, n=n)
        return
    e = wilson(k, n)
    ask.measure(name, e.value, "share:items", q.ITEMS, ci95=(e.low, e.high), n=n)


_TIER_WORDS = ("same source", "exact", "nearly", "long run")


def _leaks(found: Investigated) -> list[dict[str, object]]:
    """The leaked items with the example that stood in their prompt, in the order of the items."""
    if found.in_prompt is None:
        places = np.flatnonzero(found.effect.leaked).tolist()
        return [{"item_id": found.samples.ids[i], "how": _TIER_WORDS[found.tier[i]],
                 "bank": None, "exemplar_id": None} for i in places]  # fmt: skip
    rows: list[dict[str, object]] = []
    for _, leak in sorted(found.in_prompt.leaks.items()):
        row: dict[str, object] = {"item_id": found.samples.ids[leak.item],
                                  "how": _TIER_WORDS[leak.tier]}  # fmt: skip
        for column in ("bank", "exemplar_id"):
            held = found.bank is not None and leak.row is not None
            row[column] = found.bank.table[column][leak.row].as_py() if held else None  # type: ignore[union-attr]
        rows.append(row)
    return rows


prompt_leakage = Diagnosis(
    name="prompt_leakage",
    family="leakage",
    claim="eval items stood in their own prompts and that raised the score (leaked items whose "
    "effect cannot be measured: supported)",
    doc=__doc__ or "",
    needs=(
        Need(eval_samples, ("item_id", "input_text"), "the items, as questions"),
        Need(eval_samples, ("prompt_text",), "the prompts as they were rendered", required=False),
        Need(exemplars, ("text",), "the examples that prompts are made of", required=False),
        Need(training_rows, ("prompt",), "the rows that the model was trained on", required=False),
        Need(eval_runs, ("run_id", "suite"), "suites, times and checkpoints", required=False),
        Need(
            requests,
            ("input_text",),
            "whether customers ask the leaked questions too",
            required=False,
        ),
    ),
    judge=judge,
)
