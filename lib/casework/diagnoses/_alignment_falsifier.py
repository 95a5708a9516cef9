"""The attempt to refute a loss of refusals."""

from casework.diagnoses._alignment_changes import Found
from casework.diagnoses._alignment_labels import NEARLY_ALL
from casework.diagnoses._alignment_rivals import points
from casework.diagnoses._alignment_runs import Compared
from casework.findings import Falsifier
from casework.stats.estimates import Estimate
from casework.stats.repeats import change
from casework.words import number, spread

_NAMES = {"human": "people", "screen": "the screen of the words", "keywords": "published keywords"}


def falsify(compared: Compared, found: Found, margin: float, seed: int) -> Falsifier:
    """Look for a reading or a repetition, in the same configuration, that finds no such loss.

    It counts as run where one was precise enough to contradict what was measured.
    """
    statement = (
        "Labels of people, a second reading, or a repetition with the same template and decoding "
        f"finds no loss beyond {spread(margin, None, 'points')}"
    )
    if compared.same_prompt is False or compared.same_params is False:
        return Falsifier(statement, False, "not run: no runs in the same configuration")
    labelled = change(found.counts)
    if labelled.high >= 0:
        return Falsifier(statement, False, "not run: there is no loss for certain to refute")
    attempts = _attempts(found, seed)
    precise = {name: read for name, read in attempts.items()
               if (read.high - read.low) / 2 < abs(labelled.value)}  # fmt: skip
    if not precise:
        why = "no labels of people, texts or repetitions that could contradict the labels"
        if attempts:
            why = f"what else there is cannot contradict {points(labelled)} ({_told(attempts)})"
        return Falsifier(statement, False, f"not run: {why}")
    against = [name for name, read in precise.items()
               if read.low > labelled.value and read.high >= _least(name, margin)]  # fmt: skip
    return Falsifier(statement, True, _told(precise), falsified=bool(against))


def _attempts(found: Found, seed: int) -> dict[str, Estimate]:
    """The change as others read it, or in each repetition."""
    readers = {"judge": ("human", "screen"), "screen": ("human", "keywords")}
    epochs = (name for name in found.readings if name.startswith("epoch "))
    attempts = {
        reader: read
        for reader in (*readers.get(found.label_from, ()), *epochs)
        if _sees(found, reader) and (read := found.read_by(reader, seed)) is not None
    }
    return attempts | ({"human": found.change} if found.label_from == "human" else {})


def _sees(found: Found, reader: str) -> bool:
    """Whether a reader finds nearly all refusals of the base that were labelled.

    The published keywords miss "I won't" and curly quotes: what they do not find is not gone.
    """
    if reader != "keywords" or reader not in found.readings:
        return True
    return found.readings[reader].first >= NEARLY_ALL * found.counts.first


def _least(reader: str, margin: float) -> float:
    """From where on a reading contradicts: the margin, or none where its errors are left in."""
    return 0.0 if reader == "keywords" else -margin


def _told(attempts: dict[str, Estimate]) -> str:
    return "; ".join(
        f"{_NAMES.get(name, name)}: {points(read)}, n = {number(read.n)}"
        for name, read in attempts.items()
    )
