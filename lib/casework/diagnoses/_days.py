"""Days that lists of staff and of benchmarks name, said as the days that they are."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from casework.words import instant, parse_instant


def zone_of(name: str | None) -> ZoneInfo | None:
    """The time zone of this name; None where what stands there names none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def when(value: datetime | str, zone: str | None = None) -> str:
    """Say the day of an instant that begins one, in the person's zone or in UTC; else the instant.

    Lists of staff and of benchmarks name days, and the instant is where such a day begins.
    """
    moment = parse_instant(value)
    for place in (zone_of(zone), UTC):
        local = moment.astimezone(place) if moment and place else None
        if local and local.time() == time():
            return f"on {local:%Y-%m-%d}"
    return f"at {instant(value)}"
