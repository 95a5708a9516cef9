"""The pictures of `retired_checkpoint`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from casework.diagnoses import _retired_candidates as c
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._retired_judged import Judged, Replays
from casework.words import count, number, share

_LANES = 10
_LINES = 20


def draw(ask: Inquiry, judged: Sequence[Judged], replays: Replays, known: dict[str, Any]) -> None:
    """Draw the checkpoints over time with the windows of tickets, and what became of tickets."""
    _draw_windows(ask, judged, known)
    _draw_states(ask, judged)
    if replays.counts:
        _draw_reproduction(ask)


def _draw_windows(ask: Inquiry, judged: Sequence[Judged], known: dict[str, Any]) -> None:
    eras = ask.ask(c.ERAS, **known)
    rows: list[dict[str, Any]] = [
        {"lane": f"{row['alias']} ({row['region']})" if row["region"] else row["alias"],
         "label": row["checkpoint"], "start": row["valid_from"], "end": row["valid_until"],
         "kind": "span", "role": None}
        for row in eras
    ]  # fmt: skip
    order = sorted(judged, key=lambda t: (t.state == "resolved", not t.is_open, t.first))
    shown = order[:_LANES]
    for ticket in shown:
        lane = f"ticket {ticket.row['ticket_id']}"
        rows.append({"lane": lane, "label": _candidates(ticket), "start": ticket.first,
                     "end": ticket.last, "kind": "zone", "role": "gate"})  # fmt: skip
        rows.append({"lane": lane, "label": "reported", "start": ticket.row["reported_at"],
                     "end": None, "kind": "tick", "role": None})  # fmt: skip
    start = min(ticket.first for ticket in shown)
    end = max(max(ticket.row["reported_at"], ticket.last) for ticket in shown)
    around = max((end - start) / 10, timedelta(minutes=1))
    several = sum(ticket.state != "resolved" for ticket in judged)
    ask.chart(
        "windows",
        "spans",
        f"{number(several)} of {count(len(judged), 'tickets')} cannot be given to one checkpoint"
        if several
        else f"Each of {count(len(judged), 'tickets')} can be given to one checkpoint",
        f"Above what the endpoint pointed at. Below tickets, open ones first (at most {_LANES}): "
        "when the answer may have been given, with its candidates; a tick where it was reported.",
        f"Timeline of {count(len(eras), 'alias events')} and {count(len(shown), 'tickets')}: "
        + "; ".join(f"{ticket.row['ticket_id']} {_candidates(ticket)}" for ticket in shown),
        rows,
        {"x_title": "UTC", "start": start - around, "end": end + around},
        c.TICKETS,
    )


def _candidates(ticket: Judged) -> str:
    """The candidates with their probabilities, digests shortened."""
    if not ticket.candidates:
        return "no candidate"
    names = [(name or "no record").removeprefix("sha256:")[:8] for name, _ in ticket.candidates]
    told = [f"{name} {share(round(p, 2))}" for name, (_, p) in
            zip(names, ticket.candidates, strict=True)]  # fmt: skip
    gone = ", gone" if len(told) == 1 else "; one gone"
    return " or ".join(told) + (gone if ticket.reachable is False else "")


def _draw_states(ask: Inquiry, judged: Sequence[Judged]) -> None:
    n = len(judged)
    resolved = [ticket.reachable for ticket in judged if ticket.state == "resolved"]
    counts = (
        ("resolved, can be run", "good", resolved.count(True)),
        ("resolved, not known", "muted", resolved.count(None)),
        ("resolved, can no longer be run", "gate", resolved.count(False)),
        ("several candidates", "after", sum(t.state == "ambiguous" for t in judged)),
        ("no candidate", "before", sum(t.state == "unresolved" for t in judged)),
    )
    rows: list[dict[str, Any]] = [
        {"label": "tickets", "part": part, "value": found, "share": found / n, "role": role}
        for part, role, found in counts
    ]
    ask.chart(
        "states",
        "bars",
        f"{number(resolved.count(True))} of {count(n, 'tickets')} can be tried on what answered",
        "Tickets by what is known of the checkpoint that answered.",
        "Tickets: " + ", ".join(f"{row['part']} {number(row['value'])}" for row in rows) + ".",
        rows,
        {"x_title": "share of tickets", "order": [part for part, *_ in counts]},
        c.CANDIDATES,
    )


def _draw_reproduction(ask: Inquiry) -> None:
    done = ask.measures["reproduction"].value
    rows = [
        {"label": f"{row['ticket_id']} on {row['checkpoint'].removeprefix('sha256:')[:12]}",
         "value": row["rate"], "low": row["low"], "high": row["high"],
         "role": "gate" if row["reproduced"] else "before"}
        for row in done[:_LINES]
    ]  # fmt: skip
    again = sum(row["reproduced"] > 0 for row in done)
    ask.chart(
        "reproduction",
        "intervals",
        f"{number(again)} of {count(len(done), 'replayed pairs')} reproduced the report",
        f"Share of replays that gave the reported answer, with exact intervals (at most {_LINES}).",
        f"Rates of reproduction of {count(len(done), 'pairs of ticket and checkpoint')}"
        + (f", of which the first {_LINES} are shown." if len(done) > _LINES else "."),
        rows,
        {"x_title": "% of replays", "unit": "share", "zero": True},
        c.REPLAYS,
    )
