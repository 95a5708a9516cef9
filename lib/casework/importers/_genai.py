"""The attributes of a GenAI span, sorted into columns of `requests` and the rest."""

import re
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from casework.importers import _genai_names as names
from casework.importers._otlp import Fault, KeyValue, decode_resource
from casework.importers._otlp_values import plain
from casework.tables import requests

COLUMNS = (*requests.column_names, "locator")
SLOT = {name: slot for slot, name in enumerate(COLUMNS)}
_TOKENS = (SLOT["input_tokens"], SLOT["output_tokens"])
_OPERATION, _DECISION = SLOT["operation"], SLOT["decision"]
_MODELS = (SLOT["endpoint"], SLOT["response_model"])

# What becomes of an attribute: up to _LESSER the slot that it fills; above, the slot that it fills
# where no better name is there, by rank; below zero it stays an attribute.
_LESSER = 64
_REST, _PARAMETER, _SAID = -1, -2, -3
_CODES = {
    name: SLOT[column] + _LESSER * rank
    for column, known in names.NAMES.items()
    for rank, name in enumerate(known)
} | dict.fromkeys((names.SYSTEM, *names.INPUT, *names.OUTPUT), _SAID)

# Bounds on what is remembered of a source that gives every span other names or resources.
_NAMES_KEPT = 5_000
_RESOURCES_KEPT = 1_000
_LARGEST_WHOLE = 2**63 - 1
_INDEXED = re.compile("|".join(map(re.escape, (*names.INDEXED_INPUT, *names.INDEXED_OUTPUT))))


class Attributes(NamedTuple):
    """The attributes of a span, sorted.

    `row` has a slot for each of `COLUMNS`; `parameters` have the names after `gen_ai.request.`,
    and stand in `rest` under their full names too; `said` holds messages.
    """

    row: list[Any]
    rest: dict[str, Any]
    parameters: dict[str, Any]
    said: dict[str, Any]
    is_model_call: bool


class Sorter:
    """Sorts attributes of spans. It remembers the names and resources that it has met."""

    def __init__(self) -> None:
        self._codes = dict(_CODES)
        self._resources: dict[bytes, tuple[list[Any], dict[str, Any]]] = {}

    def sort(self, pairs: list[KeyValue], resource: bytes) -> Attributes:
        """Sort the attributes of a span, which outrank those of its resource.

        Raises:
            Fault: SPAN_TYPE, a value or the resource is not what it should be; JSON_DEPTH.
        """
        base, of_resource = self._resources.get(resource) or self._resource(resource)
        row, rest = base.copy(), of_resource.copy()
        parameters: dict[str, Any] = {}
        said: dict[str, Any] = {}
        lesser: list[tuple[int, str, Any]] = []
        codes = self._codes
        for pair in pairs:
            key = pair.key
            code = codes.get(key)
            if code is None:
                code = self._code(key)
            value: Any = pair.value.string_value
            if value is None:
                value = _value(pair, code)
            if code == _REST:
                rest[key] = value
            elif 0 <= code < _LESSER:
                row[code] = value
            elif code == _PARAMETER:
                rest[key] = parameters[key[len(names.PARAMETER) :]] = value
            elif code == _SAID:
                said[key] = value
            else:
                lesser.append((code, key, value))
        is_model_call = _is_model_call(row, rest)
        if lesser:
            _fill(row, base, rest, lesser)
        _count_tokens(row, rest)
        return Attributes(row, rest, parameters, said, is_model_call)

    def _code(self, name: str) -> int:
        """Say what becomes of an attribute that was not met before."""
        if name.startswith(names.PARAMETER):
            code = _PARAMETER
        elif (found := _INDEXED.match(name)) and name[found.end() : found.end() + 1].isdecimal():
            code = _SAID
        else:
            code = _REST
        if len(self._codes) < _NAMES_KEPT:
            self._codes[name] = code
        return code

    def _resource(self, raw: bytes) -> tuple[list[Any], dict[str, Any]]:
        try:
            pairs = decode_resource(raw).attributes
        except (ValueError, RecursionError) as error:
            raise Fault("SPAN_TYPE", f"its resource is none: {error}") from error
        found = {pair.key: _value(pair, _REST) for pair in pairs}
        row: list[Any] = [None] * len(COLUMNS)
        for column in names.RESOURCE_COLUMNS:
            known = [name for name in names.NAMES[column] if found.get(name)]
            if known:
                row[SLOT[column]] = as_text(found.pop(known[0]))
        rest = {key: value for key, value in found.items() if not key.startswith(names.MACHINE)}
        if len(self._resources) >= _RESOURCES_KEPT:
            self._resources.clear()
        self._resources[raw] = row, rest
        return row, rest


def as_text(value: Any) -> str:
    """Write a value as text; what is not text as JSON writes it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def kind_of(attributes: Attributes) -> str:
    """Name what a span is that is no model call."""
    operation, kind = attributes.row[_OPERATION], attributes.rest.get(names.SPAN_KIND)
    if operation in names.OTHER_OPERATIONS:
        return str(operation)
    return str(kind).lower() if kind in names.OTHER_KINDS else "other"


def _value(pair: KeyValue, code: int) -> Any:
    value = plain(pair.value)
    if value is None:
        raise Fault("SPAN_TYPE", f"the attribute {pair.key[:80]!r} has no value")
    return as_text(value) if code >= 0 and code % _LESSER not in _TOKENS else value


def _is_model_call(row: list[Any], rest: dict[str, Any]) -> bool:
    if row[_DECISION] is not None or row[_OPERATION] in names.MODEL_CALLS:
        return True
    if row[_OPERATION] in names.OTHER_OPERATIONS:
        return False
    if names.SPAN_KIND in rest:
        return rest[names.SPAN_KIND] in names.MODEL_KINDS
    return any(row[slot] for slot in _MODELS) or any(name in rest for name in names.PROVIDERS)


def _fill(
    row: list[Any], base: list[Any], rest: dict[str, Any], lesser: list[tuple[int, str, Any]]
) -> None:
    """Fill the columns that the span fills under no better name; the rest stay attributes."""
    for code, key, value in sorted(lesser, key=itemgetter(0)):
        slot = code % _LESSER
        if row[slot] is base[slot] and value != "":
            row[slot] = value
        else:
            rest[key] = value


def _count_tokens(row: list[Any], rest: dict[str, Any]) -> None:
    """Leave only whole numbers as counts of tokens; others stay attributes."""
    for slot in _TOKENS:
        value = row[slot]
        if value.__class__ is int or value is None:
            continue
        row[slot] = None
        try:
            whole = int(value)
        except (ValueError, TypeError):
            whole = -1
        if 0 <= whole <= _LARGEST_WHOLE and (whole == value or str(whole) == value):
            row[slot] = whole
        else:
            rest[COLUMNS[slot]] = value
