"""Cursors and page sizes of listings."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from vstash.errors import CursorError, QueryError

__all__ = ["decode_cursor", "encode_cursor", "page_limit"]

MAX_PAGE: Final = 1000


def encode_cursor(kind: str, number: int) -> str:
    """An opaque cursor that names a place in a listing."""
    return base64.urlsafe_b64encode(f"{kind}:{number}".encode()).decode().rstrip("=")


def decode_cursor(kind: str, cursor: str) -> int:
    """The place that a cursor names.

    Raises:
        CursorError: When it was not made by this kind of listing.
    """
    try:
        # What is not text is no cursor of ours either.
        text = str(cursor)
        padded = text + "=" * (-len(text) % 4)
        found, _, number = (
            base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
        )
        if (
            found == kind
            and number.isascii()
            and number.isdigit()
            and len(number) < len(str(2**63))
        ):
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise CursorError(
        "The cursor was not made by this listing: start without one.", pointer="/cursor"
    )


def page_limit(limit: int) -> int:
    """A page size that is in range.

    Raises:
        QueryError: When it is not 1 to 1,000.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_PAGE:
        raise QueryError(f"limit is 1 to {MAX_PAGE:,}.", pointer="/limit")
    return limit
