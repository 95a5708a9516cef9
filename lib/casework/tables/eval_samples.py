"""One row per item of a run, and per epoch and condition."""

from casework.tables._table import FLAG, INSTANT, REAL, TEXT, WHOLE, Column, Table

eval_samples = Table(
    name="eval_samples",
    doc=__doc__ or "",
    key=("run_id", "item_id", "epoch", "condition"),
    columns=(
        Column("run_id", TEXT, "The run.", required=True),
        Column("item_id", TEXT, "The item.", required=True),
        Column("epoch", WHOLE, "Repetition, from 1."),
        Column(
            "condition",
            TEXT,
            "How it was run.",
            values=("as_run", "leave_one_out", "zero_shot", "clean_bank", "replay"),
        ),
        Column("kind", TEXT, "What is asked.", values=("utility", "unsafe", "safe_contrast")),
        Column("category", TEXT, "Category of the item."),
        Column("topic", TEXT, "Topic of the item."),
        Column("input_text", TEXT, "The question."),
        Column("prompt_text", TEXT, "The prompt as rendered, examples and all."),
        Column("target", TEXT, "Expected answer."),
        Column("output_text", TEXT, "Answer."),
        Column("score", REAL, "Score.", takes_flags=True),
        Column("refused", FLAG, "Judged a refusal."),
        Column("human_refused", FLAG, "Judged a refusal by a person."),
        Column("added_at", INSTANT, "When the item joined the set, UTC."),
        Column("source_event_id", TEXT, "Production event that it was made from."),
        Column("account_id", TEXT, "Account of that event."),
        Column("tier", TEXT, "Tier of that account."),
    ),
    time="added_at",
    references={"run_id": "eval_runs.run_id"},
)
