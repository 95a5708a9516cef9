"""What the LangSmith client sends and its models write: the case holds what they say."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.importers.loading import load_whole, rows
from tests.tools.pinned import Write, versions

from casework.importers._retrievals import named_by_content

pytestmark = pytest.mark.tools


class Left(NamedTuple):
    """The folder with both files, and what the models of the client say of the runs."""

    folder: Path
    said: list[dict[str, Any]]
    sent: int


@pytest.fixture(scope="module", params=versions("langsmith"))
def left(request: pytest.FixtureRequest, write: Write) -> Left:
    folder, told = write("langsmith", request.param, "write_langsmith.py")
    return Left(folder, told["runs"], told["sent"])


@pytest.fixture(params=["sent.jsonl", "runs.jsonl"])
def case(request: pytest.FixtureRequest, left: Left, tmp_path: Path) -> Path:
    case = tmp_path / "case.duckdb"
    load_whole(case, "langsmith_runs", left.folder / request.param)
    return case


def test_a_create_and_its_update_are_one_run(left: Left) -> None:
    assert left.sent == 2 * len(left.said)


def test_calls_are_those_of_the_models(left: Left, case: Path) -> None:
    found = rows(
        case,
        "SELECT request_id, trace_id, parent_span_id, occurred_at, ended_at, endpoint, session_id, "
        "user_id, status, input_tokens, output_tokens FROM requests ORDER BY occurred_at",
    )
    assert found == [
        (
            *(one["id"], one["trace"], one["parent"]),
            *(datetime.fromisoformat(one["began"]), datetime.fromisoformat(one["ended"])),
            *("gpt-large", one["thread"], one["user"]),
            "ok" if one["status"] == "success" else "error",
            *one["tokens"],
        )
        for one in left.said
        if one["type"] == "llm"
    ]
    assert [row[8] for row in found] == ["ok", "ok", "error"]


def test_texts_are_those_of_the_models(left: Left, case: Path) -> None:
    texts = {name: given for name, *given in rows(
        case, "SELECT request_id, input_text, output_text FROM requests")}  # fmt: skip
    for one in left.said:
        if one["type"] == "llm":
            asked, answered = texts[one["id"]]
            assert all(message["content"] in asked for message in one["inputs"]["messages"])
            if one["status"] == "success":
                assert answered == one["outputs"]["choices"][0]["message"]["content"]
            else:
                assert answered is None


def test_documents_of_a_retriever_are_candidates(left: Left, case: Path) -> None:
    found = rows(case, "SELECT query_id, dense_rank, doc_id, occurred_at FROM candidates "
                       "ORDER BY occurred_at, dense_rank")  # fmt: skip
    assert found == [
        (
            one["id"],
            rank,
            document["metadata"].get("id")
            or named_by_content(document["metadata"]["source"], document["page_content"]),
            datetime.fromisoformat(one["began"]),
        )
        for one in left.said
        if one["type"] == "retriever"
        for rank, document in enumerate(one["outputs"]["output"], 1)
    ]
    assert len(found) == 6
