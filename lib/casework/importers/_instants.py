"""Instants as sources write them: ISO 8601 with or without a zone, or a count since 1970."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from casework.case import Note

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Below the first of these a count could mean anything; each unit covers 2001 to 5138.
_UNITS = ((1e9, 1e11, 1.0), (1e11, 1e14, 1e-3), (1e14, 1e17, 1e-6), (1e17, 1e20, 1e-9))

CALENDARS = ((19e10, 21e10), (19e12, 21e12), (19e15, 21e15))
"""Year, month, day, hour and minute in digits, then perhaps seconds, then perhaps thousandths.

As counts they would be instants of 1976 or 2612.
"""

ZONE = r"([0-9]Z| (?i:utc|gmt)|[A-Za-z]/[A-Za-z0-9_/+-]+|[+-][0-9]{2}(:?[0-9]{2})?)$"
"""How a text of an instant ends that names its zone: `Z`, UTC, GMT, an offset, or an IANA name.

Short names as `IST` or `BST` are not among them: each is the name of several zones.
"""
LOCAL = r"[0-9]{4}([-/ ][0-9]{1,2}){2}([ T][0-9:.]*)?"
"""A text of an instant that names no zone, as a whole; its year has four digits."""


class Instants:
    """Reads the instants of one source, and remembers whether one of them named no zone."""

    def __init__(self, timezone: str | None) -> None:
        self._zone = ZoneInfo(timezone) if timezone else UTC
        self._told = timezone is not None
        self._naive = False

    def read(self, value: Any) -> datetime:
        """Read an instant: ISO 8601, or a number or digits counting s, ms, us or ns since 1970.

        Raises:
            ValueError: it is none.
        """
        if isinstance(value, str):
            value = value.strip()
            if value.isascii() and value.isdigit() and len(value) >= 10:
                if _is_hour(value):
                    raise ValueError(f"not an instant: {value} may be a date in digits")
                value = int(value)
            elif re.fullmatch("[0-9]{10,19}[.][0-9]*", value):
                value = float(value)
        if isinstance(value, bool) or not isinstance(value, str | int | float | date):
            raise ValueError(f"not an instant: {value!r}")
        try:
            if isinstance(value, int | float):
                return _counted(value)
            if isinstance(value, str):
                value = datetime.fromisoformat(_spelled(value))
            return self._zoned(value)
        except OverflowError as error:
            raise ValueError(f"not an instant: {error}") from error

    def _zoned(self, value: date) -> datetime:
        found = value if isinstance(value, datetime) else datetime.combine(value, time())
        if found.tzinfo is None:
            self._naive = True
            found = found.replace(tzinfo=self._zone)
        return found.astimezone(UTC)

    def find(self, value: Any) -> datetime | None:
        """Read an instant, or return None where there is none."""
        try:
            return self.read(value)
        except ValueError:
            return None

    def notes(self) -> Iterator[Note]:
        """Say that instants without a zone were read as UTC, if so."""
        if self._naive and not self._told:
            yield Note("instants have no time zone and were read as UTC; name it with --timezone")


def _spelled(text: str) -> str:
    """An instant of a warehouse, `2026-03-01 09:00:00 UTC` or `… +0100`, as ISO 8601 has it."""
    bare, space, zone = text.rpartition(" ")
    if space and zone in ("UTC", "GMT", "Z"):
        return f"{bare}+00:00"
    return bare + zone if space and zone[0] in "+-" else text


def from_ms(value: Any) -> datetime | None:
    """Read milliseconds since 1970, a number or digits, or return None."""
    try:
        return _EPOCH + timedelta(milliseconds=int(value))
    except (ValueError, TypeError, OverflowError):
        return None


def later(begun: datetime | None, seconds: float | None) -> datetime | None:
    """The instant so much later, or None where there is none that a calendar holds."""
    try:
        return begun + timedelta(seconds=seconds) if begun and seconds is not None else None
    except OverflowError:
        return None


def milliseconds(begun: datetime | None, ended: datetime | None) -> float | None:
    """How long something took; None where an end is missing, or lies before the beginning."""
    if begun is None or ended is None or ended < begun:
        return None
    return (ended - begun).total_seconds() * 1e3


def _is_hour(digits: str) -> bool:
    """Whether ten digits may be a year, a month, a day and an hour; counts reach them in 2030."""
    if len(digits) != 10 or digits[:2] not in ("19", "20"):
        return False
    try:
        datetime.strptime(digits, "%Y%m%d%H")
    except ValueError:
        return False
    return True


def _counted(value: float) -> datetime:
    if any(low <= value <= high for low, high in CALENDARS):
        raise ValueError(f"not an instant: {value} may be a date in digits")
    if isinstance(value, int) and _UNITS[-1][0] <= value < _UNITS[-1][1]:
        return _EPOCH + timedelta(microseconds=value // 1_000)  # cut, as OTLP and Parquet are
    for low, high, unit in _UNITS:
        if low <= value < high:
            return _EPOCH + timedelta(microseconds=round(value * unit * 1e6))
    raise ValueError(f"not an instant: {value}")
