"""One artifact weighed: its links, its rebuilds, and the verdict that follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass

from casework.diagnoses import _closure as q
from casework.diagnoses._closure_links import Chain, chain_of
from casework.diagnoses._closure_reruns import Rebuilds, compare
from casework.diagnoses._closure_rivals import falsify
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Falsifier, Verdict


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is known of one artifact. `names` are all those under which it is on record."""

    artifact: str
    names: Sequence[str]
    chain: Chain
    rebuilds: Rebuilds
    falsifier: Falsifier
    verdict: Verdict


def weigh(ask: Inquiry, artifact: str, margin: float | None, alpha: float, seed: int) -> Weighed:
    """Follow the links of an artifact and compare its rebuilds with it."""
    names = [row["name"] for row in ask.ask(q.NAMES, artifact=artifact)]
    chain = chain_of(ask, names)
    rebuilds = compare(ask, names, margin, seed)
    falsifier = falsify(chain, rebuilds, ask.ask(q.ELSEWHERE, names=names), alpha)
    verdict = _verdict(chain, rebuilds, falsifier, alpha)
    return Weighed(artifact, names, chain, rebuilds, falsifier, verdict)


def _verdict(chain: Chain, rebuilds: Rebuilds, falsifier: Falsifier, alpha: float) -> Verdict:
    """The worst critical link first, then what the rebuilds say."""
    departs = bool(rebuilds.departing(alpha))
    if chain.broken:
        if falsifier.falsified:
            return "inconclusive"
        departs_now = departs and rebuilds.shipped is not None
        doubted = (chain.unlisted and not departs_now) or rebuilds.unsettled(alpha)
        return "supported" if doubted else "confirmed"
    if departs:
        return "confirmed" if rebuilds.shipped is not None else "supported"
    if chain.erased:
        return "inconclusive" if rebuilds.reproduce(alpha) else "supported"
    if rebuilds.scores and not rebuilds.parts:
        return _of_few(rebuilds)
    if not rebuilds.scores:
        return "inconclusive" if not chain.links or chain.open else "clean"
    return "clean" if chain.links and rebuilds.reproduce(alpha) else "inconclusive"


def _of_few(rebuilds: Rebuilds) -> Verdict:
    """Fewer than five rebuilds: the items may show a difference, the seeds stay unknown."""
    paired, margin = rebuilds.paired, rebuilds.margin
    if paired is not None and (paired.low > margin or paired.high < -margin):
        return "supported"
    return "inconclusive"
