"""Which run of which suite `prompt_leakage` judges, and the runs it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name

AS_RUN, LEFT_OUT, SWAPPED = "as_run", "leave_one_out", "replay"
WITHOUT = ("zero_shot", "clean_bank")
"""Conditions that stand in for a leave-one-out rerun, compared over leaked and clean items."""
_COMPARED = {LEFT_OUT: "scored", **dict.fromkeys(WITHOUT, "scored"), SWAPPED: "prompts"}
"""The conditions that a run is compared with, and what they must hold for it."""
_SAME = ("endpoint", "checkpoint", "params_hash")


@dataclass(frozen=True, slots=True)
class Judged:
    """The run that is judged, and for each other condition the run that it is compared with.

    `unexamined` are the other suites, and how many of their items stand word for word in a bank.
    """

    suite: str
    run: Mapping[str, Any]
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    unexamined: Mapping[str, int] = field(default_factory=dict)

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the queries."""
        return {"run": self.run["run_id"], "condition": AS_RUN, "suite": self.suite,
                "runs": self.runs}  # fmt: skip

    @property
    def plain(self) -> list[Mapping[str, Any]]:
        """All runs of the suite as it is, in the order of time."""
        return [row for row in self.history if row["condition"] == AS_RUN]

    @property
    def runs(self) -> list[str]:
        """The run and those that it is compared with."""
        return sorted({self.run["run_id"], *(other["run_id"] for other in self.others.values())})

    def differs(self, condition: str) -> list[str]:
        """What is known to differ between the run and another condition, beside the examples."""
        other = self.others[condition]
        return [name for name in _SAME if self.run[name] and other[name]
                and self.run[name] != other[name]]  # fmt: skip

    def is_alike(self, condition: str) -> bool:
        """Whether the other condition is known to be of the same model."""
        other = self.others[condition]
        if other["run_id"] == self.run["run_id"]:
            return True
        known = [name for name in _SAME if self.run[name] and other[name]]
        return not self.differs(condition) and bool({"checkpoint", "endpoint"} & {*known})


def settle(ask: Inquiry, suite: str | None, run: str | None) -> list[Judged]:
    """Settle the suite, as given or as the evidence tells, and the runs of it that may be judged.

    The suite of which most can be tested (`_testable`). Of its runs, those with rendered prompts
    if any has: first the given one, then those that a leave-one-out rerun is nearest to, else the
    latest; of each other condition the run nearest to each in time. Nothing where none was run.

    Raises:
        UsageError: a given suite or run is not in the case.
    """
    rows = ask.ask(q.RUNS)
    plain = [row for row in rows if row["condition"] == AS_RUN]
    if not plain:
        return []
    suites = {row["suite"]: _testable(rows, row["suite"]) for row in plain}
    if suite is not None and suite not in suites:
        raise unknown_name("suite", suite, sorted(suites))
    if run is not None and run not in {row["run_id"] for row in plain}:
        raise unknown_name("run", run, [row["run_id"] for row in plain])
    of_run = next((row["suite"] for row in plain if row["run_id"] == run), None)
    best = max(suites, key=lambda name: (suites[name], name))
    suite = str(ask.infer("suite", suite, best if of_run is None else of_run))
    plain = [row for row in plain if row["suite"] == suite]
    if run is not None and run not in {row["run_id"] for row in plain}:
        return []
    rows = [row for row in rows if row["suite"] == suite]
    unexamined = {name: suites[name].in_bank for name in sorted(suites) if name != suite}
    return [Judged(suite, row, _others(row, rows), rows, unexamined)
            for row in _in_order(plain, rows, run)]  # fmt: skip


def _others(
    judged: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """For each other condition the run that is nearest in time and holds what is compared."""
    others = {}
    for condition, needed in _COMPARED.items():
        same = [row for row in rows if row["condition"] == condition and row[needed]]
        if same:
            others[condition] = min(same, key=lambda row: _apart(judged, row))
    return others


class Testable(NamedTuple):
    """What of a suite can be tested, in the order in which it counts.

    Nothing here is a score, so that no suite is chosen by what the test is to find.

    Attributes:
        prompts: whether a run has rendered prompts.
        in_bank: items that stand word for word in an example bank.
        left_out: whether it was rerun with the items' own examples left out.
        items: items of its largest run.
    """

    prompts: bool
    in_bank: int
    left_out: bool
    items: int


def _testable(rows: Sequence[Mapping[str, Any]], suite: str) -> Testable:
    own = [row for row in rows if row["suite"] == suite]
    plain = [row for row in own if row["condition"] == AS_RUN]
    return Testable(
        any(row["prompts"] for row in plain),
        max(row["in_bank"] for row in plain),
        any(row["condition"] == LEFT_OUT and row["scored"] for row in own),
        max(row["items"] for row in plain),
    )


def _in_order(
    plain: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], given: str | None
) -> list[Mapping[str, Any]]:
    """The given run, then those with prompts, nearest to a rerun first; one where none has any."""
    runs = [row for row in reversed(plain) if row["prompts"]] or list(reversed(plain))
    left_out = [row for row in rows if row["condition"] == LEFT_OUT and row["scored"]]
    if left_out:
        runs.sort(key=lambda row: min(_apart(row, other) for other in left_out))
    first = [row for row in plain if row["run_id"] == given]
    runs = first + [row for row in runs if row["run_id"] != given]
    return runs if any(row["prompts"] for row in runs) else runs[:1]


def _apart(row: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[bool, float]:
    """How far two runs are apart: the same run, then by time."""
    if row["run_id"] == other["run_id"]:
        return False, 0.0
    if row["started_at"] is None or other["started_at"] is None:
        return True, 0.0
    return True, abs((row["started_at"] - other["started_at"]).total_seconds())
