"""The confined reader: a process of its own for sources that are not text, and for large texts.

Parsers of Parquet, Arrow, SQLite and archives are large programs in C and C++, and the bytes come
from strangers. What goes wrong in them goes wrong here: out of memory, in an endless loop, or with
a signal. This process never opens the case, and says what it read over a pipe.
"""

import contextlib
import gc
import json
import os
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, BinaryIO

from casework import importers, tables
from casework.case import (
    Again,
    Batch,
    Fields,
    Item,
    Note,
    Packed,
    Reject,
    Row,
    pack_batch,
    stream_of,
)
from casework.errors import CaseworkError
from casework.importers import Importer, Options, Source
from casework.intake import _messages as m

_ROWS = 2_000
_CHARACTERS = 32 << 20
# Address space, of which the libraries reserve more than they use: 1.5 GB before anything is read.
_MEMORY = 6 << 30
_CPU_S = 60
_FEW_COLLECTIONS = 200_000
"""Rows are many objects that hold no cycles: looking for those took a tenth of the time."""
_CPU_S_PER_BYTE = 2e-6


def main() -> None:
    """Answer until nobody asks any more. What libraries print does not mix with the answers."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.meta_path.insert(0, _WithoutPandas())
    gc.set_threshold(_FEW_COLLECTIONS)
    _limit_memory()
    while (ask := m.receive_ask(sys.stdin.buffer)) is not None:
        _say(ask, answers)


class _WithoutPandas(MetaPathFinder):
    """Keeps pyarrow from importing pandas, as it does where it can: a third of a second."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        """Find nothing, but refuse pandas."""
        if fullname == "pandas":
            raise ImportError(fullname)


def _say(ask: m.Ask, stream: BinaryIO) -> None:
    """Answer a question; whatever fails on the way, in reading or in writing, is the last word."""
    try:
        for answer in _answers(ask):
            _send(stream, answer)
        return
    except BrokenPipeError:
        raise SystemExit(0) from None  # nobody listens any more
    except CaseworkError as error:
        failed = m.Failed(error.code, _storable(error.what), error.fix, _storable(error.where))
    except MemoryError:
        failed = m.Failed("IMPORT_MEMORY", f"reading it takes more than {_MEMORY >> 30} GiB",
                          "export it in parts", ask.name)  # fmt: skip
    except Exception as error:  # a parser tripped: one clear line, and the next source goes on
        what = _storable(f"{type(error).__name__}: {error}".splitlines()[0][:300])
        failed = m.Failed("IMPORT_CRASHED", what, "see that the file is whole", ask.name)
    m.send(stream, failed)


def _send(stream: BinaryIO, answer: m.Answer) -> None:
    """Send an answer; of rows that cannot be written, each that can, and the others as rejects."""
    try:
        m.send(stream, answer)
    except (UnicodeError, OverflowError, TypeError) as error:
        if not isinstance(answer, m.Rows):
            raise
        if len(answer.values) > 1:
            for locator, values in zip(answer.locators, answer.values, strict=True):
                _send(stream, m.Rows(answer.table, [locator], [values]))
            return
        raw = _storable(json.dumps(answer.values[0], default=str))
        place, why = _storable(answer.locators[0]), _storable(str(error).splitlines()[0])
        m.send(stream, m.Rejected(place, "VALUE", why, raw, answer.table))


def _answers(ask: m.Ask) -> Iterator[m.Answer]:
    source = Source(Path(os.fsdecode(ask.path)), ask.name)
    _limit_time(source)
    if ask.importer is None:
        yield m.Recognised(_recognise(source))
    elif ask.share and (shares := importers.get(ask.importer).shares):
        yield from map(m.Piece, shares.read(source, *ask.share))
        yield m.Done()
    else:
        yield from _read(source, importers.get(ask.importer), _options(ask))
        yield m.Done()


def _options(ask: m.Ask) -> Options:
    table = tables.get(ask.table) if ask.table else None
    return Options(table, ask.mapping, ask.timezone)


def _recognise(source: Source) -> str | None:
    for importer in importers.ALL:
        if not importer.of_folders and importer.recognises(source):
            return importer.name
    return None


def _read(source: Source, importer: Importer, options: Options) -> Iterator[m.Answer]:
    waiting: list[Row] = []
    characters = 0
    for item in importer.read(source, options):
        if isinstance(item, Row):
            is_full = len(waiting) >= _ROWS or characters >= _CHARACTERS
            if waiting and (is_full or waiting[0].table is not item.table):
                yield _rows(waiting)
                waiting, characters = [], 0
            waiting.append(item)
            characters += item.characters
            continue
        if isinstance(item, Again):
            waiting, characters = [], 0
        yield _answer(item)
    if waiting:
        yield _rows(waiting)


def _rows(rows: list[Row]) -> m.Answer:
    values = [dict(row.values) for row in rows]
    return m.Rows(rows[0].table.name, [row.locator for row in rows], values)


def _answer(item: Item) -> m.Answer:
    match item:
        case Packed():
            return m.Packed(item.table.name, stream_of(item))
        case Batch():
            return _answer(pack_batch(item))
        case Reject():
            table = item.table.name if item.table else None
            reason, raw = _storable(item.reason), _storable(item.raw)
            return m.Rejected(_storable(item.locator), item.code, reason, raw, table)
        case Note():
            return m.Told(_storable(item.text))
        case Fields():
            taken = {name: sorted(columns) for name, columns in item.taken.items()}
            return m.Counted(taken, dict(item.left_out))
        case Again():
            return m.Again()
    raise TypeError(f"no answer for {type(item).__name__}")


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _limit_memory() -> None:
    """Bound the address space; where the system has no such limit, as on macOS, nothing does."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _limit_time(source: Source) -> None:
    """Allow a minute, and two seconds a megabyte, from now on."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        allowed = _CPU_S + source.path.stat().st_size * _CPU_S_PER_BYTE
        limit = int(used.ru_utime + used.ru_stime + allowed) + 1
        _, most = resource.getrlimit(resource.RLIMIT_CPU)  # which only root may raise
        if most != resource.RLIM_INFINITY:
            limit = min(limit, most)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, most))
