"""The score along the similarity of an item to its own prompt: what is flagged, and the trend."""

from dataclasses import dataclass

import numpy as np

from casework.diagnoses._leak_effect import Effect, Floats
from casework.diagnoses._leak_prompts import InPrompt
from casework.diagnoses._leak_runs import AS_RUN, LEFT_OUT
from casework.stats.estimates import Estimate
from casework.stats.leakage import adjusted_score
from casework.stats.score_trend import ScoreTrend, score_trend

PRESET = 0.8
_SWEEP = tuple(round(0.3 + 0.1 * step, 1) for step in range(8))


@dataclass(frozen=True, slots=True)
class Flagged:
    """Items flagged from a threshold of their similarity on, and what they add to the score."""

    threshold: float
    items: int
    share: float
    gain: Estimate


@dataclass(frozen=True, slots=True)
class Along:
    """The score of the items along the share of their shingles in their own prompts.

    Attributes:
        similarity: of each item that has a score and a prompt. What stands there and is no
            example counts as nothing.
        scores: by condition, of the same items; NaN where there is none.
        sweep: what is flagged from each threshold on.
        trend: of the score as run.
        trend_left_out: of the same items over the same similarity with their examples left out,
            which shows what comes of easier items alone; None without a rerun.
    """

    similarity: Floats
    scores: dict[str, Floats]
    sweep: tuple[Flagged, ...]
    trend: ScoreTrend | None
    trend_left_out: ScoreTrend | None


def score_along(found: InPrompt | None, effect: Effect) -> Along | None:
    """Look at the score along the similarity; None where no prompts are recorded."""
    if found is None:
        return None
    similarity = found.containment.copy()
    similarity[list(found.context)] = 0.0
    used = effect.scored & found.known
    similarity = similarity[used]
    scores = {c: effect.scores[c][used] for c in (AS_RUN, LEFT_OUT) if c in effect.scores}
    return Along(
        similarity, scores, _sweep(similarity, scores[AS_RUN]),
        score_trend(similarity, scores[AS_RUN]),
        _trend(similarity, scores[LEFT_OUT]) if LEFT_OUT in scores else None,
    )  # fmt: skip


def _trend(similarity: Floats, scores: Floats) -> ScoreTrend | None:
    known = np.isfinite(scores)
    return score_trend(similarity[known], scores[known])


def _sweep(similarity: Floats, scores: Floats) -> tuple[Flagged, ...]:
    found = []
    for threshold in _SWEEP:
        flagged = similarity >= threshold
        gain = adjusted_score(scores, flagged, np.zeros(len(scores))) if flagged.any() else None
        if gain is not None:
            share = float(flagged.mean())
            found.append(Flagged(threshold, int(flagged.sum()), share, gain.gain))
    return tuple(found)
