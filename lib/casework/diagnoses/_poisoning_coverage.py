"""Which questions of which customers the eval set covers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_likeness import Likeness, accounts_of, likeness
from casework.diagnoses._poisoning_sample import Sample, draw_sample, of_known_topic
from casework.diagnoses._poisoning_target import FEWEST_ACCOUNTS, Target
from casework.stats.cluster_means import Gap, cluster_gap, clusters_of, variance_of_mean
from casework.stats.estimates import Estimate
from casework.stats.multiplicity import benjamini_hochberg
from casework.stats.proportions import difference_of_shares, fisher
from casework.stats.random_sets import RandomSets, compared

_SAYS_NOTHING = 0.1
_Q = 0.05
_HALF = 0.5
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its share of what either group asks, and of the items.

    `questions` are those of the target that were drawn, `target` their share.
    `covered` is the share of the target's questions of it that have an item within the radius.
    `held` says that the set has items of it: one at least, and where topics are groups of like
    texts, for half of the target's questions one within the radius as well, as a group holds what
    is left over. `more` is the share of it in what the target asks minus that of the items, and `q`
    the adjusted p-value of no difference beyond chance of which accounts ask (Benjamini and
    Hochberg).
    """

    name: str
    questions: int
    target: float
    reference: float
    items: int
    share: float
    covered: float | None
    held: bool
    more: Estimate
    q: float

    @property
    def thin(self) -> bool:
        """Whether the items hold less of it than the target asks, beyond chance."""
        return self.q < _Q and self.share < self.target


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what customers ask is covered by the eval set.

    Attributes:
        sample: the questions.
        like: which of them have an item like them.
        gap: `first` is the reference, `second` the target, `difference` what the target lacks.
        early: the same in the first third of the time, if there is enough.
        by_chance: gaps of sets of the same size that are drawn at random.
        topics: the one most asked by the target first.
    """

    sample: Sample
    like: Likeness
    gap: Gap
    early: Gap | None
    by_chance: RandomSets
    topics: tuple[Topic, ...]

    @property
    def p(self) -> float:
        """Of no gap beyond chance: neither by which accounts ask nor by which items were drawn.

        The greater of both p-values, as both must be refuted (Berger, Technometrics 1982).
        """
        return max(self.gap.p, self.by_chance.p)

    def tells(self, sesoi: float) -> bool:
        """Whether likeness could show a gap of `sesoi`.

        It could not where the questions of both groups differ, and yet a set of others' questions
        alone would cover the target as well.
        """
        gap, p = self.like.others_gap, self.like.apart_p
        return gap is None or p is None or gap >= sesoi or p >= _LEVEL

    @property
    def uncovered(self) -> NDArray[np.bool_]:
        """Of the questions, whether each has no item."""
        return ~self.like.covered

    @property
    def complete(self) -> bool:
        """Whether every request of the target was compared, and each is covered: a census."""
        mine = self.sample.is_target
        return int(mine.sum()) == self.sample.traffic[0] and not self.uncovered[mine].any()

    @property
    def zero_topics(self) -> tuple[str, ...]:
        """Topics that the target asks about and the set holds no item of."""
        return tuple(t.name for t in self.topics if t.target > 0 and not t.held)

    @property
    def lacks(self) -> str:
        """What the set has of those topics, in words: a few of a group of like texts may be."""
        few = any(t.items for t in self.topics if t.name in self.zero_topics)
        return "hardly an item like" if few else "no item of"


def cover(ask: Inquiry, target: Target, size: int) -> Coverage | None:
    """Compare both groups; None where nothing can be compared."""
    sample = draw_sample(ask, target, size)
    if sample is None or not _comparable(sample):
        return None
    found = _covered(sample, target)
    if found.gap.first.value < _SAYS_NOTHING and found.like.radius is not None and sample.recorded:
        # items phrased unlike any request: texts say nothing, and topics are recorded
        topical = of_known_topic(sample)
        if topical is not None and _comparable(topical):
            found = _covered(topical, target)
    return found


def _comparable(sample: Sample) -> bool:
    accounts = [
        len({q["account"] for q, t in zip(sample.questions, sample.is_target, strict=True)
             if t == mine})
        for mine in (True, False)
    ]  # fmt: skip
    return bool(sample.items) and min(accounts) >= 2


def _covered(sample: Sample, target: Target) -> Coverage:
    like = likeness(sample, target.seed)
    account = accounts_of(sample)
    everyone = np.ones(len(account), bool)
    third = (target.closed_at - target.opened_at) / 3
    early = np.array([row["occurred_at"] < target.opened_at + third for row in sample.questions])
    gap = _gap(sample, like.covered, account, everyone, target.seed)
    if gap is None:
        raise AssertionError("both groups have two accounts")
    enough = _gap(sample, like.covered, account, early, target.seed, FEWEST_ACCOUNTS)
    by_chance = compared(like.random_gaps, gap.difference.value)
    return Coverage(sample, like, gap, enough, by_chance, _topics(sample, like.covered))


def _gap(
    sample: Sample,
    covered: NDArray[np.bool_],
    account: NDArray[np.str_],
    part: NDArray[np.bool_],
    seed: int,
    fewest: int = 2,
) -> Gap | None:
    """What the target lacks against the reference, in a part of the questions."""
    groups = [
        clusters_of(covered[part & mine], account[part & mine])
        for mine in (~sample.is_target, sample.is_target)
        if (part & mine).any()
    ]
    if len(groups) < 2 or min(len(group.n) for group in groups) < fewest:
        return None
    return cluster_gap(groups[0], groups[1], seed)


def _topics(sample: Sample, covered: NDArray[np.bool_]) -> tuple[Topic, ...]:
    asked = np.array(sample.topics, object)
    held = np.array(sample.by_topic[1], object)
    mine, theirs = asked[sample.is_target], asked[~sample.is_target]
    names = sorted({*sample.topics} - {""})
    known = [max(1, int((of != "").sum())) for of in (mine, theirs, held)]
    counts = [[int((of == name).sum()) for of in (mine, theirs, held)] for name in names]
    account = accounts_of(sample)[sample.is_target][mine != ""]
    told = [_independent(mine[mine != ""] == name, account) for name in names]
    items_of = [(k[2], known[2]) for k in counts]
    p = benjamini_hochberg([fisher(i, t) for i, t in zip(items_of, told, strict=True)])
    found = []
    for i, (name, (a, b, items)) in enumerate(zip(names, counts, strict=True)):
        own = covered[sample.is_target & (asked == name)]
        held_too = items > 0 and (sample.recorded or not len(own) or own.mean() >= _HALF)
        value, by_accounts = (
            a / known[0] - items / known[2],
            difference_of_shares(items_of[i], told[i]),
        )
        more = Estimate(value, min(value, by_accounts.low), max(value, by_accounts.high), known[0])
        found.append(
            Topic(name, a, a / known[0], b / known[1], items, items / known[2],
                  float(own.mean()) if len(own) else None, bool(held_too), more, float(p[i]))
        )  # fmt: skip
    return tuple(sorted(found, key=lambda topic: (-topic.target, topic.name)))


def _independent(asked: NDArray[np.bool_], account: NDArray[np.str_]) -> tuple[int, int]:
    """How many of how many requests, each of another account, would tell as much of a topic."""
    if not len(asked):
        return 0, 1
    by_account = clusters_of(asked, account)
    part, variance, n = by_account.mean, variance_of_mean(by_account), float(len(asked))
    if 0 < part < 1 and variance > 0:
        n = min(n, max(1.0, part * (1 - part) / variance))
    return round(part * n), round(n)


def measure_coverage(ask: Inquiry, found: Coverage) -> None:
    """Record the measures of the coverage."""
    sample, gap = found.sample, found.gap
    drawn = int(sample.is_target.sum())
    for name, group, n in (
        ("coverage_target", gap.second, drawn),
        ("coverage_reference", gap.first, len(sample.questions) - drawn),
    ):
        # the intervals rest on accounts, the shares are of requests
        ask.measure(name, group.value, "share:requests", c.SAMPLE,
                    ci95=(group.low, group.high), n=n)  # fmt: skip
    ask.estimate("coverage_gap", gap.difference, "points", c.SAMPLE)
    ask.measure("coverage_gap_p", gap.p, "p", c.SAMPLE, n=gap.difference.n)
    chance = found.by_chance
    ask.measure("coverage_gap_random_sets", chance.mean, "points", c.SAMPLE,
                ci95=(chance.low, chance.high), n=chance.draws)  # fmt: skip
    ask.measure("coverage_gap_random_sets_p", chance.p, "p", c.SAMPLE, n=chance.draws)
    ask.measure("coverage_gap_others_alone", found.like.others_gap, "points", c.SAMPLE)
    ask.measure("coverage_basis", sample.basis, "label", e.ITEMS, n=len(sample.items))
    ask.measure("radius", found.like.radius, "cosine distance", c.SAMPLE, n=len(sample.questions))
    zero = [
        {"topic": t.name, "share_of_target": t.target, "share_of_others": t.reference}
        for t in found.topics
        if t.target > 0 and not t.held
    ]
    ask.measure("topics_without_items", zero, "table", c.SAMPLE, n=len(found.topics))
    every = [
        {"topic": t.name, "questions": t.questions, "share_of_target": t.target,
         "share_of_others": t.reference, "items": t.items, "share_of_items": t.share,
         "covered": t.covered,
         "target_minus_items": t.more.value, "low": t.more.low, "high": t.more.high, "q": t.q}
        for t in found.topics
    ]  # fmt: skip
    ask.measure("topics", every, "table", c.SAMPLE, n=drawn)
