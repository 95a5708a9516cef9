"""casework: a workbench for investigating ML and LLM incidents.

The public names load what they need when they are first used: DuckDB, the statistics and the
charts cost seconds to import, and neither `import casework` nor `casework --help` needs them.
"""

from typing import TYPE_CHECKING

from casework.errors import CaseworkError

if TYPE_CHECKING:
    from casework.case import Case, Query
    from casework.diagnoses import diagnose
    from casework.intake import load

    __version__: str

__all__ = ["Case", "CaseworkError", "Query", "diagnose", "load"]

_HOME = {
    "Case": "casework.case",
    "Query": "casework.case",
    "diagnose": "casework.diagnoses",
    "load": "casework.intake",
}
"""Where each public name is defined."""

if not TYPE_CHECKING:  # a type checker that saw this function would accept any name

    def __getattr__(name: str) -> object:
        """Import a public name on first use and keep it (PEP 562)."""
        if name == "__version__":
            from importlib.metadata import version

            value = version("casework")
        elif name in _HOME:
            from importlib import import_module

            value = getattr(import_module(_HOME[name]), name)
        else:
            raise AttributeError(f"module 'casework' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
