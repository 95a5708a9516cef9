import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.charts.samples import ALL, BALANCE, COVERAGE, LANES, PANELS

from casework.charts.live import BRUSH, brushed, colours, draw_live, over_time
from casework.charts.palette import pairs
from casework.findings import Chart

each = pytest.mark.parametrize("chart", ALL, ids=lambda chart: chart.id)


@each
def test_colours_are_those_of_the_page(chart: Chart) -> None:
    drawn = json.dumps(draw_live(chart, width=680).to_dict())
    assert "var(--chart-" in drawn
    for light, dark in pairs():
        assert light.lower() not in drawn.lower()
        assert dark.lower() not in drawn.lower()


@each
def test_every_colour_that_is_used_is_declared(chart: Chart) -> None:
    drawn = json.dumps(draw_live(chart).to_dict())
    used = {part.partition(")")[0] for part in drawn.split("var(")[1:]}
    for dark in (False, True):
        declared = {rule.partition(":")[0] for rule in colours(dark=dark).split(";")}
        assert used <= declared


@each
def test_only_time_can_be_brushed(chart: Chart) -> None:
    params = draw_live(chart).to_dict().get("params", [])
    assert bool(params) == over_time(chart)
    assert len({param["name"] for param in params}) == len(params)
    assert all(param["name"].startswith(BRUSH) for param in params)
    assert all(param["select"]["encodings"] == ["x"] for param in params)


def test_time_is_found_where_it_is() -> None:
    assert over_time(LANES)
    assert over_time(PANELS)
    assert not over_time(BALANCE)
    assert not over_time(COVERAGE)
    assert not over_time(replace(LANES, rows=()))


def test_a_brush_is_a_span_of_time_to_the_second() -> None:
    start, end = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    drawn = [end.timestamp() * 1000 + 999.9, start.timestamp() * 1000 + 0.4]
    assert brushed({f"{BRUSH}_0": {}, f"{BRUSH}_1": {"x": drawn}}) == (start, end)


@pytest.mark.parametrize("nothing", [{}, {BRUSH: {}}, {BRUSH: {"x": []}}])
def test_no_brush_is_none(nothing: dict[str, dict[str, list[float]]]) -> None:
    assert brushed(nothing) is None
