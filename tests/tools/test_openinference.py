"""Spans by the conventions of OpenInference: the case holds what the spans say."""

from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.importers.loading import load_whole, rows
from tests.tools.pinned import Write, versions

from casework.importers._configuration import hash_params, hash_prompt

pytestmark = pytest.mark.tools


class Left(NamedTuple):
    """The export, and what the spans say of themselves, by their kind."""

    path: Path
    said: dict[str, dict[str, Any]]


@pytest.fixture(scope="module", params=versions("openinference"))
def left(request: pytest.FixtureRequest, write: Write) -> Left:
    folder, said = write("openinference", request.param, "write_openinference.py")
    assert len(said) == 6
    return Left(folder / "traces.bin", {one["kind"]: one for one in said})


@pytest.fixture(scope="module")
def case(left: Left, tmp_path_factory: pytest.TempPathFactory) -> Path:
    case = tmp_path_factory.mktemp("case") / "case.duckdb"
    load_whole(case, "otlp_traces", left.path)
    return case


def test_calls_are_the_spans(left: Left, case: Path) -> None:
    found = rows(
        case,
        "SELECT span_id, trace_id, epoch_us(occurred_at), endpoint, input_tokens, output_tokens, "
        "session_id, user_id, input_text, output_text, prompt_hash, params_hash "
        "FROM requests WHERE endpoint = 'large'",
    )
    said = left.said["LLM"]
    assert found == [(
        *(said["span"], said["trace"], said["began"] // 1_000),
        said["attributes"]["llm.model_name"],
        said["attributes"]["llm.token_count.prompt"],
        said["attributes"]["llm.token_count.completion"],
        *("s1", "ana"),
        *("system: Be brief.\nuser: One é?", "Yes."),
        *(hash_prompt(["Be brief."]), hash_params({"temperature": 0.5})),
    )]  # fmt: skip


def test_an_embedding_is_a_call_with_its_vector(left: Left, case: Path) -> None:
    said = left.said["EMBEDDING"]
    found = rows(case, "SELECT span_id FROM requests WHERE endpoint = 'embedder'")
    assert found == [(said["span"],)]
    assert rows(case, "SELECT text_id, vector FROM vectors") == [
        (
            sha256(b"One?").hexdigest(),
            said["attributes"]["embedding.embeddings.0.embedding.vector"],
        )
    ]


def test_documents_are_candidates(left: Left, case: Path) -> None:
    found = rows(
        case,
        "SELECT doc_id, query_id, epoch_us(occurred_at), request_id, dense_rank, dense_score, "
        "rerank_score FROM candidates ORDER BY occurred_at, doc_id",
    )
    query, call = f"sha256:{sha256(b'One?').hexdigest()}", left.said["LLM"]["span"]
    expected = []
    for kind in ("RETRIEVER", "RERANKER"):
        when = left.said[kind]["began"] // 1_000
        for rank, (name, score) in enumerate([("d1", 0.75), ("d2", 0.25)], 1):
            dense, ranked = (score, None) if kind == "RETRIEVER" else (None, score)
            place = rank if kind == "RETRIEVER" else None
            expected.append((name, query, when, call, place, dense, ranked))
    assert found == expected
