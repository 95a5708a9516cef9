"""What `prompt_leakage` says of what stands beside the effect."""

from collections.abc import Iterator

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_answers import Answers
from casework.diagnoses._leak_case import Investigated
from casework.diagnoses._leak_gap import Gap
from casework.diagnoses._leak_history import SCORES_BY_RUN, History
from casework.diagnoses._leak_slices import BY_TOPIC, Slices
from casework.diagnoses._leak_verdict import falls, said
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.visible import shorten
from casework.words import count, number, p_value, share, spread

_LEVEL = 0.05


def findings_beside(ask: Inquiry, found: Investigated) -> Iterator[Finding]:
    """State how leaked items stand against clean ones, other runs, and by topic."""
    beside = found.beside
    if beside.gap is not None:
        yield _gap(ask, found, beside.gap)
    if beside.history is not None and beside.history.gained is not None:
        yield _history(ask, found, beside.history, beside.history.gained)
    if beside.slices is not None and beside.slices.topics:
        yield _topics(ask, found, beside.slices)
    if beside.answers is not None and beside.answers.found:
        yield _answers(ask, beside.answers)


def limits_beside(found: Investigated) -> tuple[str, ...]:
    """Say what these do not cover."""
    answers, slices = found.beside.answers, found.beside.slices
    told, repeats = [], found.beside.repeats
    if repeats is not None and repeats.questions < repeats.items:
        told.append(
            f"{count(repeats.items, 'leaked items')} ask {count(repeats.questions, 'questions')}, "
            f"{share(repeats.top)} the same one. The tests take each item for itself; items that "
            f"ask the same are worth {number(repeats.n_eff)} different ones."
        )
    if answers is not None and answers.found:
        told.append(
            "Items whose answer alone stood in their prompts are not counted as leaked, and the "
            "verdict does not rest on them."
        )
    if slices is not None and slices.untold:
        told.append(
            f"The fall is told by the {number(len(slices.topics))} topics with most leaked items; "
            f"{count(slices.untold, 'topics')} more are in the whole alone."
        )
    return tuple(told)


def _gap(ask: Inquiry, found: Investigated, gap: Gap) -> Finding:
    leaked, clean = gap.subsets
    text = (
        f"In the same run {count(leaked.items, 'leaked items')} score {_higher(found, gap.crude)} "
        f"than {count(clean.items, 'clean items')}"
    )
    text += f", {p_value(gap.p)}" if gap.p is not None else ""
    alike = gap.standardised
    if alike is not None and gap.alike is not None:
        text += f"; at equal topic and length {_higher(found, alike)}"
        left_out = gap.alike.left_out
        text += f", {count(left_out, 'items')} without their like left out" if left_out else ""
    text += f". {_read(gap)}"
    names = ("leaked_gap", "leaked_gap_p", "leaked_gap_alike", "score_clean_alike", "n_eff_alike",
             "subsets")  # fmt: skip
    return Finding(text, names, (ask.evidence_id(q.BY_LEAK),))


def _read(gap: Gap) -> str:
    """Say what the gap at equal topic and length makes of the one in the same run."""
    if gap.turns_round:
        left_out = gap.alike is not None and gap.alike.left_out
        made_by = "topics, lengths or the items left out" if left_out else "topics and lengths"
        return f"The sign turns round: {made_by} make the difference."
    if gap.levels_out:
        return "At equal topic and length nothing is left beyond chance."
    return "Leaked items may be easier all the same, so it is no effect."


def _higher(found: Investigated, e: Estimate) -> str:
    """Say how much higher a score is, or lower, or that it is open."""
    if e.value >= 0:
        return f"{said(found, e)} higher"
    return f"{said(found, Estimate(-e.value, -e.high, -e.low, e.n))} lower"


def _history(ask: Inquiry, found: Investigated, history: History, gained: Estimate) -> Finding:
    runs = count(len(history.reference), "runs")
    text = (
        f"Against {runs} of the same items in which none stood in its own prompt, the leaked items "
        f"gained {said(found, gained, signed=True)} beside what the clean ones did, "
        f"n = {count(gained.n, 'items')}. A model that got better would move both."
    )
    charts = tuple(chart.id for chart in ask.charts if chart.id == "history")
    names = ("gain_over_reference_runs", "reference_runs", "score_by_run", "in_prompt_by_run")
    return Finding(text, names, (ask.evidence_id(SCORES_BY_RUN),), charts)


def _topics(ask: Inquiry, found: Investigated, slices: Slices) -> Finding:
    beyond, n = slices.beyond_chance(_LEVEL), count(len(slices.topics), "topics")
    text = (
        f"By topic, the score of leaked items falls beyond chance in {number(len(beyond))} of {n} "
        "(Benjamini and Hochberg, 5 %)"
    )
    if beyond:
        most = max(beyond, key=lambda one: one.fall.value)
        name = f"`{shorten(most.topic, 60)}`" if most.topic else "items of no recorded topic"
        text += f"; most in {name}: it {falls(found, most.fall)}, n = {count(most.fall.n, 'items')}"
    text += "."
    return Finding(text, ("drop_by_topic", "drop_by_tier"), (ask.evidence_id(BY_TOPIC),))


def _answers(ask: Inquiry, answers: Answers) -> Finding:
    rate = answers.rate
    told = spread(rate.value, (rate.low, rate.high), "share") if rate else ""
    text = (
        f"Of {count(answers.items, 'items')} that did not leak and have an answer of their own, of "
        f"four words or more, {number(len(answers.found))} ({told}) had that answer in their "
        "prompts as the label of an example with another question."
    )
    names = ("answer_only_rate", "answers_in_prompts", "leaked_with_label")
    return Finding(text, names, (ask.evidence_id(q.ITEMS),))
