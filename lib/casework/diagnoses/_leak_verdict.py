"""The verdict of `prompt_leakage`, and the attempt to refute it."""

import math

import numpy as np

from casework.diagnoses._leak_case import Investigated
from casework.diagnoses._leak_prompts import InPrompt
from casework.diagnoses._leak_references import NONE
from casework.diagnoses._leak_runs import LEFT_OUT
from casework.findings import Falsifier, Rival, Verdict
from casework.stats.estimates import Estimate, clopper_pearson
from casework.words import count, number, share, spread


def falsify(found: Investigated) -> Falsifier:
    """Leave the leaked examples out and look whether the score stays; or find none in prompts."""
    limit = said_score(found, found.sesoi)
    statement = (
        "No item stands in its own prompt, or the leaked items score the same with those examples "
        f"left out, within {limit}"
    )
    seen = found.in_prompt
    if seen is not None and not found.leaked and seen.known.any():
        n = count(int(seen.known.sum()), "items")
        text = f"none of {n} stands in its own prompt as an example"
        if to_be_read(found) and found.paraphrases is not None:
            text += f"; {count(found.paraphrases.in_prompt, 'items')} may, in other words"
        is_refuted = tells_all(found, seen) and not to_be_read(found)
        return Falsifier(statement, True, text, falsified=is_refuted)
    if not found.leaked:
        return Falsifier(statement, False, "not run: no prompt tells what else stands in it")
    drop = found.effect.drop
    if drop is None:
        return Falsifier(statement, False, "not run: no leave-one-out rerun of the leaked items")
    text = f"their score {falls(found, drop.estimate)}"
    hidden = hiding(found)
    text += f"; {hidden}" if hidden else ""
    refuted = drop.estimate.high < found.sesoi and not hidden
    return Falsifier(statement, True, text, falsified=refuted)


def judge_leak(
    found: Investigated, rivals: tuple[Rival, ...], alpha: float, min_clean: int
) -> Verdict:
    """The verdict by CONTRACT, section 4.

    Candidates for a paraphrase are no leak. More of them in prompts than chance makes leave open
    what would be clean otherwise: somebody has to read them.
    """
    verdict = _judge(found, rivals, alpha, min_clean)
    return "inconclusive" if verdict == "clean" and to_be_read(found) else verdict


def to_be_read(found: Investigated) -> bool:
    """Whether more candidates for a paraphrase stood in prompts than chance makes."""
    return found.paraphrases is not None and found.paraphrases.beyond_chance


def _judge(found: Investigated, rivals: tuple[Rival, ...], alpha: float, min_clean: int) -> Verdict:
    if not found.leaked:
        return _without_leak(found)
    effect, s = found.effect, found.sesoi
    if effect.drop is not None:
        e = effect.drop.estimate
        if e.high < s:
            return "inconclusive" if hiding(found) else "clean"
        if e.low <= 0:
            return "inconclusive"
        is_open = any(rival.outcome == "not_excluded" for rival in rivals)
        settled = e.low > s and effect.drop.p < alpha and found.in_prompt is not None
        return "confirmed" if settled and not is_open else "supported"
    if effect.scored.any() and effect.clean_items < min_clean:
        return "inconclusive"
    if effect.changed is not None and effect.changed.low <= 0:
        return "inconclusive"
    return "supported" if _beyond_bound(found) else "clean"


def _without_leak(found: Investigated) -> Verdict:
    """No leaked item: a census of prompts and of what they are made of, as far as it goes."""
    if found.training is not None and (found.training.tier <= 2).any():
        return "supported"
    seen = found.in_prompt
    if seen is not None:
        return "clean" if tells_all(found, seen) else "inconclusive"
    if not _overlapping(found):
        return "clean"
    return "inconclusive" if _beyond_bound(found) else "clean"


def tells_all(found: Investigated, seen: InPrompt) -> bool:
    """Whether every prompt tells of its item, or no item stands in the bank that they are of.

    Of an item that stands in the bank and, in another form, in its prompt, it tells neither.
    """
    in_bank = found.bank is None or bool((found.bank.tier < NONE).any())
    return not in_bank or (
        bool(seen.known.all()) and not seen.unplaced and not in_another_form(found)
    )


def in_another_form(found: Investigated) -> int:
    """Items that stand in the bank and in their own prompts, and not there as the bank has them."""
    if found.bank is None or found.in_prompt is None:
        return 0
    return sum(1 for item in found.in_prompt.context if found.bank.tier[item] <= 2)


def _overlapping(found: Investigated) -> int:
    """Items that share a long run with the reference, those above it included."""
    reference = found.reference
    if reference is None:
        return 0
    return int(((reference.tier < NONE) | reference.long_run).sum())


def _beyond_bound(found: Investigated) -> bool:
    """Whether so many items overlap that they could move the score by what matters.

    An item that stands in a source whole or nearly always counts. Where there are but long runs,
    and no prompt was seen, the score cannot have moved by more than the share of such items.
    """
    if found.in_prompt is not None or (found.tier <= 2).any() or not found.effect.binary:
        return True
    return clopper_pearson(_overlapping(found), found.items).high >= found.sesoi


def still_leaking(found: Investigated) -> bool:
    """Whether the rerun held so many of the examples that it left nothing out."""
    return found.still is not None and found.still.value > 0.05


def hiding(found: Investigated) -> str:
    """What of the rerun may hide that leaked items fall without their examples; else nothing."""
    if still_leaking(found) and found.still is not None:
        return f"the rerun still held {share(found.still.value)} of them"
    differ = found.judged.differs(LEFT_OUT) if LEFT_OUT in found.judged.others else ()
    if differ:
        return f"the rerun differs in {' and '.join(name.replace('_', ' ') for name in differ)}"
    control, net = found.effect.control, found.effect.net
    if control is None or net is None or control.estimate.high >= -found.sesoi:
        return ""
    if net.high < found.sesoi:
        return ""
    return f"in the rerun the score of the clean items {falls(found, control.estimate)}"


def said(found: Investigated, e: Estimate, *, signed: bool = False) -> str:
    """Say a difference of scores with its interval: in points where items are right or wrong."""
    unit = "points" if found.effect.binary else "score"
    return spread(e.value, (e.low, e.high), unit, signed=signed)


def falls(found: Investigated, e: Estimate) -> str:
    """Say what became of a score: that it fell, or where that is open, how it changed."""
    if e.low > 0:
        return f"falls by {said(found, e)}"
    change = Estimate(0.0 - e.value, 0.0 - e.high, 0.0 - e.low, e.n)
    return f"changes by {said(found, change, signed=True)}"


def loses(found: Investigated, e: Estimate) -> str:
    """Say how much more leaked items lose than clean ones, or that it is open whether they do."""
    if e.low > 0:
        return f"they lose {said(found, e)} more than the others"
    if e.high < 0:
        less = Estimate(-e.value, -e.high, -e.low, e.n)
        return f"they lose {said(found, less)} less than the others"
    return f"what they lose and what the others lose differ by {said(found, e, signed=True)}"


def said_score(found: Investigated, value: float) -> str:
    """Say a difference of scores alone."""
    if not found.effect.binary:
        return number(value)
    points = number(100 * value)
    return f"{points} {'point' if points == '1' else 'points'}"


def items_needed(found: Investigated) -> int | None:
    """Leaked items with a rerun at which the interval could not hold both nothing and the SESOI."""
    drop = found.effect.drop
    e = drop.estimate if drop else found.effect.changed
    if e is None or not found.sesoi:
        return None
    width = e.high - e.low
    return max(e.n + 1, math.ceil(e.n * (width / found.sesoi) ** 2)) if np.isfinite(width) else None
