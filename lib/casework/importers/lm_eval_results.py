"""Results of lm-evaluation-harness (`results_<instant>.json`).

## Reads
One file of aggregated results, of version 0.4 and of the older layout, with `NaN` and `Infinity`
as Python writes them; one row of `eval_runs` for each task and group of tasks.

## Fills
| column | from |
|---|---|
| `run_id` | the task and the instant in the file name, else `date`; samples of the run bear the \
same |
| `suite` | the key in `results` |
| `started_at` | `date`; without it the instant in the file name, at which the file was saved, \
less the time that the evaluation took, where it is told |
| `ended_at` | `date` and `total_evaluation_time_seconds`; without `date` the instant in the file \
name |
| `endpoint` | `model_name`, else `peft`, `delta`, `pretrained` or `model` of `config.model_args` |
| `checkpoint` | `config.model_sha`, unless `model_args` name an adapter or delta weights: it \
is that of the base |
| `prompt_hash` | SHA-256 of what makes the prompt: text functions, delimiters, description, \
examples, chat template, system instruction |
| `params_hash` | SHA-256 of `generation_kwargs` and `config.gen_kwargs` |
| `harness_version` | `lm_eval_version` |
| `code_revision` | `git_hash` |
| `score` | the first metric of the task that is no standard error, and not `bypass`, which stands \
for answers that nobody scored |
| `n_items` | `n-samples`, `effective`; of a group the sum over its tasks, those of groups within \
it too |
| `attributes` | all metrics, `n-shot`, the version and hash of the task, the metric of the score, \
`limit`, seeds, data types, what else `config` says |

## Leaves out
`configs` but for what makes the prompt; `pretty_env_info`, tokenizer ids, and what else the file
says of itself.

## Known limits
A file of the older layout does not say when the run was: it is refused until its name does. A task
hash covers documents and prompts together, so it is no `dataset_hash`. Object addresses in
configurations are removed before hashing. What is not finite is no score. Groups of groups are
counted within a million steps in all; what is beyond has no `n_items`, which is told.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from casework import canonical
from casework.case import Fields, Item, Note, Row
from casework.errors import CaseworkError
from casework.importers._configuration import hash_params
from casework.importers._fields import find
from casework.importers._importer import Importer, Options
from casework.importers._instants import Instants, later
from casework.importers._lm_eval import is_score, run_id, stamp, without_addresses
from casework.importers._records import read_document
from casework.importers._shape import filled, mapping, number, parsed, pointer, sequence, text
from casework.importers._source import Source
from casework.tables import eval_runs
from casework.words import several

_PROMPT = (
    *("doc_to_text", "doc_to_target", "doc_to_choice", "description", "target_delimiter"),
    *("fewshot_delimiter", "fewshot_config", "fewshot_split", "num_fewshot", "gen_prefix"),
)
_TAKEN = {
    "date": "started_at",
    "model_name": "endpoint",
    "config.model_args": "endpoint",
    "config.model_sha": "checkpoint",
    "configs": "prompt_hash",
    "chat_template": "prompt_hash",
    "system_instruction": "prompt_hash",
    "fewshot_as_multiturn": "prompt_hash",
    "config.gen_kwargs": "params_hash",
    "lm_eval_version": "harness_version",
    "git_hash": "code_revision",
    "results": "score",
    "n-samples": "n_items",
    **dict.fromkeys(
        ("n-shot", "versions", "task_hashes", "higher_is_better", "config", "group_subtasks"),
        "attributes",
    ),
}
_NAMED = "results_2026-03-01T10-11-12.json"
_NO_METRICS = ("alias", "name", "sample_len", "sample_count", " ")
"""Entries of a task that are none; a group without one has a blank."""
_MOST_STEPS = 1_000_000
_UPON_A_BASE = ("peft", "delta")


def _recognises(source: Source) -> bool:
    found = source.first_object
    if "results" not in found or not isinstance(found["results"], Mapping | None):
        return False
    if "configs" in found or {"versions", "config"} <= found.keys():
        return True
    tasks = source.within("results").values()  # so many that the head ends among them
    return any("alias" in mapping(one) or any("," in key for key in mapping(one)) for one in tasks)


def _read(source: Source, options: Options) -> Iterator[Item]:
    whole = mapping(read_document(source).value())
    results, instants = mapping(whole.get("results")), Instants(options.timezone)
    started = instants.find(whole.get("date"))
    if not results:
        what, fix = "it holds no results of a run", "give each run a file of its own"
        raise CaseworkError("NO_RESULTS", what, fix, where=source.name)
    when = stamp(source) or (started.isoformat() if started else None)
    if when is None:
        raise CaseworkError(
            "NO_INSTANT", "neither its name nor its `date` says when it ran",
            f"give it the name that the harness gave it, or one with the instant, {_NAMED}",
            where=source.name,
        )  # fmt: skip
    taken = number(_as_number(whole.get("total_evaluation_time_seconds")))
    saved = None if started else instants.find(_iso(when))
    run = {
        "started_at": started or later(saved, -(taken or 0.0)),
        "ended_at": saved or later(started, taken),
        "harness": "lm-evaluation-harness",
        "harness_version": text(whole.get("lm_eval_version")),
        "code_revision": text(whole.get("git_hash")),
        **_model(whole),
    }
    unscored, uncounted = 0, 0
    for task, (items, is_counted) in zip(results, _items(whole), strict=True):
        named = {"run_id": run_id(task, when), "suite": task, "n_items": items}
        row = {**run, **named, **_task(whole, task)}
        unscored += row["score"] is None
        uncounted += not is_counted
        yield Row(eval_runs, f"/results{pointer(task)}", row)
    if _adapter(whole):
        yield Note("the recorded digest is that of the base, not of what was put upon it: no "
                   "checkpoint")  # fmt: skip
    if saved:
        yield Note("it has no `date`: dated by the instant in its name, at which it was saved")
    if unscored:
        yield Note(f"{several(unscored, 'task has', 'tasks have')} no finite score")
    if uncounted:
        told = several(uncounted, "group nests", "groups nest")
        yield Note(f"{told} too much to be counted: no n_items")
    yield from instants.notes()
    yield _account(filled(whole), "started_at" if saved else "ended_at")


def _account(whole: Mapping[str, Any], from_taken: str) -> Fields:
    """Where the fields go, of which the time that the evaluation took goes to `from_taken`."""
    told = {**_TAKEN, "total_evaluation_time_seconds": from_taken}
    held = {name: column for name, column in told.items() if find(whole, name) is not None}
    return Fields(
        {name: [f"eval_runs.{column}"] for name, column in held.items()},
        {name: 1 for name in whole if name not in told},
    )


def _model(whole: Mapping[str, Any]) -> dict[str, Any]:
    config = mapping(whole.get("config"))
    arguments = _arguments(config.get("model_args"))
    named = [arguments.get(name) for name in (*_UPON_A_BASE, "pretrained", "model", "engine")]
    names = [text(whole.get("model_name")), *map(text, named), text(config.get("model"))]
    return {
        "endpoint": next((name for name in names if name), None),
        "checkpoint": None if _adapter(whole) else text(config.get("model_sha")),
    }


def _adapter(whole: Mapping[str, Any]) -> str | None:
    """The adapter or delta weights that were put upon the model, if any."""
    arguments = _arguments(mapping(whole.get("config")).get("model_args"))
    return next((found for name in _UPON_A_BASE if (found := text(arguments.get(name)))), None)


def _arguments(value: Any) -> Mapping[str, Any]:
    """Model arguments: an object or its JSON, or before 0.4.9 a text of `name=value` pairs."""
    value = parsed(value)
    if isinstance(value, str):
        pairs = (pair.partition("=") for pair in value.split(","))
        return {name.strip(): setting for name, _, setting in pairs}
    return mapping(value)


def _task(whole: Mapping[str, Any], task: str) -> dict[str, Any]:
    config, own = mapping(whole.get("config")), mapping(mapping(whole.get("configs")).get(task))
    metrics = {
        name: value
        for name, value in mapping(mapping(whole["results"])[task]).items()
        if name not in _NO_METRICS
    }
    scored = [name for name in metrics if "_stderr" not in name and is_score(name)]
    generation = {**mapping(own.get("generation_kwargs")), **mapping(config.get("gen_kwargs"))}
    attributes = {
        "metrics": metrics,
        "metric": scored[0] if scored else None,
        "subtasks": mapping(whole.get("group_subtasks")).get(task),
        "alias": mapping(mapping(whole["results"])[task]).get("alias"),
        "sample_count": mapping(mapping(whole["results"])[task]).get("sample_count"),
        **{
            name.replace("-", "_"): mapping(whole.get(name)).get(task)
            for name in ("n-shot", "versions", "task_hashes", "higher_is_better", "n-samples")
        },
        "base_checkpoint": text(config.get("model_sha")) if _adapter(whole) else None,
        "config": filled({k: v for k, v in config.items() if k != "model_sha"}),
    }
    return {
        "prompt_hash": _prompt_hash(whole, own),
        "params_hash": hash_params(canonical.plain(generation)),
        "score": number(metrics[scored[0]]) if scored else None,
        "attributes": canonical.plain(filled(attributes)),
    }


def _items(whole: Mapping[str, Any]) -> Iterator[tuple[int | None, bool]]:
    """For each of the results how many items it has, and whether it could be counted.

    A group has those of its tasks and of groups within it, each task once. Groups that nest take
    steps by the square of their number: after a million no further group is counted.
    """
    within = {name: [*map(str, sequence(held))]
              for name, held in mapping(whole.get("group_subtasks")).items()}  # fmt: skip
    counts = {name: number(mapping(held).get("effective"))
              for name, held in mapping(whole.get("n-samples")).items()}  # fmt: skip
    steps = 0
    for task in mapping(whole["results"]):
        waiting, seen = [task], set[str]()
        while waiting and (steps < _MOST_STEPS or not within.get(waiting[-1])):
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += within.get(name, [])
                steps += len(within.get(name, []))
        counted = [counts.get(name) for name in seen if not within.get(name)]
        total = None if None in counted or not counted else int(sum(filter(None, counted)))
        yield (None if waiting else total), not waiting


def _prompt_hash(whole: Mapping[str, Any], own: Mapping[str, Any]) -> str | None:
    made_of = filled({
        **{name: own.get(name) for name in _PROMPT},
        "chat_template": whole.get("chat_template"),
        "system_instruction": whole.get("system_instruction"),
        "fewshot_as_multiturn": whole.get("fewshot_as_multiturn"),
    })  # fmt: skip
    if not own:
        return None
    return sha256(without_addresses(canonical.dumps(canonical.plain(made_of))).encode()).hexdigest()


def _as_number(value: Any) -> Any:
    """The number in a text, as which the harness writes how long it took."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return None


def _iso(when: str) -> str:
    day, _, clock = when.partition("T")
    return f"{day}T{clock.replace('-', ':')}"


lm_eval_results = Importer(
    name="lm_eval_results",
    doc=__doc__ or "",
    tables=(eval_runs,),
    recognises=_recognises,
    read=_read,
)
