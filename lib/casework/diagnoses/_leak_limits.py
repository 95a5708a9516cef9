"""What the answer of `prompt_leakage` does not cover."""

from itertools import islice

from casework.diagnoses._leak_beside_words import limits_beside
from casework.diagnoses._leak_case import Investigated
from casework.diagnoses._leak_verdict import hiding, items_needed, said_score, to_be_read
from casework.findings import Verdict
from casework.stats.neighbours import FEWEST
from casework.visible import shorten
from casework.words import count, number

_NAMED = 8
"""Suites, or runs, that are named where others were not examined."""


def limits(verdict: Verdict, found: Investigated, min_clean: int) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    effect = found.effect
    said = [*_unexamined(found), *_other_runs(found), *_of_similar(found), *limits_beside(found)]
    if found.in_prompt is None:
        said.append("No rendered prompts are recorded: whether items stood in their own prompts "
                    "cannot be seen.")  # fmt: skip
    elif found.in_prompt.unplaced:
        said.append(
            f"{count(found.in_prompt.unplaced, 'prompts')} do not state their question word for "
            "word; nothing is said of them."
        )
    if found.in_prompt is not None and found.in_prompt.short:
        said.append(
            f"{count(found.in_prompt.short, 'items')} of fewer than four words cannot be told from "
            "chance in a prompt; nothing is said of them."
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
    not_rerun = found.leaked - effect.drop.estimate.n if effect.drop else 0
    if not_rerun:
        said.append(
            f"{count(not_rerun, 'leaked items')} have no score both as run and without their "
            "examples, and are not in the effect."
        )
    if effect.adjusted is not None and effect.adjusted.left_out:
        said.append(
            f"{count(effect.adjusted.left_out, 'items')} are of topics without a clean item and "
            "are not in the score of the clean ones."
        )
    open_alone = verdict == "inconclusive" and not hiding(found)
    needed = items_needed(found) if open_alone else None
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
        if to_be_read(found):
            said.append(f"{count(found.paraphrases.in_prompt, 'items')} have a candidate in their "
                        "own prompt, more than chance makes. Until somebody has read them, that no "
                        "item leaked in other words is open.")  # fmt: skip
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


def _other_runs(found: Investigated) -> tuple[str, ...]:
    """Name the other runs of the suite, those with items in their own prompts first."""
    judged, plain = found.judged.run["run_id"], found.judged.plain
    if len(plain) < 2:
        return ()
    seen = {run.run["run_id"]: run for run in found.runs}
    others = [row["run_id"] for row in reversed(plain) if row["run_id"] != judged]
    others.sort(key=lambda name: -seen[name].leaked if name in seen else 0)
    named = []
    for name in others[:_NAMED]:
        text = "no prompts are recorded"
        if name in seen:
            leaked = number(seen[name].leaked) if seen[name].leaked else "none"
            text = f"{leaked} of {count(seen[name].known, 'items')} in their own prompts"
        named.append(f"{shorten(name, 60)}, {text}")
    if len(others) > _NAMED:
        named.append(f"{number(len(others) - _NAMED)} more in the table in_prompt_by_run")
    return (f"Of {number(len(plain))} runs of the suite as it is, {shorten(judged, 60)} is judged; "
            f"the scores of the others are not: {'; '.join(named)}.",)  # fmt: skip


def _suite(name: str) -> str:
    return shorten(name, 60) if name else "samples of no recorded suite"
