"""How much of what was lost since shipping is the harness, and how much the recipe."""

from collections.abc import Iterator, Sequence

from casework.case import Query
from casework.diagnoses import _closure as q
from casework.diagnoses._closure_record import REPORTED
from casework.diagnoses._closure_reruns import Rebuilds
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate
from casework.stats.prediction import mean_difference
from casework.words import count, spread

AT_SHIPPING = Query(
    "at_shipping",
    """
    SELECT count(DISTINCT item_id) AS items, bool_and(score BETWEEN 0 AND 1) AS is_share
    FROM eval_samples
    WHERE run_id = $run AND score IS NOT NULL
      AND (condition IS NULL OR condition IN ('as_run', 'replay'))
    """,
    "Items of the eval run at shipping, and whether their scores lie between 0 and 1.",
)

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
    if not rebuilds.unmatched:
        whole = gap + (rebuilds.shift or 0.0)
        ask.measure("gap_since_shipping", whole, unit, q.RUNS, n=len(rebuilds.scores))
    scored = (q.RUNS, q.CONTROL) if rebuilds.unmatched else (q.RUNS,)
    evidence = [ask.evidence_id(query) for query in (*scored, REPORTED)]
    items, without = _on_items(ask, names, rebuilds, seed)
    if items is not None:
        ask.estimate("harness_shift_paired", items, unit, SHIFTED_ITEMS)
        evidence.append(ask.evidence_id(SHIFTED_ITEMS))
        moved = spread(items.value, (items.low, items.high), unit, signed=True)
        told = f"On {count(items.n, 'items')} scored both times the same weights moved by {moved}."
    elif rebuilds.drifted:
        told = f"{without}: that shift has no interval."
    else:
        return
    yield Finding(
        f"{_split(rebuilds, gap, unit)} {told}",
        tuple(name for name in ("gap_since_shipping", "harness_shift", "harness_shift_paired",
                                "rerun_gap") if name in ask.measures),
        tuple(evidence),
    )  # fmt: skip


def _split(rebuilds: Rebuilds, gap: float, unit: str) -> str:
    """Say what of the change is the harness and what the recipe, where both are of one item set."""
    shift = spread(rebuilds.shift, None, unit)
    if rebuilds.unmatched:
        return (
            f"Since shipping the same weights moved by {shift}; what the recipe lost is not added "
            f"to that, as no rebuild was scored on {count(rebuilds.unmatched, 'items')} of theirs."
        )
    recipe, change = (spread(value, None, unit) for value in (gap, gap + (rebuilds.shift or 0.0)))
    return (
        f"From the score at shipping to the mean of the rebuilds: {change}, of which {shift} with "
        f"the harness, by the same weights, and {recipe} with the recipe, on one harness."
    )


def _on_items(
    ask: Inquiry, names: Sequence[str], rebuilds: Rebuilds, seed: int
) -> tuple[Estimate | None, str]:
    """How the same weights moved on the items of the run at shipping, or why it is not known."""
    run = ask.one(REPORTED, names=names)["run_id"]
    then = ask.one(AT_SHIPPING, run=run) if run is not None else {"items": 0}
    if not then["items"]:
        return None, "The items of the run at shipping are not on record"
    if then["is_share"] != rebuilds.is_share:
        return None, "The items of the run at shipping are in another unit"
    cells = ask.ask(SHIFTED_ITEMS, names=names, run=run)
    found = mean_difference(
        [cell["difference"] for cell in cells], [cell["items"] for cell in cells], seed=seed,
        size=rebuilds.size,
    )  # fmt: skip
    return found, "Fewer than two items of the run at shipping were scored again"
