"""What `prompt_leakage` says: headline and findings."""

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_beside_words import findings_beside
from casework.diagnoses._leak_case import Investigated, left_out_score
from casework.diagnoses._leak_paraphrases import EMBEDDED, Paraphrases
from casework.diagnoses._leak_similarity import Along
from casework.diagnoses._leak_swap import Swap
from casework.diagnoses._leak_traffic import Traffic
from casework.diagnoses._leak_verdict import (
    falls,
    hiding,
    in_another_form,
    loses,
    said,
    said_score,
    still_leaking,
    to_be_read,
)
from casework.findings import Finding, Verdict
from casework.stats.estimates import Estimate
from casework.stats.score_trend import ScoreTrend
from casework.visible import shorten
from casework.words import count, number, share, spread


def headline(verdict: Verdict, found: Investigated) -> str:
    """Say the answer in one sentence."""
    effect = found.effect
    n = count(found.items, "items")
    if not found.leaked:
        return _none(verdict, found)
    if found.in_prompt is not None:
        known = int(found.in_prompt.known.sum())
        stood = f"{number(found.leaked)} of {count(known, 'items')} stood in their own prompts"
        stood += f" in run {_run(found)}" if len(found.judged.plain) > 1 else ""
    else:
        how = ", exactly, nearly or by half of their words" if (found.tier == 3).any() else ""
        stood = f"{number(found.leaked)} of {n} stand in {_source(found)}{how}"
        stood += "; no prompts are recorded"
    if effect.drop is None:
        tail = "they were not rerun without it, so what it did to the score is not known"
        if effect.changed is not None and effect.stand_in is not None:
            against = effect.stand_in.replace("_", " ")
            tail = f"against {against}, {loses(found, effect.changed)}"
        elif verdict == "clean":
            tail = f"so few that the score cannot have moved by {said_score(found, found.sesoi)}"
        return f"{stood}; {tail}."
    fall = falls(found, effect.drop.estimate)
    lead = "with those examples left out, their score"
    if effect.drop.estimate.n < found.leaked:
        rerun = count(effect.drop.estimate.n, "items")
        lead = f"of the {rerun} scored with and without those examples, the score"
    if verdict == "clean":
        limit = said_score(found, found.sesoi)
        return f"{stood}, and that did not raise the score by {limit}: {lead} {fall}."
    if verdict == "inconclusive" and still_leaking(found):
        return f"{stood}; {hiding(found)}, so it shows nothing."
    if verdict == "inconclusive" and hiding(found):
        return f"{stood}; {lead} {fall}, but {hiding(found)}, which may hide a fall."
    return f"{stood}; {lead} {fall}."


def _none(verdict: Verdict, found: Investigated) -> str:
    n = count(found.items, "items")
    if verdict == "supported" and found.training is not None:
        trained = int((found.training.tier <= 2).sum())
        return f"{number(trained)} of {n} stand in the training rows{_but_not(found)}."
    if found.in_prompt is None:
        text = f"None of {n} stands in {_source(found)}, exactly, nearly or by half of its words"
        if verdict == "inconclusive" and found.reference is not None:
            runs = int(found.reference.long_run.sum())
            text += f"; {number(runs)} share a run of 13 words with it, and no prompts are recorded"
        return f"{text}."
    known = int(found.in_prompt.known.sum())
    if not known:
        what = "item of four words or more" if found.in_prompt.short else "item"
        text = f"No {what} of {number(found.items)} is stated word for word in its prompt: what "
        text += "else stood there is not known"
        return f"{text}; none stands in the example bank." if verdict == "clean" else f"{text}."
    text = f"None of {count(known, 'items')} stood in its own prompt as an example"
    text += _in_runs(found)
    seen = found.in_prompt.known
    held = 0 if found.bank is None else int((found.bank.tier[seen] <= 2).sum())
    other = in_another_form(found)
    held -= other
    if other:
        text += f"; {number(other)} stand in the bank and, in another form, in their own prompts"
    if held:
        text += f"; {number(held)} stand in the bank and were not in their own prompts"
    if to_be_read(found) and found.paraphrases is not None:
        read = count(found.paraphrases.in_prompt, "items")
        text += f"; {read} may stand there in other words, which somebody has to read"
    elif verdict == "inconclusive" and known < found.items:
        text += f"; of {number(found.items - known)} more the prompt says nothing"
    elif known < found.items:
        text += f", and none of all {number(found.items)} stands in the example bank"
    return f"{text}."


def _but_not(found: Investigated) -> str:
    """Where the items that were trained on do not stand, as far as prompts tell."""
    if found.in_prompt is None:
        return "; no prompts are recorded"
    known = int(found.in_prompt.known.sum())
    if known == found.items:
        return ", none in its own prompt"
    return f"; of {count(known, 'items')} of which the prompts tell, none in its own"


def _in_runs(found: Investigated) -> str:
    """In which of several runs no item stood in its own prompt, and in which others one did."""
    if len(found.judged.plain) < 2:
        return ""
    leaking = [run for run in found.runs if run.leaked]
    if not leaking and len(found.runs) == len(found.judged.plain):
        return f" in any of {count(len(found.runs), 'runs')}"
    text = f" in run {_run(found)}"
    if leaking:
        most = max(leaking, key=lambda run: run.leaked)
        named = f"{number(most.leaked)} of them in {shorten(most.run['run_id'], 60)}"
        text += f", but items did in {count(len(leaking), 'other runs')}, {named}"
    return text


def _run(found: Investigated) -> str:
    return shorten(str(found.judged.run["run_id"]), 60)


def _source(found: Investigated) -> str:
    return "the example bank" if found.bank is not None else "the training rows"


def findings(ask: Inquiry, found: Investigated) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    effect = found.effect
    stated = [
        Finding(
            _tiers(found),
            ("items", "exact_rate", "near_duplicate_rate", "longest_match_rate", "ngram13_rate"),
            tuple(ask.evidence_id(query) for query in (q.ITEMS, q.RUNS)),
            ("tiers",),
        )
    ]
    if found.in_prompt is not None and found.in_prompt.known.any():
        stated.append(
            Finding(
                f"{number(found.leaked)} of {count(int(found.in_prompt.known.sum()), 'items')} "
                "stood in their own prompts as an example, beside the question itself.",
                ("in_prompt_rate", "leaks"),
                (ask.evidence_id(q.ITEMS),),
            )
        )
    if effect.score_all is not None:
        stated.append(_score_finding(ask, found))
    if found.along is not None and found.along.trend is not None and found.leaked:
        stated.append(_trend_finding(ask, found, found.along, found.along.trend))
    if effect.copies is not None:
        stated.append(_copy_finding(ask, effect.copies, effect.copies_left_out))
    if found.traffic is not None and found.traffic.weighted is not None:
        stated.append(_traffic_finding(ask, found, found.traffic, found.traffic.weighted))
    if found.swap is not None and found.swap.follow is not None:
        stated.append(_swap_finding(ask, found.swap, found.swap.follow))
    if found.paraphrases is not None:
        stated.append(_paraphrase_finding(ask, found.paraphrases))
    stated += findings_beside(ask, found)
    if found.versions or found.served["requests"]:
        stated.append(
            Finding(
                f"{count(found.versions, 'approved model versions')} rest on this suite; the "
                f"checkpoint served {count(found.served['requests'], 'requests')} of "
                f"{count(found.served['accounts'], 'accounts')}.",
                ("versions_resting", "requests_served", "accounts_served"),
                (ask.evidence_id(q.RESTED_ON), ask.evidence_id(q.SERVED)),
            )
        )
    return tuple(stated)


def _tiers(found: Investigated) -> str:
    if not found.looked_at:
        return f"Of {count(found.items, 'items')}, none could be compared with anything."
    return (
        f"Of {count(found.looked_at, 'items')}, {number(int((found.tier <= 1).sum()))} stand in "
        f"{_compared(found)} exactly, {number(int((found.tier <= 2).sum()))} nearly at least, "
        f"{number(int((found.tier <= 3).sum()))} with a run of half their words at least."
    )


def _copy_finding(ask: Inquiry, copies: Estimate, left_out: Estimate | None) -> Finding:
    text = (
        f"Of {count(copies.n, 'leaked items')} with an answer and a label of their example, "
        f"{_rate(copies)} give that label word for word"
    )
    if left_out is not None:
        text += f", {share(left_out.value)} where it is left out"
    names = ("copy_rate", "copy_rate_left_out", "wrong_label_copies", "leaked_with_label")
    return Finding(f"{text}.", names, (ask.evidence_id(q.ITEMS),))


def _trend_finding(ask: Inquiry, found: Investigated, along: Along, trend: ScoreTrend) -> Finding:
    text = (
        "From items of which nothing stands in their own prompts to items of which all does, the "
        f"score differs by {said(found, trend.slope, signed=True)}"
    )
    if along.trend_left_out is not None:
        text += (
            "; with their examples left out, where easier items would show the same, by "
            f"{said(found, along.trend_left_out.slope, signed=True)}"
        )
    else:
        text += ", whether by the examples or since they are easier"
    names = ("similarity_trend", "similarity_trend_p", "similarity_trend_left_out", "sweep")
    charts = tuple(chart.id for chart in ask.charts if chart.id == "similarity")
    return Finding(f"{text}.", names, (ask.evidence_id(q.BY_LEAK),), charts)


def _traffic_finding(ask: Inquiry, found: Investigated, traffic: Traffic, e: Estimate) -> Finding:
    requests = count(int(traffic.requests.sum()), "requests")
    text = (
        f"Customers ask {number(int((traffic.requests > 0).sum()))} of "
        f"{count(found.leaked, 'leaked items')} word for word, in {requests}. With each item as "
        f"often as they ask it, the score {falls(found, e)} without the examples, "
        f"n = {count(e.n, 'items')}"
    )
    if found.effect.drop is not None:
        once = found.effect.drop.estimate
        text += f"; with each leaked item once, it {falls(found, once)}, n = {number(once.n)}"
    names = ("drop_traffic_weighted", "drop_not_recurring", "leave_one_out_drop")
    return Finding(f"{text}.", names, (ask.evidence_id(q.RECURRING),))


def _swap_finding(ask: Inquiry, swap: Swap, follow: Estimate) -> Finding:
    text = (
        f"With a wrong label on their own example, {_rate(follow)} of "
        f"{count(follow.n, 'leaked items')} give that label"
    )
    if swap.left_out is not None:
        text += f", {share(swap.left_out.value)} give it where the example is left out"
    names = ("label_swap_rate", "label_swap_rate_left_out")
    return Finding(f"{text}.", names, (ask.evidence_id(q.BY_LEAK),))


def _paraphrase_finding(ask: Inquiry, found: Paraphrases) -> Finding:
    expected = share(found.radius.by_chance)
    text = (
        f"Of {count(found.items, 'items')} with an embedding, {number(found.found)} lie nearer to "
        f"an example than unrelated items do to each other (by chance {expected} would), and share "
        f"no run of words with it; for {number(found.in_prompt)} it stood in their own prompt. "
        "They are candidates to read and count as no leak."
    )
    names = ("paraphrase_candidate_rate", "paraphrase_rate_by_chance", "paraphrase_radius",
             "paraphrase_candidates", "paraphrase_candidates_in_prompt")  # fmt: skip
    return Finding(text, names, (ask.evidence_id(EMBEDDED),))


def _rate(e: Estimate) -> str:
    return spread(e.value, (e.low, e.high), "share")


def _compared(found: Investigated) -> str:
    return _source(found) if found.reference is not None else "their own prompts"


def _score_finding(ask: Inquiry, found: Investigated) -> Finding:
    effect = found.effect
    parts = []
    if effect.score_all is not None:
        parts.append(f"The run scores {_level(found, effect.score_all.value)}")
    if effect.adjusted is not None and effect.score_plain is not None and found.leaked:
        plain = _level(found, effect.score_plain.value)
        weighted = _level(found, effect.adjusted.score.value)
        parts.append(f"its clean items {plain}")
        if weighted != plain:
            parts[-1] += f", and {weighted} weighted to the topics of all items"
    mixed = left_out_score(found)
    if len(mixed) and found.leaked:
        parts.append(f"with the leaked items as rerun {_level(found, float(mixed.mean()))}")
    return Finding(
        "; ".join(parts) + ".",
        ("score_all", "score_clean_unweighted", "score_clean", "estimated_gain",
         "leave_one_out_drop", "score_leave_one_out"),
        (ask.evidence_id(q.BY_LEAK),),
        tuple(chart.id for chart in ask.charts if chart.id in ("scores", "sweep", "history")),
    )  # fmt: skip


def _level(found: Investigated, value: float) -> str:
    return share(value) if found.effect.binary else number(value)
