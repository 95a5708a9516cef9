"""What else could explain an eval that rises while customers leave, and the attempt to refute."""

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_coverage import Coverage
from casework.diagnoses._poisoning_fresh import ADVISED, FEWEST_FRESH
from casework.diagnoses._poisoning_graders import judge_changed
from casework.diagnoses._poisoning_scores import Scores
from casework.diagnoses._poisoning_target import Target
from casework.diagnoses._poisoning_trend_words import said
from casework.diagnoses._poisoning_trends import Trends
from casework.findings import Falsifier, Outcome, Rival
from casework.stats.estimates import Estimate
from casework.stats.strata import mantel_haenszel, two_proportion_z
from casework.words import count, instant, number, p_value, share, spread

_HALF = 0.5
_LEVEL = 0.05


def falsify(trends: Trends, scores: Scores, target: Target, sesoi: float) -> Falsifier:
    """A fresh sample that scores as the eval says, or items of old that fall as well, refute it.

    `sesoi` is the smallest difference of scores that matters.
    """
    statement = (
        f"A fresh sample of questions of {target.label} customers scores as the eval says, or the "
        "items that were there all the time fall as well"
    )
    seen, falsified, ran = [], False, False
    if scores.fresh_above and scores.fresh_score:
        ran = True
        above = scores.fresh_above
        n = count(len(scores.fresh.rows), "fresh questions")
        seen.append(f"{n} score {_said(scores.fresh_score)}, the eval is {beside(above)}")
        falsified = above.high < sesoi
    elif scores.fresh.rows:
        seen.append(f"{count(len(scores.fresh.rows), 'fresh questions')} are too few to tell")
    else:
        seen.append(
            "of no graded question it is known that it is theirs and was not chosen by a thumb"
        )
    total = trends.fixed_total()
    if total:
        ran = True
        seen.append(f"{count(trends.fixed_items, 'fixed items')} changed by {_said(total)}")
        falsified = falsified or total.high < -sesoi
    if scores.raked and not scores.fresh_above:
        ran = True
        seen.append(f"transported to their mix the eval is {beside(scores.raked.above)}")
        falsified = falsified or scores.raked.above.high < 0
    return Falsifier(statement, ran, "; ".join(seen), falsified=falsified)


def rivals_of(
    ask: Inquiry,
    target: Target,
    trends: Trends,
    found: Coverage,
    scores: Scores,
    sesoi_gap: float,
) -> tuple[Rival, ...]:
    """Test the rival explanations of METHODS section 6."""
    return (
        _better_product(trends, scores),
        _small_set(found),
        _quality_first(found, sesoi_gap),
        judge_changed(ask, target, scores),
        *((scores.fresh.selection(),) if scores.fresh_above else ()),
        _surface(ask, target, found),
        _business(ask, target, trends, scores),
        _survey(ask, target, scores),
        _survivors(trends, scores),
    )


def _better_product(trends: Trends, scores: Scores) -> Rival:
    explanation = "The product got better, and the eval saw it"
    test = "items that were there all the time; the rise split into the same items and others"
    total, rise = trends.fixed_total(), trends.rise
    if total is None or rise is None:
        kept = count(trends.fixed_items, "items")
        why = f"{kept} there all the time, in {count(len(trends.weeks), 'weeks')} with a run"
        return Rival(explanation, test, "not_testable", f"{why}, are too few for a trend")
    why = f"the same items changed by {_said(total)}"
    why += f"; of a rise of {_said(rise.total)} other items make {_said(rise.other_items)}"
    if scores.fresh_above is not None and scores.fresh_above.low > 0:
        # a better product raises fresh grades as well
        why += f"; fresh grades are lower by {_said(scores.fresh_above)}"
        return Rival(explanation, test, "excluded", why)
    risen = total.low > 0 and total.value > _HALF * max(0.0, rise.total.value)
    return Rival(explanation, test, "not_excluded" if risen else "excluded", why)


def _small_set(found: Coverage) -> Rival:
    chance, gap = found.by_chance, found.gap.difference.value
    why = (
        f"gap {spread(gap, None, 'points')}; random sets of {count(found.like.items, 'items')} "
        f"have {spread(chance.mean, (chance.low, chance.high), 'points')}, {p_value(chance.p)}"
    )
    return Rival(
        "The set is small, and one drawn at random would miss as much",
        "gaps of sets of the same size drawn at random from what customers ask",
        "excluded" if chance.p < _LEVEL else "not_excluded",
        why,
    )


def _quality_first(found: Coverage, sesoi: float) -> Rival:
    explanation = "They ask other questions because the answers were bad (after the harm)"
    test = "coverage gap in the first third of the time"
    if found.early is None:
        return Rival(explanation, test, "not_testable", "too few early questions of both groups")
    gap = found.early.difference
    text = f"gap {spread(gap.value, (gap.low, gap.high), 'points')}"
    whole = found.gap.difference.value
    if gap.low > 0 and gap.value > _HALF * whole:
        return Rival(explanation, test, "excluded", f"{text}, there from the beginning")
    if gap.high < max(sesoi, _HALF * whole):
        later = ", so it came later" if whole > 0 else ""
        return Rival(explanation, test, "not_excluded", f"{text}{later}")
    return Rival(explanation, test, "not_testable", f"{text}, too uncertain to tell")


def _surface(ask: Inquiry, target: Target, found: Coverage) -> Rival:
    """Thumbs by surface: does the target approve less, or does it use where thumbs are few?"""
    explanation = "Thumbs differ by the surface on which they are given, not by customer"
    test = "share of thumbs up of target and others, within each surface (Mantel-Haenszel)"
    rows = ask.ask(c.THUMBS, **target.params) if ask.case.filled("feedback") else []
    tables: dict[str, list[list[int]]] = {}
    for row in rows:
        table = tables.setdefault(row["surface"], [[0, 0], [0, 0]])
        for i, name in enumerate(("up", "down")):
            table[int(row["is_target"])][i] += row[name]
    both = [table for table in tables.values() if all(sum(arm) for arm in table)]
    if not both:
        return Rival(explanation, test, "not_testable", "no surface has thumbs of both groups")
    if {*tables} == {c.NO_SURFACE}:
        return Rival(explanation, test, "not_testable", "no thumb has a surface")
    crude = [sum(t[arm][i] for t in tables.values()) for arm in (0, 1) for i in (0, 1)]
    plain = two_proportion_z((crude[0], crude[2]), (crude[0] + crude[1], crude[2] + crude[3]))
    adjusted = mantel_haenszel(both)
    if adjusted is None or adjusted.p is None:
        return Rival(explanation, test, "not_testable", "thumbs of one kind only")
    why = f"{p_value(plain.p)} over all surfaces, {p_value(adjusted.p)} within them"
    if len(tables) < 2 or plain.p >= _LEVEL or adjusted.p < _LEVEL:
        return Rival(explanation, test, "excluded", why)
    # the gap in what is covered is measured on requests, whatever their surface
    outcome: Outcome = "excluded" if found.gap.difference.low > 0 else "not_excluded"
    return Rival(explanation, test, outcome, f"{why}; coverage is measured on requests")


def _business(ask: Inquiry, target: Target, trends: Trends, scores: Scores) -> Rival:
    explanation = "A price, a renewal, an outage or a lag moved the NPS"
    events = [row for row in ask.ask(c.CHANGED, **target.params) if row["kind"] == "business"]
    told = "; ".join(f"{row['key']} at {instant(row['occurred_at'])}" for row in events[:3])
    test = "recorded events in the time; whether the finding stands without the NPS"
    if trends.nps_change is None:
        return Rival(explanation, test, "excluded", "the finding rests on no NPS")
    return _beside_the_survey(
        explanation, test, told or "no such event is recorded", scores, open_one=bool(events)
    )


def _survey(ask: Inquiry, target: Target, scores: Scores) -> Rival:
    events = [row for row in ask.ask(c.CHANGED, **target.params) if row["kind"] == "survey"]
    told = "; ".join(f"{row['key']} at {instant(row['occurred_at'])}" for row in events[:3])
    return _beside_the_survey(
        "The rule by which customers are asked changed",
        "recorded changes of the survey; whether the finding stands without the NPS",
        told or "no change of the survey is recorded",
        scores,
        open_one=bool(events),
    )


def _survivors(trends: Trends, scores: Scores) -> Rival:
    explanation = "Other customers answer the survey than before"
    test = (
        "NPS change of the accounts that answered in both waves, and with answers weighted to the "
        "accounts that were there"
    )
    change, same, weighted = trends.nps_change, trends.nps_survivors, trends.nps_weighted
    if change is None:
        return Rival(explanation, test, "excluded", "the finding rests on no NPS")
    if same is None and weighted is None:
        return _beside_the_survey(
            explanation, test, "too few accounts answered twice", scores, open_one=False
        )
    text, differs = f"all answers {_said(change, 'points')}", False
    if same is not None:
        text += f", answered twice {_said(same, 'points')}"
        differs = not same.low <= change.value <= same.high
    if weighted is not None:
        if by_weight := weighted.change:
            text += f", weighted {_said(by_weight, 'points')}"
            differs = differs or not by_weight.low <= change.value <= by_weight.high
        if weighted.silent:
            text += (
                f"; {share(weighted.silent)} of the accounts are of kinds that are silent, so that "
                f"of all it lies between {spread(weighted.low, None, 'points')} and "
                f"{spread(weighted.high, None, 'points')}"
            )
            # what the silent would have said could turn the change into its opposite
            differs = differs or weighted.low < 0 < weighted.high
    return _beside_the_survey(explanation, test, text, scores, open_one=differs)


def _beside_the_survey(
    explanation: str, test: str, why: str, scores: Scores, *, open_one: bool
) -> Rival:
    """What moves the NPS alone cannot lower the grades of answers."""
    if scores.above is not None and scores.above.low > 0:
        why += "; the score is above what they get by grades, in which no survey counts"
        return Rival(explanation, test, "excluded", why)
    return Rival(explanation, test, "not_excluded" if open_one else "excluded", why)


def fresh_wanted(scores: Scores, target: Target) -> str:
    """What a fresh sample would settle, where there is none or a small one."""
    if len(scores.fresh.rows) >= ADVISED:
        return ""
    have = f"; there are {number(len(scores.fresh.rows))}" if scores.fresh.rows else ""
    return (
        f"Draw at least {ADVISED} requests of {target.label} customers at random, have them graded "
        f"blind, and load them as eval_samples of condition replay{have}. Below {FEWEST_FRESH} "
        "they are not used."
    )


def beside(above: Estimate) -> str:
    """How much the reported score is above, or below."""
    if above.value >= 0:
        return f"{_said(above)} above"
    return f"{_said(Estimate(-above.value, -above.high, -above.low, above.n))} below"


def _said(found: Estimate, unit: str = "score") -> str:
    return said(found, unit)
