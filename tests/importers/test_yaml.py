"""YAML from strangers: no aliases, no objects, no depth, and never a traceback."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.importers.loading import refusal_of

from casework.errors import CaseworkError
from casework.importers._yaml import MAX_BYTES, parse_yaml

LAUGHS = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
)


def test_a_billion_laughs_are_refused_at_once() -> None:
    start = time.process_time()
    with pytest.raises(CaseworkError, match="YAML_ALIAS_REFUSED"):
        parse_yaml(LAUGHS, "MLmodel")
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[" * 65 + b"]" * 65, "YAML_DEPTH"),
        (b"[" * 100_000, "YAML_DEPTH"),
        (b"a: " + b"x" * MAX_BYTES, "YAML_TOO_LARGE"),
        (b"a: !!python/object/apply:os.system ['id']", "YAML"),
        (b"a: !!python/name:os.system", "YAML"),
        (b"a: 2024-13-45", "YAML"),
        (b"a: b: c", "YAML"),
        (b"\xff\xfe", "YAML"),
        (b"--- 1\n--- 2", "YAML"),
        (b"? [a]\n: b", "YAML"),
        (b"a: 1\nb: {}\n'a': 2", "YAML_DUPLICATE_KEY"),
        (b"- {a: [a, a], b: {a: 1, c: 1, 'c': 2}}", "YAML_DUPLICATE_KEY"),
        (b"yes: 1\ntrue: 2", "YAML_DUPLICATE_KEY"),
        (b"0x10: 1\n16: 2", "YAML_DUPLICATE_KEY"),
        (b"2024-13-45: 1", "YAML"),
    ],
)
def test_faults_have_codes(data: bytes, code: str) -> None:
    with pytest.raises(CaseworkError) as refused:
        parse_yaml(data, "meta.yaml")
    assert refused.value.code == code
    assert "meta.yaml" in str(refused.value)


def test_a_key_that_stands_twice_is_no_matter_of_aliases() -> None:
    with pytest.raises(CaseworkError, match="ask for the file as it was written"):
        parse_yaml(b"a: 1\na: 2", "meta.yaml")


def test_plain_values_are_read() -> None:
    text = b"name: credit\nversion: 3\nsource: null\ntags: {a: [1.5, 'x']}\n"
    expected = {"name": "credit", "version": 3, "source": None, "tags": {"a": [1.5, "x"]}}
    assert parse_yaml(text, "meta.yaml") == expected
    assert parse_yaml(b"", "meta.yaml") is None
    nested = {"a": {"a": ["a", "a", {"a": "a"}], "b": "a"}, "b": {"a": {}}}
    assert parse_yaml(b"{a: {a: [a, a, {a: a}], b: a}, b: {a: {}}}", "meta.yaml") == nested
    assert parse_yaml(b"1: a\n'1': b\n!!str 2: c\n2: d", "meta.yaml") == {
        1: "a", "1": "b", "2": "c", 2: "d"
    }  # fmt: skip
    assert parse_yaml(b"<<: {a: 1}\nb: 2\n=: 3", "meta.yaml") == {"a": 1, "b": 2, "=": 3}


@given(
    st.binary(max_size=100)
    | st.text(alphabet="ab: -[]{}&*!\n\"'#|>?1", max_size=60).map(str.encode)
)
def test_any_bytes_end_in_a_value_or_one_error(data: bytes) -> None:
    code = refusal_of(lambda: parse_yaml(data, "meta.yaml"))
    assert not code or code.startswith("YAML")
