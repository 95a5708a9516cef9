"""Own fields: tags and metadata that bear the name of a column fill it, and what cannot is told."""

from datetime import UTC, date, datetime, timedelta, timezone
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.importers._configuration import hash_params, hash_prompt
from casework.importers._instants import Instants, from_ms
from casework.importers._own_fields import OwnFields
from casework.tables import deployments, eval_samples, model_versions

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def own(timezone: str | None = None) -> OwnFields:
    return OwnFields(Instants(timezone))


def test_fields_become_values_of_the_type_of_the_column() -> None:
    values, rest = own().take(
        model_versions,
        {
            "owner": "ana",
            "metric_value": "0.91",
            "review_words": 250.0,
            "approved_at": "2026-03-01T13:30:00+01:00",
            "requested_at": 1772368200000,
            "benchmark": 7,
            "team": "risk",
            "model": "other",
        },
        native={"model"},
    )
    assert values == {
        "owner": "ana",
        "metric_value": 0.91,
        "review_words": 250,
        "approved_at": MOMENT,
        "requested_at": MOMENT,
        "benchmark": "7",
    }
    assert rest == {"team": "risk", "model": "other"}


@pytest.mark.parametrize("end", ["9999-12-31", 253402300799, "2262-04-11T23:47:16.854775807Z"])
def test_an_end_that_is_none_stays_and_is_not_told(end: object) -> None:
    fields = own()
    given = {"valid_from": "2026-03-01T12:30:00Z", "valid_until": end}
    values, rest = fields.take(deployments, given, native=())
    assert (values, rest) == ({"valid_from": MOMENT}, {"valid_until": end})
    assert not list(fields.notes())


def test_what_does_not_fit_stays_and_is_told() -> None:
    fields = own()
    given = {
        "refused": "maybe", "kind": "harmless", "added_at": "yesterday", "topic": ["a", "b"],
        "category": None, "tier": "",
    }  # fmt: skip
    values, rest = fields.take(eval_samples, given, native=())
    assert values == {}
    assert rest == given
    told = " ".join(note.text for note in fields.notes())
    assert all(repr(name) in told for name in ("refused", "kind", "added_at", "topic"))
    assert "category" not in told
    assert "tier" not in told


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("No", False), ("TRUE", True), (1, True), ("0", False), (0.0, False)],
)
def test_flags(value: object, expected: bool) -> None:
    values, _ = own().take(eval_samples, {"refused": value}, native=())
    assert values == {"refused": expected}


@pytest.mark.parametrize(
    "value", [True, "1e999", "nan", float("inf"), "x", 10**400, [1], {"a": 1}, "0x10"]
)
def test_what_is_no_number(value: object) -> None:
    values, rest = own().take(model_versions, {"metric_value": value}, native=())
    assert values == {}
    assert set(rest) == {"metric_value"}


@pytest.mark.parametrize("value", [2**53 + 1, str(2**53 + 1), f" {2**53 + 1} "])
def test_whole_numbers_are_exact(value: object) -> None:
    values, _ = own().take(model_versions, {"review_words": value}, native=())
    assert values == {"review_words": 2**53 + 1}


def test_a_list_of_words_has_no_word_for_nothing() -> None:
    values, _ = own().take(model_versions, {"aliases": ["prod", None, True, 7]}, native=())
    assert values == {"aliases": ["prod", "true", "7"]}


@pytest.mark.parametrize("value", [2.5, 2**63, "1e300", "2.5", str(10**400), "9" * 5_000])
def test_what_is_no_whole_number(value: object) -> None:
    values, _ = own().take(model_versions, {"review_words": value}, native=())
    assert values == {}


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:30:00Z", "2026-03-01 13:30:00+01:00", 1772368200, 1772368200.0,
        "2026-03-01 12:30:00.000 UTC", "2026-03-01 13:30:00 +0100", "2026-03-01 12:30:00 Z",
        "2026-03-01  12:30:00Z", "2026-03-01 13:30:00  +01:00", "1772368200000000999.0",
        1772368200000000999,
        1772368200000, "1772368200000", 1772368200000000, 1772368200000000000,
        MOMENT, MOMENT.astimezone(timezone(timedelta(hours=5))),
    ],
)  # fmt: skip
def test_instants_are_read_as_sources_write_them(value: object) -> None:
    instants = Instants(None)
    assert instants.read(value) == MOMENT
    assert not list(instants.notes())


@pytest.mark.parametrize(
    "value",
    [
        "",
        "noon",
        " UTC",
        "2026-03-01 12:30:00 -",
        12,
        12.5,
        True,
        None,
        [],
        float("nan"),
        1e30,
        "9999999999999999999999",
        20260301123000,
        "20260301123000",
        "202603011230",
        "20260301123000123",
        "2026030112",
        "2026030112.0",
        2026030112,
        2026030112.0,
        "0026-03-01",
        "9999-12-31T23:59:59Z",
    ],
)
def test_what_is_no_instant(value: object) -> None:
    with pytest.raises(ValueError, match=r"instant|isoformat"):
        Instants(None).read(value)
    assert Instants(None).find(value) is None


def test_a_zone_is_named_or_told() -> None:
    berlin, nowhere = Instants("Europe/Berlin"), Instants(None)
    assert berlin.read("2026-03-01T13:30:00") == MOMENT
    assert not list(berlin.notes())
    assert nowhere.read("2026-03-01T12:30:00") == MOMENT
    assert nowhere.read(date(2026, 3, 1)) == datetime(2026, 3, 1, tzinfo=UTC)
    assert "--timezone" in next(iter(nowhere.notes())).text


@given(st.datetimes(min_value=datetime(2002, 1, 1), max_value=datetime(2100, 1, 1)))
def test_milliseconds(moment: datetime) -> None:
    exact = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    count = (exact - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert from_ms(count) == from_ms(str(count)) == Instants(None).read(count) == exact
    assert from_ms("soon") is None
    assert from_ms(10**30) is None


def test_a_configuration_has_the_same_hash_wherever_it_is_read() -> None:
    assert hash_params({"temperature": 0.0, "max_tokens": 256}) == hash_params(
        {"max_tokens": 256.0, "temperature": 0, "seed": None}
    )
    assert hash_params({"temperature": 0.5}) != hash_params({"temperature": 0.6})
    assert hash_params({"seed": None}) is None
    assert hash_prompt([]) is None
    # printf 'one\ntwo' | sha256sum
    expected = "21066d108d5319ecb5a1fc4454f42ef22fc5f1c7df49c31d90294950e0ea8b2c"
    assert hash_prompt(["one", "two"]) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("Today is Sunday, 25 October 2026.", "Today is Monday, 2 November 2026."),
     ("It is 2026-10-25T14:03:22Z", "It is 2026-10-26T09:00:01+02:00"),
     ("Heute ist der 25. Oktober 2026", "Heute ist der 3. Mai 2026"),
     ("Le 1 févr. 2026", "Le 3 août 2026"), ("El 5 de mayo de 2026", "El 6 de junio de 2026"),
     *((f"27 {month} 2026", f"28 {month} 2026") for month in
       ("noiembrie", "novembra", "marraskuuta", "листопада", "studenoga", "Νοεμβρίου", "ноември",
        "Agustus", "nëntor", "نوفمبر")),
     ("Am 25.10.2026", "Am 3.11.2026"), ("On October 25th, 2026", "On May 3, 2026")],
)  # fmt: skip
def test_the_day_in_a_prompt_is_no_other_prompt(one: str, other: str) -> None:
    assert hash_prompt([one]) == hash_prompt([other])
    assert hash_prompt([one]) != hash_prompt([f"{other} Be brief."])


@pytest.mark.parametrize(
    ("one", "other"),
    [("At most 3 bullets.", "At most 5 bullets."), ("Use the rules of 2025", "Use those of 2026"),
     ("Use the top 5 since 2019.", "Use the top 5 since 2021."),
     ("List 3 marathons 2025", "List 3 marathons 2026"),
     ("Name 3 juniors 2025", "Name 3 juniors 2026"), ("Dismay 5, 2025", "Dismay 5, 2026"),
     ("Version 1.2.3", "Version 1.2.4"), ("Ticket 120261025", "Ticket 120261026")],
)  # fmt: skip
def test_numbers_that_are_no_dates_belong_to_the_prompt(one: str, other: str) -> None:
    assert hash_prompt([one]) != hash_prompt([other])


def test_a_long_prompt_is_searched_for_dates_in_time() -> None:
    prompts = [f"{number} {'Answer what was asked. ' * 900} 2026" for number in range(10)]
    began = process_time()
    assert len({hash_prompt([prompt]) for prompt in prompts}) == 10
    assert process_time() - began < 0.12
