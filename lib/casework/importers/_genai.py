"""The attributes of a GenAI span, sorted into columns of `requests` and the rest."""

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from casework.importers import _genai_names as names
from casework.importers._configuration import hash_invocation, hash_params
from casework.importers._otlp import Fault, KeyValue, decode_resource
from casework.importers._otlp_values import exact, plain
from casework.importers._token_counts import read_count
from casework.tables import requests

COLUMNS = (*requests.column_names, "locator")
SLOT = {name: slot for slot, name in enumerate(COLUMNS)}
_TOKENS = SLOT["input_tokens"], SLOT["output_tokens"]
_PARAMS_HASH = SLOT["params_hash"]
_OPERATION, _DECISION = SLOT["operation"], SLOT["decision"]
_OF_RESOURCES = [SLOT[column] for column in names.RESOURCE_COLUMNS]
_MODELS = (names.NAMES["endpoint"][0], names.NAMES["response_model"][0])

# What becomes of an attribute: the slot that it fills, and by how many better names that slot has
# plus so many times _RANK; below zero it stays an attribute.
_RANK = 64
_REST, _PARAMETER, _SAID = -1, -2, -3
_CODES = {
    name: SLOT[column] + _RANK * rank
    for column, known in names.NAMES.items()
    for rank, name in enumerate(known)
} | dict.fromkeys((names.SYSTEM, *names.INPUT, *names.OUTPUT), _SAID)
_INDEXED = re.compile("|".join(map(re.escape, (*names.INDEXED_INPUT, *names.INDEXED_OUTPUT))))

# Bounds on what is remembered of a source in which every span has other names or resources.
_KEPT = 1_000

_Picker = Callable[[Sequence[Any]], Sequence[Any]]


class Attributes(NamedTuple):
    """The attributes of a span, sorted.

    `row` has a slot for each of `COLUMNS`, `params_hash` among those that are filled; `said` holds
    messages, `rest` all that no column takes. `has_more` tells that some hold rows of other tables.
    """

    row: list[Any]
    rest: dict[str, Any]
    said: dict[str, Any]
    is_model_call: bool
    has_more: bool


class _Plan(NamedTuple):
    """Where the values of a list of attributes go: spans of one kind repeat their names.

    `row` picks from the values followed by the row of the resource, which gives way in the slots
    `outranked`; `rest` picks those of `rest_names`, `parameters` those of `parameter_names`.
    `numbers` are positions that held no text when the names were first met; `hashes` what came of
    the parameters that were met; `taken` names the columns of each, until they are told.
    """

    codes: list[int]
    numbers: list[int]
    names_model: bool
    has_more: bool
    row: _Picker
    rest_names: list[str]
    rest: _Picker
    parameter_names: list[str]
    parameters: _Picker
    outranked: list[int]
    said: list[tuple[str, int]]
    hashes: dict[bytes, str | None]
    taken: list[tuple[str, str]]


class _Resource(NamedTuple):
    """The attributes of a resource: a slot for each of `COLUMNS`, and what no column takes.

    `names` are those of the attributes that fill slots; `taken` is as that of a plan.
    """

    row: list[Any]
    rest: dict[str, Any]
    names: dict[int, str]
    taken: list[tuple[str, str]]


class Sorter:
    """Sorts attributes of spans. What it remembers of them only saves work.

    `taken` names the columns that each attribute of a model call fills.
    """

    def __init__(self) -> None:
        self.taken: dict[str, set[str]] = {}
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._resources: dict[bytes, _Resource] = {}

    def sort(self, pairs: list[KeyValue], resource: bytes) -> Attributes:
        """Sort the attributes of a span, which outrank those of its resource.

        Raises:
            Fault: SPAN_TYPE, a value or the resource is not what it should be; JSON_DEPTH.
        """
        of = self._resources.get(resource) or self._resource(resource)
        met = tuple([pair.key for pair in pairs])
        plan = self._plans.get(met) or self._plan(met, pairs)
        values = _values(pairs, plan)
        if "" in values:
            spoken = [at for at, code in enumerate(plan.codes) if code < 0 or values[at] != ""]
            if len(spoken) < len(pairs):
                return self.sort([pairs[at] for at in spoken], resource)
        row = list(plan.row(values + of.row))
        rest = of.rest.copy()
        for slot in plan.outranked:
            if slot in of.names:
                rest[of.names[slot]] = of.row[slot]
        rest.update(zip(plan.rest_names, plan.rest(values), strict=True))
        for slot in _TOKENS:
            count = row[slot]
            if count is not None and (count.__class__ is not int or count < 0):
                row[slot] = read_count(COLUMNS[slot], met, count, rest)
        if plan.parameter_names and row[_PARAMS_HASH] is None:
            row[_PARAMS_HASH] = _hash(plan, plan.parameters(values))
        if row[_PARAMS_HASH] is None and names.INVOCATION in rest:
            row[_PARAMS_HASH] = hash_invocation(rest[names.INVOCATION])
        said = {name: values[at] for name, at in plan.said}
        is_call = _is_model_call(row, rest, plan.names_model)
        if row[_OPERATION] is None and names.SPAN_KIND in rest:
            row[_OPERATION] = as_text(rest[names.SPAN_KIND])
        if is_call and (plan.taken or of.taken):  # told once
            for name, column in (*plan.taken, *of.taken):
                tell(self.taken, name, f"{requests.name}.{column}")
            plan.taken.clear()
            of.taken.clear()
        return Attributes(row, rest, said, is_call, plan.has_more)

    def _plan(self, met: tuple[str, ...], pairs: list[KeyValue]) -> _Plan:
        codes = [_code(name) for name in met]
        filled: dict[int, int] = {}
        kept = [at for at, code in enumerate(codes) if code in (_REST, _PARAMETER)]
        # The best name first; of a name that stands twice, the last.
        for at in sorted(range(len(met)), key=lambda at: (codes[at] // _RANK, -at)):
            if codes[at] >= 0 and met[filled.setdefault(codes[at] % _RANK, at)] != met[at]:
                kept.append(at)
        parameters = [at for at, code in enumerate(codes) if code == _PARAMETER]
        plan = _Plan(
            codes=codes,
            numbers=[at for at, code in enumerate(codes) if _may_be_number(pairs[at], code)],
            names_model=any(name in met for name in _MODELS),
            has_more=any(name.startswith(names.MORE) for name in met),
            row=_picker([filled.get(slot, len(met) + slot) for slot in range(len(COLUMNS))]),
            rest_names=[met[at] for at in kept],
            rest=_picker(kept),
            parameter_names=[met[at].removeprefix(names.PARAMETER) for at in parameters],
            parameters=_picker(parameters),
            outranked=[slot for slot in _OF_RESOURCES if slot in filled],
            said=[(met[at], at) for at, code in enumerate(codes) if code == _SAID],
            hashes={},
            taken=[
                *((met[at], COLUMNS[slot]) for slot, at in filled.items()),
                *((met[at], "attributes") for at in kept),
                *((met[at], "params_hash") for at in parameters),
                *((name, "params_hash") for name in met if name == names.INVOCATION),
                *((name, _spoken_column(name)) for name in met if _code(name) == _SAID),
            ],
        )
        _remember(self._plans, met, plan)
        return plan

    def _resource(self, raw: bytes) -> _Resource:
        try:
            pairs = decode_resource(raw).attributes
        except (ValueError, RecursionError) as error:
            raise Fault("SPAN_TYPE", f"its resource is none: {error}") from error
        found = {pair.key: _value(pair, _REST) for pair in pairs}
        row: list[Any] = [None] * len(COLUMNS)
        filled: dict[int, str] = {}
        for slot in _OF_RESOURCES:
            if name := next(filter(found.get, names.NAMES[COLUMNS[slot]]), ""):
                filled[slot], row[slot] = name, as_text(found.pop(name))
        rest = {key: value for key, value in found.items() if not key.startswith(names.MACHINE)}
        taken = [(name, COLUMNS[slot]) for slot, name in filled.items()]
        made = _Resource(row, rest, filled, [*taken, *((name, "attributes") for name in rest)])
        _remember(self._resources, raw, made)
        return made


def tell(taken: dict[str, set[str]], name: str, column: str) -> None:
    """Note that an attribute fills a column; a source may invent names without end."""
    if name in taken or len(taken) < _KEPT:
        taken.setdefault(name, set()).add(column)


def as_text(value: Any) -> str:
    """Write a value as text; what is not text as JSON writes it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def kind_of(attributes: Attributes) -> str:
    """Name what a span is that is no model call."""
    operation, kind = attributes.row[_OPERATION], attributes.rest.get(names.SPAN_KIND)
    if operation in names.OTHER_OPERATIONS:
        return str(operation)
    return str(kind).lower() if kind in names.OTHER_KINDS else "other"


def _spoken_column(name: str) -> str:
    out = name in names.OUTPUT or name.startswith(names.INDEXED_OUTPUT)
    return "output_text" if out else "input_text"


def _code(name: str) -> int:
    known = _CODES.get(name)
    if known is not None:
        return known
    if name.startswith(names.PARAMETER):
        return _PARAMETER
    indexed = None if name.endswith(names.UNSPOKEN) else _INDEXED.match(name)
    return _SAID if indexed and name[indexed.end() : indexed.end() + 1].isdecimal() else _REST


def _picker(positions: list[int]) -> _Picker:
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda values: [values[at] for at in positions]


def _remember(memory: dict[Any, Any], key: Any, value: Any) -> None:
    if len(memory) >= _KEPT:
        memory.clear()
    memory[key] = value


def _hash(plan: _Plan, parameters: Sequence[Any]) -> str | None:
    key = msgspec.json.encode(parameters)
    known = plan.hashes.get(key)
    if known is None:
        known = hash_params(dict(zip(plan.parameter_names, parameters, strict=True)))
        _remember(plan.hashes, key, known)
    return known


def _values(pairs: list[KeyValue], plan: _Plan) -> list[Any]:
    values: list[Any] = [pair.value.string_value for pair in pairs]
    for at in plan.numbers:
        value = pairs[at].value
        if value.int_value is not None:
            values[at] = exact(value.int_value)
        elif value.double_value.__class__ is float:
            values[at] = value.double_value
    if None in values:
        for at, known in enumerate(values):
            if known is None:
                values[at] = _value(pairs[at], plan.codes[at])
    return values


def _may_be_number(pair: KeyValue, code: int) -> bool:
    return pair.value.string_value is None and not _is_text(code)


def _is_text(code: int) -> bool:
    return code >= 0 and code % _RANK not in _TOKENS


def _value(pair: KeyValue, code: int) -> Any:
    value = plain(pair.value)
    if value is None:
        raise Fault("SPAN_TYPE", f"the attribute {pair.key[:80]!r} has no value")
    return as_text(value) if _is_text(code) else value


def _is_model_call(row: list[Any], rest: dict[str, Any], names_model: bool) -> bool:
    operation = row[_OPERATION]
    if operation in names.MODEL_CALLS or row[_DECISION] is not None:
        return True
    if operation in names.OTHER_OPERATIONS:
        return False
    if names.SPAN_KIND in rest:
        return rest[names.SPAN_KIND] in names.MODEL_KINDS
    return names_model or any(name in rest for name in names.PROVIDERS)
