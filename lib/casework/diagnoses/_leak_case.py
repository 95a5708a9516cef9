"""All that `prompt_leakage` finds out before it judges: texts, prompts, scores, reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_effect import Effect, measure_effect
from casework.diagnoses._leak_paraphrases import Paraphrases, find_paraphrases
from casework.diagnoses._leak_prompts import InPrompt, look, stated_by_template
from casework.diagnoses._leak_references import NONE, Questions, Reference, questions, refer
from casework.diagnoses._leak_runs import LEFT_OUT, WITHOUT, Judged
from casework.diagnoses._leak_samples import Samples, read
from casework.diagnoses._leak_similarity import Along, score_along
from casework.diagnoses._leak_swap import Swap, follow_swap
from casework.stats.boilerplate import Items
from casework.stats.estimates import Estimate, wilson
from casework.stats.leakage import Drop, is_binary, paired_drop
from casework.stats.own_prompt import own_prompts
from casework.stats.shingles import Flags
from casework.stats.tokens import Places, tokenise

RATE_SESOI = 0.01
SCORE_SESOI_SD = 0.1


@dataclass(frozen=True, slots=True)
class Investigated:
    """What was found.

    Attributes:
        judged, samples: the run, and its samples.
        bank, training: examples and training rows that were compared; None where there are none.
        in_prompt: what stood in the prompts; None where no prompt was recorded.
        open_share: share of the items' words that count, the rest is boilerplate.
        paraphrases: pairs that may be the same in other words; None without embeddings of both.
        effect: what it did to the score.
        along: the score along the similarity to the own prompt; None where none was recorded.
        swap: answers where the example bears a wrong label; None where that was not run.
        sesoi: smallest fall of the score that matters.
        still: leaked items whose prompt still held them in the rerun, of those looked at.
        recurring: leaked items that customers ask too; None where requests have no text.
        drop_rest: the effect over leaked items that customers do not ask.
        versions: approved model versions that rest on the suite.
        served: requests and accounts that the evaluated checkpoint served.
    """

    judged: Judged
    samples: Samples
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
    recurring: frozenset[str] | None
    drop_rest: Drop | None
    versions: int
    served: dict[str, Any]

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
    def items(self) -> int:
        """Items of the run."""
        return len(self.samples.ids)

    @property
    def leaked(self) -> int:
        """Items that leaked: in their own prompts, where those are known."""
        return int(self.effect.leaked.sum())


def investigate(
    ask: Inquiry,
    judged: Judged,
    bank: str | None,
    near: float,
    boilerplate: float,
    sesoi: float | None,
    seed: int,
) -> Investigated:
    """Compare texts, look into the prompts, and compare the scores."""
    params = {**judged.params, "bank": bank}
    samples = read(ask, judged.run["run_id"], "as_run")
    asked = questions(samples.table["input_text"].take(samples.first))
    of_bank, of_training = _references(ask, asked, samples, params, near, boilerplate)
    items = _items(asked, of_bank or of_training, boilerplate)
    found = _prompts(ask, judged, samples, asked, items, of_bank, near)
    leaked, known = _leaked(found, of_bank or of_training, len(samples.ids))
    effect = measure_effect(ask, judged, samples, leaked, known, found, of_bank, seed)
    sesoi = float(ask.infer("sesoi", sesoi, _sesoi(effect)))
    recurring = _recurring(ask, judged, samples, leaked)
    ask.ask(q.BY_LEAK, **judged.params, leaked=_ids(samples, leaked))
    approved = ask.one(q.RESTED_ON, **judged.params)["approved"]
    return Investigated(
        judged=judged,
        samples=samples,
        bank=of_bank,
        training=of_training,
        in_prompt=found,
        open_share=float(items.is_open.mean()) if len(items.is_open) else 1.0,
        paraphrases=find_paraphrases(ask, samples, asked, of_bank, found, params, near, seed),
        effect=effect,
        along=score_along(found, effect),
        swap=follow_swap(ask, judged, samples, found, of_bank),
        sesoi=sesoi,
        still=_still(ask, judged, samples, asked, items, leaked, near),
        recurring=recurring,
        drop_rest=_rest(samples, effect, recurring, seed),
        versions=int(approved),
        served=ask.one(q.SERVED, checkpoint=judged.run["checkpoint"]),
    )


def _references(
    ask: Inquiry, asked: Questions, samples: Samples, params: Mapping[str, Any], near: float,
    boilerplate: float,
) -> tuple[Reference | None, Reference | None]:  # fmt: skip
    """The example bank and the training rows, compared with the items."""
    bank = training = None
    if ask.case.filled("exemplars"):
        ask.ask(q.BANKS)
        bank = refer(ask, asked, samples.ids, q.BANK, q.SAME_SOURCE, params, near, boilerplate)
    if ask.case.filled("training_rows"):
        ask.ask(q.DATASETS)
        training = refer(
            ask, asked, samples.ids, q.TRAINING, q.SAME_EVENT, params, near, boilerplate
        )
    return bank, training


def _items(asked: Questions, reference: Reference | None, share: float) -> Items:
    """The items without boilerplate: as compared with the reference, else by themselves."""
    if reference is not None:
        return reference.items
    from casework.stats.boilerplate import without_boilerplate

    return without_boilerplate(asked.tokens, asked.tokens, share)


def _prompts(
    ask: Inquiry, judged: Judged, samples: Samples, asked: Questions, items: Items,
    bank: Reference | None, near: float,
) -> InPrompt | None:  # fmt: skip
    if not judged.run["prompts"]:
        return None
    repeats = 1
    for condition in WITHOUT:
        other = judged.others.get(condition)
        if other and other["prompts"]:
            plain = read(ask, other["run_id"], condition)
            theirs = questions(plain.table["input_text"].take(plain.first))
            alone = _items(theirs, None, 1.0)
            repeats = max(1, stated_by_template(plain, theirs, alone))
            break
    return look(samples, asked, items, bank, repeats, near)


def _leaked(found: InPrompt | None, reference: Reference | None, items: int) -> tuple[Flags, Flags]:
    """Which items leaked, and of which that is known."""
    if found is not None:
        return found.flags, found.known
    if reference is not None:
        return reference.tier < NONE, np.ones(items, bool)
    return np.zeros(items, bool), np.zeros(items, bool)


def _sesoi(effect: Effect) -> float:
    """One percentage point for shares of right answers, a tenth of a deviation for others."""
    scores = effect.scores["as_run"]
    scores = scores[np.isfinite(scores)]
    spread = float(scores.std()) if len(scores) else 0.0
    return RATE_SESOI if is_binary(scores) or not spread else SCORE_SESOI_SD * spread


def _ids(samples: Samples, flags: Flags) -> list[str]:
    return [samples.ids[place] for place in np.flatnonzero(flags).tolist()]


def _still(
    ask: Inquiry, judged: Judged, samples: Samples, asked: Questions, items: Items,
    leaked: Flags, near: float,
) -> Estimate | None:  # fmt: skip
    """Leaked items that stand in the prompts of the rerun all the same."""
    other = judged.others.get(LEFT_OUT)
    if other is None or not other["prompts"] or not leaked.any():
        return None
    rerun = read(ask, other["run_id"], LEFT_OUT)
    place = {name: i for i, name in enumerate(samples.ids)}
    own = np.array([place.get(name, -1) for name in rerun.ids], np.int64)[rerun.item]
    rows = np.flatnonzero(rerun.table["prompt_text"].is_valid().to_numpy() & (own >= 0))
    rows = rows[leaked[own[rows]]]
    prompts = tokenise(rerun.table["prompt_text"].take(rows))
    found = own_prompts(items, asked.text[own[rows]], prompts, 1, near)
    placed = int(found.placed.sum())
    return wilson(int((found.tier > 0).sum()), placed) if placed else None


def _recurring(
    ask: Inquiry, judged: Judged, samples: Samples, leaked: Flags
) -> frozenset[str] | None:
    if not leaked.any() or not ask.case.filled("requests", ("input_text",)):
        return None
    rows = ask.ask(q.RECURRING, **judged.params, leaked=_ids(samples, leaked))
    return frozenset(row["item_id"] for row in rows)


def _rest(
    samples: Samples, effect: Effect, recurring: frozenset[str] | None, seed: int
) -> Drop | None:
    """The effect over leaked items that customers do not ask."""
    if recurring is None or LEFT_OUT not in effect.scores:
        return None
    asked = np.array([name in recurring for name in samples.ids])
    before, after = effect.scores["as_run"], effect.scores[LEFT_OUT]
    kept = effect.leaked & ~asked & np.isfinite(before) & np.isfinite(after)
    return paired_drop(before[kept], after[kept], seed) if kept.any() else None


def left_out_score(found: Investigated) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Scores with leaked items as rerun and the others as run, of items that have them."""
    effect = found.effect
    if LEFT_OUT not in effect.scores:
        return np.zeros(0)
    mixed = np.where(effect.leaked, effect.scores[LEFT_OUT], effect.scores["as_run"])
    return np.asarray(mixed[np.isfinite(mixed)])
