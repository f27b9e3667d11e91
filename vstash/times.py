"""Times as text: RFC 3339, read strictly and written one way."""

from __future__ import annotations

import re
from datetime import datetime, timezone

__all__ = ["read_time", "time_text"]

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def read_time(text: str) -> datetime:
    """Read an RFC 3339 time.

    Args:
        text: Such as ``2026-01-02T03:04:05Z``, with an offset and at most 6 digits of fraction.

    Returns:
        The time in UTC.

    Raises:
        ValueError: When it is not such a time, or outside the years 1 to 9999.

    Example:
        >>> read_time("2026-01-02T03:04:05+01:00")
        datetime.datetime(2026, 1, 2, 2, 4, 5, tzinfo=datetime.timezone.utc)
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("not an RFC 3339 time")
    day, clock, fraction, offset = found.groups()
    # Python 3.10 reads no `Z` and only three or six digits.
    zone = "+00:00" if offset in {"Z", "z"} else offset
    moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')}{zone}")
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond.

    Args:
        moment: With its zone.

    Example:
        >>> time_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc))
        '2026-01-02T03:04:05.000000Z'
    """
    utc = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds") + "Z"
