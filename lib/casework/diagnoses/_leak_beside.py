"""What stands beside the effect of a leak, and decides nothing: METHODS section 12, secondary."""

from dataclasses import dataclass

import numpy as np

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_answers import Answers, answers_of
from casework.diagnoses._leak_choice import Chosen
from casework.diagnoses._leak_effect import Effect
from casework.diagnoses._leak_gap import Gap, gap_of
from casework.diagnoses._leak_history import SCORES_BY_RUN, History, history_of
from casework.diagnoses._leak_references import NONE, Reference
from casework.diagnoses._leak_repeats import Repeats, repeats_of
from casework.diagnoses._leak_slices import BY_TOPIC, Slices, slices_of
from casework.stats.estimates import Estimate


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the effect; each is None where the evidence does not hold it.

    Attributes:
        repeats: the leaked items by their question.
        gap: leaked items against clean ones in the same run.
        history: both groups over the runs of the suite.
        slices: the effect by topic and by how the items stood there.
        answers: items whose answer alone stood in their prompts.
        bank: where those answers are from.
        ids: the item ids.
    """

    repeats: Repeats | None
    gap: Gap | None
    history: History | None
    slices: Slices | None
    answers: Answers | None
    bank: Reference | None
    ids: list[str]


def look_beside(ask: Inquiry, chosen: Chosen, effect: Effect, near: float, seed: int) -> Beside:
    """Compare leaked items with clean ones, with other runs, and by topic; look for answers."""
    reading, judged = chosen.reading, chosen.judged
    samples, bank, found = reading.samples, reading.compared.bank, reading.in_prompt
    reference = bank or reading.compared.training
    if found is not None or reference is None:
        tier = np.full(len(samples.ids), NONE)
        for leak in found.leaks.values() if found else ():
            tier[leak.item] = leak.tier
    else:
        tier = reference.tier
    return Beside(
        repeats=repeats_of(effect.leaked, reading.compared.asked),
        gap=gap_of(effect, samples, reading.compared.asked),
        history=history_of(ask, judged, chosen.runs, samples, effect, seed),
        slices=slices_of(ask, judged, samples, effect, tier),
        answers=answers_of(samples, bank, found, near),
        bank=bank,
        ids=samples.ids,
    )


def measure_beside(ask: Inquiry, found: Beside, effect: Effect) -> None:
    """Record what stands beside the effect."""
    level, change = ("share", "points") if effect.binary else ("score", "score")
    gap, history = found.gap, found.history
    ask.estimate("leaked_gap", gap.crude if gap else None, change, q.BY_LEAK)
    ask.measure("leaked_gap_p", gap.p if gap else None, "p", q.BY_LEAK,
                n=gap.crude.n if gap else None)  # fmt: skip
    repeats = found.repeats
    n = repeats.items if repeats else None
    for name, value, unit in (
        ("leaked_questions", repeats.questions if repeats else None, "count:questions"),
        ("leaked_n_eff", repeats.n_eff if repeats else None, "count:questions"),
        ("top_question_share", repeats.top if repeats else None, "share:leaked items"),
    ):
        ask.measure(name, value, unit, q.BY_LEAK, n=n)
    alike = gap.alike if gap else None
    ask.estimate("leaked_gap_alike", gap.standardised if gap else None, change, q.BY_LEAK)
    ask.estimate("score_clean_alike", alike.score if alike else None, level, q.BY_LEAK)
    ask.measure("n_eff_alike", alike.n_eff if alike else None, "count:items", q.BY_LEAK,
                n=effect.clean_items)  # fmt: skip
    subsets = [{"subset": s.name, "items": s.items, "score": s.score, "z": s.z}
               for s in (gap.subsets if gap else ())]  # fmt: skip
    ask.measure("subsets", subsets, "table", q.BY_LEAK, n=gap.crude.n if gap else 0)
    by_run = SCORES_BY_RUN if history else q.RUNS
    ask.measure("score_by_run", list(history.rows) if history else [], "table", by_run,
                n=len(history.rows) if history else 0)  # fmt: skip
    ask.measure("reference_runs", len(history.reference) if history else 0, "count:runs", by_run)
    ask.estimate("gain_over_reference_runs", history.gained if history else None, change, by_run)
    _measure_slices(ask, found.slices)
    answers = found.answers
    ask.estimate("answer_only_rate", answers.rate if answers else None, "share:items", q.ITEMS)
    ask.measure("answers_in_prompts", _answers(found), "table", q.ITEMS,
                n=answers.items if answers else 0)  # fmt: skip


def _measure_slices(ask: Inquiry, slices: Slices | None) -> None:
    topics = slices.topics if slices else ()
    rows = [{"topic": t.topic or None, **_fall(t.fall), "p": t.p, "p_adjusted": t.adjusted}
            for t in topics]  # fmt: skip
    ask.measure("drop_by_topic", rows, "table", BY_TOPIC if topics else q.BY_LEAK,
                n=sum(t.fall.n for t in topics))  # fmt: skip
    tiers = slices.tiers if slices else ()
    ask.measure("drop_by_tier", [{"how_at_least": name, **_fall(e)} for name, e in tiers],
                "table", q.BY_LEAK, n=max((e.n for _, e in tiers), default=0))  # fmt: skip


def _fall(e: Estimate) -> dict[str, float]:
    return {"items": e.n, "drop": e.value, "low": e.low, "high": e.high}


def _answers(found: Beside) -> list[dict[str, object]]:
    """The items whose answer stood in their prompts, with the example that bore it."""
    if found.answers is None or found.bank is None:
        return []
    table = found.bank.table
    return [
        {"item_id": found.ids[item], "bank": table["bank"][row].as_py(),
         "exemplar_id": table["exemplar_id"][row].as_py()}
        for item, row in found.answers.found
    ]  # fmt: skip
