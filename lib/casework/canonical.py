"""Canonical JSON: the same value always gives the same bytes, in any process and time zone.

UTF-8, keys sorted, no spaces. Instants are RFC 3339 in UTC with `Z`. Integers beyond 2^53 and
decimals are text, since other tools read JSON numbers as doubles. NaN and infinities are text:
they are values that a source may hold, and JSON has no number for them.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

_EXACT_IN_A_DOUBLE = 2**53
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def plain(value: Any) -> Any:
    """Turn a value of a query or a record into what JSON can hold without loss of meaning."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT_IN_A_DOUBLE else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, Sequence | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    raise TypeError(f"no canonical form for {type(value).__name__}")


def instant(value: datetime) -> str:
    """RFC 3339 in UTC; a naive datetime is taken as UTC. Fractions only where there are any."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def dumps(value: Any) -> str:
    """Return the canonical JSON text of a value, on one line."""
    return _ENCODER.encode(plain(value))


def digest_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """SHA-256 of the rows as canonical JSON lines, one object a row, each ended by a newline."""
    digest = sha256()
    for row in rows:
        line = dumps(dict(zip(columns, row, strict=True))) + "\n"
        digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
