"""Which checkpoint made each decision, and how that is known.

## What it looks for
For every decision the one checkpoint that made it, by the best record there is: a digest on the
record (grade A), the deployment of the replica that served it (B), the alias in force, outside
the zone around each boundary in which clocks or a rollout leave it open (C). What has several
candidates is ambiguous (D), what has none is unattributed (E). A digest that a replica of the
endpoint ran and no alias event names is a candidate while it ran. METHODS section 8.

Beside the verdict it tells which fields of a minimum decision record are held (EU AI Act Article
12 as a target of design), what the open decisions could do to a difference between checkpoints,
how often the alias errs where a digest is on record, and what clock offset the order of stamped
decisions and deployments allows.

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
verdict at supported, and what ran before it begins is no unlogged rotation. A registry that keeps
only the present does not attribute the past. A person who decides otherwise later leaves a second
record; the model's is the first. One checkpoint behind another prompt or index is another decision
system, and still one checkpoint. Decisions of environments for tests decide nothing, nor do calls
for embeddings and rankings: they are set apart and counted.
"""

from typing import Any

from casework.diagnoses import _attribution as q
from casework.diagnoses._attribution_charts import draw
from casework.diagnoses._attribution_measures import measure
from casework.diagnoses._attribution_words import (
    findings,
    headline,
    limits,
    no_decisions,
    no_history,
    remedies,
)
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._environments import ALL, BUT_TESTS
from casework.diagnoses._ids import ids_differ
from casework.diagnoses._in_force import DECIDED
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.errors import unknown_name
from casework.findings import Break, Falsifier, Rival, Verdict
from casework.stats.estimates import clopper_pearson, upper_if_none
from casework.tables import alias_events, clocks, config_events, deployments, requests
from casework.visible import shorten
from casework.words import count, number, share


def judge(
    ask: Inquiry,
    *,
    population: str | None = None,
    environment: str | None = None,
    clock_error_s: float | None = None,
) -> Conclusion:
    """Grade every decision, count boundaries, and try to settle what is left.

    Args:
        ask: the inquiry.
        population: `decisions` (records with a decision) or `requests` (all answers of models).
        environment: the environment that customers use, or `all`; else all but those of tests.
        clock_error_s: bound on the error of the clocks in seconds; else from `clocks`.
    """
    environment, set_apart = _environment(ask, population, environment)
    once = ids_differ(ask)
    everyone = ask.one(q.POPULATION_ONCE if once else q.POPULATION, environment=environment)
    population = _population(ask, population, everyone)
    clock = ask.one(q.CLOCKS)
    error = float(ask.infer("clock_error_s", clock_error_s, clock["clock_error_s"], 0.0))
    known = {"population": population, "environment": environment, "clock_error_s": error,
             "ids_differ": once}  # fmt: skip
    clock_known = bool(clock["hosts"]) or clock_error_s is not None
    return _conclude(ask, everyone, set_apart, known, clock_known=clock_known)


def _conclude(
    ask: Inquiry,
    everyone: dict[str, Any],
    set_apart: dict[str, int],
    known: dict[str, Any],
    *,
    clock_known: bool,
) -> Conclusion:
    for query in (DECIDED, q.MATCHED, q.GRADED):
        ask.case.hold(query, **known)
    ask.case.release(q.MATCHED)  # as large as all decisions, and read by no one else
    by_grade = ask.ask(q.BY_GRADE, **known)
    grades = {row["grade"]: row["decisions"] for row in by_grade}
    total = sum(grades.values())
    if not total:
        return no_decisions(everyone)
    if not _can_be_graded(ask, grades):
        return no_history(total - grades.get("A", 0), total)
    measure(ask, grades, total, known)
    draw(ask, everyone, grades, total, known)
    open_ones = grades.get("D", 0) + grades.get("E", 0)
    rivals = _rivals(ask, everyone, grades, total, known)
    check = ask.one(q.CROSS_CHECK, **known)
    falsifier = _falsify(open_ones, ask.one(q.FINGERPRINTS, **known), check)
    verdict = _verdict(ask, grades, rivals, falsifier, check, clock_known=clock_known)
    return Conclusion(
        verdict=verdict,
        headline=headline(ask, verdict, open_ones, total, check["only_replica"], known),
        wide=known["population"] == "decisions" or bool(ask.measures["unlogged_rotations"].value),
        findings=findings(ask, grades, total),
        rivals=rivals,
        falsifier=falsifier,
        remedies=remedies(ask, grades, total, known["clock_error_s"]),
        limits=limits(
            ask, everyone, total, sum(row["crossed"] for row in by_grade), set_apart, known
        ),
        breaks=_breaks(ask, known),
    )


def _environment(
    ask: Inquiry, population: str | None, given: str | None
) -> tuple[str, dict[str, int]]:
    """The environment that counts, and the records of each that is set apart as one for tests.

    Where nothing but tests is recorded, there is nothing else to attribute.
    """
    rows = ask.ask(q.ENVIRONMENTS)
    kind = "requests"
    if population != "requests" and any(row["with_decision"] for row in rows):
        kind = "with_decision"
    if given not in (None, ALL) and not any(row[kind] for row in rows
                                            if row["environment"] == given):  # fmt: skip
        names = [row["environment"] for row in rows if row["environment"] and row[kind]]
        raise unknown_name("environment with decisions", str(given), [ALL, *names])
    tests = {row["environment"]: row[kind] for row in rows
             if row[kind] and not row["is_of_customers"]}  # fmt: skip
    has_customers = any(row[kind] for row in rows if row["is_of_customers"])
    chosen = str(ask.infer("environment", given, BUT_TESTS if has_customers else ALL))
    return chosen, tests if chosen == BUT_TESTS else {}


def _population(ask: Inquiry, asked: str | None, everyone: dict[str, Any]) -> str:
    if asked not in (None, "decisions", "requests"):
        raise unknown_name("population", str(asked), ["decisions", "requests"])
    kind = "decisions" if everyone["with_decision"] else "requests"
    return str(ask.infer("population", asked, kind))


def _can_be_graded(ask: Inquiry, grades: dict[str, int]) -> bool:
    history = ask.case.filled("alias_events") or ask.case.filled("deployments")
    return history or set(grades) == {"A"}


def _rivals(
    ask: Inquiry,
    everyone: dict[str, Any],
    grades: dict[str, int],
    total: int,
    known: dict[str, Any],
) -> tuple[Rival, ...]:
    outside = ask.one(q.OUTSIDE_THE_LOG, **known)
    cut = outside["unknown_endpoint"] + outside["before_the_log"]
    open_ones = grades.get("D", 0) + grades.get("E", 0)
    only_cut = cut > 0 and cut == open_ones
    nameless = outside["without_endpoint"]
    unnamed = f", {number(nameless)} of them without an endpoint" if nameless else ""
    repeated = everyone["rows"] - everyone["requests"]
    same = sum(1 for row in ask.ask(q.SPANS, **known) if row["is_reassertion"])
    return (
        Rival(
            "The alias export is incomplete, not the record",
            "decisions before the first event of their alias, or of an alias that has none",
            "not_excluded" if only_cut else "excluded",
            f"{number(cut)} of {count(open_ones, 'decisions')} without one checkpoint lie outside "
            f"the export; {number(open_ones - cut)} do not{unnamed}",
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
            f"{count(same, 're-asserted events')} changed nothing: no boundary for those",
        ),
    )


def _falsify(open_ones: int, prints: dict[str, Any], check: dict[str, Any]) -> Falsifier:
    resolved, checked, wrong = prints["resolved"], check["checked"], check["disagree"]
    elsewhere = wrong - check["wrong_where_relied_on"]
    settled = "no decision is open"
    if open_ones:
        settled = f"{number(resolved)} of {number(open_ones)} settled by a provider fingerprint"
    if not checked:
        against = "no decision is known both ways, so the alias log could not be checked"
    elif wrong:
        found = clopper_pearson(wrong, checked)
        named = check["only_replica"]
        where = f", all of replica {shorten(named, 40)}" if named else ""
        against = (
            f"the alias log is contradicted by {number(wrong)} of {number(checked)} decisions "
            f"known otherwise ({share(found.low)} to {share(found.high)})"
            f"{where}, first "
            f"{shorten(check['first_disagreement'], 40)}; {number(elsewhere)} of them in lanes "
            "where nothing rests on the alias log"
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


def _breaks(ask: Inquiry, known: dict[str, Any]) -> tuple[Break, ...]:
    return tuple(
        Break(row["zone_from"], row["zone_until"], f"{row['alias']} moved to {row['checkpoint']}")
        for row in ask.ask(q.BOUNDARIES, **known)
    )


def _verdict(
    ask: Inquiry,
    grades: dict[str, int],
    rivals: tuple[Rival, ...],
    falsifier: Falsifier,
    check: dict[str, Any],
    *,
    clock_known: bool,
) -> Verdict:
    open_ones = grades.get("D", 0) + grades.get("E", 0)
    if not open_ones:
        if check["wrong_where_relied_on"] or ask.measures["unlogged_rotations"].value:
            return "supported"
        return "clean" if clock_known or set(grades) == {"A"} else "inconclusive"
    if falsifier.falsified:
        return "inconclusive"
    return "supported" if rivals[0].outcome == "not_excluded" else "confirmed"


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
        Need(
            config_events,
            ("key", "new_value"),
            "what else of the system was changed",
            required=False,
        ),
    ),
    judge=judge,
)
