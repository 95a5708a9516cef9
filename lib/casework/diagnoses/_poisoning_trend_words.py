"""What `feedback_poisoning` says of the trends: the eval score, and the survey."""

import math

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_target import Target
from casework.diagnoses._poisoning_trends import Trends
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.words import count, number, spread


def said(found: Estimate, unit: str = "share") -> str:
    """An estimate with its interval, or that how sure it is is not known."""
    if not math.isfinite(found.high - found.low):
        return f"{spread(found.value, None, unit)} (how sure is not known)"
    return spread(found.value, (found.low, found.high), unit)


def rising(ask: Inquiry, trends: Trends) -> Finding:
    """State how the eval score moved, and what moved it."""
    if trends.rise is None:
        text = "The eval was run in one week only, so it has no trend."
        return Finding(text, ("eval_slope",), (ask.evidence_id(e.WEEKS),), ("trends",))
    rise = trends.rise
    text = (
        f"Over {count(trends.span + 1, 'weeks')} the score moved by {said(rise.total, 'score')}: "
        f"{said(rise.other_items, 'score')} by other items ({number(rise.added)} came, "
        f"{number(rise.removed)} went), {said(rise.same_items, 'score')} by the same "
        f"{count(rise.kept, 'items')}."
    )
    names = ["eval_slope", "fixed_item_slope", "fixed_items", "rise", "rise_same_items",
             "rise_other_items"]  # fmt: skip
    if mix := trends.mix:
        names += ["rise_topic_mix", "rise_within_topics", "rise_by_topic"]
        most = mix.topics[0]
        of_one = f", most by {most.name} ({said(most.mix, 'score')})"
        text += (
            f" By topics, {said(mix.mix, 'score')} by another mix of them"
            f"{of_one if most.stands_out else ''}; {said(mix.scores, 'score')} by other "
            "scores in them."
        )
    evidence = (ask.evidence_id(e.WEEKS), ask.evidence_id(e.ENDS))
    return Finding(text, tuple(names), evidence, ("trends",))


def saying(ask: Inquiry, target: Target, trends: Trends) -> tuple[Finding, ...]:
    """State how the NPS moved, and what its answers can show; nothing without two waves."""
    if trends.nps_change is None:
        return ()
    text = f"NPS of {target.label} customers moved by {said(trends.nps_change, 'points')}"
    if shown := ask.measures.get("nps_smallest_shown"):
        text += (
            f" ({count(shown.n or 0, 'answers')} in the two waves show a change of "
            f"{spread(shown.value, None, 'points')} in 80 of 100 cases)"
        )
    if trends.nps_others is not None:
        text += f", that of others by {said(trends.nps_others, 'points')}"
    if (weighted := trends.nps_weighted) and weighted.change:
        text += f"; weighted to the accounts that were there, {said(weighted.change, 'points')}"
    if trends.divergence is not None:
        apart = said(trends.divergence, "standard deviations a quarter")
        beyond = "beyond chance" if trends.divergence.excludes(0) else "within chance"
        text += f"; eval and NPS part by {apart}, {beyond}"
    names = ["nps_change", "nps_change_weighted", "nps_waves_p", "divergence"]
    names += ["nps_smallest_shown"] if shown else []
    if trends.nps_weighted is not None:
        names += ["nps_change_lower_bound", "nps_change_upper_bound", "nps_silent_share",
                  "nps_answered_share"]  # fmt: skip
    return (Finding(f"{text}.", tuple(names), (ask.evidence_id(c.ANSWERS),), ("trends",)),)
