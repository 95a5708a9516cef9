"""Unsafe prompts that stand in the training rows whole or nearly, not letter by letter alone.

A prompt that was trained on speaks of itself alone. Training rows wrap a prompt in a template, or
change a word: words are compared as in `casework.stats.texts`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from casework.case import Query
from casework.diagnoses import _alignment as q
from casework.diagnoses._alignment_changes import repeats_of
from casework.diagnoses._alignment_rivals import points
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.boilerplate import without_boilerplate
from casework.stats.repeats import change
from casework.stats.shingles import distinct
from casework.stats.texts import match
from casework.stats.tokens import tokenise
from casework.words import count, number

_MOST = 50_000
"""Training rows that are compared, drawn by the hash of their ids where there are more."""
_NEARLY = 2

PROMPTS = Query(
    "unsafe_prompts",
    """
    SELECT r.suite, s.item_id, max(s.input_text) AS text
    FROM eval_samples AS s JOIN eval_runs AS r ON r.run_id = s.run_id
    WHERE s.kind = 'unsafe' AND s.input_text IS NOT NULL AND list_contains($tuned_runs, s.run_id)
      AND coalesce(s.condition, 'as_run') = 'as_run'
    GROUP BY r.suite, s.item_id ORDER BY r.suite, s.item_id
    """,
    "The texts of the unsafe prompts.",
)

ROWS = Query(
    "rows_trained_on",
    """
    SELECT prompt AS text FROM training_rows WHERE prompt IS NOT NULL
    ORDER BY hash(dataset, row_id) LIMIT $most
    """,
    "The prompts of the training rows, at most so many of them.",
)

UNTRAINED = Query(
    "untrained",
    f"""
    SELECT {q.SUMS} FROM probes
    WHERE kind = 'unsafe'
      AND NOT list_contains(CAST($trained AS VARCHAR[]), suite || ' ' || item_id)
    """,  # noqa: S608  the text is put together of constants
    "Refusal of both checkpoints on the unsafe prompts that are not among those named.",
    uses=(q.PROBES,),
)


def measure_trained(
    ask: Inquiry, reasons: Mapping[str, Any], known: dict[str, Any]
) -> tuple[Finding, ...]:
    """Measure the prompts in the training rows and the change without them; state any that are."""
    prompts = ask.case.arrow(PROMPTS, **known) if reasons["training_rows"] else None
    if prompts is None or not prompts.num_rows:
        ask.measure("prompts_trained_on", None, "count:prompts", q.REASONS)
        return ()
    rows = ask.case.arrow(ROWS, most=_MOST)
    names = zip(prompts["suite"].to_pylist(), prompts["item_id"].to_pylist(), strict=True)
    standing = _standing(prompts["text"], rows["text"])
    trained = [f"{suite} {item}" for (suite, item), one in zip(names, standing, strict=True) if one]
    row = ask.one(UNTRAINED, **known, trained=trained)
    ask.measure("prompts_trained_on", len(trained), "count:prompts", UNTRAINED, n=prompts.num_rows)
    left = change(repeats_of(row)) if row["n"] else None
    ask.estimate("refusal_change_untrained", left, "points", UNTRAINED)
    if not trained:
        return ()
    without = f"without them the change as labelled is {points(left)}" if left else "none is left"
    drawn = ""
    if rows.num_rows < reasons["training_rows"]:
        all_rows = number(reasons["training_rows"])
        drawn = f" {number(rows.num_rows)} of {all_rows} training rows were compared."
    return (
        Finding(
            f"{count(len(trained), 'unsafe prompts')} of {number(prompts.num_rows)} stand in the "
            f"training rows, whole or nearly; {without}.{drawn}",
            ("prompts_trained_on", "refusal_change_untrained"),
            (ask.evidence_id(UNTRAINED),),
        ),
    )


def _standing(prompts: Any, rows: Any) -> list[bool]:
    """Whether each prompt stands in one of the rows, whole or nearly."""
    asked, documents = tokenise(prompts), tokenise(rows)
    first, text = distinct(asked)
    documents = documents.take(distinct(documents)[0])
    found = match(without_boilerplate(asked.take(first), documents), documents)
    near = np.unique(found.item[(found.tier >= 1) & (found.tier <= _NEARLY)])
    return [bool(one) for one in np.isin(text, near)]
