"""What `output_attribution` says: headline, findings, remedies, limits, and why it cannot say."""

from collections.abc import Iterator
from typing import Any

from casework.diagnoses import _attribution as q
from casework.diagnoses._attribution_open import of_differences
from casework.diagnoses._attribution_record import log_the_rest, of_record
from casework.diagnoses._attribution_sources import of_sources
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.findings import Finding, Missing, Verdict
from casework.visible import shorten
from casework.words import count, duration, number, share

GRADES = {
    "A": "digest on the record",
    "B": "replica's deployment",
    "C": "alias in force",
    "D": "ambiguous",
    "E": "no candidate",
}


def headline(
    ask: Inquiry,
    verdict: Verdict,
    open_ones: int,
    total: int,
    only_replica: str | None,
    known: dict[str, Any],
) -> str:
    """Say the answer in one sentence.

    `only_replica` is the one of which all records are that contradict the alias log.
    """
    boundaries = ask.measures["boundaries"].value
    rotations = ask.measures["rotations"].value
    moved = f"{count(rotations, 'rotations')} with {count(boundaries, 'boundaries')}"
    named = the_alias(ask, known)
    all_of_them = f"All {count(total, 'decisions')} have" if total > 1 else "The one decision has"
    unlogged = ask.measures["unlogged_rotations"].value
    ran = f"{count(unlogged, 'digests')} ran that no alias event names"
    if verdict in ("confirmed", "supported") and open_ones:
        return (
            f"{number(open_ones)} of {count(total, 'decisions')} ({share(open_ones / total)}) "
            f"cannot be attributed to exactly one checkpoint; {named} made {moved} in the window"
            f"{f', and {ran}' if unlogged else ''}."
        )
    if verdict == "supported":
        of = f" of replica {shorten(only_replica, 20)}" if only_replica else ""
        against = ran if unlogged else f"other records{of} contradict the alias log"
        return f"{all_of_them} one candidate, but {against}; {named} made {moved} in the window."
    if verdict == "clean":
        return f"Every one of {count(total, 'decisions')} is attributed to exactly one checkpoint."
    return (
        f"{all_of_them} one candidate, over {moved}, but nothing bounds the error of the clocks."
        if not open_ones
        else f"A fingerprint alone settles {number(open_ones)} of {count(total, 'decisions')}."
    )


def the_alias(ask: Inquiry, known: dict[str, Any]) -> str:
    """The alias of the decisions, or how many there are in the log."""
    aliases = len({row["alias"] for row in ask.ask(q.SPANS, **known)})
    return "the alias" if aliases == 1 else count(aliases, "aliases")


def no_decisions(everyone: dict[str, Any]) -> Conclusion:
    """Say that there is nothing to attribute."""
    return Conclusion(
        "not_testable",
        f"Not testable. None of {count(everyone['requests'] + everyone['of_numbers'], 'requests')} "
        "is a decision; calls for embeddings and rankings are none.",
        missing=(Missing("requests", ("request_id", "occurred_at"), "the decisions"),),
    )


def no_history(unstamped: int, total: int) -> Conclusion:
    """Say that nothing tells what an alias meant, for those decisions without a digest."""
    return Conclusion(
        "not_testable",
        f"Not testable. Without a digest are {number(unstamped)} of {count(total, 'decisions')}: "
        "they name an alias at most, and the case holds no history of it. Load alias_events or "
        "deployments.",
        missing=(
            Missing("alias_events", ("alias", "checkpoint", "valid_from"), "what it pointed at"),
            Missing("deployments", ("replica", "checkpoint", "valid_from"), "or what replicas ran"),
        ),
    )


def findings(ask: Inquiry, grades: dict[str, int], total: int) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    unknown = grades.get("E", 0)
    apart = f", the {number(unknown)} without a candidate apart" if unknown else ""
    parts = ", ".join(f"{number(grades.get(grade, 0))} {words}" for grade, words in GRADES.items())
    found = [
        Finding(
            f"Of {count(total, 'decisions')}, by grade from A to E: {parts}.",
            ("coverage", *(f"grade_{grade.lower()}" for grade in GRADES)),
            (ask.evidence_id(q.BY_GRADE), ask.evidence_id(q.UNATTRIBUTED)),
            ("coverage", "in_force"),
        ),
        Finding(
            f"{count(len(ask.measures['checkpoints'].value), 'checkpoints')} may have decided; the "
            f"table of checkpoints says how much each did for certain, and at most{apart}.",
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
    open_ones = grades.get("D", 0) + grades.get("E", 0)
    return (*found, *of_differences(ask, open_ones), *of_sources(ask), *of_record(ask))


def remedies(ask: Inquiry, grades: dict[str, int], total: int, error: float) -> tuple[str, ...]:
    """Say what to do in this case."""
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
        remedies.append(
            f"Monitor clock offsets: the zones here are {duration(error)} on each side."
        )
    if ask.measures["unlogged_rotations"].value:
        remedies.append("Reconcile deployments with the alias log every day.")
    return (*remedies, *log_the_rest(ask))


def limits(
    ask: Inquiry,
    everyone: dict[str, Any],
    total: int,
    crossed: int,
    set_apart: dict[str, int],
    known: dict[str, Any],
) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    exactly = {**known, "clock_error_s": 0.0}
    ask.case.release(q.GRADED)
    ask.case.hold(q.MATCHED, **exactly)
    exact = ask.one(q.WITHOUT_CLOCK_ERROR, **exactly)
    ask.case.release(q.MATCHED)
    limits = [
        f"With exact clocks {count(exact['ambiguous'], 'decisions')} would be ambiguous and "
        f"{number(exact['unattributed'])} without a candidate; the zones are as wide as the "
        "clocks are uncertain."
    ]
    if crossed:
        limits.append(
            f"{count(crossed, 'decisions')} ran while the alias was switched: ambiguous, whenever "
            "the model was resolved."
        )
    missing = ask.measures["missing_ids"]
    if missing.value is not None:
        limits.append(
            f"The ids are numbered; {number(missing.value)} of the {number(missing.n)} from the "
            "first to the last are not among the records."
        )
    else:
        limits.append("The ids are no sequence, so missing records could not be counted.")
    if set_apart:
        limits.append(
            f"{count(sum(set_apart.values()), 'records')} of environments for tests "
            f"({', '.join(shorten(name, 20) for name in list(set_apart)[:3])}) are set apart; "
            "`environment` says which count."
        )
    undecided = everyone["requests"] - total
    if undecided:
        limits.append(f"Not counted: {count(undecided, 'requests')} without a recorded decision.")
    return (*limits, *_beside_the_checkpoint(ask, everyone, known))


def _beside_the_checkpoint(
    ask: Inquiry, everyone: dict[str, Any], known: dict[str, Any]
) -> Iterator[str]:
    """What else took part in the decisions, and is not attributed here."""
    if everyone["of_numbers"]:
        yield (
            f"Not counted: {count(everyone['of_numbers'], 'calls')} for embeddings or rankings, "
            "which decide nothing."
        )
    if everyone["rows"] > everyone["requests"]:
        overridden = ask.one(q.OVERRIDDEN, **known)["decisions"]
        if overridden:
            yield (
                f"Of {count(overridden, 'decisions')} a later record says otherwise, by a person "
                "or a retry: the first is attributed, the last may be what counted."
            )
    found = ask.one(q.SYSTEMS, **known)
    if found["prompts"] > 1 or found["parameters"] > 1 or found["retrieval_moves"]:
        kinds = (("prompts", "prompts"), ("parameters", "sets of parameters"),
                 ("retrieval_moves", "changes of index or tools"))  # fmt: skip
        told = [count(found[key], words) for key, words in kinds if found[key]]
        yield (
            f"Attribution is to checkpoints. On record for this time: {', '.join(told)}. One "
            "checkpoint with another of these is another decision system."
        )
