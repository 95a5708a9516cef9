"""The pictures of `substrate_rotation`."""

from collections.abc import Sequence
from typing import Any

from casework.diagnoses import _substrate_rows as rows
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import Change, Substrate
from casework.diagnoses._substrate_lifts import Effects
from casework.words import count, instant, number, spread

_SHOWN = 300
_DECIMALS = 4
"""Of a distance: below lies the rounding of the embeddings' own numbers."""


def draw(ask: Inquiry, substrate: Substrate, changes: Sequence[Change], effects: Effects) -> None:
    """Draw distance and lift over time, and the lifts side by side."""
    _draw_time(ask, substrate, changes, effects)
    if effects.pooled:
        _draw_lifts(ask, effects)


def _draw_time(
    ask: Inquiry, substrate: Substrate, changes: Sequence[Change], effects: Effects
) -> None:
    marks = []
    if substrate.source == "vectors":
        by = rows.DISTANCES
        asked = {**substrate.asked, "judged": substrate.numbers}
        for grain in ("hour", "day", "week"):
            seen = ask.case.rows(by, cohort=grain, **asked).rows
            if len(seen) <= _SHOWN:
                break
        for row in ask.ask(by, cohort=grain, **asked):
            marks.append(_mark(row["first"], row["distance"], row["low"], row["high"]))
    else:
        by = rows.DAILY_SCORES
        marks = [_mark(row["first"], row["distance"], None, None) for row in ask.ask(by)]
    lifts, of = _lifts(effects), ", points" if effects.is_ratio else ""
    what = "distance of the texts" if substrate.source == "vectors" else "distance of the scores"
    inside = count(len(changes), "changes") if changes else "no change"
    brackets = "; ".join(f"{instant(c.started)} to {instant(c.ended)}" for c in changes) or "none"
    ask.chart(
        "over_time",
        "lines",
        f"The substrate shows {inside} while the experiment ran",
        "Above: distance from the first embedding, middle 80 of 100 texts. Below: the lift in each "
        "regime with its 95 % interval. Ruled: when each change is seen first. Distances are "
        f"drawn to {number(10.0**-_DECIMALS)}.",
        f"Changes of the substrate: {brackets}. "
        + "; ".join(f"{row['series']} lift {number(row['value'])}" for row in lifts[::2]) + ".",
        [*marks, *lifts],
        {
            "x_title": "UTC",
            "y_titles": {"distance": what, "lift": f"lift of {effects.metric}{of}"},
            "unit": "",
            "zero": True,
            "rules": [{"x": c.ended, "label": f"change {i}", "role": "gate"}
                      for i, c in enumerate(changes, start=1)],
        },
        by,
    )  # fmt: skip


def _lifts(effects: Effects) -> list[dict[str, Any]]:
    """The lift of each regime from its start to its end, that of a ratio in points."""
    times = 100 if effects.is_ratio else 1
    return [
        {"x": at, "value": times * r.lift.value, "low": times * r.lift.low,
         "high": times * r.lift.high, "series": f"regime {i}", "role": "after",
         "panel": "lift"}
        for i, r in enumerate(effects.regimes, start=1) if r.lift for at in (r.start, r.end)
    ]  # fmt: skip


def _mark(at: Any, value: float, low: float | None, high: float | None) -> dict[str, Any]:
    ends = {name: None if end is None else round(end, _DECIMALS)
            for name, end in (("low", low), ("high", high))}  # fmt: skip
    return {"x": at, "value": round(value, _DECIMALS), **ends, "series": "distance",
            "role": "before", "panel": "distance"}  # fmt: skip


def _draw_lifts(ask: Inquiry, effects: Effects) -> None:
    pooled = effects.pooled
    if pooled is None:
        return
    dots = [("as read out, all regimes", pooled, "before")]
    last = len(effects.regimes) - 1
    for place, regime in enumerate(effects.regimes):
        if regime.lift:
            ships = ", ships" if place == last and last else ""
            dots.append((f"regime {place + 1}{ships}", regime.lift, "after"))
    marks: list[dict[str, Any]] = [
        {"label": label, "value": e.value, "low": e.low, "high": e.high, "role": role}
        for label, e, role in dots
    ]
    title = "The lift in each regime"
    shipping = effects.shipping
    if shipping and last:
        read, ships = (spread(e.value, (e.low, e.high), effects.unit, signed=True)
                       for e in (pooled, shipping))  # fmt: skip
        title = f"Read out {read}; under what ships {ships}"
    ask.chart(
        "lifts",
        "intervals",
        title,
        "Treatment minus control with 95 % intervals, units as clusters.",
        "Lift: " + "; ".join(f"{m['label']} {number(m['value'])}" for m in marks) + ".",
        marks,
        {"x_title": f"lift in {effects.unit}", "unit": "points" if effects.is_ratio else "",
         "zero": True, "rules": []},
        effects.query,
    )  # fmt: skip
