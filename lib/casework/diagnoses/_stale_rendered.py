"""Whether the prompts that the runs rendered moved with the configuration."""

from collections.abc import Iterator
from typing import Any

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._stale_runs import FIRSTS, RUNS
from casework.findings import Finding
from casework.words import count, number

RENDERED = Query(
    "rendered",
    """
    SELECT w.is_blind, count(DISTINCT w.run_id) AS runs, count(*) AS prompts,
           count(*) FILTER (WHERE a.prompt_text = b.prompt_text) AS same,
           avg(length(a.prompt_text)) AS characters, avg(length(b.prompt_text)) AS characters_before
    FROM (
        SELECT r.run_id, coalesce(r.ended_at < f.evaluated_at, TRUE) AS is_blind, o.run_before
        FROM (SELECT began_at, evaluated_at, last_served, prompt_name
              FROM firsts WHERE config = $config) AS f
        JOIN runs AS r
          ON r.started_at >= f.began_at AND r.ended_at <= coalesce(f.evaluated_at, f.last_served)
         AND (r.prompt_name IS NULL OR f.prompt_name = '' OR r.prompt_name = f.prompt_name)
        JOIN (SELECT e.suite, max_by(e.run_id, e.ended_at) AS run_before
              FROM runs AS e
              JOIN firsts AS g
                ON g.config = $config AND e.ended_at <= g.began_at
               AND (e.prompt_name IS NULL OR g.prompt_name = '' OR e.prompt_name = g.prompt_name)
              GROUP BY e.suite) AS o ON o.suite = r.suite
    ) AS w
    JOIN eval_samples AS a ON a.run_id = w.run_id
    JOIN eval_samples AS b
      ON b.run_id = w.run_before AND b.item_id = a.item_id
     AND b.epoch IS NOT DISTINCT FROM a.epoch AND b.condition IS NOT DISTINCT FROM a.condition
    WHERE a.prompt_text IS NOT NULL AND b.prompt_text IS NOT NULL
    GROUP BY w.is_blind ORDER BY w.is_blind DESC
    """,
    "Prompts as rendered for the same items in the last run before the configuration began and in "
    "the runs after, up to its first valid one: how many are the same text, and how long they are.",
    uses=(FIRSTS, RUNS),
)


def by_rendered(ask: Inquiry, worst: dict[str, Any]) -> Iterator[Finding]:
    """Say how many prompts of the runs that came after are those of the run before."""
    if not ask.case.filled("eval_samples", ("prompt_text",)):
        return
    rows = ask.ask(RENDERED, **worst)
    told = "; ".join(_said(row) for row in rows)
    for row in rows:
        name = "prompts_unmoved" if row["is_blind"] else "prompts_unmoved_when_scored"
        ask.measure(name, row["same"] / row["prompts"], "share:prompts", RENDERED, n=row["prompts"])
    if told:
        names = ("prompts_unmoved", "prompts_unmoved_when_scored")
        yield Finding(
            "The prompts that the runs rendered, against those of the same items in the last run "
            f"before it began: {told}.",
            tuple(name for name in names if name in ask.measures),
            (ask.evidence_id(RENDERED),),
        )


def _said(row: dict[str, Any]) -> str:
    when = "completed while it was unscored" if row["is_blind"] else "that first scored it"
    length, before = number(row["characters"]), number(row["characters_before"])
    return (
        f"in {count(row['runs'], 'runs')} {when} {number(row['same'])} of "
        f"{count(row['prompts'], 'prompts')} are the same text (mean length {length} characters, "
        f"{before} before)"
    )
