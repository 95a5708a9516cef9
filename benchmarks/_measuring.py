"""Timing one step in a process of its own: seconds, and peak resident memory."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Measured(NamedTuple):
    """Seconds of wall time, peak memory in MB, and what the step returned."""

    seconds: float
    megabytes: float
    value: Any


def _child(pipe: Any, step: Callable[..., Any], args: tuple[Any, ...]) -> None:
    began = time.perf_counter()
    value = step(*args)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send(Measured(seconds, peak, value))
    pipe.close()


def measured(step: Callable[..., Any], *args: Any) -> Measured:
    """Run a step in a new process, so that its memory is its own; imports are not counted twice."""
    here, there = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_child, args=(there, step, args))
    process.start()
    there.close()
    result: Measured = here.recv()
    process.join()
    return result
