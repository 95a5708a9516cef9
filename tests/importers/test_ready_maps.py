"""Ready maps read the exports that they are for, and say what they do not find."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.importers.test_table_file import Loaded

from casework.errors import CaseworkError, UsageError
from casework.importers import Options, check_options, read_map, ready_map, ready_maps

MANUAL = Path(__file__).parents[2] / "docs" / "loading.md"
QUESTION = "How likely are you to recommend us to a colleague?"
NPS = "SELECT account_id, score, responded_at::VARCHAR, respondent FROM nps ORDER BY ALL"
PEOPLE = "SELECT person, active_from::DATE::VARCHAR, active_until::DATE::VARCHAR, team FROM people"


def loaded(folder: Path, name: str, text: str, file: str = "export.csv") -> Loaded:
    return Loaded(folder, file, text, mapping=read_map(Path(name)))


@pytest.mark.parametrize("one", ready_maps(), ids=lambda one: one.name)
def test_a_ready_map_is_a_map_and_says_what_it_is_for(one: Any) -> None:
    mapping = read_map(Path(one.name))
    check_options(Options(mapping=mapping), None)
    assert mapping["table"] in ("nps", "people")
    assert len(one.title) > 20
    assert f"`{one.name}`" in MANUAL.read_text()


def test_the_manual_lists_no_other() -> None:
    named = set(re.findall(r"`((?:hr|nps)_\w+)`", MANUAL.read_text()))
    assert named == {one.name for one in ready_maps()}


def test_a_file_counts_more_than_a_ready_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_map(Path("nps_generic"))["table"] == "nps"
    Path("nps_generic").write_text('table = "units"\n')
    assert read_map(Path("nps_generic")) == {"table": "units"}


def test_a_name_that_is_none_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(CaseworkError) as caught:
        read_map(Path("nps_delightful"))
    assert caught.value.code == "NO_SUCH_FILE"
    assert "nps_delighted" in caught.value.fix
    assert ready_map("../maps/nps_generic") is None


# Surveys


def test_surveymonkey_with_its_two_rows_of_header(tmp_path: Path) -> None:
    text = (
        "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,"
        f"Last Name,Custom Data 1,Contact,,{QUESTION},What is the reason for your score?\n"
        ",,,,,,,,,Name,Phone,Response,Open-Ended Response\n"
        "11,1,03/14/2026 10:00:00 AM,03/14/2026 10:05:31 PM,1.1.1.1,a@x.test,A,B,acme,A,1,9,good\n"
        "12,1,03/14/2026 10:00:00 AM,03/14/2026 10:05:31 AM,1.1.1.1,b@x.test,A,B,acme,B,2,,\n"
    )
    found = loaded(tmp_path, "nps_surveymonkey", text)
    assert found.rows(NPS) == [("acme", 9.0, "2026-03-14 22:05:31+00", "a@x.test")]
    assert found.rows("SELECT comment, attributes->>'Contact / Phone' FROM nps") == [("good", "1")]
    assert found.rejects == [("row 3", "VALUE", "score is missing")]
    assert any("2 rows are its header" in note for note in found.exhibit.notes)
    assert (found.exhibit.rows_read, found.exhibit.rows_kept) == (2, 1)


@pytest.mark.parametrize(
    ("tail", "zone", "hour"), [("", "America/Denver", 16), ('"torn\n', "Nowhere/Else", 10)]
)
def test_qualtrics_with_its_three_rows_of_header(
    tmp_path: Path, tail: str, zone: str, hour: int
) -> None:
    text = (
        "StartDate,EndDate,Status,Finished,RecordedDate,ResponseId,RecipientEmail,"
        "ExternalReference,Q1_NPS_GROUP,Q1,Q1_COMMENT\n"
        '"Start Date","End Date","Response Type",Finished,"Recorded Date","Response ID",'
        f'"Recipient Email","External Data Reference","{QUESTION} - Group","{QUESTION}\n'
        'Please choose.","Why?"\n'
        + ",".join(f'"{{""ImportId"":""q{n}"",""timeZone"":""{zone}""}}"' for n in range(11))
        + "\n2026-03-14 10:00:00,2026-03-14 10:01:00,0,1,2026-03-14 10:01:01,R_1,a@x.test,acme,"
        "Promoter,10,fine\n" + tail
    )
    found = loaded(tmp_path, "nps_qualtrics", text)
    assert found.rows(NPS) == [("acme", 10.0, f"2026-03-14 {hour}:01:01+00", "a@x.test")]
    told = "its header names, America/Denver" if hour == 16 else "has no time zone"
    assert any(told in note for note in found.exhibit.notes)
    # `StartDate` is when the link was opened, and no invitation
    sql = "SELECT comment, locator, invited_at FROM nps"
    assert found.rows(sql) == [("fine", "row 3", None)]
    assert len(found.rejects) == bool(tail)


def test_a_question_of_satisfaction_is_no_score_of_recommendation(tmp_path: Path) -> None:
    text = (
        "RecordedDate,ResponseId,ExternalReference,Q3\n"
        "Recorded Date,Response ID,External Data Reference,How satisfied are you (1 to 5)?\n"
        "a,b,c,d\n2026-03-14 10:01:01,R_1,acme,4\n"
    )
    with pytest.raises(CaseworkError, match="MAP_COLUMN"):
        loaded(tmp_path, "nps_qualtrics", text)
    rated = f"Company,Rating,{QUESTION},Date\nacme,4,9,2026-01-02\n"
    assert loaded(tmp_path, "nps_generic", rated).rows("SELECT score FROM nps") == [(9.0,)]


def test_typeform_is_in_utc_whatever_zone_is_named(tmp_path: Path) -> None:
    text = (
        f'#,"{QUESTION}",account_id,Response Type,Start Date (UTC),Stage Date (UTC),'
        "Submit Date (UTC),Network ID,Tags\n"
        "abc,0,acme,completed,2026-01-23 06:24:12,,2026-01-23 06:27:59,93,\n"
    )
    mapping = read_map(Path("nps_typeform"))
    found = Loaded(tmp_path, "x.csv", text, mapping=mapping, timezone="Asia/Tokyo")
    assert found.rows(NPS) == [("acme", 0.0, "2026-01-23 06:27:59+00", "abc")]


def test_delighted_as_its_api_lists_responses(tmp_path: Path) -> None:
    text = '[{"id":"1","person":"10","score":8,"comment":null,"created_at":1713418460,'
    text += '"customer_id":"acme"}]'
    found = loaded(tmp_path, "nps_delighted", text, "x.json")
    assert found.rows(NPS) == [("acme", 8.0, "2024-04-18 05:34:20+00", "10")]


def test_any_table_with_a_score_of_recommendation(tmp_path: Path) -> None:
    text = f"Company,{QUESTION},Date\nacme,7,2026-01-02\n"
    found = loaded(tmp_path, "nps_generic", text)
    assert found.rows(NPS) == [("acme", 7.0, "2026-01-02 00:00:00+00", None)]


def test_two_questions_of_recommendation_are_not_guessed(tmp_path: Path) -> None:
    text = "Company,Would you recommend A?,Would you recommend B?,Date\nacme,7,8,2026-01-02\n"
    with pytest.raises(CaseworkError) as caught:
        loaded(tmp_path, "nps_generic", text)
    assert caught.value.code == "MAP_COLUMN"
    assert "2 columns match: Would you recommend A?, Would you recommend B?" in caught.value.what


def test_answers_without_an_account_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseworkError, match=r"MAP_COLUMN.*account_id"):
        loaded(tmp_path, "nps_generic", f"{QUESTION},Date\n7,2026-01-02\n")


# People


def test_bamboohr_has_no_date_of_zeros(tmp_path: Path) -> None:
    text = (
        "Employee #,First Name,Last Name,Department,Status,Hire Date,Work Email,Termination Date\n"
        "8,A,B,Ops,Active,2023-10-09,a@x.test,0000-00-00\n"
        "9,C,D,Ops,Inactive,2022-10-09,c@x.test,2025-01-31\n"
    )
    found = loaded(tmp_path, "hr_bamboohr", text)
    assert found.rows(PEOPLE + " ORDER BY 1") == [
        ("a@x.test", "2023-10-09", None, "Ops"),
        ("c@x.test", "2022-10-09", "2025-01-31", "Ops"),
    ]
    assert found.exhibit.rows_rejected == 0


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("hr_workday", "Email - Work,Hire Date,Termination Date,Supervisory Organization",
         "a@x.test,10/09/2023,,Ops"),
        ("hr_workday", "Employee ID,Email - Work,Hire Date,Department",
         "1,a@x.test,2023-10-09,Ops"),
        ("hr_personio", "First name,Email,Hire date,Contract end date,Team",
         "A,a@x.test,09.10.2023,,Ops"),
        ("hr_generic", "username,E-Mail,Date of Joining,Last Day,department",
         "a,a@x.test,2023-10-09,N/A,Ops"),
    ],
)  # fmt: skip
def test_people_of_other_systems(tmp_path: Path, name: str, header: str, row: str) -> None:
    found = loaded(tmp_path, name, f"{header}\n{row}\n")
    assert found.rows(PEOPLE) == [("a@x.test", "2023-10-09", None, "Ops")]


# The language of maps


@pytest.mark.parametrize(
    "text",
    [
        "[columns]\nuser_id = []\n",
        "[columns]\nuser_id = [3]\n",
        '[columns]\nuser_id = {pattern = "("}\n',
        '[columns]\nuser_id = {optional = true}\n',
        '[columns]\nuser_id = {source = "a", optional = "yes"}\n',
        '[columns]\nuser_id = {source = "a", empty = "N/A"}\n',
        '[columns]\noccurred_at = {source = "a", format = ["%Y", "epoch_s"]}\n',
        '[columns]\noccurred_at = {source = "a", format = ["%Y %z", "%Y"]}\n',
        '[columns]\noccurred_at = {source = "a", format = ["%Y", "%Q"]}\n',
        "header_rows = 0\n", "header_rows = 2.0\n", "header_rows = true\n", 'header_rows = "2"\n',
    ],
)  # fmt: skip
def test_what_is_no_map_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match="MAP_INVALID"):
        check_options(Options(mapping=read_map(path)), None)


def test_a_pattern_is_asked_where_no_name_is_there(tmp_path: Path) -> None:
    text = "id,at,UID,uid of ann\nr1,2026-03-01T09:00:00Z,a,b\n"
    mapping = '[columns]\nuser_id = {source = ["user", "uid"], pattern = "uid"}\n'
    found = Loaded(tmp_path, "requests.csv", text, map_text=mapping)
    assert found.rows("SELECT user_id FROM requests") == [("a",)]


def test_an_optional_column_is_not_guessed_either(tmp_path: Path) -> None:
    text = "id,at,who a,who b\nr1,2026-03-01T09:00:00Z,a,b\n"
    mapping = '[columns]\nuser_id = {pattern = "who", optional = true}\n'
    found = Loaded(tmp_path, "requests.csv", text, map_text=mapping)
    assert found.rows("SELECT user_id, attributes->>'who b' FROM requests") == [(None, "b")]


def test_what_is_empty_says_nothing_but_an_id_must_say_something(tmp_path: Path) -> None:
    text = "id,at,n\nr1,2026-03-01T09:00:00Z,N/A\nN/A,2026-03-01T09:00:00Z,3\n"
    mapping = (
        '[columns]\nrequest_id = {source = "id", empty = ["N/A"]}\n'
        'input_tokens = {source = "n", empty = ["N/A", "-"]}\n'
    )
    found = Loaded(tmp_path, "requests.csv", text, map_text=mapping)
    assert found.rows("SELECT request_id, input_tokens FROM requests") == [("r1", None)]
    assert found.rejects == [("row 2", "VALUE", "request_id is missing")]
