"""Importers: one file a format, the same shape, recognised by content. Order is precedence."""

from casework.errors import unknown_name
from casework.importers._importer import Importer, Options
from casework.importers._map_file import check_timezone, read_map
from casework.importers._options import check_options
from casework.importers._ready_maps import ReadyMap, ready_map, ready_maps
from casework.importers._source import Source
from casework.importers.batch_results import batch_results
from casework.importers.cyclonedx_bom import cyclonedx_bom
from casework.importers.dvc_lock import dvc_lock
from casework.importers.every_eval_ever import every_eval_ever
from casework.importers.github_deployments import github_deployments
from casework.importers.growthbook_features import growthbook_features
from casework.importers.gto_tags import gto_tags
from casework.importers.helm_run import helm_run
from casework.importers.huggingface_card import huggingface_card
from casework.importers.huggingface_dataset import huggingface_dataset
from casework.importers.inspect_logs import inspect_logs
from casework.importers.kubernetes_objects import kubernetes_objects
from casework.importers.langfuse_export import langfuse_export
from casework.importers.langsmith_runs import langsmith_runs
from casework.importers.launchdarkly_log import launchdarkly_log
from casework.importers.litellm_logs import litellm_logs
from casework.importers.lm_eval_results import lm_eval_results
from casework.importers.lm_eval_samples import lm_eval_samples
from casework.importers.mlflow_database import mlflow_database
from casework.importers.mlflow_experiment import mlflow_experiment
from casework.importers.mlflow_export import mlflow_export
from casework.importers.mlflow_registry import mlflow_registry
from casework.importers.mlflow_search import mlflow_search
from casework.importers.mlflow_traces import mlflow_traces
from casework.importers.model_signature import model_signature
from casework.importers.openai_evals import openai_evals
from casework.importers.openinference_spans import openinference_spans
from casework.importers.openlineage_events import openlineage_events
from casework.importers.otlp_traces import otlp_traces
from casework.importers.peft_adapter import peft_adapter
from casework.importers.phoenix_annotations import phoenix_annotations
from casework.importers.phoenix_database import phoenix_database
from casework.importers.promptfoo_results import promptfoo_results
from casework.importers.safetensors_header import safetensors_header
from casework.importers.slsa_provenance import slsa_provenance
from casework.importers.table_file import table_file
from casework.importers.trec_files import trec_files
from casework.importers.wandb_export import wandb_export

ALL: tuple[Importer, ...] = (
    inspect_logs,
    otlp_traces,
    openinference_spans,
    phoenix_database,
    phoenix_annotations,
    langfuse_export,
    litellm_logs,
    langsmith_runs,
    batch_results,
    lm_eval_results,
    lm_eval_samples,
    promptfoo_results,
    openai_evals,
    helm_run,
    every_eval_ever,
    trec_files,
    mlflow_registry,
    mlflow_experiment,
    mlflow_traces,
    mlflow_database,
    mlflow_export,
    mlflow_search,
    huggingface_card,
    huggingface_dataset,
    peft_adapter,
    safetensors_header,
    wandb_export,
    dvc_lock,
    gto_tags,
    openlineage_events,
    cyclonedx_bom,
    model_signature,
    slsa_provenance,
    kubernetes_objects,
    github_deployments,
    launchdarkly_log,
    growthbook_features,
    table_file,
)


def get(name: str) -> Importer:
    """Return the importer of that name.

    Raises:
        UsageError: there is none.
    """
    for importer in ALL:
        if importer.name == name:
            return importer
    raise unknown_name("format", name, [importer.name for importer in ALL])


__all__ = [
    "ALL",
    "Importer",
    "Options",
    "ReadyMap",
    "Source",
    "check_options",
    "check_timezone",
    "get",
    "read_map",
    "ready_map",
    "ready_maps",
    "table_file",
]
