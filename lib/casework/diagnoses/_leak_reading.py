"""One run as it was read: its samples, what they were compared with, what stood in its prompts."""

from dataclasses import dataclass
from typing import Any

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_prompts import InPrompt, look, stated_by_template
from casework.diagnoses._leak_references import Questions, Reference, questions, refer
from casework.diagnoses._leak_runs import AS_RUN, WITHOUT, Judged
from casework.diagnoses._leak_samples import Samples, read
from casework.stats.boilerplate import Items, without_boilerplate


@dataclass(frozen=True, slots=True)
class Search:
    """How texts are compared: with which bank, None for all, and the shares of `prompt_leakage`."""

    bank: str | None
    near: float
    boilerplate: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Items as texts, and what they were compared with.

    Attributes:
        asked: the questions.
        bank, training: examples and training rows; None where there are none.
        items: the items without boilerplate.
    """

    asked: Questions
    bank: Reference | None
    training: Reference | None
    items: Items


@dataclass(frozen=True, slots=True)
class Reading:
    """What a run holds; `in_prompt` is None where no prompt was recorded."""

    samples: Samples
    compared: Compared
    in_prompt: InPrompt | None


def read_run(ask: Inquiry, judged: Judged, search: Search, before: Compared | None) -> Reading:
    """Compare the texts of a run and look into its prompts.

    Args:
        ask: the inquiry.
        judged: the run.
        search: how texts are compared.
        before: what was compared for another run with the same items, which is not done again.
    """
    samples = read(ask, judged.run["run_id"], AS_RUN)
    compared = _compare(ask, judged, samples, search, before)
    return Reading(samples, compared, _prompts(ask, judged, samples, compared, search.near))


def _compare(
    ask: Inquiry, judged: Judged, samples: Samples, search: Search, before: Compared | None
) -> Compared:
    """The items, compared with the example bank and the training rows."""
    params: dict[str, Any] = {**judged.params, "bank": search.bank}
    asked = before.asked if before else questions(samples.table["input_text"].take(samples.first))
    bank = training = None
    if ask.case.filled("exemplars"):
        ask.ask(q.BANKS)
        known = before.bank if before else None
        bank = refer(ask, asked, samples.ids, q.BANK, q.SAME_SOURCE, params, search.near,
                     search.boilerplate, known)  # fmt: skip
    if ask.case.filled("training_rows"):
        ask.ask(q.DATASETS)
        known = before.training if before else None
        training = refer(ask, asked, samples.ids, q.TRAINING, q.SAME_EVENT, params, search.near,
                         search.boilerplate, known)  # fmt: skip
    reference = bank or training
    if reference is not None:
        return Compared(asked, bank, training, reference.items)
    items = before.items if before else without_boilerplate(asked.tokens, asked.tokens,
                                                            search.boilerplate)  # fmt: skip
    return Compared(asked, bank, training, items)


def _prompts(
    ask: Inquiry, judged: Judged, samples: Samples, compared: Compared, near: float
) -> InPrompt | None:
    if not judged.run["prompts"]:
        return None
    repeats = 1
    for condition in WITHOUT:
        other = judged.others.get(condition)
        if other and other["prompts"]:
            plain = read(ask, other["run_id"], condition)
            theirs = questions(plain.table["input_text"].take(plain.first))
            alone = without_boilerplate(theirs.tokens, theirs.tokens, 1.0)
            repeats = max(1, stated_by_template(plain, theirs, alone))
            break
    return look(samples, compared.asked, compared.items, compared.bank, repeats, near)
