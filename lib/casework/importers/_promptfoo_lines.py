"""Results of promptfoo as JSON Lines: one result a line, and nothing of the evaluation but its id.

`promptfoo eval -o results.jsonl` writes a line when a result is there, which names no evaluation;
`promptfoo export` and the package write those of the database, in which each names its own. They
hold no instant, and may be more than a JSON export can hold: they are read several times rather
than held.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Item, Note, Reject
from casework.importers._fields import FieldLog
from casework.importers._promptfoo_question import question_of
from casework.importers._promptfoo_samples import Place, Samples
from casework.importers._promptfoo_table import Places, epochs
from casework.importers._records import Record, records
from casework.importers._shape import mapping, number, text
from casework.importers._source import Source
from casework.tables import eval_samples
from casework.words import several


def are_results(source: Source) -> bool:
    """Whether a source begins with a result, also where its head ends within it."""
    names = source.first_object.keys()
    is_cut = [*names][:2] == ["provider", "prompt"] and "raw" in source.within("prompt")
    return {"promptIdx", "testIdx"} <= names or is_cut


def read_results(source: Source, log: FieldLog) -> Iterator[Item]:
    """Yield the samples of a source, and an account of them."""
    of_file, nameless = f"{source.folder}/{source.bare_name}", 0
    places = Places({}, _results(source))
    placed = [(_place(one, places, of_file), number(one.get("testIdx")))
              for one in _results(source)]  # fmt: skip
    samples = Samples(log, question_of(_results(source)))
    standing = zip((place for place, _ in placed), epochs(placed), strict=True)
    for found in records(source):
        if isinstance(found, Reject):
            yield found._replace(table=eval_samples)
            continue
        result, stands = _whole(found), next(standing, None)
        if stands is None:
            break  # it was written while the file was read
        configured = bool(mapping(found.values.get("provider")).get("config"))
        log.leave("result.provider.config", configured)
        nameless += text(result.get("evalId")) is None
        yield samples.row(found.locator, result, *stands)
    yield Note("lines say neither when the evaluation ran nor what it was set up with: no run is "
               "made of them, the JSON of the same evaluation has it")  # fmt: skip
    if nameless:
        told = several(nameless, "result names", "results name")
        yield Note(f"{told} no evaluation: of a run that is named after the file, which joins no "
                   "other export")  # fmt: skip
    yield from samples.notes()
    yield from log.items()


def _results(source: Source) -> Iterator[Mapping[str, Any]]:
    return (_whole(found) for found in records(source) if isinstance(found, Record))


def _whole(found: Record) -> Mapping[str, Any]:
    """A result as a JSON export has it: without the configuration of its provider.

    A row of the database has its variables with the test.
    """
    result, provider = found.values, found.values.get("provider")
    if isinstance(provider, Mapping):
        provider = {name: value for name, value in provider.items() if name != "config"}
    given = result.get("vars") if "vars" in result else mapping(result.get("testCase")).get("vars")
    return {**result, "provider": provider, "vars": given}


def _place(result: Mapping[str, Any], places: Places, of_file: str) -> Place:
    name = text(result.get("evalId")) or of_file
    return Place(name, places.prompt(result), places.test(result))
