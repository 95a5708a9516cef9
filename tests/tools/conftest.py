"""The fixture `write`, for tests that load what a tool itself wrote."""

from pathlib import Path
from typing import Any

import pytest
from tests.tools.pinned import ENVIRONMENTS, Tool, Write


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Lets a tool write evidence; the test is skipped where it is not installed."""

    def run(name: str, version: str, script: str) -> tuple[Path, Any]:
        environment = ENVIRONMENTS / f"{name}-{version}"
        if not (environment / ".installed").exists():
            pytest.skip(f"{name} {version} is not in .tools/: `make test-tools` installs it")
        folder = tmp_path_factory.mktemp("left")
        return folder, Tool(name, version, environment, tmp_path_factory.mktemp(name)).run(
            script, folder
        )

    return run
