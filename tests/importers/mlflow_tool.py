"""Writes a registry and runs with MLflow's client into a file store, and prints what it says.

A script, for a process of its own: `mlflow_tool.py FOLDER`.
"""

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import mlflow
from mlflow import MlflowClient


def write(client: MlflowClient) -> None:
    client.create_registered_model("credit risk", tags={"owner": "ana", "team": "risk"})
    client.create_model_version("credit risk", "s3://models/credit/1", tags={"digest": "sha256:1"})
    client.create_model_version("credit risk", "s3://models/credit/2", description="second")
    tags = {
        "checkpoint": "sha256:3", "base_checkpoint": "sha256:0", "approved_by": "bo",
        "approved_at": "2026-03-01T23:43:00+01:00", "metric_value": "0.91", "owner": "chi",
        "review_words": "250", "a/b": "nested", "version": "not this",
    }  # fmt: skip
    client.create_model_version("credit risk", "s3://models/credit/3", run_id="0af3", tags=tags)
    client.transition_model_version_stage("credit risk", "2", "Production")
    client.set_registered_model_alias("credit risk", "champion", "2")
    client.set_registered_model_alias("credit risk", "challenger", "3")
    client.set_registered_model_alias("credit risk", "gone", "1")
    client.set_registered_model_alias("credit risk", "champion", "3")
    client.delete_registered_model_alias("credit risk", "gone")
    client.create_registered_model("new")
    mlflow.genai.register_prompt("triage", "Sort {{ticket}}", commit_message="first")
    mlflow.genai.register_prompt("triage", "Sort {{ticket}} now", tags={"language": "en"})
    mlflow.genai.set_prompt_alias("triage", "production", 1)


def write_runs(client: MlflowClient) -> dict[str, Any]:
    """Runs of one experiment: that evaluated, that trained, that failed."""
    experiment = client.create_experiment("quality")
    histories = {"one": {"qa/accuracy": [0.9, 0.5]}, "nan": {"accuracy": [0.5, math.nan]},
                 "several": {"loss": [0.3, 0.2], "accuracy": [0.7, 0.75]}, "failed": {"f1": [1.0]},
                 "training": {"loss": [0.1]}}  # fmt: skip
    for name, metrics in histories.items():
        run = client.create_run(experiment, run_name=name).info.run_id
        if name != "training":
            client.set_tag(run, "suite", "sums")
        client.set_tag(run, "mlflow.source.git.commit", "ab" * 20)
        client.log_param(run, "seed", 7)
        client.log_param(run, "prompt", "two\nlines, öü\n")
        for metric, values in metrics.items():
            for step, value in enumerate(values):
                client.log_metric(run, metric, value, step=step, timestamp=1_772_368_200_000)
        client.set_terminated(run, "FAILED" if name == "failed" else "FINISHED")
    return {
        run.info.run_id: {
            "name": run.data.tags["mlflow.runName"],
            "metrics": {name: repr(value) for name, value in run.data.metrics.items()},
            "params": run.data.params,
            "started": run.info.start_time,
            "ended": run.info.end_time if run.info.status == "FINISHED" else None,
        }
        for run in client.search_runs([experiment])
    }


def said(client: MlflowClient) -> dict[str, Any]:
    model = client.get_registered_model("credit risk")
    versions = [client.get_model_version("credit risk", str(n)) for n in (1, 2, 3)]
    prompts = [mlflow.genai.load_prompt(f"prompts:/triage/{n}") for n in (1, 2)]
    return {
        "aliases": model.aliases,
        "updated": model.last_updated_timestamp,
        "versions": {
            str(v.version): {
                "source": v.source,
                "stage": v.current_stage,
                "aliases": sorted(v.aliases),
                "run_id": v.run_id,
                "tags": v.tags,
                "created": v.creation_timestamp,
            }
            for v in versions
        },
        "prompts": {str(p.version): p.template for p in prompts},
        "prompt_created": {str(p.version): p.creation_timestamp for p in prompts},
    }


if __name__ == "__main__":
    mlflow.set_tracking_uri(Path(sys.argv[1]).as_uri())
    registry = MlflowClient()
    write(registry)
    print(json.dumps({**said(registry), "runs": write_runs(registry)}))
