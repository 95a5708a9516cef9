"""How far the sources of an attribution agree, and what order they leave for the clocks.

The rule of the alias is held against the digests on records. A replica answers with a digest only
while it runs it, so the first and the last answer with each bound the offset between the clock of
the records and that of the deployment log (Cristian, Distributed Computing 1989).
"""

from collections.abc import Iterator
from typing import Any

from casework.case import Query
from casework.diagnoses._attribution import GRADED
from casework.diagnoses._in_force import DECIDED, REPLICA_HISTORY
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.agreement import cohen_kappa
from casework.stats.estimates import Estimate, clopper_pearson, upper_if_none
from casework.visible import shorten
from casework.words import count, duration, number, share, spread

SOURCES = Query(
    "sources",
    """
    SELECT grade, by_alias, checkpoint, count(*) AS decisions
    FROM graded WHERE grade IN ('A', 'B') AND by_alias IS NOT NULL
    GROUP BY grade, by_alias, checkpoint ORDER BY grade, decisions DESC, by_alias, checkpoint
    LIMIT 10000
    """,
    "Decisions known by record (A) or replica (B), by that checkpoint and by that of the alias.",
    uses=(GRADED,),
)

STAMPED_HOURS = Query(
    "stamped_hours",
    """
    SELECT replica, region, checkpoint, CAST(floor(epoch(occurred_at) / 3600) AS BIGINT) AS hour,
           min(greatest(occurred_at, ended_at)) AS first_done, max(occurred_at) AS last_begun,
           count(*) AS decisions
    FROM decided
    WHERE checkpoint IS NOT NULL AND replica IN (SELECT replica FROM deployments)
    GROUP BY replica, region, checkpoint, CAST(floor(epoch(occurred_at) / 3600) AS BIGINT)
    """,
    "The first answer and the last begun that are stamped with each digest, by replica and hour.",
    uses=(DECIDED,),
)

CLOCK_BOUNDS = Query(
    "clock_bounds",
    """
    SELECT replica, site AS region, CAST(sum(decisions) AS BIGINT) AS decisions,
           count(DISTINCT valid_from) AS runs, max(epoch(last_begun) - epoch(until)) AS low_s,
           min(epoch(first_done) - epoch(valid_from)) AS high_s
    FROM (
        SELECT s.*, h.site, h.valid_from, coalesce(h.valid_until, h.next_from) AS until,
               greatest(epoch(h.valid_from) - 3600 * (s.hour + 1), 3600 * s.hour
                   - coalesce(epoch(h.valid_until), epoch(h.next_from), 3600 * s.hour), 0) AS gap_s
        FROM stamped_hours AS s
        JOIN replica_history AS h
          ON h.replica = s.replica AND h.checkpoint = s.checkpoint
         AND (h.site IS NULL OR h.site = s.region)
        WINDOW nearest AS (PARTITION BY s.replica, s.region, s.checkpoint, s.hour ORDER BY gap_s)
        QUALIFY row_number() OVER nearest = 1 AND coalesce(lead(gap_s) OVER nearest > gap_s, TRUE)
    )
    GROUP BY replica, site ORDER BY replica, site LIMIT 2000
    """,
    "Seconds by which the clock of the records of each replica may be ahead of the deployment log: "
    "the digest that a decision is stamped with ran then. Each hour counts for the nearest run of "
    "its digest; one that is as near to two tells nothing.",
    uses=(STAMPED_HOURS, REPLICA_HISTORY),
)

NEVER_DEPLOYED = Query(
    "never_deployed",
    """
    SELECT CAST(sum(decisions) AS BIGINT) AS stamped,
           CAST(sum(decisions) FILTER (WHERE NOT is_deployed) AS BIGINT) AS decisions
    FROM (SELECT replica, decisions, (replica, checkpoint) IN (
                     SELECT (replica, checkpoint) FROM deployments) AS is_deployed
          FROM stamped_hours)
    """,
    "Decisions stamped with a digest on replicas with a deployment log, and those whose digest "
    "that log never has, in no region.",
    uses=(STAMPED_HOURS,),
)


def measure_sources(ask: Inquiry, known: dict[str, Any]) -> None:
    """Measure the error of the alias rule, agreement, and bounds of the clocks."""
    rows = ask.ask(SOURCES, **known)
    stamped = [row for row in rows if row["grade"] == "A"]
    n = sum(row["decisions"] for row in stamped)
    k = sum(row["decisions"] for row in stamped if row["by_alias"] != row["checkpoint"])
    ask.estimate("alias_error_rate", _error(k, n), "share:decisions", SOURCES)
    ask.estimate("alias_kappa", _kappa(rows), "score", SOURCES)
    _measure_clocks(ask, known)


def _measure_clocks(ask: Inquiry, known: dict[str, Any]) -> None:
    ask.case.hold(STAMPED_HOURS, **known)
    bounds = ask.ask(CLOCK_BOUNDS, **known)
    ask.measure("clock_bounds", bounds, "table", CLOCK_BOUNDS, n=len(bounds))
    least = max((max(0.0, *_ends(row)) for row in bounds), default=None)
    ask.measure("clock_offset_least_s", least, "s", CLOCK_BOUNDS,
                n=sum(row["decisions"] for row in bounds))  # fmt: skip
    stamps = ask.one(NEVER_DEPLOYED, **known)
    never = stamps["decisions"] or 0
    ask.measure("stamps_never_deployed", never if stamps["stamped"] else None, "count:decisions",
                NEVER_DEPLOYED, n=stamps["stamped"])  # fmt: skip
    ask.case.release(STAMPED_HOURS)


def _error(k: int, n: int) -> Estimate | None:
    if not n:
        return None
    return clopper_pearson(k, n) if k else Estimate(0.0, 0.0, upper_if_none(n), n)


def _kappa(rows: list[dict[str, Any]]) -> Estimate | None:
    names = sorted({row[by] for row in rows for by in ("by_alias", "checkpoint")})
    place = {name: i for i, name in enumerate(names)}
    table = [[0] * len(names) for _ in names]
    for row in rows:
        table[place[row["by_alias"]]][place[row["checkpoint"]]] += row["decisions"]
    return cohen_kappa(table) if len(names) > 1 else None


def _ends(row: dict[str, Any]) -> tuple[float, float]:
    """How far ahead, and how far behind, the clock of a replica is at least; below 0 if neither."""
    low = row["low_s"]
    return -row["high_s"] if low is None else low, -row["high_s"]


def _is_empty(row: dict[str, Any]) -> bool:
    return row["low_s"] is not None and row["low_s"] > row["high_s"]


def of_sources(ask: Inquiry) -> Iterator[Finding]:
    """State how often the alias errs where the record tells, and which clocks do not fit."""
    error, kappa = ask.measures["alias_error_rate"], ask.measures["alias_kappa"]
    said = []
    if error.n:
        _, high = error.ci95 or (0.0, 1.0)
        said.append(
            f"Of {count(error.n, 'decisions')} whose digest is on the record the alias alone would "
            f"have named another checkpoint in {share(error.value)} (at most {share(high)}); it "
            "holds for the others as far as those with a digest are like them."
        )
    if kappa.n:
        said.append(
            f"The alias and what record or replica say agree beyond chance to a kappa of "
            f"{spread(kappa.value, kappa.ci95, kappa.unit)}, n = {count(kappa.n, 'decisions')}."
        )
    if said:
        yield Finding(
            " ".join(said), ("alias_error_rate", "alias_kappa"), (ask.evidence_id(SOURCES),)
        )
    yield from _of_clocks(ask)
    yield from _of_strangers(ask)


def _of_clocks(ask: Inquiry) -> Iterator[Finding]:
    rows = ask.measures["clock_bounds"].value
    said = ask.measures["clock_error_s"].value
    beyond = [row for row in rows if max(_ends(row)) > said]
    if rows:
        yield Finding(
            _beyond(beyond, len(rows), said) if beyond else _within(rows, said),
            ("clock_bounds", "clock_offset_least_s"),
            (ask.evidence_id(CLOCK_BOUNDS),),
        )


def _within(rows: list[dict[str, Any]], said: float) -> str:
    """Say that the stated error explains the order, and what the order leaves possible."""
    closed = [row for row in rows if row["low_s"] is not None and not _is_empty(row)]
    wide = max((max(-row["low_s"], row["high_s"]) for row in closed), default=None)
    least = "" if wide is None else (
        f"; on {number(len(closed))} of them it leaves none beyond {duration(wide)} possible"
    )  # fmt: skip
    stepped = sum(map(_is_empty, rows))
    no_one = "" if not stepped else (
        f" On {number(stepped)} of them no constant offset fits, but each decision does within "
        "that error."
    )  # fmt: skip
    return (
        f"On {count(len(rows), 'replicas')} the order of stamped decisions and deployments "
        f"contradicts no clock error of {duration(said)}{least}.{no_one}"
    )


def _beyond(rows: list[dict[str, Any]], replicas: int, said: float) -> str:
    """Say that decisions lie further outside than the stated error explains."""
    worst = max(rows, key=lambda row: max(_ends(row)))
    return (
        f"On {number(len(rows))} of {count(replicas, 'replicas')} decisions are stamped with a "
        f"digest outside the time in which the deployment log has it run, by up to "
        f"{duration(max(_ends(worst)))} (replica {shorten(worst['replica'], 40)}), beyond the "
        f"clock error of {duration(said)}; on {number(sum(map(_is_empty, rows)))} of them no "
        "constant offset explains it. Clocks, or times in the log, are off: the zones may be too "
        "narrow."
    )


def _of_strangers(ask: Inquiry) -> Iterator[Finding]:
    """State how many decisions are stamped with what their replica never ran by its log."""
    never = ask.measures["stamps_never_deployed"]
    if never.value:
        yield Finding(
            f"Of {count(never.n or 0, 'decisions')} stamped on replicas with a deployment log, the "
            f"log of the replica never has the digest of {number(never.value)}. These bound no "
            "clock; the log is incomplete, or the stamps are wrong.",
            ("stamps_never_deployed",),
            (ask.evidence_id(NEVER_DEPLOYED),),
        )
