"""Which embedding version took the place of which."""

from casework.case import Query
from casework.diagnoses import _gate_rows as q
from casework.diagnoses._gate_runs import BINNED, Run
from casework.diagnoses._inquiry import Inquiry

SLACK = 2
"""Parts of the time between an end and a beginning that count as none."""

VERSION_BINS = Query(
    "version_bins",
    """
    SELECT embedding_model, bin, count(*) AS candidates
    FROM binned WHERE embedding_model IS NOT NULL AND bin NOT LIKE 'version %'
    GROUP BY embedding_model, bin ORDER BY embedding_model, bin
    """,
    "Candidates by embedding version and part of the time.",
    uses=(BINNED,),
)


def successions(
    ask: Inquiry, order: list[str], before: str | None, after: str | None, kinds: list[str] | None
) -> list[tuple[str, str]]:
    """Settle the versions of each change, before and after: as given, as logged, or by time.

    The log of changes names both. For versions that it does not name as new, the one that ended
    where they began; what ran on throughout, for another product, took no other's place. Where
    all ran beside each other, the last two to begin.

    Args:
        ask: the inquiry.
        order: versions, by their first candidates.
        before: as given.
        after: as given.
        kinds: of the gate.
    """
    pairs = [(old, new) for i, new in enumerate(order) for old in order[:i]]
    fitting = [pair for pair in pairs if before in (None, pair[0]) and after in (None, pair[1])]
    logged = [(row["old_value"], row["new_value"]) for row in ask.ask(q.EVENTS)
              if row["key"] == "embedding_model"]  # fmt: skip
    if before is None or after is None:
        named = [pair for pair in dict.fromkeys(logged) if pair in fitting]
        taken = {new for _, new in named}
        left = [pair for pair in fitting if pair[1] not in taken]
        if found := named + _following(ask, left, {old for old, _ in named}, order, kinds):
            return found
    new = after or next(name for name in reversed(order) if name != before)
    earlier = order[: order.index(new)] or [name for name in order if name != new]
    return [(before or earlier[-1], new)]


def _following(
    ask: Inquiry, pairs: list[tuple[str, str]], ended: set[str], order: list[str],
    kinds: list[str] | None,
) -> list[tuple[str, str]]:  # fmt: skip
    """Pairs of which one ended where the other began, the closest first; each ends and begins once.

    Args:
        ask: the inquiry.
        pairs: those that can be.
        ended: versions whose place is known to be taken by another.
        order: versions, by their first candidates.
        kinds: of the gate.
    """
    bins: dict[str, dict[str, int]] = {}
    for row in ask.ask(VERSION_BINS, kinds=kinds):
        bins.setdefault(row["embedding_model"], {})[row["bin"]] = row["candidates"]
    runs = {name: Run(found) for name, found in bins.items()}
    ranked = []
    for old, new in pairs:
        if old not in runs or new not in runs or runs[old].beside(runs[new]):
            continue
        gap = abs(int(runs[new].quantile(0.05)) - int(runs[old].quantile(0.95)))
        ranked.append((-max(gap, SLACK), order.index(new), runs[old].quantile(0.5), (old, new)))
    found: list[tuple[str, str]] = []
    for *_, (old, new) in sorted(ranked, reverse=True):
        if old not in ended and new not in {after for _, after in found}:
            found.append((old, new))
            ended = ended | {old}
    return found
