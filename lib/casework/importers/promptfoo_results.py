"""Results of promptfoo (`promptfoo eval -o results.json`).

## Reads
The JSON export of versions 2 and 3 of the results, one file an evaluation: one row of `eval_runs`
for each pair of provider and prompt, one of `eval_samples` for each result.

## Fills
| column | from |
|---|---|
| `run_id` | `evalId`, else `eval@` and `results.timestamp`, and the number of the prompt; in \
version 2 that of the column of `results.table` with the same provider and label, and of several \
the one that shows the result |
| `suite` | `config.description`, else `evalId` |
| `started_at` | `results.timestamp`, else `metadata.evaluationCreatedAt` |
| `endpoint` | `provider` of the prompt |
| `prompt_name`, `prompt_hash` | `label`; SHA-256 of `raw`, the template |
| `harness_version` | `metadata.promptfooVersion` |
| `score` | share of tests passed: `metrics.testPassCount` of all three counts |
| `n_items` | the sum of the counts, where there is one, without further results of the same test |
| `item_id`, `epoch` | `testIdx`, of a test that is repeated the least, 1; a further result of the \
same test counts up. In version 2 the row of `results.table` with the same variables |
| `input_text` | the one of `vars` that is the question: of those that stand in the rendered \
prompts and differ between tests, the last one of some words; all of them as JSON where none does |
| `prompt_text` | `prompt.raw` as rendered |
| `output_text` | `response.output` |
| `score` of a sample | `score` |
| `target` | values of the assertions that equal or contain, of `testCase`, else of \
`gradingResult`: as graded, else with `vars` in their place; without one the field of that name, \
as below |
| `kind`, `category` and the like | `testCase.metadata`, else `metadata`: what bears the name of a \
column |
| `refused` | so, else whether an assertion `is-refusal` of `gradingResult` passed, or one \
`not-is-refusal` failed |
| `attributes` | `vars`, assertions, grading, cost, latency, error, what else a result holds |

## Leaves out
`config` but for its description, `results.table` but for prompts and numbers of version 2, usage of
tokens in total, and what else the export says of itself.

## Known limits
Promptfoo scores a call that failed 0, and counts it as a test that did not pass: how many there are
is told. The export does not say when an evaluation ended: `ended_at` stays empty. Exports of before
version 2, which hold a table alone, are not read. Tests of version 2 with the same variables are
one item. What an assertion expects from a file, or from more of a template than variables, is known
where the grading says it; how often it is not is told.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.errors import CaseworkError
from casework.importers._configuration import hash_prompt
from casework.importers._fields import FieldLog, Form, find
from casework.importers._importer import Importer, Options
from casework.importers._promptfoo_expected import Expected
from casework.importers._promptfoo_question import question_of
from casework.importers._promptfoo_table import Places
from casework.importers._records import read_document
from casework.importers._shape import filled, mapping, number, sequence, text, written
from casework.importers._source import Source
from casework.tables import eval_runs, eval_samples

_COUNTS = ("testPassCount", "testFailCount", "testErrorCount")
_ERROR = 2
"""The `failureReason` of a result that nothing has graded."""
_REFUSING = {"is-refusal": True, "not-is-refusal": False}
_RUN = Form(
    eval_runs,
    of="prompt",
    columns={"endpoint": ("provider",), "prompt_name": ("label",)},
    uses={"prompt_hash": ("raw",), "score": tuple(f"metrics.{name}" for name in _COUNTS)},
)
_SAMPLE = Form(
    eval_samples,
    of="result",
    columns={"score": ("score",), "prompt_text": ("prompt.raw",)},
    uses={
        "run_id": ("promptIdx",),
        "item_id": ("testIdx",),
        "input_text": (),
        "output_text": ("response.output",),
        "epoch": (),
    },
    own=("testCase.metadata", "metadata"),
    left_out=("tokenUsage", "response.tokenUsage", "testCase.vars"),
)
_EXPECTING = replace(_SAMPLE, uses={**_SAMPLE.uses, "target": ()})
_Place = tuple[str | None, str | None]
"""Numbers of a prompt and of a test."""
_EXPORT = Form(eval_runs, of="", columns={})
_TAKEN = {
    "evalId": "run_id",
    "config.description": "suite",
    "results.timestamp": "started_at",
    "metadata.evaluationCreatedAt": "started_at",
    "metadata.promptfooVersion": "harness_version",
}


def _recognises(source: Source) -> bool:
    found = source.first_object
    if not {"evalId", "results"} <= found.keys():
        return False
    inner = found["results"]
    return inner is None or (isinstance(inner, Mapping) and "results" in inner)


def _read(source: Source, options: Options) -> Iterator[Item]:
    whole = mapping(read_document(source).value())
    held, log = mapping(whole.get("results")), FieldLog(options.timezone)
    if not isinstance(held.get("results"), list):
        what, fix = "it holds no `results.results`", "export it with promptfoo of version 0.100 on"
        raise CaseworkError("NOT_A_PROMPTFOO_EXPORT", what, fix, where=source.name)
    name = _name(log, whole)
    if name is None:
        what, fix = "it names neither `evalId` nor `results.timestamp`", "export it as JSON again"
        raise CaseworkError("NOT_A_PROMPTFOO_EXPORT", what, fix, where=source.name)
    places = Places(held)
    placed = [(places.prompt(one), places.test(one)) for one in map(mapping, held["results"])]
    of_prompts = "prompts" if held.get("prompts") else "table"
    listed = "prompts" if of_prompts == "prompts" else "table/head/prompts"
    further, suite = _further(placed), text(mapping(whole.get("config")).get("description")) or name
    for position, prompt in enumerate(places.prompts):
        values = {**_run(log, whole, prompt, further[str(position)]),
                  "run_id": f"{name}/{position}", "suite": suite}  # fmt: skip
        yield Row(eval_runs, f"/results/{listed}/{position}", values)
    yield from _samples(log, name, held["results"], placed)
    _account(log, whole, {"results.results", f"results.{of_prompts}"})
    yield from log.items()


def _samples(log: FieldLog, name: str, results: list[Any], placed: list[_Place]) -> Iterator[Item]:
    """The results of an evaluation, of each of which `placed` says where it stands."""
    seen: Counter[_Place] = Counter()
    expected, question, broken = Expected(), question_of(results), 0
    for position, (result, place) in enumerate(zip(results, placed, strict=True)):
        locator = f"/results/results/{position}"
        if not isinstance(result, Mapping):
            raw = msgspec.json.encode(result).decode()
            yield Reject(locator, "JSON", "not an object", raw, eval_samples)
            continue
        prompt, test = place
        seen[place] += 1
        broken += result.get("failureReason") == _ERROR
        about = {"run_id": f"{name}/{prompt}" if prompt else None, "item_id": test,
                 "epoch": seen[place]}  # fmt: skip
        values = _sample(log, question, expected.of(result), result)
        yield Row(eval_samples, locator, {**values, **about})
    if broken:
        yield Note(f"{broken} results are errors, of calls or of graders: promptfoo scores them 0")
    if expected.unknown:
        yield Note(f"{expected.unknown} values of assertions are not told as graded: left out of "
                   "the target")  # fmt: skip


def _further(placed: list[_Place]) -> Counter[str | None]:
    """For each prompt how many results are of a test that has another."""
    further: Counter[str | None] = Counter()
    for (prompt, test), count in Counter(placed).items():
        further[prompt] += count - 1 if test is not None else 0
    return further


def _name(log: FieldLog, whole: Mapping[str, Any]) -> str | None:
    """The id of an evaluation, or its instant: one that no database holds has no id."""
    name, said = text(whole.get("evalId")), mapping(whole.get("results")).get("timestamp")
    made = log.instants.find(said)
    if name is None and made:
        log.took(_EXPORT, "results.timestamp", "run_id")
        return f"eval@{canonical.instant(made)}"
    return name


def _account(log: FieldLog, whole: Mapping[str, Any], listed: set[str]) -> None:
    """Where the fields go that are not those of a prompt or of a result."""
    for path, column in _TAKEN.items():
        if find(whole, path) not in (None, ""):
            log.took(_EXPORT, path, column)
    for name, value in filled(whole).items():
        parts = filled(mapping(value)) if name in ("results", "metadata") else {}
        for path in [f"{name}.{part}" for part in parts] or [name]:
            if path not in _TAKEN and path not in listed:
                log.leave(path)


def _run(
    log: FieldLog, whole: Mapping[str, Any], prompt: Mapping[str, Any], further: int
) -> dict[str, Any]:
    meta, held = mapping(whole.get("metadata")), mapping(whole.get("results"))
    metrics = mapping(prompt.get("metrics"))
    counts = {name: found for name in _COUNTS if (found := number(metrics.get(name))) is not None}
    total = sum(counts.values())
    raw = text(prompt.get("raw"))
    return {
        **log.fill(_RUN, prompt),
        "started_at": log.instants.find(held.get("timestamp"))
        or log.instants.find(meta.get("evaluationCreatedAt")),
        "prompt_hash": hash_prompt([raw] if raw else []),
        "harness": "promptfoo",
        "harness_version": text(meta.get("promptfooVersion")),
        "score": counts.get(_COUNTS[0], 0) / total if total else None,
        "n_items": max(int(total) - further, 0) if counts else None,
    }


def _sample(
    log: FieldLog, question: str | None, expected: list[str], result: Mapping[str, Any]
) -> dict[str, Any]:
    output, given = mapping(result.get("response")).get("output"), mapping(result.get("vars"))
    values = log.fill(_EXPECTING if expected else _SAMPLE, result)
    return {
        "refused": _refused(result),
        **values,
        "input_text": written(given.get(question)) if question else written(given),
        "output_text": written(output),
        "target": "\n".join(expected) or values.get("target"),
    }


def _refused(result: Mapping[str, Any]) -> bool | None:
    """Whether the first assertion on refusing found that the answer refuses; None without one."""
    for graded in map(
        mapping, sequence(mapping(result.get("gradingResult")).get("componentResults"))
    ):
        kind, passed = mapping(graded.get("assertion")).get("type"), graded.get("pass")
        if isinstance(passed, bool) and isinstance(kind, str) and kind in _REFUSING:
            return passed is _REFUSING[kind]
    return None


promptfoo_results = Importer(
    name="promptfoo_results",
    doc=__doc__ or "",
    tables=(eval_runs, eval_samples),
    recognises=_recognises,
    read=_read,
)
