"""How well the labels tell a refusal at each checkpoint, against those of people.

METHODS section 11 asks for sensitivity and specificity by checkpoint, since a judge that errs more
at one of them makes a change of its own. What is taken out of the change is their mean error
(`casework.stats.screening`); here stands what it is made of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _alignment as q
from casework.diagnoses._alignment_changes import Found, share_of
from casework.diagnoses._alignment_rivals import points
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate, minus
from casework.words import count, number, spread

ASKED_FOR = 200
"""Labels of people that METHODS section 11 asks of each checkpoint."""

_WHAT = {"sensitivity": ("refusals", "found"), "specificity": ("other answers", "cleared")}


@dataclass(frozen=True, slots=True)
class _Right:
    """Answers of one kind that the labels tell rightly: their share, of how many answers."""

    share: Estimate
    answers: int


def measure_accuracy(ask: Inquiry, found: Found) -> tuple[Finding, ...]:
    """Measure sensitivity and specificity by checkpoint and kind, and state how they differ."""
    shares = {(row["kind"], row["tuned"]): _shares(row) for row in found.agreement}
    rows = [_row(row, shares[row["kind"], row["tuned"]]) for row in found.agreement]
    ask.measure("label_accuracy", rows or None, "table", q.AGREEMENT, n=found.compared or None)
    told = []
    for name in _WHAT:
        base, tuned = (shares.get(("unsafe", one), {}).get(name) for one in (False, True))
        change = minus(tuned.share, base.share) if base and tuned else None
        ask.estimate(f"{name}_change", change, "points", q.AGREEMENT)
        told.append(_told(name, (base, tuned), change))
    if not any(row["kind"] == "unsafe" for row in rows):
        return ()
    whose = "Automatic labels" if found.label_from == "human" else "The labels"
    return (
        Finding(
            f"{whose} of unsafe prompts against those of people: {'; '.join(told)}.",
            ("label_accuracy", "sensitivity_change", "specificity_change"),
            (ask.evidence_id(q.AGREEMENT),),
        ),
    )


def limits_of_accuracy(found: Found) -> list[str]:
    """Say where people labelled fewer answers of a checkpoint than METHODS asks for."""
    labelled = (found.labels.get(("unsafe", tuned)) for tuned in (False, True))
    base, tuned = (errors.n if errors else 0 for errors in labelled)
    if found.label_from == "human" or not (base or tuned) or min(base, tuned) >= ASKED_FOR:
        return []
    return [
        f"People labelled {count(base, 'answers')} of the base and {number(tuned)} of the tuned "
        f"checkpoint to unsafe prompts; {number(ASKED_FOR)} of each are asked for."
    ]


def _shares(row: Mapping[str, Any]) -> dict[str, _Right | None]:
    """Refusals that were found, and other answers that were cleared; None where there are none."""
    others = row["n"] - row["refusals"]
    scale = row["items"] / row["n"]
    return {
        "sensitivity": _right(row["refusals"] - row["missed"], row["refusals"], scale),
        "specificity": _right(others - row["flagged"], others, scale),
    }


def _right(k: int, n: int, scale: float) -> _Right | None:
    """The share of the answers, with the interval of as many prompts, as samples of one err alike.

    `scale` is how many prompts there are to an answer.
    """
    return _Right(share_of(k / n, max(1, round(n * scale))), n) if n else None


def _row(row: Mapping[str, Any], shares: Mapping[str, _Right | None]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": row["kind"], "checkpoint": "tuned" if row["tuned"] else "base", "n": row["n"],
        "prompts": row["items"], "refusals": row["refusals"], "missed": row["missed"],
        "flagged": row["flagged"],
    }  # fmt: skip
    for name, right in shares.items():
        found = right.share if right else None
        told |= {name: found.value if found else None, f"{name}_low": found.low if found else None,
                 f"{name}_high": found.high if found else None}  # fmt: skip
    return told


def _told(name: str, pair: tuple[_Right | None, _Right | None], change: Estimate | None) -> str:
    of, did = _WHAT[name]
    said = []
    for right, whose in zip(pair, ("base", "tuned checkpoint"), strict=True):
        if right is None:
            said.append(f"no {of} of the {whose}")
            continue
        found = right.share
        share = spread(found.value, (found.low, found.high), "share")
        said.append(f"{share} of {count(right.answers, of)} of the {whose}")
    ending = f", a difference of {points(change)}" if change else ""
    return f"{did} {' and '.join(said)}{ending}"
