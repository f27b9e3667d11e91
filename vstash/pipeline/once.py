"""Applying a request at most once, however often it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from vstash.errors import ReplyGoneError, RequestInFlightError, RequestReusedError
from vstash.feedback import Verdict
from vstash.replies import Reply, Request
from vstash.store.replies import ReplyThereError
from vstash.types import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vstash.store.protocol import Store
    from vstash.store.writer import Writer

__all__ = ["Once", "settle"]

Outcome = TypeVar("Outcome")


@dataclass(slots=True)
class _Pending:
    """A request that is being applied."""

    request: Request
    answer: Callable[[object], Reply]
    now: int
    reply: Reply | None = None

    def keep(self, writer: Writer, outcome: object) -> None:
        reply = self.answer(outcome)
        writer.keep_reply(self.request, reply, _told_of(outcome), now=self.now)
        self.reply = reply


_pending: Final[ContextVar[_Pending | None]] = ContextVar("pending", default=None)


def settle(writer: Writer, outcome: object) -> None:
    """Say, as the last thing in a write's transaction, what the caller is going to get.

    Where the write is a request that may be repeated, its reply is stored with it.

    Args:
        writer: Of the transaction that did all of it.
        outcome: What the method of `Memory` returns.
    """
    pending = _pending.get()
    if pending is not None:
        pending.keep(writer, outcome)


class Once:
    """Applies requests at most once.

    Args:
        store: The file, which keeps the replies.
        clock: Microseconds since the epoch; how long replies are kept goes by it.
    """

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight: set[tuple[str, str]] = set()

    def apply(
        self, request: Request, act: Callable[[], Outcome], answer: Callable[[Outcome], Reply]
    ) -> Reply:
        """Apply a request or repeat its reply; see `Memory.once`."""
        with self._alone(request):
            known = self._known(request)
            if known is not None:
                return known
            pending = _Pending(request, answer, self._clock())  # type: ignore[arg-type]  # of this act
            token = _pending.set(pending)
            try:
                outcome = act()
                if pending.reply is None:
                    # It found nothing to change, so there is nothing to be stored together with.
                    with self._store.write() as writer:
                        pending.keep(writer, outcome)
            except ReplyThereError:
                # Another process was faster: what this one did was undone.
                pending.reply = self._known(request)
            finally:
                _pending.reset(token)
        if pending.reply is None:
            raise _in_flight()
        return pending.reply

    @contextmanager
    def _alone(self, request: Request) -> Iterator[None]:
        name = (request.owner, request.key)
        with self._lock:
            if name in self._in_flight:
                raise _in_flight()
            self._in_flight.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight.discard(name)

    def _known(self, request: Request) -> Reply | None:
        with self._store.read() as reader:
            found = reader.reply(request, now=self._clock())
        if found is None:
            return None
        fingerprint, reply = found
        if fingerprint != request.fingerprint:
            raise RequestReusedError(
                "This idempotency key came with another request before: use a new one for each "
                "request, and the same one only to repeat it."
            )
        if reply is None:
            raise ReplyGoneError(
                "This request was applied before, and a document that it made has been removed "
                "since. Use a new idempotency key to make it again."
            )
        return replace(reply, repeated=True)


def _told_of(outcome: object) -> list[str]:
    """Ids of the documents that a reply says something of."""
    parts = outcome if isinstance(outcome, tuple) else (outcome,)
    return [part.id for part in parts if isinstance(part, Document)] + [
        part.document_id for part in parts if isinstance(part, Verdict)
    ]


def _in_flight() -> RequestInFlightError:
    return RequestInFlightError(
        "A request with this idempotency key is still being worked on: repeat it later."
    )
