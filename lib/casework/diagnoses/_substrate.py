"""What is known of the substrate, before outcomes are read."""

from dataclasses import dataclass
from datetime import datetime

UNSTEADY = 5.0
"""Repeats of one text that lie so many times further apart since are no noise; as in the floor."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the substrate: after `started`, by `ended` at the latest.

    Attributes:
        distance: median distance that the texts moved.
        moved, watched: texts that moved, of those embedded on both sides.
        other_dimensions: whether vectors have another length since.
    """

    started: datetime
    ended: datetime
    distance: float
    moved: int
    watched: int
    other_dimensions: bool = False


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
        same_day: whether the floor is that of repeats within a day.
    """

    source: str
    changes: tuple[Change, ...]
    partial: int
    floor: float
    first: datetime
    last: datetime
    n: int
    p: float | None = None
    same_day: bool = False


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
        return self.noise_last > UNSTEADY * max(self.noise_first, 1e-9)

    @property
    def is_seen(self) -> bool:
        """Whether some texts moved for good, or one text has several vectors now."""
        return self.moved > 0 or self.is_unsteady
