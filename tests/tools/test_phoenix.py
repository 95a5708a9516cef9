"""What Phoenix keeps and returns: the case holds what its client says of spans and marks."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.importers.loading import load, load_whole, rows, source_of
from tests.tools.pinned import Write, versions

from casework.importers import ALL
from casework.importers._configuration import hash_params

pytestmark = pytest.mark.tools

TAKERS = {
    "spans.parquet": "openinference_spans",
    "spans.jsonl": "openinference_spans",
    "phoenix.db": "phoenix_database",
}


class Left(NamedTuple):
    """The folder with the database and the spans, and what the client says."""

    folder: Path
    said: dict[str, Any]

    def span(self, kind: str) -> dict[str, Any]:
        (found,) = (one for one in self.said["spans"] if one["span_kind"] == kind)
        return dict(found)


@pytest.fixture(scope="module", params=versions("phoenix"))
def left(request: pytest.FixtureRequest, write: Write) -> Left:
    folder, said = write("phoenix", request.param, "write_phoenix.py")
    assert len(said["spans"]) == len(said["recorded"]) == 6
    return Left(folder, said)


@pytest.fixture(scope="module", params=list(TAKERS))
def case(
    request: pytest.FixtureRequest, left: Left, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    case = tmp_path_factory.mktemp("case") / "case.duckdb"
    load_whole(case, TAKERS[request.param], left.folder / request.param)
    return case


def test_calls_are_the_spans_of_the_client(left: Left, case: Path) -> None:
    found = rows(
        case,
        "SELECT span_id, trace_id, parent_span_id, occurred_at, ended_at, endpoint, session_id, "
        "user_id, input_tokens, output_tokens, output_text, params_hash "
        "FROM requests ORDER BY occurred_at",
    )
    call, embedding = left.span("LLM"), left.span("EMBEDDING")
    given = call["attributes"]
    assert found == [
        (
            *shared(call),
            given["llm.model_name"],
            given["session.id"],
            given["user.id"],
            given["llm.token_count.prompt"],
            given["llm.token_count.completion"],
            given["llm.output_messages.0.message.content"],
            hash_params({"temperature": 0.5}),
        ),
        (*shared(embedding), "embedder", *[None] * 6),
    ]


def shared(span: dict[str, Any]) -> tuple[Any, ...]:
    return (
        span["context"]["span_id"],
        span["context"]["trace_id"],
        span["parent_id"],
        datetime.fromisoformat(span["start_time"]),
        datetime.fromisoformat(span["end_time"]),
    )


def test_documents_and_vectors_are_those_of_the_spans(left: Left, case: Path) -> None:
    found = rows(
        case,
        "SELECT doc_id, occurred_at, request_id, dense_score, rerank_score FROM candidates "
        "ORDER BY occurred_at, doc_id",
    )
    call = left.span("LLM")["context"]["span_id"]
    retrieved, ranked = (datetime.fromisoformat(left.span(kind)["start_time"])
                         for kind in ("RETRIEVER", "RERANKER"))  # fmt: skip
    assert found == [
        ("d1", retrieved, call, 0.75, None),
        ("d2", retrieved, call, 0.25, None),
        ("d1", ranked, call, None, 0.75),
        ("d2", ranked, call, None, 0.25),
    ]
    said = left.span("EMBEDDING")["attributes"]["embedding.embeddings.0.embedding.vector"]
    assert rows(case, "SELECT vector, embedding_model FROM vectors") == [(said, "embedder")]


def test_marks_are_in_the_database(left: Left, tmp_path: Path) -> None:
    path, case = left.folder / "phoenix.db", tmp_path / "case.duckdb"
    (taker,) = (one for one in ALL if not one.of_folders and one.recognises(source_of(path)))
    load(case, taker, path)
    call = left.span("LLM")["context"]["span_id"]
    assert {one["span_id"] for one in left.said["marks"]} == {call}
    names = {one["name"]: one["annotator_kind"] for one in left.said["marks"]}
    assert names == {"helpful": "HUMAN", "grounded": "LLM"}
    assert rows(case, "SELECT request_id, signal FROM feedback") == [(call, 1)]
    found = rows(case, "SELECT run_id, item_id, score FROM eval_samples")
    assert found == [("openinference:LLM:grounded", call, 0.25)]
