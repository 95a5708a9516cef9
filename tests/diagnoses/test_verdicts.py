"""Every incident gets a verdict that is right for it: planted, healthy twin and each trap.

Three seeds here, 40 where it may take long; `python -m benchmarks.validity` prints the table.
"""

import pytest
from fixtures import ALL, Incident
from tests.diagnoses.conftest import Diagnosed

every = pytest.mark.parametrize("incident", ALL, ids=lambda incident: incident.name)


@every
@pytest.mark.parametrize("seed", [11])
def test_the_verdict_is_right(incident: Incident, seed: int, diagnosed: Diagnosed) -> None:
    result, _ = diagnosed(incident.name, seed)
    assert result.verdict in incident.verdicts, result.headline


@pytest.mark.slow
@every
def test_the_verdict_is_right_on_forty_seeds(incident: Incident, diagnosed: Diagnosed) -> None:
    wrong = {}
    for seed in range(2000, 2040):
        result, _ = diagnosed(incident.name, seed)
        if result.verdict not in incident.verdicts:
            wrong[seed] = result.verdict
    confirmed = [seed for seed, verdict in wrong.items() if verdict == "confirmed"]
    assert not confirmed
    assert len(wrong) <= 2, wrong
