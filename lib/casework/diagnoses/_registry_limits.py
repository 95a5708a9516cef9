"""What the answer of `registry_rot` does not cover."""

from collections.abc import Iterator, Sequence

from casework.diagnoses._approvals import Approval
from casework.diagnoses._inquiry import Inquiry
from casework.diagnoses._registry_records import Served, Split
from casework.visible import shorten
from casework.words import count


def limits(
    ask: Inquiry,
    split: Split,
    approvals: Sequence[Approval],
    live_days: float,
    clock_error_s: float,
) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    said = [
        f"Live traffic is that of the last {live_days:g} days; a digest that served only before "
        "is not looked at.",
    ]
    if split.unattributed:
        said.append(f"The digest of {count(split.unattributed, 'requests')} is not known.")
    said += [*_of_evals(split), *_of_lists(ask, split), *_of_approvals(ask, approvals)]
    if not clock_error_s:
        said.append("Nothing bounds the error of the clocks.")
    return tuple(said)


def _named(served: Sequence[Served]) -> str:
    return ", ".join(s.name for s in served[:3])


def _of_evals(split: Split) -> Iterator[str]:
    lacking = split.in_state("eval_state", "no run loaded")
    if lacking:
        yield (
            f"No eval run of {_named(lacking)} is loaded, and the registry tells of none: "
            "load the eval runs of what served, or it stays open whether it was evaluated."
        )
    silent = split.in_state("eval_state", "not recorded")
    if silent:
        yield (
            f"Neither the registry nor an eval run tells of any evaluation, so whether "
            f"{_named(silent)} was evaluated is not known."
        )
    undated = split.in_state("eval_state", "digest not recorded")
    if undated:
        yield (
            f"The registry tells of an evaluation of {_named(undated)}, but not of which digest: "
            "load the eval runs with their checkpoint."
        )


def _of_lists(ask: Inquiry, split: Split) -> Iterator[str]:
    """What the lists of people and benchmarks, or the records that point at them, do not say."""
    if not ask.case.filled("people"):
        yield "No `people` is loaded, so whether owners are there is not known."
    elif unlisted := split.in_state("owner_state", "not on the list"):
        owners = sorted({str(s.row["owner"]) for s in unlisted})
        yield (
            f"Not on the staff list: {count(len(owners), 'owners')} of records "
            f"({', '.join(shorten(name, 40) for name in owners[:3])}). "
            "Whether they are there is not known; load people under the names of the registry."
        )
    if split.in_state("owner_state", "not recorded"):
        yield "The registry names no owner of any version, so whether one is there is not known."
    if not ask.case.filled("benchmarks"):
        yield "No `benchmarks` is loaded, so whether benchmarks are in force is not known."
    elif strange := split.in_state("benchmark_state", "not on the list"):
        named = sorted({str(s.row["benchmark"]) for s in strange})
        yield (
            f"Not on the list of benchmarks: {', '.join(shorten(name, 40) for name in named[:3])}. "
            "Whether it is in force is not known; load benchmarks under the names of the registry."
        )


def _of_approvals(ask: Inquiry, approvals: Sequence[Approval]) -> Iterator[str]:
    people = [a for a in approvals if not a.row["automated"]]
    if not approvals:
        yield "No version tells who approved it and when, so no approval was looked at."
    if not people:
        return
    yield (
        "Reading time is a floor for reading once, not a measure of care. What is not logged was "
        "not seen: no evidence of review is not evidence of no review."
    )
    untimed = sum(not a.is_timed for a in people)
    if untimed:
        yield (
            f"For {count(untimed, 'approvals by people')} the time of the request or the length "
            "of what was submitted is not recorded: whether reading takes longer is not known."
        )
    if not ask.case.filled("engagements"):
        yield "No `engagements` is loaded, so what approvers did before is not known."
