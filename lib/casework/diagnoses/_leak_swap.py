"""Whether answers follow the label of the item's own example where a run shows a wrong one.

The label-swap intervention of METHODS section 12: an answer that is thought out does not follow.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_prompts import InPrompt, without_last
from casework.diagnoses._leak_references import Reference
from casework.diagnoses._leak_runs import LEFT_OUT, SWAPPED, Judged
from casework.diagnoses._leak_samples import Samples, read
from casework.stats.estimates import Estimate, wilson
from casework.stats.tokens import normalise

_NONE = -1, ""


@dataclass(frozen=True, slots=True)
class Swap:
    """Answers to prompts in which the item's own example bears a wrong label.

    Attributes:
        follow: answers that are that label, of those where it could be read.
        left_out: the same answers where the example is left out; None without such a run.
        unread: leaked items whose prompts do not show both labels after the example.
        differs: what is known to differ between the runs beside the label.
    """

    follow: Estimate | None
    left_out: Estimate | None
    unread: int
    differs: tuple[str, ...]


def follow_swap(
    ask: Inquiry, judged: Judged, samples: Samples, found: InPrompt | None, bank: Reference | None
) -> Swap | None:
    """Read the labels that the prompts show, and compare the answers with the swapped ones.

    The label of an example is the first known one after its text. An item counts where that reads
    the recorded label in the run as it was, and as many words after the text another one in the
    swapped run, which is not the item's right answer either. None where no replay is in the case,
    or none in which a label was swapped.
    """
    if SWAPPED not in judged.others or found is None or bank is None:
        return None
    swapped = read(ask, judged.others[SWAPPED]["run_id"], SWAPPED)
    leaks = sorted((leak.item, leak.row) for leak in found.leaks.values() if leak.row is not None)
    rows = np.array([row for _, row in leaks], np.int64)
    ids = [samples.ids[item] for item, _ in leaks]
    texts, labels = (normalise(bank.table[name].take(rows)) for name in ("text", "label"))
    targets = normalise(samples.table["target"])
    known = Labels([*normalise(bank.table["label"]), *targets])
    before = _shown(samples, ids, texts, known, found.repeats)
    after = _shown(swapped, ids, texts, known, found.repeats)
    shown = {}
    for (item, _), name, label in zip(leaks, ids, labels, strict=True):
        (place, recorded), (same_place, wrong) = before.get(name, _NONE), after.get(name, _NONE)
        read_rightly = bool(label) and recorded == label and place == same_place
        if read_rightly and wrong not in (label, targets[int(samples.first[item])]):
            shown[name] = wrong
    if not shown:
        return None
    left_out = None
    if LEFT_OUT in judged.others:
        left_out = _said(read(ask, judged.others[LEFT_OUT]["run_id"], LEFT_OUT), shown)
    differs = tuple(judged.differs(SWAPPED))
    return Swap(_said(swapped, shown), left_out, len(leaks) - len(shown), differs)


class Labels:
    """The labels that are known, found in a text by their first word."""

    def __init__(self, labels: Iterable[str]) -> None:
        self._by_word: dict[str, list[list[str]]] = defaultdict(list)
        for label in sorted(set(labels), key=len, reverse=True):
            words = label.split()
            if words:
                self._by_word[words[0]].append(words)

    def first_in(self, words: Sequence[str]) -> tuple[int, str]:
        """Where the first known label begins in these words, and the longest that begins there."""
        for place, word in enumerate(words):
            for label in self._by_word.get(word, ()):
                if list(words[place : place + len(label)]) == label:
                    return place, " ".join(label)
        return _NONE


def _shown(
    samples: Samples, ids: Sequence[str], texts: Sequence[str], known: Labels, repeats: int
) -> dict[str, tuple[int, str]]:
    """The label that each item's prompt shows after the text of its example, and how far after."""
    place = {name: i for i, name in enumerate(samples.ids)}
    rows = samples.first[np.array([place[name] for name in ids if name in place], np.int64)]
    questions, prompts = (normalise(samples.table[name].take(rows))
                          for name in ("input_text", "prompt_text"))  # fmt: skip
    own = [(name, text) for name, text in zip(ids, texts, strict=True) if name in place]
    shown = {}
    for (name, text), question, prompt in zip(own, questions, prompts, strict=True):
        rest = without_last(prompt, question, repeats)
        _, there, after = f" {rest} ".partition(f" {text} ")
        if there and text:
            shown[name] = known.first_in(after.split())
    return shown


def _said(samples: Samples, labels: dict[str, str]) -> Estimate | None:
    """Share of the answers that are the label named for their item."""
    places = [i for i, name in enumerate(samples.ids) if name in labels]
    answers = normalise(samples.table["output_text"].take(samples.first[np.array(places, int)]))
    same = [answer == labels[samples.ids[i]] for i, answer in zip(places, answers, strict=True)
            if answer]  # fmt: skip
    return wilson(sum(same), len(same)) if same else None
