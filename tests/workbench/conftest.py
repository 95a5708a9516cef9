"""A case for the apps: an alias that moved twice, decisions on either side, and hostile text."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.report.hostile import PAYLOADS

from casework.case import Case
from casework.intake import load

START = datetime(2026, 3, 1, tzinfo=UTC)
DECISIONS = 400


def write(path: Path, names: str, *rows: tuple[object, ...]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names.split(), *rows])


@pytest.fixture(scope="module")
def case_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case on which output_attribution finds two boundaries, and cohort_skew lacks evidence."""
    folder = tmp_path_factory.mktemp("app")
    evidence = folder / "evidence"
    evidence.mkdir()
    hours = [START + timedelta(hours=hour) for hour in range(DECISIONS)]
    payloads = [PAYLOADS[i % len(PAYLOADS)].replace("\x00", "") for i in range(DECISIONS)]
    write(
        evidence / "requests.csv",
        "request_id occurred_at endpoint decision output_text",
        *((f"d-{i}", hour, "v1", payloads[i], payloads[i]) for i, hour in enumerate(hours)),
    )
    write(
        evidence / "alias_events.csv",
        "alias checkpoint valid_from reason",
        ("v1", "sha256:aaaa", START - timedelta(days=9), PAYLOADS[0]),
        ("v1", PAYLOADS[4], START + timedelta(hours=100), PAYLOADS[5]),
        ("v1", "sha256:aaaa", START + timedelta(hours=200, minutes=1), "rollback"),
    )
    write(evidence / "clocks.csv", "host error_s", ("gateway", 120), (PAYLOADS[4], "soon"))
    path = folder / "case.duckdb"
    Case.create(path, PAYLOADS[4]).close()
    assert {outcome.status for outcome in load(path, [evidence])} == {"loaded"}
    return path
