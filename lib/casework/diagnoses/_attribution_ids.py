"""Whether ids of decisions are numbered, and how many of the numbers are of no record."""

from typing import Any

from casework.case import Query
from casework.diagnoses._in_force import DECIDED
from casework.diagnoses._inquiry import Inquiry

_DIGITS = "regexp_extract(request_id, '[0-9]{1,18}$')"
_NUMBERED = f"""SELECT left(request_id, len(request_id) - len({_DIGITS})) AS stem,
                 TRY_CAST({_DIGITS} AS BIGINT) AS number"""

SEQUENCES = Query(
    "sequences",
    f"""
    SELECT stem, min(number) AS first, max(number) AS last, count(DISTINCT number) AS ids
    FROM ({_NUMBERED}
          FROM decided)
    GROUP BY stem HAVING count(DISTINCT number) > 1
    """,  # noqa: S608  the text is put together of constants
    "Numbers at the end of the ids of decisions, by what stands before them.",
    uses=(DECIDED,),
)

SEQUENCE = Query(
    "sequence",
    f"""
    SELECT sum(ids) AS ids, sum(last - first + 1) AS expected,
           (SELECT count(*)
            FROM (SELECT DISTINCT n.stem, n.number
                  FROM ({_NUMBERED}
                        FROM requests) AS n
                  JOIN sequences AS s
                    ON s.stem = n.stem AND n.number BETWEEN s.first AND s.last)) AS recorded
    FROM sequences
    """,  # noqa: S608  the text is put together of constants
    "Numbers at the end of the ids of decisions, how many there would be without gaps, and how "
    "many of these are of any record, of a decision or not. What stands before a number says of "
    "which sequence it is.",
    uses=(SEQUENCES,),
)


def measure_ids(ask: Inquiry, total: int, known: dict[str, Any]) -> None:
    """Measure the missing ids, where four of five are numbered and gaps at most half as many."""
    ids = ask.one(SEQUENCE, **known)
    numbered = ids["ids"] and ids["ids"] >= 0.8 * total and ids["expected"] <= 1.5 * ids["ids"]
    ask.measure("missing_ids", ids["expected"] - ids["recorded"] if numbered else None,
                "count:ids", SEQUENCE, n=ids["expected"] if numbered else None)  # fmt: skip
