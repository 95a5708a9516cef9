"""Who graded what is compared: the eval of the last week, and the fresh questions.

Grades of one grader can be compared. Where the judge of the eval changed, its scores before and
after are those of two graders, and which of them the fresh grades agree with is not known unless
the fresh questions were graded by the new one. People who grade blind are another grader than any
judge; as METHODS section 6 asks for them, they are taken as what customers get, and that the
difference holds what parts both graders is told.
"""

from typing import Any

from casework.diagnoses import _poisoning_evals as e
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._poisoning_scores import Scores
from casework.diagnoses._poisoning_target import Rows, Target
from casework.findings import Rival
from casework.words import instant

_EXPLANATION = "The judge changed, and the scores with it"
_TEST = "changes of judge, rubric or harness, and who graded what is compared, and when"


def judge_changed(ask: Inquiry, target: Target, scores: Scores) -> Rival:
    """Excluded where nothing changed, or where both were graded by one grader after the change."""
    last_graded = max((row["graded_at"] for row in scores.fresh.rows), default=target.closed_at)
    until = {"closed_at": max(target.closed_at, last_graded)}
    changes = ask.ask(e.GRADERS, **target.params | until)
    told = _told(changes[-1]) if changes else "no change of the judge is recorded"
    if not scores.fresh_above:
        return Rival(_EXPLANATION, _TEST, "not_excluded" if changes else "excluded", told)
    eval_by = ask.ask(e.GRADED_BY, **target.params)
    graders = _graders(eval_by) | _graders(scores.fresh.rows)
    same = len(graders) == 1 and "" not in graders
    told += f"; {graded_by(ask, target, scores)}"
    if changes:
        at = changes[-1]["occurred_at"]
        after = at < target.last_week and all(row["graded_at"] >= at for row in scores.fresh.rows)
        return Rival(_EXPLANATION, _TEST, "excluded" if same and after else "not_excluded", told)
    versions = not same and _two_versions(eval_by, scores.fresh.rows)
    return Rival(_EXPLANATION, _TEST, "not_excluded" if versions else "excluded", told)


def graded_by(ask: Inquiry, target: Target, scores: Scores) -> str:
    """Who graded the eval of the last week and the fresh questions, in words."""
    eval_by = sorted(_graders(ask.ask(e.GRADED_BY, **target.params)))
    fresh_by = sorted(_graders(scores.fresh.rows))
    if eval_by == fresh_by:
        return f"the eval of the last week and the fresh questions were graded by {_said(eval_by)}"
    return (
        f"the eval of the last week was graded by {_said(eval_by)}, the fresh questions by "
        f"{_said(fresh_by)}"
    )


def other_grader(ask: Inquiry, target: Target, scores: Scores) -> tuple[str, ...]:
    """The limit of a comparison of grades by two graders; empty where it was one."""
    if not scores.fresh_above:
        return ()
    if _graders(ask.ask(e.GRADED_BY, **target.params)) == _graders(scores.fresh.rows):
        return ()
    told = graded_by(ask, target, scores)
    return (
        f"{told[0].upper()}{told[1:]}: their difference also holds by how much these differ on the "
        "same answer.",
    )


def _told(change: dict[str, Any]) -> str:
    return f"{change['what']} changed at {instant(change['occurred_at'])}"


def _graders(rows: Rows) -> set[str]:
    return {row[name] or "" for row in rows for name in ("grader", "other_grader") if name in row}


def _two_versions(eval_by: Rows, fresh: Rows) -> bool:
    """Whether one harness graded both, by versions or judges that are named and differ."""
    named = [
        {(row["harness"], grader) for row in rows for grader in _graders([row])
         if row["harness"] and grader not in ("", row["harness"])}
        for rows in (eval_by, fresh)
    ]  # fmt: skip
    return any(a == b and x != y for a, x in named[0] for b, y in named[1])


def _said(graders: list[str]) -> str:
    return " and ".join(name or "a grader that is not named" for name in graders)
