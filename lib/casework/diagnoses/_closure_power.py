"""How large a gap the rebuilds can show at all."""

from collections.abc import Iterator

from casework.diagnoses import _closure as q
from casework.diagnoses._closure_reruns import Rebuilds
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.prediction import detectable_gap, runs_to_find
from casework.words import count, number, spread


def by_power(ask: Inquiry, rebuilds: Rebuilds) -> Iterator[Finding]:
    """Say which gap so many rebuilds find, and how many would find one that matters."""
    overall, k = rebuilds.overall, len(rebuilds.scores)
    if overall is None or not overall.prediction.spread:
        return
    unit = "points" if rebuilds.is_share else "score"
    seen, sd = overall.prediction.seen, overall.prediction.spread
    least = detectable_gap(sd, k)
    ask.measure("rerun_spread", sd, unit, q.RUNS, n=k)
    ask.measure("rerun_spread_seen", seen, unit, q.RUNS, n=k)
    ask.measure("detectable_gap", least, unit, q.RUNS, n=k)
    of_items = ""
    if sd > seen:
        of_items = f"; by their items it may be {spread(sd, None, unit)}, which counts"
    matters = spread(rebuilds.margin, None, unit)
    said = (
        f"Rebuilds differ among themselves by {spread(seen, None, unit)} (standard deviation)"
        f"{of_items}. With {number(k)} of them a gap of {spread(least, None, unit)} lies outside "
        "the prediction interval 80 times in 100, and one of "
        f"{spread(least + rebuilds.margin, None, unit)} by {matters} or more"
    )
    if least > rebuilds.margin:
        needed = runs_to_find(rebuilds.margin, sd)
        said += (
            f"; a gap of {matters}, which matters, takes {count(needed, 'rebuilds')}"
            if needed
            else f"; no number of rebuilds finds one of {matters}, for the shipped weights are one "
            "draw of the recipe too"
        )
    yield Finding(
        f"{said}.",
        ("detectable_gap", "rerun_spread", "rerun_spread_seen"),
        (ask.evidence_id(q.RUNS),),
    )
