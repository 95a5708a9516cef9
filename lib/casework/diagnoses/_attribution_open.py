"""What a question about two checkpoints is worth while decisions are open: the worst cases."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from casework.case import Query
from casework.diagnoses._attribution import GRADED, POSSIBLE
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.rate_bounds import Group, difference_bounds
from casework.visible import shorten
from casework.words import count, number, share

_OUTCOMES, _CHECKPOINTS = 5, 6

WITHOUT_CANDIDATE = Query(
    "without_candidate",
    """
    SELECT decision, count(*) AS decisions
    FROM graded WHERE grade = 'E' AND decision IS NOT NULL GROUP BY decision
    ORDER BY decisions DESC, decision LIMIT 10000
    """,
    "Outcomes of the decisions without any candidate: each checkpoint may have made them.",
    uses=(GRADED,),
)

COMPARED = Query(
    "compared",
    f"""
    SELECT k.decision, k.distinct_outcomes, p.checkpoint,
           CAST(coalesce(sum(p.definite) FILTER (WHERE p.decision = k.decision), 0) AS BIGINT)
               AS yes,
           CAST(sum(p.definite) AS BIGINT) AS definite,
           CAST(coalesce(sum(p.ambiguous) FILTER (WHERE p.decision = k.decision), 0) AS BIGINT)
               AS open_yes,
           CAST(sum(p.ambiguous) AS BIGINT) AS open
    FROM (SELECT decision, count(*) OVER () AS distinct_outcomes
          FROM (SELECT decision, definite FROM possible WHERE decision IS NOT NULL
                UNION ALL
                SELECT decision, 0 FROM without_candidate)
          GROUP BY decision ORDER BY sum(definite) DESC, decision LIMIT {_OUTCOMES}) AS k
    CROSS JOIN possible AS p
    WHERE p.decision IS NOT NULL AND p.checkpoint IN (
        SELECT checkpoint FROM possible WHERE decision IS NOT NULL GROUP BY checkpoint
        HAVING sum(definite) > 0 ORDER BY sum(definite) DESC, checkpoint LIMIT {_CHECKPOINTS})
    GROUP BY k.decision, k.distinct_outcomes, p.checkpoint
    ORDER BY sum(p.definite) DESC, p.checkpoint, yes DESC, k.decision
    """,  # noqa: S608  the text is put together of constants
    f"How often each checkpoint took each of the {_OUTCOMES} commonest outcomes, for certain and "
    f"perhaps, of the {_CHECKPOINTS} checkpoints with most decisions.",
    uses=(POSSIBLE, WITHOUT_CANDIDATE),
)


def measure_differences(ask: Inquiry, total: int, known: dict[str, Any]) -> None:
    """Measure the differences between checkpoints, with every open decision assigned both ways."""
    rows = ask.ask(COMPARED, **known)
    nameless = {row["decision"]: row["decisions"] for row in ask.ask(WITHOUT_CANDIDATE, **known)}
    compared = _compare(rows, nameless)
    ask.measure("outcome_differences", compared, "table", COMPARED, n=total)
    unsure = sum(row["low"] <= 0 <= row["high"] and row["low"] < row["high"] for row in compared)
    ask.measure("outcome_differences_unsure", unsure if compared else None, "count:differences",
                COMPARED, n=len(compared))  # fmt: skip


def _compare(
    rows: Sequence[Mapping[str, Any]], nameless: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Compare the checkpoints by two for each outcome, the largest difference first.

    Of two outcomes the rarer one is told, as the other says the same; one alone says nothing.
    """
    outcomes = list(dict.fromkeys(row["decision"] for row in rows))
    if not rows or rows[0]["distinct_outcomes"] < 2:
        return []
    if rows[0]["distinct_outcomes"] == 2:
        outcomes = [min(outcomes, key=lambda name: _taken(rows, name))]
    everywhere = sum(nameless.values())
    found = []
    for outcome in outcomes:
        of = {row["checkpoint"]: row for row in rows if row["decision"] == outcome}
        loose = nameless.get(outcome, 0)
        groups = {name: Group(row["yes"], row["definite"] - row["yes"], row["open_yes"] + loose,
                              row["open"] - row["open_yes"] + everywhere - loose)
                  for name, row in of.items()}  # fmt: skip
        for first, second in combinations(groups, 2):
            a, b = groups[first], groups[second]
            low, high = difference_bounds(a, b)
            found.append({
                "decision": outcome, "first": first, "second": second, "first_rate": a.rate,
                "first_decisions": a.yes + a.no, "second_rate": b.rate,
                "second_decisions": b.yes + b.no, "difference": a.rate - b.rate, "low": low,
                "high": high,
            })  # fmt: skip
    return sorted(found, key=lambda row: (-abs(row["difference"]), row["decision"], row["first"],
                                          row["second"]))  # fmt: skip


def _taken(rows: Sequence[Mapping[str, Any]], outcome: str) -> tuple[int, str]:
    return sum(row["yes"] for row in rows if row["decision"] == outcome), outcome


def of_differences(ask: Inquiry, open_ones: int) -> Iterator[Finding]:
    """State the largest difference, and how far the open decisions could move it."""
    rows = ask.measures["outcome_differences"].value
    if not rows or not open_ones:
        return
    row, unsure = rows[0], ask.measures["outcome_differences_unsure"].value
    names = [shorten(row[name].removeprefix("sha256:"), 12) for name in ("first", "second")]
    yield Finding(
        f"{names[0]} decided {shorten(row['decision'], 40)} in {share(row['first_rate'])} of "
        f"{count(row['first_decisions'], 'decisions')} and {names[1]} in "
        f"{share(row['second_rate'])} of {number(row['second_decisions'])}, the largest of "
        f"{count(len(rows), 'differences')} between checkpoints. However the "
        f"{count(open_ones, 'open decisions')} are assigned, it lies between "
        f"{number(100 * row['low'])} and {number(100 * row['high'])} points; the sign of "
        f"{number(unsure)} of the {number(len(rows))} is open.",
        ("outcome_differences", "outcome_differences_unsure"),
        (ask.evidence_id(COMPARED), ask.evidence_id(WITHOUT_CANDIDATE)),
    )
