"""The pictures of `registry_rot`."""

from collections.abc import Sequence
from typing import Any

from casework.diagnoses import _approvals as p
from casework.diagnoses import _registry as q
from casework.diagnoses._approvals import Approval
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._registry_records import REASONS, Split
from casework.words import count, duration, number, share

_MOST = 8
_GOOD = {"governed": "good", "unattributed": "muted", "unknown": "muted", "quantised": "before",
         "unregistered": "gate"}  # fmt: skip
_HEADS = {"below": "gate", "below, engaged": "before", "long enough": "good", "not known": "muted"}


def draw(ask: Inquiry, split: Split, approvals: Sequence[Approval]) -> None:
    """Draw what governs the traffic, the quickest approvals, and all of them by approver."""
    _draw_traffic(ask, split)
    below = sorted((a for a in approvals if a.is_below), key=_by_traffic)
    if below:
        _draw_delays(ask, below)
    if approvals:
        _draw_approvers(ask, approvals)


def _draw_traffic(ask: Inquiry, split: Split) -> None:
    parts: list[dict[str, Any]] = [
        {"label": f"{number(split.total)} live requests", "part": REASONS[reason],
         "value": requests, "share": requests / split.total, "role": _GOOD.get(reason)}
        for reason, requests in split.by_reason().items() if requests
    ]  # fmt: skip
    told = ", ".join(f"{row['part']} {share(row['share'])}" for row in parts)
    has = "are known to have" if split.open else "have"
    ask.chart(
        "traffic",
        "bars",
        f"{share(split.requests('governed') / split.total)} of live requests {has} a living record",
        "A living record: registered, evaluated as served, its owner and benchmark still there. "
        "One with several faults stands under the gravest.",
        f"Live requests: {told}.",
        parts,
        {"x_title": "share of live requests", "order": [REASONS[key] for key in REASONS],
         "unit": "count:requests"},
        q.RECORDS,
    )  # fmt: skip


def _by_traffic(approval: Approval) -> tuple[int, float]:
    return -(approval.row["requests"] or 0), approval.delay_s or 0.0


def _draw_delays(ask: Inquiry, below: Sequence[Approval]) -> None:
    rows = []
    for a in below[:_MOST]:
        at = f", {a.local:%H:%M} local time" if a.local else ""
        label = f"{a.row['model']} {a.row['version']}, {a.row['approved_by']}{at}"
        for series, seconds, role in (("approved after", a.delay_s, "gate"),
                                      ("reading takes", a.reading_s, "before")):  # fmt: skip
            rows.append({"label": label, "value": seconds or 0.0, "low": None, "high": None,
                         "series": series, "role": role})  # fmt: skip
    first = below[0]
    ask.chart(
        "delays",
        "intervals",
        f"{count(len(below), 'approvals')} took less time than reading does",
        "From request to approval, against the time that reading what was submitted takes; "
        f"busiest version first, at most {_MOST}.",
        f"{count(len(below), 'approvals')} below the reading time; of the busiest version after "
        f"{duration(first.delay_s)}, where reading takes {duration(first.reading_s)}.",
        rows,
        {"x_title": "seconds", "unit": "s", "zero": True, "joined": True},
        p.APPROVALS,
    )


def _draw_approvers(ask: Inquiry, approvals: Sequence[Approval]) -> None:
    own: dict[str, list[Approval]] = {}
    for approval in approvals:
        own.setdefault(approval.row["approved_by"], []).append(approval)
    shown = sorted(own.items(), key=lambda item: (-len(item[1]), item[0]))[:_MOST]
    rows = [
        {"label": f"{name}, {count(len(given), 'approvals')}", "part": words, "value": found,
         "share": found / len(given), "role": _HEADS.get(part)}
        for name, given in shown for part, words in p.PARTS.items()
        if (found := sum(a.part == part for a in given))
    ]  # fmt: skip
    timed = [a for a in approvals if a.is_timed and not a.row["automated"]]
    short = (
        f"{number(sum(a.is_below for a in timed))} of {count(len(timed), 'approvals by people')} "
        "below the reading time"
        if timed
        else "Of no approval by a person is it known whether reading takes longer"
    )
    ask.chart(
        "approvers",
        "bars",
        short,
        f"Approvals by delay against reading time, by approver (at most {_MOST}).",
        f"{count(len(approvals), 'approvals')} of {count(len(own), 'approvers')}. {short}.",
        rows,
        {"x_title": "share of approvals", "order": list(p.PARTS.values()),
         "unit": "count:approvals"},
        p.APPROVALS,
    )  # fmt: skip
