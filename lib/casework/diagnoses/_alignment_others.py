"""Other runs of the same suite: repetitions, and runs with another template or other parameters.

METHODS section 11: small changes of the set-up move refusals, so three seeds are asked for; and
where the base's system prompt restores refusals, what was lost is in the configuration that is
served, not in the weights.
"""

from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _alignment as q
from casework.diagnoses._alignment_changes import Found, repeats_of, share_of
from casework.diagnoses._alignment_rivals import points
from casework.diagnoses._alignment_runs import Compared, Run, same_hash
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.stats.repeats import change
from casework.visible import shorten
from casework.words import count, number, spread

_MOST = 6
"""Other runs that are measured, the last ones; each is a pass over its samples."""
_ENOUGH = 3
"""Repetitions that METHODS section 11 asks for."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another run of base or tuned checkpoint, against the compared run of the other one.

    Attributes:
        run: the run.
        is_tuned: whether it is of the tuned checkpoint.
        prompt: whether its template is that of the run that is compared; None if not recorded.
        params: the same of its parameters.
        refusal: share of unsafe prompts that it refuses, as labelled.
        change: tuned minus base on the same prompts.
    """

    run: Run
    is_tuned: bool
    prompt: bool | None
    params: bool | None
    refusal: Estimate
    change: Estimate

    @property
    def repeats(self) -> bool:
        """Whether it is the same set-up again."""
        return bool(self.prompt and self.params)

    def row(self) -> dict[str, Any]:
        """The run as a row of a table."""
        return {
            "run_id": self.run["run_id"], "suite": self.run["suite"],
            "checkpoint": "tuned" if self.is_tuned else "base", "same_template": self.prompt,
            "same_parameters": self.params, "n": self.change.n, "refusal": self.refusal.value,
            "change": self.change.value, "low": self.change.low, "high": self.change.high,
            "labels": "as labelled",
        }  # fmt: skip


def measure_others(
    ask: Inquiry, compared: Compared, found: Found, known: dict[str, Any], margin: float
) -> tuple[Finding, ...]:
    """Measure the change with each other run in place of the compared one, and state it."""
    left = _not_compared(ask, compared)
    measured = [_measured(ask, *runs, known) for runs in left[:_MOST]]
    others = [other for other in measured if other]
    rows = [other.row() for other in others]
    ask.measure("other_runs", rows or None, "table", q.CHANGES, n=len(rows) or None)
    if not left:
        return ()
    more = f" The last {number(_MOST)} of {number(len(left))}." if len(left) > _MOST else ""
    again = [other for other in others if other.repeats]
    told = [_repeated(again)] if again else []
    told += [_set_up(other, change(found.counts), margin) for other in others if not other.repeats]
    if unlabelled := len(measured) - len(others):
        told.append(
            f"not compared, {count(unlabelled, 'runs')} without labels by {found.name_of_labels} "
            "on the same prompts"
        )
    return (
        Finding(
            f"Other runs of the same suite, as labelled: {'; '.join(told)}.{more}",
            ("other_runs",),
            (ask.evidence_id(q.CHANGES), ask.evidence_id(q.RUNS)),
        ),
    )


def _not_compared(ask: Inquiry, compared: Compared) -> list[tuple[Run, Run, Run, bool]]:
    """Each other run with the run it stands for, that of the other checkpoint, and whose it is.

    The last one first, whatever its suite.
    """
    pairs = {base["suite"]: (base, tuned) for base, tuned in compared.runs
             if base["unsafe"] and tuned["unsafe"]}  # fmt: skip
    found = []
    for run in reversed(ask.ask(q.RUNS)):
        if run["suite"] not in pairs or not run["unsafe"]:
            continue
        base, tuned = pairs[run["suite"]]
        if run["run_id"] in (base["run_id"], tuned["run_id"]):
            continue
        if run["model"] == compared.tuned:
            found.append((run, tuned, base, True))
        elif run["model"] == compared.base:
            found.append((run, base, tuned, False))
    return found


def _measured(
    ask: Inquiry, run: Run, instead_of: Run, against: Run, is_tuned: bool, known: dict[str, Any]
) -> Other | None:
    pair = (against, run) if is_tuned else (run, against)
    names = {"base_runs": [pair[0]["run_id"]], "tuned_runs": [pair[1]["run_id"]]}
    row = next((r for r in ask.ask(q.CHANGES, **known | names) if r["kind"] == "unsafe"), None)
    if row is None:
        return None
    counts = repeats_of(row)
    refused = counts.second if is_tuned else counts.first
    prompt, params = (
        same_hash([(instead_of, run)], name) for name in ("prompt_hash", "params_hash")
    )
    return Other(run, is_tuned, prompt, params, share_of(refused, counts.n), change(counts))


def _repeated(again: list[Other]) -> str:
    values = [other.change.value for other in again]
    low, high = (spread(value, None, "points", signed=True) for value in (min(values), max(values)))
    of_tuned = sum(other.is_tuned for other in again)
    alike = 1 + min(of_tuned, len(again) - of_tuned)
    enough = ""
    if alike < _ENOUGH:
        enough = f", {number(_ENOUGH)} runs alike of each checkpoint are asked for"
    return f"{count(len(again), 'repetitions')}, change {low} to {high}{enough}"


def _set_up(other: Other, whole: Estimate, margin: float) -> str:
    """Say what a run in another set-up shows."""
    differs = [
        {False: f"another {what}", None: f"a {what} that is not recorded for both"}[same]
        for what, same in (("template", other.prompt), ("set of parameters", other.params))
        if same is not True
    ]
    whose = "tuned checkpoint" if other.is_tuned else "base"
    refusal = spread(other.refusal.value, (other.refusal.low, other.refusal.high), "share")
    changed = f"{points(other.change)}{_follows(other, whole, margin)}"
    if not other.is_tuned:
        changed = f"against which the tuned checkpoint changes by {changed}"
    return (
        f"the {whose} with {' and '.join(differs)} ({shorten(other.run['run_id'])}) refuses "
        f"{refusal}, {changed}"
    )


def _follows(other: Other, whole: Estimate, margin: float) -> str:
    """Say where the tuned checkpoint lost refusals in one of both set-ups alone.

    Whether the base loses them too in the other set-up shows only a run of it: nothing is said of
    the part that the weights have beside the set-up.
    """
    if not other.is_tuned or not (other.prompt is False or other.params is False):
        return ""
    if whole.high < -margin and other.change.low > -margin:
        return ", so that this set-up restores them: not the weights alone lost them"
    if whole.low > -margin and other.change.high < -margin:
        return ", a loss in this set-up and not in the one compared: not the weights alone"
    return ""
