"""What tests of several folders share: the browser, and the oracles outside the repository."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
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
