"""What is said of the artifacts in use beside the one that is judged."""

from collections.abc import Iterator, Sequence

from casework.diagnoses._closure_artifacts import OTHER_INPUTS
from casework.diagnoses._closure_links import STATES
from casework.diagnoses._closure_weighed import Weighed
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.visible import shorten
from casework.words import count, number

_MOST = 3


def measure_others(ask: Inquiry, weighed: Sequence[Weighed]) -> None:
    """Count the other artifacts in use of which a critical link is broken."""
    others = _recorded(weighed)
    if not others:
        return
    ask.ask(OTHER_INPUTS, names=[name for one in others for name in one.names])
    ask.measure("others_broken", len(_broken(others)), "count:artifacts", OTHER_INPUTS,
                n=len(others))  # fmt: skip


def of_others(ask: Inquiry, weighed: Sequence[Weighed]) -> Iterator[Finding]:
    """Name them."""
    others = _recorded(weighed)
    if not others:
        return
    broken = _broken(others)
    named = "; ".join(_said(one) for one in broken[:_MOST])
    more = f" and {number(len(broken) - _MOST)} more" if len(broken) > _MOST else ""
    how = f"links of {number(len(broken))} are broken: {named}{more}" if broken else (
        "no link is broken")  # fmt: skip
    yield Finding(
        f"{count(len(others), 'other artifacts')} in use, critical links followed: {how}.",
        ("others_broken",),
        (ask.evidence_id(OTHER_INPUTS),),
    )


def _recorded(others: Sequence[Weighed]) -> list[Weighed]:
    return [one for one in others if one.chain.links]


def _broken(others: Sequence[Weighed]) -> list[Weighed]:
    return [one for one in others if one.chain.broken]


def _said(one: Weighed) -> str:
    worst = one.chain.worst
    links = (
        f"{kind.replace('_', ' ')} {STATES[worst[kind].state if kind in worst else 'absent'][1]}"
        for kind in one.chain.broken
    )
    held = ", held by another record" if one.falsifier.falsified else ""
    return f"{shorten(one.artifact, 20)}, {', '.join(links)}{held}"
