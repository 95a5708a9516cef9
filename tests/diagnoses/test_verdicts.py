"""Every incident gets a verdict that is right for it: planted, healthy twin and each trap.

One seed here; `python -m benchmarks.validity` runs as many as one likes, and keeps what it found.
Traps are with the slow tests: the test file of each diagnosis has its gravest ones by name.
"""

import pytest
from fixtures import ALL, Incident
from tests.diagnoses.conftest import Diagnosed


def _parameter(incident: Incident):
    marks = pytest.mark.slow if incident.kind == "trap" else ()
    return pytest.param(incident, id=incident.name, marks=marks)


@pytest.mark.parametrize("incident", [_parameter(incident) for incident in ALL])
def test_the_verdict_is_right(incident: Incident, diagnosed: Diagnosed) -> None:
    result, _ = diagnosed(incident.name, 11)
    assert result.verdict in incident.verdicts, result.headline
