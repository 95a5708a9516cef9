"""The NPS change of the target, with its answers weighted by who was there to answer.

Who answers is chance of another kind than who is asked: large accounts, or those about to leave,
answer less. Answers are weighted to the accounts that were there when a wave was sent out, by
class (tier, left or not, third of revenue), so that a class counts as it is, not as it answers. It
is right where within a class answering says nothing of the answer. A class without an answer is
silent, and only bounds hold whatever it would have said.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casework.case import Query
from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_target import FEWEST_ACCOUNTS, Rows, Survey, Target
from casework.stats.bounds import manski
from casework.stats.cluster_means import change_within
from casework.stats.estimates import Estimate
from casework.stats.weights import rake

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weighted:
    """The NPS change, last wave minus first, of the classes that answered in both.

    Attributes:
        change: with answers weighted to the accounts that were there; None where fewer than five
            of them answered in a wave.
        low, high: bounds of the change of all accounts, whatever silent classes would have said.
        silent: share of the accounts of the last wave in classes that are silent in a wave.
        answered: share of the accounts of the last wave of which somebody answered.
    """

    change: Estimate | None
    low: float
    high: float
    silent: float
    answered: float


def weigh(ask: Inquiry, target: Target, survey: Survey, answers: Rows) -> Weighted | None:
    """Weight the answers of the target; None without accounts or without two waves of them."""
    known = [row for row in answers if row["size"] is not None]
    parts = survey.in_waves(known)
    if not all(part.any() for part in parts):
        return None
    asked = [
        min(row["asked_at"] for row, inside in zip(known, part, strict=True) if inside)
        for part in parts
    ]
    panel = ask.ask(c.PANEL, first_asked=asked[0], last_asked=asked[1])
    there = [
        {_class(row): row[name] for row in panel if target.holds(row) and row[name]}
        for name in ("first_there", "last_there")
    ]
    classes = [_class(row) for row in known]
    voiced = set.intersection(
        *({k for k, inside in zip(classes, part, strict=True) if inside and k in totals}
          for part, totals in zip(parts, there, strict=True))
    )  # fmt: skip
    if not voiced:
        return None
    weights = np.zeros(len(known))
    for part, totals in zip(parts, there, strict=True):
        weights += _weights(classes, part, {k: totals[k] for k in voiced})
    waves = survey.waves(known, weights)
    if waves is None:
        return None
    seen = [sum(t[k] for k in voiced) / sum(t.values()) for t in there]
    first, last = (
        manski(s, min(1.0, max(-1.0, wave.mean)), -1.0, 1.0)
        for s, wave in zip(seen, waves, strict=True)
    )
    enough = min((wave.n > 0).sum() for wave in waves) >= FEWEST_ACCOUNTS
    return Weighted(
        change=change_within(*waves) if enough else None,
        low=last[0] - first[1],
        high=last[1] - first[0],
        silent=1 - seen[1],
        answered=float((waves[1].n > 0).sum()) / sum(there[1].values()),
    )


def measure_response(ask: Inquiry, found: Weighted | None, by: Query) -> None:
    """Record the measures of the weighted change."""
    ask.estimate("nps_change_weighted", found.change if found else None, "points", by)
    if found is None:
        return
    ask.measure("nps_change_lower_bound", found.low, "points", by)
    ask.measure("nps_change_upper_bound", found.high, "points", by)
    ask.measure("nps_silent_share", found.silent, "share:accounts", by)
    ask.measure("nps_answered_share", found.answered, "share:accounts", by)


def _class(row: dict[str, Any]) -> str:
    return f"{row['tier']}/{row['churned']}/{row['size']}"


def _weights(classes: list[str], part: NDArray[np.bool_], totals: dict[str, int]) -> Floats:
    """Weights of the answers of a wave that add up to the accounts of each class, else zero."""
    used = np.array([inside and k in totals for k, inside in zip(classes, part, strict=True)])
    levels = [k for k, one in zip(classes, used, strict=True) if one]
    found = np.zeros(len(classes))
    # a mean weight of one keeps the numbers of answers readable
    scale = len(levels) / sum(totals.values())
    found[used] = rake({"class": levels}, {"class": {k: n * scale for k, n in totals.items()}})
    return found
