"""What a diagnosis is: declared needs, and a judge that turns a case into a conclusion."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from casework.case import Case
from casework.diagnoses._inquiry import Conclusion, Inquiry
from casework.errors import UsageError, unknown_name
from casework.findings import Missing, Parameter, Result, Source
from casework.tables import Table


@dataclass(frozen=True, slots=True)
class Need:
    """Evidence that a diagnosis reads: a table, the columns that must hold something, and why.

    A need that is not `required` makes the answer better; without it the verdict may be capped.
    One with `unless` is not required either where that table is there: each answers a part.
    """

    table: Table
    columns: tuple[str, ...]
    why: str
    required: bool = True
    unless: Table | None = None

    def is_required(self, case: Case) -> bool:
        """Whether nothing can be said of the case without it."""
        return self.required and (self.unless is None or not case.filled(self.unless.name))


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One failure pattern and the method that tests for it. Calling it gives a `Result`.

    The module docstring is its manual page. The keyword parameters of `judge` are its settings:
    None stands for "infer it from the evidence".
    """

    name: str
    family: str
    claim: str
    doc: str
    needs: tuple[Need, ...]
    judge: Callable[..., Conclusion]

    @property
    def title(self) -> str:
        """The first line of the manual page."""
        return self.doc.strip().splitlines()[0].rstrip(".")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings with their defaults."""
        parameters = inspect.signature(self.judge).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    def missing(self, case: Case) -> tuple[Missing, ...]:
        """What the case does not hold, required or not."""
        return tuple(
            Missing(need.table.name, need.columns, need.why, need.is_required(case))
            for need in self.needs
            if not case.filled(need.table.name, need.columns)
        )

    def __call__(self, case: Case, **given: Any) -> Result:
        """Diagnose a case.

        Raises:
            UsageError: UNKNOWN_PARAMETER, BAD_VALUE.
        """
        settings = {**self.settings, **self._checked(given)}
        missing = self.missing(case)
        required = [absent for absent in missing if absent.required]
        if required:
            return self._not_testable(missing, required, settings, given)
        inquiry = Inquiry(case, self.name, missing)
        for name, value in settings.items():
            if value is not None:
                source: Source = "given" if name in given else "default"
                inquiry.parameters[name] = Parameter(value, source)
        try:
            conclusion = self.judge(inquiry, **settings)
            return inquiry.result(self.family, conclusion, seed=int(settings.get("seed", 0)))
        finally:
            case.release_all()  # of no use to another diagnosis, which needs the memory

    def _not_testable(
        self,
        missing: tuple[Missing, ...],
        required: list[Missing],
        settings: Mapping[str, Any],
        given: Mapping[str, Any],
    ) -> Result:
        wanted = ", ".join(f"{m.table} ({', '.join(m.columns)})" for m in required)
        return Result(
            diagnosis=self.name,
            family=self.family,
            verdict="not_testable",
            severity=None,
            headline=f"Not testable. Load {wanted}.",
            missing=missing,
            parameters={
                name: Parameter(value, "given" if name in given else "default")
                for name, value in settings.items()
                if value is not None
            },
            seed=int(settings.get("seed", 0)),
        )

    def _checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The given settings, with text turned into the numbers that the judge takes."""
        types = get_type_hints(self.judge)
        checked: dict[str, Any] = {}
        for name, value in given.items():
            if name not in self.settings:
                raise unknown_name("parameter", name, list(self.settings))
            wanted = {types[name], *get_args(types[name])}
            for kind in (int, float):
                if kind in wanted and not isinstance(value, bool):
                    value = self._number(name, value, kind)
            checked[name] = value
        return checked

    def _number(self, name: str, value: Any, kind: type[int] | type[float]) -> int | float:
        try:
            number = kind(value)
        except (TypeError, ValueError):
            number = kind("nan") if kind is float else -1
        if not math.isfinite(number) or number < 0:
            raise UsageError(
                "BAD_VALUE",
                f"{self.name}.{name} is {str(value)!r}",
                f"give {'a whole number' if kind is int else 'a number'} of at least 0",
            )
        return number
