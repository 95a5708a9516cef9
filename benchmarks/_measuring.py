"""Timing one step in a process of its own: seconds, and peak memory with its own processes."""

import multiprocessing
import resource
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

_EACH_S = 0.1


class Measured(NamedTuple):
    """Seconds of wall time, peak memory in MB, what the step returned, and seconds of CPU time.

    Memory and CPU time are those of the process and of all that it started.
    """

    seconds: float
    megabytes: float
    value: Any
    cpu_seconds: float


def _cpu_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _child(pipe: Any, step: Callable[..., Any], args: tuple[Any, ...]) -> None:
    began, cpu_began = time.perf_counter(), _cpu_seconds()
    value = step(*args)
    seconds, cpu_seconds = time.perf_counter() - began, _cpu_seconds() - cpu_began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send(Measured(seconds, peak, value, cpu_seconds))
    pipe.close()


def measured(step: Callable[..., Any], *args: Any) -> Measured:
    """Run a step in a new process, so that its memory is its own; imports are not counted twice."""
    here, there = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_child, args=(there, step, args))
    process.start()
    there.close()
    peak = _Peak(process.pid or 0)
    result: Measured = here.recv()
    together = peak.end()
    process.join()
    return result._replace(megabytes=max(result.megabytes, together))


class _Peak:
    """The most memory that a process and its descendants had together, seen every tenth second.

    Shared pages are counted once. Where there is no /proc, nothing is seen.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._most = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Stop, and return the MB."""
        self._over.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._over.wait(_EACH_S):
            self._most = max(self._most, sum(map(_megabytes, _descendants(self._process))))


def _descendants(process: int) -> Iterator[int]:
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:  # it ended
            continue
        for child in found:
            yield from _descendants(int(child))


def _megabytes(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
