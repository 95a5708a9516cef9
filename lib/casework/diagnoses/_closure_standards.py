"""Where each input belongs in the records that others ask for: SLSA provenance and Annex IV.

SLSA v1 provenance: `buildDefinition` with `buildType`, `externalParameters`, `internalParameters`
and `resolvedDependencies`; `runDetails` with `builder`, `metadata` and `byproducts`. Annex IV of
the EU AI Act (Regulation 2024/1689), point 2: (a) methods and steps of development, pre-trained
systems of others; (b) design choices and parameters; (c) architecture and computational resources;
(d) training data and their provenance; (g) validation and testing.
"""

from collections.abc import Iterator, Mapping

from casework.diagnoses import _closure as q
from casework.diagnoses._closure_links import Chain
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.closure import BROKEN
from casework.words import count, number

_DEPENDENCY = "buildDefinition.resolvedDependencies"
_PARAMETER = "buildDefinition.externalParameters"
_PLACES: Mapping[str, tuple[str, str]] = {
    "train_data": (_DEPENDENCY, "2(d)"),
    "base_checkpoint": (_DEPENDENCY, "2(a)"),
    "code": (_DEPENDENCY, "2(a)"),
    "hyperparameters": (_PARAMETER, "2(b)"),
    "environment": (_DEPENDENCY, "2(c)"),
    "tokenizer": (_DEPENDENCY, "2(a)"),
    "seed": (_PARAMETER, "2(b)"),
    "eval_data": ("not of the build", "2(g)"),
    "hardware": ("runDetails.builder", "2(c)"),
    "procedure": ("buildDefinition.buildType", "2(a)"),
}
"""Field of SLSA v1 provenance, and point of Annex IV, by kind of input."""


def by_standards(ask: Inquiry, chain: Chain) -> Iterator[Finding]:
    """Show which fields of those records the inputs on record can fill."""
    if not chain.links:
        return
    known = {row["kind"]: row for row in chain.rows()}
    rows = []
    for kind, (slsa, annex) in _PLACES.items():
        row = known.get(kind)
        held = row is not None and row["value"] >= BROKEN
        rows.append({"kind": kind, "state": row["state"] if row else "absent",
                     "slsa_v1": slsa, "annex_iv": annex, "can_be_filled": held})  # fmt: skip
    filled = sum(bool(row["can_be_filled"]) for row in rows)
    checked = sum(link.state == "pinned" for link in chain.links)
    n = len(chain.links)
    ask.measure("record_fields", rows, "table", q.INPUTS, n=len(rows))
    ask.measure("inputs_checked", checked / n, "share:inputs", q.INPUTS, n=n)
    yield Finding(
        f"{number(checked)} of {count(n, 'inputs')} on record are pinned, retrieved and checked by "
        f"digest. SLSA v1 provenance and Annex IV of the AI Act ask for {number(len(rows))} kinds "
        f"of input; the record can fill {number(filled)}. What is owed by law is not judged here.",
        ("inputs_checked", "record_fields"), (ask.evidence_id(q.INPUTS),),
    )  # fmt: skip
