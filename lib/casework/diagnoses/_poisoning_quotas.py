"""How many items of each tier and topic a set of this size holds where it is drawn at random."""

from collections import Counter

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_coverage import Coverage
from casework.stats.apportionment import apportioned

_UNKNOWN = "not recorded"


def measure_quotas(ask: Inquiry, found: Coverage) -> None:
    """Record the quotas, what the set lacks most first; none where topics are not recorded.

    They follow the traffic of all customers. A cell that is too small for an item has none.
    """
    sample = found.sample
    if not sample.recorded:
        return
    asked: Counter[tuple[str, str]] = Counter()
    for row, topic, weight in zip(sample.questions, sample.topics, sample.weights, strict=True):
        if topic:
            asked[row["tier"] or _UNKNOWN, topic] += weight
    held = Counter(
        (row["tier"] or _UNKNOWN, topic)
        for row, topic in zip(sample.items, sample.item_topics, strict=True)
        if topic
    )
    size = held.total()
    if not asked or not size:
        return
    cells = sorted({*asked, *held})
    wanted = apportioned([asked[cell] for cell in cells], size).tolist()
    whole = asked.total()
    rows = [
        {"tier": cell[0], "topic": cell[1], "share_of_requests": asked[cell] / whole,
         "items": held[cell], "items_at_random": quota}
        for cell, quota in zip(cells, wanted, strict=True)
    ]  # fmt: skip
    rows.sort(key=lambda row: row["items"] - row["items_at_random"])
    ask.measure("item_quotas", rows, "table", c.SAMPLE, n=len(sample.questions))
