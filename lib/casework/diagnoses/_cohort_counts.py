"""Are the units per arm as many as planned, without those set apart and with them?

Units are what was dealt: accounts, where these were dealt whole.
"""

from typing import NamedTuple

from casework.case import Query
from casework.diagnoses import _cohorts as q
from casework.diagnoses._arms import Comparison
from casework.diagnoses._dealing import Dealing
from casework.stats.sample_ratio import SampleRatio, sample_ratio
from casework.words import count, number, p_value

_STRICT = 0.0005
_EVEN = 0.9999


class Counts(NamedTuple):
    """Units of control and treatment that are compared, and those set apart, with both tests.

    `of` says what `compared` counts, units or accounts, and `query` where that is from. `ratio` is
    None where nobody is left to compare, `ratio_of_all` where nobody is set apart.
    """

    compared: tuple[int, int]
    set_apart: tuple[int, int]
    ratio: SampleRatio | None
    ratio_of_all: SampleRatio | None
    of: str = "units"
    query: Query = q.SET_APART


def count_arms(compared: Comparison, dealing: Dealing, set_apart: tuple[int, int]) -> Counts:
    """Test counts against the planned share: of the ramp, else of the buckets, else equal.

    Staff and bots are no part of the plan: an allow-list puts them into one arm.
    """
    treated = compared.share or dealing.bucket_share or 0.5
    shares = (1 - treated, treated)
    kept = (compared.units[0] - set_apart[0], compared.units[1] - set_apart[1])
    whole, of, query = compared.units, "units", q.SET_APART
    if dealing.accounts:
        (kept, whole), of, query = dealing.accounts, "accounts", q.ACCOUNT_ARMS
    return Counts(
        compared=kept,
        set_apart=set_apart,
        ratio=sample_ratio(kept, shares) if sum(kept) else None,
        ratio_of_all=sample_ratio(whole, shares) if any(set_apart) else None,
        of=of,
        query=query,
    )


def said_counts(counts: Counts, dealing: Dealing, treatment: str) -> str:
    """Say whether counts are as planned, and what those set apart change in that."""
    kinds = {
        "mixing": "the assignment mixes",
        "non_mixing": "the assignment does not mix",
        "unknown": "whether the assignment mixes could not be told",
    }
    p = counts.ratio.p if counts.ratio else 1.0
    planned = p >= _STRICT
    what = "Counts" if counts.of == "units" else f"Counts of {counts.of}"
    said = f"{what} per arm are {'' if planned else 'not '}as planned ({p_value(p)})"
    said += ", which says nothing of who is in them" if planned else ""
    said = f"{said}; {kinds[dealing.mechanism]}.{_too_even(dealing)}"
    if counts.ratio_of_all is None:
        return said
    apart = f"{count(sum(counts.set_apart), 'units')} set apart"
    here = f"{number(counts.set_apart[1])} of them in {treatment}"
    return f"{said} With the {apart}, {here}, {p_value(counts.ratio_of_all.p)}."


def _too_even(dealing: Dealing) -> str:
    """Say what was dealt more evenly than chance allows: by a system, and not at random."""
    seen = {
        "sign-up cohorts over the arms": dealing.cohort_p,
        "sign-up cohorts over the buckets": dealing.bucket_p,
    }
    even = [name for name, found in seen.items() if found is not None and found > _EVEN]
    if not even:
        return ""
    return f" More even than chance allows (p > {_EVEN}): {', '.join(even)}."
