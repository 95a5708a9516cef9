"""What `stale_eval_config` says: headline, findings, remedies, limits."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from casework.diagnoses import _stale_blind as b
from casework.diagnoses import _stale_harm as h
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_served import HASHES
from casework.diagnoses._stale_signal import Change, Signal
from casework.diagnoses._stale_zone import is_open
from casework.findings import Finding, Verdict
from casework.visible import shorten
from casework.words import count, duration, instant, interval, number, spread

GRADE_WORDS = {
    "rendered_hash": "the hash of what was rendered",
    "version_label": "the label of the version, not the content",
    "process_start": "the time at which the eval processes read their configuration",
}


def name_of(config: dict[str, Any]) -> str:
    """Name a configuration: prompt and version, and the beginning of its hash."""
    parts = [config["prompt_name"], config["version"]]
    if config["prompt_hash"]:
        parts.append(config["prompt_hash"].removeprefix("sha256:")[:8])
    return " ".join(part for part in parts if part)


def names_of(configs: Sequence[dict[str, Any]]) -> dict[int, str]:
    """Name each configuration apart from the others: by its checkpoint and parameters if need be.

    Returns:
        The name by the number of the configuration.
    """
    names = {row["config"]: name_of(row) for row in configs}
    for detail in ("checkpoint", "params_hash"):
        often = Counter(names.values())
        for row in configs:
            name, more = names[row["config"]], str(row[detail] or "")
            if often[name] > 1 and more:
                digest = more.removeprefix("sha256:")
                names[row["config"]] = (
                    f"{name}, {digest[:8] if digest != more else shorten(more, 16)}"
                )
    often = Counter(names.values())
    return {key: f"{name} no. {key}" if often[name] > 1 else name for key, name in names.items()}


def headline(ask: Inquiry, verdict: Verdict, blind: Blind, sesoi: float) -> str:
    """Say the answer in one sentence."""
    totals, value = blind.totals, {name: m.value for name, m in ask.measures.items()}
    if not blind.worst:
        if verdict == "clean":
            return (
                f"Each of {count(totals['configs'], 'served configurations')} was scored by a "
                f"completed run before customers met it, over "
                f"{count(totals['requests'], 'requests')}."
            )
        return _open(ask, blind, sesoi)
    met = f"{number(totals['blind'])} of {count(totals['requests'], 'requests')}"
    times = [
        f"{said} {duration(value[name])}"
        for said, name in (
            ("first customer signal after", "time_to_signal_s"),
            ("first valid run after", "time_to_measurement_s"),
        )
        if value[name] is not None
    ]
    detected = value["detection_after_measurement_s"]
    if detected is not None:
        later = f"acted on {duration(detected)} later" if detected else "which showed it at once"
        times[-1] += f", {later}"
    if value["time_to_measurement_s"] is None:
        times.append("no valid run at all")
    return (
        f"For {duration(value['blind_seconds'])} customers met a configuration that no eval had "
        f"scored: {met}. {name_of(blind.worst)}: {'; '.join(times)}."
    )


def _open(ask: Inquiry, blind: Blind, sesoi: float) -> str:
    totals, moved = blind.totals, ask.measures["requests_since_index_moved"].value
    if moved >= sesoi * totals["requests"]:
        return (
            f"Every configuration was scored before it was served, but {count(moved, 'requests')} "
            "met it with an index or tools that changed after its last run."
        )
    unnamed = totals["served"] - totals["requests"]
    if unnamed > sesoi * totals["served"]:
        return (
            f"No configuration was served before its first run, but {number(unnamed)} of "
            f"{count(totals['served'], 'requests')} name none."
        )
    if totals["blind_most"] >= sesoi * totals["requests"]:
        return (
            f"As the clocks say nothing was served before it was scored; within their error up to "
            f"{count(totals['blind_most'], 'requests')} were."
        )
    if is_open(ask, blind):
        shifted = ask.measures["blind_requests_in_another_zone"].value
        return (
            "Read as UTC, the runs scored each configuration before it was served, but they name "
            f"no time zone: west of UTC up to {number(shifted)} of "
            f"{count(totals['requests'], 'requests')} came before the first run of what they met."
        )
    if not blind.is_certain:
        return (
            "By their labels all served configurations were scored before, but nothing says what "
            "the eval processes held in memory."
        )
    return "All served configurations are older than the records, so nothing says when each began."


def findings(
    ask: Inquiry,
    blind: Blind,
    signal: Signal | None,
    change: Change | None,
    worst: dict[str, Any] | None,
) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    totals, m = blind.totals, ask.measures
    by_config = ask.evidence_id(b.BY_CONFIG)
    found = [
        Finding(
            f"{count(totals['configs'], 'configurations')} were served; "
            f"{number(totals['never_evaluated'])} were never scored. Before the first completed "
            f"run of the same configuration lie {interval(m['blind_requests'])}, of "
            f"{interval(m['blind_accounts'])}. "
            f"Identity is known by {GRADE_WORDS.get(blind.grade or '', 'nothing')}.",
            ("blind_requests", "blind_accounts", "blind_seconds", "coverage_requests",
             "coverage_time", "configs_served", "configs_never_evaluated", "evidence_grade"),
            (by_config, ask.evidence_id(b.SPELLS), ask.evidence_id(b.TOTALS)),
            tuple(chart.id for chart in ask.charts if chart.id in ("lanes", "requests")),
        )
    ]  # fmt: skip
    if worst is None or blind.worst is None:
        return tuple(found)
    found.append(_times(ask, blind.worst, signal))
    window = ask.one(b.RUNS_IN_WINDOW, **worst)
    found.append(
        Finding(
            f"{count(window['runs'], 'runs')} were completed in that time, none of this "
            "configuration.",
            (),
            (ask.evidence_id(b.RUNS_IN_WINDOW),),
        )
    )
    if change is not None and "score_change" in m:
        found.append(_change(ask, change))
    return tuple(found)


def _times(ask: Inquiry, config: dict[str, Any], signal: Signal | None) -> Finding:
    m = ask.measures
    names = ("time_to_signal_s", "time_to_measurement_s", "detection_after_measurement_s")
    said = [duration(m[name].value) for name in names]
    base = "no ticket departs from the base rate"
    if signal is not None and signal.at is not None:
        base = f"the first ticket that departs from the base rate is of {instant(signal.at)}"
    return Finding(
        f"{name_of(config)} began {instant(config['began_at'])}. To the first customer signal "
        f"{said[0]} ({base}), to the first valid measurement {said[1]}, from there to detection "
        f"{said[2]}.",
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
               if not same]  # fmt: skip
    also = f"; {' and '.join(differs)} differ too" if differs else ""
    return Finding(
        f"The first valid run scored {told} against the run before ({how}{also}).",
        tuple(name for name in ("score_change", "score_change_p", "harm") if name in m),
        (ask.evidence_id(h.COMPARED),),
        tuple(chart.id for chart in ask.charts if chart.id == "scores"),
    )


def remedies(ask: Inquiry, blind: Blind, known: dict[str, Any]) -> tuple[str, ...]:
    """Say what to do in this case."""
    zone = (
        ("Load the eval log into a new case and name its time zone (--timezone).",)
        if is_open(ask, blind)
        else ()
    )
    if not blind.worst:
        return zone
    name = name_of(blind.worst)
    said = [*zone]
    if blind.worst["evaluated_at"] is None:
        said.append(f"Run the suite on {name} now: it was never scored.")
    if blind.runs["cached"]:
        said.append(
            f"Restart eval workers on a push: {count(blind.runs['cached'], 'runs')} held an older "
            "version in memory."
        )
    said.append(
        "Let each run read its configuration when it starts and record the hash of what it "
        "rendered; fail the run where the hash is not that of production."
    )
    said.append("Let a push start the eval, and alert when a served hash has no completed run.")
    if blind.grade != "rendered_hash":
        said.append("Record the hash of the rendered prompt on requests and on runs.")
    return tuple(said)


def limits(ask: Inquiry, blind: Blind, clock_known: bool, known: dict[str, Any]) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    totals, m = blind.totals, ask.measures
    said = ["The intervals of counts and times are bounds under the error of the clocks."]
    if not clock_known:
        said.append("Nothing bounds the error of the clocks; they are taken to agree.")
    if "blind_requests_in_another_zone" in m:
        said.append(
            "The runs name no time zone and are read as UTC; in another one their times "
            "against the requests are off by whole hours."
        )
    unnamed = totals["served"] - totals["requests"]
    if unnamed:
        said.append(
            f"{number(unnamed)} of {count(totals['served'], 'requests')} name no configuration "
            "and are not counted."
        )
    if totals["before_the_record"]:
        said.append(
            f"{count(totals['before_the_record'], 'requests')} met configurations that were in "
            "service when the records begin, before their first recorded run; they may have been "
            "scored earlier and are not counted as blind."
        )
    if blind.runs["unidentified"]:
        said.append(f"{count(blind.runs['unidentified'], 'runs')} name no configuration.")
    for column, words in (("params_hash", "parameters"), ("checkpoint", "checkpoint")):
        sides = [ask.case.filled(table, (column,)) for table in ("requests", "eval_runs")]
        if not all(sides):
            said.append(f"The {words} could not be compared: not recorded on both sides.")
    unmasked = [row for row in ask.ask(HASHES) if row["one_a_request"]]
    if unmasked:
        said.append(
            f"{count(len(unmasked), 'prompts')} have a hash a request, so their variables were "
            "not masked; their labels were used."
        )
    said.append(
        "Retrieval index and tools count as part of a configuration only where params_hash holds "
        f"them; {count(m['requests_since_index_moved'].value, 'requests')} came after the log "
        "shows a change of them and before the next run."
    )
    return tuple(said)
