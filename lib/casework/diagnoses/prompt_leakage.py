"""Eval items stood in their own prompts.

## What it looks for
Items of an evaluation among the examples of their own rendered prompts, beside the question under
test: the same row of the same file, the same text, nearly the same, or a run of half the words.
Of the runs of a suite all are looked into, and one with items in their own prompts is judged.
Then whether that raised the score: each leaked item as run against the same item with its own
examples left out (leave-one-out). Where a run of condition `replay` shows the examples with wrong
labels, whether the answers follow them. Where customers ask the leaked questions too, the effect
also with each item as often as they do (`drop_traffic_weighted`), and over the items that they do
not ask again (`drop_not_recurring`). Beside it, and deciding nothing: leaked against clean items
in the same run, as they are and at equal topic and length (`leaked_gap`, `leaked_gap_alike`), and
against runs of the same items in which none leaked (`gain_over_reference_runs`); the fall by topic;
items whose answer stood in their prompts under another question (`answer_only_rate`). Where
`vectors` holds embeddings of items and examples by their ids, which pairs are nearer than unrelated
texts: candidates for a paraphrase or a translation, for a person to read. METHODS section 12.

## Why it matters
The benchmark rises and customers see nothing of it: the model reads the answer beside the
question. A gate that rests on such a score lets through what it should stop.

## What would rule it out
No item in its own prompt. A leave-one-out rerun in which the leaked items score the same. A rerun
of another model, or in which clean items fall as much. Customers who ask these very questions.

## Known false alarms
Instructions and forms that many items share are left out by their frequency; where little but
single words is left of an item, a copy with a word changed in its middle may be missed. Leaked
items may be easier than the others, so that their higher score alone proves nothing. A customer's
own context is no example; where the bank holds the item in another form and no label follows it in
the prompt, that is open. Items in a bank that were never retrieved raise no score. Items below four
words cannot be told from chance in a prompt. Without embeddings, paraphrases and translations are
not found; with them, two questions of one subject may be candidates. None counts as a leak, but
more of them in prompts than chance makes keep the answer open.
"""

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.diagnoses._leak_case import Investigated, investigate
from casework.diagnoses._leak_charts import draw
from casework.diagnoses._leak_choice import choose
from casework.diagnoses._leak_history import since
from casework.diagnoses._leak_limits import limits
from casework.diagnoses._leak_measures import measure
from casework.diagnoses._leak_reading import Search
from casework.diagnoses._leak_remedies import remedies
from casework.diagnoses._leak_rivals import rivals_of
from casework.diagnoses._leak_runs import LEFT_OUT, settle
from casework.diagnoses._leak_verdict import falsify, judge_leak
from casework.diagnoses._leak_words import findings, headline
from casework.errors import unknown_name
from casework.findings import Missing, Primary
from casework.tables import eval_runs, eval_samples, exemplars, requests, training_rows, vectors

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
        run: the run; else of those with prompts, and first of those with an item in its own
            prompt, the one that a leave-one-out rerun is nearest to, else the latest.
        bank: the example bank; else all.
        near: share of an item's shingles from which it stands nearly in a text.
        boilerplate: share of the items or examples from which common text is left out.
        sesoi: smallest fall of the score that matters; else one point, or a tenth of a deviation.
        min_clean: clean items below which leaked and clean ones are not compared.
        alpha: level of the test.
        seed: of the bootstrap.
    """
    _check(ask, bank)
    runs = settle(ask, suite, run)
    if not runs:
        return Conclusion("not_testable", "Not testable. No item was run as it is.")
    compared = [ask.case.filled(m.table, m.columns) for m in _NOTHING[1:]]
    if not runs[0].run["prompts"] and not any(compared):
        ask.ask(q.ITEMS, **runs[0].params)
        return Conclusion("not_testable", _UNSEEN, missing=_NOTHING)
    chosen = choose(ask, runs, run, Search(bank, near, boilerplate))
    ask.ask(q.ITEMS, **chosen.judged.params)
    found = investigate(ask, chosen, bank, near, sesoi, seed)
    measure(ask, found, seed)
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
        breaks=since(found.runs),
    )


def _wanted(found: Investigated) -> tuple[Missing, ...]:
    """What would settle what is open."""
    if found.leaked and LEFT_OUT not in found.effect.scores:
        return (Missing("eval_samples", ("score",), _SCORES, required=False),)
    return ()


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
        Need(
            vectors,
            ("vector",),
            "embeddings by `item_id` and `exemplar_id`, for paraphrases",
            required=False,
        ),
    ),
    judge=judge,
)
