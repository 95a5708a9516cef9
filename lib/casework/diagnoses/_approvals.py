"""Approvals of registered versions: how long each took, and what its approver did before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casework.case import Query
from casework.diagnoses._days import zone_of
from casework.diagnoses._registry import PRESENCE
from casework.diagnoses._registry_traffic import TRAFFIC
from casework.stats.approvals import rank_p_each, reading_time_s, unusual_hour_p
from casework.stats.multiplicity import benjamini_hochberg

APPROVED = Query(
    "approved",
    """
    SELECT v.model, v.version, v.checkpoint, v.aliases, v.eval_run_id, v.run_id, v.source_uri,
           regexp_replace(lower(v.checkpoint), '^sha256:', '') AS digest, v.owner,
           v.requested_by, v.requested_at, v.approved_by, v.approved_at, v.review_words,
           coalesce(json_extract_string(v.attributes, '$.on_behalf_of'),
                    json_extract_string(v.attributes, '$.tags.on_behalf_of')) AS on_behalf_of
    FROM model_versions AS v
    WHERE v.approved_at IS NOT NULL AND v.approved_by IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY v.model, v.version
                               ORDER BY v.approved_at, v.locator) = 1
    """,
    "Versions that were approved, each once.",
)

OBJECTS = Query(
    "objects",
    """
    SELECT model, version, lower(object) AS object
    FROM (
        SELECT model, version, unnest(list_value(
            checkpoint, model, concat(model, ':', version), concat(model, '/', version),
            concat('models:/', model, '/', version), eval_run_id, run_id, source_uri)) AS object
        FROM approved
        UNION ALL SELECT model, version, unnest(aliases) FROM approved
        UNION ALL SELECT a.model, a.version, unnest(t.endpoints)
        FROM approved AS a JOIN traffic AS t ON t.digest = a.digest
    )
    WHERE object IS NOT NULL GROUP BY 1, 2, 3
    """,
    "By which names an approved version, its evaluation and its endpoints may be looked at or run.",
    uses=(TRAFFIC, APPROVED),
)

ENGAGED = Query(
    "engaged",
    """
    SELECT a.model, a.version, count(*) AS times, max(e.occurred_at) AS last,
           min(e.person) AS person
    FROM approved AS a
    JOIN objects AS o ON o.model = a.model AND o.version = a.version
    JOIN engagements AS e
      ON lower(e.object) = o.object
     AND lower(e.person) IN (lower(a.approved_by), lower(a.on_behalf_of))
    WHERE e.occurred_at <= a.approved_at
      AND e.occurred_at >= coalesce(a.requested_at, a.approved_at)
                           - INTERVAL 1 DAY * $engagement_days
      AND lower(e.kind) NOT IN ('approve', 'approval', 'approved')
    GROUP BY a.model, a.version
    """,
    "What the approver, or whom they stood in for, did with the version before the approval.",
    uses=(APPROVED, OBJECTS),
)

APPROVALS = Query(
    "approvals",
    """
    SELECT a.model, a.version, a.digest, t.requests, a.requested_by, a.requested_at, a.approved_by,
           a.on_behalf_of, a.approved_at, epoch(a.approved_at) - epoch(a.requested_at) AS delay_s,
           a.review_words, p.timezone, n.times AS engagements, n.person AS engaged,
           n.last AS engaged_at,
           (SELECT min(occurred_at) FROM engagements) <= coalesce(a.requested_at, a.approved_at)
               AND (SELECT max(occurred_at) FROM engagements)
                   >= coalesce(a.requested_at, a.approved_at) - INTERVAL 1 DAY * $engagement_days
               AS engagement_covered,
           regexp_matches(concat(' ', lower(split_part(a.approved_by, '@', 1)), ' '),
               '[^a-z](bot|svc|service|ci|cd|robot|pipeline|automation|automated|system)[^a-z]')
               OR regexp_matches(lower(split_part(a.approved_by, '@', 1)),
               '(^|[^a-z. ])gates?([^a-z]|$)')
               OR regexp_matches(concat(' ', coalesce(lower(p.team), ''), ' '),
               '[^a-z](bots|robots|automation|services?.accounts?)[^a-z]') AS automated,
           coalesce(r.ended_at <= a.approved_at
               AND regexp_replace(lower(r.checkpoint), '^sha256:', '') = a.digest, false)
               AS gate_passed,
           coalesce(t.first < a.approved_at, false) AS served_before
    FROM approved AS a
    LEFT JOIN traffic AS t ON t.digest = a.digest
    LEFT JOIN presence AS p ON p.person = lower(a.approved_by)
    LEFT JOIN engaged AS n ON n.model = a.model AND n.version = a.version
    LEFT JOIN eval_runs AS r ON r.run_id = a.eval_run_id
    ORDER BY a.approved_at, a.model, a.version
    """,
    "Each approval: its delay, what there was to read, and what came before it.",
    uses=(TRAFFIC, PRESENCE, APPROVED, ENGAGED),
)

PARTS: Mapping[str, str] = {
    "below": "below reading time",
    "below, engaged": "below reading time, engaged before",
    "long enough": "reading time or longer",
    "on gates": "automated, gates passed",
    "automated": "automated, no gate on record",
    "not known": "delay or length not recorded",
}
"""How an approval stands to the time that reading takes, in the order in which it is drawn."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval as it was found.

    Attributes:
        row: of the query `approvals`.
        reading_s: seconds that reading what was submitted takes; None where its length or the
            request is not recorded.
        local: when it was given, in the approver's time zone; None where that is not known.
        rank_p, hour_p: ranks of the delay and of the local hour among the approver's others.
    """

    row: Mapping[str, Any]
    reading_s: float | None
    local: datetime | None
    rank_p: float | None
    hour_p: float | None

    @property
    def approver(self) -> str:
        """Who gave it, in one spelling."""
        return _one_spelling(self.row)

    @property
    def is_live(self) -> bool:
        """Whether the version served live traffic."""
        return bool(self.row["requests"])

    @property
    def delay_s(self) -> float | None:
        """Seconds from the request to the approval; None if not recorded or not in this order."""
        delay = self.row["delay_s"]
        return delay if delay is not None and delay >= 0 else None

    @property
    def is_timed(self) -> bool:
        """Whether it can be set against reading: both the delay and the length are recorded."""
        return self.delay_s is not None and self.reading_s is not None

    @property
    def is_below(self) -> bool:
        """Whether a person approved in less time than reading takes."""
        quick = self.is_timed and (self.delay_s or 0.0) < (self.reading_s or 0.0)
        return quick and not self.row["automated"]

    @property
    def is_engaged(self) -> bool | None:
        """Whether the approver looked at it or ran it before; None where no log covers the time."""
        if self.row["engagements"]:
            return True
        return False if self.row["engagement_covered"] else None

    @property
    def part(self) -> str:
        """Key of `PARTS`."""
        if self.row["automated"]:
            return "on gates" if self.row["gate_passed"] else "automated"
        if not self.is_timed:
            return "not known"
        if not self.is_below:
            return "long enough"
        return "below, engaged" if self.is_engaged else "below"

    @property
    def has_no_evidence(self) -> bool:
        """Whether nothing shows a review: too quick to read, and nothing done before."""
        return self.is_below and self.is_engaged is False

    @property
    def is_open(self) -> bool:
        """Whether a person gave it, and what is recorded does not tell if anything shows a review.

        Too quick to read, and no log of what was done before; or nothing done before, and the
        delay or the length is not recorded.
        """
        quick = self.is_below and self.is_engaged is None
        alone = not self.is_timed and self.is_engaged is False
        return (quick or alone) and not self.row["automated"]


def judge_approvals(rows: Sequence[Mapping[str, Any]], words_per_minute: float) -> list[Approval]:
    """Set each approval against the time that reading takes and its approver's others."""
    locals_ = [_local(row) for row in rows]
    ranks: dict[int, float] = {}
    hours: dict[int, float] = {}
    for approver in {_one_spelling(row) for row in rows}:
        own = [i for i, row in enumerate(rows) if _one_spelling(row) == approver]
        timed = [i for i in own if rows[i]["delay_s"] is not None and rows[i]["delay_s"] >= 0]
        ranks |= dict(zip(timed, rank_p_each([rows[i]["delay_s"] for i in timed]), strict=True))
        placed = [(i, at) for i in own if (at := locals_[i]) is not None]
        found = unusual_hour_p([at.hour + at.minute / 60 for _, at in placed])
        hours |= dict(zip((i for i, _ in placed), found, strict=True))
    return [
        Approval(
            row=row,
            reading_s=None
            if row["review_words"] is None
            else reading_time_s(row["review_words"], words_per_minute),
            local=locals_[i],
            rank_p=ranks.get(i),
            hour_p=hours.get(i),
        )
        for i, row in enumerate(rows)
    ]


def adjusted_ranks(approvals: Sequence[Approval]) -> list[float]:
    """Rank p-values of the delays of live versions, adjusted for how many they are."""
    live = [a for a in approvals if a.is_live and a.rank_p is not None and not a.row["automated"]]
    return benjamini_hochberg([a.rank_p for a in live if a.rank_p is not None])


def _one_spelling(row: Mapping[str, Any]) -> str:
    return str(row["approved_by"]).lower()


def _local(row: Mapping[str, Any]) -> datetime | None:
    zone = zone_of(row["timezone"])
    return row["approved_at"].astimezone(zone) if zone else None
