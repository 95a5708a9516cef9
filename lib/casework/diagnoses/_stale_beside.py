"""What stands beside the verdict: lags, replacement, prompts as rendered, and harm in words."""

from collections.abc import Iterator
from typing import Any

from casework.diagnoses import _stale_harm as h
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_lags import by_lags
from casework.diagnoses._stale_measures import Blind
from casework.diagnoses._stale_rendered import by_rendered
from casework.diagnoses._stale_replaced import by_replacement
from casework.diagnoses._stale_signal import Change
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.words import count, number, share, spread


def beside(
    ask: Inquiry, blind: Blind, change: Change | None, known: dict[str, Any]
) -> Iterator[Finding]:
    """State what the verdict does not rest on and an investigator asks next."""
    yield from by_lags(ask, blind, known)
    if blind.worst is None:
        return
    worst = {**known, "config": blind.worst["config"]}
    yield from by_replacement(ask, blind, worst)
    yield from by_rendered(ask, worst)
    if change is not None and change.estimate is not None:
        yield _harm(ask, blind.worst, change, change.estimate)
    if "complaint_rate" in ask.measures:
        yield _complaints(ask)


def unseen(ask: Inquiry, blind: Blind) -> Iterator[str]:
    """Say what would tell whether the runs moved with a label, and is not on record."""
    if blind.worst is None or blind.grade == "rendered_hash":
        return
    if not {"prompts_unmoved", "prompts_unmoved_when_scored"} & ask.measures.keys():
        yield (
            "No item has its prompt on record as rendered in runs before and after the beginning, "
            "so whether their text moved with the label was not seen."
        )


def _harm(ask: Inquiry, config: dict[str, Any], change: Change, found: Estimate) -> Finding:
    """The loss a request times the requests, with the error of both."""
    by = h.PAIRS if change.how == "pairs" else h.COMPARED
    exposed = (config["blind_least"], config["blind_most"] + config["doubtful"])
    ends = [-change_of * requests for change_of in (found.low, found.high) for requests in exposed]
    ask.measure("harm_bounds", [min(ends), max(ends)], "score lost over the blind requests", by,
                n=config["blind"])  # fmt: skip
    loss = ask.measures["harm"]
    is_off = config["blind_least"] != config["blind"] or config["blind_most"] != config["blind"]
    doubts = ["the error of the clocks"] * is_off + ["the runs in doubt"] * bool(config["doubtful"])
    within = f"{number(min(ends))} to {number(max(ends))}"
    doubt = f"; with {' and '.join(doubts)} too, {within}" if doubts else ""
    is_count = change.p is not None  # right or wrong, item by item
    return Finding(
        f"Over the {count(config['blind'], 'requests')} that met it unscored the change comes to a "
        f"loss of {spread(loss.value, loss.ci95, 'right answers' if is_count else 'score')}"
        f"{'' if is_count else ' in the unit of the score'}, if the suite stands for what "
        f"customers asked{doubt}.",
        ("harm", "harm_bounds", "score_change"),
        (ask.evidence_id(by),),
    )


def _complaints(ask: Inquiry) -> Finding:
    """How many of those who met it wrote; that none did bounds the share from above."""
    rate = ask.measures["complaint_rate"]
    low, high = rate.ci95 or (0.0, 1.0)
    wrote = round(rate.value * (rate.n or 0))
    bound = (
        f"the share that it moved to write is below {share(high)} (one-sided, 95 %)"
        if not wrote
        else f"{spread(rate.value, (low, high), 'share')}, whatever they wrote about"
    )
    return Finding(
        f"{number(wrote)} of {count(rate.n or 0, 'accounts')} that met it unscored wrote a ticket "
        f"after it began: {bound}.",
        ("complaint_rate",),
        (ask.evidence_id(h.COMPLAINTS),),
    )
