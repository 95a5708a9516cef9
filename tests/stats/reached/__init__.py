"""What the library reaches for the inputs of each oracle: one module a subject.

Each module holds `REACHED`: by the id of an oracle in `tests/oracles.json`, a function that takes
its `inputs`, calls the library, and returns a value for each name in its `expected`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, Any]


def all_reached() -> dict[str, Callable[[Values], Values]]:
    """The functions of all modules, each oracle reached once."""
    found: dict[str, Callable[[Values], Values]] = {}
    for module in pkgutil.iter_modules(__path__):
        reached = importlib.import_module(f"{__name__}.{module.name}").REACHED
        twice = found.keys() & reached.keys()
        assert not twice, f"reached twice: {sorted(twice)}"
        found |= reached
    return found
