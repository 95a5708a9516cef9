"""Which artifacts are on record, which of them are in use, and which one is judged.

The links of every artifact in use are followed: it is the one that nobody can rebuild that has no
rebuilds. Scores of rebuilds are weighed for the artifact that is judged alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casework.case import Query
from casework.diagnoses import _closure as q
from casework.diagnoses._closure_weighed import Weighed, weigh
from casework.diagnoses._environments import outside_tests
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name
from casework.findings import Verdict

_KNOWN = Query(
    "known_names",
    """
    SELECT DISTINCT unnest(list_value(run_id, 'runs:/' || run_id, model || ':' || version,
                                      model || '/' || version,
                                      'models:/' || model || '/' || version)) AS name, checkpoint
    FROM model_versions WHERE checkpoint IS NOT NULL
    """,
    "Digests by the names of their version in the registry and of their training run.",
)

_POINTED_AT = Query(
    "pointed_at",
    """
    SELECT checkpoint
    FROM (
        SELECT checkpoint, valid_until,
               row_number() OVER (PARTITION BY alias, region ORDER BY valid_from DESC) AS turn
        FROM alias_events
        UNION ALL
        SELECT checkpoint, valid_until,
               row_number() OVER (PARTITION BY replica ORDER BY valid_from DESC)
        FROM deployments
    )
    WHERE turn = 1 AND valid_until IS NULL
    UNION
    SELECT checkpoint FROM model_versions
    WHERE checkpoint IS NOT NULL
      AND (lower(stage) IN ('production', 'prod') OR len(aliases) > 0)
    """,
    "Digests that an alias, a replica or the registry has in production in the end.",
)

ARTIFACTS = Query(
    "artifacts",
    f"""
    SELECT a.artifact, a.inputs, a.rebuilds, max(coalesce(s.requests, 0)) AS requests,
           max(coalesce(s.accounts, 0)) AS accounts, bool_or(e.checkpoint IS NOT NULL) AS aliased,
           bool_or(s.checkpoint IS NOT NULL OR u.checkpoint IS NOT NULL) AS in_use
    FROM (
        SELECT artifact, CAST(sum(inputs) AS BIGINT) AS inputs,
               CAST(sum(rebuilds) AS BIGINT) AS rebuilds
        FROM (
            SELECT artifact, count(*) AS inputs, 0 AS rebuilds
            FROM artifact_inputs GROUP BY artifact
            UNION ALL
            SELECT artifact, 0, count(DISTINCT rerun_id) FROM reruns GROUP BY artifact
        )
        GROUP BY artifact
    ) AS a
    LEFT JOIN known_names AS k ON k.name = a.artifact
    LEFT JOIN (
        SELECT checkpoint, count(DISTINCT request_id) AS requests,
               count(DISTINCT account_id) AS accounts
        FROM requests
        WHERE checkpoint IN (
                SELECT coalesce(o.checkpoint, r.artifact)
                FROM (SELECT artifact FROM artifact_inputs UNION SELECT artifact FROM reruns) AS r
                LEFT JOIN known_names AS o ON o.name = r.artifact)
          AND {outside_tests("environment")}
        GROUP BY checkpoint
    ) AS s ON s.checkpoint = coalesce(k.checkpoint, a.artifact)
    LEFT JOIN (SELECT DISTINCT checkpoint FROM alias_events) AS e
      ON e.checkpoint = coalesce(k.checkpoint, a.artifact)
    LEFT JOIN pointed_at AS u ON u.checkpoint = coalesce(k.checkpoint, a.artifact)
    GROUP BY a.artifact, a.inputs, a.rebuilds
    ORDER BY a.rebuilds > 0 DESC, requests DESC, aliased DESC, in_use DESC, a.inputs DESC,
             a.artifact
    """,  # noqa: S608  the text is put together of constants
    "Artifacts whose inputs or rebuilds are on record, the requests outside tests that each served "
    "by the digest on the record, and whether it is in use.",
    uses=(_KNOWN, _POINTED_AT),
)

OTHER_INPUTS = Query(
    "other_inputs",
    """
    SELECT artifact, kind, uri, digest, pin, retrievable, verified_at, owner
    FROM artifact_inputs WHERE list_contains($names, artifact)
    ORDER BY artifact, kind, uri, digest
    """,
    "The inputs on record of the other artifacts in use.",
)

_WORST: tuple[Verdict, ...] = ("confirmed", "supported", "inconclusive", "clean", "not_testable")


@dataclass(frozen=True, slots=True)
class Choice:
    """The artifact that is judged.

    Attributes:
        row: of the query `artifacts`.
        others: the other artifacts in use, of which the links were followed.
        unjudged: how many more are on record.
    """

    row: Mapping[str, Any]
    others: Sequence[Weighed]
    unjudged: int


def choose(
    ask: Inquiry, asked: str | None, margin: float | None, alpha: float, seed: int
) -> Choice:
    """Take the artifact asked for, else the one whose verdict is worst.

    That is the one with rebuilds that serves most, or else has most inputs; unless a critical link
    of another artifact in use is broken, no record holds it, and the verdict of that is worse.

    Raises:
        UsageError: what is asked for is not on record.
    """
    listed = ask.ask(ARTIFACTS)
    known = {row["artifact"]: row for row in listed}
    if asked is not None and asked not in known:
        raise unknown_name("artifact", asked, list(known))
    first = listed[0]["artifact"] if asked is None else asked
    looked = Inquiry(ask.case, ask.diagnosis)  # what is not judged leaves no evidence
    seen = {row["name"] for row in looked.ask(q.NAMES, artifact=first)}
    others: list[Weighed] = []
    for row in listed:
        if row["in_use"] and row["artifact"] not in seen:
            others.append(weigh(looked, row["artifact"], margin, alpha, seed))
            seen |= set(others[-1].names)
    chosen = first
    failing = [one for one in others if one.chain.broken and one.verdict in _WORST[:2]]
    if asked is None and failing:
        own = weigh(looked, first, margin, alpha, seed)
        worst = min([own, *failing], key=lambda one: _WORST.index(one.verdict))
        serving = [own] if known[first]["in_use"] else []
        others = [one for one in [*serving, *others] if one is not worst]
        chosen = worst.artifact
    if asked is None:
        ask.infer("artifact", None, chosen)
    followed = {row["name"] for row in looked.ask(q.NAMES, artifact=chosen)}
    followed |= {name for one in others for name in one.names}
    left = sum(row["artifact"] not in followed for row in listed)
    return Choice(known[chosen], others, left)
