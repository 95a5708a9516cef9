"""Writes a registry with MLflow's own client into a file store, and prints what the client says.

A script, for a process of its own: `mlflow_tool.py FOLDER`.
"""

import json
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
    print(json.dumps(said(registry)))
