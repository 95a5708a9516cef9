"""Whether fallen slices come back the more, the fewer of the rows in doubt a retrain keeps."""

from dataclasses import dataclass
from typing import Any

from casework.case import Query
from casework.diagnoses import _debug_slices as q
from casework.diagnoses._debug_changes import Moves, ablations, names_set
from casework.diagnoses._debug_origins import Known
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.dose import FEWEST_DOSES, FEWEST_RUNS, dose_slope
from casework.stats.estimates import Estimate
from casework.words import count, number, share, spread

RETRAINED = Query(
    "retrained_fallen",
    """
    SELECT coalesce(r.checkpoint, r.run_id) AS retrain, min(r.checkpoint) AS checkpoint,
           min(r.endpoint) AS endpoint, count(*) AS items, avg(s.score - i.after) AS back
    FROM eval_samples AS s
    JOIN eval_runs AS r ON r.run_id = s.run_id
    JOIN scored_items AS i ON i.suite = r.suite AND i.item_id = s.item_id
    WHERE list_contains($runs_ablated, s.run_id) AND coalesce(s.condition, 'as_run') = 'as_run'
      AND s.score > -1e300 AND s.score < 1e300 AND i.before IS NOT NULL AND i.after IS NOT NULL
      AND list_contains($fallen, r.suite || ': ' || coalesce(i.slice, ''))
    GROUP BY coalesce(r.checkpoint, r.run_id) ORDER BY retrain
    """,
    "Score of each retrain over that after training, on the same items of the slices that fell.",
    uses=(q.SCORED,),
)


@dataclass(frozen=True, slots=True)
class Dose:
    """Retrains by the share of the rows in doubt that they keep.

    Attributes:
        retrains: those with items of a slice that fell.
        kept: the different shares of the rows in doubt that they keep, in order.
        slope: change of the score from none of these rows to all; None with too few retrains.
    """

    retrains: int
    kept: tuple[float, ...]
    slope: Estimate | None


def respond(ask: Inquiry, known: Known, moves: Moves) -> Dose | None:
    """Fit the score of the fallen slices over what the retrains keep, and record it.

    The checkpoint that fell is not among the points: its slices were picked because it fell.

    Returns:
        None where no slice fell or nothing was trained again.
    """
    points: list[dict[str, Any]] = []
    if moves.fallen and moves.retrains:
        rows = ask.ask(RETRAINED, **moves.runs, fallen=[s.key for s in moves.fallen])
        points = _points(ask, known, rows)
    by = RETRAINED if points else q.RUNS
    slope = dose_slope([p["kept"] for p in points], [p["back"] for p in points])
    ask.estimate("dose_slope", slope, "score", by)
    ask.measure("doses", points or None, "table", by, n=len(points))
    if not points:
        return None
    return Dose(len(points), tuple(sorted({p["kept"] for p in points})), slope)


def dose_finding(ask: Inquiry, dose: Dose | None) -> tuple[Finding, ...]:
    """Say how the score follows what is kept."""
    if dose is None or dose.slope is None:
        return ()
    e = dose.slope
    return (
        Finding(
            f"Over {count(dose.retrains, 'retrains')} that keep {share(dose.kept[0])} to "
            f"{share(dose.kept[-1])} of the rows in doubt, the score of the slices that fell "
            f"changes by {spread(e.value, (e.low, e.high), 'score', signed=True)} from none of "
            "these rows to all.",
            ("dose_slope", "doses"),
            (ask.evidence_id(RETRAINED),),
        ),
    )


def dose_limits(dose: Dose | None) -> tuple[str, ...]:
    """Say what is missing for a line."""
    if dose is None or dose.slope:
        return ()
    return (
        f"Whether the slices follow the dose is not known: {count(dose.retrains, 'retrains')} keep "
        f"{number(len(dose.kept))} different share{'' if len(dose.kept) == 1 else 's'} of the rows "
        f"in doubt, and {FEWEST_RUNS} with {FEWEST_DOSES} are needed.",
    )


def _points(ask: Inquiry, known: Known, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each retrain with the share of the rows in doubt that its set keeps."""
    kept = {row["dataset"]: row["kept_in_doubt"] / row["in_doubt"]
            for row in ask.ask(q.SUBSETS, **known) if ablations([row])}  # fmt: skip
    found = []
    for row in rows:
        named = {i["uri"] for i in ask.ask(q.TRAINED)
                 if i["artifact"] in (row["checkpoint"], row["endpoint"])}  # fmt: skip
        shares = {kept[name] for name in kept if any(names_set(uri, name) for uri in named)}
        if len(shares) == 1:
            found.append({"retrain": row["retrain"], "kept": shares.pop(), "back": row["back"],
                          "items": row["items"]})  # fmt: skip
    return found
