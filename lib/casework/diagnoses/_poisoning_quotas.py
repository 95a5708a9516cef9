"""How many items of each tier and topic a set of this size holds where it is drawn at random."""

from collections import Counter
from typing import Any

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_coverage import Coverage
from casework.stats.apportionment import apportioned


def measure_quotas(ask: Inquiry, found: Coverage) -> None:
    """Record the quotas, what the set lacks most first; none where topics are not recorded.

    They follow the traffic of all customers. A cell that is too small for an item has none. All
    items of a known topic count, also those that cannot be compared. Where fewer than half of the
    items have a tier, they are by topic alone.
    """
    sample = found.sample
    if not sample.recorded:
        return
    items, topics = sample.by_topic
    by_tier = 2 * sum(row["tier"] is not None for row in items) >= len(items)
    asked: dict[tuple[str, str], float] = {}
    weights = sample.weights.tolist()
    for row, topic, weight in zip(sample.questions, sample.topics, weights, strict=True):
        cell = _tier(row, by_tier), topic
        if topic:
            asked[cell] = asked.get(cell, 0.0) + weight
    held = Counter((_tier(row, by_tier), topic)
                   for row, topic in zip(items, topics, strict=True) if topic)  # fmt: skip
    size = held.total()
    if not asked or not size:
        return
    cells = sorted({*asked, *held})
    wanted = apportioned([asked.get(cell, 0.0) for cell in cells], size).tolist()
    whole = sum(asked.values())
    rows = [
        {"tier": cell[0], "topic": cell[1], "share_of_requests": asked.get(cell, 0.0) / whole,
         "items": held[cell], "items_at_random": quota}
        for cell, quota in zip(cells, wanted, strict=True)
    ]  # fmt: skip
    rows.sort(key=lambda row: row["items"] - row["items_at_random"])
    ask.measure("item_quotas", rows, "table", c.SAMPLE, n=len(sample.questions))


def _tier(row: dict[str, Any], by_tier: bool) -> str:
    return row["tier"] or "not recorded" if by_tier else "all"
