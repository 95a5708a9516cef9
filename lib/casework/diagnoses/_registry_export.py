"""How far the registry export of `registry_rot` reaches, against what it does not name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casework.diagnoses import _registry as q
from casework.diagnoses import _registry_traffic as t
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._registry_records import Split
from casework.findings import Outcome, Rival
from casework.words import count, instant, number

_SAY = "where it reaches further, `registry_lag_days` says so"


@dataclass(frozen=True, slots=True)
class Export:
    """The registry as it was handed over, and the served digests that it does not name.

    Attributes:
        versions, bare: versions in it, and those of them without a digest.
        reach: up to when it is known to tell of everything; None where nothing says so.
        is_given: whether the investigator said so; else it is the last date in the registry.
        first: when each digest that it does not name is first known to have been in use.
    """

    versions: int
    bare: int
    reach: datetime | None
    is_given: bool
    first: Mapping[str, datetime]

    @property
    def doubtful(self) -> frozenset[str]:
        """Unregistered digests that may only be missing from the export.

        Those that came into use after all that it tells of; every one where versions lack digests.
        """
        if self.bare or self.reach is None:
            return frozenset(self.first)
        return frozenset(digest for digest, at in self.first.items() if at > self.reach)

    def rival(self) -> Rival:
        """Whether what is not registered may only be missing from the export."""
        outcome: Outcome = "not_excluded" if self.doubtful else "excluded"
        return Rival(
            "The registry export is incomplete or older than the traffic",
            "its last date against the first use of each digest that it does not name",
            outcome,
            self._why(),
        )

    def _why(self) -> str:
        if not self.first:
            return "every digest that is known has a version"
        if self.bare:
            return f"{number(self.bare)} of {count(self.versions, 'versions')} carry no digest"
        if self.reach is None:
            return f"no version has a date, so it is not known how far the export reaches; {_SAY}"
        until = f"the registry tells of nothing after {instant(self.reach)}"
        if self.is_given:
            until = f"the registry export is said to reach to {instant(self.reach)}"
        if self.doubtful:
            late = [self.first[digest] for digest in self.doubtful]
            return (
                f"{until}, and {number(len(late))} of {count(len(self.first), 'such digests')} "
                f"came into use later, the first at {instant(min(late))}; {_SAY}"
            )
        return f"{until}, and such digests were in use by {instant(max(self.first.values()))}"


def read_export(
    ask: Inquiry, split: Split, known: Mapping[str, Any], lag_days: float | None
) -> Export:
    """Find out how far the export reaches.

    Args:
        ask: the inquiry.
        split: live traffic by what governs it.
        known: the settings of the questions.
        lag_days: days by which the export is said to be behind; None where nothing is said.
    """
    now = datetime.fromisoformat(known["as_of"])
    registry = ask.one(q.REGISTRY)
    last = registry["last_event"]
    behind = None if last is None else max(0.0, (now - last).total_seconds() / 86_400)
    ask.infer("registry_lag_days", lag_days, behind)
    said = None if lag_days is None else now - timedelta(days=lag_days)
    is_given = said is not None and (last is None or said > last)
    missing = [s.digest for s in split.served if s.standing == "unregistered"]
    used = ask.ask(t.FIRST_USED, **known, digests=missing) if missing else []
    return Export(
        versions=registry["versions"],
        bare=registry["without_digest"],
        reach=said if is_given else last,
        is_given=is_given,
        first={row["digest"]: row["first"] for row in used},
    )
