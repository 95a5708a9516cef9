"""Tools of other makers at pinned versions, each in an environment of its own under `.tools/`.

`requirements/<tool>-<version>.in` names what to install and the `.txt` beside it pins it with
hashes; `make test-tools` installs them, and `make lock-tools` writes the pins again. A script
beside this file writes evidence with the tool, and prints as JSON what the tool says of it.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".tools"
REQUIREMENTS = HERE / "requirements"


def versions(name: str) -> list[str]:
    """The pinned versions of a tool, as text, in the order of their names.

    Raises:
        LookupError: none is pinned.
    """
    found = sorted(path.stem.removeprefix(f"{name}-") for path in REQUIREMENTS.glob(f"{name}-*.in"))
    if not found:
        raise LookupError(f"no version of {name} is pinned in {REQUIREMENTS.name}/")
    return found


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool at one version. `environment` is its folder, `home` what its scripts take for home."""

    name: str
    version: str
    environment: Path
    home: Path

    def run(self, script: str, *arguments: str | Path) -> Any:
        """Run a script of this folder with the tool; the JSON value on its last line."""
        process = subprocess.run(
            [self.environment / "bin" / "python", "-I", "-W", "ignore", HERE / script, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            env={"HOME": str(self.home), "PATH": os.defpath},
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout.splitlines()[-1])
