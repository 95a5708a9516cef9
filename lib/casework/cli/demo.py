"""`casework demo`: a bundled incident, from the evidence to the report."""

import shutil
from pathlib import Path

import click

from casework.cli import diagnose, load, report
from casework.cli._browser import show_in_browser
from casework.cli._terminal import say, tell
from casework.errors import CaseworkError

_CASE, _EVIDENCE, _REPORT, _STORY = "case.duckdb", "evidence", "report", "story.md"


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("casework-demo"),
              show_default=True, metavar="DIR", help="The folder to make.")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Do not open the report.")
def demo(out: Path, no_browser: bool) -> None:
    """Load, diagnose and report a bundled incident, end to end.

    The last line names the report. A folder that the demo made before is made again.
    """
    from casework import diagnoses, intake, resources
    from casework.case import Case

    source = resources.folder("demo")
    _make_room(out, source)
    shutil.copytree(source, out / _EVIDENCE)
    case = out / _CASE
    Case.create(case, _title(source)).close()
    tell(f"loading {out / _EVIDENCE}")
    with load.Bar() as bar:
        load.show(case, intake.load(case, [out / _EVIDENCE], progress=bar.move))
    say()
    diagnose.show(case, diagnoses.diagnose(case))
    say()
    page, *_ = report.write(case, (), out / _REPORT, ["html", "json"])
    say(str(page))
    if not no_browser:
        show_in_browser(page.resolve().as_uri())


def _title(source: Path) -> str:
    """The heading of the story that comes with the evidence."""
    return (source / _STORY).read_text("utf-8").splitlines()[0].removeprefix("# ")


def _make_room(out: Path, source: Path) -> None:
    """Take away what an earlier demo left; refuse where there is anything else."""
    evidence = out / _EVIDENCE
    ours = {out / _CASE, out / f"{_CASE}.wal", evidence, out / _REPORT}
    ours |= {out / _REPORT / name for name in ("report.html", "report.json")}
    ours |= {evidence / file.relative_to(source) for file in source.rglob("*")}
    found = sorted(out.rglob("*")) if out.is_dir() else [out] if out.exists() else []
    is_of_demo = _is_of_demo(out, source)
    for path in found:
        if path not in ours or not is_of_demo:
            raise CaseworkError(
                "OUT_NOT_EMPTY", "is not of the demo", "give another --out", where=str(path)
            )
    for path in reversed(found):
        path.rmdir() if path.is_dir() else path.unlink()


def _is_of_demo(out: Path, source: Path) -> bool:
    """Whether the story lies there, and the case, if it is made yet, bears its title.

    A person's own case or report can have the same file name.
    """
    from casework.case import Case

    if not (out / _EVIDENCE / _STORY).is_file():
        return False
    if not (out / _CASE).exists():
        return True
    try:
        with Case(out / _CASE) as case:
            return case.facts().title == _title(source)
    except CaseworkError:
        return False
