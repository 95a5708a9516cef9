"""`casework evidence`: what a case holds, what was rejected, and what can be tested with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from casework.cli._terminal import document, say, table, width
from casework.visible import on_one_line, shorten

if TYPE_CHECKING:
    from casework.case import Case
    from casework.diagnoses import Diagnosis
    from casework.findings import Missing

_SHORTEST_PATH = 16


@click.command()
@click.argument("case", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def evidence(case: Path, as_json: bool) -> None:
    """Show what CASE holds.

    What is loaded, what was rejected and why, which diagnoses can run, and which tables and
    columns the others still need.
    """
    from casework import diagnoses
    from casework.case import Case

    with Case(case) as opened:
        missing = [(diagnosis, diagnosis.missing(opened)) for diagnosis in diagnoses.ALL]
        if as_json:
            document("casework.evidence/1", **_content(opened, missing))
            return
        say(on_one_line(f"{opened.facts().title} ({case})"))
        _show_exhibits(opened)
        _show_tables(opened)
        _show_identities(opened)
        _show_concerns(opened)
        _show_rejects(opened)
    _show_diagnoses(missing)


def _content(
    case: "Case", missing: list[tuple["Diagnosis", tuple["Missing", ...]]]
) -> dict[str, Any]:
    from casework.case import account

    exhibits = case.exhibits()
    return {
        "case": case.facts(),
        "exhibits": exhibits,
        "tables": case.tables(),
        "rejects": case.rejects(),
        "duplicates": sum(exhibit.rows_duplicate for exhibit in exhibits),
        "identities": account.identities(case),
        "concerns": account.concerns(case),
        "diagnoses": [
            {
                "name": diagnosis.name,
                "can_run": not any(absent.required for absent in absents),
                "missing": absents,
            }
            for diagnosis, absents in missing
        ],
    }


def _show_exhibits(case: "Case") -> None:
    from casework.report.annexes import names
    from casework.words import number

    say()
    exhibits = case.exhibits()
    if not exhibits:
        say("Nothing is loaded. Begin with `casework load`.")
        return
    named = names(exhibits)
    _table_of_paths(
        ("exhibit", "importer", "read", "kept", "rejected", "repeated"),
        [
            (
                *(named[exhibit.id], exhibit.importer),
                *map(number, (exhibit.rows_read, exhibit.rows_kept)),
                *map(number, (exhibit.rows_rejected, exhibit.rows_duplicate)),
            )
            for exhibit in exhibits
        ],
        right=(2, 3, 4, 5),
    )


def _table_of_paths(
    head: tuple[str, ...], rows: list[tuple[str, ...]], right: tuple[int, ...]
) -> None:
    """Print a table that begins with paths, shortened so that the table fits the terminal."""
    others = zip(*(row[1:] for row in (head, *rows)), strict=True)
    room = width() - sum(max(map(len, column)) + 2 for column in others)
    longest = max(room, _SHORTEST_PATH)
    table(head, ((shorten(path, longest), *cells) for path, *cells in rows), right=right)


def _show_tables(case: "Case") -> None:
    from casework.words import instant, number

    fills = case.tables()
    if not fills:
        return
    say()
    table(
        ("table", "rows", "from", "to"),
        (
            (
                fill.table,
                number(fill.rows),
                instant(fill.first) if fill.first else "-",
                instant(fill.last) if fill.last else "-",
            )
            for fill in fills
        ),
        right=(1,),
    )


def _show_identities(case: "Case") -> None:
    from casework.case import account
    from casework.report.annexes import names
    from casework.words import number

    found = account.identities(case)
    if not found:
        return
    named = names(case.exhibits())
    say()
    _table_of_paths(
        ("how the model is known", "requests", "digest", "response model", "copied", "nothing"),
        [
            (
                named.get(one.exhibit_id, one.exhibit_id),
                *map(number, (one.requests, one.digest, one.response_model)),
                *map(number, (one.copied, one.nothing)),
            )
            for one in found
        ],
        right=(1, 2, 3, 4, 5),
    )


def _show_concerns(case: "Case") -> None:
    from casework.case import account
    from casework.words import count, number

    found = account.concerns(case)
    if not found:
        return
    paths = {exhibit.id: exhibit.path for exhibit in case.exhibits()}
    say()
    for one in found:
        of = one.table
        if one.rows:
            of = f"{number(one.rows)} of {count(one.of, 'rows')} of {one.table}"
        say(f"mind {paths.get(one.exhibit_id, one.exhibit_id)}: {of}", hang=4)
        say(f"    {one.what}", hang=4)


def _show_rejects(case: "Case") -> None:
    from casework.words import count

    groups = case.rejects()
    if not groups:
        return
    paths = {exhibit.id: exhibit.path for exhibit in case.exhibits()}
    say()
    for group in groups:
        path = paths.get(group.exhibit_id, group.exhibit_id)
        first = f", first at {group.first_locator}" if group.first_locator else ""
        say(f"rejected {path}: {count(group.count, 'rows')}, {group.code}{first}", hang=4)
        say(f"    {on_one_line(group.first_reason or '')}", hang=4)


def _show_diagnoses(missing: list[tuple["Diagnosis", tuple["Missing", ...]]]) -> None:
    say()
    for diagnosis, absents in missing:
        required = [absent for absent in absents if absent.required]
        say(f"{diagnosis.name}: {'cannot run yet' if required else 'can run'}")
        for absent in sorted(absents, key=lambda absent: not absent.required):
            columns = f" ({', '.join(absent.columns)})" if absent.columns else ""
            word = "needs" if absent.required else "would use"
            say(f"    {word} {absent.table}{columns}: {absent.why}", hang=6)
