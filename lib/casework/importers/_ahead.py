"""Reading ahead: an iterator runs in a thread of its own while its consumer is elsewhere.

Reading is Python and holds the interpreter; DuckDB, to which the rows go, lets go of it. So the
next rows are made while the last are stored.
"""

from collections.abc import Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
_PATIENCE_S = 0.1


class _End(Exception):
    """Nothing more comes: the iterator ended, or failed with this cause."""


def ahead(source: Iterator[T], limit: int) -> Iterator[T]:
    """Yield what an iterator yields, of which up to `limit` items are made before they are asked for.

    Raises:
        Exception: whatever the iterator raises.
    """
    queue: Queue[T | _End] = Queue(limit)
    stopped = Event()

    def put(item: T | _End) -> None:
        while not stopped.is_set():
            try:
                queue.put(item, timeout=_PATIENCE_S)
            except Full:
                continue
            return

    def run() -> None:
        end = _End()
        try:
            for item in source:
                put(item)
                if stopped.is_set():
                    return
        except Exception as error:
            end.__cause__ = error
        put(end)

    thread = Thread(target=run, name="casework-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := queue.get(), _End):
            yield item
        if item.__cause__:
            raise item.__cause__
    finally:
        stopped.set()
        thread.join()
