"""Corrections that one person gave to many prompts: one text, pasted again and again."""

from dataclasses import dataclass

from casework.case import Query
from casework.diagnoses._debug_labels import CLASSED
from casework.diagnoses._debug_origins import Known, Origins
from casework.diagnoses._debug_rows import LINKED
from casework.diagnoses._in_order import in_order
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.estimates import Estimate, wilson
from casework.words import count, share, spread

PASTED = Query(
    "pasted",
    """
    SELECT l.clicker, lower(trim(t.chosen)) AS said
    FROM linked AS l JOIN training_rows AS t ON t.row_id = l.row_id
    WHERE t.dataset = $dataset AND l.clicker IS NOT NULL AND trim(t.chosen) LIKE '% % % %'
    GROUP BY l.clicker, lower(trim(t.chosen)) HAVING count(DISTINCT t.prompt) >= 5
    """,
    "Corrections of four words and more that one person gave to five prompts or more. Short ones "
    "may be the only answers that there are.",
    uses=(LINKED,),
)

CANNED = Query(
    "canned",
    """
    SELECT l.row_id, l.weight
    FROM linked AS l
    JOIN training_rows AS t ON t.row_id = l.row_id
    JOIN pasted AS p ON p.clicker = l.clicker AND p.said = lower(trim(t.chosen))
    WHERE t.dataset = $dataset
    """,
    "Rows with such a correction.",
    uses=(LINKED, PASTED),
)

CANNED_ROWS = Query(
    "canned_rows",
    f"""
    SELECT count(*) AS rows, coalesce({in_order("sum", "c.weight")}, 0) AS weight,
           count(l.bad) AS labelled, coalesce({in_order("sum", "l.bad")}, 0) AS bad,
           (SELECT count(*) FROM linked WHERE clicker IS NOT NULL AND NOT has_no_answer) AS told
    FROM canned AS c
    LEFT JOIN (SELECT row_id, sum(CASE WHEN list_contains($corrections, label) THEN 0
                                       ELSE share END) AS bad
               FROM classed GROUP BY row_id) AS l ON l.row_id = c.row_id
    """,  # noqa: S608  the text is put together of constants
    "Rows and weight of these corrections, what raters say of those that are labelled, and rows "
    "with a correction of somebody who is named.",
    uses=(LINKED, CANNED, CLASSED),
)


@dataclass(frozen=True, slots=True)
class Canned:
    """Rows whose correction was pasted; `bad` is the share of the labelled ones that is none."""

    rows: int
    weight: float
    bad: Estimate | None


def find_canned(ask: Inquiry, known: Known, origins: Origins) -> Canned | None:
    """Count corrections that one person gave to many prompts, and record them.

    Returns:
        None where no row has both a correction and somebody named who gave it.
    """
    found = ask.one(CANNED_ROWS, **known)
    bad = wilson(round(found["bad"]), found["labelled"]) if found["labelled"] else None
    can = found["told"] > 0
    weight = min(1.0, float(found["weight"]) / origins.weight)
    ask.measure("screen_canned", weight if can else None, "share:rows", CANNED_ROWS,
                n=origins.rows)  # fmt: skip
    ask.estimate("canned_contamination", bad, "share:rows", CANNED_ROWS)
    return Canned(found["rows"], weight, bad) if can else None


def canned_limits(canned: Canned | None, origins: Origins) -> tuple[str, ...]:
    """Say why corrections that were pasted could not be told."""
    if canned or origins.is_unknown:
        return ()
    return (
        "Whether one correction was pasted to many prompts is not known: no row has both a "
        "correction and feedback that names who gave it.",
    )


def canned_finding(ask: Inquiry, canned: Canned | None) -> tuple[Finding, ...]:
    """Say how many corrections were pasted, and what raters call them."""
    if canned is None or not canned.rows:
        return ()
    e = canned.bad
    judged = "none of them is labelled"
    if e:
        judged = (
            f"of {count(e.n, 'labelled ones')} {spread(e.value, (e.low, e.high), 'share')} are no "
            "corrections"
        )
    return (
        Finding(
            f"In {count(canned.rows, 'rows')}, {share(canned.weight)} of the weight, one person "
            f"gave the same correction to five prompts or more; {judged}.",
            ("screen_canned", "canned_contamination"),
            (ask.evidence_id(CANNED_ROWS),),
        ),
    )
