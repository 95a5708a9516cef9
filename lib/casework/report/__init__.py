"""The audit report: one value (`casework.report.model.Report`) and its renderings.

JSON is the truth; each other form is rendered from it. A form is a function from a report to
bytes, and one line in `FORMATS`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from casework.errors import unknown_name
from casework.report.model import Report
from casework.report.page import as_html
from casework.report.wire import as_json, read_json, schema

__all__ = ["FORMATS", "Report", "as_html", "as_json", "read_json", "schema", "write"]

FORMATS: Mapping[str, Callable[[Report], bytes]] = {
    "html": lambda report: as_html(report).encode("utf-8"),
    "json": as_json,
}


def write(report: Report, out: Path, formats: Sequence[str]) -> list[Path]:
    """Write the report into a folder, one file `report.<format>` for each format.

    All formats are rendered and written before the first takes the place of an earlier one, so a
    report that is refused, or that the disk has no room for, leaves the folder as it was.

    Raises:
        UsageError: `UNKNOWN_FORMAT` for a format that is not in `FORMATS`.
        CaseworkError: `REPORT_TOO_LARGE`.
    """
    for name in formats:
        if name not in FORMATS:
            raise unknown_name("format", name, list(FORMATS))
    rendered = {out / f"report.{name}": FORMATS[name](report) for name in dict.fromkeys(formats)}
    out.mkdir(parents=True, exist_ok=True)
    parts = {path: path.with_name(f"{path.name}.part") for path in rendered}
    try:
        for path, part in parts.items():
            part.write_bytes(rendered[path])
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return list(rendered)
