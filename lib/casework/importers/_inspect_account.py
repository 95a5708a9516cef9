"""Where the fields of an Inspect log go: columns, attributes, or nowhere in the case."""

from collections.abc import Collection, Mapping
from typing import Any

from casework.importers._fields import FieldLog, Form
from casework.importers._shape import filled, mapping
from casework.tables import ATTRIBUTES, eval_runs, eval_samples

_RUN, _SAMPLE = Form(eval_runs, of="", columns={}), Form(eval_samples, of="sample", columns={})
_OF_SPEC = {
    "eval_id": "run_id", "run_id": "run_id", "task_id": "run_id", "task": "suite",
    "model": "endpoint", "created": "started_at", "revision": "code_revision",
    "packages": "harness_version", "model_generate_config": "params_hash", "metadata": ATTRIBUTES,
    "headline_metric": "score",
}  # fmt: skip
_REPEATED = ("task_args_passed", "solver_args_passed")
_OF_SAMPLE = {
    "id": "item_id", "epoch": "epoch", "input": "input_text", "messages": "prompt_text",
    "attachments": "prompt_text", "target": "target", "output": "output_text", "scores": "score",
    "score": "score", "metadata": ATTRIBUTES, "error": ATTRIBUTES,
}  # fmt: skip
_OF_PARTS: Mapping[str, Mapping[str, str]] = {
    "stats": {"started_at": "started_at", "completed_at": "ended_at", "model_usage": ATTRIBUTES},
    "plan": {"config": "params_hash", "steps": ATTRIBUTES},
    "results": {
        "scores": "score", "scorer": "score", "metrics": "score", "total_samples": ATTRIBUTES,
        "completed_samples": "n_items", "headline": "score",
    },
    "": {"status": ATTRIBUTES, "error": ATTRIBUTES, "invalidated": ATTRIBUTES, "tags": ATTRIBUTES,
         "metadata": ATTRIBUTES},
}  # fmt: skip


def account_for_run(log: FieldLog, header: Mapping[str, Any]) -> None:
    """Take note of the fields of a header, those of its parts under `eval.task` and so on."""
    spec = filled(mapping(header.get("eval")))
    for name in spec:
        if name in _REPEATED:
            log.leave(f"eval.{name}")
        else:
            log.took(_RUN, f"eval.{name}", _OF_SPEC.get(name, ATTRIBUTES))
    for part, columns in _OF_PARTS.items():
        held = filled(mapping(header.get(part)) if part else header)
        for name in held:
            if name in ("eval", "samples", *_OF_PARTS):
                continue
            path = f"{part}.{name}" if part else name
            _account(log, _RUN, path, columns.get(name))


def account_for_sample(
    log: FieldLog, sample: Mapping[str, Any], attributes: Collection[str]
) -> None:
    """Take note of the fields of a sample; `attributes` are those that it keeps as they stand."""
    for name, value in sample.items():
        if value not in (None, "", [], {}):
            kept = ATTRIBUTES if name in attributes else None
            _account(log, _SAMPLE, name, _OF_SAMPLE.get(name, kept))


def _account(log: FieldLog, form: Form, path: str, column: str | None) -> None:
    if column is None:
        log.leave(f"{form.of}.{path}" if form.of else path)
    else:
        log.took(form, path, column)
