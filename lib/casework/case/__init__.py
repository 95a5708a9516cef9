"""A case: one DuckDB file with the evidence of one investigation. The only place of DuckDB."""

from casework.case._connection import identifier, interrupted, literal
from casework.case._items import (
    Again,
    Batch,
    Fields,
    Item,
    Note,
    Packed,
    Receipt,
    Reject,
    Row,
    Select,
)
from casework.case._packing import pack, pack_batch, packed_in, stream_of
from casework.case._query import Query
from casework.case._reader import Case, Rows
from casework.case._scan import one_file, scan
from casework.case._writer import CaseWriter

__all__ = [
    "Again",
    "Batch",
    "Case",
    "CaseWriter",
    "Fields",
    "Item",
    "Note",
    "Packed",
    "Query",
    "Receipt",
    "Reject",
    "Row",
    "Rows",
    "Select",
    "identifier",
    "interrupted",
    "literal",
    "one_file",
    "pack",
    "pack_batch",
    "packed_in",
    "scan",
    "stream_of",
]
