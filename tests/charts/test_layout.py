"""Words keep apart, fit, and can be read on their paper."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.charts import clock, layout
from casework.charts.layout import Scale
from casework.charts.palette import DARK, LIGHT, VERDICT_COLOURS, Palette, pairs
from casework.findings import VERDICTS

BOXES = st.lists(
    st.tuples(st.floats(0, 700), st.floats(1, 200)).map(lambda box: (box[0], box[0] + box[1]))
)


@given(BOXES)
def test_labels_on_one_row_keep_a_gap(boxes: list[tuple[float, float]]) -> None:
    rows = layout.levels(boxes, gap=8)
    for i, (left, right) in enumerate(boxes):
        for j, (other_left, other_right) in enumerate(boxes[:i]):
            if rows[i] == rows[j]:
                assert right + 8 <= other_left or other_right + 8 <= left
    assert sorted(set(rows)) == list(range(len(set(rows))))


@given(st.text(max_size=60), st.floats(0, 300))
def test_what_fits_is_within_its_room(text: str, room: float) -> None:
    assert layout.text_width(layout.fit(text, room)) <= room


@given(st.text(alphabet="abc \n", max_size=200), st.floats(40, 400))
def test_wrapped_lines_fit_and_lose_no_word(text: str, room: float) -> None:
    lines = layout.wrap(text, room, most=len(text) + 1)
    assert all(layout.text_width(line) <= room for line in lines)
    if all(layout.text_width(word) <= room for word in text.split()):
        assert " ".join(lines).split() == text.split()


@given(st.lists(st.floats(0, 200), min_size=1, max_size=8))
def test_names_of_lines_are_moved_apart(places: list[float]) -> None:
    moved = layout.apart(places, 16, 0, 200)
    gaps = [b - a for a, b in pairwise(sorted(moved))]
    assert all(gap >= 16 - 1e-6 for gap in gaps)
    assert max(moved) <= 200


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),
    st.floats(2, 3e9),
    st.integers(200, 900),
)
def test_ticks_are_few_even_and_inside(start: datetime, seconds: float, width: int) -> None:
    low = start.replace(tzinfo=UTC).timestamp() * 1000
    found = clock.ticks(Scale(low, low + seconds * 1000, 0, width))
    places = [place for place, _ in found]
    assert len(found) <= max(2, width / 68) + 1
    assert places == sorted(set(places))
    assert all(low - 1 <= place <= low + seconds * 1000 + 1 for place in places)
    if found:
        first = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=places[0])
        assert str(first.year) in found[0][1]


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "quiet", "alarm", "before", "after"])
def test_text_can_be_read(palette: Palette, name: str) -> None:
    assert contrast(getattr(palette, name), palette.paper) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["gate", "good"])
def test_marks_can_be_seen(palette: Palette, name: str) -> None:
    assert contrast(getattr(palette, name), palette.paper) >= 3


@pytest.mark.parametrize("verdict", VERDICTS)
def test_verdicts_can_be_read_on_both_papers(verdict: str) -> None:
    light, dark = VERDICT_COLOURS[verdict]  # type: ignore[index]
    assert contrast(light, LIGHT.paper) >= 4.5
    assert contrast(dark, DARK.paper) >= 4.5


def test_a_light_colour_has_one_dark_one() -> None:
    lights = [light for light, _ in pairs()]
    assert len(set(lights)) == len(lights)


def tint(colour: str, paper: str, opacity: float) -> str:
    parts = (
        round(opacity * int(colour[i : i + 2], 16) + (1 - opacity) * int(paper[i : i + 2], 16))
        for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02X}" for part in parts)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_ink_can_be_read_on_every_tint(palette: Palette) -> None:
    for colour in (*palette.lanes, palette.before, palette.after, palette.gate, palette.good):
        assert contrast(palette.ink, tint(colour, palette.paper, 0.38)) >= 4.5
