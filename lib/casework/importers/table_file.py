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
they are rejects, with the row as it stood. Lines that are torn likewise.

## Known limits
An instant without a zone is read in the zone of `--timezone`, else as UTC, and that is said. In
the hour that is repeated when clocks go back, the earlier instant is taken.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from tempfile import TemporaryDirectory

from casework.case import Item, Note, Reject, Select, identifier, scan
from casework.errors import CaseworkError
from casework.importers._expressions import LOCATOR, Reading, is_numeric, statements
from casework.importers._importer import Importer, Options
from casework.importers._mapping import Plan, plan
from casework.importers._source import Source
from casework.importers._staging import Staged, csv_relation, stage_arrow, stage_csv, stage_json
from casework.tables import ALL, Table, get
from casework.tables._table import INSTANT, TEXT

_BY_NAME = {table.name: table for table in ALL}
_FORMATS = {".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}


def file_format(source: Source) -> str | None:
    """`parquet`, `arrow`, `csv`, `json`, or None: binary formats by content, text ones by name."""
    head = source.head()
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    suffix = re.search(r"\.[a-z]+$", source.bare_name.lower())
    return _FORMATS.get(suffix.group(0)) if suffix else None


def named_table(source: Source) -> Table | None:
    """The table that the file name names, numbered parts included (`requests-0003.parquet`)."""
    stem = source.bare_name.lower().split(".")[0]
    return _BY_NAME.get(re.sub(r"[-_]?\d+$", "", stem))


def _recognises(source: Source) -> bool:
    return file_format(source) is not None and named_table(source) is not None


def _read(source: Source, options: Options) -> Iterator[Item]:
    table = _table(source, options)
    with TemporaryDirectory(prefix="casework-") as folder:
        match file_format(source):
            case "parquet":
                reading = _parquet(str(source.path))
            case "arrow":
                reading = _parquet(stage_arrow(source, folder))
            case "json":
                reading, rejects = _staged(stage_json(source, folder))
                yield from (reject._replace(table=table) for reject in rejects)
            case "csv" if _is_whole(source):
                relation, names = csv_relation(source)
                reading = _numbered(relation, "row_number() OVER ()", names, str(source.path))
            case "csv":
                reading, rejects = _staged(stage_csv(source, folder))
                yield from (reject._replace(table=table) for reject in rejects)
            case _:
                raise CaseworkError(
                    "NOT_A_TABLE_FILE",
                    "neither CSV, TSV, Parquet, JSON, JSON Lines nor Arrow",
                    "see `casework formats`",
                    where=source.name,
                )
        yield from _select(table, reading, source, options)


def _select(table: Table, reading: Reading, source: Source, options: Options) -> Iterator[Item]:
    reading = _with_numbers(reading, table)
    decided = plan(table, list(reading.types), options.mapping, source.name)
    yield from (Note(text) for text in decided.notes)
    zone = options.timezone or "UTC"
    if options.timezone is None and (column := _naive(table, decided, reading)):
        yield Note(f"{column} has no time zone and was read as UTC; name it with --timezone")
    built = statements(table, decided, reading, zone)
    count = f"SELECT count(*) FROM {reading.relation}"
    yield Select(table, built.columns, built.kept, built.rejected, count, reading.params)


def _table(source: Source, options: Options) -> Table:
    if options.table:
        return options.table
    if options.mapping and "table" in options.mapping:
        return get(str(options.mapping["table"]))
    table = named_table(source)
    if table is None:
        raise CaseworkError(
            "WHICH_TABLE",
            "the file name names no table",
            f"give --as with one of: {', '.join(_BY_NAME)}",
            where=source.name,
        )
    return table


def _parquet(path: str) -> Reading:
    types = _types("read_parquet($path)", path)
    relation = "read_parquet($path, file_row_number = true)"
    reading = _numbered(relation, "file_row_number + 1", list(types), path)
    return replace(reading, types=types)


def _numbered(relation: str, number: str, names: list[str], path: str) -> Reading:
    """A relation whose rows are located by their number, from 1."""
    numbered = f"(SELECT *, 'row ' || ({number}) AS {LOCATOR} FROM {relation})"
    return Reading(numbered, dict.fromkeys(names, TEXT), {"path": path})


def _staged(staged: Staged) -> tuple[Reading, list[Reject]]:
    relation = "read_parquet($path, union_by_name = true)"
    types = _types(relation, staged.paths)
    types.pop(LOCATOR.strip('"'))
    return Reading(relation, types, {"path": staged.paths}), staged.rejects


def _types(relation: str, path: str | list[str]) -> dict[str, str]:
    described = scan(f"DESCRIBE SELECT * FROM {relation}", {"path": path})
    return {str(row[0]): str(row[1]) for row in described}


def _is_whole(source: Source) -> bool:
    """Whether a CSV file parses strictly from end to end; else it is taken apart row by row."""
    relation, _ = csv_relation(source)
    try:
        scan(f"SELECT count(*) FROM {relation}", {"path": str(source.path)})
    except CaseworkError:
        return False
    return True


def _with_numbers(reading: Reading, table: Table) -> Reading:
    """Find the text columns that hold nothing but numbers, where covariates must be told apart."""
    texts = [name for name, kind in reading.types.items() if kind == TEXT]
    if not table.covariates or not texts:
        return reading
    tests = ", ".join(
        f"bool_and(TRY_CAST({identifier(n)} AS DOUBLE) IS NOT NULL OR {identifier(n)} IS NULL) "
        f"AND count({identifier(n)}) > 0"
        for n in texts
    )
    row = scan(f"SELECT {tests} FROM {reading.relation}", reading.params)[0]
    numeric = {name for name, test in zip(texts, row, strict=True) if test}
    declared = {column.name for column in table.columns}
    types = {
        name: "DOUBLE" if name in numeric and name.lower() not in declared else kind
        for name, kind in reading.types.items()
    }
    return replace(reading, types=types)


def _naive(table: Table, decided: Plan, reading: Reading) -> str | None:
    """The first instant column whose values carry no zone, if there is one."""
    for name, entry in decided.fields.items():
        kind = reading.types[entry.source]
        if table.type_of(name) != INSTANT or entry.timezone or entry.format or is_numeric(kind):
            continue
        if kind.startswith("TIMESTAMP WITH TIME ZONE"):
            continue
        column = identifier(entry.source)
        if kind != TEXT:
            return entry.source
        sql = (
            f"SELECT count(*) FROM (SELECT {column} AS v FROM {reading.relation} "
            f"WHERE {column} IS NOT NULL LIMIT 1000) "
            "WHERE NOT regexp_matches(trim(v), '(Z|[+-]\\d{2}(:?\\d{2})?)$|^[0-9.]+$') "
            "OR length(trim(v)) <= 10 AND NOT regexp_matches(trim(v), '^[0-9.]+$')"
        )
        if scan(sql, reading.params)[0][0]:
            return entry.source
    return None


table_file = Importer(
    name="table_file",
    doc=__doc__ or "",
    tables=ALL,
    recognises=_recognises,
    read=_read,
)
