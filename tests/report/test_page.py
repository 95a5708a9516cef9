"""The page as bytes: reproducible, complete, well formed, and free of markup from evidence."""

import errno
import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from tests.report.hostile import PAYLOADS, spoilt
from tests.report.sample import at, evidence, sample

from casework.errors import CaseworkError, UsageError
from casework.findings import VERDICTS, Break, Chart, Measure, Result
from casework.report import FORMATS, as_html, as_json, figures, read_json, write
from casework.report.figures import cut, figure

ROOT = Path(__file__).parents[2]
VOID = {"meta", "link", "br", "img", "input", "hr", "base", "source"}


class Page(HTMLParser):
    """The elements of a page in order, each with its attributes, parents and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.strays: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.strays.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.texts.append(data)

    def named(self, *tags: str) -> list[tuple[str, dict[str, str]]]:
        return [(tag, attributes) for tag, attributes in self.found if tag in tags]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def html() -> str:
    return as_html(sample())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def hostile_html() -> str:
    return as_html(spoilt(sample(), lambda text: "".join(PAYLOADS)))


# Bytes


def test_it_is_rendered_from_the_json_alone(html: str) -> None:
    assert as_html(read_json(as_json(sample()))) == html


def test_the_same_report_gives_the_same_bytes_in_any_process(html: str) -> None:
    code = (
        "import hashlib; from casework.report import as_html; "
        "from tests.report.sample import sample; "
        "print(hashlib.sha256(as_html(sample()).encode()).hexdigest())"
    )
    here = {"PYTHONHASHSEED": "11", "TZ": "America/St_Johns", "LC_ALL": "C", "LANG": "de_DE.UTF-8"}
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **here},
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == hashlib.sha256(html.encode()).hexdigest()


def test_it_needs_nothing_else(page: Page) -> None:
    for _, attributes in page.found:
        assert not {"src", "srcset", "action", "data", "background"} & attributes.keys()
        target = attributes.get("href", attributes.get("xlink:href", "#"))
        assert target.startswith("#")
    assert not page.named("link", "iframe", "object", "embed", "img", "base", "form")


def test_a_page_without_pictures_has_no_script() -> None:
    bare = replace(sample(), results=(), tables=())
    page = Page(as_html(bare))
    assert not page.named("script")
    assert "script-src 'none'" in page.named("meta")[1][1]["content"]
    assert "no diagnosis was run" in page.text


# Content


def test_the_answers_come_first_and_the_gravest_before_the_others(page: Page) -> None:
    text = page.text
    order = ["Confirmed Cohort skew", "Confirmed Output attribution", "Clean Prompt leakage"]
    order += ["What was not tested", "Not testable Alignment loss", "Timeline"]
    start = text.index("Answers", text.index("Case urn"))
    places = [text.index(part, start) for part in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "words",
    [
        "The canary held 3.1 times as many power users",
        "+0.2 % (−0.4 to +0.8)",
        "p < 0.001",
        "Load eval_samples (item_id, kind, refused, run_id)",
        "Tried: it does not refute the finding.",
        "could not be tested",
        "inferred from the evidence",
        "given by the investigator",
        "0.0812 0.0691 0.0933",
        "EXECUTE evidence(experiment := 'new-composer'",
        "since := TIMESTAMPTZ '2026-01-05T00:00:00Z'",
        "The first 50 of 160 rows.",
        "TIME_MISSING",
        "casework 0.1.0, duckdb 2.0.0",
        "sha256sum --check SHA256SUMS",
        'integer beyond 2^53 9007199254740993 "9007199254740993"',
        "not available: the diagnosis names no limit",
        "2026-01-31 12:00 UTC",
    ],
)
def test_it_says(page: Page, words: str) -> None:
    assert words in page.text


def test_every_digest_is_there_in_full(page: Page) -> None:
    whole = "".join(page.texts)
    for exhibit in sample().exhibits:
        assert exhibit.sha256 in whole
    for result in sample().results:
        for found in result.evidence:
            assert found.sha256 in whole


def test_a_bare_result_says_why_things_are_absent() -> None:
    result = Result("cohort_skew", "cohort skew", "inconclusive", None, "too few users")
    page = Page(as_html(replace(sample(), results=(result,), exhibits=(), custody=(), rejects=())))
    for reason in (
        "the diagnosis gave no measure",
        "the diagnosis names no other explanation",
        "the diagnosis names nothing that would refute it",
        "the diagnosis names no remedy",
        "the diagnosis kept no query",
        "no exhibit is loaded",
        "the case keeps no record of what was done to it",
    ):
        assert f"not available: {reason}" in page.text
    assert " None " not in page.text


def test_measures_of_which_none_has_a_value_are_named() -> None:
    measures = {"smd": Measure(None, "smd"), "n_eff": Measure(None, "count:users")}
    result = Result("cohort_skew", "cohort skew", "inconclusive", None, "x", measures=measures)
    page = Page(as_html(replace(sample(), results=(result,), exhibits=(), custody=(), rejects=())))
    assert "Not measured: n eff, SMD." in page.text
    assert "the diagnosis gave no measure" not in page.text


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_its_own_shape(verdict: str) -> None:
    results = tuple(
        Result("cohort_skew", "cohort skew", verdict, None, "as it is")  # type: ignore[arg-type]
        for verdict in VERDICTS
    )
    html = as_html(replace(sample(), results=results))
    signs = {
        name: set(re.findall(rf'class="verdict {name}">(<svg.*?</svg>)', html, re.S))
        for name in VERDICTS
    }
    (own,) = signs.pop(verdict)
    assert own not in set().union(*signs.values())


# Form


def test_elements_are_closed_in_order(page: Page) -> None:
    assert not page.strays
    assert not page.open


def test_headings_do_not_skip_a_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.named("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_heads_with_a_scope(page: Page) -> None:
    assert len(page.named("caption")) == len(page.named("table")) > 10
    assert {attributes["scope"] for _, attributes in page.named("th")} == {"col", "row"}


def test_pictures_have_words(page: Page) -> None:
    figures = page.named("figure")
    assert len(page.named("figcaption")) == len(figures) == 5
    pictures = [a for tag, a in page.found if tag == "svg" and "sign" not in a.get("class", "")]
    assert len(pictures) == 2 * len(figures)
    moving = [a for _, a in page.found if a.get("class") == "moving"]
    assert all(a["role"] == "img" and len(a["aria-label"]) > 20 for a in (*pictures, *moving))


def test_signs_are_silent_since_their_word_stands_beside_them(page: Page) -> None:
    signs = [a for tag, a in page.found if tag == "svg" and a.get("class") == "sign"]
    assert signs
    assert all(a["aria-hidden"] == "true" for a in signs)


def test_ids_are_unique_and_links_arrive(page: Page) -> None:
    ids = Counter(a["id"] for _, a in page.found if "id" in a)
    assert [name for name, times in ids.items() if times > 1] == []
    links = {a["href"][1:] for _, a in page.named("a")}
    assert links <= ids.keys()
    named = {a["aria-labelledby"] for _, a in page.found if "aria-labelledby" in a}
    assert named <= ids.keys()


def test_the_page_says_its_language_and_scales(page: Page) -> None:
    assert page.named("html")[0][1]["lang"] == "en"
    (viewport,) = [a for _, a in page.named("meta") if a.get("name") == "viewport"]
    assert viewport["content"] == "width=device-width, initial-scale=1"
    tags = [tag for tag, _ in page.found]
    assert all(b == "summary" for a, b in pairwise(tags) if a == "details")


# Hostile text


def test_evidence_adds_no_element_and_no_attribute(html: str, hostile_html: str) -> None:
    ours, theirs = Page(html), Page(hostile_html)
    assert not theirs.strays
    assert {tag for tag, _ in theirs.found} <= {tag for tag, _ in ours.found}
    assert {n for _, a in theirs.found for n in a} <= {n for _, a in ours.found for n in a}
    assert len(theirs.named("script")) == len(ours.named("script"))


def test_no_script_of_evidence_is_in_the_bytes(hostile_html: str) -> None:
    ours = ('<script type="application/json">', "<script>")
    found = [hostile_html[m.start() : m.start() + 40] for m in re.finditer("<script", hostile_html)]
    own = [start for start in found if start.startswith(ours)]
    assert own == found
    assert len([start for start in found if not start.startswith(ours[0])]) == 1


def test_no_unseen_character_is_in_the_bytes(hostile_html: str) -> None:
    body = hostile_html[: hostile_html.rindex("<script>")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b\u2028\u2029\u202e\u2066\U000e0041]", body)
    assert "⟨U+202E⟩" in body


# Size


def test_a_page_that_is_too_large_names_its_biggest_parts() -> None:
    rows = [tuple("x" * 400 for _ in range(6)) for _ in range(50)]
    long = f"SELECT '{'x' * 150_000}'"
    many = tuple(
        evidence(f"part_{n}", "rows", long, rows, tuple("abcdef"), ("e1",)) for n in range(40)
    )
    result = replace(sample().results[3], evidence=many)
    with pytest.raises(CaseworkError, match=r"5 MB.*evidence 'part_") as refused:
        as_html(replace(sample(), results=(result,)))
    assert refused.value.code == "REPORT_TOO_LARGE"


def test_a_case_of_thousands_of_files_has_a_page() -> None:
    report = sample()
    exhibits = tuple(
        replace(
            report.exhibits[0], id=f"{n:016x}", sha256=f"{n:064x}", path=f"logs/run-{n:05}.jsonl"
        )
        for n in range(8_000)
    )
    ids = tuple(exhibit.id for exhibit in exhibits)
    result = report.results[2]
    pieces = tuple(replace(piece, exhibits=ids) for piece in result.evidence)
    many = replace(
        report,
        results=(replace(result, charts=(), evidence=pieces),),
        exhibits=exhibits,
        tables=tuple(replace(table, exhibits=ids) for table in report.tables),
        custody=tuple(
            replace(report.custody[1], sequence=n, detail={"path": path.path})
            for n, path in enumerate(exhibits)
        ),
    )
    html = as_html(many)
    assert len(html) < 3_000_000
    assert html.count("500 of 8,000; report.json has all of them.") == 3
    assert "and 7,988 more" in html
    page = Page(html)
    anchors = {attrs["id"] for _, attrs in page.found if "id" in attrs}
    assert {attrs["href"][1:] for _, attrs in page.named("a")} <= anchors
    assert len(read_json(as_json(many)).exhibits) == 8_000


@pytest.mark.parametrize(
    ("start", "end"), [("0001-01-02", "2026-01-01"), ("2026-01-01", "9999-12-30")]
)
def test_instants_at_the_ends_of_the_calendar_are_drawn(start: str, end: str) -> None:
    far = Break(*(datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in (start, end)), "it")
    result = replace(sample().results[1], breaks=(far,))
    assert end[:4] in as_html(replace(sample(), results=(result,)))


def test_text_beyond_the_calendar_is_shown() -> None:
    text = "9999-12-31T23:59:59-01:00"
    found = evidence("far", "rows", "SELECT 1", [(text,)], ("text",), ("e1",))
    result = replace(sample().results[3], evidence=(found,))
    assert text[:12] in as_html(replace(sample(), results=(result,)))


def test_of_a_chart_that_is_too_large_the_first_marks_of_each_kind_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "_MOST_BYTES", 40_000)
    spans = [
        {"lane": "v1", "label": f"{n}" * 60, "start": at(n), "end": at(n + 1), "kind": "span"}
        for n in range(100)
    ]
    zones = [{**span, "label": "", "kind": "zone"} for span in spans[1:]]
    window = {"start": at(0), "end": at(100)}
    event = {"label": "the disputed case", "start": at(9), "kind": "event"}
    drawn = figure(Chart("wide", "spans", "t", "s.", "a", (*spans, *zones, event), window), "f")
    assert len(drawn.spec) < 50_000
    kinds = Counter(row["kind"] for row in drawn.chart.rows)
    assert kinds["event"] == 1
    assert abs(kinds["span"] - kinds["zone"]) <= 1 < 9 < kinds["span"]
    assert [row["start"] for row in drawn.chart.rows[:9]] == [at(n) for n in range(9)]
    told = f"s. Drawn are the first {len(drawn.chart.rows)} of 200 marks, of each kind alike."
    assert drawn.chart.subtitle == told
    assert drawn.chart.encode == {"start": at(0), "end": at(kinds["span"])}
    assert drawn.table.note == "The first 50 of 200 rows."


@pytest.mark.parametrize("most", range(6))
def test_a_chart_is_cut_to_what_was_asked_for(most: int) -> None:
    rows = tuple({"kind": kind} for kind in ("span", "span", "span", "zone", "tick"))
    assert len(cut(Chart("c", "spans", "t", "s", "a", rows, {}), most).rows) <= most


def test_a_long_cell_is_cut_and_says_so() -> None:
    found = evidence("long", "rows", "SELECT 1", [("x" * 1_000,)], ("text",), ("e1",))
    result = replace(sample().results[3], evidence=(found,))
    assert "(700 characters more)" in as_html(replace(sample(), results=(result,)))


# Files


def test_files_are_written_as_they_are_rendered(tmp_path: Path, html: str) -> None:
    written = write(sample(), tmp_path / "out", ["html", "json", "html"])
    assert [path.name for path in written] == ["report.html", "report.json"]
    assert written[0].read_text(encoding="utf-8") == html
    assert written[1].read_bytes() == as_json(sample())


def test_a_report_without_room_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(sample(), tmp_path, ["json"])
    before = (tmp_path / "report.json").read_bytes()

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:9])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write(replace(sample(), results=()), tmp_path, ["json"])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_an_unknown_format_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"UNKNOWN_FORMAT.*did you mean 'html'"):
        write(sample(), tmp_path / "out", ["json", "htm"])
    assert not (tmp_path / "out").exists()
    assert set(FORMATS) >= {"html", "json"}
