"""Which checkpoint made each decision, and how that is known.

## What it looks for
For every decision the one checkpoint that made it, by the best record there is: a digest on the
record (grade A), the deployment of the replica that served it (B), the alias in force, outside
the zone around each boundary in which clocks or a rollout leave it open (C). What has several
candidates is ambiguous (D), what has none is unattributed (E). METHODS section 8.

## Why it matters
"Which model decided this case?" is asked months later, and the column says `v1` on every row.

## What would rule it out
A record that settles the ambiguous decisions after all: a digest, a replica's log, a provider
fingerprint that belongs to one checkpoint. Or records known otherwise that contradict the alias
log. Both are looked for in every run.

## Known false alarms
A rollback returns to the same bytes, and a re-asserted alias changes nothing: digests are
compared, not names. A retry repeats a decision: the earliest record counts. An alias export that
begins late leaves old decisions without a candidate; that is a gap of the export, and caps the
verdict at supported. A registry that keeps only the present does not attribute the past.
"""

from typing import Any

from casework.diagnoses import _attribution as q
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._in_force import DECIDED
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.findings import Falsifier, Finding, Missing, Rival, Verdict
from casework.stats.estimates import clopper_pearson, upper_if_none
from casework.stats.rotations import count_rotations
from casework.tables import alias_events, clocks, deployments, requests
from casework.words import count, number, share

GRADES = {
    "A": "digest on the record",
    "B": "replica's deployment",
    "C": "alias in force",
    "D": "ambiguous",
    "E": "no candidate",
}


def judge(
    ask: Inquiry, *, population: str | None = None, clock_error_s: float | None = None
) -> Conclusion:
    """Grade every decision, count boundaries, and try to settle what is left.

    Args:
        ask: the inquiry.
        population: `decisions` (records with a decision) or `requests` (all of them).
        clock_error_s: bound on the error of the clocks, seconds; from `clocks` if None.
    """
    everyone = ask.one(q.POPULATION)
    kind = "decisions" if everyone["with_decision"] else "requests"
    population = ask.infer("population", population, kind)
    clock = ask.one(q.CLOCKS)
    error = float(ask.infer("clock_error_s", clock_error_s, clock["clock_error_s"] or 0.0))
    known = {"population": population, "clock_error_s": error}
    ask.case.hold(DECIDED, **known)
    ask.case.hold(q.GRADED, **known)
    grades = {row["grade"]: row["decisions"] for row in ask.ask(q.BY_GRADE, **known)}
    total = sum(grades.values())
    if not _can_be_graded(ask, grades):
        return _no_history(total)
    _measure(ask, grades, total, error, known)
    _draw(ask, everyone, grades, total, known)
    open_ones = grades.get("D", 0) + grades.get("E", 0)
    rivals = _rivals(ask, everyone, grades, total, known)
    falsifier = _falsify(ask, open_ones, known)
    clock_known = bool(clock["hosts"]) or clock_error_s is not None
    verdict = _verdict(ask, grades, rivals, falsifier, clock_known=clock_known)
    return Conclusion(
        verdict=verdict,
        headline=_headline(ask, verdict, open_ones, total),
        wide=population == "decisions",
        findings=_findings(ask, grades, total),
        rivals=rivals,
        falsifier=falsifier,
        remedies=_remedies(ask, grades, total, error),
        limits=_limits(ask, everyone, total, known),
    )


def _can_be_graded(ask: Inquiry, grades: dict[str, int]) -> bool:
    history = ask.case.filled("alias_events") or ask.case.filled("deployments")
    return history or set(grades) == {"A"}


def _no_history(total: int) -> Conclusion:
    return Conclusion(
        "not_testable",
        f"Not testable. {count(total, 'decisions')} name an alias at most, and the case holds no "
        "history of it: load alias_events or deployments.",
        missing=(
            Missing("alias_events", ("alias", "checkpoint", "valid_from"), "what it pointed at"),
            Missing("deployments", ("replica", "checkpoint", "valid_from"), "or what replicas ran"),
        ),
    )


def _measure(
    ask: Inquiry, grades: dict[str, int], total: int, error: float, known: dict[str, Any]
) -> None:
    boundaries = ask.ask(q.BOUNDARIES, **known)
    spans = ask.ask(q.SPANS, **known)
    inside = {(row["alias"], row["region"], row["boundary"]) for row in boundaries}
    moves: dict[str, int] = {}
    for place in {(row["alias"], row["region"]) for row in spans}:
        steps = [row for row in spans if (row["alias"], row["region"]) == place]
        digests = [
            row["checkpoint"]
            for i, row in enumerate(steps)
            if (*place, row["valid_from"]) in inside
            or (i + 1 < len(steps) and (*place, steps[i + 1]["valid_from"]) in inside)
        ]
        moves[place[0]] = max(moves.get(place[0], 0), count_rotations(digests))
    attributed = sum(grades.get(grade, 0) for grade in "ABC")
    ask.measure("decisions", total, "count:decisions", q.BY_GRADE, n=total)
    ask.measure("coverage", attributed / total, "share", q.BY_GRADE, n=total)
    for grade in GRADES:
        value = grades.get(grade, 0)
        ask.measure(f"grade_{grade.lower()}", value, "count:decisions", q.BY_GRADE, n=total)
    ask.measure("rotations", sum(moves.values()), "count:rotations", q.SPANS, n=len(spans))
    ask.measure("boundaries", len(boundaries), "count:boundaries", q.BOUNDARIES, n=len(spans))
    ask.measure("clock_error_s", error, "s", q.CLOCKS)
    unlogged = ask.ask(q.UNLOGGED)
    ask.measure("unlogged_rotations", len(unlogged), "count:digests", q.UNLOGGED)
    ask.measure("checkpoints", ask.ask(q.BY_CHECKPOINT, **known), "table", q.BY_CHECKPOINT, n=total)
    ask.ask(q.OUTCOMES, **known)


def _rivals(
    ask: Inquiry,
    everyone: dict[str, Any],
    grades: dict[str, int],
    total: int,
    known: dict[str, Any],
) -> tuple[Rival, ...]:
    outside = ask.one(q.OUTSIDE_THE_LOG, **known)
    cut = outside["unknown_endpoint"] + outside["before_the_log"]
    only_cut = cut > 0 and cut == grades.get("D", 0) + grades.get("E", 0)
    repeated = everyone["rows"] - everyone["requests"]
    same = sum(1 for row in ask.ask(q.SPANS, **known) if row["is_reassertion"])
    return (
        Rival(
            "The alias export is incomplete, not the record",
            "decisions before the first event of their alias, or of an alias that has none",
            "not_excluded" if only_cut else "excluded",
            f"{count(cut, 'decisions')} lie outside the export"
            + (": all that is unattributed" if only_cut else ""),
        ),
        Rival(
            "Retries are counted as decisions",
            "ids that occur more than once",
            "excluded",
            f"{count(repeated, 'repeated records')} set aside, the earliest of each id counted",
        ),
        Rival(
            "A change of name without a change of bytes",
            "digests on both sides of each event compared",
            "excluded",
            f"{count(same, 're-asserted events')} changed nothing and make no boundary",
        ),
    )


def _falsify(ask: Inquiry, open_ones: int, known: dict[str, Any]) -> Falsifier:
    prints = ask.one(q.FINGERPRINTS, **known)
    check = ask.one(q.CROSS_CHECK, **known)
    resolved, checked, wrong = prints["resolved"], check["checked"], check["disagree"]
    settled = f"{number(resolved)} of {number(open_ones)} settled by a provider fingerprint"
    if not checked:
        against = "no decision is known both ways, so the alias log could not be checked"
    elif wrong:
        found = clopper_pearson(wrong, checked)
        against = (
            f"the alias log is contradicted by {number(wrong)} of {number(checked)} decisions "
            f"known otherwise ({share(found.low)} to {share(found.high)}), first "
            f"{check['first_disagreement']}"
        )
    else:
        against = (
            f"0 of {number(checked)} decisions known otherwise contradict the alias log "
            f"(at most {share(upper_if_none(checked))})"
        )
    return Falsifier(
        "A record that settles the open decisions, or one that contradicts the alias log",
        ran=True,
        outcome=f"{settled}; {against}",
        falsified=bool(open_ones) and resolved == open_ones,
    )


def _verdict(
    ask: Inquiry,
    grades: dict[str, int],
    rivals: tuple[Rival, ...],
    falsifier: Falsifier,
    *,
    clock_known: bool,
) -> Verdict:
    open_ones = grades.get("D", 0) + grades.get("E", 0)
    contradicted = "contradicted" in falsifier.outcome
    if not open_ones:
        if contradicted or ask.measures["unlogged_rotations"].value:
            return "supported"
        return "clean" if clock_known or set(grades) == {"A"} else "inconclusive"
    if falsifier.falsified:
        return "inconclusive"
    return "supported" if rivals[0].outcome == "not_excluded" else "confirmed"


def _headline(ask: Inquiry, verdict: Verdict, open_ones: int, total: int) -> str:
    boundaries = ask.measures["boundaries"].value
    rotations = ask.measures["rotations"].value
    moved = f"{count(rotations, 'rotations')} with {count(boundaries, 'boundaries')}"
    if verdict in ("confirmed", "supported") and open_ones:
        return (
            f"{number(open_ones)} of {count(total, 'decisions')} ({share(open_ones / total)}) "
            f"cannot be attributed to exactly one checkpoint; the alias made {moved} in the window."
        )
    if verdict == "supported":
        return (
            f"All {count(total, 'decisions')} have one candidate, but other records contradict "
            f"the alias log; it made {moved} in the window."
        )
    if verdict == "clean":
        return f"Every one of {count(total, 'decisions')} is attributed to exactly one checkpoint."
    return (
        f"{count(total, 'decisions')} have one candidate each over {moved}, but nothing bounds "
        "the error of the clocks."
        if not open_ones
        else f"{count(open_ones, 'decisions')} of {number(total)} are settled by fingerprint alone."
    )


def _findings(ask: Inquiry, grades: dict[str, int], total: int) -> tuple[Finding, ...]:
    parts = ", ".join(f"{number(grades.get(grade, 0))} {words}" for grade, words in GRADES.items())
    found = [
        Finding(
            f"Of {count(total, 'decisions')}: {parts}.",
            ("coverage", *(f"grade_{grade.lower()}" for grade in GRADES)),
            (ask.evidence_id(q.BY_GRADE), ask.evidence_id(q.UNATTRIBUTED)),
            ("coverage", "in_force"),
        ),
        Finding(
            "Per checkpoint, decisions for certain and at most.",
            ("checkpoints",),
            (ask.evidence_id(q.BY_CHECKPOINT), ask.evidence_id(q.OUTCOMES)),
        ),
    ]
    unlogged = ask.measures["unlogged_rotations"].value
    if unlogged:
        found.append(
            Finding(
                f"{count(unlogged, 'digests')} ran that no alias event names.",
                ("unlogged_rotations",),
                (ask.evidence_id(q.UNLOGGED),),
            )
        )
    return tuple(found)


def _remedies(ask: Inquiry, grades: dict[str, int], total: int, error: float) -> tuple[str, ...]:
    remedies = []
    by_alias = sum(grades.get(grade, 0) for grade in "CDE")
    if by_alias:
        remedies.append(
            f"Stamp the digest on each record when it is made: {share(by_alias / total)} of the "
            "decisions rest on the alias log or on nothing."
        )
    if grades.get("D"):
        remedies.append(
            "Switch an alias in two phases, draining the old replicas first, and log when the "
            "rollout ended."
        )
    if error > 1:
        remedies.append(f"Monitor clock offsets: the zones here are {error:g} s on each side.")
    if ask.measures["unlogged_rotations"].value:
        remedies.append("Reconcile deployments with the alias log every day.")
    return tuple(remedies)


def _limits(
    ask: Inquiry, everyone: dict[str, Any], total: int, known: dict[str, Any]
) -> tuple[str, ...]:
    exact = ask.one(q.WITHOUT_CLOCK_ERROR, **{**known, "clock_error_s": 0.0})
    limits = [
        f"With exact clocks {number(exact['ambiguous'])} decisions would be ambiguous and "
        f"{number(exact['unattributed'])} without a candidate; the zones are as wide as the "
        "clocks are uncertain."
    ]
    across = ask.one(q.ACROSS, **known)["decisions"]
    if across:
        limits.append(
            f"{count(across, 'decisions')} began before a boundary and ended after it; they are "
            "counted for the checkpoint that was in force when they began."
        )
    ids = ask.one(q.SEQUENCE, **known)
    if ids["ids"] and ids["ids"] >= 0.8 * total and ids["expected"] <= 1.5 * ids["ids"]:
        limits.append(
            f"The ids are numbered; {number(ids['expected'] - ids['ids'])} numbers between the "
            "first and the last are not among the records."
        )
    else:
        limits.append("The ids are no sequence, so missing records could not be counted.")
    undecided = everyone["requests"] - total
    if undecided:
        limits.append(
            f"{count(undecided, 'requests')} without a recorded decision are not counted."
        )
    return tuple(limits)


def _draw(
    ask: Inquiry,
    window: dict[str, Any],
    grades: dict[str, int],
    total: int,
    known: dict[str, Any],
) -> None:
    open_ones = ask.ask(q.UNATTRIBUTED, **known)
    spans, boundaries = ask.ask(q.SPANS, **known), ask.ask(q.BOUNDARIES, **known)

    def lane(row: dict[str, Any]) -> str:
        name = row.get("alias") or row.get("endpoint") or "not recorded"
        return f"{name} ({row['region']})" if row.get("region") else str(name)

    rows = [
        {"lane": lane(row), "label": row["checkpoint"], "start": row["valid_from"],
         "end": row["valid_until"], "kind": "span", "role": None}
        for row in spans
    ]  # fmt: skip
    rows += [
        {"lane": lane(row), "label": "zone", "start": row["zone_from"],
         "end": row["zone_until"], "kind": "zone", "role": "gate"}
        for row in boundaries
    ]  # fmt: skip
    rows += [
        {"lane": lane(row), "label": row["grade"], "start": row["occurred_at"],
         "end": None, "kind": "tick", "role": "gate"}
        for row in open_ones[:500]
    ]  # fmt: skip
    attributed = sum(grades.get(grade, 0) for grade in "ABC")
    ask.chart(
        "in_force",
        "spans",
        f"The alias moved {count(len(boundaries), 'times')} while decisions were made",
        "What the alias pointed at. Zones: either neighbour may have answered. Ticks: decisions "
        "that cannot be attributed.",
        f"Timeline of {count(len(spans), 'alias events')}, {count(len(boundaries), 'boundaries')} "
        f"in the window, {count(total - attributed, 'unattributed decisions')}.",
        rows,
        {"x_title": "UTC", "start": window["first"], "end": window["last"]},
        q.SPANS,
    )
    parts: list[dict[str, Any]] = [
        {"label": "decisions", "part": f"{grade} {words}", "value": grades.get(grade, 0),
         "share": grades.get(grade, 0) / total, "role": None if grade in "ABC" else "gate"}
        for grade, words in GRADES.items()
    ]  # fmt: skip
    ask.chart(
        "coverage",
        "bars",
        f"{share(attributed / total)} of the decisions have exactly one checkpoint",
        "Decisions by how their checkpoint is known.",
        "Decisions by grade: "
        + ", ".join(f"{row['part']} {number(row['value'])}" for row in parts) + ".",
        parts,
        {"x_title": "decisions", "order": [row["part"] for row in parts]},
        q.BY_GRADE,
    )  # fmt: skip


output_attribution = Diagnosis(
    name="output_attribution",
    family="provenance gaps",
    claim="there are decisions that cannot be attributed to exactly one checkpoint",
    doc=__doc__ or "",
    needs=(
        Need(requests, ("request_id", "occurred_at"), "the decisions"),
        Need(alias_events, ("alias", "checkpoint"), "what the endpoint pointed at", required=False),
        Need(deployments, ("replica", "checkpoint"), "what each replica ran", required=False),
        Need(clocks, ("host", "error_s"), "how far a timestamp can be trusted", required=False),
    ),
    judge=judge,
)
