"""The service's log: a line of JSON for each record, without what users wrote."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import datetime, timezone

__all__ = ["JsonLines", "log_to_stderr"]


class JsonLines(logging.Formatter):
    """One JSON object a line; of an exception its type and the lines of code that it passed."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        at = datetime.fromtimestamp(record.created, timezone.utc)
        line: dict[str, object] = {
            "time": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record, "fields", None)
        line |= fields if isinstance(fields, dict) else {"message": _message(record)}
        if record.exc_info and record.exc_info[1] is not None:
            # Its message may hold what users wrote.
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["frames"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ]
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    # Other libraries go on to show what they worked on.
    return message if record.name.startswith("vstash") else message.partition("\n")[0]


def log_to_stderr(*, requests: bool) -> None:
    """Send the service's own log and its server's to stderr; for a process that only serves.

    Args:
        requests: Whether to write a line for each request.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in (
        ("vstash", logging.WARNING),
        ("vstash.access", logging.INFO if requests else logging.WARNING),
        ("uvicorn", logging.WARNING),
        ("asyncio", logging.WARNING),
    ):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        if "." not in name:
            logger.handlers = [handler]
            logger.propagate = False
