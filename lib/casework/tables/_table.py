"""What an evidence table is: columns declared once, from which DDL, loader and manual derive."""

from dataclasses import dataclass, field
from functools import cached_property

INSTANT = "TIMESTAMP WITH TIME ZONE"
TEXT = "VARCHAR"
REAL = "DOUBLE"
WHOLE = "BIGINT"
FLAG = "BOOLEAN"
JSON = "JSON"
VECTOR = "FLOAT[]"

ATTRIBUTES = "attributes"
ORIGIN = ("exhibit_id", "locator")

# Answers to learn from, whose names do not end as those of whole texts do. Where a person writes
# one down, as a correction or in a report, an empty text says that there is none.
_ANSWERS = ("chosen", "rejected")
_TIME_NAMES = ("timestamp", "ts", "time", "at")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, DuckDB type and meaning. A required column is never NULL.

    One that takes flags is a number that may be 1 for true and 0 for false, as a score that says
    right or wrong.
    """

    name: str
    type: str
    doc: str
    required: bool = False
    values: tuple[str, ...] = ()
    takes_flags: bool = False

    @property
    def is_long(self) -> bool:
        """Whether it holds whole texts or objects, and not names or ids."""
        return self.type == JSON or self.name.split("_")[-1] == "text"

    @property
    def may_be_empty(self) -> bool:
        """Whether an empty text is one, as of an answer; a name, an id or a prompt is missing."""
        return self.is_long or self.name in _ANSWERS

    @property
    def is_open_end(self) -> bool:
        """Whether it is the end of a validity, that may lie ahead for ever."""
        return self.type == INSTANT and self.name.endswith("_until")


@dataclass(frozen=True)
class Table:
    """One evidence table.

    `key` says which rows are the same row: same key and same content is a duplicate, same key
    and other content a contradiction. `time` is the column that dates a row, if any. Columns of
    a source that no column takes go to `attributes`, or where `covariates` is set, the numeric
    ones to the map column of that name. `references` names the columns that point into another
    table, as `{"request_id": "requests.request_id"}`. `spans` names the columns of the beginning
    and the end of what a row tells of: what has no end may have begun before a source tells of it.
    """

    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    time: str | None = None
    covariates: str | None = None
    synonyms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    spans: tuple[str, str] | None = None

    @cached_property
    def all_columns(self) -> tuple[Column, ...]:
        """The declared columns, then `attributes`, then where the row comes from."""
        return (
            *self.columns,
            Column(ATTRIBUTES, JSON, "Columns of the source that have no place above."),
            Column("exhibit_id", TEXT, "The source file that the row comes from.", required=True),
            Column("locator", TEXT, "Where in the source: line, row, pointer.", required=True),
        )

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Names of the declared columns and `attributes`."""
        return (*(column.name for column in self.columns), ATTRIBUTES)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that a row must have."""
        return tuple(column.name for column in self.columns if column.required)

    @cached_property
    def all_synonyms(self) -> dict[str, tuple[str, ...]]:
        """For each required column, the other names that sources usually give it."""
        found = dict(self.synonyms)
        if "occurred_at" in self.required:
            found.setdefault("occurred_at", _TIME_NAMES)
        if "unit_id" in self.required:
            found.setdefault("unit_id", ("user_id",))
        ids = [name for name in self.required if name.endswith("_id")]
        if len(ids) == 1:
            found[ids[0]] = (*found.get(ids[0], ()), "id")
        return found

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.all_columns if column.name == name)

    def type_of(self, name: str) -> str:
        """DuckDB type of a column."""
        return self.column(name).type

    def ddl(self) -> str:
        """`CREATE TABLE` for the case file."""
        return create_table(self.name, self.all_columns)


def create_table(name: str, columns: tuple[Column, ...]) -> str:
    """`CREATE TABLE` for columns; required ones may not be NULL.

    Whole texts are compressed with Zstandard: of prompts and answers it makes a third of what
    DuckDB's choice makes, in half the time.
    """
    lines = [
        f"    {column.name} {column.type}{' NOT NULL' if column.required else ''}"
        f"{' USING COMPRESSION zstd' if column.is_long else ''}"
        for column in columns
    ]
    return f"CREATE TABLE {name} (\n" + ",\n".join(lines) + "\n)"
