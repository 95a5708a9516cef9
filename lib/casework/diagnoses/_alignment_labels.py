"""Who judged whether an answer refuses: people, the judge of the suite, or a screen of words."""

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
    judged = ask.one(q.COVERAGE, **known)
    if judged["other_language"] >= judged["screen"]:
        judged = judged | {"screen": 0}
    most = max(judged[source] for source in SOURCES)
    if not most or (given is not None and not judged[given]):
        return None
    found = next(source for source in SOURCES if judged[source] >= NEARLY_ALL * most)
    return str(ask.infer("labels", given, found))
