"""Table files: CSV, TSV, Parquet, JSON, JSON Lines and Arrow, one evidence table each.

## Reads
A file whose name is that of a table (`units.csv`, `nps.parquet`, `requests-03.jsonl.gz`), or any
table file with `--as TABLE` or a map. Columns are matched by name, required ones also by their
usual synonyms, or as the map says.

## Fills
Any table. Columns of the source that no column takes are kept in `attributes`, for `units` the
numeric ones in `covariates`.

## Leaves out
Rows in which a value cannot be read as the type of its column, or a required one is missing:
they are rejects, with the row as it stood. Lines that are torn likewise. Empty fields and NaN are
missing values; infinity is no value, and a fraction is no whole number. The end of a validity
(`active_until`) that is infinity or the last day of the calendar, 9999-12-31, is none: it goes on.
A year of two digits, and the short name of a zone, as BST or IST, which several zones bear, are
rejects: UTC, GMT, an offset or a name as `Europe/London` are read.

## Known limits
An instant without a zone is read in the zone that the header names, else in that of `--timezone`,
else as UTC, and that is said. In the hour that is repeated when clocks go back, the earlier instant
is taken. A date in digits, such as 20260301090000, is read where a map gives its `format`, and is a
reject elsewhere. JSON is read as a whole where it is one array, up to 512 MiB. Parquet is read by
2,048 rows at a time: where these hold some 800 MB, 400 kB each, it is IMPORT_MEMORY.
"""

import re
import zlib
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from casework.case import (
    Again,
    Fields,
    Item,
    Note,
    Select,
    identifier,
    one_file,
    pack,
    scan,
)
from casework.errors import CaseworkError
from casework.importers._csv_text import csv_below, csv_relation, csv_zones, plain, stage_csv
from casework.importers._expressions import (
    LOCATOR,
    RAW,
    ZONED_KINDS,
    Reading,
    has_zone,
    is_numeric,
    lacks_zone,
)
from casework.importers._importer import Importer, Options
from casework.importers._map_file import EPOCHS, is_zoneless
from casework.importers._mapping import Plan, plan
from casework.importers._parquet import DURATION, durations, parquet_schema, refuse_durations
from casework.importers._source import Source
from casework.importers._staging import Staging, check_names, stage_arrow, stage_json, unreadable
from casework.importers._statements import statement
from casework.tables import ALL, ATTRIBUTES, Table, get
from casework.tables._table import INSTANT, TEXT

_BY_NAME = {table.name: table for table in ALL}
_FORMATS = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}
_PARQUET_HEAD = b"PAR1"
_ARROW_HEADS = (b"ARROW1", b"\xff\xff\xff\xff")
BINARY_HEADS = (_PARQUET_HEAD, *_ARROW_HEADS)
"""How the table files begin that are not text, though the head of one may look like it."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Folders such as `tier=free` would become columns, and write over those of the file.
_PARQUET = "read_parquet($path, hive_partitioning = false)"
_STAGED = "read_parquet($path, hive_partitioning = false, union_by_name = true)"
_JSON = re.compile(rb'\s*(\{\s*["}]|\[\s*[\["{\]])')


def file_format(source: Source) -> str | None:
    """`parquet`, `arrow`, `json` or `csv`, by content; text that could be anything by its name."""
    head = source.head()
    if head.startswith(_PARQUET_HEAD):
        return "parquet"
    if head.startswith(_ARROW_HEADS):
        return "arrow"
    if _JSON.match(head.removeprefix(_BYTE_ORDER_MARK)):
        return "json"
    suffix = re.search(r"\.[a-z]+$", source.bare_name.lower())
    return _FORMATS.get(suffix.group(0)) if suffix else None


def named_table(source: Source) -> Table | None:
    """The table that the file name names, numbered parts included (`requests-0003.parquet`)."""
    stem = source.bare_name.lower().split(".")[0]
    return _BY_NAME.get(re.sub(r"[-_]?\d+(?:[-_]\d+)*$", "", stem))


def _recognises(source: Source) -> bool:
    return file_format(source) is not None and named_table(source) is not None


def _read(source: Source, options: Options) -> Iterator[Item]:
    import zstandard

    table, kind = _table(source, options), _format(source)
    with TemporaryDirectory(prefix="casework-") as folder:
        try:
            if kind != "csv":
                reading = yield from _reading(table, source, kind, folder)
                yield from _items(table, reading, source, options)
                return
            source = plain(source, folder)
            header_rows = (options.mapping or {}).get("header_rows", 1)
            if header_rows > 1:
                yield Note(f"{header_rows} rows are its header: those below the first are no data")
                paths = yield from _told(table, stage_csv(source, folder, header_rows))
                yield from _items(table, _staged(paths, has_raw=False), source, options)
                return
            try:
                yield from _select(table, _strict_csv(source), source, options)
            except CaseworkError as error:
                if error.code != "SOURCE_UNREADABLE":
                    raise
                yield Again()
                paths = yield from _told(table, stage_csv(source, folder))
                yield from _items(table, _staged(paths, has_raw=False), source, options)
        except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
            raise unreadable(source, f"{error or type(error).__name__}") from None


def _format(source: Source) -> str:
    kind = file_format(source)
    if kind is None and (not source.head() or b"\0" in source.head()):
        raise CaseworkError(
            "NOT_A_TABLE_FILE",
            "neither CSV, TSV, Parquet, JSON, JSON Lines nor Arrow",
            "see `casework formats`",
            where=source.name,
        )
    return kind or "csv"


def _reading(
    table: Table, source: Source, kind: str, folder: str
) -> Generator[Item, None, Reading]:
    match kind:
        case "parquet":
            return _parquet(source, str(plain(source, folder).path))
        case "arrow":
            return _parquet(source, stage_arrow(plain(source, folder), folder))
        case _:
            paths = yield from _told(table, stage_json(source, folder))
            return _staged(paths, has_raw=True)


def _told(table: Table, staging: Staging) -> Generator[Item, None, list[str]]:
    """Yield the rejects of a staging as of the table; they are not held, however many they are."""
    while True:
        try:
            reject = next(staging)
        except StopIteration as done:
            return list(done.value)
        yield reject._replace(table=table)


def _items(table: Table, reading: Reading, source: Source, options: Options) -> Iterator[Item]:
    if reading.types:
        yield from _select(table, reading, source, options)
    else:
        yield Note("it holds no record")


def _select(table: Table, reading: Reading, source: Source, options: Options) -> Iterator[Item]:
    rows = (options.mapping or {}).get("header_rows", 1) if _format(source) == "csv" else 1
    below = csv_below(source) if rows > 1 else {}
    decided = plan(table, list(reading.types), options.mapping, source.name, below)
    if rows > 1:
        decided = yield from _zoned(table, decided, csv_zones(source, rows))
    refuse_durations(table, decided.fields, reading.types, source)
    reading = _with_numbers(reading, table, decided)
    naive = {} if options.timezone else dict(_naive(table, decided, reading))
    built = statement(
        table, decided, reading, options.timezone or "UTC", tuple(filter(None, naive.values()))
    )
    yield from (Note(text) for text in (*decided.notes, *built.notes))
    taken = {entry.source: [f"{table.name}.{name}"] for name, entry in decided.fields.items()}
    for name in decided.rest:
        is_covariate = table.covariates and is_numeric(reading.types[name])
        taken[name] = [f"{table.name}.{table.covariates if is_covariate else ATTRIBUTES}"]
    yield Fields(taken, {})
    told = iter((yield from pack(Select(table, built.columns, built.query, reading.params))))
    if lacking := [name for name, test in naive.items() if not test or next(told, False)]:
        verb = "has no time zone and was" if len(lacking) == 1 else "have no time zone and were"
        yield Note(f"{', '.join(lacking)} {verb} read as UTC; name it with --timezone")


def _table(source: Source, options: Options) -> Table:
    if options.table:
        return options.table
    if options.mapping and "table" in options.mapping:
        return get(options.mapping["table"])
    table = named_table(source)
    if table is None:
        raise CaseworkError(
            "WHICH_TABLE",
            "the file name names no table",
            f"give --as with one of: {', '.join(_BY_NAME)}",
            where=source.name,
        )
    return table


def _parquet(source: Source, path: str) -> Reading:
    schema, path = parquet_schema(Path(path)), one_file(path)
    check_names(source, schema.names)  # DuckDB gives numbers to those that it takes for the same
    types = _types(_PARQUET, path)
    texts = ", ".join(
        f"coalesce(TRY(decode({column})), CAST({column} AS {TEXT})) AS {column}"
        for column in (identifier(name) for name, kind in types.items() if kind == "BLOB")
    )  # some writers do not say that their bytes are text
    relation = f"(SELECT * REPLACE ({texts}) FROM {_PARQUET})"
    types = {name: TEXT if kind == "BLOB" else kind for name, kind in types.items()}
    types |= dict.fromkeys(durations(schema), DURATION)
    return Reading(relation if texts else _PARQUET, types, {"path": path})


def _strict_csv(source: Source) -> Reading:
    relation, names = csv_relation(source)
    return Reading(relation, dict.fromkeys(names, TEXT), {"path": one_file(str(source.path))})


def _staged(paths: list[str], *, has_raw: bool) -> Reading:
    paths = [one_file(path) for path in paths]
    types = _types(_STAGED, paths)
    for own in (LOCATOR, RAW):
        types.pop(own.strip('"'))
    return Reading(_STAGED, types, {"path": paths}, True, has_raw)


def _types(relation: str, path: str | list[str]) -> dict[str, str]:
    described = scan(f"DESCRIBE SELECT * FROM {relation}", {"path": path})
    return {str(row[0]): str(row[1]) for row in described}


def _with_numbers(reading: Reading, table: Table, decided: Plan) -> Reading:
    """Find the text columns that hold nothing but numbers, where covariates must be told apart."""
    texts = [name for name in decided.rest if reading.types[name] == TEXT]
    if not table.covariates or not texts:
        return reading
    tests = ", ".join(
        f"bool_and(TRY_CAST({column} AS DOUBLE) IS NOT NULL) FILTER ({column} <> '')"
        for column in map(identifier, texts)
    )
    row = scan(f"SELECT {tests} FROM {reading.relation}", reading.params)[0]
    numeric = {name for name, is_number in zip(texts, row, strict=True) if is_number}
    types = {name: "DOUBLE" if name in numeric else kind for name, kind in reading.types.items()}
    return replace(reading, types=types)


def _zoned(table: Table, decided: Plan, zones: dict[str, str]) -> Generator[Item, None, Plan]:
    """Read instants in the zone that the file names for their column, where the map names none."""
    fields = dict(decided.fields)
    for name, entry in decided.fields.items():
        zone = zones.get(entry.source)
        if zone and table.type_of(name) == INSTANT and not entry.timezone:
            yield Note(f"{entry.source} was read in the zone that its header names, {zone}")
            fields[name] = replace(entry, timezone=zone)
    return replace(decided, fields=fields)


def _naive(table: Table, decided: Plan, reading: Reading) -> Iterator[tuple[str, str | None]]:
    """The columns of instants that may carry no zone, with the test of a row where one may.

    None stands for a column in which no value can.
    """
    for name, given in decided.constants.items():
        if table.type_of(name) == INSTANT and is_zoneless(given):
            yield name, None
    for name, entry in decided.fields.items():
        kind = reading.types[entry.source]
        formats = entry.formats
        if table.type_of(name) != INSTANT or entry.timezone or EPOCHS.keys() & set(formats):
            continue
        if formats:
            if not has_zone(formats[0]):
                yield entry.source, None
        elif kind == TEXT:
            yield entry.source, lacks_zone(entry.source)
        elif kind.startswith(("TIMESTAMP", "DATE")) and kind not in ZONED_KINDS:
            yield entry.source, None


table_file = Importer(
    name="table_file",
    doc=__doc__ or "",
    tables=ALL,
    recognises=_recognises,
    read=_read,
)
