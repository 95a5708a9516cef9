"""Which experiment ran over the changes of the substrate, and which models it uses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from casework.case import Query
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._substrate import Change, Line
from casework.diagnoses._substrate_sums import COMPARED
from casework.errors import unknown_name
from casework.words import count

RAN = Query(
    "ran",
    """
    SELECT experiment, units, opened_at, arms_retrieving / arms AS arms_retrieving,
           units_retrieving / units AS units_retrieving,
           (SELECT min(occurred_at) FROM config_events
            WHERE key = 'rollout:' || experiment AND occurred_at > opened_at
              AND TRY_CAST(replace(new_value, '%', '') AS DOUBLE) >= 100) AS closed_at
    FROM (SELECT experiment, count(DISTINCT unit_id) AS units, min(assigned_at) AS opened_at,
                 count(DISTINCT arm) AS arms,
                 count(DISTINCT arm) FILTER (
                     WHERE arm IN (SELECT arm FROM candidates WHERE arm IS NOT NULL)
                 ) AS arms_retrieving,
                 count(DISTINCT unit_id) FILTER (
                     WHERE unit_id IN (SELECT r.user_id FROM candidates AS c
                                       JOIN requests AS r ON r.request_id = c.request_id
                                       WHERE r.user_id IS NOT NULL)
                 ) AS units_retrieving
          FROM assignments GROUP BY experiment)
    ORDER BY units DESC, experiment
    """,
    "Experiments, when they ran, and the share of their arms and units that candidates name.",
)

USED = Query(
    "used",
    """
    SELECT embedding_model AS model, count(*) FILTER (WHERE is_own) AS own,
           count(*) FILTER (WHERE is_own IS NULL) AS unassigned
    FROM (SELECT c.embedding_model,
                 CASE WHEN c.arm IS NOT NULL THEN c.arm IN ($control, $treatment)
                      WHEN r.user_id IS NOT NULL
                      THEN r.user_id IN (SELECT unit_id FROM compared) END AS is_own
          FROM candidates AS c LEFT JOIN requests AS r ON r.request_id = c.request_id
          WHERE c.embedding_model IS NOT NULL
          UNION ALL
          SELECT response_model, TRUE FROM requests
          WHERE response_model IS NOT NULL AND user_id IN (SELECT unit_id FROM compared))
    GROUP BY model ORDER BY model
    """,
    "Models in the candidates and requests of the units that are compared.",
    uses=(COMPARED,),
)


def usual(ask: Inquiry, changes: Sequence[Change]) -> str | None:
    """The experiment to judge where none is given.

    The one whose arms candidates were retrieved for, then whose units, then one that ran over a
    change, then the largest.
    """
    rows = ask.ask(RAN)
    if not rows:
        return None
    best = max(
        rows,
        key=lambda row: (
            row["arms_retrieving"], row["units_retrieving"], _ran_over(row, changes), row["units"]
        ),
    )  # fmt: skip
    return str(best["experiment"])


def not_judged(ask: Inquiry, experiment: str, changes: Sequence[Change]) -> tuple[str, ...]:
    """Name the other experiments that ran over the changes, and how to judge them."""
    others = [
        f"{row['experiment']} ({count(row['units'], 'units')})"
        for row in ask.ask(RAN)
        if row["experiment"] != experiment and _ran_over(row, changes)
    ]
    if not others:
        return ()
    more = f" and {count(len(others) - 5, 'others')}" if len(others) > 5 else ""
    return (
        f"Ran over changes of the substrate too, and not judged: {', '.join(others[:5])}{more}. "
        "Name one to judge it: --set substrate_rotation.experiment=NAME.",
    )


def told(
    ask: Inquiry, params: dict[str, Any], given: str | None, lines: Sequence[Line]
) -> tuple[str, ...]:
    """Models that the experiment uses, as given or as its candidates and requests name them.

    Candidates of no arm and no user tell where no others do.

    Raises:
        UsageError: texts of the given model were not embedded again and again.
    """
    if given is not None:
        known = [model for line in lines for model in line.models]
        if given not in known:
            raise unknown_name("embedding_model", given, known)
        return (given,)
    rows = ask.ask(USED, **params)
    own = tuple(row["model"] for row in rows if row["own"])
    return own or tuple(row["model"] for row in rows if row["unassigned"])


def _ran_over(row: dict[str, Any], changes: Sequence[Change]) -> bool:
    opened: datetime | None = row["opened_at"]
    closed: datetime | None = row["closed_at"]
    return any(
        (opened is None or opened < one.ended) and (closed is None or one.started < closed)
        for one in changes
    )
