"""`casework new`: make an empty case."""

from pathlib import Path

import click

from casework.cli._terminal import say


@click.command()
@click.argument("case", type=click.Path(path_type=Path))
@click.option("--title", default="", help="What the report is headed with; the file's name if not.")
def new(case: Path, title: str) -> None:
    """Make an empty CASE: one DuckDB file."""
    from casework.case import Case

    with Case.create(case, title) as made:
        say(f"{case}: a new case, {made.facts().title!r}")
