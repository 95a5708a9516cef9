"""What `cohort_skew` measures and says of counts per arm within segments, stages and times."""

import math

from casework.diagnoses import _cohort_slices as s
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._cohort_ratios import STRICT, Ratios, Row, Slice
from casework.diagnoses._cohort_words import FLAGGED
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.composition import standardised_difference_of_shares, standardised_interval
from casework.stats.estimates import Estimate, wilson
from casework.visible import shorten
from casework.words import count, instant, number, p_value, share, spread

_NAMED = 3
_SEGMENTS = ("tier", "region")
_SHOWN = 50
"""Rows of a table: those with the smallest p-values."""


def said_ratios(ask: Inquiry, compared: Comparison, found: Ratios) -> tuple[Finding, ...]:
    """Record the slices and the running test, and say what departs from the plan."""
    by_account = found.of == "accounts"
    hours = s.ACCOUNT_HOURS if by_account else s.HOURS
    segments = s.ACCOUNT_SEGMENTS if by_account else s.SEGMENTS
    tables = (
        ("srm_segments", _SEGMENTS, segments),
        ("srm_stages", ("stage",), q.ARMS),
        ("srm_times", ("day", "hour of the day"), hours),
    )
    named, asked = [], []
    for name, kinds, query in tables:
        slices = [each for each in found.slices if each.kind in kinds]
        if slices:
            n = sum(e.control + e.treated for e in slices if e.kind == slices[0].kind)
            rows = [_row(each) | _apart(each) for each in sorted(slices, key=_order)]
            ask.measure(name, rows[:_SHOWN], "table", query, n=n)
            named.append(name)
            asked.append(ask.evidence_id(query))
    said = [Finding(_said_slices(compared, found), tuple(named), tuple(asked))]
    if found.running:
        ask.measure("srm_running_p", found.running.p, "p", hours, n=found.running.n)
        said.append(Finding(_said_running(found), ("srm_running_p",), (ask.evidence_id(hours),)))
    return tuple(said)


def _order(each: Slice) -> tuple[float, float, str, str]:
    """The strongest departure first."""
    return each.adjusted_p, -each.chi2, each.kind, each.name


def _row(each: Slice) -> Row:
    n = each.control + each.treated
    seen = wilson(each.treated, n)
    return {
        "kind": each.kind, "slice": each.name, "control": each.control, "treatment": each.treated,
        "share": seen.value, "share_low": seen.low, "share_high": seen.high,
        "planned_share": each.planned, "p": each.p, "adjusted_p": each.adjusted_p,
    }  # fmt: skip


def _difference(each: Slice) -> Estimate:
    """Standardised difference of the share of a segment in the arms, of those that are known.

    Infinite where one arm is wholly of it and the other has none of it.
    """
    control, treated = (max(1, n) for n in each.of)
    d = standardised_difference_of_shares(each.treated / treated, each.control / control)
    return standardised_interval(d, treated, control)


def _apart(each: Slice) -> Row:
    if each.kind not in _SEGMENTS:
        return {}
    d = _difference(each)
    ends = (d.value, d.low, d.high) if math.isfinite(d.value) else (None, None, None)
    return dict(zip(("smd", "smd_low", "smd_high"), ends, strict=True))


def _said_apart(found: Ratios) -> str:
    """Say which tier or region the arms hold most unlike shares of: no covariate tells that.

    Beyond 0.1 and beyond chance (METHODS section 1-C).
    """
    segments = [each for each in found.slices if each.kind in _SEGMENTS]
    apart = [(_difference(each), each) for each in segments]
    apart = [(d, each) for d, each in apart if abs(d.value) > FLAGGED and d.excludes(0)]
    if not apart:
        return ""
    d, each = max(apart, key=lambda pair: abs(pair[0].value))
    said = f" Of the tiers and regions the share of {each.kind} {shorten(each.name, 40)} differs"
    if math.isinf(d.value):
        return f"{said} wholly between the arms: it makes up one and is not in the other."
    by = spread(d.value, (d.low, d.high), "", signed=True)
    return f"{said} most between the arms, by {by} standard deviations."


def _said_slices(compared: Comparison, found: Ratios) -> str:
    if not found.slices:
        return (
            "Counts per arm within segments, stages and times could not be tested: no tier, region,"
            " stage or time of assignment parts the units so that each arm expects five."
        )
    kinds = {kind: sum(1 for each in found.slices if each.kind == kind)
             for kind in ("tier", "region", "stage", "day", "hour of the day")}  # fmt: skip
    tested = ", ".join(f"{kind} ({number(k)})" for kind, k in kinds.items() if k)
    plan = "the planned shares" if found.is_planned else "the share over all"
    if kinds["stage"] and not found.is_planned:
        plan += " (stages against their own)"
    departing = sorted((e for e in found.slices if e.adjusted_p < STRICT), key=_order)
    of = count(len(found.slices), "slices")
    tail = _said_apart(found)
    if found.is_raised:
        tail = " Tiers and regions are not tested, as the planned share was changed meanwhile."
    said = f"Counts of {found.of} per arm by {tested} against {plan}: "
    if not departing:
        least = min(each.adjusted_p for each in found.slices)
        return f"{said}none of {of} departs (smallest adjusted {p_value(least)}).{tail}"
    said += f"{number(len(departing))} of {of} {'departs' if len(departing) == 1 else 'depart'}: "
    said += "; ".join(_said_one(compared, found, each) for each in departing[:_NAMED])
    if len(departing) > _NAMED:
        said += f"; and {number(len(departing) - _NAMED)} more"
    return f"{said}.{_said_days(departing)}{tail}"


def _said_one(compared: Comparison, found: Ratios, each: Slice) -> str:
    n = each.control + each.treated
    seen = wilson(each.treated, n)
    is_planned = found.is_planned or each.kind == "stage"
    return (
        f"{each.kind} {shorten(each.name, 40)} with "
        f"{spread(seen.value, (seen.low, seen.high), 'share')} in "
        f"{shorten(compared.treatment, 40)} of {count(n, found.of)} where "
        f"{'planned are' if is_planned else 'over all it is'} {share(each.planned)}, "
        f"adjusted {p_value(each.adjusted_p)}"
    )


def _said_days(departing: list[Slice]) -> str:
    """Say what the day of the strongest departure points to."""
    day = next((each.name for each in departing if each.kind == "day"), None)
    if day is None:
        return ""
    if day == "1":
        return (
            " Of the days the first departs most, as where an arm starts late or something that"
            " begins with the experiment goes on for one arm alone."
        )
    return f" Of the days day {day} departs most: look for what was changed then."


def _said_running(found: Ratios) -> str:
    test = found.running
    if test is None:
        return ""
    said = "A running check of the counts, which may be read at each hour, "
    if test.n < test.n_of_all:
        said = (
            f"A running check of the counts until the planned share was changed, of "
            f"{number(test.n)} of {count(test.n_of_all, found.of)}, "
        )
    if test.alarm_at is None:
        return (
            f"{said}raises no alarm in {count(test.looks, 'hours')} with "
            f"{count(test.n, found.of)} (anytime-valid {p_value(test.p)}, alarm below "
            f"{number(STRICT)})."
        )
    return (
        f"{said}raises its first alarm at {instant(test.alarm_at)}, after "
        f"{count(test.alarm_n, found.of)} of {number(test.n)} (anytime-valid p below "
        f"{number(STRICT)}; {p_value(test.p)} at the end)."
    )
