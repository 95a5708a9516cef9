import math
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from casework import words
from casework.findings import VERDICTS, Measure, Outcome, Severity, Source

# Powers of ten at the ends of a double's range cannot be read back.
NUMBERS = st.floats(-1e300, 1e300)


def parsed(text: str) -> float:
    """Read a number back as a person would."""
    mantissa, _, exponent = text.replace("−", "-").replace(",", "").partition(" × 10^")
    return float(mantissa) * 10 ** int(exponent or 0)


@given(NUMBERS)
def test_a_number_is_said_within_half_a_percent(value: float) -> None:
    assume(not 0 < abs(value) < 1e-300)
    assert parsed(words.number(value)) == pytest.approx(value, rel=0.0051)


@given(st.integers())
def test_whole_numbers_are_said_in_full(value: int) -> None:
    assert words.number(value).replace(",", "").replace("−", "-") == str(value)


@given(NUMBERS)
def test_no_minus_zero(value: float) -> None:
    assert words.number(value) not in {"−0", "-0", "−0.0"}
    assert "-" not in words.number(value)


@given(st.floats(0, 1))
def test_a_share_is_whole_only_where_it_is(share: float) -> None:
    said = words.share(share)
    if share < 1 - 1e-8:
        assert said != "100 %"
    if share > 0:
        assert said != "0 %"
    assert words.share(0) == "0 %"
    assert words.share(1) == "100 %"


@given(st.floats(0, 1))
def test_a_p_value_is_never_zero_nor_one(p: float) -> None:
    said = words.p_value(p)
    assert "0.000" not in said
    assert said not in {"p = 0.00", "p = 1.00", "p = 1.000"}
    assert (said == "p < 0.001") == (p < 0.001)


@given(st.floats(0, 1e9))
def test_a_duration_is_said_within_its_smaller_unit(seconds: float) -> None:
    sizes = {"d": 86_400, "h": 3_600, "min": 60, "s": 1, "ms": 0.001}
    assume(seconds == 0 or seconds >= 0.001)
    parts = words.duration(seconds).replace(",", "").split()
    said = sum(float(n) * sizes[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True))
    assert len(parts) <= 4
    largest = sizes[parts[1]]
    assert said == pytest.approx(seconds, abs=largest / 23, rel=0.0051)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-12, 12))
def test_an_instant_is_the_same_in_every_zone(naive: datetime, hours: int) -> None:
    moment = naive.replace(tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    assert words.instant(moment) == words.instant(elsewhere) == words.instant(naive)
    assert words.instant(moment.isoformat()) == words.instant(moment)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.01, "1 point"), (-0.01, "−1 point"), (0.02, "2 points"), (0.015, "1.5 points")],
)
def test_one_point_is_one(value: float, said: str) -> None:
    assert words.said(value, "points") == said


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (
            Measure(0.124, "share:requests", (0.109, 0.140), 4_312),
            "12.4 % (10.9 to 14.0), n = 4,312 requests",
        ),
        (Measure(0.94, "share", (0.88, 0.99), 41_000), "94 % (88 to 99), n = 41,000"),
        (Measure(0.9996, "share", (0.98, 0.9999), 9), "99.96 % (98.00 to 99.99), n = 9"),
        (Measure(0.5, "share", (0.0, 1.0), 9), "50 % (0 to 100), n = 9"),
        (Measure(0.021, "points", (0.0004, 0.042)), "2.10 points (0.04 to 4.20)"),
        (Measure(0.021, "points", (1e-9, 0.042)), "2.1 points (0.0 to 4.2)"),
        (Measure(-0.9996, "share"), "−99.96 %"),
        (Measure(1.0004, "share"), "100.04 %"),
        (Measure(1 - 2e-9, "share"), "99.9999998 %"),
        (Measure(1 - 2e-16, "share"), "100 %"),
        (Measure(0.002, "share", (-0.004, 0.008)), "+0.2 % (−0.4 to +0.8)"),
        (Measure(-0.62, "points", (-0.70, -0.54), 120), "−62 points (−70 to −54), n = 120"),
        (Measure(0.83, "smd", (0.8, 0.86)), "0.83 (0.80 to 0.86)"),
        (Measure(0.0004, "p", n=12), "p < 0.001, n = 12"),
        (Measure(28_860, "s"), "8 h 1 min"),
        (Measure(28_860.0, "s", (28_800.0, 28_920.0)), "8 h 1 min (8 h to 8 h 2 min)"),
        (Measure(12, "count:decisions", n=12), "12 decisions"),
        (Measure(1, "count:entries"), "1 entry"),
        (Measure(1, "count:approvals without engagement"), "1 approval without engagement"),
        (Measure(9_120.4, "users"), "9,120 users"),
        (Measure(3.14159, "tasks per user", (3.1, 3.2)), "3.14 tasks per user (3.10 to 3.20)"),
        (Measure("non_mixing", "label"), "non_mixing"),
        (Measure(True, "label"), "yes"),
        (Measure(None, "share"), "not measured"),
        (Measure([0.152, 0.0959], "points"), "15.2; 9.59 points"),
        (Measure([], "label"), "none"),
        (Measure(0.01, "points", (-0.13, 0.14)), "+1 point (−13 to +14)"),
        (Measure(-8e-17, "points", (-9e-17, -8e-17)), "0 points (0 to 0)"),
        (Measure(float("nan"), "score"), "not a number"),
        (Measure(0.01, "share", (-math.inf, 0.02)), "+1 % (−∞ to +2)"),
        (Measure([{"a": 1}, {"a": 2}], "table"), "2 rows"),
        (
            Measure(["2026-03-03T02:00:00Z", "x\u202ey"], "label"),
            "2026-03-03 02:00 UTC; x⟨U+202E⟩y",
        ),
    ],
)
def test_a_measure_is_said_with_all_that_belongs_to_it(measure: Measure, said: str) -> None:
    assert words.interval(measure) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (28_860, "8 h 1 min"),
        (28_140, "7 h 49 min"),
        (0, "0 s"),
        (0.2, "200 ms"),
        (2e-7, "under 1 ms"),
        (42, "42 s"),
        (59.9, "1 min"),
        (3_599.9, "1 h"),
        (90_061, "1 d 1 h"),
        (2_592_000, "30 d"),
        (-5, "−5 s"),
    ],
)
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("share", "%"),
        ("share:requests", "% of requests"),
        ("count:decisions", "decisions"),
        ("smd", "standardised difference"),
        ("tasks per user", "tasks per user"),
    ],
)
def test_units_stand_alone(unit: str, said: str) -> None:
    assert words.unit_word(unit) == said


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("requests", "1 request"),
        ("queries of the suite", "1 query of the suite"),
        ("diagnoses", "1 diagnosis"),
        ("classes", "1 class"),
        ("databases", "1 database"),
        ("people", "1 person"),
    ],
)
def test_one_of_a_kind_is_said_in_the_singular(noun: str, said: str) -> None:
    assert words.count(1, noun) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0 versions record"), (1, "1 version records"), (2_000, "2,000 versions record")],
)
def test_a_verb_agrees_with_how_many_there_are(value: int, said: str) -> None:
    assert words.several(value, "version records", "versions record") == said


def test_every_word_of_the_model_has_a_saying() -> None:
    assert set(words.VERDICT_WORD) == set(words.VERDICT_MEANING) == set(VERDICTS)
    assert len({words.verdict_sign(verdict) for verdict in VERDICTS}) == len(VERDICTS)
    assert set(words.SEVERITY_MEANING) == set(get_args(Severity))
    assert set(words.OUTCOME_WORD) == set(get_args(Outcome))
    assert set(words.SOURCE_WORD) == set(get_args(Source))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the canary was not a sample", "The canary was not a sample."),
        ("Confirmed. the canary was not a sample..", "The canary was not a sample."),
        ("v38 was never scored", "v38 was never scored."),
        ("p = 0.41; as expected", "p = 0.41; as expected."),
        ("a second line\nfollows", "A second line follows."),
        ("confirmedly odd", "Confirmedly odd."),
        ("", ""),
    ],
)
def test_a_headline_stands_without_its_verdict(text: str, said: str) -> None:
    assert words.headline(text, "confirmed") == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cohort_skew", "Cohort skew"),
        ("max_abs_smd", "Max abs SMD"),
        ("srm_p", "SRM p"),
        ("n_eff", "n eff"),
        ("grade_a", "Grade A"),
    ],
)
def test_names_are_said_in_words(name: str, said: str) -> None:
    assert words.title(name) == said


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"])
def test_text_that_is_no_instant_in_utc_stays_text(text: str) -> None:
    assert words.parse_instant(text) is None
    assert words.said(text, "") == text
