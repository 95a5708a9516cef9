"""`casework sql`: one question to a case, read-only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from casework.cli._terminal import document, table, tell

_MOST_ROWS = 10_000
_MORE_MEMORY = 8 << 30


@click.command()
@click.argument("case", type=click.Path(path_type=Path))
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def sql(case: Path, query: str, as_json: bool) -> None:
    """Answer QUERY, one SELECT over the tables of CASE.

    At most 10,000 rows are shown, and a query may take a minute. Long values are cut, but not
    with --json.
    """
    from casework.case import Case

    with Case(case) as opened, _limited_memory():
        answer = opened.sql(query, limit=_MOST_ROWS + 1)
    rows = answer.rows[:_MOST_ROWS]
    is_cut = len(answer.rows) > _MOST_ROWS
    if as_json:
        document("casework.sql/1", case=str(case), columns=answer.columns, rows=rows, is_cut=is_cut)
    else:
        numeric = [
            place
            for place in range(len(answer.columns))
            if rows and all(_is_number(row[place]) for row in rows)
        ]
        shown = ([_said(value) for value in row] for row in rows)
        table(answer.columns, shown, right=numeric, fold=True)
    if is_cut:
        tell(f"the first {_MOST_ROWS:,} rows; aggregate, or add a LIMIT and an OFFSET")


@contextmanager
def _limited_memory() -> Iterator[None]:
    """Bound what the process may still take: DuckDB's own bound does not hold for every function.

    Only where there is a way to know how much it holds already.
    """
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (ImportError, OSError):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + _MORE_MEMORY
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _said(value: Any) -> str:
    """Write a value in full: NULL as a word, instants in UTC, nested values as JSON."""
    from casework.canonical import dumps, plain

    if value is None:
        return "NULL"
    shown = plain(value)
    return shown if isinstance(shown, str) else dumps(shown)
