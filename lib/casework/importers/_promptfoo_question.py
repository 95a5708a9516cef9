"""Which variable of an evaluation of promptfoo is its question: the others are what goes with it.

A test may have several: the question, examples, context, a number of the case, what is expected.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec

from casework.importers._shape import mapping, text, written

_MOST_VARIABLES = 100
_WORDS = 4
_NEARLY_ALL = 0.9


def question_of(results: Iterable[Any]) -> str | None:
    """The variable that the rendered prompts state as their question; None where none stands there.

    Of the variables that stand in the most prompts and of which the values differ the most, those
    of some words before those of few, and of them the one that stands last, as questions do. The
    first hundred variables of a result are looked for: each is sought in the whole prompt.
    """
    stands: dict[str, int] = defaultdict(int)
    values: dict[str, set[str]] = defaultdict(set)
    words: dict[str, int] = defaultdict(int)
    place: dict[str, float] = defaultdict(float)
    for result in map(mapping, results):
        prompt = (text(mapping(result.get("prompt")).get("raw")) or "")[::-1]
        for name, given in islice(mapping(result.get("vars")).items(), _MOST_VARIABLES):
            value = written(given)
            at = _place(prompt, value.strip()) if value else None
            if value and at is not None:
                stands[name] += 1
                values[name].add(value)
                words[name] += len(value.split())
                place[name] += at
    found = list(stands)
    for measure, share in ((stands, _NEARLY_ALL), ({n: len(values[n]) for n in found}, 0.5)):
        most = max((measure[name] for name in found), default=0)
        found = [name for name in found if measure[name] >= share * most]
    long = [name for name in found if words[name] >= _WORDS * stands[name]]
    return max(long or found, key=lambda name: place[name] / stands[name], default=None)


def _place(reversed_prompt: str, value: str) -> float | None:
    """Where a prompt states a value last, as a share of its length; chats are kept as JSON."""
    in_json = msgspec.json.encode(value).decode()[1:-1]
    at = _last(reversed_prompt, value)
    if at < 0 and in_json != value:
        at = _last(reversed_prompt, in_json)
    return at / len(reversed_prompt) if value and at >= 0 else None


def _last(reversed_text: str, part: str) -> int:
    """As `rfind` of the text, whose time grows with both lengths; that of `find` does not."""
    found = reversed_text.find(part[::-1])
    return len(reversed_text) - len(part) - found if found >= 0 else -1
