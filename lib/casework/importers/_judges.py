"""Judges of production traffic as eval runs: one run a judge, which its samples name.

Such a judge scores one answer after another and never completes, so its run has no end, and covers
no configuration. It begins with the first score that the source holds; of several sources the
earliest counts. So does the run that the items of a data set name, which grows one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from casework.case import Note, Row
from casework.tables import eval_runs
from casework.words import several


class _Judge(NamedTuple):
    suite: str
    locator: str
    begun: datetime | None


@dataclass
class Judges:
    """The judges of one source. `harness` is the tool that kept their scores."""

    harness: str
    _known: dict[str, _Judge] = field(default_factory=dict)

    def saw(self, sample: Row, suite: str | None) -> Row:
        """Take note of a sample that a judge made, and give it back.

        Args:
            sample: a row of `eval_samples`, with `run_id`, and `added_at` where it is known.
            suite: the name of the judge, if it has one.
        """
        run, when = str(sample.values["run_id"]), sample.values.get("added_at")
        judge = self._known.get(run) or _Judge(suite or run, sample.locator, None)
        begun = min(filter(None, (judge.begun, when)), default=None)
        self._known[run] = judge._replace(begun=begun)
        return sample

    def rows(self) -> Iterator[Row | Note]:
        """Yield a run for each judge; one whose scores name no instant has none, and is told."""
        undated = 0
        for run, judge in self._known.items():
            if judge.begun is None:
                undated += 1
                continue
            yield Row(eval_runs, judge.locator, {
                "run_id": run,
                "suite": judge.suite,
                "started_at": judge.begun,
                "harness": self.harness,
            })  # fmt: skip
        if undated:
            told = several(undated, "judge gives", "judges give")
            yield Note(f"{told} no instant: the samples name a run without a row")
