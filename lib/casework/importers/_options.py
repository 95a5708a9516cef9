"""What a person says about the sources, checked before any of them is opened."""

from casework.errors import UsageError
from casework.importers._importer import Importer, Options
from casework.importers._map_file import check_map, check_timezone


def check_options(options: Options, chosen: Importer | None) -> None:
    """Check that options name what there is, and do not contradict each other.

    Args:
        options: what is said about the sources.
        chosen: the importer that is to read all of them, if one is named.

    Raises:
        UsageError: UNKNOWN_TIMEZONE, MAP_INVALID and its kin, CONTRADICTION.
    """
    if options.timezone:
        check_timezone(options.timezone)
    mapping = options.mapping or {}
    check_map(mapping, options.table)
    if options.table and mapping.get("table", options.table.name) != options.table.name:
        raise UsageError(
            "CONTRADICTION",
            f"the map is for {mapping['table']!r}, --as for {options.table.name!r}",
            "leave one of them out",
        )
    if chosen and chosen.name != "table_file" and (options.table or mapping):
        raise UsageError(
            "CONTRADICTION",
            f"--as and --map are for table files, not for {chosen.name}",
            "leave them out, or --format",
        )
