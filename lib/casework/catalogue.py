"""The reference pages in `docs/`, written from the declarations in the code.

`python -m casework.catalogue` writes them; a test fails where they are not current.
"""

import sys
from pathlib import Path

from casework import diagnoses, importers, tables
from casework.diagnoses import Need

_MADE = "Made by `make docs` from the declarations in the code; change those.\n"


def pages() -> dict[str, str]:
    """Name and Markdown text of each page."""
    return {
        "tables.md": _tables(),
        "formats.md": _formats(),
        "diagnoses.md": _diagnoses(),
        "commands.md": _commands(),
    }


def _tables() -> str:
    parts = [f"# Evidence tables\n\n{_MADE}"]
    for table in tables.ALL:
        rows = "\n".join(
            f"| `{c.name}`{' *' if c.required else ''} | {c.type} | {_cell(c.doc, c.values)} |"
            for c in table.all_columns
        )
        key = ", ".join(f"`{name}`" for name in table.key)
        parts.append(
            f"## {table.name}\n\n{table.doc.strip()}\n\nSame row: {key}. `*`: required."
            f"{_points(table)}\n\n"
            f"| column | type | meaning |\n|---|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def _points(table: tables.Table) -> str:
    pairs = (f"`{column}` at `{target}`" for column, target in table.references.items())
    listed = ", ".join(pairs)
    return f" Points: {listed}." if listed else ""


def _cell(doc: str, values: tuple[str, ...]) -> str:
    return f"{doc} One of {', '.join(f'`{value}`' for value in values)}." if values else doc


def _formats() -> str:
    parts = [
        f"# Formats\n\n{_MADE}\nTried in this order; the first that knows a source reads it.\n"
    ]
    for importer in importers.ALL:
        fills = ", ".join(f"`{table.name}`" for table in importer.tables)
        every = len(importer.tables) == len(tables.ALL)
        parts.append(
            _page(importer.name, importer.doc, f"Fills {'any table' if every else fills}.")
        )
    return "\n".join(parts)


def _required(need: Need) -> str:
    if need.required and need.unless is not None:
        return f"yes, unless `{need.unless.name}` is there"
    return "yes" if need.required else "no"


def _diagnoses() -> str:
    parts = [f"# Diagnoses\n\n{_MADE}"]
    for diagnosis in diagnoses.ALL:
        settings = "\n".join(
            f"| `{name}` | {'inferred' if value is None else f'`{value}`'} |"
            for name, value in diagnosis.settings.items()
        )
        needs = "\n".join(
            f"| `{need.table.name}` | {', '.join(f'`{c}`' for c in need.columns)} | {need.why} | "
            f"{_required(need)} |"
            for need in diagnosis.needs
        )
        lead = (
            f"Family: {diagnosis.family}. Confirmed claims: {diagnosis.claim}.\n\n"
            f"| table | columns | for | required |\n|---|---|---|---|\n{needs}\n\n"
            f"| setting | default |\n|---|---|\n{settings}"
        )
        parts.append(_page(diagnosis.name, diagnosis.doc, lead))
    return "\n".join(parts)


def _page(name: str, doc: str, lead: str) -> str:
    title, _, rest = doc.strip().partition("\n")
    return f"## {name}\n\n{title}\n\n{lead}\n\n{rest.strip().replace('## ', '### ')}\n"


def _commands() -> str:
    import click

    from casework.cli import casework

    parts = [f"# Commands\n\n{_MADE}"]
    context = click.Context(casework, info_name="casework")
    for name in casework.list_commands(context):
        command = casework.get_command(context, name)
        if command is not None:
            inner = click.Context(command, info_name=name, parent=context, terminal_width=92)
            parts.append(f"## {name}\n\n```text\n{command.get_help(inner)}\n```\n")
    return "\n".join(parts)


def write(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
