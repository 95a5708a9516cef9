"""The primary tests of a report: each p-value as it is, and kept together with the others.

METHODS 0.5: across diagnoses the raw values and Holm's over the primaries. The verdicts rest on the
tests of the diagnoses that ran together; a case may keep results of several runs, so that those of
the whole report are adjusted here too.
"""

from casework import words
from casework.findings import Primary, Result
from casework.report.model import Report
from casework.report.tables import Column, Table
from casework.stats.multiplicity import holm


def table(report: Report) -> Table:
    """The primary test of each diagnosis, the smallest p-value first.

    By Holm as it was run, among so many tests, and over all tests of the report.
    """
    columns = (
        Column("diagnosis"),
        Column("verdict"),
        Column("p", "number"),
        Column("Holm, as run", "number"),
        Column("tests", "number"),
        Column("Holm, all", "number"),
        Column("level", "number"),
    )
    rows = tuple(
        (
            words.title(result.diagnosis),
            words.VERDICT_WORD[result.verdict],
            _p(primary.p),
            _p(primary.adjusted_p),
            words.number(primary.tests),
            _p(over_all),
            f"{primary.alpha:g}",
        )
        for result, primary, over_all in sorted(_tested(report), key=lambda test: test[1].p)
    )
    return Table("Primary tests", columns, rows)


def lead(report: Report) -> str:
    """Say how many diagnoses rest on a test, and which verdict would not stand over all of them."""
    ran = [result for result in report.results if result.verdict != "not_testable"]
    tested = _tested(report)
    told = (
        f"{words.number(len(tested))} of {words.count(len(ran), 'diagnoses')} that could be tested "
        f"{'rests' if len(tested) == 1 else 'rest'} on a primary test"
    )
    told += (
        "; the others are a census, or found nothing to test." if len(tested) < len(ran) else "."
    )
    weak = [
        f" {words.title(result.diagnosis)} is confirmed among the tests that it was run with; "
        f"over the {words.number(len(tested))} tests of this report its {words.p_value(over_all)} "
        f"is not below {primary.alpha:g}, so that it is supported at most."
        for result, primary, over_all in tested
        if result.verdict == "confirmed" and over_all >= primary.alpha
    ]
    return told + "".join(weak)


def _tested(report: Report) -> list[tuple[Result, Primary, float]]:
    """Results with a primary test, and its p-value adjusted over all of them."""
    tested = [(result, result.primary) for result in report.results if result.primary]
    adjusted = holm([primary.p for _, primary in tested])
    return [(result, primary, p) for (result, primary), p in zip(tested, adjusted, strict=True)]


def _p(p: float | None) -> str:
    """A p-value in a column of them."""
    return words.UNKNOWN if p is None else words.p_value(p).removeprefix("p ").removeprefix("= ")
