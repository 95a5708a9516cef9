"""The fixture `tool`, for tests that load what a tool itself wrote."""

from collections.abc import Callable

import pytest
from tests.tools.pinned import ENVIRONMENTS, Tool


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Tool]:
    """A tool by name and version; the test is skipped where it is not installed."""

    def find(name: str, version: str) -> Tool:
        environment = ENVIRONMENTS / f"{name}-{version}"
        if not (environment / ".installed").exists():
            pytest.skip(f"{name} {version} is not in .tools/: `make test-tools` installs it")
        return Tool(name, version, environment, tmp_path_factory.mktemp(name))

    return find
