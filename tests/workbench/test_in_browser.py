"""The app as it is served, in a real browser: its words, its pictures, and hostile text."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.report.hostile import PAYLOADS, TITLE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def address(case_path: Path) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "marimo", "--quiet", "run", "workbench/investigate.py"]
    command += ["--headless", "--host", "127.0.0.1", "--port", str(port), "--no-token"]
    command += ["--no-sandbox", "--", "--case", str(case_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and process.poll() is None:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def seen() -> list[str]:
    """Addresses that the page asked for, and dialogs that it opened."""
    return []


@pytest.fixture(scope="module")
def page(browser: "Browser", address: str, seen: list[str]) -> "Iterator[Page]":
    tab = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = tab.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    opened.on("request", lambda request: seen.append(request.url))
    opened.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    opened.goto(address)
    opened.wait_for_selector(".casework.argument")
    yield opened
    tab.close()


def test_the_sentence_and_the_picture_are_there(page: "Page") -> None:
    assert "cannot be attributed to exactly one checkpoint" in page.inner_text(".casework.bar")
    # The pictures appear in any order, so the first svg on the page may not be the first picture.
    drawn = page.locator("marimo-vega").first.locator("svg")
    drawn.wait_for()
    assert drawn.locator("path, rect").count() > 3
    assert "sha256" in drawn.inner_html() or "aaaa" in drawn.inner_html()


def test_hostile_text_stays_text(page: "Page", seen: list[str]) -> None:
    page.wait_for_selector("marimo-vega svg")
    evidence = page.locator("marimo-dropdown select").first
    named = [name for name in evidence.locator("option").all_inner_texts() if "that cannot" in name]
    evidence.select_option(label=named[0])
    page.wait_for_selector(".excerpt")
    page.hover("marimo-vega svg")
    assert PAYLOADS[4] in page.inner_text("body")
    assert page.title() != TITLE
    outside = [url for url in seen if not url.startswith(("http://127.0.0.1", "data:", "blob:"))]
    assert not outside


# Where the first picture stands, in each frame from now on.
WATCH = """() => {
  window.tops = [];
  const look = () => {
    const picture = document.querySelector("marimo-vega")?.shadowRoot?.querySelector("svg");
    if (picture) tops.push(picture.getBoundingClientRect().top);
    requestAnimationFrame(look);
  };
  look();
}"""


def test_a_setting_is_answered_and_the_picture_never_jumps(page: "Page") -> None:
    page.evaluate(WATCH)
    field = page.locator("aside").get_by_label("Clock error, s")
    field.fill("7200")
    field.press("Enter")
    page.wait_for_selector(".casework.bar .before")
    assert "clock_error_s = 7,200" in page.inner_text(".casework.bar .before")
    # What runs is told meanwhile, and pushes nothing down: only the answer above it does.
    page.wait_for_selector("marimo-progress", state="detached")
    tops = page.evaluate("() => new Promise(done => requestAnimationFrame(() => done(tops)))")
    assert tops == sorted(tops)


def test_a_brush_shows_the_rows_of_that_time(page: "Page") -> None:
    from playwright.sync_api import TimeoutError as Late

    # The answer to the setting above may still move the picture away under the first stroke.
    shown = page.locator(".casework.window h3")
    for _ in range(12):
        _brush(page)
        with suppress(Late):
            shown.wait_for(timeout=PATIENCE_MS / 12)
            break
    assert "2026-03-" in shown.inner_text()


def _brush(page: "Page") -> None:
    box = page.locator("marimo-vega").first.locator("svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 60, steps=8)
    page.mouse.up()
