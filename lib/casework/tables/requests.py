"""One row per model call or decision, as recorded where it was made.

A retry is a second row with the same `request_id` at a later instant; the earliest is the
decision, and diagnoses count decisions. `endpoint` is what the caller asked for (a model name or
an alias), `response_model` what the answer said; only `checkpoint` is a digest.
"""

from casework.tables._table import INSTANT, REAL, TEXT, WHOLE, Column, Table

requests = Table(
    name="requests",
    doc=__doc__ or "",
    key=("request_id", "occurred_at"),
    columns=(
        Column(
            "request_id",
            TEXT,
            "Id of the call or decision; a span id where nothing better is recorded.",
            required=True,
        ),
        Column("occurred_at", INSTANT, "When the call began, UTC.", required=True),
        Column("ended_at", INSTANT, "When the answer was complete, UTC."),
        Column("trace_id", TEXT, "Trace that the call belongs to."),
        Column("span_id", TEXT, "Span of the call."),
        Column("parent_span_id", TEXT, "Span that made the call."),
        Column(
            "operation",
            TEXT,
            "Kind of call: `chat`, `text_completion`, `generate_content`, `embeddings`.",
        ),
        Column("service", TEXT, "Service that made the call."),
        Column("environment", TEXT, "Deployment environment, such as `production`."),
        Column("region", TEXT, "Region that served the call."),
        Column("lane", TEXT, "Traffic lane, such as `canary`."),
        Column("replica", TEXT, "Instance that served the call."),
        Column("endpoint", TEXT, "Name or alias that the caller used."),
        Column("response_model", TEXT, "Model name in the answer."),
        Column("checkpoint", TEXT, "Digest of the weights, where the record is stamped with one."),
        Column("fingerprint", TEXT, "The provider's fingerprint of what answered."),
        Column("prompt_name", TEXT, "Name of the prompt template."),
        Column("prompt_version", TEXT, "Label of the prompt version."),
        Column(
            "prompt_hash",
            TEXT,
            "SHA-256 of the rendered template with variables masked, or of the system prompt with "
            "dates masked.",
        ),
        Column("params_hash", TEXT, "SHA-256 of the call parameters (temperature and the like)."),
        Column("user_id", TEXT, "User on whose behalf the call was made."),
        Column("account_id", TEXT, "Account of the user."),
        Column("tier", TEXT, "Tier of the account, such as `enterprise`."),
        Column("session_id", TEXT, "Session or conversation."),
        Column("input_text", TEXT, "What went in, as text."),
        Column("output_text", TEXT, "What came out, as text."),
        Column("input_tokens", WHOLE, "Tokens in."),
        Column("output_tokens", WHOLE, "Tokens out."),
        Column("latency_ms", REAL, "Milliseconds from call to complete answer."),
        Column("status", TEXT, "`ok`, `error`, or the status that the source gives."),
        Column("decision", TEXT, "Outcome of the decision, where the call decides something."),
    ),
    time="occurred_at",
    references={"checkpoint": "checkpoints.checkpoint", "account_id": "accounts.account_id"},
)
