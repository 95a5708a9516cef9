"""Whether fallen slices come back the more, the fewer of the rows in doubt a retrain keeps."""

import math
from dataclasses import dataclass
from typing import Any

from casework.case import Query
from casework.diagnoses import _debug_slices as q
from casework.diagnoses._debug_changes import Moves, ablations, names_set
from casework.diagnoses._debug_origins import Known
from casework.diagnoses._in_order import in_order
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.dose import FEWEST_DOSES, FEWEST_RUNS, dose_slope
from casework.stats.estimates import Estimate
from casework.words import count, number, share, spread

RETRAINED = Query(
    "retrained_fallen",
    f"""
    SELECT retrain, min(checkpoint) AS checkpoint, min(endpoint) AS endpoint, count(*) AS items,
           {in_order("avg", "back")} AS back
    FROM (SELECT coalesce(r.checkpoint, r.run_id) AS retrain, min(r.checkpoint) AS checkpoint,
                 min(r.endpoint) AS endpoint, {in_order("avg", "s.score")} - min(i.after) AS back
          FROM eval_samples AS s
          JOIN eval_runs AS r ON r.run_id = s.run_id
          JOIN scored_items AS i ON i.suite = r.suite AND i.item_id = s.item_id
          WHERE list_contains($runs_ablated, s.run_id)
            AND coalesce(s.condition, 'as_run') = 'as_run'
            AND s.score > -1e300 AND s.score < 1e300
            AND i.before IS NOT NULL AND i.after IS NOT NULL
            AND list_contains($fallen, r.suite || ': ' || coalesce(i.slice, ''))
          GROUP BY coalesce(r.checkpoint, r.run_id), r.suite, s.item_id)
    GROUP BY retrain ORDER BY retrain
    """,  # noqa: S608  the text is put together of constants
    "Score of each retrain over that after training, on the same items of the slices that fell, "
    "over epochs and runs.",
    uses=(q.SCORED,),
)


@dataclass(frozen=True, slots=True)
class Dose:
    """Retrains by the share of the rows in doubt that they keep.

    Attributes:
        made: all of them.
        retrains: those that name one share, and have items of a slice that fell.
        kept: the different shares of the rows in doubt that these keep, in order.
        slope: change of the score from none of these rows to all; None with too few retrains.
    """

    made: int
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
    if not moves.fallen or not moves.retrains:
        return None
    return Dose(moves.retrains, len(points), tuple(sorted({p["kept"] for p in points})), slope)


def dose_finding(ask: Inquiry, dose: Dose | None) -> tuple[Finding, ...]:
    """Say how the score follows what is kept."""
    if dose is None or dose.slope is None:
        return ()
    e = dose.slope
    sure = ""
    told = spread(e.value, (e.low, e.high), "score", signed=True)
    if math.isinf(e.high):
        told, sure = number(e.value), "; all lie on it, so that how sure it is, is not known"
    return (
        Finding(
            f"Over {count(dose.retrains, 'retrains')} that keep {share(dose.kept[0])} to "
            f"{share(dose.kept[-1])} of the rows in doubt, the line fitted to the score of the "
            f"slices that fell changes by {told} from none of these rows to all{sure}.",
            ("dose_slope", "doses"),
            (ask.evidence_id(RETRAINED),),
        ),
    )


def dose_limits(dose: Dose | None) -> tuple[str, ...]:
    """Say what is missing for a line, and which retrains are not on it."""
    if dose is None:
        return ()
    said = []
    if dose.slope is None:
        keep = "keeps" if dose.retrains == 1 else "keep"
        said.append(
            f"Whether the slices follow the dose is not known: {count(dose.retrains, 'retrains')} "
            f"{keep} {number(len(dose.kept))} different share"
            f"{'' if len(dose.kept) == 1 else 's'} of the rows in doubt, and {FEWEST_RUNS} with "
            f"{FEWEST_DOSES} are needed."
        )
    if dose.made > dose.retrains:
        said.append(
            f"{number(dose.made - dose.retrains)} of {count(dose.made, 'retrains')} have no dose: "
            "they name sets that keep different shares of the rows in doubt, or have no items of "
            "the slices that fell."
        )
    return tuple(said)


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
