"""Half-open intervals of time: their union, their difference, and how far clocks may move them.

An interval is `(start, end)` in seconds and holds its start, not its end. What is served and not
evaluated is the difference of two sets of them (METHODS section 2).
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the served time was evaluated.

    Attributes:
        covered: served and evaluated, in order, none touching another.
        blind: served and not evaluated.
        blind_s: length of the blind time.
        share: covered share of the served time; None where nothing was served.
    """

    covered: tuple[Interval, ...]
    blind: tuple[Interval, ...]
    blind_s: float
    share: float | None


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Put intervals in order and join those that overlap or touch; empty ones are left out."""
    joined: list[Interval] = []
    for start, end in sorted(i for i in intervals if i[0] < i[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)


def difference(first: Iterable[Interval], second: Iterable[Interval]) -> tuple[Interval, ...]:
    """What lies in the first set and not in the second."""
    away = union(second)
    left: list[Interval] = []
    for start, end in union(first):
        for low, high in away:
            if high <= start:
                continue
            if low >= end:
                break
            left.append((start, low))
            start = high
        left.append((start, end))
    return union(left)


def length(intervals: Iterable[Interval]) -> float:
    """How long the intervals are together, what overlaps counted once."""
    return sum(end - start for start, end in union(intervals))


def moved(intervals: Iterable[Interval], by: float) -> tuple[Interval, ...]:
    """Move every end outwards by `by` seconds, or inwards where it is negative.

    With clocks that are off by at most an error, the truth lies between the intervals moved
    inwards and outwards by that error.
    """
    return union((start - by, end + by) for start, end in intervals)


def coverage(
    served: Mapping[Hashable, Sequence[Interval]], evaluated: Mapping[Hashable, Sequence[Interval]]
) -> Coverage:
    """Compare what was served with what was evaluated, configuration by configuration.

    Args:
        served: by configuration, when it was served.
        evaluated: by configuration, when it counted as evaluated.
    """
    pairs = [(spans, evaluated.get(name, ())) for name, spans in served.items()]
    blind = union(part for spans, known in pairs for part in difference(spans, known))
    everything = union(part for spans, _ in pairs for part in spans)
    covered = difference(everything, blind)
    total = length(everything)
    blind_s = length(blind)
    return Coverage(covered, blind, blind_s, 1 - blind_s / total if total else None)
