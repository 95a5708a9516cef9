"""Coverage of each group of customers: by tier, and of those that left and those that stayed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_coverage import Coverage
from casework.diagnoses._poisoning_likeness import accounts_of
from casework.diagnoses._poisoning_target import CHURNED, FEWEST_ACCOUNTS, Target
from casework.findings import Finding
from casework.stats.cluster_means import Clusters, cluster_mean
from casework.stats.composition import kish
from casework.stats.estimates import Estimate, minus
from casework.words import count, number, share, spread

_DRAWS = 499
_NAMED = 4
_ALL, _LEFT, _STAYED = "all", "left", "stayed"


def measure_groups(ask: Inquiry, target: Target, found: Coverage) -> None:
    """Record the coverage of each group of five accounts or more, and what leavers lack.

    Of the target also how few accounts ask most: the interval of its coverage rests on them.
    """
    sample = found.sample
    account = accounts_of(sample)
    rows = []
    for tier, stay, part in _parts(sample.questions):
        covered = _coverage(found, account, part, target.seed)
        if covered.n >= FEWEST_ACCOUNTS:
            rows.append({"tier": tier, "accounts_that": stay, "coverage": covered.value,
                         "low": covered.low, "high": covered.high,
                         "requests": int(part.sum()), "accounts": covered.n})  # fmt: skip
    ask.measure("coverage_by_group", rows, "table", c.SAMPLE, n=len(sample.questions))
    _, asked = np.unique(account[sample.is_target], return_counts=True)
    drawn = int(asked.sum())
    ask.measure("target_accounts_effective", kish(asked), "count:accounts", c.SAMPLE, n=drawn)
    ask.measure("largest_account_share", float(asked.max() / drawn), "share:requests", c.SAMPLE,
                n=drawn)  # fmt: skip
    if target.by == CHURNED:
        return  # what leavers lack is the gap itself
    left, stayed = (
        _coverage(found, account, sample.is_target & gone, target.seed)
        for gone in _left_or_stayed(sample.questions)
    )
    if min(left.n, stayed.n) >= FEWEST_ACCOUNTS:
        ask.estimate("coverage_gap_leavers", minus(stayed, left), "points", c.SAMPLE)


def grouped(ask: Inquiry, target: Target, found: Coverage) -> Finding:
    """State the coverage by tier, and what those of the target that left lack beside the others."""
    rows = ask.measures["coverage_by_group"].value
    tiers = sorted((row for row in rows if row["accounts_that"] == _ALL and row["tier"] != _ALL),
                   key=lambda row: row["coverage"])  # fmt: skip
    effective, largest = (
        ask.measures[name].value for name in ("target_accounts_effective", "largest_account_share")
    )
    names = ["coverage_by_group", "target_accounts_effective", "largest_account_share"]
    told = [
        f"What {target.label} customers ask rests on {number(round(effective, 1))} accounts in "
        f"effect; the largest asks {share(largest)} of it."
    ]
    if len(tiers) > 1:
        each = [f"{row['tier']} {_said(row)}" for row in tiers[:_NAMED]]
        more = f" and {len(tiers) - _NAMED} more" if len(tiers) > _NAMED else ""
        few = len({_tier(row) for row in found.sample.questions}) - len(tiers)
        of_five = f" with {FEWEST_ACCOUNTS} accounts or more" if few else ""
        rest = f"; of {count(few, 'tiers')} with fewer it is not told" if few else ""
        told.append(
            f"Covered is of each tier{of_five}, the least first: {', '.join(each)}{more}{rest}."
        )
    if gap := ask.measures.get("coverage_gap_leavers"):
        names.append("coverage_gap_leavers")
        told.append(
            f"What {target.label} customers that left ask is covered "
            f"{spread(gap.value, gap.ci95, 'points')} less than what those that stayed ask."
        )
    elif target.by != CHURNED:
        told += _few_leavers(target, found)
    evidence = (ask.evidence_id(c.SAMPLE), ask.evidence_id(e.ITEMS))
    return Finding(" ".join(told), tuple(names), evidence)


def _few_leavers(target: Target, found: Coverage) -> list[str]:
    """Why it is not told what those that left lack; nothing where nobody left."""
    account = accounts_of(found.sample)
    left, stayed = (
        len(np.unique(account[found.sample.is_target & gone]))
        for gone in _left_or_stayed(found.sample.questions)
    )
    if not left:
        return []
    return [
        f"Of {target.label} customers {count(left, 'accounts')} that left and {number(stayed)} "
        f"that stayed asked: what those that left lack takes {FEWEST_ACCOUNTS} of each."
    ]


def _parts(questions: list[dict[str, Any]]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Name of the tier, whether they left, and which questions are theirs; none without any."""
    tier = np.array([_tier(row) for row in questions], str)
    everyone, (left, stayed) = np.ones(len(tier), bool), _left_or_stayed(questions)
    for name, mine in [(_ALL, everyone), *((str(one), tier == one) for one in np.unique(tier))]:
        yield name, _ALL, mine
        if (mine & left).any() and (mine & stayed).any():
            yield name, _LEFT, mine & left
            yield name, _STAYED, mine & stayed


def _tier(row: dict[str, Any]) -> str:
    return row["tier"] or "not recorded"


def _left_or_stayed(
    questions: list[dict[str, Any]],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    left = np.array([row["churned"] for row in questions], bool)
    return left, ~left


def _coverage(
    found: Coverage, account: NDArray[np.str_], part: NDArray[np.bool_], seed: int
) -> Estimate:
    """Share of the requests that those drawn stand for; over accounts."""
    if not part.any():
        return Estimate(0.0, 0.0, 1.0, 0)
    _, place = np.unique(account[part], return_inverse=True)
    weights = found.sample.weights[part]
    groups = Clusters(
        np.asarray(np.bincount(place, weights * found.like.covered[part]), np.float64),
        np.asarray(np.bincount(place, weights), np.float64),
    )
    return cluster_mean(groups, seed, _DRAWS)


def _said(row: dict[str, Any]) -> str:
    return spread(row["coverage"], (row["low"], row["high"]), "share")
