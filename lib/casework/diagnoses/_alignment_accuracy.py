"""How well the labels tell a refusal at each checkpoint, against those of people.

METHODS section 11 asks for sensitivity and specificity by checkpoint, since a judge that errs more
at one of them makes a change of its own. What is taken out of the change is their mean error
(`casework.stats.screening`); here stands what it is made of.
"""

from collections.abc import Mapping
from typing import Any

from casework.diagnoses import _alignment as q
from casework.diagnoses._alignment_changes import Found
from casework.diagnoses._alignment_rivals import points
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate, wilson
from casework.stats.proportions import difference_of_shares
from casework.words import count, number, spread

ASKED_FOR = 200
"""Labels of people that METHODS section 11 asks of each checkpoint."""

_Share = tuple[int, int]
_WHAT = {"sensitivity": ("refusals", "found"), "specificity": ("other answers", "cleared")}


def measure_accuracy(ask: Inquiry, found: Found) -> tuple[Finding, ...]:
    """Measure sensitivity and specificity by checkpoint and kind, and state how they differ."""
    shares = {(row["kind"], row["tuned"]): _shares(row) for row in found.agreement}
    rows = [_row(row, shares[row["kind"], row["tuned"]]) for row in found.agreement]
    ask.measure("label_accuracy", rows or None, "table", q.AGREEMENT, n=found.compared or None)
    told = []
    for name in _WHAT:
        pair = [shares.get(("unsafe", tuned), {}).get(name, (0, 0)) for tuned in (False, True)]
        change = difference_of_shares(*pair) if all(n for _, n in pair) else None
        ask.estimate(f"{name}_change", change, "points", q.AGREEMENT)
        told.append(_told(name, pair, change))
    if not rows:
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


def _shares(row: Mapping[str, Any]) -> dict[str, _Share]:
    """Refusals that were found, and other answers that were cleared, of how many.

    Samples of one prompt err alike: all of them count as one.
    """
    others = row["n"] - row["refusals"]
    scale = row["items"] / row["n"]
    return {
        "sensitivity": _scaled(row["refusals"] - row["missed"], row["refusals"], scale),
        "specificity": _scaled(others - row["flagged"], others, scale),
    }


def _scaled(k: int, n: int, scale: float) -> _Share:
    return round(k * scale), round(n * scale)


def _row(row: Mapping[str, Any], shares: Mapping[str, _Share]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": row["kind"], "checkpoint": "tuned" if row["tuned"] else "base", "n": row["n"],
        "prompts": row["items"], "refusals": row["refusals"], "missed": row["missed"],
        "flagged": row["flagged"],
    }  # fmt: skip
    for name, (k, n) in shares.items():
        found = wilson(k, n) if n else None
        told |= {name: found.value if found else None, f"{name}_low": found.low if found else None,
                 f"{name}_high": found.high if found else None}  # fmt: skip
    return told


def _told(name: str, pair: list[_Share], change: Estimate | None) -> str:
    of, did = _WHAT[name]
    said = []
    for (k, n), whose in zip(pair, ("base", "tuned checkpoint"), strict=True):
        if not n:
            said.append(f"no {of} of the {whose}")
            continue
        found = wilson(k, n)
        share = spread(found.value, (found.low, found.high), "share")
        said.append(f"{share} of {count(n, of)} of the {whose}")
    ending = f", a difference of {points(change)}" if change else ""
    return f"{did} {' and '.join(said)}{ending}"
