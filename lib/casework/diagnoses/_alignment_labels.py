"""Who judged whether an answer refuses: people, the judge of the suite, or a screen of words."""

from collections.abc import Mapping
from typing import Any

from casework.diagnoses import _alignment as q
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name

SOURCES = {"human": "people", "judge": "the judge of the suite", "screen": "a screen of the words"}
"""Who judged whether an answer refuses, from the most to the least to be trusted."""
LABELLED_IN = {"human": "human_refused", "judge": "refused"}
"""The column of `eval_samples` that holds their labels."""

ENOUGH_LABELS = 50
NEARLY_ALL = 0.9


def choose_labels(ask: Inquiry, given: str | None, known: dict[str, Any]) -> str | None:
    """Settle who judged: as given, else people or the judge where they did nearly all, else words.

    The screen reads English alone: it judges nothing where more prompts have an answer in another
    language than have two that it reads.

    Raises:
        UsageError: UNKNOWN_LABELS.
    """
    if given is not None and given not in SOURCES:
        raise unknown_name("labels", given, list(SOURCES))
    covered = ask.one(q.COVERAGE, **known)
    judged = {source: covered[source] for source in SOURCES}
    if covered["other_language"] >= covered["screen"]:
        judged["screen"] = 0
    if not any(judged.values()) or (given is not None and not judged[given]):
        return None
    return str(ask.infer("labels", given, most_trusted(judged)))


def most_trusted(judged: Mapping[str, int]) -> str:
    """The most to be trusted of those who judged nearly as much as any; `judged` is how much."""
    most = max(judged.values())
    return next(source for source in SOURCES if judged.get(source, 0) >= NEARLY_ALL * most)
