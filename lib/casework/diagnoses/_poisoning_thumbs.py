"""Who gives thumbs, what they would say if everybody gave them, and which became items."""

from typing import Any

import numpy as np

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_sample import Sample
from casework.diagnoses._poisoning_target import Target
from casework.findings import Finding
from casework.stats.bounds import manski
from casework.stats.composition import kish
from casework.stats.proportions import fisher
from casework.stats.weights import hajek
from casework.words import count, number, p_value, share

_LEVEL = 0.05


def measure_thumbs(ask: Inquiry, target: Target, sample: Sample) -> None:
    """Record who the items came from, and the approval that thumbs show."""
    tiers = [row["tier"] for row in sample.items if row["tier"] is not None]
    top = max((tiers.count(tier) for tier in set(tiers)), default=0)
    most = top / len(tiers) if tiers else None
    ask.measure("top_cohort_item_share", most, "share:items", e.ITEMS, n=len(tiers))
    owners = [row["account_id"] for row in sample.items if row["account_id"] is not None]
    each = [owners.count(owner) for owner in sorted(set(owners))]
    ask.measure("accounts_behind_items", kish(each) if each else None, "count:accounts", e.ITEMS,
                n=len(owners))  # fmt: skip
    thumbed = sum(row["origin"].startswith("thumb") for row in sample.items)
    known = sum(row["origin"] != "unknown" for row in sample.items)
    ask.measure("items_from_thumbs", thumbed / known if known else None, "share:items", e.ITEMS,
                n=known)  # fmt: skip
    if ask.case.filled("feedback"):
        _measure_approval(ask, target)


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
    chosen = ask.ask(c.CHOSEN, **target.params) if thumbs.value else []
    rows = {row["signal"]: row for row in chosen}
    up, down = rows.get("up"), rows.get("down")
    if up and down:
        text += (
            f": {share(up['became_items'] / up['events'])} of thumbs up became items and "
            f"{share(down['became_items'] / down['events'])} of thumbs down, "
            f"{_beyond_chance(up, down)}"
        )
    names = ["top_cohort_item_share", "items_from_thumbs", "accounts_behind_items"]
    if approval := ask.measures.get("approval"):
        names += ["approval", "approval_weighted"]
        weighted = ask.measures["approval_weighted"]
        low, high = (ask.measures[f"approval_{end}_bound"].value for end in ("lower", "upper"))
        text += (
            f". Of {number(approval.n)} thumbs {share(approval.value)} are up, weighted to the "
            f"requests of each tier {share(weighted.value)}; of all requests it may be anything "
            f"from {share(low)} to {share(high)}"
        )
    return Finding(f"{text}.", tuple(names), (ask.evidence_id(e.ITEMS),))


def _beyond_chance(up: dict[str, Any], down: dict[str, Any]) -> str:
    shares = [(row["became_items"], row["events"]) for row in (up, down)]
    p = fisher(shares[0], shares[1])
    return f"apart {'beyond' if p < _LEVEL else 'within'} chance ({p_value(p)})"
