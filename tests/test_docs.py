"""The reference pages are what the code declares."""

from pathlib import Path

import pytest

from casework.catalogue import pages

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", ["tables.md", "formats.md", "diagnoses.md", "commands.md"])
def test_a_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_every_page_is_tested() -> None:
    assert set(pages()) == {"tables.md", "formats.md", "diagnoses.md", "commands.md"}
