"""The report as canonical JSON: the form that is kept, signed and read by other tools.

Every other form is rendered from what was read back from this one, so that nothing can stand on a
page that is not in the JSON.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from casework import canonical
from casework.errors import CaseworkError
from casework.report.model import SCHEMA, Report
from casework.visible import visible

_DEEPEST = 64
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_FINITE = ("nan", "inf", "-inf")


def as_json(report: Report) -> bytes:
    """Return the report as canonical JSON; the same report always gives the same bytes.

    It is written only as it can be read back, so `as_json(read_json(raw)) == raw`. A lone
    surrogate, which is no character and which UTF-8 cannot hold, is written as `⟨U+D800⟩`.
    """
    return _encoded(read_json(_encoded(report)))


def _encoded(report: Report) -> bytes:
    text = _SURROGATE.sub(lambda found: visible(found.group()), canonical.dumps(report))
    return (text + "\n").encode("utf-8")


def read_json(raw: bytes) -> Report:
    """Read a report back and check its shape.

    Instants inside evidence rows, parameters and chart rows stay text, as JSON holds them.

    Raises:
        CaseworkError: `REPORT_INVALID` if the bytes are not a report of this schema.
    """
    try:
        found = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
        _limit_depth(found)
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA!r}")
        # Not strict: infinite bounds and integers beyond 2^53 are text in canonical JSON.
        return msgspec.convert(found, Report, strict=False)
    except (ValueError, RecursionError) as error:  # json and msgspec raise kinds of ValueError
        raise CaseworkError(
            "REPORT_INVALID",
            f"this is not a casework report: {error}",
            "give the report.json that casework wrote",
        ) from None


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object holds the same key twice")
    return found


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _limit_depth(value: Any, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"it is nested deeper than {_DEEPEST} levels")
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            _limit_depth(child, depth + 1)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a report."""
    found = msgspec.json.schema(Report)
    number = {"anyOf": [{"type": "number"}, {"enum": list(_NOT_FINITE)}]}
    bounds = found["$defs"]["Measure"]["properties"]["ci95"]["anyOf"][0]
    bounds["prefixItems"] = [number, number]
    seed = found["$defs"]["Result"]["properties"]["seed"]
    seed["type"] = ["integer", "string"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
