"""The maps that travel with the library, for tables that many people export the same way."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent.parent / "maps"


class ReadyMap(NamedTuple):
    """A map by its name, which `--map` takes. The first line of its text says what it is for."""

    name: str
    text: str

    @property
    def title(self) -> str:
        """What it is for, in one line."""
        return self.text.partition("\n")[0].removeprefix("#").strip().removesuffix(".")


@cache
def ready_maps() -> tuple[ReadyMap, ...]:
    """All ready maps, by name."""
    paths = sorted(_FOLDER.glob("*.toml"))
    return tuple(ReadyMap(path.stem, path.read_text("utf-8")) for path in paths)


def ready_map(name: str) -> ReadyMap | None:
    """The ready map of that name, if there is one."""
    return next((one for one in ready_maps() if one.name == name), None)
