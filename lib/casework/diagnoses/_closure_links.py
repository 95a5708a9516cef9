"""The inputs of an artifact as links of a chain: the worst of each kind counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from casework.diagnoses import _closure as q
from casework.diagnoses._inquiry import Inquiry
from casework.stats.closure import BROKEN, CRITICAL, WEIGHTS, broken_links

STATES: Mapping[str, tuple[float, str]] = {
    "pinned": (1.0, "pinned, retrieved, digest checked"),
    "unverified": (0.75, "pinned and retrievable, digest not checked"),
    "on record": (0.75, "written out on the record"),
    "remade": (0.75, "gone, its own inputs are there"),
    "not tried": (0.5, "pinned, nobody tried to fetch it"),
    "unpinnable": (0.5, "hosted elsewhere, unpinnable"),
    "gone": (0.25, "pinned but gone"),
    "erased": (0.25, "erased for privacy, digest kept"),
    "floating": (0.1, "floating"),
    "absent": (0.0, "absent"),
    "mismatched": (0.0, "digest does not match"),
}
"""State of an input: its value, from 0 to 1, and its words. A wrong digest is worse than none."""

_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Link:
    """One input. `uri`, `digest` and `owner` may be None."""

    kind: str
    uri: str | None
    digest: str | None
    owner: str | None
    state: str

    @property
    def value(self) -> float:
        """From 0, absent, to 1, pinned, retrieved and checked."""
        return STATES[self.state][0]


def links_of(ask: Inquiry, names: list[str]) -> list[Link]:
    """The inputs of an artifact, each once; what is gone and can be made again counts as there."""
    return [_remade(ask, link, frozenset(names), 0) for link in _merged(ask, names)]


def _merged(ask: Inquiry, names: list[str]) -> list[Link]:
    """Join what several records say of one input, the one who tried to fetch it first.

    A mismatch stands whatever else is said. A record that nobody followed up says less than one
    that somebody did, such as an audit beside a lock file.
    """
    rows = ask.ask(q.INPUTS, names=names)
    pinned = {row["uri"] for row in rows if row["digest"] is not None}
    best: dict[tuple[str, str], Link] = {}
    for row in rows:
        link = Link(*(row[name] for name in ("kind", "uri", "digest", "owner", "state")))
        if link.digest is None and link.uri in pinned and link.state == "floating":
            continue  # the same address with a digest stands in another record
        key = (link.kind, link.digest or link.uri or "")
        known = best.get(key)
        if known is None or _says_more(link) > _says_more(known):
            best[key] = link
    return list(best.values())


def _says_more(link: Link) -> tuple[bool, bool, float]:
    return link.state == "mismatched", link.state != "not tried", link.value


def _remade(ask: Inquiry, link: Link, seen: frozenset[str], depth: int) -> Link:
    """Look at the inputs of an input that is gone, where it is an artifact on record itself."""
    if link.state not in ("gone", "erased") or link.digest is None or link.digest in seen:
        return link
    if depth >= _DEEPEST:
        return link
    behind = [
        _remade(ask, one, seen | {link.digest}, depth + 1) for one in _merged(ask, [link.digest])
    ]
    made_of = any(one.kind in CRITICAL for one in behind)
    whole = made_of and min(one.value for one in behind) > BROKEN
    return replace(link, state="remade") if whole else link


@dataclass(frozen=True, slots=True)
class Chain:
    """All links of one artifact, and the kinds of input that the case records for any artifact."""

    links: tuple[Link, ...]
    kinds: frozenset[str]

    @property
    def worst(self) -> dict[str, Link]:
        """The worst link of each kind that is recorded."""
        found: dict[str, Link] = {}
        for link in self.links:
            known = found.get(link.kind)
            if known is None or _badness(link) < _badness(known):
                found[link.kind] = link
        return found

    @property
    def states(self) -> dict[str, float]:
        """The value of the worst link of each kind."""
        return {kind: link.value for kind, link in self.worst.items()}

    @property
    def broken(self) -> list[str]:
        """Critical kinds that cannot be followed, the worst first; erasure by law aside.

        Where no input is recorded at all, it is the record that is missing.
        """
        if not self.links:
            return []
        return [kind for kind in broken_links(self.states) if kind not in self.erased]

    @property
    def unlisted(self) -> bool:
        """Whether all that is broken is of kinds that no artifact has on record.

        Then the export may not hold such kinds, and their absence says little.
        """
        return bool(self.broken) and not self.kinds & set(self.broken)

    @property
    def erased(self) -> list[str]:
        """Critical kinds that fail for nothing but an erasure for privacy."""
        return [
            kind
            for kind in broken_links(self.states)
            if all(link.state == "erased" for link in self.links
                   if link.kind == kind and link.value < BROKEN)
            and kind in self.worst
        ]  # fmt: skip

    @property
    def open(self) -> list[str]:
        """Critical kinds of which it cannot be said: not tried, or unpinnable."""
        return [kind for kind in CRITICAL if self.states.get(kind) == BROKEN]

    def rows(self) -> list[dict[str, Any]]:
        """One row a kind, critical ones first, in the order of their weight."""
        kinds = sorted({*WEIGHTS, *self.worst}, key=_place)
        return [self._row(kind) for kind in kinds]

    def _row(self, kind: str) -> dict[str, Any]:
        link = self.worst.get(kind, Link(kind, None, None, None, "absent"))
        value, said = STATES[link.state]
        count = sum(one.kind == kind for one in self.links)
        return {
            "kind": kind, "critical": kind in CRITICAL, "state": link.state, "value": value,
            "said": said, "uri": link.uri, "digest": link.digest, "owner": link.owner,
            "inputs": count,
        }  # fmt: skip


def chain_of(ask: Inquiry, names: list[str]) -> Chain:
    """All links of the artifact of these names."""
    kinds = frozenset(row["kind"] for row in ask.ask(q.KINDS))
    return Chain(tuple(links_of(ask, names)), kinds)


def _badness(link: Link) -> tuple[float, bool, bool]:
    # what is gone without a reason is worse than what was erased by law
    return link.value, link.state != "mismatched", link.state == "erased"


def _place(kind: str) -> tuple[bool, float, str]:
    return kind not in CRITICAL, -WEIGHTS.get(kind, 0), kind


def owners_there(owners: Sequence[Mapping[str, Any]], *, engaged: bool) -> list[str]:
    """Who is there, and where engagements are on record has run or changed the pipeline."""
    return [
        row["owner"]
        for row in owners
        if row["standing"] == "present" and (row["touched"] or not engaged)
    ]
