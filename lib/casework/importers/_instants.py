"""Instants as sources write them: ISO 8601 with or without a zone, or a count since 1970."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from casework.case import Note

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Below the first of these a count could mean anything; each unit covers 2001 to 5138. The third
# number is the power of ten that makes microseconds of it.
_UNITS = ((1e9, 1e11, 6), (1e11, 1e14, 3), (1e14, 1e17, 0), (1e17, 1e20, -3))
_COUNT = r"[0-9]{10,}(\.[0-9]*)?"

FIRST, LAST = "1900-01-01 00:00:00+00", "9999-12-30 00:00:00+00"
"""Between which an instant lies.

A year before was one of two digits, or of a clock that was not set. One after is none that Python
can hold in every zone, as is infinity.
"""
_FIRST, _LAST = map(datetime.fromisoformat, (FIRST, LAST))

CALENDARS = ((19e10, 21e10), (19e12, 21e12), (19e15, 21e15))
"""Year, month, day, hour and minute in digits, then perhaps seconds, then perhaps thousandths.

As counts they would be instants of 1976 or 2612.
"""
HOURS = (1_900_000_000, 2_099_999_999)
"""Counts that may be a year, a month, a day and an hour in digits: those of seconds from 2030."""

ZONE = r"([0-9] ?Z| (?i:utc|gmt)|[A-Za-z]/[A-Za-z0-9_/+-]+|[+-][0-9]{2}(:?[0-9]{2})?)$"
"""How a text of an instant ends that names its zone: `Z`, UTC, GMT, an offset, or an IANA name.

Short names as `IST` or `BST` are not among them: each is the name of several zones.
"""
APART = r" +([+-][0-9:]+|Z)$"
"""An offset that stands apart from the time, as Ruby writes it."""
LOCAL = r"[0-9]{4}([-/ ][0-9]{1,2}){2}((T| +)[0-9:.]*)?"
"""A text of an instant that names no zone, as a whole; its year has four digits."""

NEVER = (
    "((9999([-/.]?)12([-/.]?)3[01]|12[-/.]3[01][-/.]9999|3[01][-/. ](12|dec)[-/. ]9999)"
    "([^0-9].*)?|infinity|2262-04-11.23:47:16.*|(253402[123][0-9]{5}|9223372036)([0-9]{3}){0,3}"
    r"(\.0*)?|2\.53402[123][0-9]*e\+(17|20)|9\.22337203685[0-9]*e\+18)"
)
"""How tables with a history write that a row has no end, in whichever case of letters.

The last day of the calendar in whichever order, or as a count since 1970 in any unit; the last
instant of pandas, as such or as a count; or infinity.
"""
FAR = "2262"
"""The first year of these instants; of none from then on does a zone matter."""


def is_never(value: Any) -> bool:
    """Whether the end of a validity says that there is none."""
    return re.fullmatch(NEVER, str(value).strip(), re.IGNORECASE | re.DOTALL) is not None


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
        if isinstance(value, bool) or not isinstance(value, str | int | float | date):
            raise ValueError(f"not an instant: {value!r}")
        try:
            if isinstance(value, int | float) or (
                isinstance(value, str) and re.fullmatch(_COUNT, value)
            ):
                return _counted(str(value))
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
        found = found.astimezone(UTC)
        if not _FIRST <= found <= _LAST:
            raise ValueError(f"not an instant: {value} lies before 1900 or after 9999-12-30")
        return found

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
    text = re.sub(APART, r"\1", re.sub(" +", " ", text))
    return re.sub(" (utc|gmt)$", "Z", text, flags=re.IGNORECASE)


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


def _counted(written: str) -> datetime:
    """The instant of a count since 1970, cut to microseconds as OTLP and Parquet are."""
    count = float(written)
    in_calendar = any(low <= count <= high for low, high in CALENDARS)
    if in_calendar or _is_hour(written.partition(".")[0]):
        raise ValueError(f"not an instant: {written} may be a date in digits")
    for low, high, power in _UNITS:
        if low <= count < high:
            return _EPOCH + timedelta(microseconds=int(Decimal(written).scaleb(power)))
    raise ValueError(f"not an instant: {written}")
