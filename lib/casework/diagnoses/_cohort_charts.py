"""The pictures of `cohort_skew`."""

from typing import Any

from casework.diagnoses import _cohort_sums as sums
from casework.diagnoses._cohort_counts import Counts
from casework.diagnoses._composition import Composition
from casework.diagnoses._inquiry import Inquiry
from casework.stats.composition import chance_band
from casework.stats.estimates import Estimate
from casework.words import number, spread

_SHOWN = 25


def draw(ask: Inquiry, found: Composition, counts: Counts, sesoi: float) -> None:
    """Draw the lift in its three readings, and the balance of the covariates."""
    if found.lift:
        _draw_lift(ask, found)
    _draw_balance(ask, found, counts, sesoi)


def _draw_lift(ask: Inquiry, found: Composition) -> None:
    lift = found.lift
    if lift is None:
        return
    unit = f"{found.metric}, percentage points" if found.is_ratio else found.unit
    readings: list[tuple[str, Estimate | None, str]] = [
        ("as read out", lift.raw, "before"),
        ("between like units", lift.adjusted, "after"),
        ("for everyone", found.population, "after"),
    ]
    rows = [_dot(label, estimate, role) for label, estimate, role in readings if estimate]
    title = "The lift as read out, and between like units"
    if part := lift.share:
        explained = spread(part.value, (part.low, part.high), "share")
        title = f"Composition explains {explained} of the lift"
        if not part.excludes(0):
            title = f"What composition explains of the lift is open: {explained}"
    ask.chart(
        "lift",
        "intervals",
        title,
        "Difference of treatment and control, with 95 % intervals.",
        "Lift: " + "; ".join(_told(row, unit) for row in rows) + ".",
        rows,
        {"x_title": f"difference in {unit}", "zero": True, "rules": [], "unit": found.unit},
        found.moments or sums.LEVELS,
    )


def _draw_balance(ask: Inquiry, found: Composition, counts: Counts, sesoi: float) -> None:
    shown = found.covariates[:_SHOWN]
    rows = [_dot(c.name, c.difference, "gate" if abs(c.difference.value) > sesoi else "before")
            for c in shown]  # fmt: skip
    control, treated = counts.compared
    band = chance_band(max(2, treated), max(2, control))
    if counts.of == "accounts":  # of unequal size: as far as accounts dealt anew scatter
        band = max(c.difference.high - c.difference.value for c in shown)
    largest = shown[0]
    more = len(found.covariates) - len(shown)
    ask.chart(
        "balance",
        "love",
        f"Before exposure the arms differ most in {largest.name}",
        "Standardised difference of each covariate, treatment minus control. Band: what chance "
        "gives a single one in 95 of 100 experiments."
        + (f" {more} smaller ones are not shown." if more else ""),
        "Standardised differences: " + "; ".join(_told(row, "") for row in rows[:8]) + ".",
        rows,
        {"x_title": "standard deviations", "band": band, "threshold": sesoi},
        sums.BALANCE,
    )


def _dot(label: str, estimate: Estimate, role: str) -> dict[str, Any]:
    return {
        "label": label,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "role": role,
    }


def _told(row: dict[str, Any], unit: str) -> str:
    text = f"{row['label']} {number(row['value'])} ({number(row['low'])} to {number(row['high'])})"
    return f"{text} {unit}".rstrip()
