"""Ctrl-C and a time limit for a query: DuckDB looks for signals between its tasks alone.

One task may last as long as the query. A thread beside it is told of the signal at once, by the
file descriptor that Python writes signals to, and asks DuckDB to stop, which it then does.
"""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def interruptible(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Stop what the connection does after `seconds`, and on Ctrl-C in the main thread.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True  # the end of the process does not wait for it
    try:
        timer.start()
        with _told_of_signals(connection):
            yield
    finally:
        timer.cancel()
        if timer.is_alive():
            timer.join()


@contextmanager
def _told_of_signals(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    told, teller = socket.socketpair()
    teller.setblocking(False)
    before = signal.set_wakeup_fd(teller.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(told, connection), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        teller.close()
        watcher.join()
        told.close()


def _watch(told: socket.socket, connection: duckdb.DuckDBPyConnection) -> None:
    """Interrupt the query when a SIGINT comes, until the other end is closed."""
    while numbers := told.recv(16):
        if signal.SIGINT in numbers:
            connection.interrupt()
