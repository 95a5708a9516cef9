"""Are the buckets filled as a hash that mixes fills them, and is the salt the experiment's own?

Experiments that share a salt deal their units to the same buckets: what one did to its treatment
is a difference between the arms of the next (Kohavi et al., Five puzzling outcomes, KDD 2012).
"""

import math
from typing import Any, NamedTuple

from casework.case import Query
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._dealing import TOLERATED, Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.composition import independence
from casework.stats.occupancy import Occupancy, occupancy
from casework.stats.sample_ratio import seed_collision
from casework.visible import shorten
from casework.words import count, number, p_value, share

_EVEN, _UNEVEN = 0.9999, 1e-4
_NAMED = 3
_MOST = 1_000_000
"""Buckets that a hash may have; beyond, the log holds hashes and no buckets."""

Row = dict[str, Any]

OTHER_BUCKETS = Query(
    "other_buckets",
    """
    SELECT DISTINCT bucket FROM dealt
    WHERE bucket IS NOT NULL AND arm NOT IN ($control, $treatment) ORDER BY bucket
    """,
    "Buckets of the arms that are not compared.",
    uses=(q.DEALT,),
)

ACCOUNT_BUCKETS = Query(
    "account_buckets",
    """
    SELECT bucket, count(DISTINCT coalesce(account_id, unit_id)) FILTER (WHERE treated) AS treated,
           count(DISTINCT coalesce(account_id, unit_id)) FILTER (WHERE NOT treated) AS control
    FROM exposed WHERE bucket IS NOT NULL AND NOT set_apart GROUP BY bucket ORDER BY bucket
    """,
    "Accounts by bucket and arm.",
    uses=(q.EXPOSED,),
)

SALTS = Query(
    "salts",
    """
    SELECT experiment, min(salt) AS salt, max(salt) AS last_salt, min(assigned_at) AS first
    FROM assignments WHERE salt IS NOT NULL GROUP BY experiment ORDER BY first, experiment
    """,
    "Salts of the experiments, and when the first unit of each was assigned.",
)

SHARED_ARMS = Query(
    "shared_arms",
    """
    SELECT e.treated, o.arm, count(*) AS units
    FROM exposed AS e JOIN (
        SELECT unit_id, min_by(arm, (assigned_at, arm)) AS arm
        FROM assignments WHERE experiment = $other GROUP BY unit_id
    ) AS o ON o.unit_id = e.unit_id
    WHERE NOT e.set_apart GROUP BY e.treated, o.arm ORDER BY e.treated, o.arm
    """,
    "Units of both experiments by their arms in each.",
    uses=(q.EXPOSED,),
)


class Filling(NamedTuple):
    """How the buckets of the compared arms are filled.

    Attributes:
        found: the test.
        step: greatest common divisor of the distances between the buckets that are filled.
        of: what fills them, `units` or `accounts`.
        query: that counted them.
    """

    found: Occupancy
    step: int
    of: str
    query: Query


def filling_of(ask: Inquiry, compared: Comparison, dealing: Dealing) -> Filling | None:
    """Test how the buckets are filled; None where none is logged."""
    query = ACCOUNT_BUCKETS if dealing.accounts else q.BUCKETS
    rows = ask.ask(query, **compared.params)
    if not rows or rows[-1]["bucket"] - rows[0]["bucket"] >= _MOST:
        return None
    found = occupancy(_groups(rows, dealing, _others(ask, compared)))
    step = math.gcd(*(row["bucket"] - rows[0]["bucket"] for row in rows))
    return Filling(found, step, "accounts" if dealing.accounts else "units", query)


def said_filling(ask: Inquiry, filling: Filling) -> Finding:
    """Record and say how many buckets hold anything, and how evenly."""
    found, query = filling.found, filling.query
    ask.measure("bucket_uniformity_p", found.p, "p", query, n=found.n)
    ask.measure("buckets_filled", found.filled, "count:buckets", query, n=found.n)
    measures = ("bucket_uniformity_p", "buckets_filled")
    return Finding(_said_filling(filling), measures, (ask.evidence_id(query),))


def _others(ask: Inquiry, compared: Comparison) -> set[int]:
    """Buckets of arms that are not compared."""
    arms = {row["arm"] for row in ask.ask(q.ARMS, experiment=compared.experiment)}
    if arms <= {compared.control, compared.treatment}:
        return set()
    return {row["bucket"] for row in ask.ask(OTHER_BUCKETS, **compared.params)}


def _groups(rows: list[Row], dealing: Dealing, others: set[int]) -> list[list[int]]:
    """Counts by bucket of each arm, or of both together where buckets do not rule the arm.

    An empty bucket is of the arm that holds the next ones below and above it.
    """
    arms: tuple[tuple[str, ...], ...] = (("control",), ("treated",))
    if dealing.conflicts is None or dealing.conflicts > TOLERATED:
        arms = (("control", "treated"),)
    groups: list[list[int]] = [[] for _ in arms]
    held = {row["bucket"]: [sum(row[name] for name in names) for names in arms] for row in rows}
    held |= {bucket: [] for bucket in others - held.keys()}
    last: tuple[int, list[int]] | None = None
    for bucket in sorted(held):
        of = [i for i, n in enumerate(held[bucket]) if n]
        if last and last[1] == of:
            for i in of:
                groups[i] += [0] * (bucket - last[0] - 1)
        for i in of:
            groups[i].append(held[bucket][i])
        last = bucket, of
    return [group for group in groups if group]


def _said_filling(filling: Filling) -> str:
    found, step = filling.found, filling.step
    said = (
        f"Of the {count(found.buckets, 'buckets')} of the arms {number(found.filled)} hold "
        f"{count(found.n, filling.of)}"
    )
    if found.filled < found.buckets:
        said += f", where chance fills {number(found.expected)}"
        if step > 1:
            said += f"; all lie {number(step)} apart, as a remainder of ids with a common step does"
    if found.p is None:
        return f"{said}; too few to say how evenly."
    if found.p > _EVEN:
        return (
            f"{said}. They are filled more evenly than chance allows ({p_value(found.p)}), as ids "
            "dealt in turn do and a hash that mixes does not."
        )
    how = "unevenly, as a hash that mixes does not" if found.p < _UNEVEN else "as chance fills them"
    return f"{said}. They are filled {how} ({p_value(found.p)})."


def said_salts(ask: Inquiry, compared: Comparison) -> tuple[Finding, ...]:
    """Name the experiments with the salt of this one, and whether their arms go together."""
    if len(ask.ask(q.EXPERIMENTS)) < 2:
        return ()
    rows = ask.ask(SALTS)
    own = next((row for row in rows if row["experiment"] == compared.experiment), None)
    if own is None:
        return ()
    salts = {own["salt"], own["last_salt"]}
    same = [row for row in rows
            if row is not own and salts & {row["salt"], row["last_salt"]}]  # fmt: skip
    asked = [ask.evidence_id(SALTS)]
    if not same:
        alone = f"None of {count(len(rows) - 1, 'other experiments')} with a salt has that of "
        return (Finding(f"{alone}{shorten(compared.experiment, 60)}.", (), tuple(asked)),)
    said = [_said_same(ask, compared, own, row) for row in same[:_NAMED]]
    asked += [ask.evidence_id(ask.recorded(SHARED_ARMS, **_with(compared, row)))
              for row in same[:_NAMED]]  # fmt: skip
    if len(same) > _NAMED:
        said.append(f"{number(len(same) - _NAMED)} more")
    text = f"The salt of {shorten(compared.experiment, 60)} is that of {'; of '.join(said)}."
    return (Finding(text + _said_chance(rows), (), tuple(asked)),)


def _with(compared: Comparison, other: Row) -> dict[str, Any]:
    return compared.params | {"other": other["experiment"]}


def _said_same(ask: Inquiry, compared: Comparison, own: Row, other: Row) -> str:
    """Say whether the other experiment was the earlier one, and whether its arms are these."""
    name = shorten(other["experiment"], 60)
    when = ""
    if own["first"] and other["first"]:
        before, after = other["first"] < own["first"], other["first"] > own["first"]
        when = f", {'the earlier' if before else 'a later' if after else 'a simultaneous'} one"
    rows = ask.ask(SHARED_ARMS, **_with(compared, other))
    units = sum(row["units"] for row in rows)
    if not units:
        return f"{name}{when}, which has none of these units"
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    table = [[sum(r["units"] for r in rows if r["treated"] is treated and r["arm"] == arm)
              for arm in arms] for treated in (False, True)]  # fmt: skip
    test = independence(table)
    if test is None:
        return f"{name}{when}; the {count(units, 'units')} of both are in one arm of either"
    shares = [[cell / max(1, sum(row)) for cell in row] for row in table]
    k = max(range(len(arms)), key=lambda i: shares[1][i] - shares[0][i])
    return (
        f"{name}{when}; of the {count(units, 'units')} of both {share(shares[1][k])} of "
        f"{shorten(compared.treatment, 40)} and {share(shares[0][k])} of "
        f"{shorten(compared.control, 40)} were in its arm {shorten(arms[k], 40)} "
        f"({p_value(test.p)} for arms that do not depend on each other)"
    )


def _said_chance(rows: list[Row]) -> str:
    """Say how likely it is that two salts agree, where they are whole numbers of a known range."""
    salts = [row["salt"] for row in rows]
    if not all(salt.isascii() and salt.isdigit() and len(salt) < 16 for salt in salts):
        return ""
    low, high = min(map(int, salts)), max(map(int, salts))
    if low == high:
        return ""
    chance = seed_collision(high - low + 1, len(salts))
    return (
        f" All {number(len(salts))} salts are whole numbers from {low} to {high}: of so many drawn "
        f"at random from there, two agree with a chance of {share(chance)}."
    )
