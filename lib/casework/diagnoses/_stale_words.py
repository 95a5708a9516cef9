"""What `stale_eval_config` says: headline, remedies, limits, and the names in them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_served import HASHES
from casework.diagnoses._stale_zone import is_open
from casework.findings import Verdict
from casework.visible import shorten
from casework.words import count, duration, number, share


def name_of(config: dict[str, Any]) -> str:
    """Name a configuration: prompt and version, and the beginning of its hash."""
    parts = [config["prompt_name"], config["version"]]
    if config["prompt_hash"]:
        parts.append(config["prompt_hash"].removeprefix("sha256:")[:8])
    return " ".join(part for part in parts if part)


def names_of(configs: Sequence[dict[str, Any]]) -> dict[int, str]:
    """Name each configuration apart from the others: by checkpoint, parameters or model.

    Returns:
        The name by the number of the configuration.
    """
    names = {row["config"]: name_of(row) for row in configs}
    for detail in ("checkpoint", "params_hash", "model"):
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
    if blind.is_apart and verdict == "inconclusive":
        return (
            "Not one hash of a prompt occurs both in requests and in eval runs. Either both sides "
            f"hash differently, or nothing that customers met was ever scored: "
            f"{count(totals['requests'], 'requests')}."
        )
    if verdict == "clean":
        return _clean(blind, sesoi)
    if not blind.worst:
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
    renamed = blind.renamed.get(blind.worst["config"])
    if value["time_to_measurement_s"] is None:
        times.append("no valid run under its name" if renamed else "no valid run at all")
    if renamed:
        times.append(elsewhere(blind.worst, renamed))
    n = len(blind.blind_configs)
    live, them = ("a configuration was", "it") if n == 1 else ("configurations were", "them")
    return (
        f"For {duration(value['blind_seconds'])} {live} live that {no_eval(blind)} had scored"
        f"{under_its_name(blind, n)}: {met} met {them}. {name_of(blind.worst)}: {'; '.join(times)}."
    )


def _clean(blind: Blind, sesoi: float) -> str:
    n, over = blind.totals["configs"], count(blind.totals["requests"], "requests")
    upper = blind.totals["blind_most"] + blind.totals["doubtful"]
    if upper:
        return (
            f"Of {over} at most {number(upper)} met a configuration that no run before is known to "
            f"have scored, less than the share that matters ({share(sesoi)})."
        )
    each = f"Each of {number(n)} served configurations" if n > 1 else "What was served"
    older, also = sum(row["older_than_the_record"] for row in blind.configs), ""
    if older:
        each = "What was first served within the records"
        also = f"; {number(older)} of {count(n, 'configurations')} were served when they begin"
    return f"{each} was scored by a completed run before customers met it, over {over}{also}."


def no_eval(blind: Blind) -> str:
    """Say that no eval did it: on record, where one may have before the records begin."""
    unsettled = any(row["unsettled"] for row in blind.blind_configs)
    return "no eval on record" if unsettled else "no eval"


def under_its_name(blind: Blind, configs: int = 1) -> str:
    """Say that what was not scored was so under its name, if a run had it under another."""
    if not blind.renamed:
        return ""
    return " under its name" if configs == 1 else " under their names"


def elsewhere(config: dict[str, Any], run: dict[str, Any]) -> str:
    """Say when a run of the same hash under another prompt name was complete."""
    late = (run["ended_at"] - config["began_at"]).total_seconds()
    when = "after it began" if late > 0 else "before it began"
    return (
        f"run {run['run_id']} of the same hash, under the name {run['prompt_name']}, was complete "
        f"{duration(abs(late))} {when}"
    )


_DOUBTS = {
    "checkpoint": "the runs name no checkpoint, and this one was not in service, or not alone, "
    "when they started",
    "end": "the runs record no end, and may have ended after it was met",
    "hash": "the runs of the same version label have other hashes, and it has many on both sides, "
    "as one template with its variables filled in has",
    "model": "the runs of the same prompt name another model",
    "parameters": "the runs name no parameters, and these were not in service, or not alone, when "
    "they started",
}


def in_doubt(blind: Blind) -> str:
    """Say why runs that may have scored a configuration are not known to have done so."""
    return "; ".join(_DOUBTS[name] for name in blind.doubts) or "none"


def _open(ask: Inquiry, blind: Blind, sesoi: float) -> str:
    totals, moved = blind.totals, ask.measures["requests_since_index_moved"].value
    if totals["doubtful"] >= sesoi * totals["requests"]:
        return (
            f"No run before is known to have scored what {number(totals['doubtful'])} of "
            f"{count(totals['requests'], 'requests')} met: {in_doubt(blind)}."
        )
    if moved >= sesoi * totals["requests"]:
        return (
            f"Every configuration was scored before it was served, but {count(moved, 'requests')} "
            "met it with an index or tools that changed after its last run."
        )
    if blind.params_apart:
        return (
            "By prompt every configuration was scored before it was served, but not one hash of "
            "parameters occurs in both requests and runs: both sides write it differently, or the "
            "runs used other parameters."
        )
    unnamed = totals["served"] - totals["requests"]
    if unnamed > sesoi * totals["served"]:
        return (
            f"No configuration was served before its first run, but {number(unnamed)} of "
            f"{count(totals['served'], 'requests')} name none that can be compared with a run."
        )
    upper = totals["blind_most"] + totals["doubtful"]
    if upper >= sesoi * totals["requests"]:
        doubt = " and with runs in doubt" if totals["doubtful"] else ""
        return (
            f"As the clocks say nothing was served before it was scored; within their error{doubt} "
            f"up to {count(upper, 'requests')} were."
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


def remedies(ask: Inquiry, blind: Blind, known: dict[str, Any]) -> tuple[str, ...]:
    """Say what to do in this case."""
    zone: tuple[str, ...] = (
        ("Load the eval log into a new case and name its time zone (--timezone).",)
        if is_open(ask, blind)
        else ()
    )
    zone += _record(blind)
    if not blind.worst:
        return zone
    name = name_of(blind.worst)
    said, renamed = [*zone], blind.renamed.get(blind.worst["config"])
    if blind.worst["evaluated_at"] is None:
        known_as = f" under the name {blind.worst['prompt_name']}" if renamed else ""
        never = "no run of it is on record" if blind.worst["unsettled"] else "it was never scored"
        said.append(f"Run the suite on {name} now: {never}{known_as}.")
    if renamed:
        said.append(
            f"Let runs and requests name a prompt alike: {name} was scored as "
            f"{renamed['prompt_name']}."
        )
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


def _record(blind: Blind) -> tuple[str, ...]:
    """Say what would have to be recorded where records leave it open."""
    parts = [name for name in ("checkpoint", "parameters", "model") if name in blind.doubts]
    said = [f"Record on each run its {' and '.join(parts)}, as on requests."] if parts else []
    if "hash" in blind.doubts:
        said.append("Hash the template before its variables are filled in, on both sides.")
    if "end" in blind.doubts:
        said.append("Record when each run ended.")
    both = (("prompts", blind.is_apart), ("parameters", blind.params_apart))
    apart = [name for name, never_meet in both if never_meet]
    if apart:
        said.append(f"Hash {' and '.join(apart)} in one way on both sides.")
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
    if totals["doubtful"]:
        said.append(
            f"{count(totals['doubtful'], 'requests')} met what no run before is known to have "
            f"scored, and count as blind only in the upper bounds: {in_doubt(blind)}."
        )
    unnamed = totals["served"] - totals["requests"]
    if unnamed:
        said.append(
            "Requests that name no configuration that can be compared with a run are not counted: "
            f"{number(unnamed)} of {number(totals['served'])}."
        )
    if totals["before_the_record"]:
        said.append(
            f"{count(totals['before_the_record'], 'requests')} met configurations that were in "
            "service when the records begin, before their first recorded run; they may have been "
            "scored earlier and are not counted as blind."
        )
    if blind.runs["unidentified"]:
        said.append(f"Runs that name no configuration: {number(blind.runs['unidentified'])}.")
    said += _not_compared(ask, blind)
    unmasked = [row for row in ask.ask(HASHES) if row["one_a_request"]]
    if unmasked:
        said.append(
            "Prompts with a hash a request, so that their variables were not masked: "
            f"{number(len(unmasked))}; their labels were used."
        )
    said.append(
        "Retrieval index and tools count as part of a configuration only where params_hash holds "
        f"them; {count(m['requests_since_index_moved'].value, 'requests')} came after the log "
        "shows a change of them and before the next run."
    )
    return tuple(said)


def _not_compared(ask: Inquiry, blind: Blind) -> list[str]:
    """Say which parts of a configuration, and which ends of runs, could not be compared."""
    said = []
    if blind.runs["without_end"]:
        said.append(
            f"Runs that record no end: {number(blind.runs['without_end'])}; they were complete at "
            "their start at the earliest, and times to them are the shortest possible."
        )
    if blind.params_apart:
        said.append("Hashes of parameters are set aside: not one occurs in both requests and runs.")
    if blind.names_apart:
        said.append("Names of prompts are set aside: hashes occur on both sides, no name does.")
    for column, words in (("params_hash", "parameters"), ("checkpoint", "checkpoint")):
        served, evaluated = (ask.case.filled(side, (column,)) for side in ("requests", "eval_runs"))
        if served and not evaluated:
            said.append(f"Runs record no {words}: one that was alone in service is taken for it.")
        elif not served:
            said.append(f"The {words} could not be compared: not recorded on both sides.")
    return said
