"""What tests of several folders share: the browser, and the oracles outside the repository."""

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
# What lands must not hang on the luck of a draw: a plain run tries the same examples each time, and
# `make test-slow` draws new ones.
# No example is timed: on a busy machine the first, which imports what it needs, takes longest.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
UNTIMED = settings.get_profile("untimed")
settings.register_profile("same", UNTIMED, derandomize=True)
settings.register_profile("drawn", UNTIMED, derandomize=False)
settings.load_profile("same")

# The tests themselves are most of the objects, and stay: to look for garbage among them as often as
# Python does by itself is a tenth of the time of a run.
gc.set_threshold(50_000)

# What a shell starts in the background ignores Ctrl-C, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A headless Chromium: the system's, else the one that Playwright keeps."""
    from playwright.sync_api import Error, sync_playwright

    system = next(filter(None, map(shutil.which, BROWSERS)), None)
    # Chromium refuses its sandbox to root, and its own phone calls fail on a closed network.
    arguments = ["--disable-background-networking", "--disable-component-update"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=system, args=arguments)
        except Error as error:
            pytest.skip(f"no browser: {str(error).splitlines()[0]}")
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of oracles and real logs beside the repository, where there is one."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"no oracles: {folder.name}/ is not beside the repository")
    return folder
