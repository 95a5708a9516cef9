"""Whose thumbs stand apart from those of their peers, and how many rows of the set are theirs."""

from dataclasses import dataclass

from casework.case import Query
from casework.diagnoses._debug_origins import Known, Origins
from casework.diagnoses._debug_rows import LINKED
from casework.diagnoses._in_order import in_order
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.peers import FEWEST, Peers, compare_with_peers
from casework.words import count, number, share

_LEVEL = 0.05

GIVERS = Query(
    "thumb_givers",
    f"""
    SELECT t.clicker AS person, t.downs, t.events, r.rows, r.weight
    FROM (SELECT clicker, count(*) FILTER (WHERE signal = -1) AS downs, count(*) AS events
          FROM (SELECT coalesce(user_id, session_id) AS clicker,
                       coalesce(request_id, correction, comment, feedback_id) AS about,
                       min(signal) AS signal
                FROM feedback WHERE coalesce(user_id, session_id) IS NOT NULL
                GROUP BY coalesce(user_id, session_id),
                         coalesce(request_id, correction, comment, feedback_id))
          GROUP BY clicker HAVING count(*) >= 5) AS t
    LEFT JOIN (SELECT clicker, count(*) AS rows, {in_order("sum", "weight")} AS weight
               FROM linked WHERE clicker IS NOT NULL GROUP BY clicker) AS r ON r.clicker = t.clicker
    """,  # noqa: S608  the text is put together of constants
    "People with thumbs about five things or more: how many were down, and their rows of the set. "
    "Thumbs of one person about the same thing count once.",
    uses=(LINKED,),
)

NAMED = Query(
    "named_givers",
    "SELECT count(*) AS events FROM feedback WHERE coalesce(user_id, session_id) IS NOT NULL",
    "Feedback that names a person or a session.",
)

RATES = Query(
    "thumb_rates",
    f"""
    SELECT downs, events, count(*) AS people, coalesce(sum(rows), 0) AS rows,
           coalesce({in_order("sum", "weight")}, 0) AS weight
    FROM thumb_givers GROUP BY downs, events ORDER BY events, downs
    """,  # noqa: S608  the text is put together of constants
    "People by how many of their thumbs were down.",
    uses=(GIVERS,),
)

APART = Query(
    "thumbs_apart",
    """
    SELECT person, downs, events, coalesce(rows, 0) AS rows, coalesce(weight, 0) AS weight
    FROM thumb_givers
    WHERE list_contains($outlying, CAST(downs AS VARCHAR) || '/' || CAST(events AS VARCHAR))
    ORDER BY weight DESC, events DESC, person LIMIT 200
    """,
    "People whose thumbs stand apart from those of their peers, those with most weight first.",
    uses=(GIVERS,),
)


@dataclass(frozen=True, slots=True)
class Thumbs:
    """People against their peers. `peers` is None where nothing can be compared: `why` says so.

    Attributes:
        peers: how the share of thumbs down varies between people.
        outliers: people whose share stands apart.
        rows: rows of the set that are theirs.
        weight: their share of the weight of the set.
        why: what is missing.
    """

    peers: Peers | None
    outliers: int = 0
    rows: int = 0
    weight: float = 0.0
    why: str = ""


def weigh_thumbs(ask: Inquiry, known: Known, origins: Origins) -> Thumbs:
    """Compare each person's share of thumbs down with that of the others, and record it."""
    ask.case.hold(GIVERS, **known)
    rates = ask.ask(RATES, **known)
    peers = compare_with_peers([(row["downs"], row["events"], row["people"]) for row in rates])
    people = sum(row["people"] for row in rates)
    named = people > 0 or ask.one(NAMED)["events"] > 0
    found = Thumbs(None, why=_why(people, named, not any(row["downs"] for row in rates)))
    table = None
    if peers:
        apart = {f"{row['downs']}/{row['events']}": (row, p, q) for row, p, q
                 in zip(rates, peers.p, peers.q, strict=True) if q < _LEVEL}  # fmt: skip
        rows = [row for row, _, _ in apart.values()]
        found = Thumbs(
            peers,
            outliers=sum(row["people"] for row in rows),
            rows=sum(row["rows"] for row in rows),
            weight=min(1.0, float(sum(row["weight"] for row in rows)) / origins.weight),
        )
        if apart:
            table = [
                {**row, "share": row["downs"] / row["events"], "of_peers": peers.mean,
                 **dict(zip(("p", "q"), apart[f"{row['downs']}/{row['events']}"][1:], strict=True))}
                for row in ask.ask(APART, **known, outlying=list(apart))
            ]  # fmt: skip
    ask.case.release(GIVERS)
    by = APART if table else RATES
    ask.measure("thumb_outliers", found.outliers if peers else None, "count:people", RATES,
                n=people)  # fmt: skip
    ask.measure("thumb_outlier_share", found.weight if peers else None, "share:rows", RATES,
                n=origins.rows)  # fmt: skip
    ask.measure("thumbs_down_of_peers", peers.mean if peers else None, "share:thumbs", RATES,
                n=people)  # fmt: skip
    ask.measure("thumbs_apart", table, "table", by, n=people)
    return found


def thumbs_finding(ask: Inquiry, thumbs: Thumbs) -> tuple[Finding, ...]:
    """Say how many people stand apart, and what of the set is theirs."""
    if not thumbs.peers or not thumbs.outliers:
        return ()
    return (
        Finding(
            f"Of {count(thumbs.peers.people, 'people')} with thumbs about five things or more, "
            f"{number(thumbs.outliers)} {'stands' if thumbs.outliers == 1 else 'stand'} apart "
            f"from the others. Over all of these people {share(thumbs.peers.mean)} of a person's "
            f"thumbs are down on average; {count(thumbs.rows, 'rows')} of the set, "
            f"{share(thumbs.weight)} of its weight, are theirs.",
            ("thumb_outliers", "thumb_outlier_share", "thumbs_down_of_peers", "thumbs_apart"),
            (ask.evidence_id(RATES), ask.evidence_id(APART)),
        ),
    )


def thumbs_limits(thumbs: Thumbs, origins: Origins) -> tuple[str, ...]:
    """Say why nobody's thumbs could be compared with those of others."""
    if thumbs.peers or origins.is_unknown:
        return ()
    return (f"Nobody's thumbs are compared with those of their peers: {thumbs.why}.",)


def _why(people: int, named: bool, only_up: bool) -> str:
    if not named:
        return "no feedback names who gave it"
    if people < FEWEST:
        who = count(people, "people") if people else "nobody"
        return f"{who} gave thumbs about five things or more, and {FEWEST} such people are needed"
    return f"all of theirs are {'up' if only_up else 'down'}"
