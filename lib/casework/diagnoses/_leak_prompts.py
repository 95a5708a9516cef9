"""Which items stood in their own prompts, as examples, beside the question under test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casework.diagnoses._leak_references import NONE, Questions, Reference
from casework.diagnoses._leak_samples import Samples
from casework.stats.boilerplate import SHINGLE, TELLING, Items
from casework.stats.overlap import holds, shares_run, shingles
from casework.stats.own_prompt import OwnPrompts, own_prompts
from casework.stats.shingles import Flags
from casework.stats.tokens import Places, normalise, tokenise

Floats = NDArray[np.float64]
_STATED = ("input_text", "prompt_text")
_BETWEEN = 4
"""Words of a template, as in `the right answer is`, between a question and its label at most."""


@dataclass(frozen=True, slots=True)
class Leak:
    """An example that stood in the prompt of an item which is the same text, or nearly so.

    `row` is the row of the example in its reference; None where no example bank is in the case.
    """

    item: int
    tier: int
    row: int | None


@dataclass(frozen=True, slots=True)
class InPrompt:
    """What was found in the prompts, one entry an item.

    Attributes:
        known: whether a prompt was recorded in which the question was found, and the question is
            long enough to be told from chance beside it.
        unplaced: prompts that do not state their question word for word.
        short: items whose question was found and is too short for that.
        leaks: items that stood in their own prompt as an example, by item.
        context: items whose text stood in their prompt and came from no example.
        containment: share of the item's shingles in the rest of its prompt.
        repeats: how often the template states the question.
    """

    known: Flags
    unplaced: int
    short: int
    leaks: dict[int, Leak]
    context: frozenset[int]
    containment: Floats
    repeats: int

    @property
    def flags(self) -> Flags:
        """For each item whether it leaked."""
        found = np.zeros(len(self.known), bool)
        found[list(self.leaks)] = True
        return found


def look(
    samples: Samples,
    asked: Questions,
    items: Items,
    bank: Reference | None,
    repeats: int,
    near: float,
) -> InPrompt:
    """Look for each item in its own prompts, and for the example that put it there."""
    rows = np.flatnonzero(samples.table["prompt_text"].is_valid().to_numpy())
    item = samples.item[rows]
    prompts = samples.table["prompt_text"].take(rows)
    found = own_prompts(items, asked.text[item], tokenise(prompts), repeats, near)
    known = np.zeros(len(samples.ids), bool)
    known[item[found.placed]] = True
    containment = np.zeros(len(samples.ids))
    np.maximum.at(containment, item, found.containment)
    leaks: dict[int, Leak] = {}
    context = set()
    for place, leak in _verified(samples, asked, items, bank, rows, found, repeats, near):
        if leak is None:
            context.add(place)
        elif place not in leaks or leak.tier < leaks[place].tier:
            leaks[place] = leak
    unplaced = int((~found.placed).sum())
    short = known & (asked.tokens.lengths[asked.text] < TELLING)
    short[list(leaks)] = False
    return InPrompt(known & ~short, unplaced, int(short.sum()), leaks,
                    frozenset(context - set(leaks)), containment, repeats)  # fmt: skip


def stated_by_template(samples: Samples, asked: Questions, items: Items) -> int:
    """How often every prompt states its question: by the template, where no example can."""
    rows = np.flatnonzero(samples.table["prompt_text"].is_valid().to_numpy())
    prompts = tokenise(samples.table["prompt_text"].take(rows))
    found = own_prompts(items, asked.text[samples.item[rows]], prompts)
    stated = found.stated[found.placed]
    return int(stated.min()) if len(stated) else 1


def _verified(
    samples: Samples, asked: Questions, items: Items, bank: Reference | None, rows: Places,
    found: OwnPrompts, repeats: int, near: float,
) -> Iterator[tuple[int, Leak | None]]:  # fmt: skip
    """Flagged prompts, compared as texts: with the leak, or None where it is no example."""
    item = samples.item[rows]
    flagged = found.tier > 0
    if bank is not None:
        flagged |= bank.tier[item] < NONE
    places = np.flatnonzero(flagged & found.placed)
    questions = normalise(samples.table["input_text"].take(rows[places]))
    prompts = normalise(samples.table["prompt_text"].take(rows[places]))
    texts = _Texts(bank, near)
    for place, question, prompt in zip(places.tolist(), questions, prompts, strict=True):
        rest, own = without_last(prompt, question, repeats), int(item[place])
        text, tier = int(asked.text[own]), int(found.tier[place])
        if bank is not None:
            links = bank.linked(own, text)
            leak = next(((row, t) for row, t in links if texts.stand_in(row, rest)), None)
            if leak is not None:
                yield own, Leak(own, leak[1], leak[0])
            elif tier and stands(items, text, question, rest, tier, near):
                told = (
                    (row, t) for row, t in links if t < 2 and texts.answers(row, question, rest)
                )
                leak = next(told, None)
                yield own, None if leak is None else Leak(own, leak[1], leak[0])
        elif stands(items, text, question, rest, tier, near):
            yield own, Leak(own, tier, None)


def stood_in(
    samples: Samples, bank: Reference, found: InPrompt, pairs: Sequence[tuple[int, int]],
    near: float, *, labels: bool = False,
) -> list[bool | None]:  # fmt: skip
    """For each pair of an item and a row of the bank whether that stood in the item's own prompt.

    With `labels`, whether its label stood there too. None where no prompt is recorded in which the
    question was found.
    """
    texts = _Texts(bank, near)
    stands_in = texts.stand_labelled if labels else texts.stand_in
    rests: dict[int, list[str]] = {}
    for item in {item for item, _ in pairs if found.known[item]}:
        rows = np.flatnonzero(samples.item == item)
        columns = (normalise(samples.table[name].take(rows)) for name in _STATED)
        rests[item] = [without_last(prompt, question, found.repeats)
                       for question, prompt in zip(*columns, strict=True)]  # fmt: skip
    return [
        any(stands_in(row, rest) for rest in rests[item]) if item in rests else None
        for item, row in pairs
    ]


class _Texts:
    """Texts of examples in the form in which they are compared, each made once."""

    def __init__(self, bank: Reference | None, near: float) -> None:
        self.bank = bank
        self.near = near
        self.known: dict[int, str] = {}

    def text(self, row: int) -> str:
        """The text of an example; nothing without a bank."""
        if self.bank is None:
            return ""
        if row not in self.known:
            (self.known[row],) = normalise(self.bank.table["text"].slice(row, 1))
        return self.known[row]

    def label(self, row: int) -> str:
        """The label of an example; nothing where it has none."""
        if self.bank is None:
            return ""
        (label,) = normalise(self.bank.table["label"].slice(row, 1))
        return label or ""

    def stand_in(self, row: int, rest: str) -> bool:
        """Whether an example stands in what is left of a prompt, whole or nearly."""
        text = self.text(row)
        words = text.split()
        if len(words) < TELLING:
            return False
        ours = shingles(words, SHINGLE)
        if holds(rest, text) or not ours:
            return holds(rest, text)
        return len(ours & shingles(rest.split(), SHINGLE)) >= self.near * len(ours)

    def stand_labelled(self, row: int, rest: str) -> bool:
        """Whether an example stands there with its label: behind it, where it stands whole."""
        _, whole, after = f" {rest} ".partition(f" {self.text(row)} ")
        return self.stand_in(row, rest) and holds(after if whole else rest, self.label(row))

    def answers(self, row: int, question: str, rest: str) -> bool:
        """Whether the label of an example follows the question in what is left of a prompt.

        A prompt may set an example in another form than the bank does: `Q:` or `Question:`.
        """
        words = self.label(row).split()
        _, _, after = f" {rest} ".partition(f" {question} ")
        behind = after.split()[: _BETWEEN + len(words)]
        return bool(words) and any(behind[i : i + len(words)] == words for i in range(_BETWEEN + 1))


def without_last(prompt: str, question: str, times: int) -> str:
    """A normalised prompt without its last statements of the question."""
    rest = f" {prompt} "
    for _ in range(times):
        before, found, after = rest.rpartition(f" {question} ")
        rest = f"{before} \N{BULLET} {after}" if found else rest
    return " ".join(rest.split())


def stands(items: Items, text: int, question: str, rest: str, tier: int, near: float) -> bool:
    """Whether an item stands in the rest of its prompt as its tier says, compared as texts."""
    if tier == 1 and holds(rest, question):
        return True
    words = question.split()
    begin = int(items.tokens.offsets[text])
    counts = items.is_open[begin : begin + len(words)].tolist()
    if tier == 3:
        half = [int(part[text]) for part in items.halves]
        return shares_run(rest, words, 1, counts, int(items.needed[text])) or shares_run(
            rest, words, half[0], counts, half[1]
        )
    if tier == 1:
        return any(counts) and shares_run(rest, words, 1, counts, sum(counts))
    theirs = shingles(rest.split(), SHINGLE)
    for view in items.shingles:
        inside = view[slice(*np.searchsorted(view, [begin, begin + len(words)]))] - begin
        ours = {tuple(words[i : i + SHINGLE]) for i in inside.tolist()}
        both = len(ours & theirs)
        if both > 0 and both >= near * len(ours) - 1e-9:
            return True
    return False
