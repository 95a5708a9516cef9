"""Importers: one file a format, the same shape, recognised by content. Order is precedence."""

from casework.errors import unknown_name
from casework.importers._importer import Importer, Options
from casework.importers._mapping import check_timezone
from casework.importers._source import Source
from casework.importers.table_file import table_file

ALL: tuple[Importer, ...] = (table_file,)


def get(name: str) -> Importer:
    """Return the importer of that name.

    Raises:
        UsageError: there is none.
    """
    for importer in ALL:
        if importer.name == name:
            return importer
    raise unknown_name("format", name, [importer.name for importer in ALL])


__all__ = ["ALL", "Importer", "Options", "Source", "check_timezone", "get", "table_file"]
