"""Runs of HELM: the folder of one run.

## Reads
A folder with `run_spec.json` and `scenario_state.json`; `stats.json` and
`per_instance_stats.json` where they are there.

## Fills
| column | from |
|---|---|
| `eval_runs.run_id`, `suite` | `name` of the run; the scenario, the name without the model |
| `eval_runs.endpoint` | `adapter_spec.model_deployment`, else `adapter_spec.model` |
| `eval_runs.started_at`, `ended_at` | the first and last `request_datetime` of the results |
| `eval_runs.prompt_hash` | SHA-256 of `instructions` and the affixes of the prompt |
| `eval_runs.params_hash` | SHA-256 of temperature, `max_tokens`, stop sequences, `num_outputs` |
| `eval_runs.score` | the mean of the first metric that is there: `exact_match`, \
`quasi_exact_match`, `f1_score`, else of the first; of the test split, else of validation |
| `eval_runs.n_items` | instances of that split, as they were, with that metric; all of them where \
no instance has it |
| `eval_samples.item_id` | `instance.id`, with the perturbation behind it |
| `input_text`, `prompt_text` | `instance.input.text`, `request.prompt` |
| `target` | references tagged `correct` |
| `output_text` | `result.completions` |
| `score` of a sample | the same metric of the instance, in the same trial |

## Leaves out
Caches, tokens and probabilities of completions; parameters of each request, which are those of the
adapter; statistics of other splits, of perturbations and of spread; what else the files of the run
hold, counted.

## Known limits
A run whose requests hold no date cannot be placed in time: its row is a reject. Of several requests
about one instance, one for each answer to choose from, the first is its sample; the others are
rejects.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from casework import canonical
from casework.case import Item, Reject, Row
from casework.errors import CaseworkError
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._fields import FieldLog, Form
from casework.importers._importer import Importer, Options
from casework.importers._records import read_document
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.importers._source import Source
from casework.tables import ATTRIBUTES, eval_runs, eval_samples

_SPEC, _STATE = "run_spec.json", "scenario_state.json"
_STATS, _EACH = "stats.json", "per_instance_stats.json"
_HEADLINES = ("exact_match", "quasi_exact_match", "f1_score")
_AFFIXES = ("instructions", "input_prefix", "input_suffix", "reference_prefix", "output_prefix",
            "output_suffix", "global_prefix")  # fmt: skip
_SPLITS = ("test", "valid", None)
_PARAMETERS = ("temperature", "max_tokens", "stop_sequences", "num_outputs")
_RUN = Form(
    eval_runs,
    of="run_spec",
    columns={"run_id": ("name",)},
    uses={
        "suite": ("name",),
        ATTRIBUTES: ("scenario_spec", "adapter_spec", "groups"),
    },
)
_ADAPTER = Form(
    eval_runs,
    of="adapter_spec",
    columns={"endpoint": ("model_deployment", "model")},
    uses={"prompt_hash": _AFFIXES, "params_hash": _PARAMETERS},
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
        ATTRIBUTES: ("instance.split", "reference_index"),
    },
    keeps=False,
)
_RESULT = Form(
    eval_runs,
    of="result",
    columns={},
    uses={"started_at": ("request_datetime",), "ended_at": ("request_datetime",)},
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
    stats = sequence(_part(source, _STATS))
    plain = _plain(stats)
    log.leave("stats of other splits and of perturbations", len(stats) - len(plain))
    metric, split = _headline(plain)
    scores = _scores(log, sequence(_part(source, _EACH)), metric)
    instants, items = [], set()
    name = text(spec.get("name")) or source.path.name
    for position, one in enumerate(map(mapping, sequence(state.get("request_states")))):
        made = mapping(one.get("result")).get("request_datetime")
        if when := log.instants.find(made):
            instants.append(when)
        locator = f"{_STATE}/request_states/{position}"
        sample = _sample(log, one, scores)
        if _is_plain(mapping(one.get("instance")), *([split] if split else _SPLITS)):
            items.add((sample["item_id"], sample["score"] is not None))
        yield Row(eval_samples, locator, {"run_id": name, **sample})
    adapter = mapping(spec.get("adapter_spec")) or mapping(state.get("adapter_spec"))
    if not instants:
        reason = "no request of the run has a date"
        yield Reject(_SPEC, "NO_INSTANT", reason, canonical.dumps(spec), eval_runs)
    else:
        window = {"started_at": min(instants), "ended_at": max(instants)}
        run = {**_run(log, spec, adapter, plain, metric), "n_items": _count(log, items)}
        yield Row(eval_runs, _SPEC, {"run_id": name, **window, **run})
    for part in state.keys() - {"request_states", "adapter_spec"}:
        log.leave(f"scenario_state.{part}")
    read = {source.path / part for part in (_SPEC, _STATE, _STATS, _EACH)}
    log.leave("other files of the run", len(set(source.files) - read))
    yield from log.items()


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
    stats: list[Mapping[str, Any]],
    metric: str | None,
) -> dict[str, Any]:
    affixes = [found for name in _AFFIXES if (found := text(adapter.get(name)))]
    means = {_metric(one): number(one.get("mean")) for one in reversed(stats)}
    for one in stats:
        log.fill(_HEADLINE if _metric(one) == metric else _STAT, one)
    name = text(spec.get("name")) or ""
    parameters = {key: adapter.get(key) for key in _PARAMETERS}
    log.fill(_ADAPTER, adapter)
    values = log.fill(_RUN, spec)
    attributes = {**values.get(ATTRIBUTES, {}), "metrics": means, "score_from": metric,
                  "scenario": spec.get("scenario_spec"), "adapter": adapter,
                  "groups": spec.get("groups")}  # fmt: skip
    return {
        "suite": name.partition(",model=")[0].partition(":model=")[0] or name,
        "endpoint": text(adapter.get("model_deployment")) or text(adapter.get("model")),
        "prompt_hash": hash_prompt(affixes),
        "params_hash": hash_params(canonical.plain(filled(parameters))),
        "harness": "helm",
        "score": means.get(metric) if metric else None,
        "attributes": canonical.plain(filled(attributes)),
    }


def _metric(stat: Mapping[str, Any]) -> str | None:
    return text(mapping(stat.get("name")).get("name"))


def _plain(stats: list[Any]) -> list[Mapping[str, Any]]:
    """Statistics of no perturbation, those of the test split first, then of validation."""
    found = [one for one in map(mapping, stats) if _is_plain(mapping(one.get("name")), *_SPLITS)]
    return sorted(found, key=lambda one: _SPLITS.index(mapping(one.get("name")).get("split")))


def _is_plain(about: Mapping[str, Any], *splits: str | None) -> bool:
    """Whether an instance, or the name of a statistic, is of a split and of no perturbation."""
    return about.get("split") in splits and not about.get("perturbation")


def _headline(stats: list[Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """The metric that sums up the run, and the split that it is of."""
    named = {name: one for one in reversed(stats) if (name := _metric(one))}
    first = next((name for one in stats if (name := _metric(one))), None)
    metric = next((name for name in _HEADLINES if name in named), first)
    return metric, mapping(mapping(named.get(metric or "")).get("name")).get("split")


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
            if _metric(stat) == metric:
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
    name = text(mapping(perturbation).get("name"))
    return f"{text(instance)}/{name}" if name else str(text(instance))


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
    log.fill(_RESULT, {key: value for key, value in result.items() if key != "completions"})
    item = _item(instance.get("id"), instance.get("perturbation"))
    return {
        **log.fill(_SAMPLE, {**one, "result": {"completions": done}}),
        "item_id": None if text(instance.get("id")) is None else item,
        "epoch": _trial(one),
        "target": "\n".join(filter(None, map(text, references))) or None,
        "output_text": "\n".join(filter(None, completions)) or None,
        "score": scores.get((item, _trial(one))),
        "attributes": filled({"split": instance.get("split"),
                              "reference_index": one.get("reference_index")}),
    }  # fmt: skip


helm_run = Importer(
    name="helm_run",
    doc=__doc__ or "",
    tables=(eval_runs, eval_samples),
    recognises=_recognises,
    read=_read,
    of_folders=True,
)
