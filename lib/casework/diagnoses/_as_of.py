"""The instant that counts as now, where a record is judged by who and what is still there."""

from datetime import datetime

from casework.diagnoses._inquiry import Inquiry
from casework.errors import UsageError
from casework.words import parse_instant


def settle_now(ask: Inquiry, given: str | None, last: datetime | None) -> datetime | None:
    """The instant that is given, else the last that the evidence tells of.

    Raises:
        UsageError: BAD_VALUE, what is given is no instant.
    """
    if given is None:
        if last is not None:
            ask.infer("as_of", None, last)
        return last
    moment = parse_instant(given)
    if moment is None:
        raise UsageError("BAD_VALUE", f"as_of is {given!r}", "give an instant, 2026-01-31T12:00Z")
    return moment
