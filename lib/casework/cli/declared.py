"""`casework formats`, `tables` and `diagnoses`: what there is, from its own declarations."""

import click

from casework.cli._terminal import say


@click.command(short_help="List the source formats, or show one of them.")
@click.argument("name", required=False)
def formats(name: str | None) -> None:
    """List the source formats that can be loaded, or show the manual page of NAME.

    NAME may be that of a ready map, as `load --map` takes it; its text is shown, to be copied.
    """
    from casework import importers

    if name and (ready := importers.ready_map(name)):
        say(ready.text.rstrip())
        return
    if name:
        say(importers.get(name).doc.strip())
        return
    for importer in importers.ALL:
        filled = (
            "any table"
            if len(importer.tables) > 20
            else ", ".join(table.name for table in importer.tables)
        )
        say(f"{importer.name}: {importer.title}")
        say(f"    fills {filled}")


@click.command(short_help="List the evidence tables, or show one of them.")
@click.argument("name", required=False)
def tables(name: str | None) -> None:
    """List the evidence tables with their columns, or show the manual page of NAME.

    A column marked with * is required.
    """
    from casework import tables as declared

    if name:
        table = declared.get(name)
        say(table.doc.strip())
        say()
        for column in table.all_columns:
            say(f"{column.name}{'*' if column.required else ''} {column.type}: {column.doc}")
        return
    for table in declared.ALL:
        say(f"{table.name}: {table.doc.strip().splitlines()[0]}")
        columns = (f"{column.name}{'*' if column.required else ''}" for column in table.columns)
        say(f"    {', '.join(columns)}")


@click.command(short_help="List the diagnoses, or show one of them.")
@click.argument("name", required=False)
def diagnoses(name: str | None) -> None:
    """List the diagnoses, or show the manual page of NAME with its parameters."""
    from casework import diagnoses as declared

    if name:
        diagnosis = declared.get(name)
        say(diagnosis.doc.strip())
        say()
        for parameter, default in diagnosis.settings.items():
            said = "inferred" if default is None else default
            say(f"--set {name}.{parameter}=VALUE (default: {said})")
        return
    for diagnosis in declared.ALL:
        say(f"{diagnosis.name} ({diagnosis.family}): {diagnosis.title}")
