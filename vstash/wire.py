"""The JSON form of every value, the same on the command line and in the REST API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from pathlib import PurePath
from typing import Final

from vstash.errors import FieldError, VstashError
from vstash.times import read_time, time_text
from vstash.types import Document, Hit, Json

__all__ = ["error_json", "parse_time", "to_json"]

_PLAIN: Final = (str, float, int)
_OPTIONAL: Final[dict[type, tuple[str, ...]]] = {
    Document: ("text", "chunks"),
    Hit: ("explanation",),
}


def parse_time(text: str, *, pointer: str) -> datetime:
    """Read an RFC 3339 time.

    Args:
        text: Such as ``2026-01-02T03:04:05Z``; the offset must be there.
        pointer: The field to name when it cannot be read.

    Raises:
        FieldError: When it is not a time or has no offset.
    """
    try:
        return read_time(text)
    except ValueError as error:
        raise FieldError(
            "A time must be RFC 3339 with its offset, such as 2026-01-02T03:04:05Z.",
            pointer=pointer,
        ) from error


def to_json(value: object) -> Json:
    """Turn any value of the public interface into JSON's types.

    Args:
        value: A dataclass of ours, or what one holds.

    Returns:
        Objects with the dataclass's field names; times as text; a document's text and chunks and a
        hit's explanation left out where absent, and a hit's ``text`` beside its chunk left out.

    Raises:
        TypeError: For a value that no interface returns.
    """
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {
            name: to_json(item)
            for name, optional in _members(type(value))
            if (item := getattr(value, name)) is not None or not optional
        }
    raise TypeError(f"{type(value).__name__} has no JSON form")


@cache
def _members(kind: type) -> tuple[tuple[str, bool], ...]:
    """Names of a dataclass's fields, and whether each is left out where it is None."""
    optional = next((names for known, names in _OPTIONAL.items() if issubclass(kind, known)), ())
    return tuple((field.name, field.name in optional) for field in fields(kind))


def error_json(error: VstashError, *, local: bool) -> dict[str, Json]:
    """The JSON form of an error.

    Args:
        error: What happened.
        local: Whether the reader is on this machine and may see paths.
    """
    found: dict[str, Json] = {
        "code": error.code,
        "status": error.status,
        "retryable": error.retryable,
        "detail": str(error) if local else error.message,
    }
    if error.pointer is not None:
        found["pointer"] = error.pointer
    return found
