"""Who gives thumbs, what they would say if everybody gave them, and which became items."""

from collections import Counter

import numpy as np

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_sample import Sample
from casework.diagnoses._poisoning_selection import measure_selection, selected
from casework.diagnoses._poisoning_target import FEWEST_ACCOUNTS, Target
from casework.findings import Finding
from casework.stats.bounds import manski, tipping_point
from casework.stats.cluster_means import Clusters, change_within
from casework.stats.composition import kish
from casework.stats.weights import hajek
from casework.words import count, number, share, spread


def measure_thumbs(ask: Inquiry, target: Target, sample: Sample) -> None:
    """Record who the items came from, and the approval that thumbs show."""
    items = sample.every_item
    tiers = [row["tier"] for row in items if row["tier"] is not None]
    top = max(Counter(tiers).values(), default=0)
    most = top / len(tiers) if tiers else None
    ask.measure("top_cohort_item_share", most, "share:items", e.ITEMS, n=len(tiers))
    owners = [row["account_id"] for row in items if row["account_id"] is not None]
    each = [n for _, n in sorted(Counter(owners).items())]
    ask.measure("accounts_behind_items", kish(each) if each else None, "count:accounts", e.ITEMS,
                n=len(owners))  # fmt: skip
    thumbed = sum(row["origin"].startswith("thumb") for row in items)
    known = sum(row["origin"] != "unknown" for row in items)
    ask.measure("items_from_thumbs", thumbed / known if known else None, "share:items", e.ITEMS,
                n=known)  # fmt: skip
    if thumbed:
        measure_selection(ask, target)
    if ask.case.filled("feedback"):
        _measure_approval(ask, target)
        _measure_change(ask, target, sample)


def _measure_approval(ask: Inquiry, target: Target) -> None:
    """Share of thumbs up: as given, weighted to the traffic of each tier, and in bounds.

    Hájek's mean is right where within a tier thumbs say nothing of who gives none; Manski's bounds
    hold whatever those who gave none think.
    """
    requests: dict[str | None, int] = {}
    for row in target.traffic:
        requests[row["tier"]] = requests.get(row["tier"], 0) + row["requests"]
    thumbs: dict[str | None, list[int]] = {}
    for row in ask.ask(c.THUMBS, **target.params):
        counts = thumbs.setdefault(row["tier"], [0, 0])
        counts[0] += row["up"]
        counts[1] += row["down"]
    rated = {tier: k for tier, k in thumbs.items() if sum(k) and requests.get(tier)}
    n = sum(sum(k) for k in rated.values())
    if not n:
        return
    y = np.repeat([1.0, 0.0] * len(rated), [k for counts in rated.values() for k in counts])
    chance = np.repeat([min(1.0, sum(k) / requests[tier]) for tier, k in rated.items()],
                       [sum(k) for k in rated.values()])  # fmt: skip
    raw = float(y.mean())
    low, high = manski(min(1.0, n / sum(requests.values())), raw)
    ask.measure("approval", raw, "share:thumbs", c.THUMBS, n=n)
    ask.measure("approval_weighted", hajek(y, chance), "share:requests", c.THUMBS, n=n)
    ask.measure("approval_lower_bound", low, "share:requests", c.THUMBS, n=n)
    ask.measure("approval_upper_bound", high, "share:requests", c.THUMBS, n=n)


def _measure_change(ask: Inquiry, target: Target, sample: Sample) -> None:
    """Change of the share of thumbs up between the halves of the time, and what would undo it.

    Both halves may be wrong by as much, as those who give no thumb are silent in both. How much
    lower than is assumed must they approve in the second half alone, for the rise to be gone? None
    where even their approval of nothing leaves some of it. The requests of that half are those that
    the drawn ones stand for.
    """
    rows = ask.ask(c.THUMBS_OVER_TIME, **target.params)
    early, late = (
        Clusters(*(np.array([row[name] for row in rows], np.float64) for name in (f"{at}_up", at)))
        for at in ("early", "late")
    )
    if min((half.n > 0).sum() for half in (early, late)) < FEWEST_ACCOUNTS:
        return
    change = change_within(early, late)
    ask.estimate("approval_change", change, "points", c.THUMBS_OVER_TIME)
    is_late = np.array([q["occurred_at"] >= target.params["middle"] for q in sample.questions])
    requests = float(sample.weights[is_late].sum())
    given = float(late.n.sum())
    if change.low <= 0 or given >= requests:
        return
    tipping = tipping_point(change.value, given / requests)
    if tipping is not None and tipping > late.mean:
        tipping = None  # they are taken to approve of as many as thumbs do, and cannot of fewer
    ask.measure("approval_tipping_point", tipping, "points", c.THUMBS_OVER_TIME, n=round(given))


def choosing(ask: Inquiry, target: Target) -> Finding:
    """State which thumbs became items, and whose."""
    top, thumbs = ask.measures["top_cohort_item_share"], ask.measures["items_from_thumbs"]
    text = (
        f"Of {count(top.n or 0, 'items')} whose tier is known {share(top.value)} stem from one"
        if top.value is not None
        else "No item has a tier"
    )
    if thumbs.value is not None:
        text += f"; {share(thumbs.value)} of those whose source is known have a thumb"
    names = ["top_cohort_item_share", "items_from_thumbs", "accounts_behind_items"]
    if thumbs.value:
        text += selected(ask, target)
        names += [name for name in ("item_selection", "item_selection_gap") if name in ask.measures]
    queries = (e.ITEMS, c.CHOSEN) if "item_selection" in names else (e.ITEMS,)
    return Finding(f"{text}.", tuple(names), tuple(map(ask.evidence_id, queries)))


def approving(ask: Inquiry) -> tuple[Finding, ...]:
    """State what thumbs say, and how much those who give none could change it; or nothing."""
    found = []
    if approval := ask.measures.get("approval"):
        weighted = ask.measures["approval_weighted"]
        low, high = (ask.measures[f"approval_{end}_bound"].value for end in ("lower", "upper"))
        text = (
            f"Of {number(approval.n)} thumbs {share(approval.value)} are up, weighted to the "
            f"requests of each tier {share(weighted.value)}; of all requests it may be anything "
            f"from {share(low)} to {share(high)}."
        )
        names = ("approval", "approval_weighted", "approval_lower_bound", "approval_upper_bound")
        found.append(Finding(text, names, (ask.evidence_id(c.THUMBS),)))
    if change := ask.measures.get("approval_change"):
        text = (
            "From the first half of the time to the second the share of thumbs that are up moved "
            f"by {spread(change.value, change.ci95, 'points')}"
        )
        if tipping := ask.measures.get("approval_tipping_point"):
            text += (
                ". Nothing of that rise is left if requests without a thumb in the second half "
                f"are approved by {spread(tipping.value, None, 'points')} less than is assumed"
                if tipping.value is not None
                else ". Some of that rise is left even if no request without a thumb in the second "
                "half is approved"
            )
        moved = tuple(n for n in ("approval_change", "approval_tipping_point") if n in ask.measures)
        found.append(Finding(f"{text}.", moved, (ask.evidence_id(c.THUMBS_OVER_TIME),)))
    return tuple(found)
