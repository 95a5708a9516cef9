"""The launcher of the apps: on this machine only, a free port, a fresh token for each start."""

import errno
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from casework import resources
from casework.cli._browser import show_in_browser
from casework.cli._terminal import say, tell
from casework.errors import CaseworkError, unknown_name

_HOST = "127.0.0.1"
_PATIENCE_S = 60


def find(name: str) -> Path:
    """Find the file of an app.

    Raises:
        CaseworkError: RESOURCE_MISSING; UsageError: UNKNOWN_APP.
    """
    folder = resources.folder("workbench")
    apps = {f.stem: f for f in sorted(folder.glob("*.py")) if "marimo.App(" in f.read_text("utf-8")}
    if name not in apps:
        raise unknown_name("app", name, list(apps))
    return apps[name]


def command(app: Path, port: int, case: Path) -> list[str]:
    """The command that serves an app. Its password comes on stdin, where no one can list it.

    marimo itself checks neither the Host nor the Origin of a request, so no other address than
    the loopback is ever given to it.
    """
    return [
        *(sys.executable, "-m", "marimo", "--quiet", "run", str(app)),
        *("--host", _HOST, "--port", str(port), "--headless", "--no-sandbox"),
        *("--token", "--token-password-file", "-", "--", "--case", str(case)),
    ]


def serve(app: Path, case: Path, port: int | None, *, browser: bool) -> None:
    """Serve an app until Ctrl-C.

    Raises:
        CaseworkError: PORT_TAKEN, APP_FAILED.
    """
    port = _free(port)
    token = secrets.token_hex(16)
    # The apps import what they share from the folder that holds them.
    paths = [str(app.parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    process = subprocess.Popen(  # noqa: S603 (our own interpreter; nothing of the case but its path)
        command(app, port, case), stdin=subprocess.PIPE, env=environment
    )
    try:
        _answer(process, token)
        _await(process, port)
        address = f"http://{_HOST}:{port}/?access_token={token}"
        say(address)
        tell("Ctrl-C ends it")
        if browser:
            show_in_browser(address)
        process.wait()
    except KeyboardInterrupt:
        tell("ended")
    finally:
        process.terminate()
        process.wait()


def _free(port: int | None) -> int:
    with socket.socket() as listener:
        try:
            listener.bind((_HOST, port or 0))
        except OSError as error:
            what = f"port {port} cannot be had: {error.strerror}"
            if error.errno == errno.EADDRINUSE:
                what = f"another program listens on port {port}"
            raise CaseworkError("PORT_TAKEN", what, "leave out --port") from None
        return int(listener.getsockname()[1])


def _answer(process: subprocess.Popen[bytes], token: str) -> None:
    stdin = process.stdin
    with suppress(BrokenPipeError):  # it ended already, which `_await` tells
        if stdin:
            stdin.write(f"{token}\n".encode())
            stdin.close()


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    patience = time.monotonic() + _PATIENCE_S
    while time.monotonic() < patience and process.poll() is None:
        with suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
            return
        time.sleep(0.1)
    raise CaseworkError("APP_FAILED", "the app did not start", "see what it said above")
