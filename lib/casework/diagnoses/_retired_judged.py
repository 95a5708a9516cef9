"""What became of each ticket: its candidates with probabilities, and whether they can be run."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.diagnoses import _retired_candidates as c
from casework.diagnoses._inquiry import Inquiry
from casework.stats.reproduction import chance_of, posterior

CERTAIN, WORTH_TELLING = 0.99, 0.05
"""A single candidate is certain from here, and so are several together; all above the other are
told."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One ticket.

    Attributes:
        row: the ticket with its window.
        state: `resolved`, `ambiguous` or `unresolved`.
        grade: of the evidence, A to E as in `output_attribution`.
        by: what led to the candidates: `id`, `text`, `window`, then `fingerprint` or `replay`.
        candidates: checkpoints that are worth telling with their probability, the largest first;
            None is a checkpoint that no record names. An unresolved ticket has none.
        considered: all that were candidates before fingerprints and replays were looked at, ''
            among them where no record names one.
        was_open: whether it was open before fingerprints and replays were looked at.
        reachable: whether all likely ones can still be run; None where that is not known, as of
            one that no record names.
        decides: whether the request took a decision.
        first: the earliest instant at which the answer may have been given.
        last: the latest.
    """

    row: Mapping[str, Any]
    state: str
    grade: str
    by: str
    candidates: tuple[tuple[str | None, float], ...]
    considered: frozenset[str]
    was_open: bool
    reachable: bool | None
    decides: bool
    first: datetime
    last: datetime

    @property
    def is_open(self) -> bool:
        """Whether the checkpoint is not certain, or can no longer be run."""
        return self.state != "resolved" or self.reachable is False


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a checkpoint can be run, and why not or how that is known."""

    can: bool | None
    why: str


class Inventory:
    """Where the bytes of checkpoints are; an adapter needs its base."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], as_of: datetime) -> None:
        self.as_of = as_of
        self.places: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            self.places[row["checkpoint"]].append(row)

    def reach(self, checkpoint: str, seen: frozenset[str] = frozenset()) -> Reach:
        """The rung of the ladder: listed, there, retained, its base there."""
        rows = self.places.get(checkpoint)
        if not rows:
            return Reach(None, "not listed")
        states = [self._place(row) for row in rows]
        best = min(states, key=lambda reach: (reach.can is not True, reach.can is not None))
        if best.can is False:
            return best
        bases = {row["base_checkpoint"] for row in rows if row["base_checkpoint"]}
        for base in sorted(bases - seen - {checkpoint}):
            below = self.reach(base, seen | {checkpoint})
            if below.can is False:
                return Reach(False, f"its base is {below.why}")
        return best

    def _place(self, row: Mapping[str, Any]) -> Reach:
        checked, until = row["verified_at"], row["retained_until"]
        if row["is_there"] is False:
            return Reach(False, "deleted")
        if until is not None and until < self.as_of and (checked is None or checked < until):
            return Reach(False, "past its retention")
        if row["is_there"] is None:
            return Reach(None, "listed, not checked")
        return Reach(True, "there" if checked is None else "there, checked")


@dataclass(frozen=True, slots=True)
class Replays:
    """Replays by ticket and checkpoint: how many reproduced it, of how many.

    `set_aside` counts those on an index, or with tools, that changed since the answer.
    """

    counts: Mapping[str, Mapping[str, tuple[int, int]]]
    set_aside: int

    def of(self, ticket: str) -> Mapping[str, tuple[int, int]]:
        """Counts by checkpoint."""
        return self.counts.get(ticket, {})

    def controls(self, ticket: str, considered: Collection[str]) -> tuple[int, int]:
        """Replays on checkpoints that never were candidates: reproduced, of all."""
        others = [kn for name, kn in self.of(ticket).items() if name not in considered]
        return sum(k for k, _ in others), sum(n for _, n in others)

    def anywhere(self, ticket: Judged) -> bool:
        """Whether a checkpoint that is no candidate reproduces it: the weights did not do it."""
        return self.controls(ticket.row["ticket_id"], ticket.considered)[0] > 0

    def lack(self, ticket: Judged, attempts: int) -> bool:
        """Whether some candidate was replayed less often than that."""
        found = self.of(ticket.row["ticket_id"])
        return any(found.get(name or "", (0, 0))[1] < attempts for name, _ in ticket.candidates)


def read_replays(ask: Inquiry, known: dict[str, Any]) -> Replays:
    """Ask for the replays."""
    counts: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    rows = ask.ask(c.REPLAYS, **known)
    for row in rows:
        if row["replays"]:
            counts[row["ticket_id"]][row["checkpoint"]] = (row["reproduced"], row["replays"])
    return Replays(counts, sum(row["on_another_index"] for row in rows))


def judge_tickets(
    ask: Inquiry, inventory: Inventory, replays: Replays, known: dict[str, Any]
) -> list[Judged]:
    """Find the candidates of every ticket, in the order of the reports."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in ask.ask(c.CANDIDATES, **known):
        rows[row["ticket_id"]].append(row)
    prints: dict[str, dict[str, int]] = defaultdict(dict)
    for row in ask.ask(c.PRINTS):
        prints[row["checkpoint"]][row["fingerprint"]] = row["requests"]
    return [
        _judged(ticket, rows[ticket["ticket_id"]], prints, replays, inventory)
        for ticket in ask.ask(c.TICKETS, **known)
    ]


def _judged(
    ticket: dict[str, Any],
    rows: list[dict[str, Any]],
    prints: Mapping[str, Mapping[str, int]],
    replays: Replays,
    inventory: Inventory,
) -> Judged:
    weights: dict[str, float] = defaultdict(float)
    for row in rows:
        weights[row["checkpoint"]] += row["weight"]
    before = posterior(weights)
    by, after = rows[0]["linked_by"], before
    if max(before.values()) < CERTAIN:
        seen = {row["fingerprint"] for row in rows}
        shown = _by_fingerprint(seen, before, prints)
        replayed = _by_replay(replays, ticket["ticket_id"], before)
        after = posterior(before, shown, replayed)
        if max(after.values()) >= CERTAIN:
            by = "replay" if replayed else "fingerprint"
    told = _worth_telling(after)
    state = _state(told)
    grades = [row["grade"] for row in rows if row["grade"] and row["checkpoint"] == told[0][0]]
    reach = [inventory.reach(name).can if name else None for name, p in told if p > WORTH_TELLING]
    return Judged(
        row=ticket,
        state=state,
        grade=_grade(state, by, grades),
        by=by,
        candidates=tuple((name or None, p) for name, p in told if state != "unresolved"),
        considered=frozenset(before),
        was_open=_state(_worth_telling(before)) != "resolved",
        reachable=False if False in reach else None if None in reach or not reach else True,
        decides=any(row["decisions"] for row in rows),
        first=min(row["first"] for row in rows),
        last=max(row["last"] for row in rows),
    )


def _worth_telling(candidates: Mapping[str, float]) -> list[tuple[str, float]]:
    """The likely candidates, the likeliest first, and as many others as make them certain."""
    order = sorted(candidates.items(), key=lambda pair: (-pair[1], pair[0]))
    told: list[tuple[str, float]] = []
    for name, p in order:
        if p <= WORTH_TELLING and sum(known for _, known in told) >= CERTAIN:
            break
        told.append((name, p))
    return told


def _state(told: Sequence[tuple[str, float]]) -> str:
    if not any(name for name, _ in told):
        return "unresolved"
    return "resolved" if len(told) == 1 and told[0][1] >= CERTAIN else "ambiguous"


def _grade(state: str, by: str, grades: Sequence[str]) -> str:
    if state != "resolved":
        return "D" if state == "ambiguous" else "E"
    return max(grades) if by in ("id", "text") and grades else "C"


def _by_fingerprint(
    seen: set[str | None], candidates: Mapping[str, float], prints: Mapping[str, Mapping[str, int]]
) -> dict[str, float]:
    """Chance of the fingerprint under each candidate; none unless all of them are known."""
    (shown,) = seen if len(seen) == 1 else {None}
    if shown is None or not all(prints.get(name) for name in candidates):
        return {}
    return {
        name: chance_of(prints[name].get(shown, 0), sum(prints[name].values()))
        for name in candidates
    }


def _by_replay(replays: Replays, ticket: str, candidates: Mapping[str, float]) -> dict[str, float]:
    """Chance of the report under each candidate; none unless all likely ones were replayed.

    Where a checkpoint that is no candidate reproduces it, the report is not of the checkpoint.
    """
    found = replays.of(ticket)
    likely = [name for name, p in candidates.items() if p > WORTH_TELLING]
    if not all(name in found for name in likely) or replays.controls(ticket, candidates)[0]:
        return {}
    return {name: chance_of(*found[name]) for name in candidates if name in found}
