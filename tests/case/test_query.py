"""An evidence query: whole text, its parameters, and the tables that it reads."""

import pytest
import sqlglot
from sqlglot import exp
from tests.diagnoses.test_house_rules import queries

from casework.case import Query
from casework.tables import ALL

TABLES = {table.name for table in ALL}
A = Query("a", "SELECT unit_id FROM units WHERE tier = $tier")
B = Query("b", "SELECT a.unit_id FROM a JOIN outcomes o USING (unit_id)", uses=(A,))
C = Query("c", "SELECT count(*) FROM b, a WHERE $least < 1", uses=(A, B))


def test_the_parts_stand_once_and_before_what_reads_them() -> None:
    assert [part.id for part in C.parts()] == ["a", "b"]
    assert C.text().startswith("WITH a AS (\nSELECT unit_id")
    assert C.text().count("FROM units") == 1
    assert C.text(frozenset({"a", "b"})) == C.sql


def test_parameters_are_those_that_the_whole_text_names() -> None:
    assert C.parameters({"tier": "x", "least": 0, "other": 1}) == {"tier": "x", "least": 0}


@pytest.mark.parametrize(("name", "query"), queries().items(), ids=lambda value: str(value)[:40])
def test_the_tables_of_a_query_are_those_that_a_parser_sees(name: str, query: Query) -> None:
    """They say which exhibits an answer rests on."""
    tree = sqlglot.parse_one(query.text(), read="duckdb")
    seen = {table.name for table in tree.find_all(exp.Table)}
    assert seen & TABLES == set(query.tables()) & TABLES
