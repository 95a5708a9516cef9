"""The pictures of `stale_eval_config`."""

from datetime import datetime, timedelta
from typing import Any

from casework.diagnoses import _stale_blind as b
from casework.diagnoses import _stale_harm as h
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_runs import EVALUATED
from casework.diagnoses._stale_signal import Change, Signal
from casework.diagnoses._stale_words import names_of, no_eval, under_its_name
from casework.words import count, duration, number, share

_BARS = 12
_TICKS = 400


def draw(
    ask: Inquiry,
    blind: Blind,
    signal: Signal | None,
    change: Change | None,
    known: dict[str, Any],
) -> None:
    """Draw what was served and evaluated over time, how much of it, and the scores."""
    worst = {**known, "config": blind.worst["config"]} if blind.worst else None
    _draw_lanes(ask, blind, signal, worst, known)
    _draw_requests(ask, blind)
    if worst is not None and change is not None:
        _draw_scores(ask, change, worst)


def _draw_lanes(
    ask: Inquiry,
    blind: Blind,
    signal: Signal | None,
    worst: dict[str, Any] | None,
    known: dict[str, Any],
) -> None:
    shown = blind.worst or blind.configs[0]
    prompt = shown["prompt_name"]
    start, end = _window(blind, shown)
    names = names_of(blind.configs)
    rows = _served(blind, prompt, names)
    seen = {row["label"] for row in rows}
    shown_in = {"shown_from": start.timestamp(), "shown_until": end.timestamp()}
    rows += _evaluated(ask.ask(EVALUATED, prompt=prompt, **shown_in, **known)[::-1], names)
    zones = _zones(blind, shown)
    rows += [{"lane": lane, "label": "blind" if lane == "served" else "", "start": since,
              "end": until, "kind": "zone", "role": "gate"}
             for lane in ("served", "evaluated") for since, until in zones]  # fmt: skip
    if worst is not None:
        rows += _tickets(ask, signal, worst)
        rows += _brackets(ask, blind, shown)
    told = duration(ask.measures["blind_seconds"].value)
    ask.chart(
        "lanes",
        "spans",
        "No hash is in common of what was served and what was evaluated"
        if blind.is_apart
        else f"For {told} what {no_eval(blind)} had scored{under_its_name(blind)} was live"
        if blind.worst
        else "What was served is not all known to have been evaluated before"
        if blind.totals["doubtful"]
        else "What was served had been evaluated before",
        "Above what customers were served, below what the last completed run had scored. Framed: "
        "served and not scored.",
        f"Timeline of {count(len(seen), 'served configurations')} of {prompt or 'the prompt'}, "
        f"blind for {told}"
        + (f"; {count(signal.tickets, 'tickets')} after it began." if signal else "."),
        rows,
        {"x_title": "UTC", "start": start, "end": end},
        b.SPELLS,
    )


def _served(blind: Blind, prompt: str, names: dict[int, str]) -> list[dict[str, Any]]:
    """When each configuration of a prompt was served, the first time from its push on."""
    began = {row["config"]: row["began_at"] for row in blind.configs}
    rows: list[dict[str, Any]] = []
    for spell in blind.spells:
        if spell["prompt_name"] == prompt and spell["config"] in names:
            since = began.pop(spell["config"], spell["starts_at"])
            rows.append(_span("served", names[spell["config"]], since, spell["ends_at"],
                              n=spell["requests"]))  # fmt: skip
    return rows


def _evaluated(runs: list[dict[str, Any]], names: dict[int, str]) -> list[dict[str, Any]]:
    """What the last completed run had scored; runs of one configuration in a row are one span."""
    rows: list[dict[str, Any]] = []
    for run in runs:
        label = names.get(run["config"]) or run["label"] or "another"
        if rows and rows[-1]["label"] == label:
            rows[-1]["end"] = run["until"]
        else:
            rows.append(_span("evaluated", label, run["ended_at"], run["until"]))
    return rows


def _span(lane: str, label: str, start: Any, end: Any, **more: Any) -> dict[str, Any]:
    return {"lane": lane, "label": label, "start": start, "end": end, "kind": "span",
            "role": None} | more  # fmt: skip


def _window(blind: Blind, shown: dict[str, Any]) -> tuple[datetime, datetime]:
    """The blind window with half as much around it; all of the traffic where there is none."""
    zones = _zones(blind, shown)
    if not zones:
        served = [row for row in blind.spells if row["prompt_name"] == shown["prompt_name"]]
        return min(r["starts_at"] for r in served), max(r["ends_at"] for r in served)
    since, until = zones[0][0], zones[-1][1]
    around = max((until - since) / 3, timedelta(minutes=10))
    return since - around, until + around


def _zones(blind: Blind, shown: dict[str, Any]) -> list[tuple[datetime, datetime]]:
    if not shown["blind"]:
        return []
    spells = [row for row in blind.spells if row["config"] == shown["config"]]
    zones = []
    for i, row in enumerate(spells):
        since = shown["began_at"] if i == 0 else row["starts_at"]
        until = min(row["ends_at"], shown["evaluated_at"] or row["ends_at"])
        if since < until:
            zones.append((since, until))
    return zones


def _tickets(ask: Inquiry, signal: Signal | None, worst: dict[str, Any]) -> list[dict[str, Any]]:
    after = ask.ask(h.TICKETS_SHOWN, **worst)
    at = signal.at if signal else None
    return [{"lane": "tickets", "label": row["ticket_id"], "start": row["reported_at"],
             "end": None, "kind": "tick",
             "role": "gate" if at is not None and row["reported_at"] >= at else None}
            for row in after[:_TICKS]]  # fmt: skip


def _brackets(ask: Inquiry, blind: Blind, shown: dict[str, Any]) -> list[dict[str, Any]]:
    """The three times as spans that begin together."""
    began, rows = shown["began_at"], []
    for name, words in (("time_to_signal_s", "to first signal"),
                        ("time_to_measurement_s", "to first valid run")):  # fmt: skip
        seconds = ask.measures[name].value
        if seconds is not None:
            label = f"{words} {duration(seconds)}"
            until = began + timedelta(seconds=seconds)
            rows.append(_span("times", label, began, until, role="muted"))
    detected = ask.measures["detection_after_measurement_s"].value
    if detected is not None and shown["evaluated_at"] is not None:
        since = shown["evaluated_at"]
        label = f"to detection {duration(detected)}"
        rows.append(_span("times", label, since, since + timedelta(seconds=detected),
                          role="muted"))  # fmt: skip
    return rows


def _draw_requests(ask: Inquiry, blind: Blind) -> None:
    totals = blind.totals
    names = names_of(blind.configs)
    chosen = sorted(blind.configs[:_BARS], key=lambda row: row["began_at"])
    bars = [("all requests", totals)] if len(blind.configs) > 1 else []
    bars += [(names[row["config"]], row) for row in chosen]
    rows = [part for label, counted in bars for part in _parts(label, counted, totals)]
    most = totals["blind"] or totals["doubtful"]
    known = "" if totals["blind"] or not most else " that is known"
    told = ", ".join(f"{row['label']} {row['part']} {number(row['value'])}" for row in rows)
    ask.chart(
        "requests",
        "bars",
        f"{share(most / totals['requests'])} of the requests met a configuration before its first "
        f"run{known}",
        f"Requests by configuration, in the order in which they began (at most {_BARS}).",
        f"Requests by configuration: {told}.",
        rows,
        {"x_title": "share of the requests of each bar",
         "order": ["scored before", "not known", "not scored yet"], "unit": "count:requests"},
        b.BY_CONFIG,
    )  # fmt: skip


def _parts(label: str, counted: dict[str, Any], totals: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of the requests of one bar; what is not known only where there is some."""
    parts = [
        ("scored before", counted["requests"] - counted["blind"] - counted["doubtful"], "before"),
        *([("not known", counted["doubtful"], "muted")] if totals["doubtful"] else []),
        ("not scored yet", counted["blind"], "gate"),
    ]
    return [{"label": label, "part": part, "value": value, "share": value / counted["requests"],
             "role": role} for part, value, role in parts]  # fmt: skip


def _draw_scores(ask: Inquiry, change: Change, worst: dict[str, Any]) -> None:
    nearest = ask.ask(h.SCORES, suite=change.runs["suite"], **worst)
    scores = sorted(nearest, key=lambda row: (row["ended_at"], row["run_id"]))
    if len(scores) < 2 or "score_change" not in ask.measures:
        return
    rows = [{"x": row["ended_at"], "value": row["score"], "low": None, "high": None,
             "series": "this configuration" if row["is_of_config"] else "others",
             "role": "gate" if row["is_of_config"] else "before"} for row in scores]  # fmt: skip
    fell = ask.measures["score_change"].value
    ask.chart(
        "scores",
        "lines",
        f"The first valid run scored {number(abs(fell))} {'lower' if fell < 0 else 'higher'} than "
        "the run before",
        f"Scores of {change.runs['suite']} by the end of each run.",
        f"{count(len(scores), 'scores')} over time; the first of this configuration is "
        f"{number(change.runs['score_after'])} after {number(change.runs['score_before'])}.",
        rows,
        {"x_title": "UTC", "y_title": "score", "zero": False},
        h.SCORES,
    )
