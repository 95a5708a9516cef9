"""What leaves for Vega: nothing that reaches out or is evaluated, and the same bytes each time."""

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.charts import samples

from casework import charts
from casework.errors import CaseworkError
from casework.findings import Chart

ROOT = Path(__file__).parents[2]
HOSTILE = "</svg><script>alert(1)</script>\u202e\u2028\x1b[2J\x00 {{datum.x}} [a].b"
every = pytest.mark.parametrize("chart", samples.ALL, ids=lambda chart: chart.id)


def spoilt(chart: Chart) -> Chart:
    """The chart with a hostile text in place of each of its texts."""

    def spoil(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: spoil(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [spoil(item, key) for item in value]
        kept = {"kind", "role", "unit", "x"}
        return HOSTILE + value if isinstance(value, str) and key not in kept else value

    return replace(
        chart,
        title=HOSTILE,
        subtitle=HOSTILE,
        alt=HOSTILE,
        rows=tuple(spoil(dict(row), "") for row in chart.rows),
        encode=spoil(dict(chart.encode), ""),
    )


@every
def test_hostile_text_is_drawn_as_text(chart: Chart) -> None:
    picture = charts.svg(spoilt(chart))
    assert "<script" not in picture
    assert "alert(1)" in picture
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u2028\u202e]", picture)


@pytest.mark.parametrize(
    "spec",
    [
        {"data": {"url": "https://example.org/x.csv"}},
        {"mark": "image"},
        {"layer": [{"mark": {"type": "image"}}]},
        {"mark": {"type": "point", "href": "javascript:alert(1)"}},
        {"encoding": {"href": {"field": "x"}}},
        {"encoding": {"url": {"field": "x"}}},
        {"mark": {"type": "text", "text": {"expr": "warn(1)"}}},
        {"mark": {"type": "text", "text": {"signal": "warn(1)"}}},
        {"transform": [{"calculate": "datum.x", "as": "y"}]},
        {"encoding": {"x": {"axis": {"labelExpr": "warn(datum.label)"}}}},
        {"encoding": {"color": {"condition": {"test": "warn(1)", "value": "red"}}}},
        {"params": [{"name": "p", "expr": "warn(1)"}]},
        {"usermeta": {"embedOptions": {"loader": {}}}},
        {"vconcat": [{"layer": [{"data": {"url": "file:///etc/hostname"}}]}]},
    ],
    ids=str,
)
def test_a_specification_that_reaches_out_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(CaseworkError, match=r"CHART_SPEC_REFUSED") as refused:
        charts.check(spec)
    assert refused.value.code == "CHART_SPEC_REFUSED"
    with pytest.raises(CaseworkError):
        charts.render(spec, "")


def test_the_same_words_in_data_are_no_reason_to_refuse() -> None:
    charts.check({"datasets": {"a": [{"url": "image", "expr": "signal"}]}, "mark": "point"})


@pytest.mark.parametrize(
    "encode",
    [
        {"x_title": {"expr": "warn(1)"}},
        {"x_title": {"signal": "warn(1)"}, "rules": [{"x": 1, "label": {"expr": "warn(1)"}}]},
    ],
    ids=str,
)
def test_an_expression_in_place_of_words_becomes_words(encode: dict[str, Any]) -> None:
    spec = charts.spec(replace(samples.LIFT, encode=encode))
    assert "warn(1)" in str(spec)


def digest(order: list[Chart]) -> dict[str, str]:
    return {c.id: hashlib.sha256(charts.svg(c).encode()).hexdigest() for c in order}


def test_a_picture_does_not_depend_on_those_before_it() -> None:
    """Vega counts the ids of clips and gradients on from picture to picture."""
    assert digest(samples.ALL) == digest(samples.ALL[::-1])


@pytest.mark.slow
def test_a_picture_does_not_depend_on_the_process() -> None:
    code = (
        "from tests.charts import samples, test_vega\n"
        "print(sorted(test_vega.digest(samples.ALL).items()))"
    )
    here = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **here},
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == str(sorted(digest(samples.ALL).items()))


def test_ids_of_a_picture_are_its_own() -> None:
    from casework.charts.vega import _renumber

    first, second = (
        f'<svg><clipPath id="clip{n}"/><g clip-path="url(#clip{n})"><text>clip7</text></g>{t}</svg>'
        for n, t in ((3, ""), (9, "<g/>"))
    )
    one, other = _renumber(first), _renumber(second)
    assert len(set(re.findall(r"p[0-9a-f]{10}-1", one))) == 1
    assert "<text>clip7</text>" in one
    assert not set(re.findall(r"p[0-9a-f]+-1", one)) & set(re.findall(r"p[0-9a-f]+-1", other))
    assert _renumber(first.replace("clip3", "clip4")) == one


def test_places_are_rounded_and_words_are_not() -> None:
    row = {"label": 'x="1.23456789"', "value": 1 / 3, "low": None, "high": None}
    picture = charts.svg(samples.chart("third", "intervals", [row]))
    assert "1.23456789" in picture
    assert not re.search(r'transform="[^"]*\d\.\d{3}', picture)


def test_drawing_loads_only_when_asked() -> None:
    code = (
        "import sys, casework.charts; loaded = {'altair', 'vl_convert'} & set(sys.modules); "
        "sys.exit(str(loaded) if loaded else 0)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_vega_is_not_one_with_known_holes() -> None:
    """CVE-2025-59840 is fixed in Vega 6.2.0."""
    from vl_convert import get_vega_version

    assert tuple(map(int, get_vega_version().split("."))) >= (6, 2, 0)
