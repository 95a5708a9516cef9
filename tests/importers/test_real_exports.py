"""The new importers on real files, where they are there: what is known of them must come out."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from tests.importers.loading import load, rows
from tests.importers.otlp_export import Logger, Tracer

from casework import intake
from casework.case import CaseWriter
from casework.importers import get

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
LM_EVAL = SHARED / "eval_logs/EleutherAI__lm-evaluation-harness"
LANGFUSE = SHARED / "traces/langfuse__langfuse/worker/src/__tests__/chatml/framework-traces"
SIGNED = SHARED / "registries/sigstore__model-transparency/scripts/tests"
RETRIEVAL = SHARED / "retrieval"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the real files are not here")


def test_five_runs_of_one_task_differ_by_their_examples_alone(tmp_path: Path) -> None:
    case = tmp_path / "case.duckdb"
    folder = LM_EVAL / "lm_eval/tasks/bias_classification/results"
    load(case, get("lm_eval_results"), *sorted(folder.rglob("results_*.json")))
    sql = """
        SELECT round(score, 4), attributes->>'n_shot', count(*)
        FROM eval_runs GROUP BY ALL ORDER BY 1
    """
    assert rows(case, sql) == [(0.5107, "0", 2), (0.5369, "5", 3)]
    same = "SELECT DISTINCT code_revision, endpoint, checkpoint, suite, params_hash FROM eval_runs"
    (one,) = rows(case, same)
    assert one[:2] == ("793469e", "meta-llama/Meta-Llama-3-8B")
    # What makes the prompt is the same among the runs of one number of examples.
    of_prompts = "SELECT count(DISTINCT prompt_hash), count(DISTINCT attributes->>'task_hashes')"
    assert rows(case, f"{of_prompts} FROM eval_runs") == [(2, 2)]


def test_results_that_are_not_finite_are_no_score(tmp_path: Path) -> None:
    case = tmp_path / "case.duckdb"
    load(case, get("lm_eval_results"), *LM_EVAL.rglob("tgpred.json/*/results_*.json"))
    found = rows(case, "SELECT score, n_items, attributes->'metrics'->>'mae,none' FROM eval_runs")
    assert found == [(None, 24, "inf")]


def test_langfuse_traces_have_the_conversations_that_langfuse_shows(tmp_path: Path) -> None:
    shown, missing = 0, []
    for number, expected in enumerate(sorted(LANGFUSE.glob("*.chatml.json"))):
        case = tmp_path / f"{number}.duckdb"
        trace = expected.with_name(expected.name.replace(".chatml.json", ".trace.json"))
        load(case, get("langfuse_export"), trace)
        texts = "SELECT request_id, input_text, output_text FROM requests"
        found = {name: {"input": into, "output": out} for name, into, out in rows(case, texts)}
        for name, side, content in messages(json.loads(expected.read_text())):
            if name in found:
                shown += 1
                ours = found[name][side] or ""
                # The answer of a tool may stand as JSON within its part.
                if content not in ours and json.dumps(content)[1:-1] not in ours:
                    missing.append((expected.name, name, side, content[:60]))
    assert missing == []
    assert shown >= 40


def messages(chatml: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Observation, side and text of the messages that Langfuse could read."""
    for name, sides in chatml.items():
        for side in ("input", "output"):
            said = sides.get(side, {})
            for message in said["data"] if said.get("success") else ():
                if isinstance(message.get("content"), str) and message["content"]:
                    yield name, side, message["content"]


def test_signed_files_have_the_digests_that_were_signed(tmp_path: Path) -> None:
    case = tmp_path / "case.duckdb"
    load(case, get("model_signature"), SIGNED / "v1.0.1-sigstore" / "model.sig")
    sql = """
        SELECT checkpoint, "exists", attributes->>'files_matching',
               attributes->>'files_different' FROM checkpoints
    """
    digest = "61d4849d9d90076d6215f4d525f13d6574af8e3f67aef3e6f36fc40a14fdd226"
    assert rows(case, sql) == [(f"sha256:{digest}", True, "2", None)]


def test_a_changed_file_beside_a_signature_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "v1.0.1-sigstore"
    folder.mkdir()
    for path in (SIGNED / "v1.0.1-sigstore").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "signme-1").write_bytes(b"other")
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get("model_signature"), folder / "model.sig")
    assert any("1 file beside the signature does not have" in note for note in exhibit.notes)
    assert rows(case, 'SELECT "exists" FROM checkpoints') == [(None,)]


def test_runs_and_judgments_of_trec_are_read_whole(tmp_path: Path) -> None:
    case = tmp_path / "case.duckdb"
    runs = sorted(RETRIEVAL.rglob("trec_results_dl20.txt"))
    judged = next(RETRIEVAL.rglob("qrels.dl20-passage.txt"))
    CaseWriter.create(case, "retrieval")
    intake.load(case, [*runs, judged])
    (lines,) = {len(path.read_text().splitlines()) for path in runs}
    assert rows(case, "SELECT count(*) FROM candidates") == [(lines * len(runs),)]
    assert rows(case, "SELECT count(*), max(grade) FROM judgments") == [(11386, 3)]


def test_spans_of_2023_and_of_now(tmp_path: Path) -> None:
    case = tmp_path / "case.duckdb"
    folder = SHARED / "traces/Arize-ai__phoenix"
    load(case, get("openinference_spans"), folder / "tutorials/internal/trace.jsonl")
    calls = (folder / "tutorials/internal/trace.jsonl").read_text().count('"span_kind": "LLM"')
    texts = rows(case, "SELECT input_text, output_text FROM requests WHERE operation = 'LLM'")
    assert len(texts) == calls > 0
    assert all(text.startswith("system: You are an expert Q&A system") for text, _ in texts)


# What instrumentations emit, put on the wire by the SDK as protobuf

CONFORMANCE = SHARED / "traces/open-telemetry__semantic-conventions-conformance"
ARIZE = SHARED / "traces/Arize-ai__openinference/js/packages"
SAID = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "May I?"}]}])
ANSWERED = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Yes."}]}])
VALUES: dict[str, Any] = {
    "gen_ai.input.messages": SAID, "gen_ai.output.messages": ANSWERED,
    "gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 4,
}  # fmt: skip


def emitted(kind: str, names: list[str]) -> dict[str, Any]:
    """Attributes of a span of that kind, with a value for each name that was seen."""
    operation = {"inference": "chat"}.get(kind.split(".")[1], kind.split(".")[1])
    values = {**VALUES, "gen_ai.operation.name": operation}
    return {name: values.get(name, "x") for name in names}


@pytest.mark.parametrize(
    "file", sorted(CONFORMANCE.rglob("data.json")), ids=lambda f: f.parent.name
)
def test_what_an_instrumentation_emits_fills_requests(file: Path, tmp_path: Path) -> None:
    seen = json.loads(file.read_text())
    tracer, logger = Tracer(), Logger()
    for kind, names in seen["spans"].items():
        span = tracer.call(emitted(kind, names))
        for name, attributes in seen["events"].items():
            if kind == "gen_ai.inference.client":
                logger.emit(name, emitted(kind, attributes), None, span)
    messages = [encode_spans(tracer.spans).SerializeToString()]
    if seen["events"]:
        messages.insert(0, logger.message().SerializeToString())
    source = tmp_path / "traces.binpb"
    source.write_bytes(b"".join(len(one).to_bytes(4, "big") + one for one in messages))
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get("otlp_traces"), source)
    calls = {kind: names for kind, names in seen["spans"].items()
             if kind.split(".")[1] in ("inference", "embeddings")}  # fmt: skip
    assert (exhibit.rows_kept, exhibit.rows_rejected) == (len(calls), 0)
    texts = rows(case, "SELECT input_text, output_text FROM requests WHERE operation = 'chat'")
    for kind, names in calls.items():
        if kind == "gen_ai.inference.client":
            told = {*names, *seen["events"].get("gen_ai.client.inference.operation.details", ())}
            said = "gen_ai.input.messages" in told
            system = "system: x\n" if "gen_ai.system_instructions" in told else ""
            assert texts == [(f"{system}user: May I?", "Yes.") if said else (None, None)]
    left = sum(kind not in calls for kind in seen["spans"])
    assert exhibit.notes == () if not left else exhibit.notes[0].startswith(f"left out: {left} ")


def test_spans_that_arize_tests_with_fill_requests(tmp_path: Path) -> None:
    tracer, calls, texts = Tracer(), 0, 0
    spans = json.loads((ARIZE / "openinference-vercel/test/__fixtures__/v6-spans/all-spans.json")
                       .read_text())  # fmt: skip
    for span in spans:
        tracer.call(span["attributes"], name=span["name"])
        calls += "gen_ai.request.model" in span["attributes"]
        texts += "ai.prompt.messages" in span["attributes"]
    files = sorted((ARIZE / "openinference-genai").rglob("*span*.json"))
    for file in files:
        tracer.call(json.loads(file.read_text()))
    source = tmp_path / "traces.binpb"
    source.write_bytes(encode_spans(tracer.spans).SerializeToString())
    case = tmp_path / "case.duckdb"
    (exhibit,) = load(case, get("otlp_traces"), source)
    assert exhibit.rows_rejected == 0
    of_tools = 1
    assert rows(case, "SELECT count(*) FROM requests") == [(calls + len(files) - of_tools,)]
    of_vercel = "FROM requests WHERE attributes->>'ai.operationId' IS NOT NULL"
    sql = (
        f"SELECT count(*), count(input_text), count(output_text), count(response_model) {of_vercel}"
    )
    ((count, said, answered, models),) = rows(case, sql)
    assert count == calls
    assert said == texts
    assert 0 < answered <= said
    assert models > 0
    vectors = rows(case, "SELECT text_id, embedding_model, len(vector) > 1000 FROM vectors")
    assert vectors
    fox = "The quick brown fox jumps over the lazy dog."
    assert set(vectors) == {(sha256(fox.encode()).hexdigest(), "text-embedding-3-small", True)}
    weather = "SELECT count(*) FROM requests WHERE input_text LIKE '%Weather in Paris?%'"
    assert rows(case, weather) == [(len(files) - of_tools,)]
