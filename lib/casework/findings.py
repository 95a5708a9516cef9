"""What a diagnosis concludes: plain frozen values that can be stored, compared and read again.

A result never needs the code that made it: the report, the apps and the command line render
these values and decide nothing. The JSON of a `Result` is the contract of `diagnose --json`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Verdict = Literal["confirmed", "supported", "inconclusive", "clean", "not_testable"]
"""`clean`: we looked and it is not there. `not_testable`: we could not look."""

VERDICTS: tuple[Verdict, ...] = ("confirmed", "supported", "inconclusive", "clean", "not_testable")
"""From the gravest to the least said."""

Severity = Literal["S1", "S2", "S3", "S4"]
Source = Literal["given", "inferred", "default"]
Outcome = Literal["excluded", "not_excluded", "not_testable"]
Form = Literal["intervals", "love", "spans", "bars", "lines"]

Scalar = str | int | float | bool | None
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """A named number with all that makes it checkable.

    `value` is a scalar, or for a measure that the contract calls a table a list of rows.
    `ci95` is None where the number is a census fact, a p-value or a label. `n` counts the units
    that the number rests on, in the unit of analysis. `evidence` is the id of an `Evidence`.
    """

    value: Any
    unit: str
    ci95: tuple[float, float] | None = None
    n: int | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One query, its parameters and the rows it gave.

    `sha256` is the digest of all rows as canonical JSON lines (`casework.canonical`), in the
    order of the query; `rows` holds the first of them, for reading. `exhibits` are the ids of
    the source files that filled the tables which the query reads.
    """

    id: str
    caption: str
    sql: str
    params: Mapping[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    row_count: int
    sha256: str
    exhibits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture as data: a form from a closed list, its rows, and which column plays which role.

    `rows` are at most 2,000. `alt` says in words what the picture shows, with its numbers.
    The roles of each form are documented in `casework.charts`.
    """

    id: str
    form: Form
    title: str
    subtitle: str
    alt: str
    rows: tuple[Row, ...]
    encode: Mapping[str, Any]
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement with what carries it: names of measures, ids of evidence and charts."""

    statement: str
    measures: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rival:
    """Another explanation of the same data, the test made of it, and what became of it."""

    explanation: str
    test: str
    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Falsifier:
    """What would prove the finding wrong, whether it was looked for, and what was seen."""

    statement: str
    ran: bool
    outcome: str
    falsified: bool = False


NOT_TRIED = Falsifier("", False, "not run")


@dataclass(frozen=True, slots=True)
class Missing:
    """Evidence that is not in the case and that the diagnosis would use."""

    table: str
    columns: tuple[str, ...]
    why: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of the diagnosis as it was used, and where it came from."""

    value: Any
    source: Source


@dataclass(frozen=True, slots=True)
class Primary:
    """The one test that gates a verdict. A census has none.

    `adjusted_p` is Holm's over the primary tests of the `tests` diagnoses that ran together.
    """

    p: float
    alpha: float
    adjusted_p: float | None = None
    tests: int = 1


@dataclass(frozen=True, slots=True)
class Break:
    """A change that a diagnosis places in time: after `start`, by `end` at the latest."""

    start: datetime
    end: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one diagnosis on one case. One sentence, and everything it rests on."""

    diagnosis: str
    family: str
    verdict: Verdict
    severity: Severity | None
    headline: str
    measures: Mapping[str, Measure] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    rivals: tuple[Rival, ...] = ()
    falsifier: Falsifier = NOT_TRIED
    missing: tuple[Missing, ...] = ()
    remedies: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    charts: tuple[Chart, ...] = ()
    limits: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    seed: int = 0
    primary: Primary | None = None
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was changed on purpose, as the evidence records it.

    `table` is `config_events`, `alias_events`, `deployments` or `eval_runs`; `key` says what was
    changed.
    """

    occurred_at: datetime
    table: str
    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Cause:
    """One event behind the breaks of one or more diagnoses.

    `start` and `end` bracket it. `within` are the recorded changes inside the bracket, `around`
    those close to it. With two or more within, none is the cause by time alone.

    `attribution` is the most that can be said of a recorded change as the cause: what the gravest
    of the diagnoses says, `supported` where several were changed together (METHODS section 14, 9)
    or where what was there before is not recorded, None where none is on record within.
    """

    start: datetime
    end: datetime
    breaks: tuple[str, ...]
    diagnoses: tuple[str, ...]
    within: tuple[Change, ...]
    around: tuple[Change, ...]
    attribution: Verdict | None = None

    @property
    def together(self) -> tuple[tuple[str, str | None, str | None], ...]:
        """The moves within the bracket, what was changed from what to what, each once.

        Replicas that made the same move as an alias are no other change, nor is what one source
        records with the value before it and another without.
        """
        moves = {(c.before, c.after) for c in self.within if c.table == "alias_events"}
        known = {(c.key, c.after) for c in self.within if c.before is not None}
        return tuple(dict.fromkeys(
            (change.key, change.before, change.after) for change in self.within
            if (change.table != "deployments" or (change.before, change.after) not in moves)
            and (change.before is not None or (change.key, change.after) not in known)
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Triage:
    """All results of a case side by side: which come first, and which share a cause.

    `ranking` names the diagnoses, the gravest verdict first; those that could not be tested are
    not in it. `changes` are all that the case records, in order.
    """

    ranking: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    changes: tuple[Change, ...] = ()
