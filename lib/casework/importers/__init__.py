"""Importers: one file a format, the same shape, recognised by content. Order is precedence."""

from casework.errors import unknown_name
from casework.importers._importer import Importer, Options
from casework.importers._map_file import check_timezone, read_map
from casework.importers._options import check_options
from casework.importers._source import Source
from casework.importers.inspect_logs import inspect_logs
from casework.importers.mlflow_export import mlflow_export
from casework.importers.mlflow_registry import mlflow_registry
from casework.importers.otlp_traces import otlp_traces
from casework.importers.table_file import table_file

ALL: tuple[Importer, ...] = (
    inspect_logs,
    otlp_traces,
    mlflow_registry,
    mlflow_export,
    table_file,
)


def get(name: str) -> Importer:
    """Return the importer of that name.

    Raises:
        UsageError: there is none.
    """
    for importer in ALL:
        if importer.name == name:
            return importer
    raise unknown_name("format", name, [importer.name for importer in ALL])


__all__ = [
    "ALL",
    "Importer",
    "Options",
    "Source",
    "check_options",
    "check_timezone",
    "get",
    "read_map",
    "table_file",
]
