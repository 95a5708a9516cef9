"""Which run of the suite is judged: all are looked into, and one with items in prompts is taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from casework.diagnoses import _leak_queries as q
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._leak_reading import Compared, Reading, Search, read_run
from casework.diagnoses._leak_runs import Judged


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run whose prompts were looked into.

    Attributes:
        run: as `runs` of the queries tells it.
        known: items whose question was found in a prompt.
        leaked: of them, those that stood there as an example too.
        asked_as: the first run with the same items.
    """

    run: Mapping[str, Any]
    known: int
    leaked: int
    asked_as: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The run that is judged, as it was read, and the runs that were looked into."""

    judged: Judged
    reading: Reading
    runs: tuple[RunSeen, ...]


def choose(ask: Inquiry, runs: Sequence[Judged], given: str | None, search: Search) -> Chosen:
    """Look into the prompts of all runs, and take one with items in their own prompts.

    The first that holds half as many of them as the run with most: a run in which one item stood
    says little of another with hundreds. What stands in prompts is counted and not tested, so that
    looking at all runs adds no chance. A run with the same items and prompts as another is not
    searched again, and the same items are compared with the examples once.

    Args:
        ask: the inquiry.
        runs: the runs, the one to be preferred first; one at least.
        given: the run that was asked for, which is taken whatever the others hold.
        search: how texts are compared.
    """
    first = read_run(ask, runs[0], search, None)
    seen = _look_into(ask, runs, first, search) if len(runs) > 1 else [_seen(runs[0], first)]
    most = max(run.leaked for run in seen)
    place = 0
    if given is None and most:
        place = next(i for i, run in enumerate(seen) if 2 * run.leaked >= most)
    judged, reading = runs[place], first
    if place:
        known = first.compared if seen[place].asked_as == seen[0].asked_as else None
        reading = read_run(ask, judged, search, known)
    _record(ask, judged, reading.compared, search)
    ask.infer("run", given, judged.run["run_id"])
    order = {row["run_id"]: at for at, row in enumerate(judged.history)}
    seen = [run for run in seen if run.run["prompts"]]
    return Chosen(judged, reading, tuple(sorted(seen, key=lambda run: order[run.run["run_id"]])))


def _look_into(
    ask: Inquiry, runs: Sequence[Judged], first: Reading, search: Search
) -> list[RunSeen]:
    """What the prompts of each run hold; `first` is the first of them as it was read."""
    names = [judged.run["run_id"] for judged in runs]
    alike = {row["run_id"]: row for row in ask.ask(q.ALIKE, runs=sorted(names))}
    compared, before = first.compared, alike[names[0]]["asked_as"]
    known = {alike[names[0]]["shown_as"]: _seen(runs[0], first)}
    seen = []
    for judged, name in zip(runs, names, strict=True):
        asked, shown = alike[name]["asked_as"], alike[name]["shown_as"]
        if shown not in known:
            reading = read_run(ask, judged, search, compared if asked == before else None)
            compared, before = reading.compared, asked
            known[shown] = _seen(judged, reading)
        seen.append(replace(known[shown], run=judged.run, asked_as=asked))
    return seen


def _seen(judged: Judged, reading: Reading) -> RunSeen:
    found = reading.in_prompt
    known = 0 if found is None else int(found.known.sum())
    return RunSeen(judged.run, known, 0 if found is None else len(found.leaks))


def _record(ask: Inquiry, judged: Judged, compared: Compared, search: Search) -> None:
    """Keep as evidence which items of the run are the same row as an example or training row."""
    if compared.bank is not None:
        ask.ask(q.SAME_SOURCE, **judged.params, bank=search.bank)
    if compared.training is not None:
        ask.ask(q.SAME_EVENT, **judged.params, bank=search.bank)
