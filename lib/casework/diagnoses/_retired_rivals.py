"""What else could explain that tickets are open, and the attempt to refute it."""

from collections.abc import Callable, Sequence
from typing import Any

from casework.diagnoses import _retired_candidates as c
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._retired_judged import Judged, Replays
from casework.findings import Falsifier, Outcome, Rival
from casework.stats.estimates import clopper_pearson, upper_if_none
from casework.words import count, duration, number, share

Test = tuple[str, str, str, Callable[[Judged], bool]]


def find_rivals(
    tickets: Sequence[Judged],
    replays: Replays,
    lag_s: float,
    *,
    lag_is_assumed: bool,
    has_log: bool,
) -> tuple[tuple[Rival, ...], bool]:
    """Test what else could leave tickets open.

    Returns:
        the rivals, and whether some ticket is open that none of them explains.
    """
    open_ones = [ticket for ticket in tickets if ticket.is_open]
    tests = _tests(lag_s, lag_is_assumed=lag_is_assumed, has_log=has_log)
    found = []
    for explanation, test, words, explains in tests:
        explained = [ticket for ticket in open_ones if explains(ticket)]
        whole = bool(open_ones) and len(explained) == len(open_ones)
        why = (
            f"{number(len(explained))} {words}, of {count(len(open_ones), 'tickets')} whose "
            "checkpoint is uncertain or gone"
        )
        outcome: Outcome = "not_excluded" if whole else "excluded"
        found.append(Rival(explanation, test, outcome, why))
    rest = [t for t in open_ones
            if not (replays.anywhere(t) or any(explains(t) for *_, explains in tests))]  # fmt: skip
    found += [_cached(tickets), _not_of_the_checkpoint(tickets, replays)]
    return tuple(found), bool(rest)


def _tests(lag_s: float, *, lag_is_assumed: bool, has_log: bool) -> list[Test]:
    """List what may leave a ticket open: name, test, words for such tickets, and which they are."""
    tests: list[Test] = [
        ("The alias log begins too late, not the record",
         "open tickets whose window begins before the log of their alias", "before the log",
         _before_the_log),
        ("The window is an assumption, nobody says when it was seen",
         f"open tickets without an instant at which it was seen; the lag of {duration(lag_s)} is "
         f"{'assumed' if lag_is_assumed else 'from other tickets, or given'}",
         "without one",
         lambda ticket: lag_is_assumed and _unseen(ticket)),
        ("The reporter's time zone",
         "open tickets whose instant names no zone, taken to be in any", "without a zone",
         lambda ticket: _by_window(ticket) and bool(ticket.row["is_zoneless"])),
    ]  # fmt: skip
    if not has_log:
        tests.insert(0, (
            "The alias log is not loaded, rather than not kept",
            "open tickets without a candidate, where no alias event is loaded",
            "without a candidate", lambda ticket: ticket.state == "unresolved"))  # fmt: skip
    return tests


def _before_the_log(ticket: Judged) -> bool:
    names = [name for name, _ in ticket.candidates]
    start = ticket.row["log_from"]
    return (
        ticket.state != "resolved"
        and (None in names or not names)
        and start is not None
        and ticket.row["window_from"] < start
    )


def _by_window(ticket: Judged) -> bool:
    return ticket.state == "ambiguous" and ticket.by == "window"


def _unseen(ticket: Judged) -> bool:
    return _by_window(ticket) and (
        ticket.row["observed_at"] is None or bool(ticket.row["is_contradicted"])
    )


def _cached(tickets: Sequence[Judged]) -> Rival:
    by_text = [ticket for ticket in tickets if ticket.by == "text"]
    linked = [ticket for ticket in tickets if ticket.by in ("id", "text")]
    return Rival(
        "The client showed an answer that it had kept from earlier",
        "tickets whose request is named, or whose answer is found among earlier requests",
        "excluded" if linked and len(linked) == len(tickets) else "not_testable",
        f"{number(len(linked))} of {count(len(tickets), 'tickets')} lead to a request, "
        f"{number(len(by_text))} of them by the text of the answer",
    )


def _not_of_the_checkpoint(tickets: Sequence[Judged], replays: Replays) -> Rival:
    """A checkpoint that is no candidate must not reproduce the report (negative control)."""
    pairs = [replays.controls(ticket.row["ticket_id"], ticket.considered) for ticket in tickets]
    k, n = sum(k for k, _ in pairs), sum(n for _, n in pairs)
    outcome: Outcome = "not_testable" if not n else "not_excluded" if k else "excluded"
    bound = f", at most {share(upper_if_none(n))}" if n and not k else ""
    return Rival(
        "It is not of the checkpoint but of the prompt, the data or a tool",
        "replays on checkpoints that are no candidates",
        outcome,
        f"{number(k)} of {count(n, 'replays')} reproduced it there{bound}"
        if n
        else "no replay on a checkpoint that is no candidate",
    )


def falsify(ask: Inquiry, tickets: Sequence[Judged], known: dict[str, Any]) -> Falsifier:
    """Look for what settles the open tickets, and for what contradicts the alias log."""
    before = [ticket for ticket in tickets if ticket.was_open]
    settled = [ticket for ticket in before if ticket.state == "resolved"]
    check = ask.one(c.CHECKED, **known)
    checked, wrong = check["checked"], check["disagree"]
    if not checked:
        against = "no request of a ticket is known both ways, so the alias log was not checked"
    elif wrong:
        found = clopper_pearson(wrong, checked)
        against = (
            f"the alias log is contradicted by {number(wrong)} of {number(checked)} requests known "
            f"otherwise ({share(found.low)} to {share(found.high)})"
        )
    else:
        against = (
            f"0 of {number(checked)} requests known otherwise contradict the alias log (at most "
            f"{share(upper_if_none(checked))})"
        )
    by = {how: sum(ticket.by == how for ticket in settled) for how in ("fingerprint", "replay")}
    return Falsifier(
        "A fingerprint or a replay that settles the open tickets, or a record that contradicts the "
        "alias log",
        ran=True,
        outcome=f"{number(len(settled))} of {count(len(before), 'tickets')} without one certain "
        f"candidate settled, {number(by['fingerprint'])} by fingerprint and "
        f"{number(by['replay'])} by replay; {against}",
        falsified=bool(before) and not any(ticket.is_open for ticket in tickets),
    )
