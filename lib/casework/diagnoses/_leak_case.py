"""All that `prompt_leakage` finds out before it judges: texts, prompts, scores, reach."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_beside import Beside, look_beside
from casework.diagnoses._leak_choice import Chosen, RunSeen
from casework.diagnoses._leak_effect import Effect, measure_effect
from casework.diagnoses._leak_paraphrases import Paraphrases, find_paraphrases
from casework.diagnoses._leak_prompts import InPrompt, look
from casework.diagnoses._leak_reading import Reading
from casework.diagnoses._leak_references import NONE, Reference
from casework.diagnoses._leak_runs import LEFT_OUT, Judged
from casework.diagnoses._leak_samples import Samples, read
from casework.diagnoses._leak_similarity import Along, score_along
from casework.diagnoses._leak_swap import Swap, follow_swap
from casework.diagnoses._leak_traffic import Traffic, traffic_of
from casework.stats.estimates import Estimate, wilson
from casework.stats.leakage import is_binary
from casework.stats.shingles import Flags
from casework.stats.tokens import Places

RATE_SESOI = 0.01
SCORE_SESOI_SD = 0.1


@dataclass(frozen=True, slots=True)
class Investigated:
    """What was found.

    Attributes:
        judged, samples: the run, and its samples.
        runs: the runs of the suite whose prompts were looked into, in the order of time.
        bank, training: examples and training rows that were compared; None where there are none.
        in_prompt: what stood in the prompts; None where no prompt was recorded.
        open_share: share of the items' words that count, the rest is boilerplate.
        paraphrases: pairs that may be the same in other words; None without embeddings of both.
        effect: what it did to the score.
        along: the score along the similarity to the own prompt; None where none was recorded.
        swap: answers where the example bears a wrong label; None where that was not run.
        sesoi: smallest fall of the score that matters.
        still: leaked items whose prompt still held them in the rerun, of those looked at.
        traffic: what customers ask of it too; None where none leaked or requests have no text.
        versions: approved model versions that rest on the suite.
        served: requests and accounts that the evaluated checkpoint served.
        beside: what decides nothing: against clean items and other runs, and by topic.
    """

    judged: Judged
    samples: Samples
    runs: tuple[RunSeen, ...]
    bank: Reference | None
    training: Reference | None
    in_prompt: InPrompt | None
    open_share: float
    paraphrases: Paraphrases | None
    effect: Effect
    along: Along | None
    swap: Swap | None
    sesoi: float
    still: Estimate | None
    traffic: Traffic | None
    versions: int
    served: dict[str, Any]
    beside: Beside

    @property
    def reference(self) -> Reference | None:
        """What the tiers are counted against: the bank, else the training rows."""
        return self.bank or self.training

    @property
    def tier(self) -> Places:
        """Best tier of each item: against the reference, else in its own prompt."""
        if self.reference is not None:
            return self.reference.tier
        found = np.full(self.items, NONE)
        if self.in_prompt is not None:
            for leak in self.in_prompt.leaks.values():
                found[leak.item] = leak.tier
        return found

    @property
    def looked_at(self) -> int:
        """Items of which `tier` is known: all, or without a reference those with their prompts."""
        if self.reference is not None:
            return self.items
        return 0 if self.in_prompt is None else int(self.in_prompt.known.sum())

    @property
    def items(self) -> int:
        """Items of the run."""
        return len(self.samples.ids)

    @property
    def leaked(self) -> int:
        """Items that leaked: in their own prompts, where those are known."""
        return int(self.effect.leaked.sum())


def investigate(
    ask: Inquiry,
    chosen: Chosen,
    bank: str | None,
    near: float,
    sesoi: float | None,
    seed: int,
) -> Investigated:
    """Compare the scores of what stood in prompts and what did not, and find out the reach."""
    judged, reading = chosen.judged, chosen.reading
    samples, found = reading.samples, reading.in_prompt
    of_bank, of_training = reading.compared.bank, reading.compared.training
    asked, items = reading.compared.asked, reading.compared.items
    leaked, known = _leaked(found, of_bank or of_training, len(samples.ids))
    effect = measure_effect(ask, judged, samples, leaked, known, found, of_bank, seed)
    sesoi = float(ask.infer("sesoi", sesoi, _sesoi(samples, effect)))
    traffic = traffic_of(ask, judged, samples, effect, seed)
    ask.ask(q.BY_LEAK, **judged.params, leaked=_ids(samples, leaked))
    approved = ask.one(q.RESTED_ON, **judged.params)["approved"]
    params = {**judged.params, "bank": bank}
    return Investigated(
        judged=judged,
        samples=samples,
        runs=chosen.runs,
        bank=of_bank,
        training=of_training,
        in_prompt=found,
        open_share=float(items.is_open.mean()) if len(items.is_open) else 1.0,
        paraphrases=find_paraphrases(ask, samples, asked, of_bank, found, params, near, seed),
        effect=effect,
        along=score_along(found, effect),
        swap=follow_swap(ask, judged, samples, found, of_bank),
        sesoi=sesoi,
        still=_still(ask, judged, reading, leaked, near),
        traffic=traffic,
        versions=int(approved),
        served=ask.one(q.SERVED, checkpoint=judged.run["checkpoint"]),
        beside=look_beside(ask, chosen, effect, near, seed),
    )


def _leaked(found: InPrompt | None, reference: Reference | None, items: int) -> tuple[Flags, Flags]:
    """Which items leaked, and of which that is known."""
    if found is not None:
        return found.flags, found.known
    if reference is not None:
        return reference.tier < NONE, np.ones(items, bool)
    return np.zeros(items, bool), np.zeros(items, bool)


def _sesoi(samples: Samples, effect: Effect) -> float:
    """One percentage point for shares of right answers, a tenth of a deviation for others.

    Answers of several epochs that are right or wrong make a share for each item all the same.
    """
    answers = samples.table["score"].to_numpy()
    if is_binary(answers[np.isfinite(answers)]):
        return RATE_SESOI
    scores = effect.scores["as_run"]
    scores = scores[np.isfinite(scores)]
    spread = float(scores.std()) if len(scores) else 0.0
    return SCORE_SESOI_SD * spread if spread else RATE_SESOI


def _ids(samples: Samples, flags: Flags) -> list[str]:
    return [samples.ids[place] for place in np.flatnonzero(flags).tolist()]


def _still(
    ask: Inquiry, judged: Judged, reading: Reading, leaked: Flags, near: float
) -> Estimate | None:
    """Leaked items that stand in the prompts of the rerun all the same, of those it tells of."""
    other = judged.others.get(LEFT_OUT)
    if other is None or not other["prompts"] or not leaked.any():
        return None
    compared, rerun, samples = (
        reading.compared,
        read(ask, other["run_id"], LEFT_OUT),
        reading.samples,
    )
    place = {name: i for i, name in enumerate(samples.ids)}
    own = np.array([place.get(name, -1) for name in rerun.ids], np.int64)[rerun.item]
    rows = np.flatnonzero((own >= 0) & leaked[own])
    of_leaked = Samples(rerun.table.take(rows), own[rows], samples.first, samples.ids)
    repeats = reading.in_prompt.repeats if reading.in_prompt else 1
    found = look(of_leaked, compared.asked, compared.items, compared.bank, repeats, near)
    known = int(found.known.sum())
    return wilson(len(found.leaks), known) if known else None


def left_out_score(found: Investigated) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Scores with leaked items as rerun and the others as run, of items that have them."""
    effect = found.effect
    if LEFT_OUT not in effect.scores:
        return np.zeros(0)
    mixed = np.where(effect.leaked, effect.scores[LEFT_OUT], effect.scores["as_run"])
    return np.asarray(mixed[np.isfinite(mixed)])
