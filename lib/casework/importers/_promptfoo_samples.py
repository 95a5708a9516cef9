"""Results of promptfoo as samples: one result is one, of a JSON export as of JSON Lines."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from casework.case import Note, Row
from casework.importers._fields import FieldLog, Form
from casework.importers._promptfoo_expected import Expected
from casework.importers._shape import mapping, sequence, written
from casework.tables import eval_samples
from casework.words import several

_ERROR = 2
"""The `failureReason` of a result that nothing has graded."""
_REFUSING = {"is-refusal": True, "not-is-refusal": False}
_SAMPLE = Form(
    eval_samples,
    of="result",
    columns={"score": ("score",), "prompt_text": ("prompt.raw",)},
    uses={
        "run_id": ("promptIdx", "evalId"),
        "item_id": ("testIdx",),
        "input_text": (),
        "output_text": ("response.output",),
        "epoch": (),
    },
    own=("testCase.metadata", "metadata"),
    # the last two are of JSON Lines alone
    left_out=("tokenUsage", "response.tokenUsage", "testCase.vars", "persisted", "pluginId"),
)
_EXPECTING = replace(_SAMPLE, uses={**_SAMPLE.uses, "target": ()})


class Place(NamedTuple):
    """Where a result stands: the name of its evaluation, and numbers of prompt and test."""

    evaluation: str
    prompt: str | None
    test: str | None


class Samples:
    """Makes rows of the results of one source, of which `question` is the variable asked for."""

    def __init__(self, log: FieldLog, question: str | None) -> None:
        self._log, self._question = log, question
        self._expected, self._broken = Expected(), 0

    def row(self, locator: str, result: Mapping[str, Any], place: Place, epoch: int) -> Row:
        """The row of a result, which is the nth of its test."""
        self._broken += result.get("failureReason") == _ERROR
        expected = self._expected.of(result)
        output, given = mapping(result.get("response")).get("output"), mapping(result.get("vars"))
        values = self._log.fill(_EXPECTING if expected else _SAMPLE, result)
        about = {
            "run_id": f"{place.evaluation}/{place.prompt}" if place.prompt else None,
            "item_id": place.test,
            "epoch": epoch,
            "input_text": written(given.get(self._question) if self._question else given),
            "output_text": written(output),
            "target": "\n".join(expected) or values.get("target"),
        }
        return Row(eval_samples, locator, {"refused": _refused(result), **values, **about})

    def notes(self) -> Iterator[Note]:
        """What a reader should know of the rows that were made."""
        if self._broken:
            one = "result is an error, of a call or of a grader: promptfoo scores it 0"
            more = "results are errors, of calls or of graders: promptfoo scores them 0"
            yield Note(several(self._broken, one, more))
        if self._expected.unknown:
            one, more = "value of an assertion is", "values of assertions are"
            told = several(self._expected.unknown, one, more)
            yield Note(f"{told} not told as graded: left out of the target")


def _refused(result: Mapping[str, Any]) -> bool | None:
    """Whether the first assertion on refusing found that the answer refuses; None without one."""
    for graded in map(
        mapping, sequence(mapping(result.get("gradingResult")).get("componentResults"))
    ):
        kind, passed = mapping(graded.get("assertion")).get("type"), graded.get("pass")
        if isinstance(passed, bool) and isinstance(kind, str) and kind in _REFUSING:
            return passed is _REFUSING[kind]
    return None
