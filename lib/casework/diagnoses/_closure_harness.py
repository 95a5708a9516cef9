"""How much of what was lost since shipping is the harness, and how much the recipe."""

from collections.abc import Iterator, Sequence

from casework.case import Query
from casework.diagnoses import _closure as q
from casework.diagnoses._closure_record import REPORTED, Noted
from casework.diagnoses._closure_reruns import Rebuilds
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.stats.prediction import mean_difference
from casework.words import count, spread

SHIFTED_ITEMS = Query(
    "shifted_items",
    """
    SELECT round(a.score - b.score, 6) AS difference, count(*) AS items
    FROM (SELECT item_id, avg(score) AS score FROM reruns
          WHERE list_contains($names, artifact) AND is_original AND item_id IS NOT NULL
          GROUP BY item_id) AS a
    JOIN (SELECT item_id, avg(score) AS score FROM eval_samples
          WHERE run_id = $run AND score IS NOT NULL
            AND (condition IS NULL OR condition IN ('as_run', 'replay'))
          GROUP BY item_id) AS b
      ON b.item_id = a.item_id
    GROUP BY round(a.score - b.score, 6) ORDER BY difference
    """,
    "Items by how much the same weights score otherwise on them now than at shipping.",
)


def by_harness(
    ask: Inquiry, names: Sequence[str], rebuilds: Rebuilds, seed: int
) -> Iterator[Finding]:
    """Split the change since shipping; the same weights on both harnesses are the control."""
    then = rebuilds.record.reported
    if rebuilds.shipped is None or then is None or not rebuilds.scores:
        return
    unit = "points" if rebuilds.is_share else "score"
    mean = sum(rebuilds.scores) / len(rebuilds.scores)
    gap = mean - rebuilds.shipped
    whole = gap + (rebuilds.shift or 0.0)
    ask.measure("gap_since_shipping", whole, unit, q.RUNS, n=len(rebuilds.scores))
    evidence = [ask.evidence_id(q.RUNS), ask.evidence_id(REPORTED)]
    items = _on_items(ask, names, then, seed)
    if items is not None:
        ask.estimate("harness_shift_paired", items, unit, SHIFTED_ITEMS)
        evidence.append(ask.evidence_id(SHIFTED_ITEMS))
    elif not rebuilds.drifted:
        return
    moved, recipe, change = (spread(value, None, unit) for value in (rebuilds.shift, gap, whole))
    yield Finding(
        f"From the score at shipping to the mean of the rebuilds: {change}, of which {moved} with "
        f"the harness, by the same weights, and {recipe} with the recipe, on one harness. "
        f"{_of_items(items, unit)}",
        tuple(name for name in ("gap_since_shipping", "harness_shift", "harness_shift_paired",
                                "rerun_gap") if name in ask.measures),
        tuple(evidence),
    )  # fmt: skip


def _on_items(ask: Inquiry, names: Sequence[str], then: Noted, seed: int) -> Estimate | None:
    """How the same weights moved on the items of the run at shipping; None without such items."""
    run = ask.one(REPORTED, names=names)["run_id"]
    if run is None or then.written != then.score:
        return None
    cells = ask.ask(SHIFTED_ITEMS, names=names, run=run)
    return mean_difference(
        [cell["difference"] for cell in cells], [cell["items"] for cell in cells], seed=seed
    )


def _of_items(items: Estimate | None, unit: str) -> str:
    if items is None:
        return "The items of the run at shipping are not on record: that shift has no interval."
    moved = spread(items.value, (items.low, items.high), unit, signed=True)
    return f"On {count(items.n, 'items')} scored both times the same weights moved by {moved}."
