"""The fall of the leaked items by topic, and by how they stood in their prompts.

Topics are many tests, kept together by Benjamini and Hochberg (METHODS 0.5). What stands exactly
stands nearly too: those are told one within the other, and tested once, as a whole.
"""

from dataclasses import dataclass

import numpy as np

from casework.case import Query
from casework.diagnoses._in_order import in_order
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_effect import Effect, span_of, topics_of
from casework.diagnoses._leak_runs import LEFT_OUT, Judged
from casework.diagnoses._leak_samples import Samples
from casework.stats.estimates import Estimate
from casework.stats.mean_fall import mean_fall
from casework.stats.multiplicity import benjamini_hochberg
from casework.stats.shingles import Flags
from casework.stats.tokens import Places

MOST = 20
"""Topics that are told, those with most leaked items first."""
TIERS = ("same source", "exact", "nearly", "long run")

BY_TOPIC = Query(
    "scores_by_topic",
    f"""
    SELECT topic, condition, count(*) AS items, {in_order("avg", "score")} AS mean_score
    FROM (SELECT item_id, coalesce(condition, 'as_run') AS condition,
                 min(coalesce(topic, category)) AS topic,
                 {in_order("avg", "score")} AS score
          FROM eval_samples
          WHERE run_id IN (SELECT unnest($runs)) AND input_text IS NOT NULL
            AND score IS NOT NULL AND item_id IN (SELECT unnest($leaked))
            AND (run_id = $run OR coalesce(condition, 'as_run') <> $condition)
          GROUP BY item_id, coalesce(condition, 'as_run'))
    GROUP BY topic, condition ORDER BY topic NULLS LAST, condition
    """,  # noqa: S608  the text is put together of constants
    "Scores of the items that leaked by topic and condition.",
)


@dataclass(frozen=True, slots=True)
class TopicFall:
    """The fall of the leaked items of one topic; `adjusted` is p among all topics that are told."""

    topic: str
    fall: Estimate
    p: float
    adjusted: float


@dataclass(frozen=True, slots=True)
class Slices:
    """Falls of the leaked items apart.

    Attributes:
        topics: by topic, the most leaked items first; none where all are of one.
        untold: topics beyond those.
        tiers: by how an item stood there at least, each with those before it.
    """

    topics: tuple[TopicFall, ...]
    untold: int
    tiers: tuple[tuple[str, Estimate], ...]

    def beyond_chance(self, level: float) -> list[TopicFall]:
        """Topics of which the score falls, where one in `level` of those named may be chance.

        By test and interval both: of few graded items they may differ.
        """
        return [one for one in self.topics if one.adjusted < level and one.fall.low > 0]


def slices_of(
    ask: Inquiry, judged: Judged, samples: Samples, effect: Effect, tier: Places
) -> Slices | None:
    """Measure the falls; None without a rerun of leaked items."""
    if effect.drop is None:
        return None
    before, after = effect.scores["as_run"], effect.scores[LEFT_OUT]
    both = effect.leaked & np.isfinite(before) & np.isfinite(after)
    span = span_of(effect.scores)

    def fall(flags: Flags) -> tuple[Estimate, float]:
        found = mean_fall(before[flags], after[flags], span)
        return found.estimate, found.p

    tiers = [(name, both & (tier <= level)) for level, name in enumerate(TIERS)]
    sizes = [0, *(int(flags.sum()) for _, flags in tiers)]
    told = [(name, fall(flags)[0]) for (name, flags), smaller, n in
            zip(tiers, sizes, sizes[1:], strict=False) if n > smaller]  # fmt: skip
    topic, names = topics_of(samples)
    counts = np.bincount(topic[both], minlength=len(names))
    held = int((counts > 0).sum())
    if held < 2:
        return Slices((), 0, tuple(told))
    leaked = [samples.ids[place] for place in np.flatnonzero(effect.leaked).tolist()]
    ask.ask(BY_TOPIC, **judged.params, leaked=leaked)
    largest = np.argsort(-counts, kind="stable")[: min(held, MOST)].tolist()
    falls = [fall(both & (topic == place)) for place in largest]
    adjusted = benjamini_hochberg([p for _, p in falls])
    found = [TopicFall(names[place], e, p, q)
             for place, (e, p), q in zip(largest, falls, adjusted, strict=True)]  # fmt: skip
    return Slices(tuple(found), held - len(largest), tuple(told))
