"""Requests that can be repeated, and what they were answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Reply", "Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request under a key of the caller's own, by which a repetition is known.

    Attributes:
        owner: Whose key it is: keys of different owners do not meet.
        key: The caller's own, 1 to 255 characters.
        fingerprint: SHA-256 of all that the request says, 32 bytes.
    """

    owner: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request was answered.

    Attributes:
        status: Of HTTP.
        headers: By name.
        body: Text.
        repeated: Whether the request had been applied before.
    """

    status: int
    headers: Mapping[str, str]
    body: str
    repeated: bool = False
