"""The audit report as one frozen value. Rendering adds nothing to it and decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from casework.findings import Result, Triage
from casework.records import CaseFacts, CustodyEntry, Exhibit, RejectGroup, TableFill

SCHEMA = "casework.report/1"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a reader may rely on.

    `produced_at` comes from the case (the last custody entry), never from the clock, so that the
    same case gives the same bytes. `tool` names the versions that ran: casework, duckdb, python.
    `unkept` names the diagnoses whose result is not the one that the case keeps.
    """

    case: CaseFacts
    produced_at: datetime
    tool: Mapping[str, str]
    results: tuple[Result, ...]
    tables: tuple[TableFill, ...]
    exhibits: tuple[Exhibit, ...]
    rejects: tuple[RejectGroup, ...]
    custody: tuple[CustodyEntry, ...]
    triage: Triage = field(default_factory=Triage)
    unkept: tuple[str, ...] = ()
    schema: str = SCHEMA
