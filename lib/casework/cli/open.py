"""`casework open`: the apps, in the browser."""

from pathlib import Path

import click


@click.command("open")
@click.argument("case", type=click.Path(path_type=Path))
@click.option("--app", "name", default="investigate", show_default=True, metavar="NAME",
              help="Which app.")  # fmt: skip
@click.option("--port", type=click.IntRange(1, 65_535), help="A free one by default.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def open_(case: Path, name: str, port: int | None, no_browser: bool) -> None:
    """Open the apps on CASE in the browser, until Ctrl-C.

    They answer on this machine only, and only to who has the address with its token.
    """
    from casework.case import Case
    from casework.cli import _apps

    Case(case).close()
    _apps.serve(_apps.find(name), case.resolve(), port, browser=not no_browser)
