"""One run of one diagnosis: it asks the case, and keeps what was asked and what was learnt."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from casework import canonical
from casework.case import Case, Query
from casework.findings import (
    NOT_TRIED,
    Break,
    Chart,
    Evidence,
    Falsifier,
    Finding,
    Form,
    Measure,
    Missing,
    Parameter,
    Primary,
    Result,
    Rival,
    Row,
    Severity,
    Verdict,
)
from casework.stats.estimates import Estimate
from casework.visible import shorten

_SHOWN_ROWS = 50
_CHART_ROWS = 2_000
_CHART_TEXT, _CHART_SENTENCE = 200, 2_000


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a judge concludes; the inquiry adds the measures and the evidence.

    `wide` says that the blast radius leaves the team: customers, a regulator, a shipped decision.
    `primary` is the test that gates the verdict, None for a census; `breaks` are the changes that
    the diagnosis places in time.
    """

    verdict: Verdict
    headline: str
    wide: bool = False
    findings: tuple[Finding, ...] = ()
    rivals: tuple[Rival, ...] = ()
    falsifier: Falsifier = NOT_TRIED
    remedies: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = field(default=())
    primary: Primary | None = None
    breaks: tuple[Break, ...] = ()


def severity(verdict: Verdict, wide: bool) -> Severity | None:
    """Severity from verdict and blast radius (METHODS, rules common to all, 0.3)."""
    by_verdict: dict[Verdict, tuple[Severity, Severity]] = {
        "confirmed": ("S1", "S2"),
        "supported": ("S2", "S3"),
        "inconclusive": ("S3", "S4"),
    }
    return by_verdict[verdict][0 if wide else 1] if verdict in by_verdict else None


class Inquiry:
    """Asks the case on behalf of a judge and records every question as evidence."""

    def __init__(self, case: Case, diagnosis: str, missing: tuple[Missing, ...] = ()) -> None:
        self.case = case
        self.diagnosis = diagnosis
        self.missing = missing
        self.parameters: dict[str, Parameter] = {}
        self.measures: dict[str, Measure] = {}
        self.evidence: dict[str, Evidence] = {}
        self._answers: dict[str, list[dict[str, Any]]] = {}
        self._recorded: dict[str, str] = {}
        self.charts: list[Chart] = []

    def ask(self, query: Query, **params: Any) -> list[dict[str, Any]]:
        """Run an evidence query, record it, and return its rows as mappings.

        The same question is asked once. With other parameters it is another piece of evidence,
        which is numbered, so that a measure keeps the record that it comes from.
        """
        used = canonical.dumps([query.text(), query.parameters(params)])
        if used in self._answers:
            return self._answers[used]
        answer = self.case.rows(query, **params)
        identity = self.evidence_id(query)
        if identity in self.evidence:
            numbered = (f"{identity}-{nth}" for nth in count(2))
            identity = next(name for name in numbered if name not in self.evidence)
        self.evidence[identity] = Evidence(
            id=identity,
            caption=query.caption,
            sql=query.text(),
            params=canonical.plain(query.parameters(params)),
            columns=answer.columns,
            rows=tuple(tuple(canonical.plain(list(row))) for row in answer.rows[:_SHOWN_ROWS]),
            row_count=len(answer.rows),
            sha256=canonical.digest_rows(answer.columns, answer.rows),
            exhibits=self.case.exhibits_of(query),
        )
        self._answers[used] = answer.dicts()
        self._recorded[used] = identity
        return self._answers[used]

    def one(self, query: Query, **params: Any) -> dict[str, Any]:
        """Run an evidence query that gives exactly one row."""
        (row,) = self.ask(query, **params)
        return row

    def recorded(self, query: Query, **params: Any) -> Query:
        """The query under the id by which it was recorded with these parameters.

        Raises:
            KeyError: it was not asked with them.
        """
        used = canonical.dumps([query.text(), query.parameters(params)])
        return replace(query, id=self._recorded[used].partition(".")[2])

    def evidence_id(self, query: Query) -> str:
        """Id under which the answers to a query are recorded."""
        return f"{self.diagnosis}.{query.id}"

    def infer(self, name: str, given: Any, inferred: Any, default: Any = None) -> Any:
        """Settle a setting, and record how: as given, as inferred from the evidence, or by default.

        Args:
            name: of the setting.
            given: what the caller said; None where nothing.
            inferred: what the evidence says; None where it says nothing.
            default: what is taken then.
        """
        if given is not None:
            return given
        if inferred is None and default is not None:
            self.parameters[name] = Parameter(canonical.plain(default), "default")
            return default
        self.parameters[name] = Parameter(canonical.plain(inferred), "inferred")
        return inferred

    def measure(
        self,
        name: str,
        value: Any,
        unit: str,
        by: Query,
        *,
        ci95: tuple[float, float] | None = None,
        n: int | None = None,
    ) -> None:
        """Record a measure and the query that it comes from."""
        self.measures[name] = Measure(canonical.plain(value), unit, ci95, n, self.evidence_id(by))

    def estimate(self, name: str, found: Estimate | None, unit: str, by: Query) -> None:
        """Record an estimate with its interval, or that there is none.

        An interval without a bound is none.
        """
        if found is None:
            self.measure(name, None, unit, by)
            return
        bounded = math.isfinite(found.low) and math.isfinite(found.high)
        ci95 = (found.low, found.high) if bounded else None
        self.measure(name, found.value, unit, by, ci95=ci95, n=found.n)

    def chart(
        self,
        id: str,
        form: Form,
        title: str,
        subtitle: str,
        alt: str,
        rows: Sequence[Row],
        encode: Mapping[str, Any],
        by: Query,
    ) -> None:
        """Record a picture. Rows beyond 2,000 are left out, and the subtitle says so.

        A value of more than 200 characters is shortened in the middle, and so is a sentence of more
        than 2,000: names may be of any length, and would keep the whole picture from the page.
        """
        if len(rows) > _CHART_ROWS:
            subtitle = f"{subtitle} The first {_CHART_ROWS:,} of {len(rows):,} marks."
        shown = tuple(_shortened(canonical.plain(dict(row))) for row in rows[:_CHART_ROWS])
        drawn = _shortened(canonical.plain(dict(encode)))
        title, subtitle, alt = (_shortened(t, _CHART_SENTENCE) for t in (title, subtitle, alt))
        self.charts.append(
            Chart(id, form, title, subtitle, alt, shown, drawn, self.evidence_id(by))
        )

    def result(self, family: str, conclusion: Conclusion, seed: int) -> Result:
        """Put together what was concluded and what it rests on."""
        return Result(
            diagnosis=self.diagnosis,
            family=family,
            verdict=conclusion.verdict,
            severity=severity(conclusion.verdict, conclusion.wide),
            headline=conclusion.headline,
            measures=self.measures,
            findings=conclusion.findings,
            rivals=conclusion.rivals,
            falsifier=conclusion.falsifier,
            missing=(*self.missing, *conclusion.missing),
            remedies=conclusion.remedies,
            evidence=tuple(self.evidence.values()),
            charts=tuple(self.charts),
            limits=conclusion.limits,
            parameters=dict(sorted(self.parameters.items())),
            seed=seed,
            primary=conclusion.primary,
            breaks=conclusion.breaks,
        )


def _shortened(value: Any, most: int = _CHART_TEXT) -> Any:
    if isinstance(value, str):
        return value if len(value) <= most else shorten(value, most)
    if isinstance(value, dict):
        return {_shortened(key): _shortened(item) for key, item in value.items()}
    return [_shortened(item) for item in value] if isinstance(value, list) else value
