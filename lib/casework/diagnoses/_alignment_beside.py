"""What `alignment_loss` states beside its verdict: none of it moves the verdict."""

from dataclasses import dataclass
from typing import Any

from casework.diagnoses._alignment_accuracy import limits_of_accuracy, measure_accuracy
from casework.diagnoses._alignment_changes import Found
from casework.diagnoses._alignment_harm import (
    limit_of_harm,
    measure_coherence,
    measure_harm,
    tell_harm,
)
from casework.diagnoses._alignment_judge import limits_of_judge, measure_judge
from casework.diagnoses._alignment_others import measure_others
from casework.diagnoses._alignment_reading import measure_reading
from casework.diagnoses._alignment_runs import Compared
from casework.diagnoses._alignment_trained import measure_trained
from casework.diagnoses._inquiry import Inquiry
from casework.findings import Finding


@dataclass(frozen=True, slots=True)
class Beside:
    """Findings that stand after those of the verdict, and limits before its own."""

    findings: tuple[Finding, ...]
    limits: tuple[str, ...]


def look_beside(
    ask: Inquiry, compared: Compared, found: Found, margin: float, known: dict[str, Any]
) -> Beside:
    """Measure and state what the verdict does not rest on.

    `known` are the parameters of the queries that read the answers.
    """
    harm = measure_harm(ask, known)
    findings = (
        *measure_reading(ask, found, margin),
        *tell_harm(ask, harm),
        *measure_coherence(ask, known),
        *measure_accuracy(ask, found),
        *measure_trained(ask, found.reasons, known | {"label_from": found.label_from}),
        *measure_judge(ask, compared, found),
        *measure_others(ask, compared, found, known, margin),
    )
    limits = (limit_of_harm(harm), *limits_of_accuracy(found), *limits_of_judge(ask, found))
    return Beside(findings, limits)
