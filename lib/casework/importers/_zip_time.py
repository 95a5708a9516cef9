"""When a member of a zip archive was last changed, as its directory says."""

import struct
import zipfile
from datetime import UTC, datetime

_UNIX_TIME = 0x5455
_IS_MODIFIED = 0x1


def modified(info: zipfile.ZipInfo) -> datetime | None:
    """The seconds since 1970 of a member, which many tools add, else its date; None for no date.

    The date is that of a clock whose zone is not told. It is read as UTC, and may be hours off.
    """
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<2H", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNIX_TIME and len(field) >= 5 and field[0] & _IS_MODIFIED:
            return datetime.fromtimestamp(int.from_bytes(field[1:5], "little", signed=True), UTC)
    try:
        return datetime(*info.date_time, tzinfo=UTC)
    except ValueError:  # as of a month 0
        return None
