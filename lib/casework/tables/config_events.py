"""One row per change of configuration.

`key` is `prompt:<name>`, `rollout:<experiment>` (percent), `threshold:<name>`, or a plain word
(`embedding_model`, `index_build`, `reranker`, `corpus`, `price_list`).
"""

from casework.tables._table import INSTANT, TEXT, Column, Table

config_events = Table(
    name="config_events",
    doc=__doc__ or "",
    key=("occurred_at", "key", "scope"),
    columns=(
        Column("occurred_at", INSTANT, "When the change took effect, UTC.", required=True),
        Column("key", TEXT, "What was changed.", required=True),
        Column("new_value", TEXT, "Value after the change.", required=True),
        Column("old_value", TEXT, "Value before."),
        Column("scope", TEXT, "Where it applies."),
        Column("actor", TEXT, "Who or what changed it."),
        Column("source", TEXT, "System that recorded it."),
    ),
    time="occurred_at",
)
