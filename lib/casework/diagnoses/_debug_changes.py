"""Which slices of the evals moved after training, and whether a retrain brings them back."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from casework.diagnoses import _debug_slices as q
from casework.diagnoses._debug_origins import Known
from casework.diagnoses._inquiry import Inquiry
from casework.errors import unknown_name
from casework.stats import repeats
from casework.stats.changes import mean_change
from casework.stats.estimates import Estimate
from casework.stats.multiplicity import benjamini_hochberg
from casework.stats.paired import Pairs, mcnemar, tango

LEVEL = 0.05
RETRAINS = 3


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice of the evals, the same items before and after; `q` is the adjusted p-value.

    `key` is its suite and its name.

    `back` is what a retrain without the rows in doubt gives on top of the score after. `past_half`
    is how far it comes past the middle between before and after: items, sum, sum of squares.
    """

    name: str
    items: int
    before: float
    after: float
    change: Estimate
    p: float
    binary: bool
    back: Estimate | None
    past_half: tuple[int, float, float]
    q: float = 1.0
    key: str = ""

    @property
    def moved(self) -> int:
        """1 where it rose beyond chance, -1 where it fell, else 0."""
        if self.q >= LEVEL:
            return 0
        return 1 if self.change.value > 0 else -1


@dataclass(frozen=True, slots=True)
class Moves:
    """All slices, and how before and after were told apart.

    `tuned` are the checkpoints after; `retrains` how many checkpoints or runs of an ablation there
    are; `same_set_up` whether prompt and parameters were the same on both sides, None if unknown;
    `runs` which runs stand before, after and for the retrains.
    """

    slices: tuple[Slice, ...] = ()
    how: str = ""
    tuned: tuple[str, ...] = ()
    retrains: int = 0
    same_set_up: bool | None = None
    bracket: tuple[datetime, datetime] | None = None
    named: tuple[str, str] = ("", "")
    runs: dict[str, list[str]] = field(default_factory=dict)

    @property
    def up(self) -> int:
        """Slices that rose beyond chance."""
        return sum(s.moved > 0 for s in self.slices)

    @property
    def fallen(self) -> tuple[Slice, ...]:
        """Slices that fell beyond chance."""
        return tuple(s for s in self.slices if s.moved < 0)

    @property
    def recovered(self) -> int:
        """Fallen slices that the retrain brings back, in part at least."""
        return sum(s.back is not None and s.back.low > 0 for s in self.fallen)

    @property
    def not_recovered(self) -> bool:
        """Whether the retrain gives back less than half of what fell, for certain.

        Over the items of all fallen slices together: of six slices one may have fallen by chance,
        and would come back by itself.
        """
        if not self.fallen:
            return False
        n, total, squares = map(sum, zip(*(s.past_half for s in self.fallen), strict=True))
        past = repeats.mean_change(int(n), total, squares)
        return past is not None and past.high < 0


@dataclass(frozen=True, slots=True)
class Sides:
    """Runs before, after, and after a retrain without the rows in doubt."""

    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    how: str
    ablated: list[dict[str, Any]] = field(default_factory=list)


def compare(ask: Inquiry, known: Known, before: str | None, after: str | None) -> Moves:
    """Test every slice, all of them together by Benjamini and Hochberg."""
    runs = ask.ask(q.RUNS)
    sides = _sides(ask, runs, known, before, after)
    if not sides.before or not sides.after:
        return Moves(how=sides.how)
    named = (_name(sides.before[0]), _name(sides.after[-1]))
    ask.infer("before", before, named[0])
    ask.infer("after", after, named[1])
    ids = {
        "runs_before": [run["run_id"] for run in sides.before],
        "runs_after": [run["run_id"] for run in sides.after],
        "runs_ablated": [run["run_id"] for run in sides.ablated] or [""],
    }
    rows = ask.ask(q.SLICES, **ids)
    several = len({row["suite"] for row in rows}) > 1
    tested = [_test(row, several) for row in rows if row["items"] >= 2]
    adjusted = benjamini_hochberg([s.p for s in tested])
    slices = tuple(replace(s, q=value) for s, value in zip(tested, adjusted, strict=True))
    return Moves(
        slices=slices,
        how=sides.how,
        tuned=tuple(sorted({r["checkpoint"] for r in sides.after if r["checkpoint"]})),
        retrains=len({r["checkpoint"] or r["run_id"] for r in sides.ablated}),
        same_set_up=_same_set_up(sides),
        bracket=(
            max(r["ended_at"] or r["started_at"] for r in sides.before),
            min(r["started_at"] for r in sides.after),
        ),
        named=named,
        runs=ids,
    )


def _sides(
    ask: Inquiry, runs: list[dict[str, Any]], known: Known, before: str | None, after: str | None
) -> Sides:
    """Tell the runs apart: as given, by what they were trained on, by base, by order."""
    of = {key: [r for r in runs if _is(r, key)] for key in (before, after) if key}
    for key, found in of.items():
        if not found:
            names = [n for r in runs for n in (r["checkpoint"], r["run_id"]) if n]
            raise unknown_name("run or checkpoint", key, names)
    inputs, dataset = ask.ask(q.TRAINED), known["dataset"]
    tuned = {row["artifact"] for row in inputs if names_set(row["uri"], dataset)}
    cleaned = ablations(ask.ask(q.SUBSETS, **known))
    retrained = {row["artifact"] for row in inputs
                 if any(names_set(row["uri"], one) for one in cleaned)} - tuned  # fmt: skip
    ablated = [r for r in runs if {r["checkpoint"], r["endpoint"]} & retrained]
    rest = [r for r in runs if r not in ablated]
    late = of.get(after) if after else [r for r in rest if {r["checkpoint"], r["endpoint"]} & tuned]
    if late and not after and len({r["checkpoint"] for r in late}) > 1:
        late = [r for r in late if r["checkpoint"] == late[0]["checkpoint"]]
    if late:
        how = "as given" if after else "by the data that the checkpoint was trained on"
        early = of[before] if before else _base(rest, late)
        return Sides(early, late, how, ablated)
    if before:
        first = of[before]
        return Sides(first, _last(rest, first), "as given, against the last of each suite", ablated)
    based = [r for r in rest if r["base_checkpoint"]
             and any(o["checkpoint"] == r["base_checkpoint"] for o in rest)]  # fmt: skip
    if based:
        late = [r for r in based if r["checkpoint"] == based[-1]["checkpoint"]]
        return Sides(_base(rest, late), late, "by the base of the tuned checkpoint", ablated)
    first = _first(rest)
    return Sides(first, _last(rest, first), "first and last of each suite", ablated)


def ablations(subsets: Iterable[dict[str, Any]]) -> set[str]:
    """Sets that leave out more of the rows in doubt than of the others."""
    return {row["dataset"] for row in subsets if _ablates(row)}


def _ablates(row: dict[str, Any]) -> bool:
    """Whether a set holds rows of this one alone, and leaves out more of those in doubt."""
    sound, kept_sound = (row[a] - row[b] for a, b in (("whole", "in_doubt"),
                                                      ("kept", "kept_in_doubt")))  # fmt: skip
    return bool(
        row["shared"] == row["rows"] and row["kept_in_doubt"] * sound < kept_sound * row["in_doubt"]
    )


def _base(runs: list[dict[str, Any]], late: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs of the base, else of the last other checkpoint that was evaluated before."""
    bases = {r["base_checkpoint"] for r in late if r["base_checkpoint"]}
    found = [r for r in runs if r["checkpoint"] in bases]
    start = min(r["started_at"] for r in late)
    others = [r for r in runs if r not in late and r["started_at"] < start]
    if found or not others:
        return found
    return [r for r in others if _name(r) == _name(others[-1])]


def _first(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first: dict[str, str] = {}
    for run in runs:
        first.setdefault(run["suite"], _name(run))
    return [run for run in runs if _name(run) == first[run["suite"]]]


def _last(runs: list[dict[str, Any]], but: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each suite the last run of another model; of any model where all have the same name.

    After a rollback the last run is of the model that was there before training.
    """
    were = {_model(run) for run in but}
    others = [run for run in runs if run not in but]
    if any(_model(run) not in were for run in others):
        others = [run for run in others if _model(run) not in were]
    last = {run["suite"]: _name(run) for run in others}
    return [run for run in others if _name(run) == last[run["suite"]]]


def _model(run: dict[str, Any]) -> str:
    return str(run["checkpoint"] or run["endpoint"] or run["run_id"])


def _name(run: dict[str, Any]) -> str:
    return str(run["checkpoint"] or run["run_id"])


def _is(run: dict[str, Any], key: str) -> bool:
    return key in (run["checkpoint"], run["run_id"], run["endpoint"])


def names_set(uri: str, dataset: str) -> bool:
    """Whether a place names a set: as it stands, or as one of its parts without an ending."""
    parts = re.split(r"[/\\:@#?]", uri.lower())
    bare = [re.sub(r"(\.(jsonl?|parquet|csv|arrow|gz|zst))+$", "", part) for part in parts]
    return dataset.lower() in (uri.lower(), *parts, *bare)


def _same_set_up(sides: Sides) -> bool | None:
    columns = ("prompt_hash", "params_hash")
    known = [c for c in columns if all(r[c] for r in (*sides.before, *sides.after))]
    if not known:
        return None
    return all(len({r[c] for r in (*sides.before, *sides.after)}) == 1 for c in known)


def _test(row: dict[str, Any], several: bool) -> Slice:
    name = row["slice"] or row["suite"]
    if several and row["slice"]:
        name = f"{row['suite']}: {row['slice']}"
    n = row["items"]
    cells = tuple(row[c] for c in ("both", "only_before", "only_after", "neither"))
    binary = sum(cells) == n
    if binary:
        pairs = Pairs(*cells)
        change, p = tango(pairs), mcnemar(pairs).mid
    else:
        found = mean_change(n, row["total"], row["squares"])
        change, p = found.estimate, found.p
    back = repeats.mean_change(row["retrained"], row["back"] or 0.0, row["back_squares"] or 0.0)
    past_half = (row["retrained"], row["past_half"] or 0.0, row["past_half_squares"] or 0.0)
    key = f"{row['suite']}: {row['slice'] or ''}"
    return Slice(name, n, row["before"], row["after"], change, p, binary, back, past_half, key=key)
