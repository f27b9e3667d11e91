"""Mistakes of a program: of the caller's or of vstash itself."""

from __future__ import annotations

from vstash.errors.base import VstashError

__all__ = [
    "ClosedError",
    "ExtraMissingError",
    "ForkedError",
    "InternalError",
    "MisuseError",
]


class MisuseError(VstashError):
    """The program used vstash in a way that cannot work."""

    code = "misuse"


class ClosedError(MisuseError):
    """A method was called after ``close()``."""

    code = "closed"


class ForkedError(MisuseError):
    """An object was used in a process forked after it was opened."""

    code = "forked"


class ExtraMissingError(VstashError):
    """A library that comes with an extra of vstash is not installed."""

    code = "extra_missing"


class InternalError(VstashError):
    """A defect of vstash itself."""

    code = "internal"
