"""The numbers of `stale_eval_config`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.diagnoses import _stale_blind as b
from casework.diagnoses import _stale_harm as h
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_runs import UNIDENTIFIED
from casework.diagnoses._stale_served import IN_COMMON
from casework.diagnoses._stale_signal import Change, Signal
from casework.stats.estimates import clopper_pearson, upper_if_none
from casework.stats.intervals import Interval, coverage, difference, length, moved, union

_GRADES = ("rendered_hash", "version_label", "process_start")


@dataclass(frozen=True, slots=True)
class Blind:
    """What was served before it was evaluated.

    Attributes:
        configs: the configurations, those with most blind requests first.
        totals: over all of them.
        spells: when each was served.
        worst: the configuration with most blind requests; None where none has any.
        grade: how identity is known, of the blind configurations where there are any.
        runs: of the eval runs, how many are not completed or name no configuration.
        timed: whether runs record when their process read its configuration.
        in_common: of each part of a configuration how many values both sides share.
        renamed: by blind configuration the first run of the same hash under another prompt name.
    """

    configs: Sequence[dict[str, Any]]
    totals: dict[str, Any]
    spells: Sequence[dict[str, Any]]
    worst: dict[str, Any] | None
    grade: str | None
    runs: dict[str, Any]
    timed: bool
    in_common: Sequence[dict[str, Any]]
    renamed: dict[int, dict[str, Any]]

    @property
    def blind_configs(self) -> list[dict[str, Any]]:
        """The configurations that were served before they were evaluated."""
        return [row for row in self.configs if row["blind"]]

    @property
    def is_apart(self) -> bool:
        """Whether not one hash of a prompt occurs on both sides."""
        return any(row["apart"] for row in self.blind_configs)

    @property
    def params_apart(self) -> bool:
        """Whether not one hash of parameters occurs on both sides."""
        return any(row["part"] == "params_hash" and not row["in_common"] for row in self.in_common)

    @property
    def names_apart(self) -> bool:
        """Whether not one name of a prompt occurs on both sides, and a hash of one does."""
        shared = {row["part"]: row["in_common"] for row in self.in_common}
        return shared.get("prompt_name") == 0 and shared.get("prompt_hash", 0) > 0

    @property
    def doubts(self) -> list[str]:
        """What is in doubt where no run is known to have scored what was served."""
        return sorted({row["doubt"] for row in self.configs if row["doubtful"] and row["doubt"]})

    @property
    def is_certain(self) -> bool:
        """Whether a label is backed by content or by the time at which a process read it."""
        return self.grade != "version_label" or self.timed


def count_blind(ask: Inquiry, known: dict[str, Any]) -> Blind:
    """Ask what was served before it was evaluated."""
    configs = ask.ask(b.BY_CONFIG, **known)
    totals = ask.one(b.TOTALS, **known)
    spells = ask.ask(b.SPELLS, **known) if configs else []
    runs = ask.one(UNIDENTIFIED)
    blind = [row for row in configs if row["blind"]]
    graded = [row["known_by"] for row in blind or configs]
    grade = min(graded, key=_GRADES.index, default=None)
    if not blind and configs:
        by_grade = {g: sum(r["requests"] for r in configs if r["known_by"] == g) for g in _GRADES}
        grade = max(by_grade, key=lambda name: by_grade[name])
    timed = ask.case.filled("eval_runs", ("config_loaded_at",))
    timed = timed or ask.case.filled("eval_runs", ("process_started_at",))
    renamed: dict[int, dict[str, Any]] = {}
    for row in ask.ask(b.OTHER_NAMES, **known):
        if row["is_whole"]:
            renamed.setdefault(row["config"], row)
    worst = blind[0] if blind else None
    parts = ask.ask(IN_COMMON)
    return Blind(configs, totals, spells, worst, grade, runs, timed, parts, renamed)


def blind_spans(
    blind: Blind, error: float = 0.0, since: str = "evaluated_at", *, settled: bool = False
) -> tuple[Interval, ...]:
    """When a configuration was served that had not been evaluated, in seconds since 1970.

    With clocks that are off, served times are longer and evaluated ones shorter by the error at
    most, and the other way round at least. `since` is `evaluated_at` or `known_at`: the first run
    that may be of the configuration, or the first that is known to be. `settled` leaves out what
    may have been scored before the records begin, or under hashes that never meet.
    """
    found: list[Interval] = []
    for served, evaluated in _spans(blind, since, settled=settled):
        found += difference(moved(served, error), moved(evaluated, -error))
    return union(found)


def _spans(
    blind: Blind, since: str = "evaluated_at", *, settled: bool = False
) -> list[tuple[list[Interval], list[Interval]]]:
    """Of each configuration when it was served and when it counted as evaluated."""
    configs = {row["config"]: row for row in blind.configs
               if not (settled and (row["unsettled"] or row["apart"]))}  # fmt: skip
    served: dict[int, list[Interval]] = {}
    for spell in blind.spells:
        row = configs.get(spell["config"])
        if row is not None:
            first = not served.get(spell["config"])
            start = row["began_at"] if first else spell["starts_at"]
            span = start.timestamp(), spell["ends_at"].timestamp()
            served.setdefault(spell["config"], []).append(span)
    pairs = []
    for config, spans in served.items():
        row = configs[config]
        known_from = row[since] and row[since].timestamp()
        if row["older_than_the_record"]:
            known_from = spans[0][0] - 1e9
        end = max(end for _, end in spans) + 1e9
        pairs.append((spans, [(known_from, end)] if known_from else []))
    return pairs


def measure_blind(ask: Inquiry, blind: Blind, known: dict[str, Any]) -> None:
    """Record how much was served before it was evaluated."""
    totals, error = blind.totals, known["clock_error_s"]
    n, spans = totals["requests"], dict(enumerate(_spans(blind)))
    here = coverage({i: served for i, (served, _) in spans.items()},
                    {i: evaluated for i, (_, evaluated) in spans.items()})  # fmt: skip
    most = length(blind_spans(blind, error, "known_at"))
    least = length(blind_spans(blind, -error, settled=True))
    upper = totals["blind_most"] + totals["doubtful"]
    ask.measure("blind_seconds", here.blind_s, "s", b.SPELLS, ci95=(least, most),
                n=len(blind.blind_configs))  # fmt: skip
    ask.measure("blind_requests", totals["blind"], "count:requests", b.TOTALS, n=n,
                ci95=(totals["blind_least"], upper))  # fmt: skip
    recorded = totals["accounts"] or None
    ask.measure("blind_accounts", totals["blind_accounts"] if recorded else None,
                "count:accounts", b.TOTALS, n=recorded)  # fmt: skip
    ask.measure("coverage_requests", 1 - totals["blind"] / n, "share:requests", b.TOTALS, n=n,
                ci95=(1 - upper / n, 1 - totals["blind_least"] / n))  # fmt: skip
    ask.measure("coverage_time", here.share, "share", b.SPELLS, n=len(blind.spells))  # fmt: skip
    ask.measure("configs_served", totals["configs"], "count:configurations", b.TOTALS)
    ask.measure("configs_never_evaluated", totals["never_evaluated"], "count:configurations",
                b.TOTALS, n=totals["configs"])  # fmt: skip
    ask.measure("evidence_grade", blind.grade, "label", b.BY_CONFIG, n=totals["configs"])
    ask.measure("requests_since_index_moved", ask.one(b.INDEX_MOVED, **known)["requests"],
                "count:requests", b.INDEX_MOVED, n=n)  # fmt: skip
    ask.measure("requests_in_doubt", totals["doubtful"], "count:requests", b.TOTALS, n=n)
    ask.measure("blind_decisions", totals["blind_decisions"], "count:decisions", b.TOTALS)
    if blind.worst and ask.case.filled("accounts", ("revenue",)):
        money = ask.one(b.REVENUE, **known)
        ask.measure("blind_revenue", money["revenue"], "a year", b.REVENUE,
                    n=money["accounts"])  # fmt: skip


def measure_times(
    ask: Inquiry,
    blind: Blind,
    signal: Signal | None,
    change: Change | None,
    worst: dict[str, Any] | None,
) -> None:
    """Record the three times of the worst configuration, and what it cost."""
    began = blind.worst["began_at"] if blind.worst else None
    evaluated = blind.worst["evaluated_at"] if blind.worst else None
    seen = signal.at if signal else None
    tickets = signal.tickets if signal else None
    by = h.TICKETS_AFTER if worst else b.BY_CONFIG
    ask.measure("time_to_signal_s", _between(began, seen), "s", by, n=tickets)
    ask.measure("time_to_measurement_s", _between(began, evaluated), "s", b.BY_CONFIG)
    detected = _detected(ask, change, evaluated, worst)
    by = h.ACTED if worst else b.BY_CONFIG
    ask.measure("detection_after_measurement_s", detected, "s", by)
    if worst is None:
        return
    if change is not None:
        _measure_change(ask, blind, change)
    exposed = ask.one(h.COMPLAINTS, **worst)
    if exposed["accounts"] and ask.case.filled("tickets", ("account_id",)):
        rate = clopper_pearson(exposed["complained"], exposed["accounts"])
        high = rate.high if exposed["complained"] else upper_if_none(exposed["accounts"])
        ask.measure("complaint_rate", rate.value, "share:accounts", h.COMPLAINTS,
                    ci95=(rate.low, high), n=rate.n)  # fmt: skip


def _measure_change(ask: Inquiry, blind: Blind, change: Change) -> None:
    runs, found = change.runs, change.estimate
    by = h.PAIRS if change.how == "pairs" else h.COMPARED
    if found is not None:
        ask.measure("score_change", found.value, "score", by, ci95=(found.low, found.high),
                    n=found.n)  # fmt: skip
        exposed = blind.worst["blind"] if blind.worst else 0
        ask.measure("harm", -found.value * exposed, "score lost over the blind requests", by,
                    ci95=(-found.high * exposed, -found.low * exposed), n=exposed)  # fmt: skip
    elif runs["score_before"] is not None and runs["score_after"] is not None:
        ask.measure("score_change", runs["score_after"] - runs["score_before"], "score", by)
    if change.p is not None:
        ask.measure("score_change_p", change.p, "p", by, n=found.n if found else None)


def _detected(
    ask: Inquiry, change: Change | None, evaluated: datetime | None, worst: dict[str, Any] | None
) -> float | None:
    """Seconds from the first valid run to the event that acts on it; none if it shows itself."""
    if worst is None or evaluated is None:
        return None
    acted = ask.ask(h.ACTED, **worst)
    if change is not None and change.is_regression:
        return 0.0
    return _between(evaluated, acted[0]["pushed_at"]) if acted else None


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start is not None and end is not None else None
