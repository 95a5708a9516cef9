"""A table that a tool saved, as records: Parquet, CSV, a JSON array, JSON Lines, or API pages.

A page of an API is one object with the records in a list under `data`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casework.case import Reject
from casework.importers._csv_text import csv_names, csv_records
from casework.importers._json_document import MAX_RAW, Fault
from casework.importers._parquet import PARQUET, parquet_names, parquet_records
from casework.importers._records import Record, read_document, records
from casework.importers._source import Source

LISTED = "data"


def first_record(source: Source) -> Mapping[str, Any]:
    """The names that the first record of a table has, with its values where it is JSON."""
    if source.head().startswith(PARQUET):
        return dict.fromkeys(parquet_names(source))
    if first := source.first_object:
        return source.within(LISTED) if _is_page(source) else first
    return dict.fromkeys(csv_names(source))


def table_records(source: Source, *, constants: bool = False) -> Iterator[Record | Reject]:
    """Yield the records of a table; what is none is a `Reject`.

    Args:
        source: the file.
        constants: whether NaN and Infinity are numbers where it is JSON.

    Raises:
        CaseworkError: those of `records`, `csv_records` and `parquet_records`.
    """
    if source.head().startswith(PARQUET):
        yield from parquet_records(source)
    elif not source.first_object:
        yield from csv_records(source)
    elif _is_page(source):
        yield from _page(source)
    else:
        yield from records(source, constants=constants)


def _is_page(source: Source) -> bool:
    """Whether it is a page, and not a record with a field of that name."""
    is_field = isinstance(source.first_object.get(LISTED), Mapping)
    return bool(source.within(LISTED)) and not is_field


def _page(source: Source) -> Iterator[Record | Reject]:
    for locator, value in read_document(source).entries(LISTED):
        if not locator.startswith("/"):
            continue  # what the page says of itself
        if isinstance(value, Mapping):
            yield Record(locator, dict(value))
        elif isinstance(value, Fault):
            yield Reject(locator, value.error.code, value.error.what, value.raw)
        else:
            yield Reject(locator, "JSON", "not an object", str(value)[:MAX_RAW])
