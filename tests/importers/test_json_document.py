"""JSON from strangers: what parsers let through is refused, each with its code, and at once."""

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.importers.loading import refusal_of

from casework.errors import CaseworkError
from casework.importers import _json_document, _json_stream, _records
from casework.importers._json_document import (
    Fault,
    document,
    first_entries,
    is_too_deep,
)
from casework.importers._records import read_document
from casework.importers._source import Source

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def nested(levels: int, opened: str = "[", closed: str = "]") -> bytes:
    return (opened * levels + "1" + closed * levels).encode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a": 1, "a": 2}', "JSON_DUPLICATE_KEY"),
        (b'{"b": [{"a": 1, "c": 3, "a": 1}]}', "JSON_DUPLICATE_KEY"),
        (nested(65), "JSON_DEPTH"),
        (nested(100_000), "JSON_DEPTH"),
        (nested(40, '{"a": [', "]}"), "JSON_DEPTH"),
        (b'["\\ud800"]', "JSON_SURROGATE"),
        (b'{"\\udc00": 1}', "JSON_SURROGATE"),
        (b'"\xff"', "JSON_ENCODING"),
        (b"{", "JSON"),
        (b"[1 2]", "JSON"),
        (b"{} {}", "JSON"),
        (b"", "JSON"),
        (b"[" + b"9" * 5000 + b"]", "JSON"),
    ],
)
def test_faults_have_codes(data: bytes, code: str) -> None:
    start = time.process_time()
    with pytest.raises(CaseworkError) as refused:
        document(data, "file.json").value()
    assert refused.value.code == code
    assert "file.json" in str(refused.value)
    assert time.process_time() - start < 1


def test_many_keys_take_no_longer_each() -> None:
    keys = ",".join(f'"{n}":0' for n in range(60_000)).encode()
    start = time.process_time()
    assert len(dict(document(b"{" + keys + b"}", "").entries(""))) == 60_000
    with pytest.raises(CaseworkError, match="'59999' stands twice"):
        document(b"{" + keys + b',"59999":1}', "").value()
    assert time.process_time() - start < 1


def test_what_only_looks_like_a_fault_is_read() -> None:
    assert document(nested(64), "f").value()
    assert document(b'"' + b"[" * 1000 + b'\\"\\\\"', "f").value() == "[" * 1000 + '"\\'
    assert document(b'["\\ud83d\\ude00"]', "f").value() == ["\U0001f600"]
    assert document(b'\xef\xbb\xbf{"a": [NaN, -Infinity]}', "f").value()["a"][1] < 0


@given(VALUES)
def test_reads_what_json_writes(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        try:
            data = text.encode()
        except UnicodeEncodeError:
            continue
        assert document(data, "f").value() == value


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@given(VALUES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_depth_is_that_of_the_value(
    monkeypatch: pytest.MonkeyPatch, chunk: int, value: Any
) -> None:
    def depth(inner: Any) -> int:
        if isinstance(inner, dict):
            inner = list(inner.values())
        return 1 + max(map(depth, inner), default=0) if isinstance(inner, list) else 0

    monkeypatch.setattr(_json_document, "_CHUNK", chunk)
    data = json.dumps(value).encode()
    for wrapped in (64 - depth(value), 65 - depth(value)):
        assert is_too_deep(nested(wrapped).replace(b"1", data)) == (wrapped + depth(value) > 64)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\ \nabe1N', max_size=60).map(str.encode))
def test_any_bytes_end_in_a_value_or_one_error(data: bytes) -> None:
    first_entries(data)
    for read in (lambda d: d.value(), lambda d: list(d.entries("a"))):
        code = refusal_of(lambda read=read: read(document(data, "f")))
        assert not code or code.startswith("JSON")


def test_entries_stream_one_list_and_tell_its_faults() -> None:
    text = b'{"a": 1, "rows": [{"x": 1}, {"x": 1, "x": 2}, "\\ud800", 3], "z": [4]}'
    found = dict(document(text, "f").entries("rows"))
    assert list(found) == ["a", "/rows/0", "/rows/1", "/rows/2", "/rows/3", "z"]
    assert (found["a"], found["/rows/0"], found["/rows/3"], found["z"]) == (1, {"x": 1}, 3, [4])
    fault = found["/rows/1"]
    assert isinstance(fault, Fault)
    assert (fault.error.code, fault.raw) == ("JSON_DUPLICATE_KEY", '{"x": 1, "x": 2}')
    assert found["/rows/2"].error.code == "JSON_SURROGATE"


@pytest.mark.parametrize("text", [b'{"a": 1, "a": 2}', b'{"a": [1}', b"{1: 2}", b'{"a" 1}', b"[]"])
def test_entries_refuse_what_is_no_object(text: bytes) -> None:
    with pytest.raises(CaseworkError):
        list(document(text, "f").entries("rows"))


def test_first_entries_of_a_text_that_is_cut_off() -> None:
    whole = {"version": 2, "eval": {"task": "t", "ids": list(range(100))}, "plan": {}}
    text = json.dumps(whole).encode()
    assert first_entries(text) == whole
    assert first_entries(text[:80]) == {"version": 2, "eval": None}
    assert first_entries(b"\xff\xfe") == first_entries(b"[1") == {}


def test_a_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_records, "MAX_BYTES", 10)
    file = tmp_path / "a.json"
    file.write_bytes(b'"' + b"x" * 10)
    with pytest.raises(CaseworkError, match="JSON_TOO_LONG"):
        read_document(Source(file, "a.json"))


def test_a_long_first_line_behind_a_byte_order_mark_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_json_stream, "LINE_BYTES", 20)
    text = b"\xef\xbb\xbf" + b'{"a": "' + b"x" * 30 + b'"}\n{"b": 1}\n'
    found = list(_json_stream.documents(io.BytesIO(text)))
    assert [(one.line, one.overlong) for one in found] == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ('{\n "runs": [\n  {"id": 1},\n  {"id": 2}\n ],\n', ["line 1 JSON"]),
        ('{"id": 1}\ngarbage\n {"id": 2}\n', ["line 1", "line 2 JSON", "line 3"]),
        ('garbage\n {"id": 2}\n', ["line 1 JSON", "line 2"]),
        (' {"id": 1}\n {"id": 2}\n', ["line 1", "line 2"]),
        ('{"runs": [\n {"id": 1}', ["line 1 JSON"]),
        (
            '{"id": \n {"id": 2}\n\n {"id": 3}\n x\n {"id": 5}\n',
            ["line 1 JSON", "line 2", "line 4", "line 5 JSON", "line 6"],
        ),
    ],
)
def test_objects_within_a_torn_document_are_no_records(
    tmp_path: Path, text: str, held: list[str]
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(text)
    found = _records.records(Source(file, "a.jsonl"))
    assert [f"{one.locator} {getattr(one, 'code', '')}".strip() for one in found] == held


@pytest.mark.parametrize("magic", [b"\x1f\x8b", b"\x28\xb5\x2f\xfd"])
def test_broken_compression_is_told(tmp_path: Path, magic: bytes) -> None:
    file = tmp_path / "a.json.gz"
    file.write_bytes(magic + b"\x08\x00garbage garbage")
    with pytest.raises(CaseworkError, match="COMPRESSION"):
        read_document(Source(file, "a.json.gz"))
