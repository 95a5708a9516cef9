"""What a part of a data set is for, by the name of its split or of its context."""

import re

_EVALUATES = re.compile(
    r"(?:eval(?:uat(?:e|ion|ing))?|test(?:ing)?|val(?:id(?:ation)?)?|dev(?:elopment)?"
    r"|bench(?:mark)?)(?:s|sets?)?(?![a-z])",
    re.IGNORECASE,
)


def evaluates(name: str | None) -> bool:
    """Whether a name begins with a word for evaluation, as `val`, `test_a` and `validation` do."""
    return _EVALUATES.match((name or "").strip()) is not None
