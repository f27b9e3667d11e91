"""The method of `Memory` that applies a request at most once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vstash.memory.base import Base
from vstash.replies import Reply, Request

__all__ = ["Repeating"]

Outcome = TypeVar("Outcome")


class Repeating(Base):
    """Requests under an idempotency key."""

    def once(
        self, request: Request, act: Callable[[], Outcome], answer: Callable[[Outcome], Reply]
    ) -> Reply:
        """Apply a request, or repeat the reply of the same one.

        The reply is stored in the transaction that applies the request, and kept for 24 hours: when
        it is not known whether a request was applied, repeating it under its key applies it once.

        Args:
            request: Names it; the same owner and key mean the same request.
            act: Applies it by calling one method of this object that writes.
            answer: Turns what that method returned into the reply; called inside the transaction.

        Returns:
            The reply, ``repeated`` when the request had been applied before.

        Raises:
            RequestReusedError: When the key came with another fingerprint before.
            RequestInFlightError: While the same request is being applied.
            ReplyGoneError: When it was applied and a document that it made was removed since.
            VstashError: What ``act`` raised; nothing was stored, and the request may be repeated.
        """
        return self._engine.once.apply(request, act, answer)
