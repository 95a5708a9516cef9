"""Whether an artifact can be built again from what is recorded, and whether rebuilds explain it.

## What it looks for
Each input of the artifact is pinned, floating, gone, unpinnable or unknown; the worst critical
link (training data, base checkpoint, code, hyperparameters) decides, whatever the weighted score.
The links of every artifact in use are followed, since the one that nobody can rebuild has no
rebuilds, and the one that fares worst is judged.
The shipped weights, scored again on the present harness, are set against at least five rebuilds:
outside the prediction interval, overall or in a segment, the recipe does not explain them.
Beside the verdict stand the items by segment, the gap that so many rebuilds can show, what of the
loss the harness took, and where each input belongs in SLSA provenance and Annex IV of the AI Act.
METHODS section 3.

## Why it matters
The weights are in the registry and the pipeline was a notebook. When the base model is retired,
the rebuild scores three points lower, most of it in the hardest segment, and months go into
looking for what nobody wrote down.

## What would rule it out
A rebuild from the record alone, by someone else, that lands inside the prediction interval overall
and in each segment; or another record that pins the missing link. Both are looked for in every run.

## Known false alarms
The same bits are not needed, the same scores are. A base that a provider hosts cannot be pinned by
anyone. A harness that drifted moves every score: so the old weights are scored again first. Data
erased for privacy are gone by law, with a digest that stays. A lineage entry whose digest does not
match is worse than none. Fewer than five rebuilds say little, and seeds alone may differ by as
much as the gap. Fewer than 299 items that are right or wrong cannot show that less than a point is
lost, even where none of them changed.
"""

from collections.abc import Mapping
from typing import Any

from casework.diagnoses import _closure as q
from casework.diagnoses._as_of import settle_now
from casework.diagnoses._closure_artifacts import Choice, choose
from casework.diagnoses._closure_charts import draw
from casework.diagnoses._closure_harness import by_harness
from casework.diagnoses._closure_items import by_items
from casework.diagnoses._closure_links import Chain, owners_there
from casework.diagnoses._closure_measures import measure
from casework.diagnoses._closure_others import measure_others
from casework.diagnoses._closure_power import by_power
from casework.diagnoses._closure_reruns import Rebuilds
from casework.diagnoses._closure_rivals import rivals_of
from casework.diagnoses._closure_standards import by_standards
from casework.diagnoses._closure_weighed import Weighed, weigh
from casework.diagnoses._closure_words import findings, headline, limits, remedies
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.findings import Finding, Missing, Primary
from casework.stats.prediction import FEWEST
from casework.tables import artifact_inputs, checkpoints, engagements, people, reruns

_LATEST = "9999-12-31 00:00:00+00"
"""Counts as now where the case tells of no instant: then all who ever left have left."""

_INPUTS = Missing("artifact_inputs", ("artifact", "kind"), "its inputs")


def judge(
    ask: Inquiry,
    *,
    artifact: str | None = None,
    margin: float | None = None,
    alpha: float = 0.05,
    as_of: str | None = None,
    seed: int = 0,
) -> Conclusion:
    """Walk the inputs of one artifact, then compare its rebuilds with it.

    Args:
        ask: the inquiry.
        artifact: the artifact; else the one with rebuilds that serves most, or has most inputs,
            unless another in use has a broken link and a worse verdict.
        margin: difference of scores that matters; else one point, or a tenth of a standard
            deviation where scores are no shares.
        alpha: level of the tests.
        as_of: the instant that counts as now, UTC; else the last that the case tells of.
        seed: of the bootstrap and of the perturbed weights.
    """
    choice = choose(ask, artifact, margin, alpha, seed)
    chosen = choice.row
    now = settle_now(ask, as_of, ask.one(q.NOW)["last"])
    found = weigh(ask, chosen["artifact"], margin, alpha, seed)
    chain, rebuilds, verdict = found.chain, found.rebuilds, found.verdict
    if not chain.links and not chosen["rebuilds"]:
        return _nothing(chosen["artifact"])
    owners = ask.ask(q.OWNERS, names=found.names, as_of=str(now or _LATEST))
    there = owners_there(owners, engaged=ask.case.filled("engagements"))
    measure(ask, chain, rebuilds, owners, there, seed)
    measure_others(ask, choice.others)
    draw(ask, chain, rebuilds)
    return Conclusion(
        verdict=verdict,
        headline=headline(verdict, chosen["artifact"], chain, rebuilds, alpha),
        wide=_is_wide(chosen, chain, rebuilds, owners, alpha),
        findings=_findings(ask, found, owners, choice, alpha, seed),
        rivals=rivals_of(chain, rebuilds, alpha),
        falsifier=found.falsifier,
        remedies=remedies(chain, rebuilds, there, alpha),
        limits=limits(ask, chain, rebuilds, choice, alpha),
        missing=_wanted(chain, rebuilds),
        primary=_primary(chain, rebuilds, alpha),
    )


def _findings(
    ask: Inquiry,
    found: Weighed,
    owners: list[dict[str, Any]],
    choice: Choice,
    alpha: float,
    seed: int,
) -> tuple[Finding, ...]:
    """What carries the verdict, and beside it items, what rebuilds can show, harness, records."""
    return (
        *findings(ask, found.chain, found.rebuilds, owners, choice, alpha),
        *by_items(ask, found.names, found.rebuilds, alpha, seed),
        *by_power(ask, found.rebuilds),
        *by_harness(ask, found.names, found.rebuilds, seed),
        *by_standards(ask, found.chain),
    )


def _is_wide(
    chosen: Mapping[str, Any],
    chain: Chain,
    rebuilds: Rebuilds,
    owners: list[dict[str, Any]],
    alpha: float,
) -> bool:
    """Whether it serves, and its base or an owner is gone, or rebuilds depart from it."""
    serves = bool(chosen["in_use"] or chosen["aliased"])
    gone = "base_checkpoint" in chain.broken or any(row["standing"] == "left" for row in owners)
    return serves and (gone or bool(rebuilds.departing(alpha)))


def _nothing(artifact: str) -> Conclusion:
    return Conclusion(
        "not_testable",
        f"Not testable. No inputs of {artifact} are on record: load artifact_inputs.",
        missing=(_INPUTS,),
    )


def _wanted(chain: Chain, rebuilds: Rebuilds) -> tuple[Missing, ...]:
    wanted = []
    if not chain.links and chain.kinds:
        wanted.append(_INPUTS)
    if chain.open and any(chain.worst[kind].state == "not tried" for kind in chain.open):
        why = "whether the pinned inputs can be fetched"
        columns = ("retrievable", "verified_at")
        wanted.append(Missing("artifact_inputs", columns, why, required=False))
    if rebuilds.scores and rebuilds.shipped is None:
        why = "the shipped weights, scored on the present harness"
        wanted.append(Missing("reruns", ("is_original",), why, required=False))
    return tuple(wanted)


def _primary(chain: Chain, rebuilds: Rebuilds, alpha: float) -> Primary | None:
    """The comparison with the rebuilds; where a link is broken the record is a census."""
    if chain.broken or not rebuilds.parts:
        return None
    parts = rebuilds.departing(alpha) or rebuilds.parts
    return Primary(min(part.p for part in parts), alpha)


reproducibility_closure = Diagnosis(
    name="reproducibility_closure",
    family="provenance gaps",
    claim="the artifact cannot be rebuilt from what is recorded, or its reruns do not explain it",
    doc=__doc__ or "",
    needs=(
        Need(artifact_inputs, ("artifact", "kind"), "what it was made from", unless=reruns),
        Need(reruns, ("artifact", "rerun_id", "score"),
             f"at least {FEWEST} rebuilds and the shipped weights, scored", required=False),
        Need(people, ("person",), "who could still rebuild it", required=False),
        Need(engagements, ("person", "object"), "who ran or changed the pipeline", required=False),
        Need(checkpoints, ("checkpoint", "base_checkpoint"), "what it was tuned from",
             required=False),
    ),
    judge=judge,
)  # fmt: skip
