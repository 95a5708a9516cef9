"""One row per version of a registered model, as the registry exports it."""

from casework.tables._table import INSTANT, REAL, TEXT, WHOLE, Column, Table

model_versions = Table(
    name="model_versions",
    doc=__doc__ or "",
    key=("model", "version", "created_at"),
    columns=(
        Column("model", TEXT, "Registered model.", required=True),
        Column("version", TEXT, "Version label.", required=True),
        Column(
            "checkpoint",
            TEXT,
            "Digest of the weights; else the source URI that the registry names.",
        ),
        Column("stage", TEXT, "Stage."),
        Column("aliases", "VARCHAR[]", "Aliases that point at the version now."),
        Column("owner", TEXT, "Owner."),
        Column("requested_by", TEXT, "Who asked for approval."),
        Column("requested_at", INSTANT, "When approval was asked, UTC."),
        Column("approved_by", TEXT, "Who approved."),
        Column("approved_at", INSTANT, "When it was approved, UTC."),
        Column("benchmark", TEXT, "Benchmark on the card."),
        Column("metric", TEXT, "Metric on the card."),
        Column("metric_value", REAL, "Its value."),
        Column("eval_run_id", TEXT, "Eval run behind the value."),
        Column("eval_checkpoint", TEXT, "Digest that was evaluated."),
        Column("card_updated_at", INSTANT, "When the card was last changed, UTC."),
        Column("review_words", WHOLE, "Words of the material to review."),
        Column("run_id", TEXT, "Training run."),
        Column("source_uri", TEXT, "Where the weights came from."),
        Column("created_at", INSTANT, "When the version was made, UTC."),
    ),
    time="created_at",
    references={"checkpoint": "checkpoints.checkpoint", "eval_run_id": "eval_runs.run_id"},
)
