"""Names of GenAI span attributes, current and older, and the columns of `requests` they fill.

Of the OpenTelemetry semantic conventions for generative AI, and of the instrumentations that came
before them or go beside them: OpenLLMetry (Traceloop), OpenInference, Langfuse, Vercel's AI SDK,
Google's Agent Development Kit.
"""

NAMES: dict[str, tuple[str, ...]] = {
    "request_id": ("request_id",),
    "operation": ("gen_ai.operation.name", "llm.request.type", "operation"),
    "service": ("service.name", "service"),
    "environment": ("deployment.environment.name", "deployment.environment", "environment"),
    "region": ("cloud.region", "region"),
    "lane": ("lane",),
    "replica": ("service.instance.id", "host.name", "replica"),
    "endpoint": (
        *("gen_ai.request.model", "llm.request.model_name", "llm.model_name"),
        *("embedding.model_name", "endpoint"),
    ),
    "response_model": ("gen_ai.response.model", "llm.response.model_name", "response_model"),
    "checkpoint": ("checkpoint",),
    "fingerprint": (
        "openai.response.system_fingerprint",
        "gen_ai.openai.response.system_fingerprint",
        "gen_ai.response.system_fingerprint",
        "fingerprint",
    ),
    "prompt_name": (
        "gen_ai.prompt.name",
        "langfuse.observation.prompt.name",
        "traceloop.prompt.key",
        "prompt_name",
    ),
    "prompt_version": (
        "langfuse.observation.prompt.version",
        "llm.prompt_template.version",
        "traceloop.prompt.version",
        "prompt_version",
    ),
    "prompt_hash": ("prompt_hash",),
    "params_hash": ("params_hash",),
    "user_id": ("enduser.id", "user.id", "user_id"),
    "account_id": ("account_id",),
    "tier": ("tier",),
    "session_id": (
        *("gen_ai.conversation.id", "session.id", "gcp.vertex.agent.session_id"),
        "session_id",
    ),
    "input_text": ("input_text",),
    "output_text": ("output_text",),
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "input_tokens",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "output_tokens",
    ),
    "decision": ("decision",),
}
"""For each column its attributes, the best first. Its own name stands last: an attribute that has
the name of a column fills it where the format has no field of its own for it."""

RESOURCE_COLUMNS = (
    *("service", "environment", "region", "lane", "replica", "checkpoint", "account_id", "tier"),
)
"""Columns that an attribute of the resource can fill for all its spans."""

MACHINE = ("telemetry.", "process.", "os.")
"""Beginnings of resource attributes that describe the exporting program and not the call."""

PARAMETER = "gen_ai.request."
"""Beginning of the attributes that are call parameters, apart from the model."""

MODEL_CALLS = frozenset(("chat", "generate_content", "text_completion", "embeddings"))
OTHER_OPERATIONS = frozenset(
    (
        *("create_agent", "invoke_agent", "invoke_workflow", "plan", "execute_tool", "retrieval"),
        *("create_memory", "search_memory", "update_memory", "upsert_memory", "delete_memory"),
        *("create_memory_store", "delete_memory_store"),
    )
)
"""Values of `gen_ai.operation.name`. Systems may have others; those count by their model."""

PROVIDERS = ("gen_ai.provider.name", "gen_ai.system")
"""Attributes that mark a model call where no operation is named."""

SPAN_KIND = "openinference.span.kind"
MODEL_KINDS = ("LLM", "EMBEDDING")
OTHER_KINDS = (
    *("CHAIN", "RETRIEVER", "RERANKER", "TOOL", "AGENT", "GUARDRAIL", "EVALUATOR", "PROMPT"),
)

SYSTEM = "gen_ai.system_instructions"
INPUT = (
    *("gen_ai.input.messages", "gen_ai.prompt", "input.value", "ai.prompt.messages"),
    "gcp.vertex.agent.llm_request",
)
OUTPUT = (
    *("gen_ai.output.messages", "gen_ai.completion", "output.value"),
    *("gcp.vertex.agent.llm_response", "ai.response.text"),
)
"""Attributes with whole conversations, the best first."""
BODIES = (INPUT[-1], OUTPUT[-2])
"""Those of them that are an empty object where nothing is recorded."""
PLAIN_OUTPUT = OUTPUT[-1]
"""The one of them that is the text itself, and never JSON of messages."""

INVOCATION = "llm.invocation_parameters"
INDEXED_INPUT = ("gen_ai.prompt.", "llm.input_messages.")
INDEXED_OUTPUT = ("gen_ai.completion.", "llm.output_messages.")
"""Beginnings of attributes with one field of one message, such as `gen_ai.prompt.0.content`."""
UNSPOKEN = "finish_reason"
"""The field of a message that is nothing said, and stays an attribute."""

MORE = (
    *("embedding.embeddings", "retrieval.documents", "gen_ai.retrieval.documents"),
    *("reranker.output_documents", "annotations", "evaluations", "trace.annotations"),
    *("trace.evaluations", "session.annotations", "session.evaluations", "ai.embeddings"),
)
"""Beginnings of attributes that hold rows of other tables than `requests`."""

MESSAGE_EVENT = ("gen_ai.", ".message")
CHOICE_EVENT = "gen_ai.choice"
DETAILS_EVENT = "gen_ai.client.inference.operation.details"
DETAILS_EVENTS = (DETAILS_EVENT, "gen_ai.content.prompt", "gen_ai.content.completion")
EVENT_BODY = "gen_ai.event.content"
"""Events with what was said in a model call: beginning and end of the names of messages; answers;
whole conversations; and the attribute that holds the body where an event has none."""

STATUSES: dict[int | str, str] = {
    0: "ok", 1: "ok", 2: "error", "0": "ok", "1": "ok", "2": "error",
    "UNSET": "ok", "OK": "ok", "ERROR": "error",
    "STATUS_CODE_UNSET": "ok", "STATUS_CODE_OK": "ok", "STATUS_CODE_ERROR": "error",
}  # fmt: skip
"""How a span ended, by the code that says it."""

FLAG_EVENTS = ("feature_flag.evaluation", "feature_flag")
EVALUATION_EVENT = "gen_ai.evaluation.result"
TELLING_EVENTS = frozenset((*FLAG_EVENTS, EVALUATION_EVENT))
"""Events that are rows of other tables."""
