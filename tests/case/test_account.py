"""What must be known of the evidence: identity of models, orphans, clocks, retries, silences."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from casework.case import Case, CaseWriter, Receipt, Row
from casework.case.account import concerns, identities
from casework.records import Concern
from casework.tables import Table, alias_events, checkpoints, eval_runs, eval_samples, requests

START = datetime(2026, 3, 2, tzinfo=UTC)
Load = Callable[..., Case]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load rows of one table as an exhibit each, and open the case."""
    path = tmp_path / "case.duckdb"
    CaseWriter.create(path, "account")

    def _load(*exhibits: tuple[Table, Sequence[dict[str, Any]]]) -> Case:
        with CaseWriter(path) as writer:
            for number, (table, listed) in enumerate(exhibits):
                sha = f"{number:02}".ljust(64, "0")
                receipt = Receipt(f"{number}.csv", sha, 1, "csv", "table_file")
                writer.load(receipt, [Row(table, f"row {n}", row) for n, row in enumerate(listed)])
        return Case(path)

    return _load


def request(number: int, hours: float, **more: Any) -> dict[str, Any]:
    when = START + timedelta(hours=hours)
    return {"request_id": f"r{number}", "occurred_at": when, "endpoint": "prod", **more}


def of(case: Case, kind: str) -> list[Concern]:
    return [one for one in concerns(case) if one.kind == kind]


def test_how_the_model_is_known_is_told_for_each_exhibit(load: Load) -> None:
    stamped = [request(n, n, checkpoint="sha256:a", response_model="prod") for n in range(3)]
    told = [request(10 + n, n, response_model=name) for n, name in enumerate(["prod", "m-1"])]
    copied = [request(20 + n, n, response_model="prod") for n in range(4)]
    partly = [request(30, 1, response_model="prod"), request(31, 2)]
    case = load((requests, stamped), (requests, told), (requests, copied), (requests, partly))
    with case:
        found = [(i.requests, i.digest, i.response_model, i.copied, i.nothing)
                 for i in identities(case)]  # fmt: skip
    assert found == [(3, 3, 0, 0, 0), (2, 0, 2, 0, 0), (4, 0, 0, 4, 0), (2, 0, 0, 1, 1)]
    assert all(sum(one[1:]) == one[0] for one in found)


def test_rows_that_point_nowhere_are_counted_where_the_other_table_is_there(load: Load) -> None:
    run = {"run_id": "a", "suite": "s", "started_at": START}
    samples = [{"run_id": name, "item_id": "1"} for name in ("a", "b", "c")]
    with load((eval_runs, [run]), (eval_samples, samples)) as case:
        (found,) = of(case, "orphans")
    assert (found.table, found.rows, found.of) == ("eval_samples", 2, 3)
    assert found.what == "run_id names what is not in eval_runs"


def test_nothing_is_an_orphan_of_a_table_that_was_never_loaded(load: Load) -> None:
    with load((eval_samples, [{"run_id": "a", "item_id": "1"}])) as case:
        assert concerns(case) == ()


def test_clocks_that_cannot_be_right_are_told(load: Load) -> None:
    listed = [
        request(0, 0, ended_at=START - timedelta(seconds=1)),
        request(1, 0, occurred_at=datetime(1970, 1, 1, tzinfo=UTC)),
        request(2, 0, occurred_at=datetime(2999, 1, 1, tzinfo=UTC)),
        request(3, 0, ended_at=START),
    ]
    with load((requests, listed)) as case:
        found = {(one.kind, one.rows, one.of) for one in concerns(case)}
    assert found == {("backwards", 1, 4), ("ancient", 1, 4), ("future", 1, 4)}


def test_a_retry_is_told_and_a_repeated_row_is_none(load: Load) -> None:
    listed = [request(0, 0), request(0, 1), request(0, 1), request(1, 2)]
    with load((requests, listed)) as case:
        (found,) = of(case, "retries")
        assert (found.rows, found.of) == (1, 3)


def test_an_outage_stands_out_and_nights_do_not(load: Load) -> None:
    by_day = [day * 24 + hour / 10 for day in range(20) for hour in range(80)]
    nights = [request(n, hours) for n, hours in enumerate(by_day)]
    outage = [request(10_000 + n, hours + (200 if hours > 240 else 0))
              for n, hours in enumerate(by_day)]  # fmt: skip
    with load((requests, nights), (requests, outage)) as case:
        found = of(case, "silence")
    assert [one.exhibit_id for one in found] == ["01".ljust(16, "0")]
    assert "nothing for 200.1 h" in found[0].what


def test_an_alias_without_a_history_is_told(load: Load) -> None:
    base = {"alias": "prod", "checkpoint": "sha256:a"}
    history = [{**base, "valid_from": START + timedelta(days=n)} for n in range(3)]
    present = [{**base, "alias": "x", "valid_from": START, "source": "registry (current only)"}]
    known = [{"checkpoint": "sha256:a"}]
    with load((alias_events, history), (alias_events, present), (checkpoints, known)) as case:
        (found,) = concerns(case)
    assert (found.kind, found.rows, found.of) == ("current_only", 1, 1)


def test_an_empty_case_has_no_concern(load: Load) -> None:
    with load() as case:
        assert concerns(case) == ()
        assert identities(case) == ()
