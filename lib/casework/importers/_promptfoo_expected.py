"""What a test of promptfoo expects: the values of its assertions, as they were when it was graded.

A test keeps a value as its configuration has it, `{{answer}}` or `file://answer.txt`. What stood
in its place is in the grading, from the versions on that keep it, and else in the variables.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from casework import canonical
from casework.importers._shape import mapping, sequence, text

_EXPECTED = ("equals", "contains", "icontains")
_ELSEWHERE = ("file://", "package:")
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_OPENS = ("{{", "{%", "{#")


class Expected:
    """Reads what tests expect.

    Attributes:
        unknown: how many values neither the grading nor the variables say.
    """

    def __init__(self) -> None:
        self.unknown = 0

    def of(self, result: Mapping[str, Any]) -> list[str]:
        """Values that the answer of a result was to equal or to contain."""
        grading = mapping(result.get("gradingResult"))
        graded = [mapping(one) for one in sequence(grading.get("componentResults"))]
        listed: Any = mapping(result.get("testCase")).get("assert")
        if "testCase" not in result:
            listed = [one.get("assertion") for one in graded]
        said = _as_graded(graded)
        values = []
        for check in _opened(listed):
            value = text(check.get("value"))
            if check.get("type") in _EXPECTED and value is not None:
                found = said.get(canonical.dumps(check)) if said else None
                found = found or _rendered(value, mapping(result.get("vars")))
                self.unknown += found is None
                values.append(found)
        return [value for value in values if value is not None]


def _opened(checks: Any) -> Iterator[Mapping[str, Any]]:
    """Assertions, and those in a set of assertions in its place."""
    for check in map(mapping, sequence(checks)):
        if check.get("type") == "assert-set":
            yield from map(mapping, sequence(check.get("assert")))
        else:
            yield check


def _as_graded(graded: list[Mapping[str, Any]]) -> dict[str, str]:
    """The value of each assertion, as JSON, of which the grading says that it was another text."""
    return {
        canonical.dumps(one.get("assertion")): said
        for one in graded
        if (said := text(mapping(one.get("metadata")).get("renderedAssertionValue"))) is not None
    }


def _rendered(value: str, given: Mapping[str, Any]) -> str | None:
    """A value with its variables in their place; None where it needs more than these."""
    if value.startswith(_ELSEWHERE):
        return None
    said = _VARIABLE.sub(lambda found: _plain(given.get(found[1])) or found[0], value)
    return None if any(mark in said for mark in _OPENS) or said.startswith(_ELSEWHERE) else said


def _plain(value: Any) -> str | None:
    """A variable as a template shows it, of the kinds that all templates show alike."""
    return text(value) if isinstance(value, str | int) else None
