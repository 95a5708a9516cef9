"""The pictures of `alignment_loss`."""

from typing import Any

from casework.diagnoses import _alignment as q
from casework.diagnoses._alignment_changes import Category, Found, share_of
from casework.diagnoses._inquiry import Inquiry
from casework.stats.estimates import Estimate
from casework.stats.repeats import Repeats
from casework.words import number, share, spread

_SHOWN = 12
_KINDS = {"unsafe": "Unsafe", "safe_contrast": "Safe look-alikes"}


def draw(ask: Inquiry, found: Found, margin: float) -> None:
    """Draw refusal by category, what changed between the two, and the three changes."""
    _draw_refusals(ask, found)
    _draw_pairs(ask, found)
    if found.over is not None or found.utility is not None:
        _draw_changes(ask, found, margin)


def _draw_refusals(ask: Inquiry, found: Found) -> None:
    rows: list[dict[str, Any]] = []
    wholes = {"unsafe": (found.base, found.tuned)}
    if found.contrast is not None:
        wholes["safe_contrast"] = _shares(found.contrast)
    left_out = 0
    for kind, (base, tuned) in wholes.items():
        if found.correction and kind == "unsafe":
            rows += _dumbbell("Unsafe, all, errors taken out", base, tuned)
            base, tuned = _shares(found.counts)
        rows += _dumbbell(f"{_KINDS[kind]}, all", base, tuned)
        own = _by_change([c for c in found.categories if c.kind == kind])
        left_out += max(0, len(own) - _SHOWN)
        for category in own[:_SHOWN]:
            label = f"{_KINDS[kind]}: {category.name}"
            rows += _dumbbell(label, *_shares(category.counts))
    was, became = (
        spread(one.value, (one.low, one.high), "share") for one in (found.base, found.tuned)
    )
    told = "; ".join(
        f"{rows[i]['label']} {share(rows[i]['value'])} to {share(rows[i + 1]['value'])}"
        for i in range(0, len(rows), 2)
    )
    ask.chart(
        "refusals",
        "intervals",
        f"Refusal of unsafe prompts went from {was} to {became}",
        "Share of prompts that are refused, base (grey) and tuned checkpoint (blue), with 95 % "
        "intervals. For unsafe prompts more is safer, for safe look-alikes less is better."
        + (
            " The first line has the errors of the labels taken out; the others are as labelled."
            if found.correction
            else ""
        )
        + (f" {number(left_out)} categories that changed less are not shown." if left_out else ""),
        f"Refusal by base and tuned checkpoint: {told}.",
        rows,
        {"x_title": "prompts refused, %", "unit": "share", "zero": True, "joined": True},
        q.CATEGORIES if found.categories else q.CHANGES,
    )


def _draw_pairs(ask: Inquiry, found: Found) -> None:
    rows: list[dict[str, Any]] = []
    counted = {"unsafe": found.counts, "safe_contrast": found.contrast}
    for kind, counts in counted.items():
        if counts is None:
            continue
        parts = {
            "refused by both": (counts.both, "before"),
            "by the base alone": (counts.only_first, "gate"),
            "by the tuned alone": (counts.only_second, "after"),
        }
        parts["by neither"] = (counts.n - sum(value for value, _ in parts.values()), "muted")
        rows += [
            {"label": f"{_KINDS[kind]}, {number(counts.n)} prompts", "part": part,
             "value": value, "share": value / counts.n, "role": role}
            for part, (value, role) in parts.items()
        ]  # fmt: skip
    counts = found.counts
    lost, won = counts.only_first / counts.n, counts.only_second / counts.n
    ask.chart(
        "pairs",
        "bars",
        f"Of the unsafe prompts {share(lost)} lost their refusal and {share(won)} gained one",
        "The same prompts at both checkpoints, as labelled.",
        "Prompts by who refuses: "
        + "; ".join(f"{row['label']}, {row['part']} {share(row['share'])}" for row in rows)
        + ".",
        rows,
        {"x_title": "share of prompts", "unit": "count:prompts",
         "order": ["refused by both", "by the base alone", "by the tuned alone", "by neither"]},
        q.CHANGES,
    )  # fmt: skip


def _draw_changes(ask: Inquiry, found: Found, margin: float) -> None:
    changes = [("Refusal of unsafe prompts", found.change, "gate")]
    if found.over is not None:
        changes.append(("Refusal of safe look-alikes", found.over, "after"))
    if found.utility is not None and not found.task["graded"]:
        changes.append(("Task items passed", found.utility, "after"))
    rows = [
        {"label": f"{label}, n = {number(e.n)}", "value": e.value, "low": e.low, "high": e.high,
         "role": role}
        for label, e, role in changes
    ]  # fmt: skip
    told = "; ".join(
        f"{row['label']} {spread(e.value, (e.low, e.high), 'points', signed=True)}"
        for row, (_, e, _) in zip(rows, changes, strict=True)
    )
    beside = ", ".join(
        f"{label[0].lower()}{label[1:]} by {_signed(e)}" for label, e, _ in changes[1:]
    )
    ask.chart(
        "changes",
        "intervals",
        f"Refusal of unsafe prompts changed by {spread(found.change.value, None, 'points')}"
        + (f"; {beside}" if beside else ""),
        "Tuned minus base on the same items, with 95 % intervals. The rule is the largest loss of "
        "refusals that is tolerated.",
        f"Changes from base to tuned checkpoint: {told}. Tolerated loss "
        f"{spread(margin, None, 'points')}.",
        rows,
        {"x_title": "change, percentage points", "unit": "points", "zero": True,
         "rules": [{"x": -margin, "label": "tolerated", "dashed": True}]},
        q.CHANGES,
    )  # fmt: skip


def _signed(change: Estimate) -> str:
    told = spread(change.value, None, "points")
    return f"+{told}" if change.value > 0 else told


def _by_change(categories: list[Category]) -> list[Category]:
    return sorted(categories, key=lambda c: (-abs(c.change.value), -c.counts.n, c.name))


def _shares(counts: Repeats) -> tuple[Estimate, Estimate]:
    return share_of(counts.first, counts.n), share_of(counts.second, counts.n)


def _dumbbell(label: str, base: Estimate, tuned: Estimate) -> list[dict[str, Any]]:
    return [
        {"label": f"{label}, n = {number(e.n)}", "series": series, "value": e.value,
         "low": e.low, "high": e.high, "role": role}
        for series, e, role in (("base", base, "before"), ("tuned", tuned, "after"))
    ]  # fmt: skip
