"""The command line: parse, call the library, print. What is heavy is imported in the commands."""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

import click

from casework.cli.declared import diagnoses, formats, tables
from casework.cli.demo import demo
from casework.cli.diagnose import diagnose
from casework.cli.evidence import evidence
from casework.cli.load import load
from casework.cli.new import new
from casework.cli.open import open_
from casework.cli.report import report
from casework.cli.sql import sql
from casework.errors import CaseworkError
from casework.visible import on_one_line, visible

_COMMANDS = (demo, new, load, evidence, diagnose, report, sql, open_, formats, tables, diagnoses)


class _InOrder(click.Group):
    """Lists its commands in the order in which an investigation needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, commands=_COMMANDS)
@click.version_option(package_name="casework")
def casework() -> None:
    """Investigate incidents of ML and LLM systems: load what there is, test it, report it.

    Exit status: 0 done; 1 it could not be done; 2 wrong usage; 3 when a diagnosis reaches the
    verdict of --fail-on.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line, that of the process by default, and exit with its status."""
    # Where it is installed, Altair's checks compile its grammar for a second; no picture needs it.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    _prepare_streams()
    sys.exit(_status(arguments))


def _prepare_streams() -> None:
    """Have somewhere to print to, in characters that it can hold."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it is closed, and the next file that is opened would take its place
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _status(arguments: Sequence[str] | None) -> int:
    try:
        ended = casework.main(arguments, prog_name="casework", standalone_mode=False)
        sys.stdout.flush()
        return int(ended or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        _print_usage(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # What is still buffered goes nowhere, or the interpreter would complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except CaseworkError as error:
        click.echo(visible(str(error)), err=True)
        return error.exit_status
    except OSError as error:
        place = f" {error.filename}:" if error.filename else ""
        what = on_one_line(f"error[SYSTEM]{place} {error.strerror or error}")
        click.echo(f"{what}; see that it is there, has room and is open to you", err=True)
        return 1
    except Exception as error:
        return 130 if _is_ctrl_c(error) else _internal(error)


def _print_usage(error: click.ClickException) -> None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "casework"
    what = on_one_line(error.format_message()).rstrip(".")
    click.echo(f"error[USAGE] {what}; see {command} --help", err=True)


def _is_ctrl_c(error: Exception) -> bool:
    """Whether DuckDB was stopped by it, wherever it was at work."""
    from casework.case import interrupted

    return isinstance(error, RuntimeError) and isinstance(interrupted(error), KeyboardInterrupt)


def _internal(error: Exception) -> int:
    if os.environ.get("CASEWORK_DEBUG"):
        import traceback

        traceback.print_exception(error)
    what = on_one_line(f"{type(error).__name__}: {error}")[:300]
    fix = "this is a defect of casework: report it with what CASEWORK_DEBUG=1 shows"
    click.echo(f"error[INTERNAL] {what}; {fix}", err=True)
    return 1
