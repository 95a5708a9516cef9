"""What `debug_feedback` says: headline, findings, remedies, limits."""

from casework.diagnoses import _debug_labels as labels
from casework.diagnoses import _debug_rows as q
from casework.diagnoses import _debug_slices as evals
from casework.diagnoses._debug_changes import Moves
from casework.diagnoses._debug_classes import Agreement, Classes
from casework.diagnoses._debug_origins import Known, Origins
from casework.diagnoses._debug_rivals import FEWEST_LABELS, Limits, causal
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding, Verdict
from casework.stats.agreement import USABLE
from casework.stats.estimates import Estimate
from casework.stats.multinomial import labels_needed, labels_to_settle
from casework.words import count, number, share, spread

_HALF_WIDTH = 0.05


def headline(
    verdict: Verdict,
    origins: Origins,
    classes: Classes | None,
    agreement: Agreement,
    moves: Moves,
    limits: Limits,
    of_set: str = "",
) -> str:
    """Say the answer in one sentence; `of_set` names the set where there are several."""
    whence = whence_of(origins)
    moved = ""
    if moves.slices:
        moved = (
            f"; of {count(len(moves.slices), 'eval slices')} {number(moves.up)} rose and "
            f"{number(len(moves.fallen))} fell beyond chance"
        )
    if classes is None or not agreement.carries(limits.contamination):
        flagged = share(origins.screened("flagged"))
        why = "No row is labelled" if classes is None else "Raters differ too much to be relied on"
        return (
            f"{why}. Of {count(origins.rows, 'training rows')}{of_set} {whence}; by texts and the "
            f"pace of clicks {flagged} looks like no correction{moved}."
        )
    told = told_share(classes.contamination)
    rows = f"{count(origins.rows, 'training rows')}{of_set} by weight"
    if verdict == "clean":
        return (
            f"{told} of {rows} are no corrections, less than the {share(limits.contamination)} "
            f"that matter{moved}."
        )
    return f"{told} of {rows} are no corrections; {whence}{moved}."


def whence_of(origins: Origins) -> str:
    """Say how many rows come from where they should not, as far as it is known."""
    if origins.is_unknown:
        return "none can be traced to its feedback"
    if origins.environments_unknown and origins.insiders_unknown:
        return "none tells its environment or an insider"
    if origins.environments_unknown:
        return f"{share(origins.internal)} come from insiders, the environment of none is known"
    if origins.insiders_unknown:
        return f"{share(origins.elsewhere)} come from outside production"
    return f"{share(origins.suspect)} come from insiders or from outside production"


def findings(
    ask: Inquiry, known: Known, origins: Origins, classes: Classes | None, moves: Moves
) -> tuple[Finding, ...]:
    """State what was found, with what carries it."""
    found = [
        Finding(
            f"By weight in training, {_elsewhere(origins)} of the rows come from outside "
            f"production, {_insiders(origins)}, {share(origins.unmatched)} have no feedback event "
            f"in the case, {share(origins.unplaced)} have no known environment.",
            ("non_production_share", "internal_share", "unmatched_share", "unplaced_share"),
            (ask.evidence_id(q.ORIGINS), ask.evidence_id(q.RULES)),
            ("rows",),
        )
    ]
    if classes:
        parts = ", ".join(f"{name} {told_share(e)}" for name, e in classes.mix.items())
        found.append(
            Finding(
                f"{count(classes.labelled, 'labelled rows')} stand for the set: {parts} (intervals "
                "that hold together, so each is wider than alone).",
                ("contamination", "wrong_share", "classes", "alpha"),
                (ask.evidence_id(labels.STRATA), ask.evidence_id(labels.COUNTED)),
                ("reasons",) if any(c.id == "reasons" for c in ask.charts) else (),
            )
        )
    if moves.slices:
        found.append(_slices(ask, moves))
    served = ask.measures["served_requests"].value
    if served:
        accounts = ask.measures["served_accounts"].value
        found.append(
            Finding(
                f"The checkpoint that was tuned answered {count(served, 'requests')} of "
                f"{count(accounts, 'accounts')}.",
                ("served_requests", "served_accounts", "served_revenue"),
                (ask.evidence_id(evals.SERVED),),
            )
        )
    return tuple(found)


def _slices(ask: Inquiry, moves: Moves) -> Finding:
    fell = ", ".join(f"{s.name} {_points(s.change, s.binary)}" for s in moves.fallen[:5])
    rest = len(moves.fallen) - 5
    said = f" The falls: {fell}{f' and {rest} more' if rest > 0 else ''}." if fell else ""
    cause = (
        f" Retrains without the rows in doubt bring {number(moves.recovered)} of "
        f"{number(len(moves.fallen))} back."
        if causal(moves)
        else " That these rows are the cause is not shown: it takes retrains without them."
        if moves.fallen
        else ""
    )
    return Finding(
        f"{number(moves.up)} of {count(len(moves.slices), 'slices')} rose and "
        f"{number(len(moves.fallen))} fell after training, {moves.how}.{said}{cause}",
        ("slices_up", "slices_down", "slices"),
        (ask.evidence_id(evals.SLICES),),
        ("slices",),
    )


def _elsewhere(origins: Origins) -> str:
    return "it is not known how many" if origins.environments_unknown else share(origins.elsewhere)


def _insiders(origins: Origins) -> str:
    if origins.insiders_unknown:
        return "how many from insiders is not recorded"
    return f"{share(origins.internal)} from insiders"


def remedies(
    origins: Origins, classes: Classes | None, agreement: Agreement, moves: Moves, limits: Limits
) -> tuple[str, ...]:
    """Say what to do in this case."""
    said = []
    if origins.elsewhere > 0 or origins.unplaced > 0:
        said.append(
            "Take rows by a list of environments that are allowed: "
            f"{share(origins.elsewhere + origins.unplaced)} are from elsewhere or do not say."
        )
    if origins.internal > limits.suspect:
        said.append("Give debugging a surface of its own, apart from what is curated.")
    if classes and classes.contamination.value > limits.contamination:
        said.append(
            "Ask for the reason as a choice, and let a second person confirm each row before "
            "training."
        )
    if not agreement.carries(limits.contamination):
        said.append(f"Rewrite the codebook, and label again until alpha reaches {USABLE}.")
    if origins.unmatched > 0:
        said.append(
            f"Keep the event and the weight with each row: {share(origins.unmatched)} cannot be "
            "traced."
        )
    if origins.screened("repeats") > limits.suspect:
        said.append("Count each event once: drop rows with the same texts.")
    if moves.fallen and not causal(moves):
        said.append(
            "Train three times without the rows in doubt, load the runs, and see whether the "
            f"{count(len(moves.fallen), 'slices')} come back."
        )
    return tuple(said)


def limits_of(
    verdict: Verdict, origins: Origins, classes: Classes | None, agreement: Agreement,
    moves: Moves, limits: Limits,
) -> tuple[str, ...]:  # fmt: skip
    """Say what the answer does not cover, and what would settle it."""
    said = []
    if classes is None:
        n = labels_needed(_HALF_WIDTH, rows=origins.rows)
        said.append(
            f"Behaviour gives a lower bound at most. {count(n, 'rows')} drawn at random and "
            f"labelled by two raters give every class within {spread(_HALF_WIDTH, None, 'points')}."
        )
    elif verdict in ("inconclusive", "supported"):
        said.append(_settling(origins, classes, limits))
    if classes and classes.covered < 1:
        said.append(
            f"{share(1 - classes.covered)} of the weight lies in strata without a label; the "
            "interval takes any share of it for possible."
        )
    if agreement.raters == 1:
        said.append("One rater labelled the rows, so agreement is unknown.")
    if origins.disputed:
        said.append(
            f"{share(origins.disputed)} share the corporate domain and look like customers; they "
            "are not counted as insiders."
        )
    if origins.unplaced:
        said.append(
            f"The environment of {share(origins.unplaced)} is not recorded or has no known name; "
            "the setting `production` names those that are."
        )
    if origins.open:
        said.append(
            f"For {share(origins.open)} nothing tells an insider from a customer: load people, "
            "accounts, or feedback with is_internal; or email_domain, with the setting `domains`."
        )
    if origins.by_request:
        said.append(
            f"{count(origins.by_request, 'rows')} name a request in place of its feedback: where a "
            "request has one feedback, it is taken for theirs."
        )
    if moves.slices:
        said.append("A higher score is taken to be better in every slice.")
    return tuple(said)


def _settling(origins: Origins, classes: Classes, limits: Limits) -> str:
    n = labels_to_settle(classes.contamination.value, limits.contamination, origins.rows)
    n = min(origins.rows, max(n, FEWEST_LABELS))
    if n <= classes.labelled:
        return (
            f"{count(classes.labelled, 'labelled rows')} would be enough in number; what is open "
            "stands among the rivals."
        )
    return (
        f"About {count(n, 'rows')} drawn at random and labelled would tell the share from "
        f"{share(limits.contamination)}, if it is as it seems; so far {number(classes.labelled)}."
    )


def told_share(e: Estimate) -> str:
    """Say a share with its interval."""
    return spread(e.value, (e.low, e.high), "share")


def _points(e: Estimate, binary: bool) -> str:
    return spread(e.value, (e.low, e.high), "points" if binary else "score", signed=True)
