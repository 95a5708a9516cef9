"""What `stale_eval_config` found, a statement at a time."""

from collections.abc import Mapping
from typing import Any

from casework.diagnoses import _stale_blind as b
from casework.diagnoses import _stale_harm as h
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_signal import Change, Signal
from casework.diagnoses._stale_words import elsewhere, in_doubt, name_of, under_its_name
from casework.findings import Finding, Measure
from casework.words import count, duration, instant, interval, number, spread

GRADE_WORDS = {
    "rendered_hash": "the hash of what was rendered",
    "version_label": "the label of the version, not the content",
    "process_start": "the time at which the eval processes read their configuration",
}


def findings(
    ask: Inquiry,
    blind: Blind,
    signal: Signal | None,
    change: Change | None,
    worst: dict[str, Any] | None,
) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    totals, m, never = blind.totals, ask.measures, blind.totals["never_evaluated"]
    by_config = ask.evidence_id(b.BY_CONFIG)
    found = [
        Finding(
            f"{_were(totals['configs'], 'configurations')} served; {_were(never)} "
            f"{_not_scored(blind)}"
            f"{under_its_name(blind, never)}. Before the first completed run of the same "
            f"configuration lie {interval(m['blind_requests'])}, of {_accounts(m)}. "
            f"Identity is known by {GRADE_WORDS.get(blind.grade or '', 'nothing')}.",
            ("blind_requests", "blind_accounts", "blind_seconds", "coverage_requests",
             "coverage_time", "configs_served", "configs_never_evaluated", "evidence_grade"),
            (by_config, ask.evidence_id(b.SPELLS), ask.evidence_id(b.TOTALS)),
            tuple(chart.id for chart in ask.charts if chart.id in ("lanes", "requests")),
        )
    ]  # fmt: skip
    if totals["doubtful"]:
        found.append(Finding(
            f"{count(totals['doubtful'], 'requests')} met what no run before is known to have "
            f"scored: {in_doubt(blind)}.",
            ("requests_in_doubt",), (by_config,),
        ))  # fmt: skip
    if worst is None or blind.worst is None:
        return tuple(found)
    found.append(_times(ask, blind.worst, signal))
    found.append(_meanwhile(ask, blind, worst))
    if blind.renamed:
        found.append(_renamed(ask, blind))
    if change is not None and "score_change" in m:
        found.append(_change(ask, change))
    return tuple(found)


def _accounts(m: Mapping[str, Measure]) -> str:
    found = m["blind_accounts"]
    return "accounts that are not recorded" if found.value is None else interval(found)


def _not_scored(blind: Blind) -> str:
    if blind.is_apart:
        return "in no run by its hash"
    return "in no run on record" if blind.totals["unsettled_only"] else "never scored"


def _meanwhile(ask: Inquiry, blind: Blind, worst: dict[str, Any]) -> Finding:
    """What was evaluated while the configuration was not."""
    window = ask.one(b.RUNS_IN_WINDOW, **worst)
    told, others = "No run was completed in that time", window["of_another"]
    if window["runs"]:
        told = (
            f"{_were(window['runs'], 'runs')} completed in that time, none of this configuration"
            f"{under_its_name(blind)}"
        )
    if others:
        told += f"; {number(others)} of {number(window['runs'])} scored another prompt"
    return Finding(f"{told}.", (), (ask.evidence_id(b.RUNS_IN_WINDOW),))


def _renamed(ask: Inquiry, blind: Blind) -> Finding:
    rows = [row for row in blind.blind_configs if row["config"] in blind.renamed]
    first = rows[0]
    return Finding(
        f"{number(len(rows))} of {count(len(blind.blind_configs), 'blind configurations')} had a "
        f"run of the same hash under another prompt name. {name_of(first)}: "
        f"{elsewhere(first, blind.renamed[first['config']])}. A configuration is told apart by "
        "its prompt name too; if both names stand for one prompt, that run covers it from then on.",
        (),
        (ask.evidence_id(b.OTHER_NAMES),),
    )


def _times(ask: Inquiry, config: dict[str, Any], signal: Signal | None) -> Finding:
    m = ask.measures
    names = ("time_to_signal_s", "time_to_measurement_s", "detection_after_measurement_s")
    said = [duration(m[name].value) for name in names]
    base = "no ticket departs from the base rate"
    if signal is None or not signal.tickets:
        base = "no ticket came after it"
    elif signal.at is not None and signal.p is None:
        base = (
            f"the first ticket after it is of {instant(signal.at)}; none before gives a base rate"
        )
    elif signal.at is not None:
        base = f"the first ticket that departs from the base rate is of {instant(signal.at)}"
    idle = (config["first_served"] - config["began_at"]).total_seconds()
    pushed = f" with its push, and met its first request {duration(idle)} later" if idle else ""
    return Finding(
        f"{name_of(config)} began {instant(config['began_at'])}{pushed}. To the first "
        f"customer signal {said[0]} ({base}), to the first valid measurement {said[1]}, from "
        f"there to detection {said[2]}.",
        names,
        (ask.evidence_id(b.BY_CONFIG), ask.evidence_id(h.TICKETS_AFTER)),
        tuple(chart.id for chart in ask.charts if chart.id == "lanes"),
    )


def _change(ask: Inquiry, change: Change) -> Finding:
    m = ask.measures
    whole = m["score_change"]
    told = spread(whole.value, whole.ci95, "score", signed=True)
    how = {"pairs": "the same items in both runs", "shares": "items taken as independent",
           "scores": "two scores without their items"}[change.how]  # fmt: skip
    differs = [words for words, same in (("parameters", change.runs["same_params"]),
                                         ("checkpoint", change.runs["same_checkpoint"]))
               if same is False]  # fmt: skip
    also = f"; {' and '.join(differs)} differ too" if differs else ""
    return Finding(
        f"The first valid run scored {told} against the run before ({how}{also}).",
        tuple(name for name in ("score_change", "score_change_p", "harm") if name in m),
        (ask.evidence_id(h.COMPARED),),
        tuple(chart.id for chart in ask.charts if chart.id == "scores"),
    )


def _were(value: int, noun: str = "") -> str:
    """Say how many, with the verb that goes with it."""
    return f"{count(value, noun)} {'was' if value == 1 else 'were'}"
