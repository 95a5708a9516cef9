"""The pieces for the apps: the report's own words, its style within bounds, and no markup."""

from dataclasses import replace

import pytest
from tests.report.hostile import PAYLOADS, spoilt
from tests.report.sample import sample

from casework.findings import VERDICTS, Verdict
from casework.report import pieces
from casework.visible import visible
from casework.words import VERDICT_WORD


@pytest.mark.parametrize("name", VERDICTS)
def test_a_verdict_has_shape_word_and_colour(name: Verdict) -> None:
    piece = str(pieces.verdict(name))
    assert str(pieces.sign(name)) in piece
    assert VERDICT_WORD[name] in piece
    assert f'class="verdict {name}"' in piece
    assert len({str(pieces.sign(other)) for other in VERDICTS}) == len(VERDICTS)


def test_a_chapter_has_the_words_of_the_page_and_no_picture() -> None:
    report = sample()
    for result in report.results:
        chapter = str(pieces.chapter(result, {item.id: item.path for item in report.exhibits}))
        assert "<figure" not in chapter
        for found in result.evidence:
            assert found.sha256[-6:] in chapter


def test_a_figure_holds_what_the_caller_drew() -> None:
    chart = next(chart for result in sample().results for chart in result.charts)
    figure = str(pieces.figure(chart, "<wide-one></wide-one>", "<narrow-one></narrow-one>"))
    assert "<wide-one></wide-one>" in figure
    assert "<narrow-one></narrow-one>" in figure


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_of_a_case_is_never_markup(payload: str) -> None:
    report = spoilt(sample(), lambda text: payload)
    for result in report.results:
        page = str(pieces.chapter(result, {item.id: item.path for item in report.exhibits}))
        page += "".join(str(pieces.figure(chart, "", "")) for chart in result.charts)
        for opened in ("<script", "<img", "<iframe", "<animate", "<base", "<meta", "<form"):
            assert opened not in page.lower()
        assert visible(page) == page


def test_the_style_reaches_no_further_than_the_pieces() -> None:
    sheet = pieces.style()
    depth = 0
    for line in sheet.replace("{", "{\n").replace("}", "}\n").splitlines():
        if depth == 0 and line.strip().endswith("{"):
            assert f".{pieces.SCOPE}" in line
        depth += line.count("{") - line.count("}")
    assert depth == 0
    assert ":root" not in sheet


def test_the_style_has_both_papers() -> None:
    sheet = pieces.style()
    assert sheet.count("--paper:") == 2
    assert sheet.count("--chart-after:") == 2
    result = replace(sample().results[0], charts=())
    assert result.verdict in sheet
