"""Whether ids repeat, which spares a diagnosis the grouping by them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cases import empty_case

from casework.case import Case, CaseWriter, Receipt, Row
from casework.diagnoses import get
from casework.diagnoses._ids import ids_differ
from casework.diagnoses._inquiry import Inquiry
from casework.tables import alias_events, requests

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ids", "differ"),
    [((), True), (("a",), True), (("a", "b", "c"), True), (("a", "b", "a"), False)],
)
def test_a_retry_is_seen_and_counted_once(
    tmp_path: Path, ids: tuple[str, ...], differ: bool
) -> None:
    path = tmp_path / "case.duckdb"
    path.write_bytes(empty_case())
    rows = [
        Row(requests, f"line {n}", {
            "request_id": name, "occurred_at": START + timedelta(hours=n), "endpoint": "live",
            "decision": "yes",
        }) for n, name in enumerate(ids)
    ]  # fmt: skip
    named = {"alias": "live", "checkpoint": "one", "valid_from": START - timedelta(days=1)}
    rows.append(Row(alias_events, "line 1", named))
    with CaseWriter(path) as writer:
        writer.load(Receipt("rows", "ab" * 32, 1, "rows", "test"), rows)
    with Case(path) as case:
        assert ids_differ(Inquiry(case, "output_attribution", ())) is differ
        result = get("output_attribution")(case)
        held = case._connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary")
        assert not held.fetchall()
    if ids:
        assert result.measures["decisions"].value == len(set(ids))
