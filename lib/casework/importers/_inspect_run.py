"""The header of an Inspect log as a row of `eval_runs`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from hashlib import blake2s
from typing import Any, NamedTuple

from casework import canonical
from casework.case import Row
from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._own_fields import OwnFields
from casework.importers._shape import filled, mapping, number, sequence, text
from casework.tables import eval_runs

_NATIVE = {
    "run_id", "suite", "started_at", "ended_at", "endpoint", "harness", "harness_version",
    "score", "n_items",
}  # fmt: skip

# How calls are made, not what is asked: the same configuration whatever these are.
_OPERATIONAL = {
    "max_retries", "timeout", "attempt_timeout", "stream_idle_timeout", "max_connections",
    "adaptive_connections", "cache_prompt", "cache", "batch", "fail_on_refusal",
}  # fmt: skip
_SYSTEM_MESSAGE = "system_message"
_OPENTELEMETRY_NAMES = {"stop_seqs": "stop_sequences", "num_choices": "choice.count"}

# Fields of the spec with a column or a place of their own, and what later versions repeat.
_TAKEN = {
    "task", "model", "eval_id", "metadata", "tags", "packages", "model_generate_config", "created",
    "dataset", "task_args_passed", "solver_args_passed",
}  # fmt: skip

_BASE57 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass
class Tally:
    """What the samples of a run add to its row."""

    samples: int = 0
    scored: set[str] = field(default_factory=set)
    system_prompts: set[tuple[str, ...]] = field(default_factory=set)
    not_finite: int = 0
    with_events: int = 0
    invalidated: int = 0
    served_otherwise: int = 0
    unresolved: int = 0
    epochs_unread: int = 0


class Headline(NamedTuple):
    """The score of the results and the metric of it that sum up a run; empty where none does.

    A scorer that gives an object makes a score of each of its entries, named for the entry.
    """

    score: Mapping[str, Any]
    metric: str

    @property
    def name(self) -> str:
        """Name of the score."""
        return text(self.score.get("name")) or ""

    @property
    def scorer(self) -> str:
        """Name under which the samples hold what the scorer gave."""
        return text(self.score.get("scorer")) or self.name

    @property
    def value(self) -> Any:
        """Value of the metric."""
        return mapping(mapping(self.score.get("metrics")).get(self.metric)).get("value")


def run_id(spec: Mapping[str, Any], own: OwnFields) -> str | None:
    """Id of the eval; for logs from before `eval_id`, the one that Inspect itself derives.

    One `run_id` of Inspect covers several evals, and a `task_id` stays when an eval is retried,
    so neither names a log.
    """
    if found := text(spec.get("eval_id")):
        return found
    parts = [text(spec.get("run_id")), text(spec.get("task_id"))]
    created = own.instants.find(spec.get("created"))
    if created is None or not any(parts):
        return None
    content = "".join(part or "" for part in parts) + created.astimezone(UTC).isoformat()
    digest = int.from_bytes(blake2s(content.encode(), digest_size=16).digest(), "big")
    letters = ""
    while digest:
        digest, letter = divmod(digest, 57)
        letters = _BASE57[letter] + letters
    return letters[-22:].rjust(22, _BASE57[0])


def metadata(header: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run's metadata, with later edits where the log records them."""
    edited = header if header.get("log_updates") else header.get("eval")
    return mapping(mapping(edited).get("metadata"))


def metadata_place(header: Mapping[str, Any]) -> str:
    """Where the metadata stands that counts."""
    return "metadata" if header.get("log_updates") else "eval.metadata"


def headline(header: Mapping[str, Any]) -> Headline:
    """What sums up the run: the choice of the results or the task, else the first of the first.

    A choice that fits nothing is ignored whole, as in Inspect.
    """
    scores = [mapping(score) for score in _scores(header)]
    chosen = filled(mapping(mapping(header.get("results")).get("headline"))) or filled(
        mapping(mapping(header.get("eval")).get("headline_metric"))
    )
    fitting = [score for score in scores if _fits(score, chosen)]
    score = next(iter(fitting or scores), {})
    first = next(iter(mapping(score.get("metrics"))), "")
    return Headline(score, chosen.get("metric", first) if fitting else first)


def _fits(score: Mapping[str, Any], chosen: Mapping[str, Any]) -> bool:
    own_name = {"reducer": "reducer", "scorer": "scorer", "score": "name"}
    return all(score.get(own_name[key]) == chosen[key] for key in own_name if key in chosen) and (
        "metric" not in chosen or chosen["metric"] in list(mapping(score.get("metrics")))
    )


def run_row(header: Mapping[str, Any], locator: str, tally: Tally, own: OwnFields) -> Row:
    """Build the row of the run. What is missing for it is for the loader to refuse."""
    spec, stats = mapping(header.get("eval")), mapping(header.get("stats"))
    status = text(header.get("status")) or "started"
    chosen = headline(header)
    score_from = f"{chosen.name}/{chosen.metric}" if chosen.metric else ""
    values, rest = own.take(eval_runs, metadata(header), _NATIVE, metadata_place(header))
    revision = mapping(spec.get("revision"))
    if commit := text(revision.get("commit")):
        values["code_revision"] = commit + ("-dirty" if revision.get("dirty") is True else "")
    ended = own.instants.find(stats.get("completed_at"))
    derived = {
        "prompt_hash": hash_prompt(_system_prompt(header, tally)),
        "params_hash": hash_params(_parameters(header)),
    }
    native = {
        "run_id": run_id(spec, own),
        "suite": text(spec.get("task")),
        "started_at": own.instants.find(stats.get("started_at"))
        or own.instants.find(spec.get("created")),
        # A run that broke off has measured nothing of which one could say that it is covered.
        "ended_at": ended if status == "success" else None,
        "endpoint": text(spec.get("model")),
        "harness": "inspect_ai",
        "harness_version": text(mapping(spec.get("packages")).get("inspect_ai")),
        "score": number(chosen.value),
        "n_items": _items(header, chosen, tally),
        "attributes": _attributes(header, status, score_from, rest, own),
    }
    tally.not_finite += number(chosen.value) is None and isinstance(chosen.value, float)
    return Row(eval_runs, locator, {**derived, **values, **native})


def _scores(header: Mapping[str, Any]) -> list[Any]:
    """The scores of the results; before 2024 there was one scorer, beside its metrics."""
    results = mapping(header.get("results"))
    if scorer := mapping(results.get("scorer")):
        return [{**scorer, "metrics": results.get("metrics")}]
    return sequence(results.get("scores"))


def system_message(header: Mapping[str, Any]) -> str | None:
    """The system message of the settings, which Inspect puts before the messages of each call.

    The messages that the log holds of a sample are without it.
    """
    return text(_config(header).get(_SYSTEM_MESSAGE))


def _system_prompt(header: Mapping[str, Any], tally: Tally) -> tuple[str, ...]:
    if len(tally.system_prompts) != 1:
        return ()
    (of_samples,) = tally.system_prompts
    before = system_message(header)
    return (before, *of_samples) if before else of_samples


def _config(header: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the calls: those of the model, and over them those of the task."""
    of_model = mapping(mapping(header.get("eval")).get("model_generate_config"))
    return {**of_model, **filled(mapping(mapping(header.get("plan")).get("config")))}


def _parameters(header: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the calls, without what is said to the model."""
    return {
        _OPENTELEMETRY_NAMES.get(name, name): value
        for name, value in _config(header).items()
        if name not in _OPERATIONAL and name != _SYSTEM_MESSAGE
    }


def _items(header: Mapping[str, Any], chosen: Headline, tally: Tally) -> int | None:
    """Items scored: as the results say, else as counted, else the samples that completed."""
    counted = number(chosen.score.get("scored_samples"))
    if counted is not None:
        return int(counted)
    if tally.scored or (tally.samples and not _scores(header)):
        return len(tally.scored)
    completed = number(mapping(header.get("results")).get("completed_samples"))
    return None if completed is None else int(completed)


def _attributes(
    header: Mapping[str, Any], status: str, score_from: str, rest: Mapping[str, Any], own: OwnFields
) -> dict[str, Any]:
    """What has no column, written the same whichever version of Inspect wrote or converted it."""
    spec, stats = mapping(header.get("eval")), mapping(header.get("stats"))
    results, plan = mapping(header.get("results")), mapping(header.get("plan"))
    found = {
        "status": status,
        "score_from": score_from,
        "stopped_at": own.instants.find(stats.get("completed_at")) if status != "success" else None,
        "error": mapping(header.get("error")).get("message"),
        "invalidated": header.get("invalidated") or None,
        "tags": header.get("tags") or spec.get("tags"),
        "metadata": filled(rest),
        "eval": filled({key: value for key, value in spec.items() if key not in _TAKEN})
        | filled({"dataset": _without(spec.get("dataset"), "sample_ids")}),
        "parameters": _parameters(header),
        "system_message": system_message(header),
        "steps": [_without(step, "params_passed") for step in sequence(plan.get("steps"))],
        "metrics": _metrics(header),
        "samples": {k: v for k, v in results.items() if k.endswith("_samples")},
        "model_usage": stats.get("model_usage"),
    }
    return dict(canonical.plain(filled(found)))


def _metrics(header: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values of the metrics by score, and by reducer where a score was reduced by name."""
    return {
        "/".join(filled({key: text(score.get(key)) for key in ("name", "reducer")}).values()): {
            name: mapping(metric).get("value")
            for name, metric in mapping(score.get("metrics")).items()
        }
        for score in map(mapping, _scores(header))
    }


def _without(value: Any, *keys: str) -> dict[str, Any]:
    return filled({key: entry for key, entry in mapping(value).items() if key not in keys})
