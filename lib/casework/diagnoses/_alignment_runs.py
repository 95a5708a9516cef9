"""Which runs `alignment_loss` compares: base and tuned checkpoint on the same items."""

from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from casework.diagnoses import _alignment as q
from casework.diagnoses._alignment_labels import NEARLY_ALL
from casework.diagnoses._alignment_launch import LAUNCH_ITEMS, Launch
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name

Run = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """The two checkpoints and the runs that are compared, one a suite and checkpoint.

    Attributes:
        base: digest of the base, or the name that was called.
        tuned: the same of the tuned one.
        runs: for each suite the run of the base and that of the tuned checkpoint.
        same_prompt: whether the template is the same in all of them; None where not recorded.
        same_params: the same of the call parameters.
        launch: what the tuned checkpoint was launched on.
        recorded_base: the base that is compared where the record leads to it, or it was given;
            else what the record says that the tuned one was made of; None without a record.
    """

    base: str
    tuned: str
    runs: tuple[tuple[Run, Run], ...]
    same_prompt: bool | None
    same_params: bool | None
    launch: Launch
    recorded_base: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the queries that read the samples of these runs."""
        return {
            "base_runs": [base["run_id"] for base, _ in self.runs],
            "tuned_runs": [tuned["run_id"] for _, tuned in self.runs],
            "tuned": self.tuned,
        }

    def with_prompts(self, rendered: dict[str, Any]) -> "Compared":
        """Judge the template by the prompts as rendered, where no hash of it is recorded.

        It is the same only where nearly all prompts are recorded for both.
        """
        enough = rendered["compared"] and rendered["compared"] >= NEARLY_ALL * rendered["pairs"]
        same = False if rendered["different"] else True if enough else None
        return replace(self, same_prompt=same)


def pairs_of(ask: Inquiry, base: str | None, tuned: str | None) -> list[tuple[str, str]]:
    """Find the pairs of base and tuned checkpoint that answered unsafe prompts of one suite.

    All that are declared, the last tuned first; without lineage the one that the order of the runs
    gives. Empty where no two checkpoints answered unsafe prompts of one suite.

    Raises:
        UsageError: UNKNOWN_CHECKPOINT.
    """
    runs = [run for run in ask.ask(q.RUNS) if run["model"]]
    models = sorted({run["model"] for run in runs})
    for given in (base, tuned):
        if given is not None and given not in models:
            raise unknown_name("checkpoint", given, models)
    return _by_lineage(ask, runs, base, tuned) or _by_order(runs, base, tuned)


def settle(
    ask: Inquiry,
    pair: tuple[str, str],
    base: str | None = None,
    tuned: str | None = None,
    launch: str | None = None,
) -> Compared:
    """Settle which runs of a pair are compared; `base`, `tuned` and `launch` are as given.

    Raises:
        UsageError: UNKNOWN_SUITE.
    """
    runs = [run for run in ask.ask(q.RUNS) if run["model"]]
    is_given, base = base is not None, str(ask.infer("base", base, pair[0]))
    tuned = str(ask.infer("tuned", tuned, pair[1]))
    suites = dict.fromkeys(run["suite"] for run in runs)
    pairs = tuple(filter(None, (_best_pair(runs, suite, base, tuned) for suite in suites)))
    unsafe = [pair for pair in pairs if pair[0]["unsafe"] and pair[1]["unsafe"]]
    above = _ancestors(_parents(ask), tuned)
    recorded = base if above and (is_given or base in above) else next(iter(above), None)
    return Compared(
        base, tuned, pairs, same_hash(unsafe, "prompt_hash"), same_hash(unsafe, "params_hash"),
        launched_on(ask, runs, tuned, launch), recorded,
    )  # fmt: skip


def launched_on(ask: Inquiry, runs: list[Run], tuned: str, launch: str | None) -> Launch:
    """Find the suites that the tuned checkpoint was launched on, and count their items by kind.

    As given, whoever ran it; else those of its runs from before it was first served; else those of
    its suites that hold no unsafe prompt, since a suite that does tells of what the launch did not.
    Where a suite has no item loaded, none that is found in the others is not none.
    """
    own = [run for run in runs if run["model"] == tuned]
    suites = sorted({run["suite"] for run in runs})
    if launch is not None and launch not in suites:
        raise unknown_name("suite", launch, suites)
    since = ask.one(q.SERVED, tuned=tuned)["since"]
    early = [run for run in own if since is not None and run["started_at"] < since]
    probing = {run["suite"] for run in runs if run["unsafe"]}
    without = [run for run in own if run["suite"] not in probing]
    found = [run for run in runs if run["suite"] == launch] or early or without
    names = tuple(sorted({run["suite"] for run in found}))
    ask.infer("launch_suite", launch, ", ".join(names))
    launched = tuple(run["run_id"] for run in found)
    items: dict[str, int | None] = ask.one(LAUNCH_ITEMS, launch_runs=list(launched))
    loaded = {run["suite"] for run in found if any(run[kind] for kind in items)}
    if not items["unsafe"] and (not names or loaded != set(names)):
        items = items | {"unsafe": None}
    return Launch(names, items, launched)


def _by_lineage(
    ask: Inquiry, runs: list[Run], base: str | None, tuned: str | None
) -> list[tuple[str, str]]:
    """Find each tuned checkpoint whose base, or the base of that, was run beside it."""
    parents, found = _parents(ask), []
    for model in dict.fromkeys(run["model"] for run in reversed(runs) if run["unsafe"]):
        if tuned not in (None, model):
            continue
        near = (parent for parent in _ancestors(parents, model)
                if base in (None, parent) and _share_a_suite(runs, parent, model))  # fmt: skip
        found += [(parent, model) for parent in islice(near, 1)]
    return found


def _parents(ask: Inquiry) -> dict[str, str]:
    """For each tuned checkpoint what it was made of, as recorded."""
    parents: dict[str, str] = {}
    for row in ask.ask(q.BASES):
        parents.setdefault(row["checkpoint"], row["base_checkpoint"])
    return parents


def _ancestors(parents: dict[str, str], model: str) -> list[str]:
    """What a checkpoint was made of, what that was made of, and so on."""
    found, parent = [model], parents.get(model)
    while parent is not None and parent not in found:
        found.append(parent)
        parent = parents.get(parent)
    return found[1:]


def _by_order(runs: list[Run], base: str | None, tuned: str | None) -> list[tuple[str, str]]:
    """Take the model of the first run as the base, that of the last as the tuned one."""
    probed = [run["model"] for run in runs if run["unsafe"]]
    for last in [tuned] if tuned else list(dict.fromkeys(reversed(probed))):
        for first in [base] if base else list(dict.fromkeys(probed)):
            if first != last and _share_a_suite(runs, first, last):
                return [(first, last)]
    return []


def _share_a_suite(runs: list[Run], base: str, tuned: str) -> bool:
    first, second = (
        {run["suite"] for run in runs if run["model"] == model and run["unsafe"]}
        for model in (base, tuned)
    )
    return bool(first & second)


def _best_pair(runs: list[Run], suite: str, base: str, tuned: str) -> tuple[Run, Run] | None:
    """Pair the runs of a suite that are most alike in configuration; of those the last ones."""
    own = [run for run in runs if run["suite"] == suite]
    firsts = [run for run in own if run["model"] == base]
    seconds = [run for run in own if run["model"] == tuned]
    return max(product(firsts, seconds), key=_likeness, default=None)


def _likeness(pair: tuple[Run, Run]) -> tuple[Any, ...]:
    one, two = pair
    grades = {True: 2, None: 1, False: 0}
    return (
        min(one["unsafe"], two["unsafe"]) > 0,
        grades[same_hash([pair], "prompt_hash")] + grades[same_hash([pair], "params_hash")],
        sum(run["ended_at"] is not None for run in pair),
        two["started_at"],
        one["started_at"],
    )


def same_hash(pairs: list[tuple[Run, Run]], name: str) -> bool | None:
    """Whether a hash is the same in every pair; None where one is not recorded."""
    known = [(one[name], two[name]) for one, two in pairs if one[name] and two[name]]
    if any(one != two for one, two in known):
        return False
    return True if pairs and len(known) == len(pairs) else None
