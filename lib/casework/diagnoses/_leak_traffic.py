"""Leaked questions that customers ask too, and the effect of the leak with and without them."""

from dataclasses import dataclass

import numpy as np

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_effect import Effect, span_of
from casework.diagnoses._leak_runs import LEFT_OUT, Judged
from casework.diagnoses._leak_samples import Samples
from casework.stats.estimates import Estimate
from casework.stats.leakage import Drop, paired_drop, weighted_drop
from casework.stats.tokens import Places

_AGAIN = 2
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Traffic:
    """What customers ask of the leaked questions, word for word.

    Attributes:
        requests: for each item how many requests ask it; those of items that did not leak are 0.
        rest: the effect over leaked items that customers do not ask again and again.
        weighted: the effect with each leaked item as often as requests ask it; None below five
            items that are asked.
    """

    requests: Places
    rest: Drop | None
    weighted: Estimate | None

    @property
    def recurring(self) -> int:
        """Items that are asked twice at least."""
        return int((self.requests >= _AGAIN).sum())


def traffic_of(
    ask: Inquiry, judged: Judged, samples: Samples, effect: Effect, seed: int
) -> Traffic | None:
    """Count the requests that ask what leaked; None where no item did, or requests have no text."""
    if not effect.leaked.any() or not ask.case.filled("requests", ("input_text",)):
        return None
    leaked = [samples.ids[place] for place in np.flatnonzero(effect.leaked).tolist()]
    asked = {row["item_id"]: row["requests"]
             for row in ask.ask(q.RECURRING, **judged.params, leaked=leaked)}  # fmt: skip
    requests = np.array([asked.get(name, 0) for name in samples.ids], np.int64)
    if LEFT_OUT not in effect.scores:
        return Traffic(requests, None, None)
    before, after = effect.scores["as_run"], effect.scores[LEFT_OUT]
    both = effect.leaked & np.isfinite(before) & np.isfinite(after)
    span = span_of(effect.scores)
    rest, some = both & (requests < _AGAIN), both & (requests > 0)
    return Traffic(
        requests,
        paired_drop(before[rest], after[rest], seed, span) if rest.any() else None,
        weighted_drop(before[some], after[some], requests[some], seed, span)
        if some.sum() >= _FEWEST else None,
    )  # fmt: skip
