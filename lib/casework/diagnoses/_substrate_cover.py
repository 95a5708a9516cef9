"""Would a change of the substrate have been seen, all the while that the metric was observed?"""

from datetime import timedelta

from casework.diagnoses import _substrate_rows as rows
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import Line, Substrate
from casework.diagnoses._substrate_lifts import A_DAY, Metric
from casework.words import count, instant

FEW_LOOKS = 7
"""Days with a look at the same texts from which on noise tells itself from as many as three steps:
fewer steps than half of the days."""
FEW_DAYS_OF_SCORES = 14
"""Days from which on a step of ten times the noise is found 9 times in 10; half as often in 12."""


def gaps_of(substrate: Substrate, metric: Metric) -> tuple[str, ...]:
    """Say why a change may have been there and not been seen; nothing where it would have been.

    A change less than a day from an end leaves a regime that has no say.
    """
    gaps = _outside("The substrate", substrate, metric, timedelta())
    for line in substrate.lines if len(substrate.lines) > 1 else ():
        gaps += _outside(line.name, line, metric, A_DAY)
    for line in substrate.lines:
        if not line.same_day and line.days < FEW_LOOKS:
            gaps.append(
                f"Texts of {line.name} were embedded again on {count(line.days, 'days')}, and "
                "hardly ever twice within a day: noise cannot be told from a step."
            )
    if substrate.source == "scores" and substrate.days < FEW_DAYS_OF_SCORES:
        gaps.append(
            f"Scores are of {count(substrate.days, 'days')}, too few for the search to find a step."
        )
    return tuple(gaps)


def _outside(name: str, watched: Substrate | Line, metric: Metric, spare: timedelta) -> list[str]:
    first, last = watched.first, watched.last
    if first - spare <= metric.first and last + spare >= metric.last:
        return []
    return [
        f"{name} was watched from {instant(first)} to {instant(last)}, and {metric.name} was "
        f"observed from {instant(metric.first)} to {instant(metric.last)}."
    ]


def left_out(ask: Inquiry, substrate: Substrate) -> tuple[str, ...]:
    """Say how many vectors have no direction, so that there is no distance from them."""
    if substrate.source == "scores":
        return ()
    found = ask.one(rows.NO_DIRECTION)["vectors"]
    return (
        (f"Left out: {count(found, 'vectors')} without a direction (all zeros, or not all "
         "numbers).",) if found else ()
    )  # fmt: skip
