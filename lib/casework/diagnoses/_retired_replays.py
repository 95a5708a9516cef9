"""Whether replays tell the candidates of a ticket apart, and from checkpoints that are none."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from casework.diagnoses import _retired_candidates as c
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._retired_judged import Replays
from casework.findings import Finding
from casework.stats.multiplicity import holm
from casework.stats.proportions import difference_of_shares, fisher
from casework.visible import shorten
from casework.words import count, number, p_value

_ALPHA = 0.05
_OTHERS = "other checkpoints"


def measure_contrasts(ask: Inquiry, replays: Replays, known: dict[str, Any]) -> None:
    """Compare the replays of each ticket on its candidates by two, and on each with the control.

    The candidates are those before replays were looked at; the control is all other checkpoints
    on which the report was replayed. Holm over all comparisons.
    """
    if not replays.counts:
        return
    candidates: dict[str, set[str]] = defaultdict(set)
    for row in ask.ask(c.CANDIDATES, **known):
        candidates[row["ticket_id"]].add(row["checkpoint"])
    pairs = [
        pair
        for ticket, found in sorted(replays.counts.items())
        for pair in _pairs(ticket, dict(found), candidates[ticket])
    ]
    adjusted = holm([row["p"] for row in pairs])
    rows = [{**row, "p_holm": p} for row, p in zip(pairs, adjusted, strict=True)]
    rows.sort(key=lambda row: (row["p_holm"], row["p"], row["ticket_id"], row["first"]))
    done = sum(n for found in replays.counts.values() for _, n in found.values())
    ask.measure("reproduction_contrasts", rows, "table", c.REPLAYS, n=done)
    told_apart = sum(p < _ALPHA for p in adjusted)
    ask.measure("reproductions_told_apart", told_apart if rows else None, "count:comparisons",
                c.REPLAYS, n=len(rows))  # fmt: skip


def _pairs(
    ticket: str, found: dict[str, tuple[int, int]], candidates: set[str]
) -> Iterator[dict[str, Any]]:
    own = {name: kn for name, kn in sorted(found.items()) if name in candidates}
    others = [kn for name, kn in found.items() if name not in candidates]
    sides = [*combinations(own.items(), 2)]
    if others:
        control = (_OTHERS, (sum(k for k, _ in others), sum(n for _, n in others)))
        sides += [(one, control) for one in own.items()]
    for (first, a), (second, b) in sides:
        apart = difference_of_shares(b, a)
        yield {
            "ticket_id": ticket, "first": first, "second": second,
            "is_control": second == _OTHERS, "first_reproduced": a[0], "first_replays": a[1],
            "second_reproduced": b[0], "second_replays": b[1], "difference": apart.value,
            "low": apart.low, "high": apart.high, "p": fisher(a, b),
        }  # fmt: skip


def of_contrasts(ask: Inquiry) -> Iterator[Finding]:
    """State how many comparisons tell checkpoints apart, and the clearest one."""
    measure = ask.measures.get("reproduction_contrasts")
    if measure is None or not measure.value:
        return
    rows, apart = measure.value, ask.measures["reproductions_told_apart"].value
    row = rows[0]
    names = [row[side] if row[side] == _OTHERS else shorten(row[side].removeprefix("sha256:"), 12)
             for side in ("first", "second")]  # fmt: skip
    controls = sum(row["is_control"] for row in rows)
    yield Finding(
        f"Of {count(len(rows), 'comparisons')} of replays, {number(controls)} of them with "
        f"checkpoints that are no candidates, {number(apart)} tell the two apart (Fisher's exact "
        f"test, p below {_ALPHA} after Holm). The clearest is of ticket "
        f"{shorten(row['ticket_id'], 40)}: {number(row['first_reproduced'])} of "
        f"{count(row['first_replays'], 'replays')} on {names[0]} reproduced it and "
        f"{number(row['second_reproduced'])} of {number(row['second_replays'])} on {names[1]}, "
        f"{p_value(row['p_holm'])}.",
        ("reproduction_contrasts", "reproductions_told_apart"),
        (ask.evidence_id(c.REPLAYS),),
    )
