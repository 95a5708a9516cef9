"""Which thumbs became items of the eval: how likely each was to, by its sign and its customer."""

from casework.diagnoses import _poisoning_customers as c
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_target import Rows, Target
from casework.stats.estimates import wilson
from casework.stats.proportions import difference_of_shares, fisher
from casework.words import p_value, share, spread

_LEVEL = 0.05


def measure_selection(ask: Inquiry, target: Target) -> None:
    """Record the share of thumbs that became items by tier, and what the target's thumbs up lack.

    The unit is the thumb: that is what a curation chooses.
    """
    rows = ask.ask(c.CHOSEN, **target.params)
    table = []
    for row in rows:
        part = wilson(row["became_items"], row["events"])
        table.append({"tier": row["tier"], "target": row["is_target"], "thumb": row["signal"],
                      "thumbs": row["events"], "items": row["became_items"], "share": part.value,
                      "low": part.low, "high": part.high})  # fmt: skip
    n = sum(row["events"] for row in rows)
    ask.measure("item_selection", table, "table", c.CHOSEN, n=n)
    up = [row for row in rows if row["signal"] == "up"]
    mine, theirs = (_sums([row for row in up if row["is_target"] is own]) for own in (True, False))
    if mine[1] and theirs[1]:
        gap = difference_of_shares(mine, theirs)
        ask.estimate("item_selection_gap", gap, "points", c.CHOSEN)


def selected(ask: Inquiry, target: Target) -> str:
    """Say how many thumbs up and down became items, and of whom; empty where one sign is absent."""
    rows = ask.ask(c.CHOSEN, **target.params)
    up, down = (_sums([row for row in rows if row["signal"] == sign]) for sign in ("up", "down"))
    if not up[1] or not down[1]:
        return ""
    p = fisher(up, down)
    text = (
        f": {share(up[0] / up[1])} of thumbs up became items and {share(down[0] / down[1])} of "
        f"thumbs down, apart {'beyond' if p < _LEVEL else 'within'} chance ({p_value(p)})"
    )
    if gap := ask.measures.get("item_selection_gap"):
        text += (
            f"; of thumbs up of others {spread(gap.value, gap.ci95, 'points')} more than of those "
            f"of {target.label} customers"
        )
    return text


def _sums(rows: Rows) -> tuple[int, int]:
    """How many became items, of how many."""
    return sum(row["became_items"] for row in rows), sum(row["events"] for row in rows)
