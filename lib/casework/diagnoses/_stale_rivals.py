"""What else could explain it, and the attempt to refute it."""

from typing import Any

from casework.diagnoses import _stale_blind as b
from casework.diagnoses import _stale_harm as h
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_words import in_doubt
from casework.diagnoses._stale_zone import time_zone
from casework.findings import Falsifier, Outcome, Rival
from casework.stats.proportions import fisher
from casework.words import count, duration, number, p_value, share


def find_rivals(
    ask: Inquiry, blind: Blind, worst: dict[str, Any] | None, known: dict[str, Any]
) -> tuple[Rival, ...]:
    """Test what else could explain that something was served before it was evaluated."""
    rivals = [
        _same_content(blind),
        _written_alike(ask, blind),
        _scored_another(blind),
        _unhashed(blind),
        _clocks(blind, known),
        time_zone(ask, blind, known),
    ]
    rivals += [_log_begins_late(blind), _log_ends_early(ask, blind), _retries(ask, blind)]
    if worst and blind.grade != "rendered_hash":
        rivals.append(_frozen(ask))
    return tuple(rivals)


def _same_content(blind: Blind) -> Rival:
    hashed = blind.grade == "rendered_hash"
    return Rival(
        "The label changed and the content did not",
        "configurations told apart by the hash of what was rendered",
        "excluded" if hashed else "not_testable",
        "hashes are compared, labels are not"
        if hashed
        else "no hash on both sides: two labels may stand for the same content, and one for two",
    )


def _written_alike(ask: Inquiry, blind: Blind) -> Rival:
    """Two tools that hash differently share no value at all, and then nothing is ever covered.

    Hashes of parameters that never meet are set aside, so that what is blind is blind without. The
    name of a prompt is no hash.
    """
    parts = blind.in_common
    apart = [row["part"] for row in parts if not row["in_common"] and row["part"] != "prompt_name"
             and (row["part"] != "params_hash" or not blind.totals["blind_least"])]  # fmt: skip
    told = ", ".join(f"{row['in_common']} {row['part']}" for row in parts)
    return Rival(
        "Requests and runs write the same hash or checkpoint differently",
        "values that occur on both sides",
        "not_excluded" if apart else "excluded",
        f"in common: {told or 'no part is recorded on both sides'}",
    )


def _scored_another(blind: Blind) -> Rival:
    doubtful, least = blind.totals["doubtful"], blind.totals["blind_least"]
    said = f", for {in_doubt(blind)}" if doubtful else ""
    return Rival(
        "What ran before scored another checkpoint, other parameters, model or prompt",
        "runs that may be of what was served and do not name all of it",
        "not_excluded" if doubtful and not least else "excluded",
        f"{count(doubtful, 'requests')} before the first run that is known to be of what they met"
        f"{said}",
    )


def _unhashed(blind: Blind) -> Rival:
    found = [row for row in blind.blind_configs
             if row["by_label_at"] and (row["evaluated_at"] is None
                                        or row["by_label_at"] < row["evaluated_at"])]  # fmt: skip
    return Rival(
        "A run that recorded no hash did score it",
        "completed runs without a hash that declare the version, or read it, before the first "
        "run with its hash",
        "not_excluded" if found else "excluded",
        f"{count(len(found), 'blind configurations')} with such a run",
    )


def _clocks(blind: Blind, known: dict[str, Any]) -> Rival:
    totals = blind.totals
    open_to_doubt = bool(totals["blind"]) and not totals["blind_least"]
    return Rival(
        "The clocks of requests and runs disagree",
        f"every run moved by {duration(known['clock_error_s'])} against the requests",
        "not_excluded" if open_to_doubt and not _only_unsettled(blind) else "excluded",
        f"{number(totals['blind_least'])} to {count(totals['blind_most'], 'requests')} are before "
        "the first valid run, however the clocks are off",
    )


def _only_unsettled(blind: Blind) -> bool:
    return all(row["unsettled"] or row["apart"] for row in blind.blind_configs)


def _log_begins_late(blind: Blind) -> Rival:
    unsettled = [row for row in blind.blind_configs if row["unsettled"]]
    alone = bool(unsettled) and len(unsettled) == len(blind.blind_configs)
    return Rival(
        "It was scored before the records begin",
        "configurations that were in service when the requests begin, with no run before them",
        "not_excluded" if alone else "excluded",
        f"{len(unsettled)} of {count(len(blind.blind_configs), 'blind configurations')}",
    )


def _log_ends_early(ask: Inquiry, blind: Blind) -> Rival:
    pace = ask.one(b.CADENCE)
    last = max((row["last_served"] for row in blind.configs), default=None)
    after = [row for row in blind.blind_configs
             if pace["last_ended"] and row["began_at"] > pace["last_ended"]]  # fmt: skip
    alone = bool(after) and len(after) == len(blind.blind_configs)
    silence = (last - pace["last_ended"]).total_seconds() if last and pace["last_ended"] else 0.0
    usual = pace["longest_gap_s"]
    cut = alone and (usual is None or silence > usual)
    against = "no time between two runs" if usual is None else duration(usual)
    outcome: Outcome = "not_excluded" if cut else "excluded"
    return Rival(
        "The eval log ends before the requests do",
        "the time from the last run to the last request, against the longest between two runs",
        outcome,
        f"{duration(max(silence, 0.0))} against {against}; "
        f"{count(len(after), 'blind configurations')} began after the last run",
    )


def _retries(ask: Inquiry, blind: Blind) -> Rival:
    rows = ask.one(b.ALL_ROWS)["rows"]
    return Rival(
        "Retries, tests or other environments are counted as customers",
        "ids that occur more than once, the environment of each request, and embeddings",
        "excluded",
        f"{count(rows - blind.totals['served'], 'records')} of {number(rows)} set aside",
    )


def _frozen(ask: Inquiry) -> Rival:
    """Near-identical answers across a push say that the eval did not move (METHODS section 2)."""
    pairs = ask.ask(h.FROZEN)
    asked = [row for row in pairs if row["crosses_push"] and not row["reloaded"]]
    moved = [row for row in pairs if row["reloaded"]]
    explanation = "The runs did move to the new version, and the log of their start is wrong"
    test = "answers identical byte by byte across a push, against those across a reload"
    if not asked or not moved:
        return Rival(explanation, test, "not_testable", "no two runs to compare answers of")
    same = [(sum(r["identical"] for r in rows), sum(r["items"] for r in rows))
            for rows in (moved, asked)]  # fmt: skip
    (k0, n0), (k1, n1) = same
    p = fisher(*same)
    frozen = p < 0.05 and k1 / n1 > k0 / n0
    return Rival(
        explanation,
        test,
        "excluded" if frozen else "not_excluded",
        f"{share(k1 / n1)} of {number(n1)} across the push, {share(k0 / n0)} of {number(n0)} "
        f"across a reload, {p_value(p)}",
    )


def falsify(ask: Inquiry, blind: Blind, known: dict[str, Any]) -> Falsifier:
    """Look for a run with the full hash that counts for another reason."""
    others = ask.ask(b.OTHER_NAMES, **known)
    searched = blind.runs["runs"]
    alike, partial = (sum(row["runs"] for row in others if row["is_whole"] is whole)
                      for whole in (True, False))  # fmt: skip
    found = {row["config"] for row in blind.blind_configs}
    falsified = bool(found) and found <= blind.renamed.keys()
    return Falsifier(
        "One completed run, before or in the window, whose full hash equals what was served",
        ran=True,
        outcome=f"{count(searched, 'runs')} of all suites searched: "
        f"{number(alike)} with the same hash under another name of the prompt, "
        f"{number(partial)} with other parameters or another checkpoint, "
        f"{number(blind.runs['not_completed'])} never completed",
        falsified=falsified,
    )
