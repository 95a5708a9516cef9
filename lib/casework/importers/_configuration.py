"""Identity of a configuration where a source holds its content and no hash of it.

Every importer makes these hashes here, so that what was served and what was evaluated compare.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.importers._json_document import decoded
from casework.importers._months import MONTH

_OF_ONE_CALL = frozenset(
    (
        *("model", "model_name", "user", "metadata", "safety_identifier", "prompt_cache_key"),
        *("id", "created_at", "completed_at", "previous_response_id"),
    )
)
"""What tools keep among the parameters though it is the model, or says who called or what came."""
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_YEAR = r"(?:19|20)[0-9]{2}"
_HAS_YEAR = re.compile(_YEAR)
_DATE = re.compile(
    r"(?:\b(?:mon|tues|wednes|thurs|fri|satur|sun)day,? +|\b(?:mon|tue|wed|thu|fri|sat|sun),? +)?"
    r"(?<![0-9])(?:"
    rf"{_YEAR}([-/.]){_DAY}\1{_DAY}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
    rf"|{_DAY}([-/.]){_DAY}\2{_YEAR}"
    rf"|{_DAY}(?:st|nd|rd|th|\.)? +(?:(?:de|of) +)?{MONTH},? +(?:de +)?{_YEAR}"
    rf"|\b(?=[^\W\d_]++\.? +[0-9]){MONTH} +{_DAY}(?:st|nd|rd|th)?,? +{_YEAR}"
    r")(?![0-9])",
    re.IGNORECASE,
)
"""A calendar day with its year, written in numbers, or with the name of a month."""


def hash_prompt(system: Sequence[str]) -> str | None:
    """SHA-256 of a system prompt in UTF-8, several messages joined by a newline; None of none.

    Calendar dates are masked: a template that tells the model what day it is is the same template
    tomorrow.
    """
    if not system:
        return None
    said = "\n".join(system)
    if _HAS_YEAR.search(said):
        said = _without_dates(said)
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=256)
def _without_dates(text: str) -> str:
    """Mask the dates; requests repeat their prompt, and a long one takes milliseconds."""
    return _DATE.sub("<date>", text)


def hash_params(parameters: Mapping[str, Any]) -> str | None:
    """SHA-256 of call parameters as canonical JSON; None where none is set.

    Names are those after `gen_ai.request.` of the OpenTelemetry conventions, without the model and
    without what differs from call to call, such as the user or the id of the answer. A parameter
    that is None is not set, and 1.0 is 1: tools write the same number both ways.
    """
    chosen = {
        name: _plain(value)
        for name, value in parameters.items()
        if value is not None and name not in _OF_ONE_CALL
    }
    return sha256(canonical.dumps(chosen).encode()).hexdigest() if chosen else None


def hash_invocation(value: Any) -> str | None:
    """Hash of call parameters that one attribute holds, as an object or as its JSON text.

    None where it is neither, nests deeper than 64 levels, or sets nothing besides the model.
    """
    if isinstance(value, str):
        try:
            value = decoded(value)
        except ValueError:
            return None
    if not isinstance(value, Mapping):
        return None
    return hash_params(canonical.plain(value))


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
