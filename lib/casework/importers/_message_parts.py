"""Parts of chat messages: their kinds in the interfaces of models, and what a text of one is."""

from typing import Any

_TEXT_PARTS = ("text", "input_text", "output_text", "refusal")
_OTHER_PARTS = (
    *("tool_use", "tool_result", "tool_call", "tool_call_response", "thinking", "reasoning"),
    *("redacted_thinking", "function_call", "function_call_output", "message", "document", "file"),
    *("image", "image_url", "input_image", "input_audio", "input_file", "audio", "blob", "uri"),
    *("server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "mcp_tool_use"),
    *("mcp_tool_result", "code_execution_tool_result", "search_result", "container_upload"),
    *("web_search_call", "file_search_call", "computer_call", "computer_call_output"),
    *("code_interpreter_call", "image_generation_call", "local_shell_call", "mcp_call"),
    *("mcp_list_tools", "custom_tool_call", "custom_tool_call_output", "item_reference"),
)
_NAMED_PARTS = {  # of Bedrock and Google, which name a part instead of giving it a type
    *("toolUse", "toolResult", "reasoningContent", "guardContent", "cachePoint"),
    *("functionCall", "functionResponse", "inlineData", "fileData", "executableCode"),
    *("codeExecutionResult", "function_call", "function_response", "inline_data", "file_data"),
}
_PARTS = frozenset((*_TEXT_PARTS, *_OTHER_PARTS))
TEXT_FIELDS = {"type", "content", "text", "refusal", "annotations"}
_CHOICE_FIELDS = {  # what stands beside a text that is a choice, or that the model thought over
    *("index", "logprobs", "finish_reason", "stop_reason", "content_filter_results"),
    *("thoughtSignature", "thought_signature", "generation_info"),
}
_UNSAID_FIELDS = {"type", "id", "status"}


def names_held(value: dict[str, Any]) -> set[str]:
    """Names of what an object holds; tools write null for what is not there."""
    return {name for name, found in value.items() if found is not None}


def is_text(part: dict[str, Any]) -> bool:
    """Whether a part is a text, and holds nothing else that could mean something."""
    is_told = any(isinstance(part.get(name), str) for name in ("content", "text", "refusal"))
    if _type_of(part) is not None:
        return is_told and part["type"] in _TEXT_PARTS
    return is_told and names_held(part) <= TEXT_FIELDS | _CHOICE_FIELDS


def is_part(part: Any) -> bool:
    """Whether a part is of a kind that the interfaces of models have."""
    if not isinstance(part, dict):
        return False
    held = names_held(part)
    is_named = len(held) == 1 and held <= _NAMED_PARTS
    return _type_of(part) in _PARTS or is_named or is_text(part)


def is_silent(part: dict[str, Any]) -> bool:
    """Whether a part is a thought of which nothing was told, as most models keep theirs."""
    told = {name for name, found in part.items() if found not in (None, "", [])}
    return _type_of(part) == "reasoning" and told <= _UNSAID_FIELDS


def _type_of(part: Any) -> str | None:
    found = part.get("type") if isinstance(part, dict) else None
    return found if isinstance(found, str) else None
