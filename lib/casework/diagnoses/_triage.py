"""Results of several diagnoses side by side: levels kept together, ranked, joined by cause.

METHODS 0.5 and section 14. Holm's adjustment runs over the primary tests of the diagnoses that ran
together. Breaks may share a cause where their brackets overlap, each widened by the error of the
clocks; the cause lies in what the brackets have in common. Where several changes are on record
there, none of them is the confirmed cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from casework.case import Case, Query
from casework.diagnoses._attribution import CLOCKS
from casework.diagnoses._config_changes import CONFIG_CHANGES
from casework.diagnoses._in_force import ALIAS_HISTORY, REPLICA_HISTORY
from casework.diagnoses._inquiry import severity
from casework.findings import VERDICTS, Break, Cause, Change, Primary, Result, Triage, Verdict
from casework.stats.multiplicity import holm
from casework.words import p_value

_NEAR = timedelta(hours=1)
"""A recorded change is told beside a break from this far off, or from the width of its bracket."""

CHANGES = Query(
    "changes",
    """
    SELECT occurred_at, 'config_events' AS source, key, before, after FROM config_changes
    UNION
    SELECT valid_from, 'alias_events', alias, checkpoint_before, checkpoint
    FROM alias_history WHERE alias = name AND checkpoint_before <> checkpoint
    UNION
    SELECT min(valid_from), 'deployments', 'replicas', before, checkpoint
    FROM (SELECT valid_from, checkpoint,
                 lag(checkpoint) OVER (PARTITION BY replica, site ORDER BY valid_from) AS before
          FROM replica_history)
    WHERE before <> checkpoint
    GROUP BY before, checkpoint, date_trunc('day', valid_from)
    UNION
    SELECT started_at, 'eval_runs', concat_ws(' ', 'harness of', suite), before, version
    FROM (SELECT started_at, suite, version,
                 coalesce(lag(version) OVER (
                              PARTITION BY suite, harness ORDER BY started_at, run_id),
                          CASE WHEN lag(last) OVER in_order < started_at
                               THEN lag(version) OVER in_order END) AS before
          FROM (SELECT run_id, suite, started_at, harness,
                       concat_ws(' ', harness, harness_version) AS version,
                       max(started_at) OVER (PARTITION BY suite, harness) AS last
                FROM eval_runs WHERE coalesce(harness, harness_version) IS NOT NULL)
          WINDOW in_order AS (PARTITION BY suite ORDER BY started_at, run_id))
    WHERE before <> version
    ORDER BY 1, 2, 3, 4, 5
    """,
    "Everything that was changed on purpose: configuration, aliases, replicas day by day, and the "
    "harness of a suite. A harness takes the place of another where that one never runs again; "
    "side by side, neither does.",
    uses=(CONFIG_CHANGES, ALIAS_HISTORY, REPLICA_HISTORY),
)


def adjust(results: Sequence[Result]) -> list[Result]:
    """Adjust the p-values of the primary tests by Holm over all of the results.

    A verdict of `confirmed` whose adjusted p is not below its level becomes `supported`, and says
    so in its limits.
    """
    tested = [(i, result.primary) for i, result in enumerate(results) if result.primary]
    adjusted = list(results)
    values = holm([primary.p for _, primary in tested])
    for (i, primary), value in zip(tested, values, strict=True):
        told = replace(primary, adjusted_p=value, tests=len(tested))
        adjusted[i] = _with_adjusted(results[i], told, value)
    return adjusted


def _with_adjusted(result: Result, primary: Primary, value: float) -> Result:
    if result.verdict != "confirmed" or value < primary.alpha:
        return replace(result, primary=primary)
    wide = result.severity == severity("confirmed", wide=True)
    limit = (
        f"Alone this would be confirmed ({p_value(primary.p)}); among the primary tests of "
        f"{primary.tests} diagnoses {p_value(value)}, which is not below {primary.alpha:g}."
    )
    return replace(
        result,
        verdict="supported",
        severity=severity("supported", wide),
        primary=primary,
        limits=(*result.limits, limit),
    )


def by_gravity(results: Sequence[Result]) -> tuple[Result, ...]:
    """Results with the gravest verdict first, then by severity, then as they came."""
    return tuple(sorted(results, key=lambda r: (VERDICTS.index(r.verdict), r.severity or "S9")))


def triage(case: Case, results: Sequence[Result]) -> Triage:
    """Rank results, join those that share a cause, and list the changes that the case records."""
    changes = tuple(Change(*row) for row in case.rows(CHANGES).rows)
    error, _ = case.rows(CLOCKS).rows[0]
    ranked = [r for r in by_gravity(results) if r.verdict != "not_testable"]
    brackets = _brackets(ranked, timedelta(seconds=error or 0.0))
    verdicts = {result.diagnosis: result.verdict for result in ranked}
    return Triage(
        ranking=tuple(result.diagnosis for result in ranked),
        causes=tuple(_cause(bracket, changes, verdicts) for bracket in _shared(brackets)),
        changes=changes,
    )


@dataclass(frozen=True, slots=True)
class _Bracket:
    """A stretch of time in which one cause lies, and the breaks that it would explain."""

    start: datetime
    end: datetime
    breaks: tuple[tuple[str, Break], ...]

    def meets(self, other: "_Bracket") -> bool:
        return self.start <= other.end and other.start <= self.end

    def with_(self, other: "_Bracket") -> "_Bracket":
        """What both have in common: a cause of both lies there."""
        return _Bracket(
            max(self.start, other.start), min(self.end, other.end), self.breaks + other.breaks
        )


def _brackets(results: Sequence[Result], error: timedelta) -> list[_Bracket]:
    """The breaks of what was found, widened by the error of the clocks, the narrowest first."""
    found = [
        _Bracket(_moved(one.start, -error), _moved(one.end, error), ((result.diagnosis, one),))
        for result in results
        if result.verdict in ("confirmed", "supported")
        for one in result.breaks
    ]
    return sorted(found, key=lambda bracket: (bracket.end - bracket.start, bracket.start))


def _moved(at: datetime, by: timedelta) -> datetime:
    """An instant moved, at most to the end of the years 1 to 9999: sources write those for none."""
    try:
        return at + by
    except OverflowError:
        end = datetime.max if by > timedelta(0) else datetime.min
        return end.replace(tzinfo=at.tzinfo)


def _shared(brackets: Sequence[_Bracket]) -> list[_Bracket]:
    """Join brackets that overlap. A wide one that meets several causes may have any of them."""
    causes: list[_Bracket] = []
    for bracket in brackets:
        met = [i for i, cause in enumerate(causes) if cause.meets(bracket)]
        for i in met:
            causes[i] = causes[i].with_(bracket)
        if not met:
            causes.append(bracket)
    return sorted(causes, key=lambda cause: (cause.start, cause.end))


def _cause(bracket: _Bracket, changes: Sequence[Change], verdicts: Mapping[str, Verdict]) -> Cause:
    def held(margin: timedelta) -> tuple[Change, ...]:
        first, last = _moved(bracket.start, -margin), _moved(bracket.end, margin)
        return tuple(change for change in changes if first <= change.occurred_at <= last)

    within = held(timedelta(0))
    near = held(max(_NEAR, bracket.end - bracket.start))
    cause = Cause(
        start=bracket.start,
        end=bracket.end,
        breaks=tuple(dict.fromkeys(one.what for _, one in bracket.breaks)),
        diagnoses=tuple(dict.fromkeys(name for name, _ in bracket.breaks)),
        within=within,
        around=tuple(change for change in near if change not in within),
    )
    return replace(cause, attribution=_attribution(cause, verdicts))


def _attribution(cause: Cause, verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """The most that can be said of a change on record as the cause."""
    if not cause.within:
        return None
    if len(cause.together) > 1 or cause.together[0][1] is None:
        return "supported"
    return min((verdicts[name] for name in cause.diagnoses), key=VERDICTS.index)
