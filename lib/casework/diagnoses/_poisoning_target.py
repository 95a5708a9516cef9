"""Which suite is judged, over which time, and for which customers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._ids import ids_differ
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name
from casework.stats.cluster_means import Clusters, change_within
from casework.stats.estimates import Estimate
from casework.stats.nps import Answers, adjusted_wald

CHURNED = "churned"
FEWEST_ACCOUNTS = 5
_PAUSE = timedelta(days=21)
_SHARE_OF_A_WAVE = 0.1

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Survey:
    """Answers to the survey in time order, with the two waves that are compared.

    Attributes:
        answers: rows of `answers`.
        first_until: last instant of the first wave.
        last_from: first instant of the last wave.
    """

    answers: Rows
    first_until: datetime
    last_from: datetime

    def change(self, answers: Rows) -> Estimate | None:
        """NPS of the last wave minus that of the first, clustered by account."""
        waves = self.waves(answers)
        if not waves or min(w.n.sum() for w in waves) < 2:
            return None
        return change_within(*waves)

    def waves(
        self, answers: Rows, weights: NDArray[np.float64] | None = None
    ) -> tuple[Clusters, Clusters] | None:
        """Sums of votes by account in the first and in the last wave, in the same order.

        An answer counts as often as its weight says.
        """
        if not answers:
            return None
        _, place = np.unique([row["account_id"] for row in answers], return_inverse=True)
        votes = np.array([row["vote"] for row in answers], np.float64)
        early, late = self.in_waves(answers)
        weight = np.ones(len(answers)) if weights is None else weights
        size = int(place.max()) + 1
        first, last = (
            Clusters(
                np.asarray(np.bincount(place, votes * part * weight, size), np.float64),
                np.asarray(np.bincount(place, part * weight, size), np.float64),
            )
            for part in (early, late)
        )
        return (first, last) if first.n.sum() and last.n.sum() else None

    def in_waves(self, answers: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which answers belong to the first wave, and which to the last."""
        at = [row["responded_at"] for row in answers]
        return (
            np.array([one <= self.first_until for one in at], bool),
            np.array([one >= self.last_from for one in at], bool),
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What is judged.

    Attributes:
        suite: the eval suite.
        by: `tier` or `churned`.
        tier: the tier as it is compared, in lower case; or `churned`.
        name: the same as it is written.
        why: how the target was chosen.
        first_week, last_week: of the suite.
        weeks: how many weeks have a run.
        opened_at, closed_at: the time that is looked at.
        seed: of all draws.
        traffic: rows of `traffic`.
    """

    suite: str
    by: str
    tier: str
    name: str
    why: str
    first_week: datetime
    last_week: datetime
    weeks: int
    opened_at: datetime
    closed_at: datetime
    seed: int
    traffic: Rows

    @property
    def label(self) -> str:
        """The target customers as they are called in a sentence."""
        return "churned" if self.by == CHURNED else self.name

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the queries."""
        names = ("suite", "by", "first_week", "last_week", "opened_at", "closed_at", "seed")
        middle = self.opened_at + (self.closed_at - self.opened_at) / 2
        return {n: getattr(self, n) for n in names} | {"target": self.tier, "middle": middle}

    def holds(self, row: dict[str, Any]) -> bool:
        """Whether a row with `tier` and `churned` is one of the target customers."""
        return bool(row["churned"]) if self.by == CHURNED else row["tier"] == self.tier


def settle_suite(ask: Inquiry, suite: str | None) -> dict[str, Any] | None:
    """The given suite, else of those that were run for long the one that came from traffic.

    Of these again the one that was run in most weeks, then with most items: a set of fixed
    questions that nobody asked is not what thumbs choose, however large it is.
    """
    ask.case.hold(e.SOURCES)
    suites = ask.ask(e.SUITES)
    if not suites:
        return None
    longest = suites[0]["weeks"]
    of_traffic = [row for row in suites if 2 * row["from_traffic"] >= row["items"]]
    of_traffic = [row for row in of_traffic if 2 * row["weeks"] >= longest]
    chosen = ask.infer("suite", suite, [*of_traffic, *suites][0]["suite"])
    for row in suites:
        if row["suite"] == chosen:
            return row
    raise unknown_name("suite", str(chosen), [row["suite"] for row in suites])


def read_survey(ask: Inquiry) -> Survey | None:
    """The survey with its first and last wave: parted by a pause, else by thirds of the time."""
    answers = ask.ask(c.ANSWERS)
    if len(answers) < 2:
        return None
    times = [row["responded_at"] for row in answers]
    edges = [i for i in range(1, len(times)) if times[i] - times[i - 1] >= _PAUSE]
    waves = [times[a:b] for a, b in zip([0, *edges], [*edges, len(times)], strict=True)]
    waves = [wave for wave in waves if len(wave) >= _SHARE_OF_A_WAVE * len(times)]
    if len(waves) > 1:
        return Survey(answers, waves[0][-1], waves[-1][0])
    third = (times[-1] - times[0]) / 3
    if not third:
        return None
    return Survey(answers, times[0] + third, times[-1] - third)


def settle_target(
    ask: Inquiry, suite: dict[str, Any], survey: Survey | None, given: str | None, seed: int
) -> Target | None:
    """Choose the customers that matter, as the contract says, and tell why."""
    window = {"opened_at": suite["first"], "closed_at": suite["last"] + timedelta(days=7)}
    if ask.one(c.MEANWHILE, **window)["requests"] < 2:
        window["opened_at"] = suite["first"] - timedelta(days=183)
    traffic = _traffic(ask, window)
    chosen = _chosen(ask, traffic, survey, given)
    if chosen is None:
        return None
    by, tier, why = chosen
    written = [row["written"] for row in traffic if by == "tier" and row["tier"] == tier]
    name = min(written, default=tier)
    ask.infer("target", given, name)
    return Target(
        suite=suite["suite"],
        by=by,
        tier=tier,
        name=name,
        why=why,
        first_week=suite["first_week"],
        last_week=suite["last_week"],
        weeks=suite["weeks"],
        seed=seed,
        traffic=traffic,
        **window,
    )


def _traffic(ask: Inquiry, window: dict[str, datetime]) -> Rows:
    """Requests and accounts by tier; ids that differ are not looked at once more, by group."""
    once = ids_differ(ask, c.IDS, **window)
    return ask.ask(c.TRAFFIC_ONCE if once else c.TRAFFIC, **window)


def _chosen(
    ask: Inquiry, traffic: Rows, survey: Survey | None, given: str | None
) -> tuple[str, str, str] | None:
    tiers = sorted({row["tier"] for row in traffic if row["tier"] is not None})
    left = sum(row["accounts"] for row in traffic if row["churned"])
    if given is not None:
        folded = given.strip(" ").lower()
        if folded in tiers:
            return "tier", folded, "as given"
        if given == CHURNED and left:
            return CHURNED, CHURNED, "as given"
        raise unknown_name("target", given, [*tiers, CHURNED])
    if len(tiers) > 1 and (fallen := _fallen(tiers, survey)):
        return "tier", fallen, "the tier whose NPS fell most surely"
    stayed = sum(row["accounts"] for row in traffic if not row["churned"])
    if left >= FEWEST_ACCOUNTS and stayed:
        return CHURNED, CHURNED, "the accounts that left"
    if len(tiers) < 2:
        return None
    revenue: dict[str, float] = {}
    for row in ask.ask(c.REVENUE):
        if row["tier"] in tiers and row["revenue"]:
            revenue[row["tier"]] = revenue.get(row["tier"], 0.0) + row["revenue"]
    if revenue:
        largest = max(sorted(revenue), key=lambda tier: revenue[tier])
        return "tier", largest, "the tier with most revenue"
    return None


def _fallen(tiers: Sequence[str], survey: Survey | None) -> str | None:
    """The tier whose NPS fell most surely, of those in which it fell beyond chance.

    Compared are the falls in units of their uncertainty: of several tiers the one with the fewest
    answers would else seem to fall most.
    """
    if survey is None:
        return None
    falls = {
        tier: _fall(survey, [row for row in survey.answers if row["tier"] == tier])
        for tier in tiers
    }
    fell = {tier: fall for tier, fall in falls.items() if fall < -1}
    return min(fell, key=lambda tier: fell[tier]) if fell else None


def _fall(survey: Survey, answers: Rows) -> float:
    """Change of the NPS in units of the upper half of its interval: beyond chance below -1.

    The less certain of the clustered interval and of that of two adjusted Wald intervals, which
    covers where the few answers of a wave agree by chance. 0 where a wave is missing.
    """
    change = survey.change(answers)
    if change is None:
        return 0.0
    votes = np.array([row["vote"] for row in answers], int)
    first, last = (
        adjusted_wald(Answers(*(int((votes[part] == v).sum()) for v in (1, 0, -1))))
        for part in survey.in_waves(answers)
    )
    adjusted = (last.value - first.value) / math.hypot(
        first.value - first.low, last.high - last.value
    )
    half = change.high - change.value
    return max(adjusted, change.value / half) if half > 0 else adjusted
