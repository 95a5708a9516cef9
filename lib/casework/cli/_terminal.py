"""What the commands print: evidence made visible, aligned tables, JSON; colour where one looks."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import click

from casework.visible import on_one_line, visible

_WIDEST_CELL = 60
_NARROWEST = 40
"""Characters of a line at least: below that a terminal breaks lines better than we do."""


def say(text: str = "", *, lead: str = "", colour: str | None = None, hang: int = 0) -> None:
    """Print text on stdout, after a lead that has a colour where stdout is a terminal.

    What evidence holds and the eye cannot see is written out, so nothing of it steers a terminal.
    With `hang`, a terminal gets lines broken between words, set in by so much from the second on;
    what is piped stays one line, whatever line breaks evidence holds.
    """
    lead = visible(lead)
    whole = lead + (" ".join(visible(text).split("\n")) if hang else visible(text))
    if hang and sys.stdout.isatty():
        whole = "\n".join(_broken(whole, hang))
    if colour and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        whole = click.style(lead, fg=colour, bold=True) + whole[len(lead) :]
    click.echo(whole)


def width() -> int:
    """The width of the terminal in characters; 80 where there is none."""
    return shutil.get_terminal_size().columns


def _broken(text: str, hang: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip(" ")))
    inside = textwrap.TextWrapper(
        width=max(width(), _NARROWEST),
        initial_indent=indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return inside.wrap(text) or [text]


def warn(text: str) -> None:
    """Print a warning on stderr, on one line."""
    click.echo(f"warning: {on_one_line(text)}", err=True)


def tell(text: str) -> None:
    """Say on stderr what is being done, on one line."""
    click.echo(on_one_line(text), err=True)


def fail(code: str, where: str, what: str) -> None:
    """Print an error on stderr, on one line."""
    place = f" {where}:" if where else ""
    click.echo(on_one_line(f"error[{code}]{place} {what}"), err=True)


def document(schema: str, **content: Any) -> None:
    """Print one JSON document: its schema, then its content.

    Other characters than ASCII are escaped: the value is that of the evidence, to the letter,
    and a terminal shows it unharmed.
    """
    from casework.canonical import plain

    click.echo(json.dumps(plain({"schema": schema, **content}), indent=2))


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[int] = (),
    fold: bool = False,
) -> None:
    """Print rows under a head, in columns; those of the places `right` are set to the right.

    With `fold`, a terminal that is too narrow for the columns gets each row as lines of its own.
    """
    cells = [[_cell(text) for text in row] for row in (head, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    if fold and sys.stdout.isatty() and sum(widths) + 2 * len(widths) - 2 > width():
        _show_folded(cells)
        return
    for number, row in enumerate(cells):
        aligned = (
            text.rjust(width) if place in right else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        say("  ".join(aligned).rstrip())
        if number == 0:
            say("  ".join("─" * width for width in widths))


def _show_folded(cells: Sequence[Sequence[str]]) -> None:
    names, *rows = cells
    longest = max(map(len, names))
    for number, row in enumerate(rows, 1):
        say(f"── row {number}")
        for name, text in zip(names, row, strict=True):
            say(f"{name.ljust(longest)}  {text}".rstrip())


def _cell(text: str) -> str:
    shown = on_one_line(text)
    return shown if len(shown) <= _WIDEST_CELL else shown[: _WIDEST_CELL - 1] + "…"
