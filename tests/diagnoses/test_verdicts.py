"""Every incident gets a verdict that is right for it: planted, healthy twin and each trap.

One seed here; `python -m benchmarks.validity` runs as many as one likes, and keeps what it found.
Those that no other test judges are here, the others are with the slow tests: the test file of each
diagnosis has the planted ones and the gravest traps by name, and of most the healthy twin.
"""

import pytest
from fixtures import ALL, Incident
from tests.diagnoses.conftest import Diagnosed

JUDGED_ELSEWHERE = {
    "alignment_loss.healthy",
    "cohort_skew.healthy",
    "debug_feedback.healthy",
    "feedback_poisoning.healthy",
    "prompt_leakage.healthy",
    "retired_checkpoint.healthy",
    "stale_eval_config.healthy",
}


def _parameter(incident: Incident):
    here = incident.kind == "healthy" and incident.name not in JUDGED_ELSEWHERE
    marks = () if here else pytest.mark.slow
    return pytest.param(incident, id=incident.name, marks=marks)


@pytest.mark.parametrize("incident", [_parameter(incident) for incident in ALL])
def test_the_verdict_is_right(incident: Incident, diagnosed: Diagnosed) -> None:
    result, _ = diagnosed(incident.name, 11)
    assert result.verdict in incident.verdicts, result.headline
