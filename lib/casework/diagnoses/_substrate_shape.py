"""Did the scores of pairs change in another way than in the middle that is searched for changes?"""

from collections.abc import Sequence
from typing import Any

from casework.diagnoses import _substrate_rows as rows
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import Change, Substrate
from casework.diagnoses._substrate_scores import SEARCH_ALPHA
from casework.findings import Finding
from casework.stats.changepoints import distribution_break
from casework.stats.multiplicity import holm
from casework.words import count, p_value

FEW_DAYS = 14
"""Days between two changes of which a break can be told, at least."""
BLOCK = 3
"""Days that stay together in the series without a break. Where the quantiles of neighbouring days
are correlated by a half, so few call every third or fourth series of noise a break."""
QUANTILES = ("q10", "q25", "q50", "q75", "q90")

Days = Sequence[dict[str, Any]]


def shape_found(ask: Inquiry, substrate: Substrate, seed: int) -> tuple[Finding, ...]:
    """Search the days between the changes for a break of the whole distribution of scores.

    Some pairs may move up and others down: the middle stays then, and the quantiles do not.
    """
    if substrate.source != "scores":
        return ()
    days = ask.ask(rows.DAILY_SHAPE)
    between = [part for part in _between(days, substrate.changes) if len(part) >= FEW_DAYS]
    if not between:
        return ()
    breaks = [
        distribution_break([[row[q] for q in QUANTILES] for row in part], seed=seed, block=BLOCK)
        for part in between
    ]
    adjusted = holm([one.p for one in breaks])
    least = min(range(len(breaks)), key=lambda i: adjusted[i])
    p, day = adjusted[least], between[least][breaks[least].index]["day"]
    n = sum(len(part) for part in between)
    ask.measure("score_distribution_p", p, "p", rows.DAILY_SHAPE, n=n)
    where, too, further = (
        ("Between the changes, in the experiment or not, the", " too", "further ")
        if substrate.changes
        else ("The", "", "")
    )
    text = (
        f"{where} distribution of the scores changed{too}, on {day:%Y-%m-%d} ({p_value(p)}): "
        "some pairs moved and others did not, or in other directions, or scores wander for longer "
        f"than the {count(BLOCK, 'days')} that the test keeps together. It is not counted as a "
        "change."
        if p < SEARCH_ALPHA
        else f"Quantiles of the scores by day show no {further}break "
        f"({p_value(p)} for so large a one among {count(n, 'days')})."
    )
    return (Finding(text, ("score_distribution_p",), (ask.evidence_id(rows.DAILY_SHAPE),)),)


def _between(days: Days, changes: Sequence[Change]) -> list[Days]:
    """The days of each level; none in which a change may lie."""
    parts, left = [], list(days)
    for change in sorted(changes, key=lambda one: one.started):
        parts.append([row for row in left if row["last"] <= change.started])
        left = [row for row in left if row["first"] >= change.ended]
    return [*parts, left]
