"""Large texts read by several processes: the case holds what one process would have put into it."""

import gzip
import json
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cases import empty_case
from tests.importers.loading import rows, source_of
from tests.importers.otlp_export import wire

from casework import intake
from casework.case import CaseWriter, Item, Receipt
from casework.importers import Options, _json_stream
from casework.importers.otlp_traces import otlp_traces
from casework.intake import _confined, _shares

# In the order of the source, but for what the settling of repeated keys finds in none.
TABLES = dict.fromkeys(("requests", "candidates", "vectors", "feedback", "eval_samples"), "rowid")
TABLES |= dict.fromkeys(("rejects", "duplicates"), "ALL")
KNOWN = "SELECT rows_read, rows_kept, rows_rejected, tables, notes, fields, left_out FROM exhibits"


def contents(case: Path) -> dict[str, list[Any]]:
    """All that a case holds of one exhibit, but for its id."""
    found = {
        name: rows(case, f"SELECT * EXCLUDE exhibit_id FROM {name} ORDER BY {order}")
        for name, order in TABLES.items()
    }
    return found | {"exhibits": rows(case, KNOWN)}


def held(case: Path, path: Path, items: Iterable[Item]) -> dict[str, list[Any]]:
    """What a case holds of the items of a source."""
    case.write_bytes(empty_case())
    with CaseWriter(case) as writer:
        digest = sha256(path.read_bytes()).hexdigest()
        writer.load(Receipt(path.name, digest, 0, "otlp_traces", "otlp_traces"), items)
    return contents(case)


def shared(case: Path, path: Path, processes: int) -> dict[str, list[Any]]:
    """What a case holds of a source whose pieces were read as by so many processes."""
    assert otlp_traces.shares
    source = source_of(path)
    shares = [otlp_traces.shares.read(source, first, processes) for first in range(processes)]
    return held(case, path, otlp_traces.shares.join(_shares._in_turn(shares)))


def alone(case: Path, path: Path) -> dict[str, list[Any]]:
    return held(case, path, otlp_traces.read(source_of(path), Options()))


def request(spans: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


def span(trace_id: str, span_id: int, begun: str, attributes: dict[str, Any]) -> dict[str, Any]:
    named = [{"key": key, "value": wire(value)} for key, value in attributes.items()]
    ids = {"traceId": trace_id, "spanId": f"{span_id:016x}"}
    return {**ids, "name": "chat", "startTimeUnixNano": begun, "attributes": named}


BEGUN = "1762000000000000000"
CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "gen_ai.usage.input_tokens": st.integers(0, 10**6) | st.just("many"),
        "gen_ai.request.temperature": st.floats(0, 2) | st.just(1),
        "gen_ai.input.messages": st.text(max_size=9),
        "request_id": st.sampled_from(["r1", "r2"]),
        "tool.name": st.text(max_size=9),
        "gen_ai.operation.name": st.sampled_from(["chat", "execute_tool", "embeddings"]),
    },
)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line of a request of spans, some of which share their ids, or what is none."""
    spans = [
        span(
            draw(st.sampled_from(["a" * 32, "b" * 32, "00"])),
            draw(st.integers(1, 6)),
            draw(st.sampled_from([BEGUN, "1", "x"])),
            CALL | draw(ATTRIBUTES),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]
    whole = request(spans)
    text = json.dumps(whole, indent=draw(st.sampled_from([None, 1])))
    return draw(st.sampled_from([text, text, text, text[:-1], "[]", ""]))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(lines(), min_size=1, max_size=9), processes=st.integers(1, 3))
def test_pieces_of_any_source_make_what_one_reading_makes(
    texts: list[str],
    processes: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_json_stream, "_RUN_BYTES", 500)
    folder = tmp_path_factory.mktemp("shares")
    path = folder / "traces.jsonl"
    path.write_text("\n".join(texts))
    assert shared(folder / "shared.duckdb", path, processes) == alone(folder / "one.duckdb", path)


@pytest.fixture
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source that is large enough to be shared by two processes, and longer than one piece."""
    monkeypatch.setattr(_shares, "_LEAST_BYTES", 1)
    monkeypatch.setattr(_shares, "_processes", lambda: 2)
    path = tmp_path / "traces.jsonl"
    padding = "x" * 200_000
    sent = [
        request([span("a" * 32, n % 90 + 1, BEGUN, CALL | {"gen_ai.prompt": f"{n} {padding}"})])
        for n in range(100)
    ]
    path.write_text("\n".join([*map(json.dumps, sent[:50]), "{torn", *map(json.dumps, sent[50:])]))
    return path


@pytest.mark.parametrize("is_packed", [False, True])
def test_processes_make_what_one_makes(tmp_path: Path, traces: Path, is_packed: bool) -> None:
    if is_packed:
        traces.write_bytes(gzip.compress(traces.read_bytes(), 1))
    case = tmp_path / "shared.duckdb"
    case.write_bytes(empty_case())
    (outcome,) = intake.load(case, [traces])
    assert (outcome.status, outcome.reason) == ("loaded", "")
    found, expected = contents(case), alone(tmp_path / "one.duckdb", traces)
    assert found == expected
    assert len(found["requests"]) > 50
    assert len(found["rejects"]) >= 1


PROGRAMS = {
    "killed": "import os; os.kill(os.getpid(), 11)",
    "garbage": "import sys; sys.stdout.write('x' * 100)",
    "forged": "import sys, msgspec; from casework.intake._messages import Piece, send;"
    "send(sys.stdout.buffer, Piece(memoryview(b'forged'))); sys.stdin.read()",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_process_that_fails_is_one_clear_outcome(
    tmp_path: Path, traces: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(_confined, "_COMMAND", (sys.executable, "-c", program))
    case = tmp_path / "case.duckdb"
    case.write_bytes(empty_case())
    (outcome,) = intake.load(case, [traces])
    assert (outcome.status, outcome.code) == ("failed", "IMPORT_CRASHED")
    assert rows(case, "SELECT count(*) FROM requests") == [(0,)]


def test_what_cannot_be_shared_is_read_as_before(tmp_path: Path, traces: Path) -> None:
    assert _shares.can_share(source_of(traces), otlp_traces)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(traces.read_bytes(), 1)[:-9])
    assert not _shares.can_share(source_of(cut), otlp_traces)
    with traces.open("a") as file:
        file.write('\n{"resourceLogs": [{"scopeLogs": [{"logRecords": []}]}]}')
    assert not _shares.can_share(source_of(traces), otlp_traces)
