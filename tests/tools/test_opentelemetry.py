"""What the OpenTelemetry SDK exports: the case holds what its spans say."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.importers.loading import load_whole, rows
from tests.tools.pinned import Write, versions

pytestmark = pytest.mark.tools


class Left(NamedTuple):
    """The folder with both exports, and what the spans say of themselves."""

    folder: Path
    said: list[dict[str, Any]]


@pytest.fixture(scope="module", params=versions("opentelemetry"))
def left(request: pytest.FixtureRequest, write: Write) -> Left:
    return Left(*write("opentelemetry", request.param, "write_opentelemetry.py"))


@pytest.mark.parametrize("name", ["traces.bin", "traces.json"])
def test_calls_are_the_spans_of_the_sdk(left: Left, name: str, tmp_path: Path) -> None:
    case = tmp_path / "case.duckdb"
    load_whole(case, "otlp_traces", left.folder / name)
    found = rows(
        case,
        "SELECT span_id, trace_id, parent_span_id, epoch_us(occurred_at), epoch_us(ended_at), "
        "status, endpoint, response_model, input_tokens, output_tokens, session_id "
        "FROM requests ORDER BY occurred_at",
    )
    assert found == [as_row(one) for one in left.said]
    assert len(found) == 3
    texts = rows(case, "SELECT input_text, output_text FROM requests ORDER BY occurred_at")
    assert texts == [("user: May I have a refund, é?", "Yes."), (None, None), (None, None)]


def as_row(said: dict[str, Any]) -> tuple[Any, ...]:
    given = said["attributes"]
    return (
        *(said["span"], said["trace"], said["parent"]),
        *(said["began"] // 1_000, said["ended"] // 1_000),
        "error" if said["status"] == "ERROR" else "ok",
        given["gen_ai.request.model"],
        given.get("gen_ai.response.model"),
        given.get("gen_ai.usage.input_tokens", given.get("gen_ai.usage.prompt_tokens")),
        given.get("gen_ai.usage.output_tokens", given.get("gen_ai.usage.completion_tokens")),
        given.get("gen_ai.conversation.id"),
    )
