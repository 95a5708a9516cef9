"""What the record of a served digest is worth: each control holds, fails, or is not known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from casework.visible import shorten

Standing = Literal["governed", "failing", "unregistered", "quantised", "unknown"]

_FAILS: Mapping[str, frozenset[str]] = {
    "eval_state": frozenset({"of another digest", "none"}),
    "owner_state": frozenset({"left", "none"}),
    "benchmark_state": frozenset({"retired before approval", "retired since"}),
    "card_state": frozenset({"older"}),
}
"""The controls from the gravest on, with the states in which each fails."""

OPEN: Mapping[str, frozenset[str]] = {
    # eval runs are loaded file by file: one that is not among them may not have been handed over
    "eval_state": frozenset({"digest not recorded", "not recorded", "no run loaded"}),
    "owner_state": frozenset(
        {"not recorded", "not on the list", "left within the lag", "seen after leaving"}
    ),
    "benchmark_state": frozenset({"not recorded", "not on the list"}),
    "card_state": frozenset(),
}

REASONS: Mapping[str, str] = {
    "governed": "living record",
    "unregistered": "not registered",
    "eval_state": "not evaluated as served",
    "owner_state": "owner gone or not named",
    "benchmark_state": "benchmark retired",
    "card_state": "card older than digest",
    "quantised": "quantised form of a registered one",
    "unknown": "state not known",
    "unattributed": "digest not known",
}
"""What traffic is governed by, in words, in the order in which it is drawn."""


@dataclass(frozen=True, slots=True)
class Served:
    """A digest that served live traffic, with the best of its records.

    Attributes:
        digest, requests, accounts: of the traffic.
        row: the row of the record, empty where there is none.
        fails, open: controls that fail and that are not known, the gravest first.
        quantised_from: the registered digest that it is a quantised form of.
        is_described: whether it has a record, or the checkpoints tell what it is.
    """

    digest: str
    requests: int
    row: Mapping[str, Any] = field(default_factory=dict)
    fails: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    quantised_from: str | None = None
    is_described: bool = True

    @property
    def standing(self) -> Standing:
        """What the record is worth."""
        if not self.row:
            return "quantised" if self.quantised_from else "unregistered"
        if self.fails:
            return "failing"
        return "unknown" if self.open else "governed"

    @property
    def name(self) -> str:
        """Model and version, or the digest where it has no record."""
        row = self.row
        return f"{row['model']} {row['version']}" if row else shorten(self.digest, 16)

    @property
    def reason(self) -> str:
        """Key of `REASONS`: the gravest control that fails, or the standing."""
        return self.fails[0] if self.standing == "failing" else self.standing

    @property
    def is_never_evaluated(self) -> bool:
        """Whether the registry tells of evals, and of none of this digest."""
        return "eval_state" in self.fails


def judge_records(
    records: Iterable[Mapping[str, Any]], unregistered: Iterable[Mapping[str, Any]]
) -> list[Served]:
    """Reduce the records of each served digest to the one in which fewest controls fail."""
    best: dict[str, Served] = {}
    for row in records:
        if row["model"] is None:
            continue
        states = {**row, "card_state": "older" if row["card_older"] else "current"}
        fails = tuple(name for name, bad in _FAILS.items() if states[name] in bad)
        unclear = tuple(name for name, bad in OPEN.items() if states[name] in bad)
        found = Served(row["digest"], row["requests"], row, fails, unclear)
        known = best.get(found.digest)
        if known is None or _order(found) < _order(known):
            best[found.digest] = found
    for row in unregistered:
        best[row["digest"]] = Served(
            row["digest"],
            row["requests"],
            quantised_from=row["quantised_from"],
            is_described=row["described"],
        )
    return sorted(best.values(), key=lambda served: (-served.requests, served.digest))


def _order(served: Served) -> tuple[int, int]:
    return len(served.fails), len(served.open)


@dataclass(frozen=True, slots=True)
class Split:
    """Live requests by what governs them.

    Attributes:
        served: the digests.
        unattributed: requests whose digest is not known.
    """

    served: tuple[Served, ...]
    unattributed: int

    @property
    def total(self) -> int:
        """Live requests."""
        return sum(one.requests for one in self.served) + self.unattributed

    def requests(self, *standings: Standing) -> int:
        """Requests of the digests of these standings."""
        return sum(one.requests for one in self.served if one.standing in standings)

    @property
    def ungoverned(self) -> int:
        """Requests that are known to lack a living record."""
        return self.requests("unregistered", "failing")

    @property
    def open(self) -> int:
        """Requests of which it cannot be said."""
        return self.requests("quantised", "unknown") + self.unattributed

    def by_reason(self) -> dict[str, int]:
        """Requests by the key of `REASONS`."""
        found = dict.fromkeys(REASONS, 0)
        for one in self.served:
            found[one.reason] += one.requests
        return found | {"unattributed": self.unattributed}

    def in_state(self, control: str, state: str) -> tuple[Served, ...]:
        """The digests on whose best record a control is in this state."""
        return tuple(one for one in self.served if one.row and one.row[control] == state)

    def having(self, control: str) -> tuple[Served, ...]:
        """The digests on whose best record a control fails."""
        return tuple(one for one in self.served if control in one.fails)
