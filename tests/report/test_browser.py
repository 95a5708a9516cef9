"""The page in a real browser, with the network off: pictures, paper, telephone, and attacks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.cases import also
from tests.report.hostile import PAYLOADS, TITLE, spoilt
from tests.report.sample import sample

from casework.charts.palette import DARK, LIGHT
from casework.report import as_html
from casework.report.model import Report
from casework.visible import visible

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

FIGURES = 5
DESK, TELEPHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Seen:
    """What a page did while it was open."""

    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def opened(browser: "Browser", file: Path, **context: Any) -> "Iterator[tuple[Page, Seen]]":
    settings = {"viewport": DESK, "offline": True, **context}
    tab = browser.new_context(**settings)
    page, seen = tab.new_page(), Seen()
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda line: seen.errors.append(line.text) if line.type == "error" else None)
    page.goto(file.as_uri())
    try:
        yield page, seen
    finally:
        tab.close()


def wait_for_pictures(page: "Page", number: int = FIGURES) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('[data-chart=live]').length === n", arg=number
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(as_html(sample()), encoding="utf-8")
    return path


def turning() -> Report:
    """Each field has one payload, in turn."""
    turn = iter(range(10**6))
    return spoilt(sample(), lambda text: PAYLOADS[next(turn) % len(PAYLOADS)])


def piled() -> Report:
    """Each field has all payloads."""
    return spoilt(sample(), lambda text: "".join(PAYLOADS))


@pytest.mark.parametrize("make", [turning, pytest.param(piled, marks=pytest.mark.slow)])
def test_hostile_text_does_nothing(browser: "Browser", tmp_path: Path, make: Any) -> None:
    report, path = make(), tmp_path / "hostile.html"
    path.write_text(as_html(report), encoding="utf-8")
    with opened(browser, path) as (page, seen):
        wait_for_pictures(page)
        page.mouse.move(700, 500)
        page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        page.wait_for_timeout(300)
        expected = " ".join(f"{visible(report.case.title)}: audit report".split())
        assert page.title() == expected
        assert page.evaluate("document.title") != TITLE
        assert seen.requests == [path.as_uri()]
        assert not seen.dialogs
        assert not seen.errors
        assert page.locator("h1").count() == 1
        added = "main :is(img, iframe, input, video, form:not(.vega-bindings), script:not([type]))"
        assert page.locator(added).count() == 0


def test_the_policy_stops_a_script_that_got_in(browser: "Browser", tmp_path: Path) -> None:
    """If escaping failed one day, the security policy would still hold."""
    path = tmp_path / "holed.html"
    bad = f"<script>document.title='{TITLE}'</script><img src=x onerror=document.title='{TITLE}'>"
    path.write_text(as_html(sample()).replace("<main>", f"<main>{bad}"), encoding="utf-8")
    with opened(browser, path) as (page, seen):
        wait_for_pictures(page)
        assert page.title() != TITLE
        assert any("Content Security Policy" in error for error in seen.errors)


def test_every_picture_answers_to_the_mouse(browser: "Browser", file: Path) -> None:
    with opened(browser, file) as (page, seen):
        wait_for_pictures(page)
        figure = page.locator("#f-r-cohort_skew-lift")
        assert figure.locator(".moving svg").is_visible()
        assert not figure.locator(".still.wide svg").is_visible()
        figure.scroll_into_view_if_needed()
        box = figure.locator(f".moving path[fill='{LIGHT.before}']").first.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2 - 1, box["y"] + box["height"] / 2)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        tip = page.locator("#vg-tooltip-element")
        tip.wait_for(state="visible")
        assert "+8.1 % (+6.9 to +9.3)" in tip.inner_text()
        assert not seen.errors


@pytest.mark.parametrize(("viewport", "shown"), [(DESK, "wide"), (TELEPHONE, "narrow")])
def test_pictures_are_there_without_scripts(
    browser: "Browser", file: Path, viewport: dict[str, int], shown: str
) -> None:
    with opened(browser, file, viewport=viewport, java_script_enabled=False) as (page, _):
        pictures = page.locator(f".still.{shown} svg")
        assert pictures.count() == FIGURES
        assert all(pictures.nth(i).is_visible() for i in range(FIGURES))
        other = page.locator(f".still.{'narrow' if shown == 'wide' else 'wide'} svg")
        assert not other.first.is_visible()
        assert page.locator("details").first.is_visible()


@pytest.mark.parametrize("width", [390, 1440, *also((640,), (820,))])
def test_nothing_is_wider_than_the_screen(browser: "Browser", file: Path, width: int) -> None:
    """640 is a screen of 1280 at 200 % zoom."""
    with opened(browser, file, viewport={"width": width, "height": 844}) as (page, _):
        wait_for_pictures(page)
        page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scripted", [True, False])
def test_pictures_turn_dark_with_the_page(browser: "Browser", file: Path, scripted: bool) -> None:
    with opened(browser, file, color_scheme="dark") as (page, _):
        wait_for_pictures(page)
        kind = ".moving" if scripted else ".still.wide"
        colours = page.evaluate(
            "kind => [...document.querySelectorAll(`figure ${kind} text`)]"
            ".map(text => getComputedStyle(text).fill)",
            kind,
        )
        assert rgb(DARK.ink) in colours
        assert not {rgb(LIGHT.ink), rgb(LIGHT.quiet)} & set(colours)


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_on_paper_all_is_open_and_light(browser: "Browser", file: Path) -> None:
    with opened(browser, file, color_scheme="dark") as (page, _):
        wait_for_pictures(page)
        page.emulate_media(media="print", color_scheme="dark")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details:not([open])").count() == 0
        assert not page.locator("nav").is_visible()
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert ink == rgb(LIGHT.ink)
        assert page.locator("#f-r-cohort_skew-lift .moving svg").is_visible()


def test_the_keyboard_reaches_the_answers_first(browser: "Browser", file: Path) -> None:
    with opened(browser, file) as (page, _):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the answers"
        page.keyboard.press("Enter")
        assert page.url.endswith("#answers")
        page.keyboard.press("Tab")
        assert "Cohort skew" in page.evaluate("document.activeElement.textContent")
        # Tables and queries that scroll can be reached and scrolled by keyboard too.
        assert page.locator(".scroll:not([tabindex])").count() == 0


def test_an_id_is_shown_short_and_copied_whole(browser: "Browser", file: Path) -> None:
    with opened(browser, file) as (page, _):
        case_id = page.locator("header code.id")
        copied = case_id.evaluate(
            "e => { getSelection().selectAllChildren(e); return getSelection().toString() }"
        )
        assert copied == sample().case.id
        box = case_id.bounding_box()
        assert box is not None
        assert box["width"] < 250
