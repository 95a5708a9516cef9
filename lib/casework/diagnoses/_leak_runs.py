"""Which run of which suite `prompt_leakage` judges, and the runs it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name

AS_RUN, LEFT_OUT = "as_run", "leave_one_out"
WITHOUT = ("zero_shot", "clean_bank")
"""Conditions that stand in for a leave-one-out rerun, compared over leaked and clean items."""
_SAME = ("endpoint", "checkpoint", "params_hash")


@dataclass(frozen=True, slots=True)
class Judged:
    """The run that is judged, and for each other condition the run that it is compared with."""

    suite: str
    run: Mapping[str, Any]
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the queries."""
        return {"run": self.run["run_id"], "condition": AS_RUN, "suite": self.suite,
                "runs": self.runs}  # fmt: skip

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


def settle(ask: Inquiry, suite: str | None, run: str | None) -> Judged | None:
    """Settle what is judged, as given or as the evidence tells; None where nothing was run.

    The suite with most items; of its runs the one that a leave-one-out rerun is nearest to, else
    the latest; of each other condition the run nearest to that in time.

    Raises:
        UsageError: a given suite or run is not in the case.
    """
    rows = ask.ask(q.RUNS)
    plain = [row for row in rows if row["condition"] == AS_RUN]
    if not plain:
        return None
    suites = sorted({row["suite"] for row in plain})
    if suite is not None and suite not in suites:
        raise unknown_name("suite", suite, suites)
    if run is not None and run not in {row["run_id"] for row in plain}:
        raise unknown_name("run", run, [row["run_id"] for row in plain])
    of_run = next((row["suite"] for row in plain if row["run_id"] == run), None)
    most = max(plain, key=lambda row: (row["items"], row["suite"]))["suite"]
    suite = str(ask.infer("suite", suite, most if of_run is None else of_run))
    plain = [row for row in plain if row["suite"] == suite and run in (None, row["run_id"])]
    rows = [row for row in rows if row["suite"] == suite]
    if not plain:
        return None
    left_out = [row for row in rows if row["condition"] == LEFT_OUT and row["scored"]]
    latest = plain[-1]
    if left_out:
        nearest = min((_apart(row, other), -place) for place, row in enumerate(plain)
                      for other in left_out)  # fmt: skip
        latest = plain[-nearest[1]]
    ask.infer("run", run, latest["run_id"])
    others = {}
    for condition in (LEFT_OUT, *WITHOUT):
        same = [row for row in rows if row["condition"] == condition and row["scored"]]
        if same:
            others[condition] = min(same, key=lambda row: _apart(latest, row))
    return Judged(suite, latest, others, rows)


def _apart(row: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[bool, float]:
    """How far two runs are apart: the same run, then by time."""
    if row["run_id"] == other["run_id"]:
        return False, 0.0
    if row["started_at"] is None or other["started_at"] is None:
        return True, 0.0
    return True, abs((row["started_at"] - other["started_at"]).total_seconds())
