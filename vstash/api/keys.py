"""The routes of access keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI, Path
from pydantic import Field, SkipValidation
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import Body as BodyModel
from vstash.api.replies import Reply, Time
from vstash.api.routing import add_route
from vstash.errors import FieldError, InputError, KeyNotFoundError
from vstash.keys import KeyScope
from vstash.memory import Memory
from vstash.wire import parse_time

__all__ = ["KeyRoutes"]

KeyId = Annotated[str, Path(description="Id of an access key.", examples=["0f3a9c5e7b1d2468"])]


class KeyInput(BodyModel):
    """An access key to make."""

    name: str = Field(
        description="Whom or what it is for, 1 to 100 characters.", examples=["laptop"]
    )
    scope: SkipValidation[KeyScope] = Field(
        default="read", description="Each includes those before it: read, write, admin."
    )
    collection: str | None = Field(
        default=None,
        description="Bind it to this collection, which need not exist yet; left out for the whole "
        "file.",
        examples=["default"],
    )
    expires_at: str | None = Field(
        default=None,
        description="From this time on it is worth nothing; RFC 3339 with an offset.",
        examples=["2040-01-01T00:00:00Z"],
        json_schema_extra={"format": "date-time"},
    )


class AccessKeyReply(Reply):
    """What is known of an access key; its secret is not."""

    id: str = Field(description="Part of the secret, and no secret itself.")
    name: str
    scope: KeyScope
    collection: str | None = Field(description="The one that it is bound to; null for the file.")
    created: Time
    expires_at: Time | None = Field(description="null for never.")
    revoked_at: Time | None = Field(description="null while it was not revoked.")


class NewKeyReply(Reply):
    """A key just made."""

    key: AccessKeyReply
    secret: str = Field(
        description="What a client sends. Only its SHA-256 is stored: nobody can see it again."
    )


class AccessKeyList(Reply):
    """All keys, the oldest first."""

    items: list[AccessKeyReply]


class KeyRoutes:
    """Access keys over HTTP.

    Args:
        memory: The file that they are for.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "POST",
            "/v1/keys",
            self.create,
            scope="admin",
            name="createKey",
            summary="Make an access key",
            model=NewKeyReply,
            said="The key with its secret, shown once.",
            errors=(*BODY, FieldError, *WRITING),
            status=201,
        )
        add_route(
            app,
            "GET",
            "/v1/keys",
            self.listed,
            scope="admin",
            name="listKeys",
            summary="List all access keys",
            model=AccessKeyList,
            said="All keys, the oldest first, without their secrets.",
            errors=(InputError,),
        )
        add_route(
            app,
            "DELETE",
            "/v1/keys/{id}",
            self.revoke,
            scope="admin",
            name="revokeKey",
            summary="Revoke an access key",
            model=AccessKeyReply,
            said="The key, which is worth nothing from now on.",
            errors=(KeyNotFoundError, FieldError, *WRITING),
        )

    def create(self, caller: Caller, key: Annotated[KeyInput, Body()]) -> Response:
        """A request of the next moment may use it.

        No idempotency key is taken, since the secret would have to be kept to be shown again: after a
        lost answer make another key, and revoke the one that nobody has.
        """
        caller.whole_file()
        expires_at = (
            None if key.expires_at is None else parse_time(key.expires_at, pointer="/expires_at")
        )
        made = self._memory.create_key(
            key.name, scope=key.scope, collection=key.collection, expires_at=expires_at
        )
        return reply(made, status=201)

    def listed(self, caller: Caller) -> Response:
        """Those that expired or were revoked are among them."""
        caller.whole_file()
        return reply({"items": self._memory.keys()})

    def revoke(self, caller: Caller, id: KeyId) -> Response:
        """It is refused from the next request on; one that was revoked stays revoked since then."""
        caller.whole_file()
        return reply(self._memory.revoke_key(id))
