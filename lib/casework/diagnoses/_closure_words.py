"""What `reproducibility_closure` says: headline, findings, remedies, limits."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casework.diagnoses import _closure as q
from casework.diagnoses._closure_artifacts import ARTIFACTS, Choice
from casework.diagnoses._closure_links import STATES, Chain
from casework.diagnoses._closure_others import of_others
from casework.diagnoses._closure_record import REPORTED, Noted
from casework.diagnoses._closure_reruns import Rebuilds, Segment
from casework.diagnoses._days import when
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding, Verdict
from casework.stats.closure import CRITICAL
from casework.stats.prediction import FEWEST
from casework.visible import shorten
from casework.words import count, number, p_value, sentence, spread


def headline(
    verdict: Verdict, artifact: str, chain: Chain, rebuilds: Rebuilds, alpha: float
) -> str:
    """Say the answer in one sentence."""
    name = shorten(artifact, 20)
    said = []
    if chain.broken:
        said.append(f"{name} cannot be rebuilt from the record: {_links(chain, chain.broken)}")
    elif chain.erased:
        said.append(f"{name} cannot be rebuilt: {_links(chain, chain.erased)}")
    departing = rebuilds.departing(alpha)
    if departing:
        whose = "it" if said else name
        how = f"do not explain {whose}" if rebuilds.shipped is not None else (
            f"depart from the score on record of {name}")  # fmt: skip
        said.append(f"the rebuilds {how}: {_gaps(departing, rebuilds)}")
    elif rebuilds.reproduce(alpha):
        of = "" if said else f" of {name}"
        known = "" if chain.links else ", but no input of it is on record"
        said.append(f"the rebuilds{of} score as the shipped weights do{known}")
    elif said and rebuilds.unsettled(alpha):
        said.append("the rebuilds are too few or too far apart to show that they are equivalent")
    elif said and rebuilds.shipped is not None and rebuilds.overall:
        said.append(f"the rebuilds do not land: {_gaps([rebuilds.overall], rebuilds)}")
    if said:
        return sentence("; ".join(said))
    if verdict == "clean":
        return f"Every critical input of {name} is {_there(chain)}."
    if rebuilds.scores and not rebuilds.parts:
        return f"{_found(name, rebuilds, verdict)}; {_needed(rebuilds)}."
    if not chain.links:
        return f"No input of {name} is on record, and nothing shows that a rebuild is equivalent."
    return f"No critical input of {name} is known to be gone, but {_open(chain)}."


def _there(chain: Chain) -> str:
    """Say how the critical inputs are there."""
    how = {"remade": "gone and can be made again", "on record": "written out on the record"}
    states = {chain.worst[kind].state for kind in CRITICAL if kind in chain.worst}
    pinned = ["pinned and can be fetched"] if states - set(how) else []
    return ", or ".join(pinned + [words for state, words in how.items() if state in states])


def _found(name: str, rebuilds: Rebuilds, verdict: Verdict) -> str:
    """Say what rebuilds show of which no interval can be made."""
    paired = rebuilds.paired
    if verdict != "supported" or paired is None:
        return f"{name} has {rebuilds.told} to compare"
    gap = spread(paired.value, (paired.low, paired.high),
                 "points" if rebuilds.is_share else "score")  # fmt: skip
    items = count(paired.n, "items")
    return f"{name}, {rebuilds.told}: {gap} against the shipped weights on {items}"


def _needed(rebuilds: Rebuilds) -> str:
    """Say what an interval takes."""
    seeds = [f"{FEWEST} of different seeds"] if rebuilds.few else []
    control = ["the shipped weights scored again"] if rebuilds.shipped is None else []
    return f"{' and '.join([*seeds, *control])} are needed"


def _links(chain: Chain, kinds: Sequence[str]) -> str:
    parts = []
    for kind in kinds:
        link = chain.worst.get(kind)
        parts.append(f"{kind.replace('_', ' ')} {STATES[link.state][1] if link else 'absent'}")
    return ", ".join(parts)


def _gaps(departing: Sequence[Segment], rebuilds: Rebuilds) -> str:
    unit = "points" if rebuilds.is_share else "score"
    parts = []
    for part in departing[:3]:
        gap = part.prediction.gap
        where = f" in {part.name}" if part.name else " overall"
        parts.append(f"{spread(gap.value, (gap.low, gap.high), unit)}{where}")
    return ", ".join(parts)


def _open(chain: Chain) -> str:
    if chain.open:
        return f"it is not known of all: {_links(chain, chain.open)}"
    return "nothing shows that a rebuild is equivalent"


def findings(
    ask: Inquiry, chain: Chain, rebuilds: Rebuilds, owners: Sequence[Mapping[str, Any]],
    choice: Choice, alpha: float,
) -> tuple[Finding, ...]:  # fmt: skip
    """State what was found, with what carries it."""
    return (*_of_links(ask, chain), *_of_owners(ask, owners),
            *_of_rebuilds(ask, rebuilds, alpha), *_of_reach(ask, choice.row),
            *of_others(ask, choice.others))  # fmt: skip


def _of_links(ask: Inquiry, chain: Chain) -> Iterator[Finding]:
    if not chain.links:
        return
    low, high = ask.measures["closure_score_range"].value
    score = ask.measures["closure_score"].value
    kinds = [row for row in chain.rows() if row["critical"]]
    said = "; ".join(f"{row['kind'].replace('_', ' ')}: {row['said']}" for row in kinds)
    yield Finding(
        f"Critical links: {said}. The closure score is {number(score)}; with other weights "
        f"{number(low)} to {number(high)}. It is for trends, the worst link decides.",
        ("closure_score", "closure_score_range", "critical_missing", "critical_broken", "inputs"),
        (ask.evidence_id(q.INPUTS),),
        ("inputs",),
    )


def _of_owners(ask: Inquiry, owners: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    factor = ask.measures["bus_factor"].value
    if factor is None:
        return
    left = [row for row in owners if row["standing"] == "left"]
    gone = ", ".join(
        f"{row['owner']} left {when(row['left_at'], row['timezone'])}" for row in left[:3]
    )
    able = {0: "nobody", 1: "one person"}.get(factor, count(factor, "people"))
    unknown = sum(row["standing"] == "not on the list" for row in owners)
    among = f"of the owners on the staff list {able}" if unknown else able
    yield Finding(
        sentence(
            f"{among} could still rebuild it{f'; {gone}' if gone else ''}"
            + (f"; of {count(unknown, 'other owners')} it is not known" if unknown else "")
        ),
        ("bus_factor",),
        (ask.evidence_id(q.OWNERS),),
    )


def _of_rebuilds(ask: Inquiry, rebuilds: Rebuilds, alpha: float) -> Iterator[Finding]:
    if not rebuilds.scores:
        return
    unit = "points" if rebuilds.is_share else "score"
    gap = ask.measures["rerun_gap"]
    if gap.value is None:
        said = "no score of the shipped weights to compare with"
    else:
        said = f"{spread(gap.value, gap.ci95, unit)} against {_target(rebuilds)}"
    overall = rebuilds.overall
    p = f", {p_value(overall.p)}" if overall else ""
    pictures = tuple(c.id for c in ask.charts if c.id in ("rebuilds", "segments"))
    yield Finding(
        f"{count(len(rebuilds.scores), 'rebuilds')}: {said}{p}.",
        ("rerun_gap", "rerun_interval", "rerun_outside", "rerun_p"),
        (ask.evidence_id(q.RUNS),), pictures,
    )  # fmt: skip
    for part in [one for one in rebuilds.departing(alpha) if one.name][:3]:
        gap_here = part.prediction.gap
        here = spread(gap_here.value, (gap_here.low, gap_here.high), unit)
        yield Finding(
            f"In {part.name}: {here}, {p_value(part.p)} (Holm over the whole and all segments).",
            ("worst_segment", "worst_segment_gap", "segments"),
            (ask.evidence_id(q.SEGMENTS),), pictures,
        )  # fmt: skip
    yield from _of_control(ask, rebuilds)


def _target(rebuilds: Rebuilds) -> str:
    """Say what the rebuilds are compared with."""
    if rebuilds.shipped is not None or rebuilds.noted is None:
        return "the shipped weights"
    return f"the score of the shipped weights in {_source(rebuilds.noted)}"


def _source(noted: Noted) -> str:
    there = "" if noted.written == noted.score else f" (there {number(noted.written)})"
    return f"{shorten(noted.source, 40)}{there}"


def _of_control(ask: Inquiry, rebuilds: Rebuilds) -> Iterator[Finding]:
    """Say how the same weights score now and at shipping."""
    then, later = rebuilds.record.reported, rebuilds.record.later
    if rebuilds.shift is None or then is None:
        return
    level, unit = ("share", "points") if rebuilds.is_share else ("score", "score")
    where, score = "scored again on the present harness", rebuilds.control
    if score is None and later is not None:
        where, score = f"in {_source(later)}, not beside the rebuilds", later.score
    now = f"{where}, the shipped weights score {spread(score, None, level)}"
    was = f"{spread(then.score, None, level)} in {_source(then)}"
    shift = spread(rebuilds.shift, None, unit)
    control = "control_score" if rebuilds.unmatched else "shipped_score"
    how = f"a shift of {shift} from" if rebuilds.drifted else "the same as"
    yield Finding(
        f"Control: {now}, {how} {was}.",
        ("harness_shift", control, "reported_score"), (ask.evidence_id(REPORTED),),
    )  # fmt: skip


def _of_reach(ask: Inquiry, chosen: Mapping[str, Any]) -> Iterator[Finding]:
    if chosen["requests"]:
        of = f" of {count(chosen['accounts'], 'accounts')}" if chosen["accounts"] else ""
        yield Finding(
            f"The artifact served {count(chosen['requests'], 'requests')}{of} by the digest on the "
            "record.",
            (), (ask.evidence_id(ARTIFACTS),),
        )  # fmt: skip


def remedies(
    chain: Chain, rebuilds: Rebuilds, there: Sequence[str], alpha: float
) -> tuple[str, ...]:
    """Say what to do in this case."""
    said = []
    advice = {
        "floating": "Pin {0} by digest and keep a copy.",
        "gone": "Look for a copy of {0} and keep it in escrow; without one the record ends there.",
        "absent": "Record {0}, or say that it is lost.",
        "mismatched": "Find out which {0} was used: the record names bytes that are not there.",
    }
    for kind in chain.broken:
        link = chain.worst.get(kind)
        said.append(advice[link.state if link else "absent"].format(kind.replace("_", " ")))
    if chain.broken or len(there) < 2:
        said.append("Name a second owner, and let them rebuild it from the record every quarter.")
    departing = [part.name for part in rebuilds.departing(alpha) if part.name]
    if departing:
        said.append(f"Begin the search in {', '.join(departing[:3])}, where rebuilds differ most.")
    if rebuilds.scores and rebuilds.shipped is None:
        said.append("Score the shipped weights on the present harness before anything else.")
    return tuple(said)


def limits(
    ask: Inquiry, chain: Chain, rebuilds: Rebuilds, choice: Choice, alpha: float
) -> tuple[str, ...]:
    """Say what the answer does not cover."""
    said = ["What is said of an input is what the record says; nothing was fetched here."]
    if choice.others:
        said.append("Of other artifacts in use only the links were followed: set `artifact`.")
    if choice.unjudged:
        were = "was" if choice.unjudged == 1 else "were"
        said.append(f"{count(choice.unjudged, 'other artifacts')} on record, not known to be in "
                    f"use, {were} not judged: set `artifact`.")  # fmt: skip
    if not rebuilds.scores:
        said.append("No rebuild is on record, so whether one would be equivalent is not known.")
    elif rebuilds.is_equivalent is None and not rebuilds.reproduce(alpha):
        said.append("Without scores of the same items equivalence shows only where rebuilds hardly "
                    "differ.")  # fmt: skip
    elif rebuilds.items and not rebuilds.is_equivalent and not chain.broken:
        said += _settling(rebuilds)
    if rebuilds.left_out:
        said.append(f"{count(rebuilds.left_out, 'items')} that not both the shipped weights and a "
                    "rebuild were scored on are left out.")  # fmt: skip
    for noted in rebuilds.record.unlike:
        why = "was measured on other weights" if noted.is_other else (
            "is in another unit than the rebuilds")  # fmt: skip
        said.append(f"The score {number(noted.score)} in {_source(noted)} {why}, and was not "
                    "compared.")  # fmt: skip
    if not ask.case.filled("engagements"):
        said.append("Without `engagements`, owners who are there count as able to rebuild it.")
    return tuple(said)


def _settling(rebuilds: Rebuilds) -> Iterator[str]:
    """Say how many items would settle it, where the gap as it is would pass for none."""
    near = rebuilds.equivalence
    if not rebuilds.margin or (near is not None and abs(near.value) >= rebuilds.margin):
        return
    fewest = rebuilds.fewest_items
    within = spread(rebuilds.margin, None, "points" if rebuilds.is_share else "score")
    if near is None or rebuilds.items < fewest:
        yield (f"To show equivalence within {within}, at least {count(fewest, 'items')} would be "
               "needed: fewer may hold none of those that changed.")  # fmt: skip
        return
    room = rebuilds.margin - abs(near.value)
    items = math.ceil(near.n * ((near.high - near.low) / 2 / room) ** 2)
    yield (f"To show equivalence within {within}, about {count(items, 'items')} would be needed, "
           "were the gap as it is.")  # fmt: skip
