"""What schemathesis does not know by itself: how lines of JSON are sent."""

from __future__ import annotations

from typing import Any

import schemathesis

__all__ = ["lines"]


@schemathesis.serializer("application/x-ndjson")  # type: ignore[untyped-decorator,unused-ignore]
def lines(_context: Any, value: Any) -> bytes:
    """Text as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
