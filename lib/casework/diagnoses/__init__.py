"""Diagnoses: one file a failure pattern. The tuple `ALL` is the set of checks of this release."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from casework.case import Case, CaseWriter
from casework.diagnoses._diagnosis import Diagnosis, Need
from casework.diagnoses._triage import adjust, by_gravity, triage
from casework.diagnoses.alignment_loss import alignment_loss
from casework.diagnoses.cohort_skew import cohort_skew
from casework.diagnoses.debug_feedback import debug_feedback
from casework.diagnoses.feedback_poisoning import feedback_poisoning
from casework.diagnoses.output_attribution import output_attribution
from casework.diagnoses.prompt_leakage import prompt_leakage
from casework.diagnoses.registry_rot import registry_rot
from casework.diagnoses.reproducibility_closure import reproducibility_closure
from casework.diagnoses.retired_checkpoint import retired_checkpoint
from casework.diagnoses.stale_eval_config import stale_eval_config
from casework.diagnoses.substrate_rotation import substrate_rotation
from casework.diagnoses.threshold_drift import threshold_drift
from casework.errors import UsageError, unknown_name
from casework.findings import Result

ALL: tuple[Diagnosis, ...] = (
    cohort_skew,
    stale_eval_config,
    prompt_leakage,
    threshold_drift,
    substrate_rotation,
    reproducibility_closure,
    registry_rot,
    retired_checkpoint,
    output_attribution,
    alignment_loss,
    feedback_poisoning,
    debug_feedback,
)


def get(name: str) -> Diagnosis:
    """Return the diagnosis of that name.

    Raises:
        UsageError: UNKNOWN_DIAGNOSIS, with the nearest name.
    """
    for diagnosis in ALL:
        if diagnosis.name == name:
            return diagnosis
    raise unknown_name("diagnosis", name, [diagnosis.name for diagnosis in ALL])


def diagnose(
    case: Path | str,
    names: Sequence[str] = (),
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Result]:
    """Run diagnoses on a case and keep their results in it, for reports and for custody.

    The levels of their primary tests are kept together, by Holm.

    Args:
        case: the case file.
        names: which diagnoses; all of them if empty.
        settings: for each diagnosis the settings that are given.

    Raises:
        CaseworkError: the case cannot be read or written; CASE_CHANGED, evidence was loaded
            between the two.
        UsageError: an unknown diagnosis or setting.
    """
    chosen = [get(name) for name in dict.fromkeys(names)] or list(ALL)
    settings = settings or {}
    stray = set(settings) - {diagnosis.name for diagnosis in chosen}
    if stray:
        known = [diagnosis.name for diagnosis in chosen]
        name = sorted(stray)[0]
        get(name)
        raise UsageError(
            "NOT_RUN", f"a setting is given for {name!r}", f"diagnoses that run: {', '.join(known)}"
        )
    with Case(case) as opened:
        results = [diagnosis(opened, **settings.get(diagnosis.name, {})) for diagnosis in chosen]
        exhibits = len(opened.exhibits())
    results = adjust(results)
    with CaseWriter(Path(case)) as writer:
        writer.store(results, exhibits)
    return results


__all__ = ["ALL", "Diagnosis", "Need", "by_gravity", "diagnose", "get", "triage"]
