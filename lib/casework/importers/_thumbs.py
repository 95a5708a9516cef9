"""What a person's mark says: up, down, or nothing that one of the two can stand for."""

import re
from collections.abc import Iterable
from typing import Any

from casework.importers._shape import number, text

_UP = frozenset(
    (
        *("1", "true", "yes", "up", "thumbs_up", "thumbs-up", "thumbs up", "positive", "good"),
        *("like", "correct", "helpful", "accept", "accepted"),
    )
)
_DOWN = frozenset(
    (
        *("0", "-1", "false", "no", "down", "thumbs_down", "thumbs-down", "thumbs down"),
        *("negative", "bad", "dislike", "incorrect", "unhelpful", "reject", "rejected"),
    )
)
_YES_OR_NO = frozenset(("1", "true", "yes", "0", "-1", "false", "no"))
_FAULTS = frozenset(
    (
        *("bad", "bias", "biased", "bug", "dislike", "error", "errors", "escalated", "failed"),
        *("failure", "fault", "flagged", "hallucinated", "hallucination", "hallucinations", "harm"),
        *("harmful", "incorrect", "injection", "irrelevant", "issue", "jailbreak", "leak"),
        *("negative", "not", "offensive", "pii", "refusal", "refused", "rejected", "spam", "toxic"),
        *("toxicity", "unhelpful", "unsafe", "wrong"),
    )
)
_FEEDBACK = (["feedback"], ["user", "feedback"], ["human", "feedback"])
_THUMBS = {"thumbs_up": 1, "thumb_up": 1, "👍": 1, "like": 1,
           "thumbs_down": -1, "thumb_down": -1, "👎": -1, "dislike": -1}  # fmt: skip


def signal(label: Any, score: Any, name: str) -> int | None:
    """Return +1 or -1 where a mark says so without doubt, else None.

    A label counts first: a flag, a thumb or a word for one. Of numbers only -1, 0 and 1 count;
    a grade of 0.8 is no thumb. Yes and no say nothing where the name asks for a fault: under
    `hallucination` a yes is no thumb up.

    Args:
        label: the label of the mark, a text or a flag, or None.
        score: its number or flag, or None.
        name: what was asked.
    """
    said = (text(label) or "").strip().lower()
    if not said:
        if not isinstance(score, bool) and number(score) not in (-1.0, 0.0, 1.0):
            return None
        said = str(int(score))
    if said in _YES_OR_NO and _asks_for_a_fault(name):
        return None
    if said in _UP:
        return 1
    return -1 if said in _DOWN else None


def thumb(label: Any) -> int | None:
    """Return +1 or -1 where a label names a thumb itself, which only a person gives, else None."""
    return _THUMBS.get((text(label) or "").strip().lower().replace("-", "_").replace(" ", "_"))


def is_of_thumbs(name: str) -> bool:
    """Whether a mark of that name is a thumb, whatever its value, and so no grade."""
    return thumb(name) is not None or not {"thumb", "thumbs"}.isdisjoint(_words(name))


def is_of_feedback(name: str) -> bool:
    """Whether a mark of that name is what a user said of an answer: a thumb, or a grade."""
    return _words(name) in _FEEDBACK


def numeric_signals(marks: Iterable[Any], name: str) -> dict[float, int]:
    """What the numbers among the marks of one name stand for, where that is beyond doubt.

    A 1 may be a thumb, one star of five, or a fault that was found. It is a thumb where the name
    asks for no fault, and the marks hold no other number than -1, 0 and 1, no word, and two numbers
    that differ; under the name of thumbs one number is enough. Beside a -1, 0 is neither up nor
    down.

    Args:
        marks: all marks that people gave under the name.
        name: what was asked.
    """
    if _asks_for_a_fault(name):
        return {}
    listed = [one for one in marks if one is not None and not isinstance(one, bool)]
    numbers = {as_number(one) for one in listed}
    if len(numbers) < (1 if is_of_thumbs(name) else 2) or not numbers <= {-1.0, 0.0, 1.0}:
        return {}
    return {1.0: 1, -1.0: -1} if -1.0 in numbers else {1.0: 1, 0.0: -1}


def _asks_for_a_fault(name: str) -> bool:
    return not is_of_thumbs(name) and not _FAULTS.isdisjoint(_words(name))


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def as_number(mark: Any) -> float | None:
    """A mark as a number, also where it is a text of one; a flag is none."""
    if isinstance(mark, str):
        try:
            return number(float(mark))
        except ValueError:
            return None
    return number(mark)
