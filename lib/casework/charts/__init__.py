"""Charts: a form from a closed list and its rows, drawn as Vega-Lite. The only place of Altair.

A diagnosis says *what* to draw (`casework.findings.Chart`), never how. Colour follows the role of
a mark, the same on every page: `before` (also control, base) grey, `after` (treatment, tuned)
blue, `gate` (threshold, incident) vermilion, `good` green, `muted` light grey, or none.

Where `encode` takes a `unit`, it is one of those of `casework.words`: with `share` the rows hold
0.124 and the reader sees 12.4 %. Instants are datetimes or RFC 3339 text. A rule has `x` and
`label`, and may have a `role` (vermilion without one) and `dashed`.

The forms and the roles in `encode`:

intervals: points with 95% intervals, one line each, in the order of the rows.
    rows: `label`, `value`, `low`, `high` (low and high may be None), `role`. Rows of one `label`
        share a line; then `series` names each point.
    encode: `x_title` (words with unit), `unit`, `zero` (bool), `rules`, `joined` (bool, draws the
        points of a line as a dumbbell).
love: standardised differences, one covariate a line, against the band of chance.
    rows: `label`, `value`, `low`, `high`, `role`.
    encode: `x_title`, `band` (half width of chance), `threshold` (the difference that matters).
spans: lanes over time.
    rows: `lane`, `label`, `start`, `end` (datetimes, end may be None for open), `kind`
        (`span`, `zone` framed, `tick`, `event` with a rule through all lanes), `role`.
        Spans of one `label` share a colour; a span may carry `n`, shown on hover.
    encode: `x_title`, `start`, `end` (the window shown).
bars: aligned stacked bars, parts of a whole.
    rows: `label`, `part`, `value`, `share`, `role`.
    encode: `x_title`, `order` (list of parts from left to right), `unit` (of `value`).
lines: values over an ordered axis, with intervals.
    rows: `x` (number, instant, or a word such as `as run`), `value`, `low`, `high`, `series`,
        `role`; rows with a `panel` are drawn in panels above each other, with one axis of `x`.
    encode: `x_title`, `y_title` (or `y_titles` by panel), `unit`, `zero` (bool), `rules`,
        `fill_below` (fills the part of each curve left of this `x`).
"""

from casework.charts.vega import FORMS, MOST_ROWS, WIDTH, check, draw, render, spec, svg

__all__ = ["FORMS", "MOST_ROWS", "WIDTH", "check", "draw", "render", "spec", "svg"]
