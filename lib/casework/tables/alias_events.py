"""One row per interval in which an alias or endpoint pointed at a checkpoint.

Half-open, `[valid_from, valid_until)`; an open end lasts until the next row of the alias. While a
rollout runs, until `rollout_ended_at`, either of two neighbours may have answered. A registry
that keeps only the present gives one open row whose `source` says so.
"""

from casework.tables._table import INSTANT, TEXT, Column, Table

alias_events = Table(
    name="alias_events",
    doc=__doc__ or "",
    key=("alias", "region", "valid_from"),
    columns=(
        Column("alias", TEXT, "Alias or endpoint.", required=True),
        Column("checkpoint", TEXT, "Digest that it pointed at.", required=True),
        Column("valid_from", INSTANT, "When the alias was switched, UTC.", required=True),
        Column("valid_until", INSTANT, "When it was switched away, UTC."),
        Column("rollout_ended_at", INSTANT, "When the last replica had switched, UTC."),
        Column("region", TEXT, "Region, if the alias is regional."),
        Column("actor", TEXT, "Who or what switched it."),
        Column("reason", TEXT, "Why."),
        Column("source", TEXT, "System that recorded it."),
    ),
    time="valid_from",
    references={"checkpoint": "checkpoints.checkpoint"},
)
