"""Idempotency-Key: a request that writes can be repeated, and is applied once.

The header follows draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Header, Request
from starlette.responses import Response

from vstash import replies
from vstash.api.access import Caller
from vstash.errors import (
    ReplyGoneError,
    RequestError,
    RequestInFlightError,
    RequestReusedError,
)
from vstash.memory import Memory

__all__ = ["REPEATABLE", "Repeat"]

REPEATABLE: Final = (RequestInFlightError, RequestReusedError, ReplyGoneError)
# Quoted as the draft has it, or bare as most clients send it.
_KEY: Final = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
_KEPT: Final = frozenset({"location", "etag"})

Outcome = TypeVar("Outcome")


class Repeatable:
    """Answers one request, and the same answer to its repetition.

    Args:
        request: None for one without a key.
    """

    def __init__(self, request: replies.Request | None) -> None:
        self._request = request

    def __call__(
        self,
        memory: Memory,
        act: Callable[[], Outcome],
        answer: Callable[[Outcome], Response],
    ) -> Response:
        """Apply the request, or repeat what it was answered.

        Args:
            memory: What the request changes.
            act: Applies it by one method of ``memory``.
            answer: From what the method returned to the answer.
        """
        if self._request is None:
            return answer(act())
        found = memory.once(self._request, act, lambda outcome: _kept(answer(outcome)))
        headers = {**found.headers, **({"Idempotency-Replayed": "true"} if found.repeated else {})}
        return Response(found.body, found.status, headers, media_type="application/json")


async def _repeatable(
    request: Request,
    caller: Caller,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A key of your own for this request. Repeated within 24 hours under the same "
            "key it is applied once, and answered the same, with `Idempotency-Replayed: true`.",
            examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
        ),
    ] = None,
) -> Repeatable:
    given = request.headers.getlist("idempotency-key")
    if key is None and not given:
        return Repeatable(None)
    matched = _KEY.fullmatch(given[0]) if len(given) == 1 else None
    if matched is None:
        raise RequestError(
            "Idempotency-Key is one text of 1 to 255 visible ASCII characters.",
            pointer="/Idempotency-Key",
        )
    conditions = [request.headers.getlist(name) for name in ("if-match", "if-none-match")]
    address = [request.method, request.url.path, request.url.query]
    says = json.dumps([*address, *conditions]).encode()
    digest = hashlib.sha256(says + b"\n" + await request.body()).digest()
    return Repeatable(replies.Request(caller.key_id, matched[1] or matched[2], digest))


Repeat = Annotated[Repeatable, Depends(_repeatable)]


def _kept(answer: Response) -> replies.Reply:
    headers = {name: value for name, value in answer.headers.items() if name in _KEPT}
    return replies.Reply(answer.status_code, headers, bytes(answer.body).decode())
