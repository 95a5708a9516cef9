"""One row per input of an artifact: what one needs to build it again."""

from casework.tables._table import FLAG, INSTANT, TEXT, Column, Table

artifact_inputs = Table(
    name="artifact_inputs",
    doc=__doc__ or "",
    key=("artifact", "kind", "uri"),
    columns=(
        Column("artifact", TEXT, "Checkpoint or version.", required=True),
        Column(
            "kind",
            TEXT,
            "Kind of input.",
            required=True,
            values=(
                "train_data",
                "base_checkpoint",
                "tokenizer",
                "code",
                "environment",
                "hyperparameters",
                "seed",
                "hardware",
                "eval_data",
                "procedure",
            ),
        ),
        Column("uri", TEXT, "Where it is."),
        Column("digest", TEXT, "Its digest."),
        Column("pin", TEXT, "How firmly it is named.", values=("pinned", "floating", "absent")),
        Column("retrievable", FLAG, "Whether it could be fetched."),
        Column("verified_at", INSTANT, "When its digest was last checked, UTC."),
        Column("owner", TEXT, "Who can provide it."),
    ),
    time="verified_at",
)
