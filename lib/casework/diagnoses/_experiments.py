"""Which experiment `cohort_skew` examines, and those that it does not."""

from itertools import islice
from typing import Any

from casework.diagnoses import _cohorts as q
from casework.diagnoses._inquiry import Inquiry
from casework.visible import shorten
from casework.words import count, number

_NAMED = 8


def most_telling(ask: Inquiry) -> str:
    """The experiment that was ramped, and of several the one with most units.

    How often a unit was logged does not count, nor does an experiment of which one arm is in the
    evidence. Events of a rollout tell a ramp better than names of stages, which may mean anything.
    """
    return str(min(ask.ask(q.EXPERIMENTS), key=_less_telling)["experiment"])


def _less_telling(row: dict[str, Any]) -> tuple[bool, bool, bool, int, str]:
    return row["arms"] < 2, row["percents"] < 2, row["stages"] < 2, -row["units"], row["experiment"]


def unexamined(ask: Inquiry, experiment: str) -> tuple[str, ...]:
    """Name the experiments of which nothing is said, and how each is examined."""
    rows = ask.ask(q.EXPERIMENTS)
    others = [row for row in rows if row["experiment"] != experiment]
    if not others:
        return ()
    named = [
        f"{shorten(row['experiment'], 60)} ({count(row['units'], 'units')})"
        for row in islice(others, _NAMED)
    ]
    if len(others) > _NAMED:
        named.append(f"{number(len(others) - _NAMED)} more")
    return (
        f"Of {count(len(rows), 'experiments')}, {shorten(experiment, 60)} is examined alone; not "
        f"examined: {', '.join(named)}. Name one with --set {ask.diagnosis}.experiment=NAME.",
    )
