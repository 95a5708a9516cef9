"""Reading sources that are not text in a process of its own, with limits."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from casework import importers, tables
from casework.case import Again, Fields, Item, Note, Reject, Row, packed_in
from casework.errors import CaseworkError
from casework.importers import Importer, Options, Source
from casework.importers._source import NEVER_IN_TEXT
from casework.importers.table_file import BINARY_HEADS
from casework.intake import _messages as m

_PATIENCE_S = 120
"""How long the reader may say nothing: it hands over rows as it reads them."""
_ENDING_S = 5
# Isolated from the folder and the environment, but with the very code that runs here: another
# version, installed beside it, would say what this one does not understand.
# It is found there alone: a folder on the path could hold other modules before those of Python.
_PROGRAM = """
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
found = PathFinder.find_spec("casework", [sys.argv[1]])
sys.modules["casework"] = package = module_from_spec(found)
found.loader.exec_module(package)
from casework.intake._reader import main
main()
"""
_COMMAND = (sys.executable, "-I", "-c", _PROGRAM, str(Path(__file__).parents[2]))
_PIPE_BYTES = 1 << 20
_REASONS = {
    "SIGKILL": "as the system does where memory is short",
    "SIGABRT": "as libraries do that get no more memory or threads",
    "SIGSEGV": "which is a fault of its parser",
    "SIGBUS": "as where a file becomes shorter while it is read",
}
_KEPT_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LANG")


def is_binary(source: Source) -> bool:
    """Whether a file, decompressed, has characters that no text has or begins as no text does."""
    head = source.head()
    return head.startswith(BINARY_HEADS) or not NEVER_IN_TEXT.isdisjoint(head)


class Confined:
    """The confined reader, started when it is first asked, and again after it died.

    A context manager. One reader serves all sources of a load.
    """

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._gave_up = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def importer_of(self, source: Source) -> Importer | None:
        """The importer that knows a source, if one does.

        Raises:
            CaseworkError: IMPORT_CRASHED, IMPORT_MEMORY, IMPORT_TIME.
        """
        for answer in self._ask(m.Ask(os.fsencode(source.path), source.name), source):
            if isinstance(answer, m.Recognised):
                return importers.get(answer.importer) if answer.importer else None
        raise self.broken(source, "it gave no answer")

    def read(self, source: Source, importer: Importer, options: Options) -> Iterator[Item]:
        """Yield what an importer reads, as the importer itself would.

        Raises:
            CaseworkError: what the importer raises; IMPORT_CRASHED, IMPORT_MEMORY, IMPORT_TIME.
        """
        table = options.table.name if options.table else None
        mapping = dict(options.mapping) if options.mapping is not None else None
        ask = m.Ask(os.fsencode(source.path), source.name, importer.name, table, mapping,
                    options.timezone)  # fmt: skip
        for answer in self._ask(ask, source):
            if isinstance(answer, m.Done):
                return
            try:
                yield from _items(answer, importer)
            except (ValueError, OSError) as error:  # pyarrow's own errors are ValueErrors
                raise self.broken(source, str(error).splitlines()[0]) from None

    def start(self) -> None:
        """Start the reader, which takes half a second until it answers."""
        with suppress(OSError):  # told when it is asked
            self._started()

    def share(
        self, source: Source, importer: Importer, first: int, step: int
    ) -> Iterator[memoryview]:
        """Yield pieces that an importer reads, from the first on every so many.

        Raises:
            CaseworkError: as `read` does.
        """
        ask = m.Ask(os.fsencode(source.path), source.name, importer.name, share=(first, step))
        for answer in self._ask(ask, source):
            if isinstance(answer, m.Piece):
                yield answer.content
            elif not isinstance(answer, m.Done):
                raise self.broken(source, "an answer to another question")

    def _ask(self, ask: m.Ask, source: Source) -> Iterator[m.Answer]:
        try:
            process = self._started()
        except OSError as error:
            raise self.broken(source, f"its reader does not start: {error.strerror}") from None
        has_more = True
        try:
            m.send(cast(BinaryIO, process.stdin), ask)
        except BrokenPipeError:
            raise self._died(source, process) from None
        try:
            while has_more and (answer := self._next(process)) is not None:
                if isinstance(answer, m.Failed):
                    raise CaseworkError(answer.code, answer.what, answer.fix, where=answer.where)
                has_more = not isinstance(answer, m.Done | m.Recognised)
                yield answer
            if not has_more:
                return
        except ValueError as error:
            what = f"its answer cannot be understood: {error}"
            raise self.broken(source, what) from None
        except GeneratorExit:
            if has_more:
                self._end()  # else it would say the rest to the next who asks
            raise
        raise self._died(source, process)

    def _next(self, process: subprocess.Popen[bytes]) -> m.Answer | None:
        """The next answer, or None where the reader ended or was ended for saying nothing."""
        watch = threading.Timer(self._patience_s, self._give_up, [process])
        watch.start()
        try:
            return m.receive_answer(cast(BinaryIO, process.stdout))
        finally:
            watch.cancel()

    def _give_up(self, process: subprocess.Popen[bytes]) -> None:
        self._gave_up = True
        process.kill()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and (self._gave_up or self._process.poll() is not None):
            self._end()  # it ended while nobody asked, of which no source is the cause
            self._gave_up = False
        if self._process is None:
            environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT
                           if name in os.environ}  # fmt: skip
            self._process = subprocess.Popen(  # noqa: S603  our own program, nothing of the source
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if os.environ.get("CASEWORK_DEBUG") else subprocess.DEVNULL,
                env=environment,
            )
            _widen(cast(BinaryIO, self._process.stdout))
        return self._process

    def _died(self, source: Source, process: subprocess.Popen[bytes]) -> CaseworkError:
        try:
            how = _ending(process.wait(_ENDING_S))
        except subprocess.TimeoutExpired:
            how = "closed its pipe and went on"
        gave_up, self._gave_up = self._gave_up, False
        self._end()
        late = f"it said nothing for {self._patience_s:g} s" if gave_up else ""
        if "SIGXCPU" in how:
            late = "it took more processor time than a minute and two seconds a megabyte"
        if late:
            return CaseworkError("IMPORT_TIME", f"reading it takes too long: {late}",
                                 "export it in parts, or in another format",
                                 where=source.name)  # fmt: skip
        return self.broken(source, f"its reader {how}")

    def broken(self, source: Source, what: str) -> CaseworkError:
        """End the reader, and say what is wrong with what it said."""
        self._end()
        fix = "see that the file is whole; export it in another format"
        return CaseworkError("IMPORT_CRASHED", what, fix, where=source.name)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):  # of what was left to say to it
                        stream.close()
            process.wait()


def _ending(code: int) -> str:
    """What ended a process, in words: an exit status, or a signal by its name."""
    if code >= 0:
        return f"ended with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    reason = f", {_REASONS[name]}" if name in _REASONS else ""
    return f"was ended by {name}{reason}"


def _widen(pipe: BinaryIO) -> None:
    """Let a pipe hold more at a time, where the system has as much to give to this user."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _items(answer: m.Answer, importer: Importer) -> Iterator[Item]:
    """Turn an answer into items.

    Raises:
        ValueError: it is not what the importer may say.
    """
    known = {table.name: table for table in importer.tables}
    match answer:
        case m.Rows() | m.Packed() | m.Rejected() if answer.table not in {*known, None}:
            raise ValueError(f"{importer.name} does not fill {answer.table!r}")
        case m.Rows():
            columns = set(known[answer.table].column_names)
            for locator, values in zip(answer.locators, answer.values, strict=True):
                if not values.keys() <= columns:
                    raise ValueError(f"{answer.table} has no such column")
                yield Row(known[answer.table], locator, values)
        case m.Packed():
            yield packed_in(answer.stream, known[answer.table])
        case m.Rejected():
            table = tables.get(answer.table) if answer.table else None
            yield Reject(answer.locator, answer.code, answer.reason, answer.raw, table)
        case m.Told():
            yield Note(answer.text)
        case m.Counted():
            yield Fields(answer.taken, answer.left_out)
        case m.Again():
            yield Again()
        case _:
            raise ValueError("an answer to another question")
