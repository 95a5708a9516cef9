"""Every form draws what its rows say, at every width, on light and on dark paper."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.charts import samples

from casework import canonical, charts
from casework.charts.palette import DARK, LIGHT
from casework.findings import Chart

every = pytest.mark.parametrize("chart", samples.ALL, ids=lambda chart: chart.id)


def marks(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The data rows of all layers, each with the type of its mark."""
    layers = [layer for part in spec.get("vconcat", [spec]) for layer in part["layer"]]
    return [
        {**row, "mark": layer["mark"]["type"]}
        for layer in layers
        for row in spec["datasets"][layer["data"]["name"]]
    ]


def written(spec: dict[str, Any]) -> list[str]:
    return [mark["text"] for mark in marks(spec) if mark["mark"] == "text"]


def test_every_form_has_a_sample() -> None:
    assert {chart.form for chart in samples.ALL} == set(charts.FORMS)


@every
@pytest.mark.parametrize("width", [320, 680])
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_a_valid_specification(chart: Chart, width: int, dark: bool) -> None:
    """Altair checks it against the schema of Vega-Lite."""
    charts.draw(chart, width=width, dark=dark).to_dict(validate=True)


@pytest.mark.parametrize("chart", samples.EMPTY, ids=lambda chart: chart.id)
def test_a_chart_without_rows_is_still_a_picture(chart: Chart) -> None:
    assert charts.svg(chart).startswith("<svg")


@every
def test_rows_read_back_from_json_draw_the_same(chart: Chart) -> None:
    held = json.loads(canonical.dumps({"rows": chart.rows, "encode": chart.encode}))
    again = replace(chart, rows=tuple(held["rows"]), encode=held["encode"])
    assert charts.spec(again) == charts.spec(chart)


@every
def test_light_and_dark_differ_in_colours_only(chart: Chart) -> None:
    light, dark = json.dumps(charts.spec(chart)), json.dumps(charts.spec(chart, dark=True))
    assert LIGHT.ink in light
    assert DARK.ink in dark
    assert LIGHT.ink not in dark
    assert len(light) == pytest.approx(len(dark), rel=0.02)


@every
def test_words_stay_inside_the_picture(chart: Chart) -> None:
    from casework.charts.layout import text_width

    for width in (330, 680):
        for text in written(charts.spec(chart, width=width, titled=False)):
            assert text_width(text) <= width


@every
def test_the_title_is_on_the_picture_or_left_to_the_page(chart: Chart) -> None:
    assert charts.spec(chart)["title"]["text"] == [chart.title]
    assert "title" not in charts.spec(chart, titled=False)


def test_intervals_say_their_numbers_beside_them() -> None:
    text = written(charts.spec(samples.LIFT))
    assert "+8.1 % (+6.9 to +9.3)" in text
    assert "+0.2 % (−0.4 to +0.8)" in text
    assert "not recorded" in text


def test_a_value_that_is_not_a_number_has_no_mark() -> None:
    points = [mark for mark in marks(charts.spec(samples.LIFT)) if mark["mark"] == "circle"]
    assert [mark["x"] for mark in points] == [0.081, 0.002]
    assert [mark["colour"] for mark in points] == [LIGHT.before, LIGHT.after]


def test_dumbbells_are_joined_from_end_to_end() -> None:
    spec = charts.spec(samples.REFUSAL)
    joins = [mark for mark in marks(spec) if mark["colour"] == LIGHT.muted]
    assert [(mark["x"], mark["x2"]) for mark in joins] == [(0.2, 0.88), (0.64, 0.94)]


def test_numbers_are_left_out_rather_than_cut() -> None:
    text = written(charts.spec(samples.REFUSAL, width=300))
    assert "base 88 % → tuned 20 %" in text


def test_love_shows_chance_and_what_matters() -> None:
    spec = charts.spec(samples.BALANCE)
    (band,) = [mark for mark in marks(spec) if mark["mark"] == "rect"]
    assert (band["x"], band["x2"]) == (-0.05, 0.05)
    thresholds = {m["x"] for m in marks(spec) if m["mark"] == "rule" and m["colour"] == LIGHT.gate}
    assert {-0.1, 0.1} <= thresholds


@pytest.mark.parametrize("days", [1, 30, 400])
def test_a_zone_of_four_minutes_can_be_seen(days: int) -> None:
    end = samples.MONDAY + timedelta(days=days)
    row = {"lane": "v1", "start": samples.MONDAY, "end": end, "label": "a", "kind": "span"}
    zone = {
        "lane": "v1",
        "kind": "zone",
        "start": samples.MONDAY + timedelta(hours=12),
        "end": samples.MONDAY + timedelta(hours=12, minutes=4),
    }
    spec = charts.spec(samples.chart("zone", "spans", [row, zone]))
    (drawn,) = [m for m in marks(spec) if m["colour"] == LIGHT.gate and m["mark"] == "rect"]
    pixels = (drawn["x2"] - drawn["x"]) / (days * 86_400_000) * charts.WIDTH
    assert pixels >= 3.99
    assert "12:00 UTC to 2026-03-02 12:04 UTC, 4 min" in drawn["said"]


def test_spans_of_one_label_share_a_colour_and_others_differ() -> None:
    rows = [
        {"lane": lane, "label": label, "start": samples.clock(a), "end": samples.clock(b)}
        for lane, label, a, b in (
            ("eu", "one", "01:00", "05:00"),
            ("eu", "two", "05:00", "09:00"),
            ("us", "one", "01:00", "09:00"),
        )
    ]
    fills = [
        m for m in marks(charts.spec(samples.chart("s", "spans", rows))) if m["mark"] == "rect"
    ]
    colours = {name: {m["colour"] for m in fills if m["name"] == name} for name in ("one", "two")}
    assert all(len(found) == 1 for found in colours.values())
    assert colours["one"] != colours["two"]


def test_a_label_too_long_for_its_span_stands_above() -> None:
    assert "a hotfix of a few minutes" in written(charts.spec(samples.LANES))


def test_what_lies_outside_the_window_is_not_drawn() -> None:
    spec = charts.spec(samples.LANES)
    ends = [mark[key] for mark in marks(spec) for key in ("x", "x2") if key in mark]
    low, high = (samples.clock(text).timestamp() * 1000 for text in ("08:00", "18:00"))
    # Words at the very ends may lean out; nothing else does.
    assert min(ends) >= low - 1
    assert max(ends) <= high + 1
    assert "long after" not in written(spec)


def test_parts_are_stacked_in_order_and_fill_the_bar() -> None:
    spec = charts.spec(samples.COVERAGE)
    boxes = [m for m in marks(spec) if m["mark"] == "rect" and m["name"].startswith("January")]
    ends = sorted({(m["x"], m["x2"]) for m in boxes})
    assert [left for left, _ in ends] == pytest.approx([0, 0.712, 0.992])
    assert ends[-1][1] == pytest.approx(1)
    assert "71.2 %" in written(spec)
    assert "in doubt 0.8 %" in written(spec)  # too narrow to hold its share


def test_the_part_below_the_gate_is_filled_up_to_it() -> None:
    areas = [m for m in marks(charts.spec(samples.SCORES)) if m["mark"] == "area"]
    assert max(m["x"] for m in areas) == pytest.approx(0.4)


def test_lines_are_named_at_their_end() -> None:
    assert {"before", "after"} <= set(written(charts.spec(samples.SCORES)))
    assert {"leaked 62 %", "clean 65 %", "91 %"} <= set(written(charts.spec(samples.SLOPES)))


def test_panels_share_one_axis_across() -> None:
    spec = charts.spec(samples.PANELS)
    assert len(spec["vconcat"]) == 2
    domains = {
        tuple(layer["encoding"]["x"]["scale"]["domain"])
        for panel in spec["vconcat"]
        for layer in panel["layer"]
    }
    assert len(domains) == 1
    assert "net promoter score" in written(spec)


@pytest.mark.parametrize(
    "chart",
    [
        replace(samples.LIFT, rows=samples.LIFT.rows * 1000),
        replace(samples.LIFT, form="pie"),  # type: ignore[arg-type]
        replace(samples.LIFT, rows=({"label": "a", "value": 1, "role": "villain"},)),
    ],
    ids=["rows", "form", "role"],
)
def test_what_cannot_be_read_is_an_error(chart: Chart) -> None:
    with pytest.raises(ValueError, match=r"aggregate|no chart form|no colour"):
        charts.draw(chart)


def placed(chart: Chart, width: int, text: str) -> dict[str, Any]:
    """The one mark of a picture that writes this text."""
    found = marks(charts.spec(chart, width=width))
    (mark,) = [mark for mark in found if mark["mark"] == "text" and mark["text"] == text]
    return mark


def test_long_numbers_stand_below_a_name_that_has_no_room_beside_them() -> None:
    rows = [{"label": "between like units", "value": 0.0371, "low": 0.0182, "high": 0.0563}]
    chart = samples.chart("long", "intervals", rows, unit="booking_value per active customer")
    numbers = "0.037 booking_value per active customer (0.018 to 0.056)"
    wide = [placed(chart, 730, text)["y"] for text in ("between like units", numbers)]
    narrow = [placed(chart, 340, text)["y"] for text in ("between like units", numbers)]
    assert wide[0] == wide[1]
    assert narrow[0] < narrow[1]


def test_a_label_of_words_that_would_be_mutilated_stands_beside_its_span() -> None:
    day = samples.MONDAY
    rows = [
        {"lane": "loaded", "label": "tickets, 47 rows", "start": day + timedelta(days=20),
         "end": day + timedelta(days=23), "kind": "span"},
        {"lane": "loaded", "label": "requests, 1,555 rows", "start": day,
         "end": day + timedelta(days=40), "kind": "span"},
    ]  # fmt: skip
    texts = written(charts.spec(samples.chart("loaded", "spans", rows), width=340))
    assert {"tickets, 47 rows", "requests, 1,555 rows"} <= set(texts)


def test_a_name_keeps_clear_of_the_lines_that_go_on() -> None:
    rows = [{"x": x, "value": 1.0 + 0.01 * x, "series": "goes on"} for x in range(20)]
    rows += [{"x": x, "value": 1.0 + 0.01 * x, "series": "ends early"} for x in range(5)]
    chart = samples.chart("two", "lines", rows)
    name, end = placed(chart, 730, "ends early"), rows[-1]
    below = [row["value"] for row in rows if row["series"] == "goes on" and row["x"] > end["x"]]
    pixels = 190 / (1.19 - 1.0) / 1.1
    assert all(
        abs(name["y"] - value) * pixels > 8 for value in below if value < end["value"] + 0.05
    )
