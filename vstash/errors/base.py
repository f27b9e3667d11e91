"""The class that every error of vstash derives from."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "VstashError",
]


class VstashError(Exception):
    """Base of every error that vstash raises on purpose.

    Args:
        message: What happened and what to do, safe to show to a remote caller.
        pointer: JSON pointer of the offending field of the call, such as ``/metadata``.
        local_detail: What only somebody on this machine may read, such as a path.

    Example:
        >>> from vstash import errors
        >>> error = errors.TextError("The text is empty: give at least one character.", pointer="/text")
        >>> (error.code, error.status, error.pointer)
        ('text_invalid', 422, '/text')
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, pointer: str | None = None, local_detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer
        self.local_detail = local_detail

    def __str__(self) -> str:
        return f"{self.message} ({self.local_detail})" if self.local_detail else self.message
