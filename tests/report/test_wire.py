"""The JSON of a report: canonical, complete, read back exactly, and described by its schema."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.hostile import PAYLOADS, spoilt
from tests.report.sample import sample

from casework.errors import CaseworkError
from casework.findings import Measure, Result
from casework.report import as_json, read_json, schema
from casework.report.model import Report

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def with_measure(value: Any, ci95: tuple[float, float] | None = None) -> Report:
    measure = Measure(value, "score", ci95)
    result = Result("cohort_skew", "cohort skew", "clean", None, "none", {"m": measure})
    return replace(sample(), results=(result,))


def test_it_is_canonical() -> None:
    raw = as_json(sample())
    assert raw.endswith(b"\n")
    assert raw.decode() == (
        json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        + "\n"
    )


def test_the_round_trip_is_exact() -> None:
    raw = as_json(sample())
    again = read_json(raw)
    assert as_json(again) == raw
    assert read_json(as_json(again)) == again


def test_what_json_can_hold_comes_back_equal() -> None:
    report = replace(sample(), results=(sample().results[2],))
    again = read_json(as_json(report))
    assert again.results[0].measures == report.results[0].measures
    assert again.results[0].charts == report.results[0].charts
    assert again.exhibits == report.exhibits
    assert again.produced_at == report.produced_at


@given(VALUES)
def test_the_round_trip_is_exact_for_any_value(value: Any) -> None:
    raw = as_json(with_measure(value))
    assert as_json(read_json(raw)) == raw
    raw.decode("utf-8")


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (2**53, 2**53),
        (2**63, "9223372036854775808"),
        (Decimal("0.10"), "0.10"),
        (datetime(2026, 3, 3, 4, tzinfo=timezone(timedelta(hours=2))), "2026-03-03T02:00:00Z"),
        (datetime(2026, 3, 3, 2), "2026-03-03T02:00:00Z"),
        ("half a pair \ud800", "half a pair ⟨U+D800⟩"),
        (b"\x00\xff", "00ff"),
    ],
)
def test_what_json_cannot_hold_is_text(value: Any, held: Any) -> None:
    raw = as_json(with_measure(value))
    assert json.loads(raw)["results"][0]["measures"]["m"]["value"] == held
    assert as_json(read_json(raw)) == raw


@pytest.mark.parametrize("ci95", [(-math.inf, 0.5), (0, 1), (math.nan, math.inf)], ids=str)
def test_bounds_may_be_infinite(ci95: tuple[float, float]) -> None:
    raw = as_json(with_measure(1, ci95))
    again = read_json(raw).results[0].measures["m"].ci95
    assert again is not None
    assert [type(bound) for bound in again] == [float, float]
    assert str(again) == str(tuple(map(float, ci95)))


def test_the_zone_of_an_instant_makes_no_difference() -> None:
    report = sample()
    east = timezone(timedelta(hours=9))
    moved = replace(report, produced_at=report.produced_at.astimezone(east))
    assert as_json(moved) == as_json(report)
    assert read_json(as_json(moved)).produced_at.tzinfo in {UTC, UTC}


@pytest.mark.parametrize(
    "report",
    [
        sample(),
        with_measure(math.nan, (-math.inf, 1)),
        replace(sample(), results=(replace(sample().results[0], seed=2**63),)),
        spoilt(sample(), lambda text: "".join(PAYLOADS)),
    ],
    ids=["sample", "infinite", "seed", "hostile"],
)
def test_it_follows_its_schema(report: Report) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(as_json(report)), schema())


@pytest.mark.parametrize(
    "broken",
    [
        lambda raw: b"",
        lambda raw: raw[:-20],
        lambda raw: b"\xff" + raw,
        lambda raw: b"[1]",
        lambda raw: raw.replace(b"casework.report/1", b"casework.report/9"),
        lambda raw: raw.replace(b'"verdict":"confirmed"', b'"verdict":"guilty"'),
        lambda raw: raw.replace(b'"seed":0', b'"seed":NaN'),
        lambda raw: raw.replace(b'"seed":0', b'"seed":0,"seed":1'),
        lambda raw: raw.replace(b'"seed":0', b'"seed":' + b"[" * 100 + b"]" * 100),
        lambda raw: raw.replace(b'"seed":0', b'"seed":' + b"[" * 200_000),
        lambda raw: raw.replace(b'"family":', b'"famly":'),
    ],
)
def test_what_is_no_report_is_refused(broken: Any) -> None:
    raw = broken(as_json(sample()))
    with pytest.raises(CaseworkError) as refused:
        read_json(raw)
    assert refused.value.code == "REPORT_INVALID"
    assert "\n" not in str(refused.value)
