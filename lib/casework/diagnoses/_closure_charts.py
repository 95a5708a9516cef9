"""The pictures of `reproducibility_closure`."""

from typing import Any

from casework.diagnoses import _closure as q
from casework.diagnoses._closure_links import Chain
from casework.diagnoses._closure_reruns import Rebuilds
from casework.diagnoses._inquiry import Inquiry
from casework.stats.closure import BROKEN
from casework.visible import shorten
from casework.words import count, number, spread

_MOST = 12


def draw(ask: Inquiry, chain: Chain, rebuilds: Rebuilds) -> None:
    """Draw the inputs with their state, the rebuilds, and the gap by segment."""
    if chain.links:
        _draw_inputs(ask, chain)
    if rebuilds.scores:
        _draw_rebuilds(ask, rebuilds)
    if len(rebuilds.parts) > 1:
        _draw_segments(ask, rebuilds)


def _draw_inputs(ask: Inquiry, chain: Chain) -> None:
    table = chain.rows()
    weakest = min((r for r in table if r["critical"]), key=lambda r: (r["value"], r["kind"]))
    rows = []
    for row in table:
        name = row["kind"].replace("_", " ")
        mark = ", the weakest critical link" if row is weakest and row["value"] < 1 else (
            ", critical" if row["critical"] else "")  # fmt: skip
        role = "gate" if row["critical"] and row["value"] < BROKEN else (
            "good" if row["value"] >= 0.75 else "before")  # fmt: skip
        where = f" ({shorten(str(row['uri']), 40)})" if row["uri"] else ""
        rows.append({"label": f"{name}{mark}: {row['said']}{where}", "value": row["value"],
                     "low": None, "high": None, "role": role})  # fmt: skip
    whole = sum(row["value"] >= 0.75 for row in table)
    told = "; ".join(f"{row['kind']} {row['said']}" for row in table)
    ask.chart(
        "inputs",
        "intervals",
        f"{number(whole)} of {count(len(table), 'kinds of input')} can be fetched as recorded",
        "The worst input of each kind, from 0 (absent) to 1 (pinned, retrieved and checked).",
        f"State of the inputs: {told}.",
        rows,
        {"x_title": "state of the record", "unit": "score", "zero": True,
         "rules": [{"x": BROKEN, "label": "below this a critical link is broken",
                    "dashed": True}]},
        q.INPUTS,
    )  # fmt: skip


def _draw_rebuilds(ask: Inquiry, rebuilds: Rebuilds) -> None:
    unit = "share" if rebuilds.is_share else "score"
    overall, k = rebuilds.overall, len(rebuilds.scores)
    rows: list[dict[str, Any]] = []
    if overall:
        found = overall.prediction.interval
        rows.append(_row("where one more rebuild would fall", found.value, "after",
                         found.low, found.high))  # fmt: skip
    shown = [row for row in rebuilds.rows if not row["is_original"]][:_MOST]
    for row in shown:
        seed = "" if row["seed"] is None else f", seed {row['seed']}"
        rows.append(_row(f"{shorten(row['rerun_id'], 24)}{seed}", row["score"], "after"))
    if rebuilds.shipped is not None:
        rows.append(_row("shipped weights, scored again", rebuilds.shipped, "gate"))
    if rebuilds.record.later:
        rows.append(_row("shipped weights, in a later eval run", rebuilds.record.later.score,
                         "before"))  # fmt: skip
    if rebuilds.record.reported:
        rows.append(_row("shipped score on record", rebuilds.record.reported.score, "before"))
    outside = overall.prediction.outside if overall else None
    whose = "The shipped weights score" if rebuilds.shipped is not None else (
        "The score on record lies")  # fmt: skip
    title = {
        True: f"{whose} outside what the rebuilds predict",
        False: f"{whose} among the rebuilds",
        None: f"{rebuilds.told}, too few to say where another would fall"
        if rebuilds.few
        else f"{rebuilds.told}, and no score of the shipped weights",
    }[outside]
    ask.chart(
        "rebuilds",
        "intervals",
        title,
        f"Scores of {count(k, 'rebuilds')} (at most {_MOST} drawn) with the 95 % prediction "
        "interval of one more.",
        f"{title}; mean of the rebuilds {number(sum(rebuilds.scores) / k)}, compared with "
        f"{number(rebuilds.target)}.",
        rows,
        {"x_title": "score", "unit": unit},
        q.RUNS,
    )


def _draw_segments(ask: Inquiry, rebuilds: Rebuilds) -> None:
    unit = "points" if rebuilds.is_share else "score"
    parts = sorted(rebuilds.parts[1:], key=lambda part: part.prediction.gap.value)
    rows = [
        _row(
            "all items",
            rebuilds.parts[0].prediction.gap.value,
            "before",
            rebuilds.parts[0].prediction.gap.low,
            rebuilds.parts[0].prediction.gap.high,
        )
    ]
    lowest = parts[0]
    apart = sorted(parts, key=lambda part: -abs(part.prediction.gap.value))[:_MOST]
    for part in (part for part in parts if part in apart):
        gap, role = part.prediction.gap, "gate" if part.prediction.outside else "after"
        rows.append(_row(part.name, gap.value, role, gap.low, gap.high))
    gap = apart[0].prediction.gap
    cut = f" (the {_MOST} that differ most)" if len(parts) > _MOST else ""
    ask.chart(
        "segments",
        "intervals",
        f"Rebuilds differ most in {apart[0].name}: {spread(gap.value, (gap.low, gap.high), unit)}",
        f"Rebuilds minus shipped weights by segment{cut}, with 95 % prediction intervals.",
        f"Gap of {count(len(parts), 'segments')}; the lowest {lowest.name}, "
        f"{number(lowest.prediction.gap.value)}.",
        rows,
        {"x_title": "rebuilds minus shipped weights", "unit": unit, "zero": True},
        q.SEGMENTS,
    )  # fmt: skip


def _row(
    label: str, value: float, role: str, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    return {"label": label, "value": value, "low": low, "high": high, "role": role}
