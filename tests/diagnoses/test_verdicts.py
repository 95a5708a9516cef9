"""Every incident gets a verdict that is right for it: planted, healthy twin and each trap.

One seed here; `python -m benchmarks.validity` runs as many as one likes, and keeps what it found.
Healthy twins are here, the others are with the slow tests: the test file of each diagnosis has the
planted ones and the gravest traps by name.
"""

import pytest
from fixtures import ALL, Incident
from tests.diagnoses.conftest import Diagnosed


def _parameter(incident: Incident):
    marks = () if incident.kind == "healthy" else pytest.mark.slow
    return pytest.param(incident, id=incident.name, marks=marks)


@pytest.mark.parametrize("incident", [_parameter(incident) for incident in ALL])
def test_the_verdict_is_right(incident: Incident, diagnosed: Diagnosed) -> None:
    result, _ = diagnosed(incident.name, 11)
    assert result.verdict in incident.verdicts, result.headline
