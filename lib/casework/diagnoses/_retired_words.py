"""What `retired_checkpoint` measures and says: numbers, headline, findings, remedies, limits."""

from collections.abc import Sequence
from typing import Any

from casework.diagnoses import _retired_candidates as c
from casework.diagnoses import _retired_seen as s
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._retired_judged import Inventory, Judged, Replays
from casework.diagnoses._retired_kept import keep_longer, of_kept
from casework.diagnoses._retired_replays import of_contrasts
from casework.diagnoses._retired_silent import SILENT_MOVES
from casework.findings import Finding, Verdict
from casework.stats.estimates import clopper_pearson, upper_if_none
from casework.stats.reproduction import attempts_to_exclude
from casework.words import count, duration, number, share

_RATE = 0.05
STATES = ("resolved", "ambiguous", "unresolved")


def by_state(judged: Sequence[Judged]) -> dict[str, int]:
    """How many tickets are in each state."""
    return {state: sum(ticket.state == state for ticket in judged) for state in STATES}


def unreachable(judged: Sequence[Judged]) -> list[Judged]:
    """Tickets of which a candidate is known not to be there any more."""
    return [ticket for ticket in judged if ticket.reachable is False]


def measure(
    ask: Inquiry,
    judged: Sequence[Judged],
    inventory: Inventory,
    replays: Replays,
    lags: dict[str, Any],
) -> None:
    """Record the numbers. The measure `tickets` is the table of them; its `n` is their count."""
    rows = [
        {
            "ticket_id": ticket.row["ticket_id"], "grade": ticket.grade, "state": ticket.state,
            "known_by": ticket.by, "reachable": ticket.reachable,
            "candidates": [
                {"checkpoint": name, "probability": p,
                 "reachable": inventory.reach(name).can if name else None,
                 "why": inventory.reach(name).why if name else "no record names it"}
                for name, p in ticket.candidates
            ],
        }
        for ticket in judged
    ]  # fmt: skip
    n = len(judged)
    ask.measure("tickets", rows, "table", c.CANDIDATES, n=n)
    for state, found in by_state(judged).items():
        ask.measure(state, found, "count:tickets", c.CANDIDATES, n=n)
    ask.measure("unreachable", len(unreachable(judged)), "count:tickets", c.INVENTORY, n=n)
    ask.measure("lag_p99_s", lags["lag_p99_s"], "s", s.LAGS, n=lags["tickets"])
    runs = [(name, *kn) for found in replays.counts.values() for name, kn in found.items()]
    if runs:
        ask.measure("reproduction", [_reproduced(ticket, name, *kn)
                                     for ticket, found in sorted(replays.counts.items())
                                     for name, kn in found.items()], "table", c.REPLAYS,
                    n=sum(n for *_, n in runs))  # fmt: skip
    if ask.case.filled("accounts", ("revenue",)):
        open_ones = {ticket.row["ticket_id"] for ticket in judged if ticket.is_open}
        money = {row["account_id"]: row["revenue"] for row in ask.ask(c.MONEY)
                 if row["ticket_id"] in open_ones}  # fmt: skip
        ask.measure("open_revenue", sum(money.values()) if money else None,
                    "a year", c.MONEY, n=len(money))  # fmt: skip


def _reproduced(ticket: str, checkpoint: str, k: int, n: int) -> dict[str, Any]:
    found = clopper_pearson(k, n)
    return {"ticket_id": ticket, "checkpoint": checkpoint, "reproduced": k, "replays": n,
            "rate": found.value, "low": found.low,
            "high": found.high if k else upper_if_none(n),
            "excludes_5_percent": not k and n >= attempts_to_exclude(_RATE)}  # fmt: skip


def headline(judged: Sequence[Judged], verdict: Verdict, moved: bool) -> str:
    """Say the answer in one sentence; `moved` where a provider moved behind an alias."""
    n, one = len(judged), len(judged) == 1
    if verdict == "clean":
        if one:
            return "The ticket is about exactly one checkpoint, which can still be run."
        return (
            f"Each of {count(n, 'tickets')} is about exactly one checkpoint, and all of these can "
            "still be run."
        )
    if any(ticket.is_open for ticket in judged):
        return _open_one(judged[0]) if one else _open_ones(judged)
    if verdict == "supported":
        against = (
            "all fingerprints changed while the alias log names one checkpoint"
            if moved
            else "records known otherwise contradict the alias log"
        )
        have = "The ticket has" if one else f"All {count(n, 'tickets')} have"
        return f"{have} one candidate, but {against}."
    unknown = sum(ticket.reachable is None for ticket in judged)
    told = "nothing says whether it can still be run"
    if one:
        return f"The ticket is about exactly one checkpoint, but {told}."
    return (
        f"All {count(n, 'tickets')} are about exactly one checkpoint each, but for "
        f"{number(unknown)} {told}."
    )


def _open_one(ticket: Judged) -> str:
    said = {"resolved": "is about exactly one checkpoint", "ambiguous": "has several candidates",
            "unresolved": "has no candidate"}[ticket.state]  # fmt: skip
    gone = "; a likely one can no longer be run"
    if ticket.state == "resolved":
        gone = ", which can no longer be run"
    return f"The ticket {said}{gone if ticket.reachable is False else ''}."


def _open_ones(judged: Sequence[Judged]) -> str:
    states, gone = by_state(judged), len(unreachable(judged))
    return (
        f"Of {count(len(judged), 'tickets')} {_are(states['resolved'])} about exactly one "
        f"checkpoint, {_have(states['ambiguous'])} several candidates and "
        f"{number(states['unresolved'])} none; for {number(gone)} a likely one can no longer be "
        "run."
    )


def _are(value: int) -> str:
    return f"{number(value)} {'is' if value == 1 else 'are'}"


def _have(value: int) -> str:
    return f"{number(value)} {'has' if value == 1 else 'have'}"


def findings(ask: Inquiry, judged: Sequence[Judged], inventory: Inventory) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    states = by_state(judged)
    pictures = {chart.id for chart in ask.charts}
    by = {how: sum(ticket.by == how for ticket in judged)
          for how in ("id", "text", "window", "fingerprint", "replay")}  # fmt: skip
    found = [
        Finding(
            f"Of {count(len(judged), 'tickets')} {_are(states['resolved'])} resolved, "
            f"{number(states['ambiguous'])} ambiguous, {number(states['unresolved'])} unresolved. "
            f"{number(by['id'])} name a request that is recorded, {number(by['text'])} show the "
            f"text of one, {number(by['window'])} rest on the window in which it was seen, "
            f"{number(by['fingerprint'] + by['replay'])} were settled by a fingerprint or replays.",
            ("tickets", *STATES),
            (ask.evidence_id(c.CANDIDATES), ask.evidence_id(c.TICKETS)),
            tuple(sorted(pictures & {"windows", "states"})),
        )
    ]
    moves = ask.measures["silent_moves"].value
    if moves:
        found.append(
            Finding(
                f"{count(moves, 'times')} all fingerprints of an endpoint gave way to others while "
                "the alias log names one checkpoint.",
                ("silent_moves",),
                (ask.evidence_id(SILENT_MOVES),),
            )
        )
    gone = {name: inventory.reach(name).why
            for ticket in unreachable(judged) for name, _ in ticket.candidates
            if name and inventory.reach(name).can is False}  # fmt: skip
    if gone:
        found.append(_gone(ask, list(gone.values())))
    if "reproduction" in ask.measures:
        found.append(_replayed(ask))
    return (*found, *of_contrasts(ask), *of_kept(ask))


def _gone(ask: Inquiry, reasons: Sequence[str]) -> Finding:
    told = ", ".join(f"{number(reasons.count(why))} {why}" for why in sorted({*reasons}))
    return Finding(
        f"{count(len(reasons), 'checkpoints')} of the candidates can no longer be run: {told}.",
        ("unreachable",),
        (ask.evidence_id(c.INVENTORY),),
    )


def _replayed(ask: Inquiry) -> Finding:
    done = ask.measures["reproduction"].value
    return Finding(
        f"{count(sum(row['replays'] for row in done), 'replays')} on "
        f"{count(len(done), 'pairs of ticket and checkpoint')}; "
        f"{number(sum(row['reproduced'] > 0 for row in done))} reproduced the report at least "
        f"once. {attempts_to_exclude(_RATE)} replays without one exclude a rate of {share(_RATE)}.",
        ("reproduction",),
        (ask.evidence_id(c.REPLAYS),),
        ("reproduction",),
    )


def remedies(
    ask: Inquiry,
    judged: Sequence[Judged],
    inventory: Inventory,
    replays: Replays,
    lags: dict[str, Any],
) -> tuple[str, ...]:
    """Say what to do in this case."""
    said = _replaying(judged, replays)
    if any(ticket.by == "window" for ticket in judged):
        said.append(
            "Return the digest and the request id with each answer, and ask for the id in reports."
        )
    if unreachable(judged):
        lag = lags["lag_p99_s"]
        until = f", here {duration(lag)}" if lag is not None else ""
        said.append(
            "Keep weights, adapters with their base, and serving settings at least as long as "
            f"reports arrive (99th percentile of the lag{until}) after the alias moves away."
        )
    without = [ticket for ticket in judged if ticket.state == "unresolved"]
    if any(ticket.row["log_from"] is not None for ticket in without):
        said.append("Load the older part of the alias log for the tickets without a candidate.")
    unlogged = {str(ticket.row["endpoint"]) for ticket in without
                if ticket.row["endpoint"] and ticket.row["log_from"] is None}  # fmt: skip
    if unlogged:
        said.append(
            f"Load the alias log of {', '.join(sorted(unlogged)[:3])}"
            f"{' and others' if len(unlogged) > 3 else ''}: no record says what it pointed at."
        )
    return (*said, *keep_longer(ask))


def _replaying(judged: Sequence[Judged], replays: Replays) -> list[str]:
    said = []
    ambiguous = [ticket for ticket in judged if ticket.state == "ambiguous"]
    anywhere = [ticket for ticket in ambiguous if replays.anywhere(ticket)]
    if anywhere:
        said.append(
            f"Look into the prompt, the data and the tools of {count(len(anywhere), 'tickets')}: "
            "a checkpoint that is no candidate reproduces what they report."
        )
    attempts = attempts_to_exclude(_RATE)
    runnable = [one for one in ambiguous if one.reachable and replays.lack(one, attempts)]
    runnable = [one for one in runnable if one not in anywhere]
    if runnable:
        said.append(
            f"Replay {count(len(runnable), 'ambiguous tickets')} on each candidate: "
            f"{attempts} times without a reproduction exclude a rate of {share(_RATE)}; replay one "
            "other checkpoint as a control."
        )
    return said


def limits(
    ask: Inquiry, judged: Sequence[Judged], replays: Replays, clock_known: bool
) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    said = ["Probabilities rest on the traffic of the window; they are no measure of the fault."]
    if not clock_known:
        said.append("Nothing bounds the error of the clocks; they are taken to agree.")
    for key, words in (("only_a_date", "with midnight as time, taken as a day alone in any zone"),
                       ("is_zoneless", "without a time zone, taken to be in any"),
                       ("is_placed_by_other_times", "of accounts without a request in the window: "
                        "region and lane are those of their other requests"),
                       ("is_contradicted", "seen after the report: their window reaches back from "
                        "the report")):  # fmt: skip
        n = sum(bool(ticket.row[key]) for ticket in judged)
        if n:
            said.append(f"{count(n, 'tickets')} {words}.")
    lost = sum(ticket.row["request_id"] is not None and ticket.by == "window" for ticket in judged)
    if lost:
        said.append(f"{count(lost, 'tickets')} with a request that is not among the records.")
    unknown = sum(ticket.reachable is None and ticket.state != "unresolved" for ticket in judged)
    if unknown:
        said.append(f"For {count(unknown, 'tickets')} nothing says whether a candidate is there.")
    if replays.set_aside:
        said.append(
            f"{count(replays.set_aside, 'replays')} ran after the index or the tools had changed: "
            "they ask another system, and settle nothing."
        )
    said.append("That the bytes are there does not say that they load on the same serving stack.")
    return tuple(said)
