"""`casework diagnose`: run diagnoses on a case and keep their results in it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from casework.cli._terminal import document, say
from casework.errors import CaseworkError, UsageError, unknown_name
from casework.findings import VERDICTS, Verdict
from casework.visible import shorten

if TYPE_CHECKING:
    from casework.findings import Result

_COLOURS: dict[Verdict, str] = {"confirmed": "red", "supported": "yellow", "clean": "green"}
_FLAGS = {"true": True, "false": False}
_LONG = 32
"""Characters of a word from which on it is shortened: digests, not names."""


@click.command()
@click.argument("case", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--set", "settings", multiple=True, metavar="NAME.PARAMETER=VALUE",
              help="Give a parameter that would else be inferred or a default.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--fail-on", type=click.Choice(VERDICTS), metavar="VERDICT",
              help="Exit with 3 when a diagnosis reaches exactly this verdict.")  # fmt: skip
@click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb",
              help="What runs the queries; this release has DuckDB only.")  # fmt: skip
@click.option("--verbose", is_flag=True, help="Print numbers, rivals and parameters too.")
def diagnose(
    case: Path,
    names: tuple[str, ...],
    settings: tuple[str, ...],
    as_json: bool,
    fail_on: Verdict | None,
    engine: str,
    verbose: bool,
) -> int:
    """Run the diagnoses NAME, all by default, on CASE.

    One line for each: sign, name, sentence. The results are kept in the case, for the report.
    """
    if engine == "spark":
        raise CaseworkError(
            "ENGINE_MISSING",
            "this release runs diagnoses on DuckDB only",
            "leave out --engine spark",
        )
    from casework import diagnoses

    given = _parsed(settings)
    results = diagnoses.diagnose(case, names, given)
    if as_json:
        document("casework.diagnosis/1", **_content(case, results))
    else:
        show(case, results, verbose=verbose)
    return 3 if any(result.verdict == fail_on for result in results) else 0


def _parsed(settings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Settings by diagnosis; every name is checked before the case is opened."""
    from casework import diagnoses

    given: dict[str, dict[str, Any]] = {}
    for setting in settings:
        place, equals, value = setting.partition("=")
        name, dot, parameter = place.partition(".")
        if not (equals and dot):
            raise UsageError(
                "BAD_SETTING", f"--set {setting!r}", "write it as --set NAME.PARAMETER=VALUE"
            )
        known = list(diagnoses.get(name).settings)
        if parameter not in known:
            raise unknown_name("parameter", parameter, known)
        given.setdefault(name, {})[parameter] = _FLAGS.get(value, value)
    return given


def _content(case: Path, results: Sequence["Result"]) -> dict[str, Any]:
    from casework.case import Case
    from casework.diagnoses import triage
    from casework.report.collect import versions

    with Case(case) as opened:
        return {
            "case": opened.facts(),
            "tool": versions(),
            "results": results,
            "triage": triage(opened, results),
        }


def _shared_causes(case: Path, results: Sequence["Result"]) -> Iterator[str]:
    """A line for each stretch of time in which several diagnoses place a break."""
    from casework.case import Case
    from casework.diagnoses import triage
    from casework.report.causes import recorded, when

    with Case(case) as opened:
        found = triage(opened, results).causes
    for cause in found:
        if len(cause.diagnoses) > 1:
            yield (
                f"One cause may explain {' and '.join(cause.diagnoses)}: {when(cause)}. "
                f"On record: {recorded(cause)}."
            )


def show(case: Path, results: Sequence["Result"], *, verbose: bool = False) -> None:
    """Print results, the gravest first, and which of them may have one cause."""
    from casework.diagnoses import by_gravity

    for result in by_gravity(results):
        _show_one(result, verbose=verbose)
    for line in _shared_causes(case, results):
        words = line.split(" ")
        say(" ".join(shorten(w, 24) if len(w) > _LONG else w for w in words), hang=2)


def _show_one(result: "Result", *, verbose: bool) -> None:
    """Print a result: its sign, name and sentence, and with `verbose` what they rest on."""
    from casework.words import VERDICT_WORD, headline, verdict_sign

    said = headline(result.headline, result.verdict)
    lead = f"{verdict_sign(result.verdict)} {result.diagnosis}"
    colour = _COLOURS.get(result.verdict)
    say(f"  {VERDICT_WORD[result.verdict]}. {said}", lead=lead, colour=colour, hang=2)
    if verbose:
        for line in _details(result):
            say(f"    {line}", hang=6)


def _details(result: "Result") -> Iterator[str]:
    from casework.words import OUTCOME_WORD, SOURCE_WORD, interval, said, title

    if result.severity:
        yield f"severity {result.severity}"
    for name, measure in result.measures.items():
        yield f"{title(name, measure.unit)}: {interval(measure)}"
    for finding in result.findings:
        yield finding.statement
    for rival in result.rivals:
        yield f"Rival, {OUTCOME_WORD[rival.outcome]}: {rival.explanation} ({rival.why})"
    if result.falsifier.statement:
        yield f"To refute it: {result.falsifier.statement}: {result.falsifier.outcome}"
    for absent in result.missing:
        yield f"Missing: {absent.table} ({', '.join(absent.columns)}), {absent.why}"
    for limit in result.limits:
        yield f"Limit: {limit}"
    for remedy in result.remedies:
        yield f"Remedy: {remedy}"
    for name, parameter in result.parameters.items():
        value = "none" if parameter.value is None else said(parameter.value, "")
        yield f"{name} = {value}, {SOURCE_WORD[parameter.source]}"
