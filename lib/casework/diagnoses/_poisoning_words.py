"""What `feedback_poisoning` says: headline, findings, remedies and limits."""

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_apart import telling
from casework.diagnoses._poisoning_coverage import Coverage
from casework.diagnoses._poisoning_groups import grouped
from casework.diagnoses._poisoning_rivals import beside, fresh_wanted
from casework.diagnoses._poisoning_sample import MOST_ITEMS
from casework.diagnoses._poisoning_scores import Scores
from casework.diagnoses._poisoning_settling import more_accounts, settled_by
from casework.diagnoses._poisoning_target import Target
from casework.diagnoses._poisoning_thumbs import approving, choosing
from casework.diagnoses._poisoning_trend_words import rising, said, saying
from casework.diagnoses._poisoning_trends import Trends
from casework.findings import Finding, Verdict
from casework.stats.nps import answers_needed
from casework.words import count, number, share, spread

_LEVEL = 0.05
_BASIS = {
    "vectors": "by their embeddings",
    "text": "by the words of their texts",
    "topic": "by their recorded topic alone",
}
_PLACED_BY = {"vectors": "an embedding", "text": "a text", "topic": "a topic"}


def headline(
    verdict: Verdict, target: Target, found: Coverage, scores: Scores, sesoi: float
) -> str:
    """One sentence that says what was found, and how many accounts would settle what was not."""
    mine, others = found.gap.second, found.gap.first
    covered = (
        f"the eval set covers {said(mine)} of what {target.label} customers ask and "
        f"{share(others.value)} of what others ask"
    )
    if verdict == "clean" and found.complete:
        return f"Clean. Every request of {target.label} customers has an item like it."
    if verdict == "clean":
        gap = said(found.gap.difference, "points")
        return f"Clean. {covered[0].upper()}{covered[1:]}; the gap of {gap} is too small to matter."
    if verdict == "inconclusive":
        undecided = f"{_undecided(found, scores, sesoi)}{settled_by(found, sesoi)}"
        return f"Inconclusive. {covered[0].upper()}{covered[1:]}, {undecided}."
    word = "Confirmed" if verdict == "confirmed" else "Supported"
    return f"{word}. {covered[0].upper()}{covered[1:]}; {_score_told(scores)}."


def _undecided(found: Coverage, scores: Scores, sesoi: float) -> str:
    gap = said(found.gap.difference, "points")
    if found.gap.difference.high < sesoi and not found.tells(sesoi):
        return f"a gap of {gap}; likeness cannot show one here, finer topics or embeddings may"
    if found.gap.difference.low > 0 and found.by_chance.p >= _LEVEL:
        return f"a gap of {gap}, as large as sets of that size drawn at random may have"
    if scores.above is not None and scores.above.low > 0:
        return f"a gap of {gap}; the score is {said(scores.above, 'score')} above what they get"
    if found.gap.difference.low > 0:
        return f"a gap of {gap}, but the attempt to refute that the score overstates it succeeded"
    return f"a gap of {gap}"


def _score_told(scores: Scores) -> str:
    reported = f"its score of {number(scores.reported.value)}"
    if scores.fresh_above is not None:
        return f"{reported} is {beside(scores.fresh_above)} fresh grades of theirs"
    if scores.raked is not None:
        return f"{reported} is {said(scores.raked.score, 'score')} on their mix"
    if scores.bounds is not None:
        low, high = scores.bounds
        return (
            f"{reported} cannot be transported to their mix and lies between {number(low)} and "
            f"{number(high)} there"
        )
    return f"{reported} says nothing of them"


def findings(
    ask: Inquiry, target: Target, trends: Trends, found: Coverage, scores: Scores
) -> tuple[Finding, ...]:
    """State what was found, with its measures and evidence."""
    return (
        _covering(ask, target, found),
        grouped(ask, target, found),
        telling(ask, target, found),
        _scoring(ask, target, scores),
        rising(ask, trends),
        *saying(ask, target, trends),
        choosing(ask, target),
        *approving(ask),
        _reaching(ask, target),
    )


def _covering(ask: Inquiry, target: Target, found: Coverage) -> Finding:
    zero = found.zero_topics
    text = (
        f"What {target.label} customers ask is covered {said(found.gap.difference, 'points')} less "
        f"than what others ask, {_BASIS[found.sample.basis]}."
    )
    if zero:
        named = ", ".join(zero[:5])
        part = sum(topic.target for topic in found.topics if topic.name in zero)
        more = f" and {len(zero) - 5} more" if len(zero) > 5 else ""
        text += f" The set holds {found.lacks} {named}{more}, {share(part)} of what they ask."
    thin = [topic.name for topic in found.topics if topic.thin and topic.held]
    if thin:
        text += f" Fewer items than they ask, beyond chance: {', '.join(thin[:5])}."
    names = ("coverage_target", "coverage_reference", "coverage_gap", "coverage_gap_p",
             "coverage_gap_random_sets", "coverage_gap_random_sets_p",
             "topics_without_items")  # fmt: skip
    evidence = tuple(ask.evidence_id(query) for query in (c.TRAFFIC, c.SAMPLE, e.ITEMS))
    return Finding(text, names, evidence, ("topics", "coverage"))


def _scoring(ask: Inquiry, target: Target, scores: Scores) -> Finding:
    text = f"The eval says {said(scores.reported, 'score')}."
    if scores.fresh_score is not None and scores.fresh_above is not None:
        text += (
            f" {count(len(scores.fresh.rows), 'questions')} of {target.label} customers that no "
            f"thumb chose score {said(scores.fresh_score, 'score')}, a difference of "
            f"{said(scores.fresh_above, 'score')}."
        )
    if scores.raked is not None:
        text += f" On their mix it would be {said(scores.raked.score, 'score')}."
    else:
        text += f" On their mix it cannot be estimated: {scores.why}."
        if scores.bounds is not None:
            low, high = scores.bounds
            text += f" If topics alone matter it lies between {number(low)} and {number(high)}."
    if scores.tipping is not None:
        text += (
            f" Nothing of the rise is left for them if their uncovered questions score "
            f"{number(scores.tipping)} lower than the covered ones."
        )
    names = ("eval_score", "fresh_score", "overstatement", "score_transported", "estimable",
             "n_eff", "score_lower_bound", "score_upper_bound", "tipping_point")  # fmt: skip
    return Finding(text, names, (ask.evidence_id(e.FRESH), ask.evidence_id(e.ITEMS)), ("scores",))


def _reaching(ask: Inquiry, target: Target) -> Finding:
    requests, accounts = ask.measures["uncovered_requests"], ask.measures["target_accounts"]
    text = (
        f"In {ask.measures['days'].value} days, {spread(requests.value, requests.ci95, 'count')} "
        f"requests of {count(accounts.value, 'accounts')} had no item like them"
    )
    names = ["uncovered_requests", "target_accounts", "days"]
    if "target_revenue" in ask.measures:
        names += ["target_revenue", "churned_revenue"]
        whole, lost = (ask.measures[name].value for name in names[-2:])
        left = (
            "how much of it left is not recorded"
            if lost is None
            else f"of which {number(lost)} left"
        )
        text += f"; {target.label} accounts stand for {number(whole)} a year, {left}"
    return Finding(f"{text}.", tuple(names), (ask.evidence_id(c.TRAFFIC),))


def remedies(verdict: Verdict, target: Target, found: Coverage, scores: Scores) -> tuple[str, ...]:
    """Say what to do in this case."""
    if verdict == "clean":
        return ()
    told = [text for text in (fresh_wanted(scores, target),) if text]
    listed = ", as item_quotas lists them" if found.sample.recorded else ""
    quotas = (
        f"Draw items at random from production by quotas of tier and topic{listed}; keep thumbs "
        "for triage."
    )
    if verdict == "inconclusive":
        missed = found.gap.difference.low > 0 and found.by_chance.p >= _LEVEL
        return (*told, quotas) if missed else tuple(told)
    if found.zero_topics:
        told.append(
            f"Add items of {', '.join(found.zero_topics[:5])} from {target.label} requests."
        )
    return (
        *told,
        quotas,
        "Print coverage and the effective number of items beside the score.",
    )


def limits(
    verdict: Verdict,
    target: Target,
    trends: Trends,
    found: Coverage,
    scores: Scores,
    sesoi: float,
) -> tuple[str, ...]:
    """Say what the answer does not cover, and what would settle it."""
    gap = found.gap
    told = [f"Target customers are {target.label}: {target.why}."]
    told += _comparing(target, found, sesoi)
    if verdict in ("inconclusive", "supported") and gap.difference.low <= sesoi:
        told.append(more_accounts(found, sesoi))
    if verdict == "inconclusive" and scores.fresh_above is None:
        told.append("No fresh grades tell whether the score overstates what they get.")
    change = trends.nps_change
    if trends.nps_weighted is not None:
        told.append(
            "Who was asked and did not answer is not recorded in nps: the weighted NPS takes every "
            "account that was there as asked."
        )
    if change is not None and change.value and not change.excludes(0):
        needed = answers_needed(change.value)
        told.append(
            f"The NPS change is within chance; one of that size takes about {number(needed)} "
            "answers a wave."
        )
    return tuple(told)


def _comparing(target: Target, found: Coverage, sesoi: float) -> list[str]:
    """What the comparison of questions with items rests on."""
    sample = found.sample
    told = []
    drawn = int(sample.is_target.sum())
    if drawn < sample.traffic[0] or len(sample.questions) - drawn < sample.traffic[1]:
        told.append(
            f"Compared are {number(drawn)} of {count(sample.traffic[0], 'target requests')} and "
            f"{number(len(sample.questions) - drawn)} of {number(sample.traffic[1])} others, "
            "drawn by the digest of their ids."
        )
    if not sample.recorded:
        told.append("Topics are not recorded on both sides: they are groups of like texts.")
    if sample.basis == "text":
        told.append(
            "Texts are compared by words: the same question in other words looks new, and another "
            "question in like words looks covered, so a gap by words is rather too small."
        )
    if not found.tells(sesoi):
        told.append(
            f"The questions of {target.label} customers differ from those of others, and yet a set "
            "of others' questions alone would cover them as well: likeness cannot show a gap here. "
            "Load finer topics or other embeddings."
        )
    every = len(sample.every_item)
    if left_out := every - len(sample.items):
        cut = f" or beyond the first {MOST_ITEMS:,}" if len(sample.items) == MOST_ITEMS else ""
        told.append(
            f"Not compared are {number(left_out)} of {count(every, 'items')}: those without "
            f"{_PLACED_BY[sample.basis]}{cut}."
        )
    if found.like.items < len(sample.items):
        told.append(
            f"By likeness {number(found.like.items)} of {count(len(sample.items), 'items')} were "
            "compared, as more could not be told from a random set of the questions drawn."
        )
    return told
