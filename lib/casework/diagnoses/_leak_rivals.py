"""What else could make leaked items score well, tested one by one."""

from casework.diagnoses._leak_case import Investigated
from casework.diagnoses._leak_runs import LEFT_OUT
from casework.diagnoses._leak_verdict import falls, loses, said
from casework.findings import Rival
from casework.words import count, number, share


def rivals_of(found: Investigated) -> tuple[Rival, ...]:
    """Test the rival explanations of METHODS section 12."""
    return (
        _easier(found),
        _other_model(found),
        _rerun(found),
        _boilerplate(found),
        _recurring(found),
        _disjoint(found),
        _context(found),
    )


def _easier(found: Investigated) -> Rival:
    explanation = "The leaked items are easier than the others"
    test = "each leaked item against itself, with and without the example"
    effect = found.effect
    if effect.drop is not None:
        why = f"the same items are compared; their score {falls(found, effect.drop.estimate)}"
        return Rival(explanation, test, "excluded", why)
    test = "change of leaked and of clean items against a prompt without examples"
    if effect.changed is not None and effect.stand_in is not None:
        e = effect.changed
        return Rival(
            explanation, test, "excluded" if e.low > 0 else "not_excluded",
            f"against {effect.stand_in.replace('_', ' ')}, {loses(found, e)}, from the level that "
            "each group has there",
        )  # fmt: skip
    why = "the leaked items were not run without the examples" if found.leaked else "none leaked"
    return Rival(explanation, test, "not_testable", why)


def _other_model(found: Investigated) -> Rival:
    explanation = "The model itself got better or worse between the runs that are compared"
    test = "model, checkpoint and parameters of the rerun"
    condition = LEFT_OUT if LEFT_OUT in found.effect.scores else found.effect.stand_in
    if condition is None:
        return Rival(explanation, test, "not_testable", "there is no second run to compare with")
    differ = found.judged.differs(condition)
    if differ:
        named = " and ".join(name.replace("_", " ") for name in differ)
        why = f"the run and the {condition.replace('_', ' ')} run differ in {named}"
        return Rival(explanation, test, "not_excluded", why)
    if found.judged.is_alike(condition):
        return Rival(explanation, test, "excluded", "they are the same")
    return Rival(explanation, test, "not_testable", "the runs do not record what was evaluated")


def _rerun(found: Investigated) -> Rival:
    explanation = "The rerun scores lower for every item, leaked or not"
    test = "fall of the clean items, which had nothing left out"
    effect = found.effect
    if LEFT_OUT not in effect.scores:
        return Rival(explanation, test, "not_testable", "there is no leave-one-out rerun")
    if effect.drop is None:
        why = "no leaked item was rerun that could have lost more"
        if effect.control is not None:
            why += f"; the score of the clean ones {falls(found, effect.control.estimate)}"
        return Rival(explanation, test, "not_testable", why)
    if effect.control is None:
        return Rival(explanation, test, "not_testable", "no clean item was rerun")
    e, net = effect.control.estimate, effect.net
    why = f"the score of the clean ones {falls(found, e)}, n = {count(e.n, 'items')}"
    fell = e.low > 0 and not e.inside(-found.sesoi, found.sesoi)
    if not fell or net is None:
        return Rival(explanation, test, "excluded", why)
    why += f"; compared with that, the leaked ones lose {said(found, net, signed=True)}"
    return Rival(explanation, test, "excluded" if net.low > found.sesoi else "not_excluded", why)


def _boilerplate(found: Investigated) -> Rival:
    return Rival(
        "Shared instructions or forms make items and prompts look alike",
        "text that many items or examples share is left out before anything is compared",
        "excluded",
        f"{share(1 - found.open_share)} of the words of the items are such text; what is counted "
        "stands without them",
    )


def _recurring(found: Investigated) -> Rival:
    explanation = "Customers do ask these questions again, and the bank would hold them then too"
    test = "leaked items that requests hold word for word, and the effect over the others"
    if found.traffic is None:
        why = "no requests with text are in the case" if found.leaked else "none leaked"
        return Rival(explanation, test, "not_testable", why)
    asked = found.traffic.recurring
    why = f"{number(asked)} of {count(found.leaked, 'leaked items')} are asked by customers twice "
    why += "at least"
    if not asked:
        return Rival(explanation, test, "excluded", why)
    rest = found.traffic.rest
    if rest is None:
        return Rival(explanation, test, "not_excluded", f"{why}; no other leaked item was rerun")
    beyond = rest.estimate.low > found.sesoi
    return Rival(
        explanation, test, "excluded" if beyond else "not_excluded",
        f"{why}; over the others the score {falls(found, rest.estimate)}",
    )  # fmt: skip


def _disjoint(found: Investigated) -> Rival:
    explanation = "The examples come from another split, which holds none of the items"
    test = "items compared with the examples, by source and by text"
    if found.in_prompt is not None and found.leaked:
        why = f"{count(found.leaked, 'items')} stood in their own prompts, whatever the split"
        return Rival(explanation, test, "excluded", why)
    if found.reference is None:
        return Rival(explanation, test, "not_testable", "no example bank and no training rows")
    n = count(found.items, "items")
    held = int((found.reference.tier <= 2).sum())
    if held:
        why = f"{number(held)} of {n} stand among the examples, exactly or nearly"
        return Rival(explanation, test, "excluded", why)
    why = f"none of {n} stands among the examples, exactly or nearly"
    partly = int((found.reference.tier == 3).sum())
    if partly:
        why += f"; by half of the words, {count(partly, 'items')}"
    return Rival(explanation, test, "not_excluded", why)


def _context(found: Investigated) -> Rival:
    explanation = "The text in the prompt is the customer's own context, no example"
    test = "whether an example of the bank is what stands in the prompt"
    if found.in_prompt is None:
        return Rival(explanation, test, "not_testable", "no prompts are recorded")
    if found.bank is None:
        return Rival(explanation, test, "not_testable", "no example bank is in the case")
    apart = len(found.in_prompt.context)
    if not found.in_prompt.known.any():
        why = "no prompt tells what stands in it beside the question"
        return Rival(explanation, test, "not_testable", why)
    if not found.leaked and not apart:
        why = "nothing of an item stands in its prompt beside the question"
        return Rival(explanation, test, "excluded", why)
    why = f"as an example: {count(found.leaked, 'items')}"
    if apart:
        why += f"; as other text, which is not counted: {count(apart, 'items')}"
    return Rival(explanation, test, "excluded" if found.leaked else "not_excluded", why)
