"""What `prompt_leakage` says: headline, findings, remedies, limits."""

from itertools import islice

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_case import Investigated, left_out_score
from casework.diagnoses._leak_paraphrases import EMBEDDED, Paraphrases
from casework.diagnoses._leak_references import NONE
from casework.diagnoses._leak_swap import Swap
from casework.diagnoses._leak_verdict import (
    falls,
    items_needed,
    said,
    said_score,
    still_leaking,
    to_be_read,
)
from casework.findings import Finding, Verdict
from casework.stats.estimates import Estimate
from casework.stats.neighbours import FEWEST
from casework.words import count, number, share, spread

_NAMED = 8
"""Suites that are named where others were not examined."""


def headline(verdict: Verdict, found: Investigated) -> str:
    """Say the answer in one sentence."""
    effect = found.effect
    n = count(found.items, "items")
    if not found.leaked:
        return _none(verdict, found)
    if found.in_prompt is not None:
        known = int(found.in_prompt.known.sum())
        stood = f"{number(found.leaked)} of {count(known, 'items')} stood in their own prompts"
    else:
        stood = f"{number(found.leaked)} of {n} stand in {_source(found)}; no prompts are recorded"
    if effect.drop is None:
        tail = "they were not rerun without it, so what it did to the score is not known"
        if effect.changed is not None and effect.stand_in is not None:
            against = effect.stand_in.replace("_", " ")
            tail = f"against {against} they lose {said(found, effect.changed.estimate)} more than"
            tail += " the others"
        elif verdict == "clean":
            tail = f"so few that the score cannot have moved by {said_score(found, found.sesoi)}"
        return f"{stood}; {tail}."
    fall = falls(found, effect.drop.estimate)
    if verdict == "clean":
        limit = said_score(found, found.sesoi)
        return f"{stood}, and that did not raise the score by {limit}: left out, it {fall}."
    if verdict == "inconclusive" and still_leaking(found) and found.still is not None:
        held = share(found.still.value)
        return f"{stood}; the rerun still held {held} of them, so it shows nothing."
    return f"{stood}; with those examples left out, their score {fall}."


def _none(verdict: Verdict, found: Investigated) -> str:
    n = count(found.items, "items")
    if verdict == "supported" and found.training is not None:
        trained = int((found.training.tier <= 2).sum())
        return f"{number(trained)} of {n} stand in the training rows, none in its own prompt."
    if found.in_prompt is None:
        return f"None of {n} stands in {_source(found)}, exactly, nearly or by half of its words."
    known = int(found.in_prompt.known.sum())
    text = f"None of {count(known, 'items')} stood in its own prompt as an example"
    held = 0 if found.bank is None else int((found.bank.tier < NONE).sum())
    if held:
        text += f"; {number(held)} stand in the bank and were not in their own prompts"
    if to_be_read(found) and found.paraphrases is not None:
        read = count(found.paraphrases.in_prompt, "items")
        text += f"; {read} may stand there in other words, which somebody has to read"
    elif verdict == "inconclusive":
        text += f"; of {number(found.items - known)} more the prompt says nothing"
    return f"{text}."


def _source(found: Investigated) -> str:
    return "the example bank" if found.bank is not None else "the training rows"


def findings(ask: Inquiry, found: Investigated) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    effect = found.effect
    stated = [
        Finding(
            f"Of {count(found.items, 'items')}, {number(int((found.tier <= 1).sum()))} stand in "
            f"{_compared(found)} exactly, {number(int((found.tier <= 2).sum()))} nearly, "
            f"{number(int((found.tier <= 3).sum()))} with a run of half their words.",
            ("items", "exact_rate", "near_duplicate_rate", "longest_match_rate", "ngram13_rate"),
            tuple(ask.evidence_id(query) for query in (q.ITEMS, q.RUNS)),
            ("tiers",),
        )
    ]
    if found.in_prompt is not None:
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
    if effect.copies is not None:
        stated.append(_copy_finding(ask, effect.copies, effect.copies_left_out))
    if found.swap is not None and found.swap.follow is not None:
        stated.append(_swap_finding(ask, found.swap, found.swap.follow))
    if found.paraphrases is not None:
        stated.append(_paraphrase_finding(ask, found.paraphrases))
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


def _copy_finding(ask: Inquiry, copies: Estimate, left_out: Estimate | None) -> Finding:
    text = f"{_rate(copies)} of the leaked items give the label of their example word for word"
    if left_out is not None:
        text += f", {share(left_out.value)} where it is left out"
    names = ("copy_rate", "copy_rate_left_out", "wrong_label_copies", "leaked_with_label")
    return Finding(f"{text}.", names, (ask.evidence_id(q.ITEMS),))


def _swap_finding(ask: Inquiry, swap: Swap, follow: Estimate) -> Finding:
    text = (
        f"With a wrong label on their own example, {_rate(follow)} of the leaked items give that "
        "label"
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
    if effect.adjusted is not None and found.leaked:
        parts.append(f"its clean items {_level(found, effect.adjusted.score.value)}")
    mixed = left_out_score(found)
    if len(mixed) and found.leaked:
        parts.append(f"with the leaked items as rerun {_level(found, float(mixed.mean()))}")
    return Finding(
        "; ".join(parts) + ".",
        ("score_all", "score_clean", "estimated_gain", "leave_one_out_drop",
         "score_leave_one_out"),
        (ask.evidence_id(q.BY_LEAK),),
        tuple(chart.id for chart in ask.charts if chart.id in ("scores", "sweep", "history")),
    )  # fmt: skip


def _level(found: Investigated, value: float) -> str:
    return share(value) if found.effect.binary else number(value)


def remedies(verdict: Verdict, found: Investigated) -> tuple[str, ...]:
    """Say what to do in this case."""
    held = found.reference is not None and bool((found.reference.tier < NONE).any())
    if not found.leaked and not held:
        return ()
    where = _source(found)
    said = [f"Take the {number(int((found.tier < NONE).sum()))} items out of {where}, and keep a "
            "list of hashes of all items that retrieval refuses."]  # fmt: skip
    if verdict in ("confirmed", "supported") and found.effect.drop is not None:
        said.append("Report the score with the leaked examples left out, beside the one as run.")
    if found.leaked and found.effect.drop is None:
        said.append(
            f"Rerun the {count(found.leaked, 'leaked items')} with their own examples left out "
            "(condition leave_one_out): that alone separates the leak from easier items."
        )
    if found.versions and verdict == "confirmed":
        said.append(
            f"Judge the {count(found.versions, 'approved model versions')} again that rest on "
            "this suite."
        )
    said.append("Split examples and items by source, customer and time, and check the overlap "
                "whenever either changes.")  # fmt: skip
    return tuple(said)


def limits(verdict: Verdict, found: Investigated, min_clean: int) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    effect = found.effect
    said = [*_unexamined(found), *_of_similar(found)]
    if found.in_prompt is None:
        said.append("No rendered prompts are recorded: whether items stood in their own prompts "
                    "cannot be seen.")  # fmt: skip
    elif found.in_prompt.unplaced:
        said.append(
            f"{count(found.in_prompt.unplaced, 'prompts')} do not state their question word for "
            "word; nothing is said of them."
        )
    if found.in_prompt is not None and found.bank is None:
        said.append(
            "No example bank is loaded, so what stands in a prompt is taken for an example."
        )
    if found.leaked and effect.scored.any() and effect.clean_items < min_clean:
        said.append(
            f"Only {count(effect.clean_items, 'clean items')} have a score; the score of the clean "
            f"items is told from {min_clean} on with some certainty."
        )
    if effect.adjusted is not None and effect.adjusted.left_out:
        said.append(
            f"{count(effect.adjusted.left_out, 'items')} are of topics without a clean item and "
            "are not in the score of the clean ones."
        )
    needed = items_needed(found) if verdict == "inconclusive" else None
    if needed is not None:
        said.append(
            f"About {count(needed, 'leaked items')} with a rerun would settle whether the fall "
            f"reaches {said_score(found, found.sesoi)}."
        )
    return tuple(said)


def _of_similar(found: Investigated) -> tuple[str, ...]:
    """Say what embeddings and swapped labels do not cover."""
    if found.paraphrases is None:
        said = [
            "Paraphrases and translations share no run of words. They were not looked for: the "
            f"case does not hold embeddings of {FEWEST} items and of examples by one model."
        ]
    else:
        rest = found.items - found.paraphrases.items
        said = ["Candidates for a paraphrase are the nearest texts, not read by anybody; what lies "
                "as far apart as unrelated items is none."]  # fmt: skip
        if rest:
            said.append(f"{count(rest, 'items')} were not compared by their embeddings.")
    if found.swap is not None and found.swap.unread:
        said.append(f"{count(found.swap.unread, 'leaked items')} are not in the label swap: their "
                    "prompts do not show the recorded label, and then a wrong one.")  # fmt: skip
    if found.swap is not None and found.swap.differs:
        differ = " and ".join(name.replace("_", " ") for name in found.swap.differs)
        said.append(f"The run with swapped labels differs in {differ} too.")
    return tuple(said)


def _unexamined(found: Investigated) -> tuple[str, ...]:
    """Name the suites that nothing is said of."""
    suites = found.judged.unexamined
    if not suites:
        return ()
    named = [_suite(name) + (f" ({count(held, 'items')} stand word for word in a bank)"
                             if held else "")
             for name, held in islice(suites.items(), _NAMED)]  # fmt: skip
    if len(suites) > _NAMED:
        named.append(f"{number(len(suites) - _NAMED)} more")
    return (f"Of {number(len(suites) + 1)} suites, {_suite(found.judged.suite)} is examined alone; "
            f"not examined: {', '.join(named)}.",)  # fmt: skip


def _suite(name: str) -> str:
    return name or "samples of no recorded suite"
