"""What an investigator asks next: which part of the set, which rater, whose thumbs, which pastes.

These stand beside the verdict and change nothing in it.
"""

from dataclasses import dataclass

from casework.diagnoses._debug_canned import canned_finding, find_canned
from casework.diagnoses._debug_classes import Agreement, Classes
from casework.diagnoses._debug_origins import Known, Origins
from casework.diagnoses._debug_parts import divide, parts_finding
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

    findings: tuple[Finding, ...]
    limits: tuple[str, ...]


def look_closer(
    ask: Inquiry,
    known: Known,
    origins: Origins,
    classes: Classes | None,
    agreement: Agreement,
    models: str | None,
    seed: int,
) -> Closer:
    """Look at parts of the set, at raters, and at people whose thumbs stand apart.

    Args:
        ask: the inquiry.
        known: settled names.
        origins: where the rows came from.
        classes: what they are; None where no row is labelled.
        agreement: of the raters.
        models: raters that are a model, as given.
        seed: of bootstrap and simulation.
    """
    named = named_models(ask, known, models)
    parts = divide(ask, known, origins, agreement, classes)
    raters = compare_raters(ask, known, named, seed)
    machine = scale_up(ask, known, named, seed)
    canned = find_canned(ask, known, origins)
    thumbs = weigh_thumbs(ask, known, origins)
    return Closer(
        (
            *parts_finding(ask, parts),
            *raters_finding(ask, raters, agreement),
            *thumbs_finding(ask, thumbs),
            *canned_finding(ask, canned),
        ),
        scaling_limits(machine, origins.rows) + thumbs_limits(thumbs, origins),
    )
