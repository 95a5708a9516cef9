"""What a person's mark says: up, down, or nothing that one of the two can stand for."""

import re
from collections.abc import Iterable
from itertools import pairwise
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
_UP_OR_DOWN = frozenset(
    (
        *("up", "thumbs_up", "thumbs-up", "thumbs up", "like"),
        *("down", "thumbs_down", "thumbs-down", "thumbs down", "dislike"),
    )
)
# what names a fault, as the beginning of a word and as a word
_FAULTS_BY_STEM = (
    *("abus", "complain", "confus", "contradict", "crash", "danger", "defect", "disagree"),
    *("dislik", "downvot", "error", "escalat", "fabricat", "fail", "fals", "hallucinat", "hate"),
    *("illegal", "inaccura", "inappropria", "incoheren", "incomplet", "inconsisten", "incorrect"),
    *("inject", "insult", "irrelevan", "jailbreak", "leak", "mislead", "mistak", "negativ"),
    *("duplicat", "nonsens", "offens", "plagiar", "poor", "problem", "profan", "refus", "reject"),
    *("repetiti", "spam", "stereotyp", "toxic", "violat", "violen", "wrong"),
)
_FAULTS_BY_WORD = (
    *("bad", "badly", "bias", "biased", "biases", "broken", "bug", "buggy", "bugs"),
    *("(?<!up )down(?! up)", "fake", "fault", "faults", "faulty", "flag", "flagged", "flags"),
    *("flaw", "flawed", "flaws", "harm", "harmful", "harms", "invalid", "issue", "issues"),
    *("misses", "missing", "outdated", "pii", "risk", "risks", "risky", "rude", "unclear"),
    *("unfair", "ungrounded", "unhelpful", "unrelated", "unresolved", "unsafe", "unsupported"),
    *("untrue", "useless", "worse", "worst", "blocked", "left", "off topic", "secret", "secrets"),
    *("slow", "slower", "stale", "too", "unanswered", "needs? improv[a-z]*"),
)
_FAULT = "(?:" + "|".join((*(rf"{s}\w*" for s in _FAULTS_BY_STEM), *_FAULTS_BY_WORD)) + ")"
_MENDED = "(?:free|(?:avoid|correct|fix|handl|prevent|remov|resolv|solv)(?:ed|es|s|ing))"
_NO_FAULT = re.compile(
    rf"\b(?:(?:no|non|not|never|without|zero) {_FAULT}(?! {_MENDED}\b)"
    rf"|{_FAULT} {_MENDED}|{_MENDED} (?:of )?{_FAULT})\b"
)
_ASKED_FAULT = re.compile(rf"\b(?:{_FAULT}|not|never|without|(?<!yes )no(?= ))\b")
_BETWEEN = frozenset(("a", "any", "been", "has", "is", "my", "or", "the", "was", "were", "your"))
_FEEDBACK = (["feedback"], ["user", "feedback"], ["human", "feedback"])
_OF_A_USER = frozenset(("accepted", "liked", "upvoted"))
_USER_LIKES = ("user", "like")  # `like` alone may compare, as in `human_like`
_THUMBS = {"thumbs_up": 1, "thumb_up": 1, "👍": 1, "like": 1,
           "thumbs_down": -1, "thumb_down": -1, "👎": -1, "dislike": -1}  # fmt: skip


def signal(label: Any, score: Any, name: str) -> int | None:
    """Return +1 or -1 where a mark says so, else None.

    A label counts first: a flag, a thumb or a word for one. Of numbers only -1, 0 and 1 count;
    a grade of 0.8 is no thumb. Under `thumbs_down` a yes is a thumb down, and a no is neither. What
    is no thumb by itself says nothing where the name asks for a fault, or for a sentiment: under
    `hallucination` neither a yes nor `positive` is a thumb up. Faults are told by a list of words.
    Under the name of one that is not among them a yes is taken for a thumb up.

    Args:
        label: the label of the mark, a text or a flag, or None.
        score: its number or flag, or None.
        name: what was asked.
    """
    said = (text(label) or "").strip().lower()
    if given := thumb(label):
        return given
    if not said:
        if not isinstance(score, bool) and number(score) not in (-1.0, 0.0, 1.0):
            return None
        said = str(int(score))
    found = 1 if said in _UP else -1 if said in _DOWN else None
    if said in _UP_OR_DOWN or found is None:
        return found
    if _asks_for_something_else(name):
        return None
    return _turned(name, found) if said in _YES_OR_NO else found


def thumb(label: Any) -> int | None:
    """Return +1 or -1 where a label names a thumb itself, which only a person gives, else None."""
    return _THUMBS.get((text(label) or "").strip().lower().replace("-", "_").replace(" ", "_"))


def is_of_thumbs(name: str) -> bool:
    """Whether a mark of that name is a thumb, whatever its value, and so no grade."""
    return thumb(name) is not None or not {"thumb", "thumbs"}.isdisjoint(_words(name))


def is_of_feedback(name: str) -> bool:
    """Whether a mark of that name is what a user said of an answer: a thumb, or a grade."""
    return _words(name) in _FEEDBACK


def is_of_a_user(name: str) -> bool:
    """Whether a mark of that name is a user's, be it a flag: feedback, or what one does with it."""
    words = _words(name)
    is_liked = _USER_LIKES in pairwise(words) or not _OF_A_USER.isdisjoint(words)
    return is_of_feedback(name) or is_liked


def numeric_signals(marks: Iterable[Any], name: str) -> dict[float, int]:
    """What the numbers among the marks of one name stand for, where that is beyond doubt.

    A 1 may be a thumb, one star of five, or a fault that was found. It is a thumb where the name
    asks for no fault and no sentiment, and the marks hold no other number than -1, 0 and 1, no
    word, and two numbers that differ; under the name of thumbs one number is enough. Beside a -1, 0
    is neither up nor down. Under the name of a thumb down 1 is down, and the others are neither.

    Args:
        marks: all marks that people gave under the name.
        name: what was asked.
    """
    if _asks_for_something_else(name):
        return {}
    listed = [one for one in marks if one is not None and not isinstance(one, bool)]
    numbers = {as_number(one) for one in listed}
    if len(numbers) < (1 if is_of_thumbs(name) else 2) or not numbers <= {-1.0, 0.0, 1.0}:
        return {}
    found = {1.0: 1, -1.0: -1} if -1.0 in numbers else {1.0: 1, 0.0: -1}
    turned = {number: _turned(name, said) for number, said in found.items()}
    return {number: said for number, said in turned.items() if said is not None}


def _turned(name: str, said: int) -> int | None:
    """What up or down says under a name: where it asks for a thumb down, up is down."""
    words = _words(name)
    down = thumb(name) == -1 or (is_of_thumbs(name) and "down" in words and "up" not in words)
    return said if not down else -1 if said == 1 else None


def _asks_for_something_else(name: str) -> bool:
    """Whether a name asks for a fault, or for a sentiment, which is no judgment of an answer."""
    return _asks_for_a_fault(name) or "sentiment" in _words(name)


def _asks_for_a_fault(name: str) -> bool:
    """Whether a yes may say that something is wrong; not so of `no_issues`, `issue_resolved`."""
    words = " ".join(word for word in _words(name) if word not in _BETWEEN)
    return not is_of_thumbs(name) and bool(_ASKED_FAULT.search(_NO_FAULT.sub(" ", words)))


def _words(name: str) -> list[str]:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return re.findall(r"thumbs?(?=up|down)|[a-z]+", re.sub("n['’]t(?![a-z])", " not", plain))


def as_number(mark: Any) -> float | None:
    """A mark as a number, also where it is a text of one; a flag is none."""
    if isinstance(mark, str):
        try:
            return number(float(mark))
        except ValueError:
            return None
    return number(mark)
