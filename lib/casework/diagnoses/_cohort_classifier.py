# ruff: noqa: S608  the text varies with the number of covariates, never with their names
"""Can a classifier tell the arms apart by what was known of the units before exposure?

The re-hash test sees means, covariate by covariate; this sees spreads, shapes and combinations too,
and what is known of the units of one arm alone.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from casework.case import Query
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._cohort_sums import PROFILE, significant
from casework.diagnoses._dealing import Dealing
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding
from casework.stats.classifier import LEAST, MOST, ToldApart, tell_apart
from casework.visible import shorten
from casework.words import count, number, p_value, spread

_CELLS = 4_096
_SEGMENTS = ("tier", "region")
_NAMED = 3


class Told(NamedTuple):
    """How well the arms are told apart; None with too few of either arm.

    Attributes:
        found: accuracy, p, and how much each covariate adds.
        names: of the covariates, in the order of `found.falls`.
        n: sampled rows, as many of each arm.
        query: that sampled them.
        of: what they are, `units` or `accounts`.
    """

    found: ToldApart | None
    names: tuple[str, ...]
    n: int
    query: Query
    of: str


def sampled(sources: Sequence[str]) -> Query:
    """Units of whole cells of a fresh salt; one of each account where these were dealt whole.

    Ids may be in order of time, so that they are mixed before the last cell is cut.
    """
    columns = ", ".join(f"{significant(sql)} AS x{i}" for i, sql in enumerate(sources, start=1))
    return Query(
        "sampled",
        f"""
    SELECT p.treated, coalesce(e.account_id, e.unit_id) AS account, e.tier, e.region, {columns}
    FROM profile AS p JOIN exposed AS e ON e.unit_id = p.unit_id
    WHERE NOT p.set_apart
        AND p.cell < CASE WHEN p.treated THEN $cells_treated ELSE $cells_control END
    QUALIFY $dealt_by <> 'account_id' OR row_number() OVER (
        PARTITION BY p.treated, coalesce(e.account_id, e.unit_id)
        ORDER BY md5(p.unit_id), p.unit_id) = 1
    ORDER BY p.cell, md5(p.unit_id), p.unit_id
    """,
        "A sample of both arms with what was known before exposure, for the classifier.",
        uses=(q.EXPOSED, PROFILE),
    )


def tell_arms(
    ask: Inquiry,
    compared: Comparison,
    dealing: Dealing,
    covariates: tuple[Sequence[str], Sequence[str]],
    params: dict[str, Any],
    seed: int,
) -> Told:
    """Sample as many of each arm, and learn to tell them apart.

    Args:
        ask: the inquiry.
        compared: what is compared.
        dealing: how it was dealt.
        covariates: their names, and the SQL of each.
        params: parameters of the queries.
        seed: of the classifier.
    """
    names, sources = covariates
    query, of = sampled(sources), "accounts" if dealing.accounts else "units"
    names = (*names, *_SEGMENTS)
    sizes = dealing.accounts.compared if dealing.accounts else _sizes(ask, compared)
    most = min(*sizes, MOST // 2)
    told = Told(None, tuple(names), 0, query, of)
    if most < LEAST:
        return told
    control, treated = (min(_CELLS, math.ceil(_CELLS * most / size)) for size in sizes)
    rows = ask.ask(query, **params, cells_control=control, cells_treated=treated)
    arms = [[row for row in rows if row["treated"] is arm] for arm in (False, True)]
    each = min(most, *map(len, arms))
    kept = [row for arm in arms for row in arm[:each]]
    columns = [[row[f"x{i}"] for row in kept] for i in range(1, len(sources) + 1)]
    columns += [_codes([row[segment] for row in kept]) for segment in _SEGMENTS]
    values = [[math.nan if x is None else x for x in row] for row in zip(*columns, strict=True)]
    second, groups = [row["treated"] for row in kept], [row["account"] for row in kept]
    return told._replace(found=tell_apart(values, second, groups, seed), n=len(kept))


BEYOND_MEANS = (
    "Clean is said of means; a classifier tells the arms apart by what means do not show, such as "
    "spreads, shapes, combinations, or what is known of one arm alone."
)


def is_told(told: Told | None) -> bool:
    """Whether the classifier does better than guessing."""
    return told is not None and told.found is not None and bool(told.found.falls)


def said_told(ask: Inquiry, told: Told) -> Finding:
    """Record and say how well the arms are told apart, and by which covariates."""
    found, of = told.found, told.of
    if found is None:
        return Finding(
            f"Whether a classifier tells the arms apart was not tried: it takes {LEAST} {of} of "
            "each arm."
        )
    accuracy = found.accuracy
    ask.estimate("classifier_accuracy", accuracy, f"share:{of} held out", told.query)
    ask.measure("classifier_p", found.p, "p", told.query, n=accuracy.n)
    measures = ["classifier_accuracy", "classifier_p"]
    said = (
        f"A classifier that learnt from half of {count(told.n, of)}, as many of each arm, names the"
        f" arm of {spread(accuracy.value, (accuracy.low, accuracy.high), 'share')} of the other "
        f"{number(accuracy.n)} by what was known before exposure, where guessing names 50 % "
        f"({p_value(found.p)})"
    )
    if not found.falls:
        said += ": no combination of covariates was found that sets the arms apart."
        return Finding(said, tuple(measures), (ask.evidence_id(told.query),))
    ranked = sorted(zip(found.falls, told.names, strict=True), key=lambda pair: -pair[0])
    rows = [{"covariate": name, "fall": fall} for fall, name in ranked]
    ask.measure("classifier_covariates", rows, "table", told.query, n=accuracy.n)
    measures.append("classifier_covariates")
    carried = [f"{shorten(name, 40)} by {number(100 * fall, 2)} points"
               for fall, name in ranked[:_NAMED] if fall > 0.005]  # fmt: skip
    said += f". Shuffled, {', '.join(carried)} would lower that" if carried else ""
    return Finding(f"{said}.", tuple(measures), (ask.evidence_id(told.query),))


def _codes(names: Sequence[str | None]) -> list[int | None]:
    """A number for each name, as trees part numbers."""
    code = {name: i for i, name in enumerate(sorted({name for name in names if name is not None}))}
    return [None if name is None else code[name] for name in names]


def _sizes(ask: Inquiry, compared: Comparison) -> tuple[int, int]:
    arms = {row["treated"]: row["units"] - row["set_apart"]
            for row in ask.ask(q.SET_APART, **compared.params)}  # fmt: skip
    return arms.get(False, 0), arms.get(True, 0)
