"""The gate for what people type: one SELECT over the evidence, and nothing else.

What the reading connection allows, and what DuckDB's settings alone do not stop, was measured:
a COPY onto the file itself would pass them, so nothing but a single SELECT is let through.
"""

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from casework.case._connection import first_line, in_utf8
from casework.case._scan import scan
from casework.errors import CaseworkError

_READING_NODES = ("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE")
# Functions that reach past the case: the file system, other databases, text run as SQL.
_FORBIDDEN_FUNCTIONS = ("read_", "parquet_", "sniff_", "glob", "query", "query_table", "getenv")


def gate(sql: str) -> str:
    """Let one SELECT through, and nothing else.

    Raises:
        CaseworkError: NOT_UNICODE, SQL_SYNTAX, SQL_NOT_ONE_STATEMENT, SQL_NOT_SELECT,
            SQL_FORBIDDEN_FUNCTION.
    """
    fix = "give one SELECT over the evidence tables"
    in_utf8(sql, "the query")
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise CaseworkError("SQL_SYNTAX", first_line(error), fix) from None
    if len(statements) != 1:
        raise CaseworkError("SQL_NOT_ONE_STATEMENT", f"{len(statements)} statements", fix)
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise CaseworkError("SQL_NOT_SELECT", f"this is {kind.name}", fix)
    for node in _nodes(sql):
        name = str(node.get("function_name", "")).lower()
        if name.startswith(_FORBIDDEN_FUNCTIONS):
            raise CaseworkError("SQL_FORBIDDEN_FUNCTION", f"{name} reaches outside the case", fix)
        part = str(node.get("type", ""))
        if part.endswith("_NODE") and part not in _READING_NODES:
            raise CaseworkError("SQL_NOT_SELECT", f"a part of this is {part.split('_')[0]}", fix)
    return sql


def _nodes(sql: str) -> Iterator[dict[str, Any]]:
    """Every node of the parsed statement."""
    ((text,),) = scan("SELECT json_serialize_sql($sql)", {"sql": sql})
    stack: list[Any] = [json.loads(text)]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
