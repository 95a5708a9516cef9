"""The pictures of `prompt_leakage`."""

from typing import Any

import numpy as np

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_case import Investigated
from casework.diagnoses._leak_effect import mean_score
from casework.diagnoses._leak_references import NONE
from casework.diagnoses._leak_runs import AS_RUN, LEFT_OUT
from casework.diagnoses._leak_similarity import PRESET
from casework.diagnoses._leak_verdict import falls, said, said_score
from casework.stats.estimates import Estimate
from casework.words import count, number, share

_TIERS = ((0, "same source"), (1, "exact"), (2, "nearly"), (3, "long run"))


def draw(ask: Inquiry, found: Investigated) -> None:
    """Draw scores as run and without the leak, items by tier, the sweep, the trend, the history."""
    _draw_scores(ask, found)
    _draw_tiers(ask, found)
    _draw_sweep(ask, found)
    _draw_similarity(ask, found)
    _draw_history(ask, found)


def _draw_scores(ask: Inquiry, found: Investigated) -> None:
    means = found.effect.means
    conditions = list(dict.fromkeys(condition for condition, _ in means))
    if not conditions:
        return
    rows: list[dict[str, Any]] = []
    for flag, name, role in ((True, "leaked", "gate"), (False, "clean", "before")):
        for condition in conditions:
            e = means.get((condition, flag))
            if e is not None:
                rows.append(_row(condition.replace("_", " "), name, role, e))
    drop = found.effect.drop
    title = "Scores of leaked and clean items"
    if drop is not None and found.leaked:
        title = (
            f"Without their own examples, leaked items lose {said(found, drop.estimate)}"
            if drop.estimate.low > 0
            else "Leaked items score about the same without their own examples"
            if drop.estimate.inside(-found.sesoi, found.sesoi)
            else "Without their own examples, the score of leaked items "
            f"{falls(found, drop.estimate)}"
        )
    ask.chart(
        "scores",
        "lines" if len(conditions) > 1 else "intervals",
        title,
        "Mean score with 95 % intervals"
        + (", of items that were run both ways." if len(conditions) > 1 else "."),
        "Scores: " + "; ".join(f"{r['series']} {r['x']} {_level(found, r['value'])}" for r in rows)
        + ".",
        rows if len(conditions) > 1 else [{**r, "label": r["series"]} for r in rows],
        {"y_title": "mean score, %" if found.effect.binary else "mean score", "x_title": "",
         "unit": _unit(found)},
        q.BY_LEAK,
    )  # fmt: skip


def _row(x: Any, series: str, role: str, e: Estimate) -> dict[str, Any]:
    return {"x": x, "series": series, "role": role, "value": e.value, "low": e.low, "high": e.high}


def _unit(found: Investigated) -> str:
    return "share" if found.effect.binary else "score"


def _level(found: Investigated, value: float) -> str:
    return share(value) if found.effect.binary else number(value)


def _draw_tiers(ask: Inquiry, found: Investigated) -> None:
    rows: list[dict[str, Any]] = []
    for name, reference in (("example bank", found.bank), ("training rows", found.training)):
        if reference is not None:
            rows += _parts(name, reference.tier)
    if found.in_prompt is not None and found.in_prompt.known.any():
        tier = np.full(found.items, NONE)
        for leak in found.in_prompt.leaks.values():
            tier[leak.item] = leak.tier
        rows += _parts("their own prompts", tier[found.in_prompt.known])
    if not rows:
        return
    place = rows[-1]["label"]
    items = {row["part"]: row["value"] for row in rows if row["label"] == place}
    held = sum(items.values()) - items["none"]
    ask.chart(
        "tiers",
        "bars",
        f"{number(held)} of {count(sum(items.values()), 'items')} stand in {_the(place)}",
        "Items by how they stand there: the same row of the same file, word for word, nearly, or "
        "with a run of half their words.",
        "Items: " + "; ".join(f"{r['label']} {r['part']} {number(r['value'])}" for r in rows) + ".",
        rows,
        {"x_title": "share of items, %", "order": [*(name for _, name in _TIERS), "none"],
         "unit": "count:items"},
        q.ITEMS,
    )  # fmt: skip


def _the(place: str) -> str:
    return place if place.startswith("their") else f"the {place}"


def _parts(label: str, tier: Any) -> list[dict[str, Any]]:
    parts = [(name, int((tier == level).sum())) for level, name in _TIERS]
    parts.append(("none", int((tier == NONE).sum())))
    roles = {"same source": "gate", "exact": "gate", "none": "muted"}
    return [
        {"label": label, "part": name, "value": n, "share": n / max(1, len(tier)),
         "role": roles.get(name)}
        for name, n in parts
    ]  # fmt: skip


def _draw_sweep(ask: Inquiry, found: Investigated) -> None:
    """What the flagged items add to the score at every threshold, not at the preset alone.

    The plot of Singh et al. 2024. Thresholds that flag the same items are one point.
    """
    if found.along is None or not found.leaked:
        return
    points = {flagged.items: flagged for flagged in found.along.sweep}
    preset = next((f for f in found.along.sweep if f.threshold == PRESET), None)
    if not points:
        return
    none: dict[str, Any] = {"x": 0.0, "series": "gain", "role": "after", "value": 0.0,
                            "low": None, "high": None, "n": 0}  # fmt: skip
    rows = [none] + [
        {**_row(100 * f.share, "gain", "after", f.gain), "n": f.items, "threshold": f.threshold}
        for f in sorted(points.values(), key=lambda f: f.items)
    ]
    ask.chart(
        "sweep",
        "lines",
        "No item is flagged at the preset" if preset is None else
        f"Items flagged at the preset add {said(found, preset.gain)} to the score",
        "Score of all items minus score of those not flagged, where an item is flagged from 30 % "
        "to 100 % of its shingles in its own prompt on. These may be easier items, so it is no "
        "effect.",
        "Gain: " + "; ".join(
            f"{said_score(found, r['value'])} at {number(r['x'])} % of the items flagged"
            for r in rows) + ".",
        rows,
        {"x_title": "items flagged, %",
         "y_title": "gain, points" if found.effect.binary else "gain",
         "unit": "points" if found.effect.binary else "score", "zero": True,
         "rules": [] if preset is None else
         [{"x": 100 * preset.share, "label": f"preset, {share(PRESET)}", "dashed": True}]},
        q.BY_LEAK,
    )  # fmt: skip


def _draw_similarity(ask: Inquiry, found: Investigated) -> None:
    """Mean score by how much of the item stands in its prompt, as run and left out."""
    along = found.along
    if along is None or along.trend is None or not found.leaked:
        return
    tenth = np.floor(10 * along.similarity + 1e-9) / 10
    rows = []
    for condition, role in ((AS_RUN, "gate"), (LEFT_OUT, "before")):
        scores = along.scores.get(condition, np.zeros(0))
        for level in np.unique(tenth[np.isfinite(scores)] if len(scores) else scores).tolist():
            values = scores[(tenth == level) & np.isfinite(scores)]
            e = mean_score(values, 1)
            if e is not None:
                rows.append({**_row(100 * level, condition.replace("_", " "), role, e), "n": e.n})
    if len({row["x"] for row in rows}) < 3:
        return
    slope = along.trend.slope
    rises = slope.low > 0
    ask.chart(
        "similarity",
        "lines",
        f"From nothing to all of the item in its prompt, the score rises by {said(found, slope)}"
        if rises else "Items that stand in their prompts score no higher for certain",
        "Mean score with 95 % intervals, by the share of the item's shingles in its own prompt, in "
        "steps of ten; what is below 30 % counts as none. Easier items rise in both lines.",
        "Scores: " + "; ".join(
            f"{r['series']} from {number(r['x'])} % {_level(found, r['value'])}" for r in rows)
        + ".",
        rows,
        {"x_title": "share of the item in its own prompt, %",
         "y_title": "mean score, %" if found.effect.binary else "mean score",
         "unit": _unit(found)},
        q.BY_LEAK,
    )  # fmt: skip


def _draw_history(ask: Inquiry, found: Investigated) -> None:
    """The score of the suite over its runs, with the rerun beside them."""
    rows = [
        {"x": run["started_at"], "series": run["condition"].replace("_", " "),
         "role": "before" if run["condition"] == AS_RUN else "after",
         "value": run["score"], "low": None, "high": None}
        for run in found.judged.history
        if run["condition"] in (AS_RUN, LEFT_OUT) and run["started_at"] and run["score"] is not None
    ]  # fmt: skip
    plain = [row for row in rows if row["series"] == "as run"]
    if len({row["x"] for row in plain}) < 3:
        return
    rise = plain[-1]["value"] - plain[0]["value"]
    ask.chart(
        "history",
        "lines",
        f"As run, the score went from {_level(found, plain[0]['value'])} to "
        f"{_level(found, plain[-1]['value'])}",
        "Mean score of each run of the suite.",
        f"{len(plain)} runs; the score changed by {number(rise)}.",
        rows,
        {"x_title": "run started", "y_title": "mean score", "unit": _unit(found)},
        q.RUNS,
    )
