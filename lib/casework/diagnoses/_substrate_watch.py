"""When the substrate changed: found from vectors or repeated scores, before outcomes are read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from casework.diagnoses import _substrate_rows as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import Change, Part, Substrate
from casework.diagnoses._substrate_scores import by_scores

MAJORITY = 0.5
"""Share of the texts on both sides of a change that must have moved."""


def part_of(ask: Inquiry, substrate: Substrate, opened: datetime, closed: datetime) -> Part | None:
    """Compare the first week of an experiment with its last; None where no vectors tell."""
    if substrate.source != "vectors":
        return None
    row = ask.one(
        q.PART, floor=substrate.floor, opened_at=opened, closed_at=closed,
        same_day=substrate.same_day,
    )  # fmt: skip
    return Part(row["moved"], row["texts"], row["noise_first"], row["noise_last"])


def watch(ask: Inquiry, seed: int) -> Substrate | None:
    """Find the changes; None where nothing is embedded or scored again and again."""
    if ask.case.filled("vectors"):
        found = _by_vectors(ask)
        if found is not None:
            return found
    return by_scores(ask, seed)


def _by_vectors(ask: Inquiry) -> Substrate | None:
    sentinels = ask.one(q.SENTINELS)
    if sentinels["vectors"] <= sentinels["texts"]:
        return None
    ask.case.hold(q.MOVES)
    floor, same_day = _floor(ask)
    found = _joined(ask.ask(q.STEPS, floor=floor))
    changes, partial = [], 0
    for one in found:
        watched = ask.one(q.WATCHED, started=one["started"], ended=one["ended"])["texts"]
        if one["texts"] >= MAJORITY * max(1, watched):
            changes.append(
                Change(one["started"], one["ended"], one["distance"], one["texts"], watched,
                       bool(one["other_dimensions"]))
            )  # fmt: skip
        else:
            partial += 1
    return Substrate(
        "vectors", tuple(changes), partial, floor, sentinels["first"], sentinels["last"],
        sentinels["vectors"], same_day=same_day,
    )  # fmt: skip


def _floor(ask: Inquiry) -> tuple[float, bool]:
    """Noise of repeats within a day, where there are some; else of neighbours. And which."""
    same_day = sum(row["pairs"] for row in ask.ask(q.QUIET, same_day=True)) >= 3
    return float(ask.one(q.FLOOR, same_day=same_day)["noise"]) + 1e-6, same_day


def _joined(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join steps whose brackets overlap: one change lies in what they have in common."""
    joined: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: row["ended"]):
        last = joined[-1] if joined else None
        if last and row["started"] < last["ended"] and last["started"] < row["ended"]:
            last["started"] = max(last["started"], row["started"])
            last["ended"] = min(last["ended"], row["ended"])
            last["texts"] += row["texts"]
            last["other_dimensions"] += row["other_dimensions"]
            last["distance"] = max(last["distance"], row["distance"])
        else:
            joined.append(dict(row))
    return joined
