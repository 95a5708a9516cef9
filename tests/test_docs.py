"""The reference pages are what the code declares."""

from pathlib import Path

import pytest
from tests.test_hostile import ROWS, WHOLE

from casework.catalogue import pages

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", ["tables.md", "formats.md", "diagnoses.md", "commands.md"])
def test_a_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_every_page_is_tested() -> None:
    assert set(pages()) == {"tables.md", "formats.md", "diagnoses.md", "commands.md"}


def test_the_page_of_hostile_input_tells_what_is_tested() -> None:
    page = (DOCS / "hostile-input.md").read_text(encoding="utf-8")
    for threat, (_, _, code) in WHOLE.items():
        assert f"| {threat} | `{code}` |" in page
    for threat, (_, _, codes, _) in ROWS.items():
        assert (
            f"| {threat} | {', '.join(f'`{code}`, that row' for code in codes) or 'kept'}" in page
        )
