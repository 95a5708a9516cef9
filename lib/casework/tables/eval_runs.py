"""One row per run of an eval suite."""

from casework.tables._table import INSTANT, REAL, TEXT, WHOLE, Column, Table

eval_runs = Table(
    name="eval_runs",
    doc=__doc__ or "",
    key=("run_id",),
    columns=(
        Column("run_id", TEXT, "The run.", required=True),
        Column("suite", TEXT, "Suite or task.", required=True),
        Column("started_at", INSTANT, "Start, UTC.", required=True),
        Column("ended_at", INSTANT, "End, UTC; a run covers its configuration from here."),
        Column("process_started_at", INSTANT, "Start of the worker process, UTC."),
        Column("config_loaded_at", INSTANT, "When the worker read its configuration, UTC."),
        Column("endpoint", TEXT, "Model name or alias that was called."),
        Column("checkpoint", TEXT, "Digest that was evaluated."),
        Column("prompt_name", TEXT, "Prompt template."),
        Column("prompt_version", TEXT, "Label of its version."),
        Column("prompt_hash", TEXT, "SHA-256 of the rendered template."),
        Column("params_hash", TEXT, "SHA-256 of the call parameters."),
        Column("dataset_hash", TEXT, "Digest of the items."),
        Column("harness", TEXT, "Tool that ran it."),
        Column("harness_version", TEXT, "Its version."),
        Column("code_revision", TEXT, "Commit of the eval code."),
        Column("score", REAL, "Headline score."),
        Column("n_items", WHOLE, "Items scored."),
    ),
    time="started_at",
    spans=("started_at", "ended_at"),
)
