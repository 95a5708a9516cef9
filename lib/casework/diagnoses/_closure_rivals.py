"""What else would explain what `reproducibility_closure` finds, and what would prove it wrong."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casework.diagnoses._closure_links import Chain
from casework.diagnoses._closure_reruns import Rebuilds
from casework.findings import Falsifier, Outcome, Rival
from casework.stats.closure import BROKEN
from casework.stats.prediction import FEWEST
from casework.words import count, number, spread


def rivals_of(chain: Chain, rebuilds: Rebuilds, alpha: float) -> tuple[Rival, ...]:
    """Other explanations of a broken record or of a gap."""
    return (*_of_links(chain, rebuilds, alpha), *_of_rebuilds(rebuilds, alpha))


def _of_links(chain: Chain, rebuilds: Rebuilds, alpha: float) -> Iterator[Rival]:
    if chain.kinds:
        yield Rival(
            "The export of inputs does not hold such kinds, not the record",
            "the kinds of the broken links among those on record for any artifact",
            "not_excluded" if chain.unlisted or not chain.links else "excluded",
            f"on record are {', '.join(sorted(chain.kinds))}"
            + ("" if chain.links else ", and none of them for this one"),
        )
    hosted = [link for link in chain.links if link.state == "unpinnable"]
    yield Rival(
        "The base is hosted by a provider and nobody can pin it",
        "addresses of base and tokenizer that name a provider",
        "not_excluded" if hosted and not chain.broken else "excluded",
        f"{count(len(hosted), 'inputs')} of this kind; they count as unpinnable, not as absent",
    )
    erased = chain.erased
    yield Rival(
        "The data were erased for privacy, as the law asks",
        "inputs that are gone, with a digest and a note of the erasure",
        "not_excluded" if erased else "excluded",
        f"{', '.join(erased)} rest on such an erasure"
        if erased
        else "no critical link rests on such an erasure",
    )
    outcome, why = _of_function(rebuilds, alpha)
    yield Rival(
        "The bits differ and the function does not",
        f"the shipped weights among at least {FEWEST} rebuilds, overall and in each segment",
        outcome,
        why,
    )


def _of_function(rebuilds: Rebuilds, alpha: float) -> tuple[Outcome, str]:
    """Whether the rebuilds do what the shipped weights do."""
    if not rebuilds.parts:
        return "not_testable", f"{rebuilds.told} on record"
    if rebuilds.shipped is None:
        return "not_testable", "the shipped weights were not scored again"
    if rebuilds.reproduce(alpha):
        return "not_excluded", "the rebuilds score as the shipped weights do"
    if rebuilds.unsettled(alpha):
        return (
            "not_excluded",
            "the shipped weights lie among the rebuilds; equivalence is not shown",
        )
    return "excluded", "the rebuilds do not cover the shipped weights"


def _of_rebuilds(rebuilds: Rebuilds, alpha: float) -> Iterator[Rival]:
    outcome, why = _of_harness(rebuilds)
    yield Rival(
        "The harness drifted, and no longer scores as it did",
        "the shipped weights scored again on the present harness, before any comparison",
        outcome,
        why,
    )
    overall, departing = rebuilds.overall, rebuilds.departing(alpha)
    if rebuilds.few:
        why = f"{rebuilds.told}; {FEWEST} of different seeds are needed to know how far they spread"
    elif overall is None:
        why = "no score of the shipped weights to compare with"
    else:
        ends = overall.prediction.interval.low, overall.prediction.interval.high
        low, high = (spread(end, None, "share" if rebuilds.is_share else "score") for end in ends)
        why = f"one more rebuild falls between {low} and {high}"
    yield Rival(
        "Seeds alone differ by as much",
        "the prediction interval of one more rebuild",
        "not_testable" if overall is None else "excluded" if departing else "not_excluded",
        why,
    )


def _of_harness(rebuilds: Rebuilds) -> tuple[Outcome, str]:
    """Whether a harness that drifted may be the gap."""
    shift = spread(rebuilds.shift, None, "points" if rebuilds.is_share else "score")
    if rebuilds.shipped is None:
        if not rebuilds.drifted:
            return "not_testable", "the shipped weights were not scored again beside the rebuilds"
        return "not_excluded", f"the same weights shifted by {shift} from one eval run to a later"
    if rebuilds.shift is None:
        is_other = any(noted.is_other for noted in rebuilds.record.unlike)
        of = "was measured on other weights" if is_other else "is not on record in their unit"
        return "excluded", f"both were scored on one harness; the score at shipping {of}"
    if not rebuilds.drifted:
        return "excluded", "the same weights score as they did at shipping"
    return "excluded", f"the same weights shifted by {shift}; the gap is measured after that"


def falsify(
    chain: Chain, rebuilds: Rebuilds, found: Sequence[Mapping[str, Any]], alpha: float
) -> Falsifier:
    """Look for a rebuild that lands, and for another record of each missing link."""
    settled = [kind for kind in chain.broken if _is_held(chain, kind, found)]
    same = rebuilds.reproduce(alpha)
    if rebuilds.few:
        landed = f"{rebuilds.told} on record, too few to tell"
    elif rebuilds.shipped is None:
        landed = "the shipped weights were not scored again, so no rebuild can be said to land"
    elif same:
        landed = "the rebuilds land, overall and in each segment"
    elif rebuilds.unsettled(alpha):
        landed = "the shipped weights lie among the rebuilds, which do not show equivalence"
    else:
        landed = "the rebuilds do not land overall and in each segment"
    broken = bool(chain.broken)
    return Falsifier(
        "A rebuild from the record alone, by someone else, that lands inside the prediction "
        "interval overall and in each segment; or another record that holds the missing link",
        ran=broken or bool(rebuilds.parts),
        outcome=f"{landed}; {number(len(settled))} of "
        f"{count(len(chain.broken), 'broken links')} held by another record",
        falsified=same or (broken and len(settled) == len(chain.broken)),
    )


def _is_held(chain: Chain, kind: str, found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether other records hold all that is broken of a kind; a wrong digest stays wrong."""
    held = {row["found"] for row in found if row["kind"] == kind}
    broken = [link for link in chain.links if link.kind == kind and link.value < BROKEN]
    if any(link.state == "mismatched" for link in broken):
        return False
    # a checkpoint names its base by digest, whatever the record of inputs calls it
    named = kind == "base_checkpoint" or all(held & {link.uri, link.digest} for link in broken)
    return bool(held) and named
