"""The routes of backups."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI, Path
from pydantic import Field
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import Body as BodyModel
from vstash.api.operations import LONG
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import Reply, Time
from vstash.api.routing import add_route
from vstash.errors import (
    BackupNotFoundError,
    CollectionForbiddenError,
    InputError,
    ModelMismatchError,
    OverwriteError,
    StoreCorruptError,
    StoreForeignError,
    StoreIOError,
    StoreNewerError,
)
from vstash.memory import Memory
from vstash.upkeep import BackupReason

__all__ = ["BackupRoutes"]

BackupName = Annotated[
    str,
    Path(description="Name of a backup, as it is listed.", examples=["vstash-20260102T030405Z.db"]),
]


class BackupReply(Reply):
    """A backup: a whole copy of the file at one moment."""

    name: str
    created: Time
    bytes: int
    reason: BackupReason | None = Field(
        description="Why the service made it by itself; null where it was asked for."
    )
    schema_version: int | None = Field(description="null where it cannot be read.")
    documents: int | None
    chunks: int | None


class BackupList(Reply):
    """All backups, the newest first."""

    items: list[BackupReply]


class RestoreInput(BodyModel):
    """How to restore."""

    force: bool = Field(default=False, description="Whether documents that are there are replaced.")


class RestoreReply(Reply):
    """What was brought back."""

    documents: int
    chunks: int
    schema_version: int = Field(description="Of the backup.")
    kept: str | None = Field(
        description="Name of the backup that holds what was there before; null for nothing."
    )
    seconds: float


class BackupRoutes:
    """Backups over HTTP; where they are is the service's matter alone.

    Args:
        memory: What is backed up.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "GET",
            "/v1/backups",
            self.listed,
            scope="admin",
            name="listBackups",
            summary="List the backups",
            model=BackupList,
            said="All backups in the service's folder, the newest first.",
            errors=(InputError, CollectionForbiddenError, StoreIOError),
        )
        add_route(
            app,
            "POST",
            "/v1/backups",
            self.create,
            scope="admin",
            name="createBackup",
            summary="Make a backup",
            model=BackupReply,
            said="The backup.",
            errors=(CollectionForbiddenError, *WRITING, *REPEATABLE),
            extra={LONG: True},
            status=201,
        )
        self._attach_named(app)

    def _attach_named(self, app: FastAPI) -> None:
        add_route(
            app,
            "DELETE",
            "/v1/backups/{name}",
            self.delete,
            scope="admin",
            name="deleteBackup",
            summary="Remove a backup",
            model=BackupReply,
            said="The backup that was.",
            errors=(InputError, CollectionForbiddenError, BackupNotFoundError, StoreIOError),
        )
        add_route(
            app,
            "POST",
            "/v1/backups/{name}:restore",
            self.restore,
            scope="admin",
            name="restoreBackup",
            summary="Replace what the file holds by what a backup does",
            model=RestoreReply,
            said="What is there now, and the name of the backup of what was there before.",
            errors=(
                *BODY,
                CollectionForbiddenError,
                BackupNotFoundError,
                OverwriteError,
                ModelMismatchError,
                StoreForeignError,
                StoreNewerError,
                StoreCorruptError,
                *WRITING,
                *REPEATABLE,
            ),
            extra={LONG: True},
        )

    def listed(self, caller: Caller) -> Response:
        """Those that the service made by itself say why."""
        caller.whole_file()
        return reply({"items": self._memory.backups()})

    def create(self, caller: Caller, repeat: Repeat) -> Response:
        """Others read and write meanwhile. It is checked before it is listed."""
        caller.whole_file()
        return repeat(self._memory, self._memory.backup, lambda made: reply(made, status=201))

    def delete(self, caller: Caller, name: BackupName) -> Response:
        """No other file can be removed by this."""
        caller.whole_file()
        return reply(self._memory.delete_backup(name))

    def restore(
        self,
        caller: Caller,
        name: BackupName,
        how: Annotated[RestoreInput, Body()],
        repeat: Repeat,
    ) -> Response:
        """It is one write: searches see all of the old or all of the new, and writes wait.

        Access keys and jobs stay as they are. Documents that were removed or forgotten since the backup
        come back.
        """
        caller.whole_file()
        if "/" in name or "\\" in name:
            # To `Memory` this would be a path.
            raise BackupNotFoundError("There is no backup of this name.")
        return repeat(self._memory, lambda: self._memory.restore(name, force=how.force), reply)
