"""Writes with MLflow 2 or 3 what a team would leave behind, and prints what its client says of it.

A script for an environment that has MLflow: `write_mlflow.py FOLDER` makes `FOLDER/mlflow.db`,
`FOLDER/mlruns` and `FOLDER/search`, dumps of what searches return.
"""

import json
import math
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_CRYPTO_KEK_PASSPHRASE"] = "not a secret"  # noqa: S105
os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"

import mlflow
import pandas
from mlflow import MlflowClient

MAJOR = int(mlflow.__version__.split(".")[0])
LONG = "long " * 1_000
SHORTLY = 0.05


def write_registry(client: MlflowClient) -> dict[str, Any]:
    client.create_registered_model("credit", tags={"owner": "ana"})
    for number in (1, 2, 3):
        tags = {"digest": f"sha256:{number}"} if number < 3 else {}
        client.create_model_version("credit", f"s3://credit/{number}", tags=tags)
    client.set_registered_model_alias("credit", "champion", "1")
    client.set_registered_model_alias("credit", "retired", "1")
    before = client.get_registered_model("credit").last_updated_timestamp
    time.sleep(SHORTLY)
    client.set_registered_model_alias("credit", "champion", "2")
    moved = int(time.time() * 1e3)
    client.delete_registered_model_alias("credit", "retired")
    model = client.get_registered_model("credit")
    time.sleep(SHORTLY)
    return {
        "aliases": {alias: str(version) for alias, version in model.aliases.items()},
        "versions": {
            str(version.version): version.source
            for version in client.search_model_versions("name = 'credit'")
        },
        "updated_by_the_move": model.last_updated_timestamp != before,
        "updated": model.last_updated_timestamp,
        "moved": moved,
    }


def write_prompts() -> dict[str, str]:
    """Registers two versions of a prompt; their templates by version."""
    home = getattr(mlflow, "genai", mlflow)
    register = getattr(home, "register_prompt", None) or mlflow.register_prompt
    made = [register(name="triage", template=f"Sort {{{{ticket}}}} {n}") for n in (1, 2)]
    return {str(prompt.version): prompt.template for prompt in made}


def write_runs(client: MlflowClient) -> dict[str, Any]:
    """Runs that evaluated, one that did not, one that failed; what the client says of each."""
    mlflow.set_experiment("quality")
    metrics: dict[str, dict[str, float]] = {
        "one": {"accuracy": 0.5},
        "several": {"loss": 0.2, "accuracy": 0.75},
        "nan": {"accuracy": math.nan},
        "infinite": {"accuracy": math.inf},
        "none": {},
    }
    for name, values in metrics.items():
        with mlflow.start_run(run_name=name):
            mlflow.set_tag("suite", "sums")
            mlflow.log_params({"seed": 7, "rate": 0.1})
            mlflow.log_metrics({metric: value / 2 for metric, value in values.items()}, step=1)
            mlflow.log_metrics(values, step=2)
    with mlflow.start_run(run_name="held out"):
        data = mlflow.data.from_pandas(pandas.DataFrame({"x": [1, 2]}), name="held-out")
        mlflow.log_input(data, context="evaluation")
        mlflow.log_metric("f1", 0.25)
    with mlflow.start_run(run_name="training"):
        mlflow.log_metric("loss", 0.1)
    failed = client.create_run(client.get_experiment_by_name("quality").experiment_id)
    client.set_tag(failed.info.run_id, "suite", "sums")
    client.log_metric(failed.info.run_id, "accuracy", 0.9)
    client.set_terminated(failed.info.run_id, "FAILED")
    found = client.search_runs([failed.info.experiment_id])
    return {
        run.info.run_id: {
            "name": run.data.tags.get("mlflow.runName"),
            "status": run.info.status,
            "metrics": {key: repr(value) for key, value in run.data.metrics.items()},
            "inputs": [one.dataset.digest for one in run.inputs.dataset_inputs],
            "ended": run.info.end_time,
        }
        for run in found
    }


@mlflow.trace
def answer(question: str) -> dict[str, str]:
    if not question:
        raise ValueError("nothing asked")
    return {"answer": f"{question}!"}


def write_traces() -> list[str]:
    """Traces of short and long texts and of a failure, in an experiment of their own."""
    mlflow.set_experiment("traffic")
    for question in ("short", LONG):
        answer(question)
    with suppress(ValueError):
        answer("")
    return [one.info.trace_id if MAJOR > 2 else one.info.request_id for one in traces()]


def traces() -> list[Any]:
    ids = [mlflow.get_experiment_by_name("traffic").experiment_id]
    if MAJOR > 2:
        return mlflow.search_traces(experiment_ids=ids, return_type="list")
    return list(MlflowClient().search_traces(ids))


def write_marks(ids: list[str]) -> None:
    """Marks of people, judges and code, of every kind of value that could mislead."""
    from mlflow.entities import AssessmentSource

    marks: list[tuple[str, str, Any, str]] = [
        ("HUMAN", "helpful", True, "ana"),
        ("HUMAN", "helpful", False, "bo"),
        ("HUMAN", "stars", 1, "ana"),
        ("HUMAN", "stars", 5, "bo"),
        ("HUMAN", "vote", 1, "ana"),
        ("HUMAN", "vote", 0, "bo"),
        ("HUMAN", "mood", "so-so", "ana"),
        ("LLM_JUDGE", "grounded", 0.5, "judge-1"),
        ("LLM_JUDGE", "grounded", 0.75, "judge-2"),
        ("LLM_JUDGE", "grounded", 0.25, "judge-2"),
        ("CODE", "safe", "yes", "check"),
    ]
    for kind, name, value, who in marks:
        source = AssessmentSource(source_type=kind, source_id=who)
        made = mlflow.log_feedback(trace_id=ids[0], name=name, value=value, source=source)
    mlflow.override_feedback(trace_id=ids[0], assessment_id=made.assessment_id, value="no")
    person = AssessmentSource(source_type="HUMAN", source_id="ana")
    mlflow.log_expectation(trace_id=ids[0], name="polite", value=True, source=person)


def evaluate() -> dict[str, Any]:
    """An evaluation with two scorers; what the run says of itself."""
    from mlflow.genai.scorers import scorer

    mlflow.set_experiment("evaluation")
    exact = scorer(lambda outputs, expectations: outputs == expectations["sum"], name="exact")
    length = scorer(lambda outputs: len(outputs), name="length")
    data = [
        {"inputs": {"q": f"1+{n}"}, "outputs": "2", "expectations": {"sum": f"{n + 1}"}}
        for n in (1, 2, 3)
    ]
    both = mlflow.genai.evaluate(data=data, scorers=[exact, length])
    alone = mlflow.genai.evaluate(data=data, scorers=[exact])
    return {
        "both": both.run_id,
        "alone": alone.run_id,
        "metrics": {key: float(value) for key, value in alone.metrics.items()},
    }


def write_routes() -> dict[str, Any]:
    """An endpoint of the gateway that splits its traffic, and the models behind it."""
    from mlflow.entities.gateway_endpoint import (
        GatewayEndpointModelConfig,
        GatewayModelLinkageType,
        RoutingStrategy,
    )
    from mlflow.tracking._tracking_service.utils import _get_store

    store = _get_store()
    key = store.create_gateway_secret(
        secret_name="key",  # noqa: S106
        secret_value={"api_key": "none"},
        provider="openai",
    )
    models = [
        store.create_gateway_model_definition(
            name=name, secret_id=key.secret_id, provider="openai", model_name=name
        )
        for name in ("large", "small")
    ]
    primary = GatewayModelLinkageType.PRIMARY
    configs = [
        GatewayEndpointModelConfig(
            model_definition_id=one.model_definition_id, linkage_type=primary, weight=0.5
        )
        for one in models
    ]
    endpoint = store.create_gateway_endpoint(
        name="chat",
        model_configs=configs,
        routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
    )
    time.sleep(SHORTLY)
    changed = store.update_gateway_model_definition(
        models[1].model_definition_id, model_name="smaller"
    )
    mappings = store.get_gateway_endpoint(endpoint.endpoint_id).model_mappings
    return {
        "weights": {one.model_definition.model_name: one.weight for one in mappings},
        "changed": changed.last_updated_at,
    }


def said_of_traces() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for trace in traces():
        info = trace.info
        state = info.state.value if MAJOR > 2 else str(info.status)
        found[info.trace_id if MAJOR > 2 else info.request_id] = {
            "state": state.removeprefix("TraceStatus."),
            "began": info.timestamp_ms,
            "taken": info.execution_time_ms,
            "request": json.loads(trace.data.request) if trace.data.request else None,
            "response": json.loads(trace.data.response) if trace.data.response else None,
            "marks": [one.to_dictionary() for one in getattr(info, "assessments", None) or []],
        }
    return found


def dump_searches(client: MlflowClient, folder: Path) -> None:
    """Save what searches return, in the ways in which people save it."""
    folder.mkdir()
    versions = [dict(one) for one in client.search_model_versions("name = 'credit'")]
    models = [dict(one) for one in client.search_registered_models("name = 'credit'")]
    for one in models:
        one["latest_versions"] = [dict(version) for version in one["latest_versions"]]
    runs = client.search_runs([client.get_experiment_by_name("quality").experiment_id])
    table = mlflow.search_runs(experiment_names=["quality"])
    of_traces = mlflow.search_traces(
        experiment_ids=[mlflow.get_experiment_by_name("traffic").experiment_id]
    )
    write = {
        "versions.json": lambda to: to.write_text(json.dumps(versions)),
        "models.json": lambda to: to.write_text(json.dumps(models)),
        "runs.json": lambda to: to.write_text(json.dumps([run.to_dictionary() for run in runs])),
        "runs.csv": lambda to: table.to_csv(to, index=False),
        "runs.parquet": lambda to: table.to_parquet(to),
        "run_records.json": lambda to: table.to_json(to, orient="records"),
        "versions.csv": lambda to: pandas.DataFrame(versions).to_csv(to),
        "traces.csv": lambda to: of_traces.to_csv(to),
        "traces.jsonl": lambda to: to.write_text("\n".join(one.to_json() for one in traces())),
        "trace_records.json": lambda to: of_traces.to_json(
            to, orient="records", default_handler=str
        ),
    }
    for name, dump in write.items():
        dump(folder / name)


def write(uri: str, *, has_marks: bool) -> dict[str, Any]:
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = MlflowClient()
    told: dict[str, Any] = {"registry": write_registry(client), "prompts": write_prompts()}
    told["runs"] = write_runs(client)
    ids = write_traces()
    if has_marks:
        write_marks(ids)
    told["traces"] = said_of_traces()
    return told


if __name__ == "__main__":
    out = Path(sys.argv[1])
    of_store = write((out / "mlruns").as_uri(), has_marks=MAJOR > 2)
    of_database = write(f"sqlite:///{out / 'mlflow.db'}", has_marks=MAJOR > 2)
    dump_searches(MlflowClient(), out / "search")
    if MAJOR > 2:
        of_database["evaluation"] = evaluate()
        of_database["routes"] = write_routes()
    print(json.dumps({"store": of_store, "database": of_database}, default=str))
