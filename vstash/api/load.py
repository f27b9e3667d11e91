"""How much the service takes on: work for its threads, in turn and in time."""

from __future__ import annotations

import asyncio
import math
import os
import re
import time
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vstash.api.access import EVERYTHING, STATE
from vstash.api.clients import Bodies, Client
from vstash.api.problems import problem_response
from vstash.api.rates import Rates, TooManyError
from vstash.api.seen import GONE, Seen, seen_in
from vstash.api.slots import Slots
from vstash.deadlines import Deadline, deadline, unhurried
from vstash.errors import DeadlineError, OverloadError, RequestError, SlowClientError
from vstash.settings import Settings

__all__ = ["Load", "work_threads"]

# Largest bodies that may be held while they come in or wait.
_BODIES: Final = 8
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def work_threads(settings: Settings) -> int:
    """How many requests are worked on at a time."""
    return settings.work_threads or 1 + (os.cpu_count() or 1)


class Load:
    """An ASGI application around another that takes on no more than it can do.

    A request waits for one of the threads, in a queue with an end, and its body is read before: who
    sends slowly keeps nobody waiting. Its deadline, and its client going away, stop the work in the
    thread. What takes as long as it needs has threads of its own.

    Args:
        app: What does the work, in threads.
        settings: The limits.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        threads = work_threads(settings)
        self.short = Slots(threads, settings.queue_size)
        self.long = Slots(max(1, threads // 2), settings.queue_size)
        self._rates = Rates(settings.requests_per_s, settings.requests_at_once)
        self._bodies = Bodies(_BODIES * settings.max_body_bytes)
        self._timeout_s = settings.request_timeout_s
        self._patience_s = settings.client_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; see the ASGI specification 3.0."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen = seen_in(scope)
        seen.key = scope.get(STATE, EVERYTHING).key_id
        if seen.instant:
            await self.app(scope, receive, send)
            return
        try:
            with self._rates.under_way(seen.key):
                await self._work(scope, receive, send, seen)
        except TooManyError as error:
            seen.reason = error.reason
            answer = problem_response(error, headers={"Retry-After": f"{error.wait_s:g}"})
            await answer(scope, receive, send)
        except SlowClientError:
            seen.reason = "slow_body"
            raise
        except DeadlineError:
            seen.reason = "deadline"
            raise
        except OverloadError:
            seen.reason = "queue"
            raise
        except asyncio.CancelledError:
            # The server is being stopped, and waits no longer.
            seen.reason = "stopped"
            if seen.status != GONE:
                raise
            raise OverloadError(
                "The service was stopped before it was done: try again when it is back."
            ) from None

    async def _work(self, scope: Scope, receive: Receive, send: Send, seen: Seen) -> None:
        allowed = _allowed_s(Headers(scope=scope), self._timeout_s)
        slots = self.long if seen.long else self.short
        slots.require_room()
        # The server begins a request that came early from within the one before it, whose deadline
        # is none of its business.
        with unhurried(), deadline(math.inf if seen.long else allowed) as limit:
            client = Client(receive, self._patience_s, self._bodies)
            client.gone.add_done_callback(lambda _: limit.stop())
            try:
                if scope["method"] in _WITHOUT_BODY:
                    client.ignore()
                elif not seen.long:
                    await client.read()
                if client.gone.done():
                    return
                await self._in_turn(scope, client, send, seen, slots, limit)
            finally:
                # Whatever is still under way has nobody to answer.
                limit.stop()
                client.leave()

    async def _in_turn(
        self, scope: Scope, client: Client, send: Send, seen: Seen, slots: Slots, limit: Deadline
    ) -> None:
        start = time.perf_counter()
        if not await slots.take(limit, client.gone):
            return
        seen.waited_ms = (time.perf_counter() - start) * 1000
        turn = _Turn(slots)

        async def answered(message: Message) -> None:
            # What is left is to send, which takes as long as the client likes.
            turn.end()
            if not client.gone.done():
                await send(message)

        try:
            await self.app(scope, client.receive, answered)
        finally:
            turn.end()
            if seen.status == GONE:
                # That its work was stopped is no error of the service's.
                seen.code, seen.reason = "", "client_gone"


class _Turn:
    """One that is given back once."""

    def __init__(self, slots: Slots) -> None:
        self._slots: Slots | None = slots

    def end(self) -> None:
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.give()


def _allowed_s(headers: Headers, most: float) -> float:
    """How long the request may take: what it asks for, where that is less than the setting."""
    given = headers.getlist("request-timeout")
    if not given:
        return most
    if len(given) > 1 or not _SECONDS.fullmatch(given[0]) or not float(given[0]):
        raise RequestError(
            "Request-Timeout is a number of seconds above 0, such as 2.5.",
            pointer="/Request-Timeout",
        )
    return min(float(given[0]), most)
