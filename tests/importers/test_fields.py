"""Fields of a source: which column each fills, what stays an attribute, what is left out."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.case import Fields, Note
from casework.importers._fields import FieldLog, Form, find
from casework.tables import model_versions, requests

CALL = Form(
    requests,
    of="call",
    columns={
        "request_id": ("id",),
        "occurred_at": ("start", "time.begun"),
        "endpoint": ("llm.model", "model"),
        "input_tokens": ("usage.in",),
    },
    uses={"input_text": ("messages",)},
    own=("metadata",),
    left_out=("raw", "usage.price"),
)


def account(log: FieldLog) -> tuple[dict[str, list[str]], dict[str, int], list[str]]:
    taken: dict[str, list[str]] = {}
    left: dict[str, int] = {}
    notes = []
    for item in log.items():
        match item:
            case Fields():
                taken = {name: sorted(columns) for name, columns in item.taken.items()}
                left = dict(item.left_out)
            case Note():
                notes.append(item.text)
    return taken, left, notes


def test_every_field_goes_somewhere_and_is_accounted_for() -> None:
    log = FieldLog("Europe/Berlin")
    values = log.fill(
        CALL,
        {
            "id": "r1",
            "time": {"begun": "2026-03-01T12:00:00", "zone": "?"},
            "llm.model": "prod",
            "model": "other",
            "usage": {"in": 7, "out": 3, "price": 0.1},
            "messages": [{"role": "user"}],
            "metadata": {"region": "eu", "endpoint": "mine", "x": 1},
            "raw": "…",
            "empty": {},
        },
    )
    assert values == {
        "request_id": "r1",
        "occurred_at": datetime(2026, 3, 1, 11, tzinfo=UTC),
        "endpoint": "prod",
        "input_tokens": 7,
        "region": "eu",
        "attributes": {
            "time": {"zone": "?"},
            "model": "other",
            "usage": {"out": 3},
            "metadata": {"endpoint": "mine", "x": 1},
        },
    }
    taken, left, notes = account(log)
    assert taken["call.llm.model"] == ["requests.endpoint"]
    assert taken["call.messages"] == ["requests.input_text"]
    assert taken["call.metadata.region"] == ["requests.region"]
    assert taken["call.model"] == ["requests.attributes"]
    assert left == {"call.raw": 1, "call.usage.price": 1}
    assert notes == []


@pytest.mark.parametrize("nothing", [math.nan, -math.inf])
def test_a_text_that_is_no_number_either_is_not_there(nothing: float) -> None:
    log = FieldLog(None)
    assert log.fill(CALL, {"id": nothing, "metadata": {"region": nothing}}) == {}
    assert account(log)[2] == []
    form = Form(model_versions, of="", columns={"aliases": ("listed",)})
    assert log.fill(form, {"listed": ["a", nothing]}) == {"aliases": ["a"]}


def test_a_value_that_cannot_be_read_stays_and_is_told() -> None:
    log = FieldLog(None)
    values = log.fill(CALL, {"id": "r1", "start": "soon", "usage": {"in": "many"}})
    assert values == {
        "request_id": "r1",
        "attributes": {"start": "soon", "usage": {"in": "many"}},
    }
    _, _, notes = account(log)
    assert notes == [
        "1 value of call.start cannot be read, and is kept as an attribute",
        "1 value of call.usage.in cannot be read, and is kept as an attribute",
    ]


def test_what_is_left_out_is_told_in_words_that_agree() -> None:
    log = FieldLog(None)
    found = [*log.leave_told("tags that lie", 1, "tag that lies"), *log.leave_told("lines", 1),
             *log.leave_told("tags that lie", 1_999, "tag that lies"),
             *log.leave_told("lines", 0)]  # fmt: skip
    assert [note.text for note in found] == [
        "left out: 1 tag that lies",
        "left out: 1 line",
        "left out: 1,999 tags that lie",
    ]
    assert account(log)[1] == {"tags that lie": 2_000, "lines": 1}


def test_names_without_end_do_not_fill_the_memory() -> None:
    log = FieldLog(None)
    for n in range(3_000):
        log.fill(CALL, {"id": str(n), f"field {n}": n})
    taken, _, _ = account(log)
    assert len(taken) <= 2_001
    assert "(others)" in taken


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc.", max_size=4), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["id", "start", "usage", "metadata", "raw", "a.b"]), json))
def test_nothing_is_lost(record: dict[str, Any]) -> None:
    log = FieldLog(None)
    values = log.fill(CALL, record)
    kept = values.get("attributes", {})
    _, left, _ = account(log)
    for name, value in record.items():
        is_empty = value in (None, "", [], {})
        holds_it = name in kept or f"call.{name}" in left or f"call.{name}.price" in left
        assert holds_it or is_empty or name in ("id", "start", "usage", "metadata")


@given(st.text("ab.", max_size=6), st.dictionaries(st.text("ab.", max_size=3), st.integers()))
def test_find_never_fails(path: str, record: dict[str, int]) -> None:
    assert find(record, path) == record.get(path)
