# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""Look into a case: its verdicts, what each rests on, and what other settings make of it."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="Investigate a case", css_file="workbench.css")

with app.setup:
    from pathlib import Path

    import marimo as mo
    from workbench import standing, widgets

    from casework import diagnoses, report
    from casework.case import Case
    from casework.case.origins import between, origins, rejected
    from casework.charts.live import brushed, over_time
    from casework.diagnoses._settings import changed, settings_of
    from casework.errors import CaseworkError
    from casework.report import annexes, pieces
    from casework.report.desk import consult, lay_out, rejected_rows, timed_evidence


@app.cell
def the_case():
    case_path = mo.cli_args().get("case")
    widgets.style()
    return (case_path,)


@app.cell
def what_is_asked():
    path_field = mo.ui.text(label="Path of the case", placeholder="my.duckdb", full_width=True)
    again = mo.ui.run_button(label="Read the case again")
    get_choice, choose = mo.state(None)
    get_edition, set_edition = mo.state(0)
    get_seen, see = mo.state({})
    return again, choose, get_choice, get_edition, get_seen, path_field, see, set_edition


@app.cell
def open_the_case(again, case_path, path_field, see):
    again.value, see({})
    path = Path(case_path or path_field.value)
    mo.stop(not (case_path or path_field.value), widgets.welcome(path_field))
    try:
        with Case(path) as _case:
            first = lay_out(_case).first
    except CaseworkError as _error:
        mo.stop(True, widgets.failure(_error, again if case_path else path_field))
    return first, path


@app.cell
def lay_it_out(first, get_edition, path):
    first, get_edition()
    with Case(path) as _case:
        desk = lay_out(_case)
    exhibits = annexes.names(desk.report.exhibits)
    return desk, exhibits


@app.cell
def list_the_verdicts(choose, desk, get_seen):
    rows = mo.ui.dictionary(
        {
            name: mo.ui.button(
                label=standing.verdict_row(
                    name, result, get_seen().get(name), name in desk.outdated
                ),
                on_click=lambda _, name=name: name,
                on_change=choose,
                full_width=True,
            )
            for name, result in desk.standing.items()
        }
    )
    return (rows,)


@app.cell
def choose_one(first, get_choice):
    name = get_choice() or first
    return (name,)


@app.cell
def show_the_case(desk, keep_all, name, path, rows):
    _facts, _list = standing.case_facts(desk, path), standing.verdict_list(rows, name)
    _all = keep_all if None in desk.standing.values() else ""
    mo.sidebar(widgets.page(_facts, _list, _all, kind="side"), width="21rem")
    return


@app.cell
def show_the_verdicts(desk, get_seen):
    standing.strip(desk, get_seen())
    return


@app.cell
def show_what_may_explain_it(desk, keep_all):
    standing.overview(desk, keep_all)
    return


@app.cell
def run_as_inferred(name, path, see):
    try:
        with widgets.working(name):
            baseline = consult(path, name)
    except CaseworkError as _error:
        mo.stop(True, widgets.failure(_error))
    see(lambda seen: {**seen, name: baseline})
    settings = settings_of(diagnoses.get(name), baseline)
    return baseline, settings


@app.cell
def make_the_controls():
    reset = mo.ui.run_button(label="Back to what was inferred")
    keep = mo.ui.run_button(label="Keep this verdict in the case")
    keep_all = mo.ui.run_button(label="Run all and keep their verdicts")
    write = mo.ui.run_button(label="Write both beside the case")
    return keep, keep_all, reset, write


@app.cell
def set_the_settings(reset, settings):
    reset.value
    knobs = widgets.knobs(settings)
    return (knobs,)


@app.cell
def see_what_is_given(knobs, settings):
    try:
        given = changed(settings, knobs.value)
    except CaseworkError as _error:
        mo.stop(True, widgets.failure(_error))
    return (given,)


@app.cell
def show_the_settings(baseline, keep, knobs, reset, settings):
    mo.stop(any(absent.required for absent in baseline.missing))
    _form = widgets.settings_form(settings, knobs)
    mo.sidebar(widgets.page("<h3>Settings</h3>", _form, reset, keep, kind="side"))
    return


@app.cell
def run_as_given(given, name, path):
    try:
        with widgets.working(name):
            result = consult(path, name, given)
    except CaseworkError as _error:
        mo.stop(True, widgets.failure(_error))
    return (result,)


@app.cell
def keep_it(given, keep, keep_all, name, path, set_edition):
    if keep.value or keep_all.value:
        _asked = ([name], {name: given}) if keep.value else ()
        try:
            with widgets.working("diagnoses"):
                diagnoses.diagnose(path, *_asked)
        except CaseworkError as _error:
            mo.stop(True, widgets.failure(_error))
        set_edition(lambda edition: edition + 1)
    return


@app.cell
def show_the_verdict(baseline, given, result):
    widgets.ruling(result, baseline, given)
    return


@app.cell
def draw_the_pictures(result):
    drawn = widgets.pictures(result.charts)
    return (drawn,)


@app.cell
def show_the_first_picture(again, drawn, path, result):
    _pictures = [widgets.figure(chart, drawn) for chart in result.charts[:1]]
    _load = widgets.to_load(result, path, again) if result.verdict == "not_testable" else []
    widgets.page("<div id='argument'></div>", *_pictures, *_load)
    return


@app.cell
def see_what_is_brushed(drawn):
    _windows = [brushed(picture.selections) for picture in drawn.elements.values()]
    window = next(filter(None, _windows), None)
    return (window,)


@app.cell
def show_what_is_brushed(path, result, window):
    mo.stop(not any(map(over_time, result.charts)))
    mo.stop(window is None, widgets.page(widgets.BRUSH_HINT))
    with Case(path) as _case:
        _found = [between(_case, evidence, *window) for evidence in timed_evidence(result)]
    widgets.window(window, _found)
    return


@app.cell
def show_the_argument(drawn, exhibits, result):
    widgets.page(
        *(widgets.figure(chart, drawn) for chart in result.charts[1:]),
        str(pieces.chapter(result, exhibits)),
        kind="argument",
    )
    return


@app.cell
def pick_evidence(result):
    _found = {widgets.evidence_name(item): item for item in result.evidence if item.rows}
    evidence = mo.ui.dropdown(_found, label="Evidence", full_width=True)
    return (evidence,)


@app.cell
def pick_a_row(evidence):
    _rows = widgets.row_names(evidence.value)
    row = mo.ui.dropdown(_rows, value=next(iter(_rows), None), label="Row", full_width=True)
    return (row,)


@app.cell
def follow_the_row(evidence, path, row):
    followed = []
    if row.value is not None:
        _found = evidence.value
        _row = dict(zip(_found.columns, _found.rows[row.value], strict=True))
        with Case(path) as _case:
            followed = origins(_case, _found, _row)
    return (followed,)


@app.cell
def show_the_row(evidence, followed, path, row):
    widgets.page(
        "<h2 id='row'>From a row to its source</h2>",
        mo.hstack([evidence, row], widths="equal"),
        widgets.followed(evidence.value, row.value, followed, path.parent),
    )
    return


@app.cell
def pick_rejects(desk, exhibits):
    _groups = widgets.rejects_names(desk.report.rejects, exhibits)
    refused = mo.ui.dropdown(_groups, label="Show the rows of", full_width=True)
    return (refused,)


@app.cell
def show_what_is_loaded(desk, path, refused):
    _rows = ""
    if refused.value:
        with Case(path) as _case:
            _found = rejected(_case, refused.value)
        _rows = pieces.table(rejected_rows("As received", _found, refused.value.count))
    _tables = (annexes.completeness, annexes.sources, annexes.rejects, annexes.custody)
    widgets.loaded([pieces.table(table(desk.report)) for table in _tables], refused, _rows)
    return


@app.cell
def write_the_report(desk, path, result, write):
    with Case(path) as _case:
        seen = desk.report_with(_case, result)
    written, _failed = [], None
    try:
        if write.value:
            written = widgets.write_both(seen, path)
    except CaseworkError as _error:
        _failed = widgets.failure(_error)
    _failed
    return seen, written


@app.cell
def show_the_report(path, seen, write, written):
    _downloads = [
        mo.download(lambda form=form: form(seen), f"{path.stem}-report.{name}", label=name.upper())
        for name, form in report.FORMATS.items()
    ]
    widgets.export(seen, [*_downloads, write], written)
    return


if __name__ == "__main__":
    app.run()
