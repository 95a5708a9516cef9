"""The items that leaked and the others over all runs of the suite, and since when items leaked.

Runs of the same items in which none stood in its own prompt stand for the models without the leak
that ConStat compares with (Dekoninck et al., NeurIPS 2024): what the leaked items gained against
them beyond what the clean ones did. A model that got better moves both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses._in_order import in_order
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_choice import RunSeen
from casework.diagnoses._leak_effect import Effect
from casework.diagnoses._leak_runs import Judged
from casework.diagnoses._leak_samples import Samples
from casework.findings import Break
from casework.stats.estimates import Estimate
from casework.stats.leakage import difference_in_differences

SCORES_BY_RUN = Query(
    "scores_by_run",
    f"""
    SELECT run_id, item_id IN (SELECT unnest($leaked)) AS leaked,
           count(*) AS items, {in_order("avg", "score")} AS mean_score
    FROM (SELECT run_id, item_id, {in_order("avg", "score")} AS score
          FROM eval_samples
          WHERE run_id IN (SELECT unnest($runs)) AND coalesce(condition, 'as_run') = 'as_run'
            AND input_text IS NOT NULL AND score IS NOT NULL
            AND item_id IN (SELECT unnest(list_concat($leaked, $clean)))
          GROUP BY run_id, item_id)
    GROUP BY 1, 2 ORDER BY 1, 2
    """,  # noqa: S608  the text is put together of constants
    "Score of the items that leaked in the judged run, and of those that did not, in each run as "
    "it is. Items of which the judged run does not tell are in neither.",
)

REFERENCE = Query(
    "reference_scores",
    f"""
    SELECT item_id, {in_order("avg", "score")} AS score
    FROM (SELECT run_id, item_id, {in_order("avg", "score")} AS score
          FROM eval_samples
          WHERE run_id IN (SELECT unnest($runs)) AND coalesce(condition, 'as_run') = 'as_run'
            AND input_text IS NOT NULL AND score IS NOT NULL
          GROUP BY run_id, item_id)
    GROUP BY item_id ORDER BY item_id
    """,  # noqa: S608
    "Mean score of each item over the runs in which none stood in its own prompt.",
)


@dataclass(frozen=True, slots=True)
class History:
    """What the other runs of the suite tell.

    Attributes:
        rows: the runs of the same items in the order of time, each with the scores of both groups.
        reference: runs in which no item stood in its own prompt, of all of them.
        gained: how much more the leaked items gained against the reference than the clean ones.
    """

    rows: tuple[dict[str, Any], ...]
    reference: tuple[str, ...]
    gained: Estimate | None


def history_of(
    ask: Inquiry, judged: Judged, runs: Sequence[RunSeen], samples: Samples, effect: Effect,
    seed: int,
) -> History | None:  # fmt: skip
    """Compare the runs of the same items; None where nothing leaked, or there is no other run."""
    own = judged.run["run_id"]
    asked_as = next((run.asked_as for run in runs if run.run["run_id"] == own), "")
    same = [run for run in runs if asked_as and run.asked_as == asked_as]
    if not effect.leaked.any() or len(same) < 2:
        return None
    leaked, clean = (
        [samples.ids[place] for place in np.flatnonzero(flags).tolist()]
        for flags in (effect.leaked, effect.clean)
    )
    names = sorted(run.run["run_id"] for run in same)
    told = ask.ask(SCORES_BY_RUN, runs=names, leaked=leaked, clean=clean)
    scores = {(row["run_id"], row["leaked"]): row["mean_score"] for row in told}
    rows = tuple(
        {"run_id": run.run["run_id"], "started_at": run.run["started_at"],
         "checkpoint": run.run["checkpoint"], "in_prompt": run.leaked,
         "leaked": scores.get((run.run["run_id"], True)),
         "clean": scores.get((run.run["run_id"], False))}
        for run in same
    )  # fmt: skip
    reference = sorted(run.run["run_id"] for run in same if _is_free(run))
    return History(rows, tuple(reference), _gained(ask, samples, effect, reference, seed))


def since(runs: Sequence[RunSeen]) -> tuple[Break, ...]:
    """When items came into their own prompts: by the first run with them, after one without.

    That is the last run of the same items before it. Runs without an instant, and a first run of
    its items that leaks already, place nothing.
    """
    timed = [run for run in runs if run.run["started_at"] is not None]
    place = next((place for place, run in enumerate(timed) if run.leaked), 0)
    before = [run for run in timed[:place] if run.asked_as == timed[place].asked_as != ""]
    if not before or not _is_free(before[-1]):
        return ()
    what = "items of the suite came into their own prompts"
    return (Break(_at(before[-1]), _at(timed[place]), what),)


def _is_free(run: RunSeen) -> bool:
    """Whether every item of a run is known not to have stood in its own prompt."""
    return not run.leaked and bool(run.known) and run.known == run.run["items"]


def _at(run: RunSeen) -> datetime:
    at: datetime = run.run["started_at"]
    return at


def _gained(
    ask: Inquiry, samples: Samples, effect: Effect, reference: Sequence[str], seed: int
) -> Estimate | None:
    if not reference:
        return None
    table = ask.case.arrow(REFERENCE, runs=list(reference))
    known = dict(zip(table["item_id"].to_pylist(), table["score"].to_pylist(), strict=True))
    before = np.array([known.get(name, np.nan) for name in samples.ids], float)
    change = effect.scores["as_run"] - before
    told = np.isfinite(change)
    leaked, clean = change[told & effect.leaked], change[told & effect.clean]
    if not len(leaked) or not len(clean):
        return None
    return difference_in_differences(leaked, clean, seed)
