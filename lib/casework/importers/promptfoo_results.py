"""Results of promptfoo (`promptfoo eval -o results.json`, `-o results.jsonl`).

## Reads
The JSON export of versions 2 and 3 of the results, one file an evaluation: one row of `eval_runs`
for each pair of provider and prompt, one of `eval_samples` for each result. JSON Lines of results
alone, as they are written while it runs or from the database, which become `eval_samples`.

## Fills
| column | from |
|---|---|
| `run_id` | `evalId`, else `eval@` and `results.timestamp`, and the number of the prompt; in \
version 2 that of the column of `results.table` with the same provider and label, and of several \
the one that shows the result. Of JSON Lines `evalId` of each, else folder and name of the file, \
and the number |
| `suite` | `config.description`, else `evalId` |
| `started_at` | `results.timestamp`, else `metadata.evaluationCreatedAt` |
| `endpoint` | `provider` of the prompt |
| `prompt_name`, `prompt_hash` | `label`; SHA-256 of `raw`, the template |
| `harness_version` | `metadata.promptfooVersion` |
| `score` | share of tests passed: `metrics.testPassCount` of all three counts |
| `n_items` | the sum of the counts, where there is one, without further results of the same test |
| `item_id`, `epoch` | `testIdx`, of a test that is repeated the least, 1; a further result of the \
same test counts up, in the order of `testIdx`. In version 2 the row of `results.table` with the \
same variables |
| `input_text` | the one of `vars`, else of `testCase.vars`, that is the question: of those that \
stand in the rendered prompts and differ between tests, the last one of some words; all of them as \
JSON where none does |
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
tokens in total, and what else the export says of itself. Of JSON Lines the configuration of a
provider, which may hold keys.

## Known limits
Promptfoo scores a call that failed 0, and counts it as a test that did not pass: how many there are
is told. The export does not say when an evaluation ended: `ended_at` stays empty. Exports of before
version 2, which hold a table alone, are not read. Tests of version 2 with the same variables are
one item. What an assertion expects from a file, or from more of a template than variables, is known
where the grading says it; how often it is not is told.

JSON Lines say neither when the evaluation ran nor with which prompts: no `eval_runs` are made of
them, and their samples join those of its JSON where the lines name it. A line that is written while
it runs does not, and holds no grade that compares answers (`select-best`, `max-score`): that comes
after. CSV (`-o results.csv`) is not read: in that of older versions nothing is promptfoo's own but
brackets in the names of columns, and later ones repeat names for each prompt. It does not say which
test a row is, nor the prompt as rendered; scores have two digits.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from casework import canonical
from casework.case import Item, Reject, Row
from casework.errors import CaseworkError
from casework.importers._configuration import hash_prompt
from casework.importers._fields import FieldLog, Form, find
from casework.importers._importer import Importer, Options
from casework.importers._promptfoo_lines import are_results, read_results
from casework.importers._promptfoo_question import question_of
from casework.importers._promptfoo_samples import Place, Samples
from casework.importers._promptfoo_table import Numbered, Places, epochs
from casework.importers._records import read_document
from casework.importers._shape import filled, mapping, number, text
from casework.importers._source import Source
from casework.tables import eval_runs, eval_samples

_COUNTS = ("testPassCount", "testFailCount", "testErrorCount")
_RUN = Form(
    eval_runs,
    of="prompt",
    columns={"endpoint": ("provider",), "prompt_name": ("label",)},
    uses={"prompt_hash": ("raw",), "score": tuple(f"metrics.{name}" for name in _COUNTS)},
)
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
        return are_results(source)
    inner = found["results"]
    return inner is None or (isinstance(inner, Mapping) and "results" in inner)


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    if are_results(source):
        yield from read_results(source, log)
        return
    whole = mapping(read_document(source).value())
    held = mapping(whole.get("results"))
    if not isinstance(held.get("results"), list):
        what, fix = "it holds no `results.results`", "export it with promptfoo of version 0.100 on"
        raise CaseworkError("NOT_A_PROMPTFOO_EXPORT", what, fix, where=source.name)
    name = _name(log, whole)
    if name is None:
        what, fix = "it names neither `evalId` nor `results.timestamp`", "export it as JSON again"
        raise CaseworkError("NOT_A_PROMPTFOO_EXPORT", what, fix, where=source.name)
    results = list(map(mapping, held["results"]))
    places = Places(held, results)
    placed = [(Place(name, places.prompt(one), places.test(one)), number(one.get("testIdx")))
              for one in results]  # fmt: skip
    of_prompts = "prompts" if held.get("prompts") else "table"
    listed = "prompts" if of_prompts == "prompts" else "table/head/prompts"
    further, suite = _further(placed), text(mapping(whole.get("config")).get("description")) or name
    for position, prompt in enumerate(places.prompts):
        values = {**_run(log, whole, prompt, further[str(position)]),
                  "run_id": f"{name}/{position}", "suite": suite}  # fmt: skip
        yield Row(eval_runs, f"/results/{listed}/{position}", values)
    yield from _samples(log, held["results"], placed)
    _account(log, whole, {"results.results", f"results.{of_prompts}"})
    yield from log.items()


def _samples(log: FieldLog, results: list[Any], placed: list[Numbered]) -> Iterator[Item]:
    """The results of an evaluation, of each of which `placed` says where it stands."""
    samples = Samples(log, question_of(results))
    for position, (result, (place, _), epoch) in enumerate(
        zip(results, placed, epochs(placed), strict=True)
    ):
        locator = f"/results/results/{position}"
        if isinstance(result, Mapping):
            yield samples.row(locator, result, place, epoch)
        else:
            raw = msgspec.json.encode(result).decode()
            yield Reject(locator, "JSON", "not an object", raw, eval_samples)
    yield from samples.notes()


def _further(placed: list[Numbered]) -> Counter[str | None]:
    """For each prompt how many results are of a test that has another."""
    further: Counter[str | None] = Counter()
    for place, count in Counter(place for place, _ in placed).items():
        further[place.prompt] += count - 1 if place.test is not None else 0
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


promptfoo_results = Importer(
    name="promptfoo_results",
    doc=__doc__ or "",
    tables=(eval_runs, eval_samples),
    recognises=_recognises,
    read=_read,
)
