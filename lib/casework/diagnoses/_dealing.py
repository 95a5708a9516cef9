"""How an experiment dealt its units: was it a hash that mixes, and does the log agree with it?"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from casework.case import Query
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._inquiry import Inquiry
from casework.stats.buckets import bucket_count, buckets, mixes
from casework.stats.composition import independence

Mechanism = Literal["mixing", "non_mixing", "unknown"]

_DEPENDENT = 1e-4
TOLERATED = 0.001
_SHARED, _STRADDLE = 20, 0.05
_COHORT_DAYS = (("year", 730), ("quarter", 180), ("month", 60), ("week", 14))

RECOMPUTED = Query(
    "recomputed",
    """
    SELECT d.unit_id, u.account_id, coalesce(d.salt, '') AS salt, d.bucket
    FROM dealt AS d LEFT JOIN units AS u ON u.unit_id = d.unit_id
    WHERE d.bucket IS NOT NULL AND d.algorithm = $algorithm
    """,
    "Buckets as they were logged, with what they are computed from.",
    uses=(q.DEALT,),
)


class Accounts(NamedTuple):
    """Accounts in control and treatment: those of units that are compared, and all of them."""

    compared: tuple[int, int]
    everyone: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Dealing:
    """How the units were dealt.

    Attributes:
        mechanism: `mixing` only where every compared unit has a bucket that could be recomputed.
        mismatch: share of logged buckets that the named hash does not give; None if unknown.
        accounts: how many there are in the arms, where they were dealt whole; else None.
        conflicts: share of units whose arm is not that of their bucket; None without buckets.
        bucket_share: share of the buckets in use that are the treatment's.
        cohort_p: p-value of sign-up cohort by arm; None without sign-up times.
        bucket_p: p-value of sign-up cohort by bucket, over all buckets.
        cohort: length of the sign-up cohorts; None where there are none to compare.
        signed_up: compared units whose sign-up is known.
    """

    mechanism: Mechanism
    mismatch: float | None
    recomputed: int
    accounts: Accounts | None
    conflicts: float | None
    bucket_share: float | None
    cohort_p: float | None
    bucket_p: float | None
    cohort: str | None
    signed_up: int

    @property
    def dealt_by(self) -> str:
        """What the dealing went by: `unit_id`, or `account_id` where accounts were dealt whole."""
        return "account_id" if self.accounts else "unit_id"

    @property
    def verified(self) -> bool:
        """Whether the log proves a hash that mixes: every bucket recomputes, each has one arm."""
        exact = self.mismatch is not None and self.mismatch <= TOLERATED
        ruled = self.conflicts is not None and self.conflicts <= TOLERATED
        return self.mechanism == "mixing" and exact and ruled


def examine(ask: Inquiry, compared: Comparison) -> Dealing:
    """Recompute the buckets, and test them and the arms against sign-up cohorts."""
    params = compared.params
    accounts = ask.one(q.ACCOUNTS, **params)
    algorithm, mismatch, recomputed, by_hash = _recompute(ask, compared)
    by_account = by_hash == "account_id" or _are_whole(accounts)
    sign_ups = ask.one(q.SIGN_UPS, **params)
    cohort = _cohort(sign_ups)
    arms_by_bucket = ask.ask(q.BUCKETS, **params)
    cohort_p = _cohort_by_arm(ask, params, cohort)
    bucket_p = _cohort_by_bucket(ask, params, cohort)
    exact = mismatch is not None and mismatch <= TOLERATED
    if exact and not mixes(algorithm):
        mechanism: Mechanism = "non_mixing"
    elif exact and _is_whole(ask, compared, algorithm, arms_by_bucket):
        mechanism = "mixing"
    else:
        seen = [p for p in (cohort_p, bucket_p) if p is not None]
        dependent = any(p < _DEPENDENT or p > 1 - _DEPENDENT for p in seen)
        mechanism = "non_mixing" if dependent else "unknown"
    return Dealing(
        mechanism=mechanism,
        mismatch=mismatch,
        recomputed=recomputed,
        accounts=_accounts(ask, params) if by_account else None,
        conflicts=_conflicts(arms_by_bucket),
        bucket_share=_bucket_share(arms_by_bucket),
        cohort_p=cohort_p,
        bucket_p=bucket_p,
        cohort=cohort,
        signed_up=sign_ups["units"],
    )


def _are_whole(accounts: dict[str, Any]) -> bool:
    """Whether far fewer accounts straddle the arms than if units were dealt one by one.

    A few straddle where accounts were dealt, too: after a merger, or where a user moved.
    """
    shared, both = accounts["shared_accounts"], accounts["in_both_arms"]
    return bool(shared >= _SHARED and both <= _STRADDLE * accounts["expected_in_both"])


def _is_whole(
    ask: Inquiry, compared: Comparison, algorithm: str, by_bucket: list[dict[str, Any]]
) -> bool:
    """Whether all compared units have a bucket of that hash: others may be there by a list."""
    named = ask.ask(q.ALGORITHMS, experiment=compared.experiment)
    own: int = sum(row["with_bucket"] for row in named if row["algorithm"] == algorithm)
    arms = ask.ask(q.SET_APART, **compared.params)
    units: int = sum(row["units"] - row["set_apart"] for row in arms)
    bucketed: int = sum(row["treated"] + row["control"] for row in by_bucket)
    least = 1 - TOLERATED
    return own >= least * sum(row["with_bucket"] for row in named) and bucketed >= least * units


def _recompute(ask: Inquiry, compared: Comparison) -> tuple[str, float | None, int, str]:
    """Recompute each logged bucket from the unit, and where that fails from its account.

    Where both fail, nothing tells that accounts were dealt.
    """
    named = ask.ask(q.ALGORITHMS, experiment=compared.experiment)
    known = [r for r in named if r["with_bucket"] and bucket_count(r["algorithm"] or "")]
    if not known:
        return "", None, 0, "unit_id"
    algorithm = str(known[0]["algorithm"])
    table = ask.case.arrow(RECOMPUTED, experiment=compared.experiment, algorithm=algorithm)
    best = (1.0, "unit_id")
    for column in ("unit_id", "account_id"):
        wrong = total = 0
        for batch in table.to_batches(max_chunksize=1 << 17):
            ids = [value or "" for value in batch.column(column).to_pylist()]
            salts = batch.column("salt").to_pylist()
            expected = buckets(ids, salts[0] if len(set(salts)) == 1 else salts, algorithm)
            wrong += int((expected != batch.column("bucket").to_numpy()).sum())
            total += len(ids)
        best = min(best, (wrong / total, column), key=lambda pair: pair[0])
        if best[0] <= TOLERATED:
            return algorithm, best[0], table.num_rows, best[1]
    return algorithm, best[0], table.num_rows, "unit_id"


def _accounts(ask: Inquiry, params: dict[str, Any]) -> Accounts:
    rows = {row["treated"]: row for row in ask.ask(q.ACCOUNT_ARMS, **params)}
    arms = [rows.get(treated, {"compared": 0, "accounts": 0}) for treated in (False, True)]
    return Accounts(
        (arms[0]["compared"], arms[1]["compared"]), (arms[0]["accounts"], arms[1]["accounts"])
    )


def _cohort(span: dict[str, Any]) -> str | None:
    """The length of a sign-up cohort: the longest of which there are at least a dozen."""
    if not span["units"] or span["first"] == span["last"]:
        return None
    days = (span["last"] - span["first"]).days
    return next((name for name, length in _COHORT_DAYS if days >= 6 * length), "day")


def _cohort_by_arm(ask: Inquiry, params: dict[str, Any], cohort: str | None) -> float | None:
    if not cohort:
        return None
    rows = ask.ask(q.COHORTS, **params, cohort=cohort)
    test = independence(_merged([[row["treated"], row["control"]] for row in rows]))
    return test.p if test else None


def _cohort_by_bucket(ask: Inquiry, params: dict[str, Any], cohort: str | None) -> float | None:
    if not cohort:
        return None
    rows = ask.ask(q.BUCKET_COHORTS, **params, cohort=cohort)
    places = sorted({row["bucket"] for row in rows})
    times = {row["cohort"]: [0] * len(places) for row in rows}
    index = {bucket: i for i, bucket in enumerate(places)}
    for row in rows:
        times[row["cohort"]][index[row["bucket"]]] = row["units"]
    table = _merged(list(times.values())) if places else []
    test = independence(table) if table else None
    return test.p if test else None


def _merged(rows: list[list[int]]) -> list[list[int]]:
    """Join neighbouring rows until each expects five units or more in every column."""
    columns = [sum(column) for column in zip(*rows, strict=True)]
    total = sum(columns) or 1
    needed = 5 * total / min((c for c in columns if c), default=1)
    merged: list[list[int]] = []
    for row in rows:
        if merged and sum(merged[-1]) < needed:
            merged[-1] = [a + b for a, b in zip(merged[-1], row, strict=True)]
        else:
            merged.append(list(row))
    if len(merged) > 1 and sum(merged[-1]) < needed:
        last = merged.pop()
        merged[-1] = [a + b for a, b in zip(merged[-1], last, strict=True)]
    return merged


def _conflicts(rows: list[dict[str, Any]]) -> float | None:
    if not rows:
        return None
    counts: Counter[str] = Counter()
    for row in rows:
        counts["all"] += row["treated"] + row["control"]
        counts["conflicts"] += min(row["treated"], row["control"])
    return counts["conflicts"] / counts["all"]


def _bucket_share(rows: list[dict[str, Any]]) -> float | None:
    treated = sum(1 for row in rows if row["treated"] > row["control"])
    return treated / len(rows) if 0 < treated < len(rows) else None
