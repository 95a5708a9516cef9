"""Which experiment, arms, stage and window `cohort_skew` compares."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.diagnoses import _cohorts as q
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name
from casework.findings import Missing
from casework.words import count

_CONTROL = ("control", "baseline", "holdout")
_OFF = ("off", "false", "0", "a", "none", "current")
"""Names of what is not the treatment, where neither a name nor the platform says control."""
_PERCENT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*$|(\d+(?:\.\d+)?)\s*(?:%|pct|percent)", re.IGNORECASE)
_WAVE = 0.05
"""Share of the units that a ramp moves at least; fewer are slips, such as joined accounts."""
TWO_ARMS = Missing(
    "assignments", ("experiment", "unit_id", "arm"), "two units or more of each of two arms"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared.

    Attributes:
        experiment, control, treatment, stage: as settled; stage is None where there are none.
        units: units of control and treatment.
        share: expected share of the treatment among both, if anything tells it.
        opened_at: first assignment of the compared units.
        closed_at: when others were given the treatment too, and the comparison ended.
        raised_at: when the share of the treatment was raised for the first time, short of all.
        launched_at: when all were given the treatment.
        moved: units that were moved to another arm later.
        at_once: units that are in two arms at one time, or at an unknown one.
        is_wave: whether so many were moved that the comparison ends with the first of them.
    """

    experiment: str
    control: str
    treatment: str
    stage: str | None
    units: tuple[int, int]
    share: float | None
    opened_at: datetime | None
    closed_at: datetime | None
    raised_at: datetime | None
    launched_at: datetime | None
    moved: int
    at_once: int
    is_wave: bool

    @property
    def too_few(self) -> str | None:
        """Why nothing can be compared; None where each of two arms has two units."""
        if self.control == self.treatment:
            return f"{self.experiment} has one arm in the evidence"
        (n, arm) = min(zip(self.units, (self.control, self.treatment), strict=True))
        return f"{arm} of {self.experiment} has {count(n, 'units')}" if n < 2 else None

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the queries."""
        names = ("experiment", "control", "treatment", "stage", "opened_at", "closed_at",
                 "raised_at", "launched_at")  # fmt: skip
        return {name: getattr(self, name) for name in names}


def settle(
    ask: Inquiry, experiment: str | None, control: str | None, treatment: str | None,
    stage: str | None, usual: str | None = None, *, staged: bool = True,
) -> Comparison:  # fmt: skip
    """Settle what is compared, as given or as the evidence tells.

    The experiment that the diagnosis takes as `usual`, else the first of those found; the arm that
    is named as a control, by itself or by its platform, else the larger; the first stage of the
    ramp, where the canary was read out, or with `staged` False the units of all stages.

    Raises:
        UsageError: a given experiment, arm or stage is not in the case.
    """
    found = ask.ask(q.EXPERIMENTS)
    _check("experiment", experiment, [row["experiment"] for row in found])
    experiment = str(ask.infer("experiment", experiment, usual or found[0]["experiment"]))
    ask.case.hold(q.DEALT, experiment=experiment)
    rows = ask.ask(q.ARMS, experiment=experiment)
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    _check("stage", stage, [str(name) for name in stages if name is not None])
    first = stages[0] if len(stages) > 1 else None
    stage = ask.infer("stage", stage, first) if staged else None
    sizes, early = _sizes(rows, stage), _sizes(rows, stage or first)
    _check("control", control, list(sizes))
    _check("treatment", treatment, list(sizes))
    named = (_called(sizes, _CONTROL) or _told(ask, experiment, sizes)
             or _called(sizes, _OFF))  # fmt: skip
    largest = sorted(sizes, key=lambda arm: (-early.get(arm, 0), -sizes[arm], arm))
    control = str(ask.infer("control", control, (named or largest)[0]))
    others = [arm for arm in largest if arm != control]
    treatment = str(ask.infer("treatment", treatment, others[0] if others else control))
    window = [row for row in rows if row["arm"] in (control, treatment)
              and (stage is None or row["stage"] == stage)]  # fmt: skip
    return _window(ask, experiment, control, treatment, stage, sizes, window)


def said_moved(compared: Comparison) -> tuple[str, ...]:
    """Say which units did not keep their arm, and what of them is counted."""
    said = []
    if compared.moved:
        until = (
            "outcomes of all units from the first such move on are not counted"
            if compared.is_wave
            else "too few to be a ramp, so each is counted until then"
        )
        said.append(f"Moved to another arm later: {count(compared.moved, 'units')}; {until}.")
    if compared.at_once:
        said.append(
            "In two arms at one time, or at an unknown one: "
            f"{count(compared.at_once, 'units')}. The first that was logged is taken."
        )
    return tuple(said)


def _sizes(rows: list[dict[str, Any]], stage: str | None) -> dict[str, int]:
    """Units of each arm, of a stage or of all."""
    sizes: dict[str, int] = {}
    for row in rows:
        if stage is None or row["stage"] == stage:
            sizes[row["arm"]] = sizes.get(row["arm"], 0) + row["units"]
    return sizes


def _called(arms: Collection[str], names: tuple[str, ...]) -> list[str]:
    """Arms of these names, in the order of the names."""
    known = [arm for arm in arms if arm.lower() in names]
    return sorted(known, key=lambda arm: names.index(arm.lower()))


def _told(ask: Inquiry, experiment: str, arms: Collection[str]) -> list[str]:
    """The arm that the platform calls the control, where the log knows arms by number or key."""
    rows = ask.ask(q.CONTROLS, experiment=experiment)
    return [row["arm"] for row in rows if row["arm"] in arms]


def _window(
    ask: Inquiry, experiment: str, control: str, treatment: str, stage: str | None,
    sizes: dict[str, int], rows: list[dict[str, Any]],
) -> Comparison:  # fmt: skip
    opened = min((row["first"] for row in rows if row["first"]), default=None)
    last = max((row["last"] for row in rows if row["last"]), default=None)
    ramp = [row for row in ask.ask(q.ROLLOUT, experiment=experiment) if row["percent"] is not None]
    moved = ask.one(q.MOVED, experiment=experiment, opened_at=opened)
    is_wave = moved["units"] >= _WAVE * moved["dealt"]
    full = [row["occurred_at"] for row in ramp if row["percent"] >= 100]
    launched = min((at for at in full if opened is None or at > opened), default=None)
    ends = full + ([moved["first"]] if moved["first"] and is_wave else [])
    closed = min((end for end in ends if opened is None or end > opened), default=None)
    raised = [row["occurred_at"] for row in ramp if last and row["occurred_at"] > last]
    raised = [at for at in raised if launched is None or at < launched]
    return Comparison(
        experiment=experiment,
        control=control,
        treatment=treatment,
        stage=stage,
        units=(sizes.get(control, 0), sizes.get(treatment, 0)),
        share=planned_share(stage, ramp, last, len(sizes)),
        opened_at=opened,
        closed_at=closed,
        raised_at=min(raised, default=None),
        launched_at=launched,
        moved=int(moved["units"]),
        at_once=int(moved["at_once"]),
        is_wave=is_wave,
    )


def planned_share(
    stage: str | None, ramp: list[dict[str, Any]], last: datetime | None, arms: int
) -> float | None:
    """Expected share of the treatment: from the ramp, else from the name of the stage."""
    before = [row["percent"] for row in ramp if last is None or row["occurred_at"] <= last]
    if arms == 2 and before and 0 < before[-1] < 100:
        return float(before[-1]) / 100
    # the number of a week or a wave is no percentage
    number = _PERCENT.search(stage or "")
    percent = float(number[1] or number[2]) if number else 0.0
    return percent / 100 if arms == 2 and 0 < percent < 100 else None


def _check(kind: str, given: str | None, known: list[str]) -> None:
    if given is not None and given not in known:
        raise unknown_name(kind, given, known)
