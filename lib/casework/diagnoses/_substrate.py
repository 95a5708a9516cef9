"""What is known of the substrate, before outcomes are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ROUNDING = 1e-6
"""Distance of two vectors in single precision that may be the same."""
UNSTEADY = 5.0
"""Repeats of one text that lie so many times further apart since are no noise; as in the floor."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the substrate: after `started`, by `ended` at the latest.

    Attributes:
        distance: median distance that the texts moved.
        moved, watched: texts that moved, of those of their line that were embedded on both sides.
        other_dimensions: whether vectors have another length since.
    """

    started: datetime
    ended: datetime
    distance: float
    moved: int
    watched: int
    other_dimensions: bool = False


def numbered(places: Sequence[int]) -> str:
    """Say which changes, by their numbers."""
    return f"change{'s' if len(places) > 1 else ''} {', '.join(map(str, places))}"


@dataclass(frozen=True, slots=True)
class Line:
    """Models that embedded the same texts one after the other, and what was found of them.

    Attributes:
        number: of the line.
        models: names; empty where none is given.
        texts, vectors: how many.
        first, last: the time that was watched.
        floor: noise floor of the distance.
        same_day: whether the floor is that of repeats within a day.
        changes: in the order of time.
        partial: steps of fewer texts than a majority.
        days: on which texts were embedded again.
    """

    number: int
    models: tuple[str, ...]
    texts: int
    vectors: int
    first: datetime
    last: datetime
    floor: float = 0.0
    same_day: bool = False
    changes: tuple[Change, ...] = ()
    partial: int = 0
    days: int = 0

    @property
    def name(self) -> str:
        """Names of the models."""
        return ", ".join(model or "a model without a name" for model in self.models)


@dataclass(frozen=True, slots=True)
class Substrate:
    """What was found of the substrate.

    Attributes:
        source: `vectors`, or `scores` where repeated pairs of query and document tell.
        changes: in the order of time.
        partial: steps of fewer texts than a majority.
        floor: noise floor of the distance.
        first, last: the time that was watched.
        n: vectors or scores.
        p: of the search for breaks, where scores tell; None where brackets are certain.
        lines: of models, that are judged.
        others: lines that are not judged, since the experiment does not use them.
        is_told: whether something tells which models the experiment uses.
        asked: parameters of the queries about vectors.
        days: with scores, where these tell.
    """

    source: str
    changes: tuple[Change, ...]
    partial: int
    floor: float
    first: datetime
    last: datetime
    n: int
    p: float | None = None
    lines: tuple[Line, ...] = ()
    others: tuple[Line, ...] = ()
    is_told: bool = False
    asked: Mapping[str, Any] = field(default_factory=dict)
    days: int = 0

    @property
    def numbers(self) -> list[int]:
        """Numbers of the lines that are judged."""
        return [line.number for line in self.lines]

    @property
    def is_mixed(self) -> bool:
        """Whether several lines are judged, since nothing tells which the experiment uses."""
        return len(self.lines) > 1 and not self.is_told


@dataclass(frozen=True, slots=True)
class Part:
    """What moved of the substrate while it did not change as a whole.

    Attributes:
        moved, watched: texts that are elsewhere in the last week, of those that were embedded.
        noise_first, noise_last: distance between repeats of one text, in either week.
    """

    moved: int
    watched: int
    noise_first: float | None
    noise_last: float | None

    @property
    def is_unsteady(self) -> bool:
        """Whether one text has several vectors now: repeats lie apart as they did not before."""
        if self.noise_first is None or self.noise_last is None:
            return False
        return self.noise_last > UNSTEADY * max(self.noise_first, ROUNDING)

    @property
    def is_seen(self) -> bool:
        """Whether some texts moved for good, or one text has several vectors now."""
        return self.moved > 0 or self.is_unsteady
