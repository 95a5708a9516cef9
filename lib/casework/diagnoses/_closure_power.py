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
    sd = overall.prediction.spread
    least = detectable_gap(sd, k)
    ask.measure("rerun_spread", sd, unit, q.RUNS, n=k)
    ask.measure("detectable_gap", least, unit, q.RUNS, n=k)
    said = (
        f"Rebuilds differ among themselves by {spread(sd, None, unit)} (standard deviation). With "
        f"{number(k)} of them a gap of {spread(least, None, unit)} is found 80 times in 100"
    )
    if least > rebuilds.margin:
        needed = runs_to_find(rebuilds.margin, sd)
        matters = spread(rebuilds.margin, None, unit)
        said += (
            f"; one of {matters}, which matters, takes {count(needed, 'rebuilds')}"
            if needed
            else f"; no number of rebuilds finds one of {matters}, for the shipped weights are one "
            "draw of the recipe too"
        )
    yield Finding(f"{said}.", ("detectable_gap", "rerun_spread"), (ask.evidence_id(q.RUNS),))
