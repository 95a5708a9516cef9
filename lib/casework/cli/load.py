"""`casework load`: take files, folders and archives into a case."""

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from casework.cli._terminal import document, fail, say
from casework.visible import on_one_line, shorten

if TYPE_CHECKING:
    from casework.importers import Options
    from casework.intake import Outcome
    from casework.records import Exhibit, RejectGroup

_SAID = {"loaded": "loaded", "already": "already there", "left": "left out", "failed": "failed"}
_FACTS = (
    *("importer", "format", "sha256", "bytes"),
    *("rows_read", "rows_kept", "rows_rejected", "rows_duplicate", "tables", "notes"),
    *("fields", "left_out"),
)
_OF_REJECTS = ("code", "count", "first_locator", "first_reason")


@click.command()
@click.argument("case", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--as", "table", metavar="TABLE", help="The table that table files go to.")
@click.option("--format", "format_name", metavar="NAME", help="The importer to read all with.")
@click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Which source column fills which evidence column; or the name of a ready map.",
)
@click.option("--timezone", metavar="TZ", help="Zone of instants that name none: Europe/Berlin.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def load(
    case: Path,
    paths: tuple[str, ...],
    table: str | None,
    format_name: str | None,
    map_file: Path | None,
    timezone: str | None,
    as_json: bool,
) -> int:
    """Load PATHS into CASE: files, folders and archives.

    The format of a file is recognised by its content; a table file goes to the table that its
    name names, or --as. A file is loaded as a whole or not at all, and the same bytes only once.
    """
    from casework import intake

    options = _options(table, map_file, timezone)
    with Bar() as bar:
        outcomes = intake.load(
            case, paths, options=options, format_name=format_name, progress=bar.move
        )
    if as_json:
        document("casework.load/1", case=str(case), **_content(case, outcomes))
    else:
        show(case, outcomes)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    for outcome in failed:
        fail(outcome.code, outcome.where or outcome.path, outcome.reason)
    return 1 if failed else 0


def _options(table: str | None, map_file: Path | None, timezone: str | None) -> "Options":
    from casework import importers, tables

    return importers.Options(
        table=tables.get(table) if table else None,
        mapping=importers.read_map(map_file) if map_file else None,
        timezone=timezone,
    )


class Bar:
    """A progress bar on stderr, as a context manager; there is none where nobody looks."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.__exit__(kind, error, trace)

    def move(self, name: str, done: int, total: int) -> None:
        """Show that `done` of `total` bytes are done, and the name of what is being read."""
        if not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = click.progressbar(
                length=total, file=sys.stderr, item_show_func=lambda item: shorten(item or "", 40)
            )
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos, name)


def show(case: Path, outcomes: Sequence["Outcome"]) -> None:
    """Print what became of each source: those loaded singly, the others in groups."""
    from casework.words import number

    rejects = _rejects(case, outcomes)
    for outcome in outcomes:
        if outcome.exhibit:
            say(_loaded(outcome.exhibit))
            for note in (*outcome.exhibit.notes, *map(_rejected, rejects[outcome.exhibit.id])):
                say(f"    {on_one_line(note)}")
    groups: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.status in ("already", "left"):
            reason = "" if outcome.status == "already" else f", {outcome.reason}"
            groups.setdefault(_SAID[outcome.status] + reason, []).append(on_one_line(outcome.path))
    for reason, paths in groups.items():
        say(f"{reason}:" if len(paths) > 1 else f"{reason}: {paths[0]}")
        for path in paths if len(paths) > 1 else ():
            say(f"    {path}")
    counts = _counts(outcomes)
    parts = [f"{number(times)} {_SAID[status]}" for status, times in counts.items() if times]
    say(", ".join(parts) or "nothing to load")


def _loaded(exhibit: "Exhibit") -> str:
    from casework.words import count, number

    tables = ", ".join(f"{name} {number(rows)}" for name, rows in exhibit.tables.items() if rows)
    parts = [f"{exhibit.path}: {tables or 'no rows'}"]
    if exhibit.rows_rejected:
        parts.append(f"{count(exhibit.rows_rejected, 'rows')} rejected")
    if exhibit.rows_duplicate:
        parts.append(f"{count(exhibit.rows_duplicate, 'rows')} repeated")
    return on_one_line("; ".join(parts)) + f" ({exhibit.importer})"


def _rejects(case: Path, outcomes: Sequence["Outcome"]) -> dict[str, list["RejectGroup"]]:
    """Why rows of the sources that were loaded were rejected, by exhibit."""
    from casework.case import Case

    found: dict[str, list[RejectGroup]] = defaultdict(list)
    if any(outcome.exhibit and outcome.exhibit.rows_rejected for outcome in outcomes):
        with Case(case) as opened:
            for group in opened.rejects():
                found[group.exhibit_id].append(group)
    return found


def _rejected(group: "RejectGroup") -> str:
    from casework.words import count

    place = f", first at {group.first_locator}" if group.first_locator else ""
    return (
        f"rejected: {count(group.count, 'rows')}, {group.code}{place}: {group.first_reason or ''}"
    )


def _content(case: Path, outcomes: Sequence["Outcome"]) -> dict[str, Any]:
    rejects = _rejects(case, outcomes)
    sources = [
        {
            "path": outcome.path,
            "status": outcome.status,
            **{name: getattr(outcome.exhibit, name, None) for name in _FACTS},
            "rejects": [
                {name: getattr(group, name) for name in _OF_REJECTS}
                for group in (rejects[outcome.exhibit.id] if outcome.exhibit else ())
            ],
            "code": outcome.code or None,
            "reason": outcome.reason or None,
        }
        for outcome in outcomes
    ]
    exhibits = [outcome.exhibit for outcome in outcomes if outcome.exhibit]
    totals: dict[str, int] = {**_counts(outcomes)}
    for name in ("rows_read", "rows_kept", "rows_rejected", "rows_duplicate"):
        totals[name] = sum(getattr(exhibit, name) for exhibit in exhibits)
    return {"sources": sources, "totals": totals}


def _counts(outcomes: Sequence["Outcome"]) -> dict[str, int]:
    """How many sources ended how."""
    return {status: sum(o.status == status for o in outcomes) for status in _SAID}
