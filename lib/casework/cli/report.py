"""`casework report`: write the audit report of a case."""

from pathlib import Path

import click

from casework.cli._terminal import say, tell, warn
from casework.errors import CaseworkError, unknown_name


@click.command(short_help="Write the report of CASE into a folder.")
@click.argument("case", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="The folder to write into.")  # fmt: skip
@click.option("--format", "formats", default="html,json", show_default=True, metavar="NAMES",
              help="Forms of the report, with commas between them.")  # fmt: skip
def report(case: Path, names: tuple[str, ...], out: Path, formats: str) -> None:
    """Write the report of CASE into DIR, on all that was diagnosed or on the diagnoses NAME.

    Results are reported as they are kept in the case. A diagnosis that is named and was not run
    yet is run first; so are all where none was run.
    """
    for path in write(case, names, out, formats.split(",")):
        say(str(path))


def write(case: Path, names: tuple[str, ...], out: Path, formats: list[str]) -> list[Path]:
    """Write the report, after running what was not run yet; return the paths of its files."""
    from casework import diagnoses
    from casework import report as reports
    from casework.case import Case
    from casework.report.collect import collect, outdated

    for name in formats:
        if name not in reports.FORMATS:
            raise unknown_name("format", name, list(reports.FORMATS))
    if out.exists() and not out.is_dir():
        raise _unwritable(out, "a file of that name is there")
    wanted = [diagnoses.get(name).name for name in names]
    with Case(case) as opened:
        stored = [result.diagnosis for result in opened.results()]
    lacking = [name for name in wanted if name not in stored]
    if lacking or not (wanted or stored):
        for name in lacking or [diagnosis.name for diagnosis in diagnoses.ALL]:
            tell(f"{name} was not run yet; running it")
        diagnoses.diagnose(case, lacking)
    with Case(case) as opened:
        collected = collect(opened, wanted)
        old = outdated(opened, [result.diagnosis for result in collected.results])
    for name in old:
        warn(f"{name} was run before the last evidence was loaded; diagnose it again")
    try:
        return reports.write(collected, out, formats)
    except OSError as error:
        raise _unwritable(out, error.strerror or str(error)) from None


def _unwritable(out: Path, what: str) -> CaseworkError:
    return CaseworkError("UNWRITABLE", what, "give another --out", where=str(out))
