"""Tools of other makers at pinned versions, each in an environment of its own under `.tools/`.

`requirements/<tool>-<version>.in` names what to install and the `.txt` beside it pins it with
hashes; a tool of Node.js has a folder there, with `package.json` and its lock. `.left-out` names
what a tool asks for and does not need. `make test-tools` installs them, and `make lock-tools`
writes the pins again. A script beside this file writes evidence with the tool, and prints as JSON
what the tool says of it.
"""

import json
import os
import subprocess
from collections.abc import Callable
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
    pins = [*REQUIREMENTS.glob(f"{name}-*.in"), *REQUIREMENTS.glob(f"{name}-*/package.json")]
    names = (str(path.relative_to(REQUIREMENTS)).removesuffix("/package.json") for path in pins)
    found = sorted(one.removesuffix(".in").removeprefix(f"{name}-") for one in names)
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
        if script.endswith(".mjs"):  # from its input, so that it imports what the folder has
            return self._told(
                ["node", "--input-type=module", "-", *arguments],
                self.environment,
                (HERE / script).read_text(),
            )
        python = self.environment / "bin" / "python"
        return self._told([python, "-I", "-W", "ignore", HERE / script, *arguments], self.home)

    def _told(self, command: list[str | Path], folder: Path, given: str | None = None) -> Any:
        process = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            input=given,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
        )
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout.splitlines()[-1])


Write = Callable[[str, str, str], tuple[Path, Any]]
"""Takes a tool, its version and a script; gives what the script left, and what the tool says."""
