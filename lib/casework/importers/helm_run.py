"""Runs of HELM: the folder of one run.

## Reads
A folder with `run_spec.json` and `scenario_state.json`; `stats.json` and
`per_instance_stats.json` where they are there.

## Fills
| column | from |
|---|---|
| `run_id` | `name` of the run, `@`, its first `request_datetime` |
| `eval_runs.suite` | the name without the model |
| `eval_runs.endpoint` | `adapter_spec.model_deployment`, else `adapter_spec.model` |
| `eval_runs.started_at`, `ended_at` | the first and last `request_datetime` of the results |
| `eval_runs.prompt_hash` | SHA-256 of what of `adapter_spec` makes the prompt: `method`, \
`instructions`, prefixes and suffixes, `substitutions`, how many examples and which |
| `eval_runs.params_hash` | SHA-256 of temperature, `max_tokens`, stop sequences, `num_outputs` |
| `eval_runs.score` | the mean of the first metric that is there: `exact_match`, \
`quasi_exact_match`, `f1_score`, else the first that is not of every run, as counts and times are, \
else `bits_per_byte`; of the test split, else of validation. HELM gives a mean for each sub split: \
they count by their instances with that metric |
| `eval_runs.n_items` | instances of that split, as they were, with that metric; all of them where \
no instance has it |
| `eval_samples.item_id` | `instance.id`, with the perturbation and its settings behind it |
| `input_text`, `prompt_text` | `instance.input.text`, `request.prompt` |
| `target` | references tagged `correct` |
| `output_text` | `result.completions` |
| `score` of a sample | the same metric of the instance, in the same trial |
| `attributes` of a sample | split, what the letters of choices stand for, error of the request |

## Leaves out
Caches, tokens and probabilities of completions; parameters of each request, which are those of the
adapter; statistics of other splits, of perturbations and of spread; what else the files of the run
hold, counted.

## Known limits
A run that has no metric of its own has no score. A run whose requests hold no date cannot be placed
in time: its row is a reject. Of several requests about one instance, one for each answer to choose
from, the first is its sample; the others are rejects. A metric of several sub splits that no
instance has by itself has no mean of the run, which is told.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from casework import canonical
from casework.case import Item, Note, Reject, Row
from casework.errors import CaseworkError
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._fields import FieldLog, Form
from casework.importers._helm_stats import SPLITS, headline, is_plain, means, metric_of, plain
from casework.importers._importer import Importer, Options
from casework.importers._records import read_document
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, eval_runs, eval_samples
from casework.words import several

_SPEC, _STATE = "run_spec.json", "scenario_state.json"
_STATS, _EACH = "stats.json", "per_instance_stats.json"
_PROMPT = ("method", "instructions", "input_prefix", "input_suffix", "reference_prefix",
           "reference_suffix", "output_prefix", "output_suffix", "instance_prefix", "global_prefix",
           "global_suffix", "chain_of_thought_prefix", "chain_of_thought_suffix", "substitutions",
           "max_train_instances", "sample_train")  # fmt: skip
_MODEL = re.compile(r"(?<=[,:])model(?:_deployment)?=[^,]*(?:,|$)")
_PARAMETERS = ("temperature", "max_tokens", "stop_sequences", "num_outputs")
_RUN = Form(
    eval_runs,
    of="run_spec",
    columns={},
    uses={
        "run_id": ("name",),
        "suite": ("name",),
        ATTRIBUTES: ("scenario_spec", "adapter_spec", "groups"),
    },
)
_ADAPTER = Form(
    eval_runs,
    of="adapter_spec",
    columns={"endpoint": ("model_deployment", "model")},
    uses={"prompt_hash": _PROMPT, "params_hash": _PARAMETERS},
)
_STAT = Form(eval_runs, of="stat", columns={}, uses={ATTRIBUTES: ("name", "mean")}, keeps=False)
_HEADLINE = replace(_STAT, uses={**_STAT.uses, "score": ("mean",)})
_COUNTED = Form(eval_runs, of="request_state", columns={})
_OF_INSTANCE = Form(eval_samples, of="per_instance_stat", columns={})
_SAMPLE = Form(
    eval_samples,
    of="request_state",
    columns={"input_text": ("instance.input.text",), "prompt_text": ("request.prompt",)},
    uses={
        "item_id": ("instance.id", "instance.perturbation"),
        "epoch": ("train_trial_index",),
        "target": ("instance.references",),
        "output_text": ("result.completions",),
        ATTRIBUTES: ("instance.split", "reference_index", "output_mapping", "result.error"),
    },
    keeps=False,
)
_RESULT = Form(
    eval_runs,
    of="result",
    columns={},
    uses=dict.fromkeys(("run_id", "started_at", "ended_at"), ("request_datetime",)),
    keeps=False,
)
_COMPLETION = Form(
    eval_samples,
    of="completion",
    columns={},
    uses={"output_text": ("text",)},
    keeps=False,
)


def _recognises(source: Source) -> bool:
    return (source.path / _SPEC).is_file() and (source.path / _STATE).is_file()


def _read(source: Source, options: Options) -> Iterator[Item]:
    log = FieldLog(options.timezone)
    spec, state = mapping(_part(source, _SPEC)), mapping(_part(source, _STATE))
    stats, each = sequence(_part(source, _STATS)), sequence(_part(source, _EACH))
    of_run = plain(stats)
    log.leave("stats of other splits and of perturbations", len(stats) - len(of_run))
    metric, split = headline(of_run)
    for one in of_run:
        log.fill(_HEADLINE if metric_of(one) == metric else _STAT, one)
    scores = _scores(log, each, metric)
    states = [mapping(one) for one in sequence(state.get("request_states"))]
    instants = _instants(log, states)
    name, items = text(spec.get("name")) or source.path.name, set()
    run_id = f"{name}@{canonical.instant(min(instants))}" if instants else name
    for position, one in enumerate(states):
        locator = f"{_STATE}/request_states/{position}"
        sample = _sample(log, one, scores)
        if is_plain(mapping(one.get("instance")), *([split] if split else SPLITS)):
            items.add((sample["item_id"], sample["score"] is not None))
        yield Row(eval_samples, locator, {"run_id": run_id, **sample})
    adapter = mapping(spec.get("adapter_spec")) or mapping(state.get("adapter_spec"))
    found = means(of_run, each)
    if not instants:
        reason = "no request of the run has a date"
        yield Reject(_SPEC, "NO_INSTANT", reason, canonical.dumps(spec), eval_runs)
    else:
        window = {"started_at": min(instants), "ended_at": max(instants)}
        run = {**_run(log, spec, adapter, found, metric), "n_items": _count(log, items)}
        yield Row(eval_runs, _SPEC, {"run_id": run_id, **window, **run})
    yield from _account(log, source, state)
    if failed := sum(mapping(one.get("result")).get("success") is False for one in states):
        yield Note(
            several(
                failed,
                "request failed: HELM scores it as an answer that says nothing",
                "requests failed: HELM scores them as answers that say nothing",
            )
        )
    if metric and found[metric] is None:
        yield Note(f"{metric} has no mean that holds for the whole run: no score")


def _account(log: FieldLog, source: Source, state: Mapping[str, Any]) -> Iterator[Item]:
    """What of the folder the case does not hold."""
    for part in state.keys() - {"request_states", "adapter_spec"}:
        log.leave(f"scenario_state.{part}")
    read = {source.path / part for part in (_SPEC, _STATE, _STATS, _EACH)}
    log.leave("other files of the run", len(set(source.files) - read))
    yield from log.items()


def _instants(log: FieldLog, states: list[Mapping[str, Any]]) -> list[datetime]:
    """When each request was made, of those that say so."""
    made = (mapping(one.get("result")).get("request_datetime") for one in states)
    return [when for said in made if (when := log.instants.find(said))]


def _part(source: Source, name: str) -> Any:
    path: Path = source.path / name
    if path not in source.files:
        return None
    if path.stat().st_size == 0:
        raise CaseworkError("EMPTY", "it is empty", "ask for the run again", where=name)
    return read_document(Source(path, f"{source.name}/{name}")).value()


def _run(
    log: FieldLog,
    spec: Mapping[str, Any],
    adapter: Mapping[str, Any],
    found: Mapping[str | None, float | None],
    metric: str | None,
) -> dict[str, Any]:
    made_of = filled({name: adapter.get(name) for name in _PROMPT})
    name = text(spec.get("name")) or ""
    parameters = {key: adapter.get(key) for key in _PARAMETERS}
    log.fill(_ADAPTER, adapter)
    values = log.fill(_RUN, spec)
    attributes = {**values.get(ATTRIBUTES, {}), "metrics": found, "score_from": metric,
                  "scenario": spec.get("scenario_spec"), "adapter": adapter,
                  "groups": spec.get("groups")}  # fmt: skip
    return {
        "suite": _MODEL.sub("", name).rstrip(",:") or name,
        "endpoint": text(adapter.get("model_deployment")) or text(adapter.get("model")),
        "prompt_hash": hash_prompt([canonical.dumps(made_of)] if made_of else []),
        "params_hash": hash_params(canonical.plain(filled(parameters))),
        "harness": "helm",
        "score": found.get(metric) if metric else None,
        "attributes": canonical.plain(filled(attributes)),
    }


def _count(log: FieldLog, items: set[tuple[str | None, bool]]) -> int | None:
    """How many instances have a score, or how many there are where none has.

    The `count` of a statistic is that of the trials, over whose means HELM takes it.
    """
    scored = {item for item, is_scored in items if is_scored}
    found = len(scored or {item for item, _ in items})
    if found:
        log.took(_COUNTED, "instance.id", "n_items")
    return found or None


def _scores(
    log: FieldLog, each: list[Any], metric: str | None
) -> dict[tuple[str, int], float | None]:
    found: dict[tuple[str, int], float | None] = {}
    for one in map(mapping, each):
        item = _item(one.get("instance_id"), one.get("perturbation"))
        for stat in map(mapping, sequence(one.get("stats"))):
            if metric_of(stat) == metric:
                found[item, _trial(one)] = number(stat.get("mean"))
                log.took(_OF_INSTANCE, "mean", "score")
            else:
                log.leave("per_instance_stats of other metrics")
    return found


def _trial(one: Mapping[str, Any]) -> int:
    """The number of the trial, from 1."""
    trial = number(one.get("train_trial_index"))
    return 1 if trial is None else int(trial) + 1


def _item(instance: Any, perturbation: Any) -> str:
    """The id of an instance as it was perturbed; perturbations of one name differ in settings."""
    given = filled(mapping(perturbation))
    name = text(given.get("name"))
    if not name:
        return str(text(instance))
    settings = {key: value for key, value in given.items() if key not in ("name", "computed_on")}
    return f"{text(instance)}/{name}{canonical.dumps(settings) if settings else ''}"


def _sample(
    log: FieldLog, one: Mapping[str, Any], scores: Mapping[tuple[str, int], float | None]
) -> dict[str, Any]:
    instance, result = mapping(one.get("instance")), mapping(one.get("result"))
    listed = sequence(instance.get("references"))
    references = [mapping(mapping(reference).get("output")).get("text") for reference in listed
                  if "correct" in sequence(mapping(reference).get("tags"))]  # fmt: skip
    log.leave("references that are not correct", len(listed) - len(references))
    done = [mapping(one) for one in sequence(result.get("completions"))]
    completions = [text(one.get("text")) for one in done]
    for completion in done:
        log.fill(_COMPLETION, completion)
    log.fill(_RESULT, {k: v for k, v in result.items() if k not in ("completions", "error")})
    item = _item(instance.get("id"), instance.get("perturbation"))
    return {
        **log.fill(_SAMPLE, {**one, "result": {"completions": done, "error": result.get("error")}}),
        "item_id": None if text(instance.get("id")) is None else item,
        "epoch": _trial(one),
        "target": "\n".join(filter(None, map(text, references))) or None,
        "output_text": "\n".join(filter(None, completions)) or None,
        "score": scores.get((item, _trial(one))),
        "attributes": canonical.plain(filled({
            "split": instance.get("split"), "reference_index": one.get("reference_index"),
            "output_mapping": one.get("output_mapping"), "error": result.get("error"),
        })),
    }  # fmt: skip


helm_run = Importer(
    name="helm_run",
    doc=__doc__ or "",
    tables=(eval_runs, eval_samples),
    recognises=_recognises,
    read=_read,
    of_folders=True,
)
