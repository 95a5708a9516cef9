"""Where results of promptfoo stand, which version 2 says in a table alone.

A row of `table.body` is a test, a column of `table.head.prompts` a prompt with its provider.
Results of version 2 bear no numbers of them, and concurrent ones are in the order in which they
ended. Those of version 3 do, but a test that is repeated has as many numbers.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from casework import canonical
from casework.importers._promptfoo_samples import Place
from casework.importers._shape import mapping, number, sequence, text, written

_Number = tuple[str | None, str]
"""The number of a test, behind the evaluation that the result names, as those of lines may."""
Numbered = tuple[Place, float | None]
"""The place of a result, and the number of its test, of which a repeated one has several."""
_UNDER_ERROR = "\n---\n"


class Places:
    """Numbers of prompts and tests of an evaluation, by what its results say of themselves."""

    def __init__(self, held: Mapping[str, Any], results: Iterable[Any]) -> None:
        """Read what an export holds beside its results, and these."""
        table = mapping(held.get("table"))
        head = mapping(table.get("head"))
        self.prompts = [
            mapping(one) for one in sequence(held.get("prompts")) or sequence(head.get("prompts"))
        ]
        columns = [(text(one.get("provider")), text(one.get("label"))) for one in self.prompts]
        self._columns = {column: place for place, column in reversed(list(enumerate(columns)))}
        self._alike = {column for column, count in Counter(columns).items() if count > 1}
        self._names = [text(name) or "" for name in sequence(head.get("vars"))]
        body = [mapping(row) for row in sequence(table.get("body"))]
        rows = [tuple(map(_cell, sequence(row.get("vars")))) for row in body]
        self._rows = {row: place for place, row in reversed(list(enumerate(rows)))}
        self._outputs: dict[Any, deque[int]] = defaultdict(deque)
        for row in body if self._alike else []:
            for place, output in enumerate(map(mapping, sequence(row.get("outputs")))):
                if place < len(columns) and columns[place] in self._alike:
                    shown = _shown(text(output.get("prompt")), output, output.get("text"))
                    self._outputs[columns[place], shown].append(place)
        self._first = _first_numbers(results)

    def prompt(self, result: Mapping[str, Any]) -> str | None:
        """Number of the prompt of a result; None where nothing says it.

        Of prompts with the same provider and label it is the one whose cell shows the result, and
        each cell shows one: ask once for each result.
        """
        said = text(result.get("promptIdx"))
        if said is not None:
            return said
        provider, label = mapping(result.get("provider")), mapping(result.get("prompt"))
        for name in ("label", "id"):
            column = (text(provider.get(name)), text(label.get("label")))
            if column in self._alike:
                return self._place(column, text(label.get("raw")), result)
            if column in self._columns:
                return str(self._columns[column])
        return None

    def _place(self, column: Any, prompt: str | None, result: Mapping[str, Any]) -> str | None:
        """Number of the prompt among those called alike.

        Of a call that failed the cell shows the error, or nothing below the error.
        """
        output = mapping(result.get("response")).get("output") or None
        for said in (output or result.get("error"), output):
            if places := self._outputs.get((column, _shown(prompt, result, said))):
                return str(places.popleft())
        return None

    def test(self, result: Mapping[str, Any]) -> str | None:
        """Number of the test of a result, the first of those that are the same test."""
        said = text(result.get("testIdx"))
        if said is not None:
            return self._first.get((text(result.get("evalId")), said), said)
        given = mapping(result.get("vars"))
        row = tuple(_cell(given.get(name)) for name in self._names)
        place = self._rows.get(row)
        return None if place is None else str(place)


def epochs(placed: Sequence[Numbered]) -> list[int]:
    """Which of the results in its place each is, in the order of their numbers.

    Exports of one evaluation have them in various orders.
    """
    seen: Counter[Place] = Counter()
    found = [0] * len(placed)
    for at in sorted(range(len(placed)), key=lambda at: placed[at][1] or 0):
        place = placed[at][0]
        seen[place] += 1
        found[at] = seen[place]
    return found


def _first_numbers(results: Iterable[Any]) -> dict[_Number, str]:
    """For each number of a test the least of those of the same test: it was repeated."""
    tests: dict[_Number, bytes | None] = {}
    least: dict[tuple[str | None, bytes], tuple[float, str]] = {}
    for result in map(mapping, results):
        said, counted = text(result.get("testIdx")), number(result.get("testIdx"))
        evaluation = text(result.get("evalId"))
        if said is None or counted is None or (evaluation, said) in tests:
            continue
        test = tests[evaluation, said] = _test(result)
        if test is not None:
            known = least.get((evaluation, test), (counted, said))
            least[evaluation, test] = min((counted, said), known)
    return {(of, said): least[of, test][1] for (of, said), test in tests.items()
            if test is not None}  # fmt: skip


def _test(result: Mapping[str, Any]) -> bytes | None:
    """What is the same of a test that is repeated; None where its variables are left out."""
    test = mapping(result.get("testCase"))
    given = test.get("vars") or result.get("vars") or ({} if "vars" in test else None)
    if given is None:
        return None
    whole = canonical.dumps({**test, "vars": given})
    return sha256(whole.encode("utf-8", "surrogatepass")).digest()


def _shown(prompt: str | None, result: Mapping[str, Any], output: Any) -> tuple[Any, ...]:
    """What a cell shows of a result; of a failed one it shows the error above the answer."""
    said = (written(output) or "").rpartition(_UNDER_ERROR)[2]
    return prompt, said, number(result.get("score")), number(result.get("latencyMs"))


def _cell(value: Any) -> str:
    """A variable as the table shows it: text as it is, nothing, 0 and false as none, else JSON."""
    if isinstance(value, str):
        return value
    is_shown = value or isinstance(value, list | dict)
    return msgspec.json.encode(value).decode() if is_shown else ""
