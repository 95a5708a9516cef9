"""The settings of a diagnosis as a person meets them: what each means, is, and came from."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

from casework import words
from casework.diagnoses._diagnosis import Diagnosis
from casework.errors import UsageError
from casework.findings import Result, Source

Kind = Literal["text", "whole", "number", "flag"]

_KINDS: tuple[tuple[type, Kind], ...] = (
    (bool, "flag"),
    (int, "whole"),
    (float, "number"),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a diagnosis, with the value that a run used.

    `value` and `source` are None where the run did not come to use it. `doc` is what the manual
    of the diagnosis says of it.
    """

    name: str
    kind: Kind
    doc: str
    value: Any
    source: Source | None

    @property
    def title(self) -> str:
        """The name in words, with the unit that its ending names."""
        unit = ", s" if self.name.endswith("_s") else ""
        return words.title(self.name.removesuffix("_s")) + unit

    @property
    def text(self) -> str:
        """The value as it is typed; empty where there is none."""
        if isinstance(self.value, float):
            return str(self.value).removesuffix(".0")
        return "" if self.value is None else str(self.value)


def settings_of(diagnosis: Diagnosis, result: Result) -> tuple[Setting, ...]:
    """The settings of a diagnosis, with the values that a run of it used."""
    types = get_type_hints(diagnosis.judge)
    manual = inspect.getdoc(diagnosis.judge) or ""
    found = []
    for name in diagnosis.settings:
        used = result.parameters.get(name)
        kind, doc = _kind(types[name]), _said_of(name, manual)
        value, source = (used.value, used.source) if used else (None, None)
        found.append(Setting(name, kind, doc, value, source))
    return tuple(found)


def changed(settings: tuple[Setting, ...], typed: Mapping[str, str | bool]) -> dict[str, Any]:
    """The settings that a person changed, as the diagnosis takes them; emptied ones are not given.

    Raises:
        UsageError: BAD_VALUE, what was typed is no number where one is needed.
    """
    given = {}
    for setting in settings:
        value = typed[setting.name]
        if isinstance(value, str) and value.strip() not in ("", setting.text):
            given[setting.name] = _read(setting, value.strip())
        elif isinstance(value, bool) and value != bool(setting.value):
            given[setting.name] = value
    return given


def _read(setting: Setting, text: str) -> str | int | float:
    try:
        if setting.kind == "whole":
            return int(text)
        return float(text) if setting.kind == "number" else text
    except ValueError:
        number = "a whole number" if setting.kind == "whole" else "a number"
        raise UsageError("BAD_VALUE", f"{setting.name} is {text!r}", f"give {number}") from None


def _kind(hint: Any) -> Kind:
    """The kind of a type, of `float | None` that of `float`."""
    types = {kind for kind in get_args(hint) or (hint,) if kind is not type(None)}
    return next((kind for found, kind in _KINDS if types == {found}), "text")


def _said_of(name: str, manual: str) -> str:
    """What the section Args of a docstring says of a parameter, on one line."""
    found = re.search(rf"^ +{name}: (.+(?:\n {{6,}}\S.*)*)", manual, re.MULTILINE)
    return " ".join(found.group(1).split()) if found else ""
