"""What an investigator asks next: which part, which rater, whose thumbs, what dose.

These stand beside the verdict and change nothing in it.
"""

from dataclasses import dataclass

from casework.diagnoses._debug_canned import canned_finding, canned_limits, find_canned
from casework.diagnoses._debug_changes import Moves
from casework.diagnoses._debug_classes import Agreement, Classes
from casework.diagnoses._debug_dose import dose_finding, dose_limits, respond
from casework.diagnoses._debug_origins import Known, Origins
from casework.diagnoses._debug_parts import Part, divide, parts_finding
from casework.diagnoses._debug_raters import (
    compare_raters,
    named_models,
    raters_finding,
    scale_up,
    scaling_limits,
)
from casework.diagnoses._debug_thumbs import thumbs_finding, thumbs_limits, weigh_thumbs
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding


@dataclass(frozen=True, slots=True)
class Closer:
    """What a closer look found, and what it could not tell."""

    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]
    limits: tuple[str, ...]


def look_closer(
    ask: Inquiry,
    known: Known,
    origins: Origins,
    classes: Classes | None,
    agreement: Agreement,
    moves: Moves,
    models: str | None,
    seed: int,
) -> Closer:
    """Look at parts of the set, raters, people whose thumbs stand apart, pastes and doses.

    Args:
        ask: the inquiry.
        known: settled names.
        origins: where the rows came from.
        classes: what they are; None where no row is labelled.
        agreement: of the raters.
        moves: slices that moved, and retrains.
        models: raters that are a model, as given.
        seed: of bootstrap and simulation.
    """
    named = named_models(ask, known, models)
    parts = divide(ask, known, origins, agreement, classes)
    raters = compare_raters(ask, known, named, seed)
    machine = scale_up(ask, known, named, seed)
    canned = find_canned(ask, known, origins)
    dose = respond(ask, known, moves)
    thumbs = weigh_thumbs(ask, known, origins)
    return Closer(
        parts,
        (
            *parts_finding(ask, parts),
            *raters_finding(ask, raters, agreement),
            *thumbs_finding(ask, thumbs),
            *canned_finding(ask, canned),
            *dose_finding(ask, dose),
        ),
        (
            *scaling_limits(machine, origins.rows),
            *thumbs_limits(thumbs, origins),
            *canned_limits(canned, origins),
            *dose_limits(dose),
        ),
    )
