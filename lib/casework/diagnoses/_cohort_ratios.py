"""Are the counts per arm as planned within segments, stages and times too, and at each look?

A total that is as planned may hide a segment that is not (Dmitriev et al., A Dirty Dozen, KDD
2017), and when a mismatch began says where to look for its cause (Fabijan et al., KDD 2019).
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from casework.diagnoses import _cohort_slices as s
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison, planned_share
from casework.diagnoses._dealing import Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.stats.multiplicity import benjamini_hochberg
from casework.stats.sample_ratio import sample_ratio, sequential_sample_ratio

STRICT = 0.0005
_EXPECTED = 5.0
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

Row = dict[str, Any]


class Slice(NamedTuple):
    """Counts per arm of one segment, stage or time.

    Attributes:
        kind: `tier`, `region`, `stage`, `day` or `hour of the day`.
        name: of the slice; a day is counted from the first assignment, from 1.
        control, treated: how many were dealt to each arm.
        planned: share of the treatment as planned.
        chi2, p: of the test of the counts against it.
        of: units of control and treatment whose tier or region is known, for those kinds.
        adjusted_p: over all slices (Benjamini and Hochberg).
    """

    kind: str
    name: str
    control: int
    treated: int
    planned: float
    chi2: float
    p: float
    adjusted_p: float = 1.0
    of: tuple[int, int] = (0, 0)


class Running(NamedTuple):
    """The running test at the end of the window, and the first look at which it raised an alarm.

    Attributes:
        p: anytime-valid p-value (Lindon & Malek, NeurIPS 2022).
        looks: hours in which anything was dealt.
        n: how many were dealt.
        n_of_all: how many were dealt later, too, when another share was planned.
        alarm_at, alarm_n: end of the hour of the alarm, and how many were dealt by then.
    """

    p: float
    looks: int
    n: int
    n_of_all: int
    alarm_at: datetime | None
    alarm_n: int


class Ratios(NamedTuple):
    """Slices, each tested; and the running test, None where all were dealt in one hour.

    Attributes:
        slices: with five expected in each arm.
        running: None without a plan, too.
        is_planned: whether anything tells the plan; else slices are compared with that over all.
        is_raised: whether the planned share was changed meanwhile, so that a segment of those who
            came late has another one; segments are not tested then.
        of: what is counted, `units` or `accounts`.
    """

    slices: tuple[Slice, ...]
    running: Running | None
    is_planned: bool
    is_raised: bool
    of: str


def ratios_of(ask: Inquiry, compared: Comparison, dealing: Dealing) -> Ratios:
    """Test the counts per arm of each slice, and of each hour together with those before it."""
    by_account = dealing.accounts is not None
    hours = ask.ask(s.ACCOUNT_HOURS if by_account else s.HOURS, **compared.params)
    planned = compared.share or dealing.bucket_share
    share = planned or _share_of_all(ask, compared, dealing)
    dated = _dated(hours, _ramp(ask, compared), share)
    is_raised = len({each.planned for each in dated}) > 1
    found = _times(dated)
    if not is_raised and 0 < share < 1:
        segments = s.ACCOUNT_SEGMENTS if by_account else s.SEGMENTS
        least = _EXPECTED / min(share, 1 - share)
        found += [_segment(row, share)
                  for row in ask.ask(segments, **compared.params, least=least)]  # fmt: skip
    found += _stages(ask, compared) if not by_account else []
    kept = [each for each in found if each is not None]
    adjusted = benjamini_hochberg([each.p for each in kept])
    return Ratios(
        slices=tuple(e._replace(adjusted_p=p) for e, p in zip(kept, adjusted, strict=True)),
        running=_running(dated) if planned else None,
        is_planned=planned is not None,
        is_raised=is_raised,
        of="accounts" if by_account else "units",
    )


class _Dated(NamedTuple):
    """What was dealt in one hour, and the share that was planned then."""

    starts: datetime
    control: int
    treated: int
    planned: float


def _share_of_all(ask: Inquiry, compared: Comparison, dealing: Dealing) -> float:
    if dealing.accounts:
        control, treated = dealing.accounts.compared
    else:
        arms = {r["treated"]: r["units"] - r["set_apart"]
                for r in ask.ask(q.SET_APART, **compared.params)}  # fmt: skip
        control, treated = arms.get(False, 0), arms.get(True, 0)
    return treated / max(1, control + treated)


def _ramp(ask: Inquiry, compared: Comparison) -> list[Row]:
    """The percentages in time; none where the plan is that of one stage, or of several arms."""
    if compared.stage is not None or compared.share is None:
        return []
    rows = ask.ask(q.ROLLOUT, experiment=compared.experiment)
    return [row for row in rows if row["percent"] is not None]


def _dated(hours: list[Row], ramp: list[Row], share: float) -> list[_Dated]:
    """Hours with the share planned for them; those in which the share was changed are left out."""
    dated = []
    for row in hours:
        at = row["starts"]
        planned = share
        if ramp:
            last = [r for r in ramp if r["occurred_at"] < at + _HOUR]
            if not last or last[-1]["occurred_at"] > at:
                continue
            planned = last[-1]["percent"] / 100
        if 0 < planned < 1:
            dated.append(_Dated(at, row["control"], row["treated"], planned))
    return dated


def _slice(kind: str, name: str, control: int, treated: int, planned: float) -> Slice | None:
    """Test one slice; None where an arm expects fewer than five."""
    n = control + treated
    if n * min(planned, 1 - planned) < _EXPECTED:
        return None
    test = sample_ratio((control, treated), (1 - planned, planned))
    return Slice(kind, name, control, treated, planned, test.chi2, test.p)


def _segment(row: Row, planned: float) -> Slice | None:
    found = _slice(row["kind"], row["slice"], row["control"], row["treated"], planned)
    return found and found._replace(of=(row["of_control"], row["of_treated"]))


def _stages(ask: Inquiry, compared: Comparison) -> list[Slice | None]:
    """Stages with both arms whose share is planned, each against its own share."""
    rows = ask.ask(q.ARMS, experiment=compared.experiment)
    stages = list(dict.fromkeys(row["stage"] for row in rows if row["stage"] is not None))
    if len(stages) < 2:
        return []
    apart = {(row["stage"], row["arm"]): row["units"]
             for row in ask.ask(s.STAGED_APART, experiment=compared.experiment)}  # fmt: skip
    ramp = [r for r in ask.ask(q.ROLLOUT, experiment=compared.experiment)
            if r["percent"] is not None]  # fmt: skip
    arms = len({row["arm"] for row in rows})
    found = []
    for stage in stages:
        here = {row["arm"]: row for row in rows if row["stage"] == stage}
        both = [here.get(arm) for arm in (compared.control, compared.treatment)]
        last = max((r["last"] for r in both if r and r["last"]), default=None)
        share = planned_share(stage, ramp, last, arms)
        if share and all(both):
            control, treated = (
                here[arm]["units"] - apart.get((stage, arm), 0)
                for arm in (compared.control, compared.treatment)
            )
            found.append(_slice("stage", str(stage), control, treated, share))
    return found


def _times(dated: list[_Dated]) -> list[Slice | None]:
    """Days since the first assignment, and hours of the day in UTC; none where there is but one."""
    days: dict[int, list[_Dated]] = defaultdict(list)
    clock: dict[int, list[_Dated]] = defaultdict(list)
    for each in dated:
        days[(each.starts - dated[0].starts) // _DAY + 1].append(each)
        clock[each.starts.hour].append(each)
    found = []
    for kind, grouped in (("day", days), ("hour of the day", clock)):
        if len(grouped) > 1:
            found += [_joined(kind, str(name), of) for name, of in sorted(grouped.items())]
    return found


def _joined(kind: str, name: str, dated: list[_Dated]) -> Slice | None:
    control, treated = sum(d.control for d in dated), sum(d.treated for d in dated)
    planned = dated[0].planned
    if any(d.planned != planned for d in dated):
        expected = sum(d.planned * (d.control + d.treated) for d in dated)
        planned = expected / (control + treated)
    return _slice(kind, name, control, treated, planned)


def _running(dated: list[_Dated]) -> Running | None:
    """Look after each hour, as long as the planned share is that of the first."""
    looks = [d for d in dated if d.planned == dated[0].planned]
    if len(looks) < 2:
        return None
    share = looks[0].planned
    counts = [(d.control, d.treated) for d in looks]
    found = sequential_sample_ratio(counts, (1 - share, share))
    alarm = next((i for i, p in enumerate(found.p) if p < STRICT), None)
    return Running(
        p=found.p[-1],
        looks=len(looks),
        n=sum(map(sum, counts)),
        n_of_all=sum(d.control + d.treated for d in dated),
        alarm_at=None if alarm is None else looks[alarm].starts + _HOUR,
        alarm_n=0 if alarm is None else sum(map(sum, counts[: alarm + 1])),
    )
