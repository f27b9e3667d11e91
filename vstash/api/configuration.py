"""The route that shows the settings in force."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from pydantic import Field
from starlette.responses import Response

from vstash import __version__
from vstash.api.access import Caller
from vstash.api.describe import reply
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.errors import CollectionForbiddenError
from vstash.memory import Memory
from vstash.settings import setting_rows

__all__ = ["ConfigurationRoutes"]

# Settings of these units tell of the machine, and are masked.
_MASKED_UNITS: Final = frozenset({"path", "folders", "name or path"})
_MASK: Final = "***"


class ConfigurationReply(Reply):
    """What the service is set to."""

    version: str = Field(description="Of vstash.", examples=["1.0.0"])
    settings: dict[str, Any] = Field(
        description="By name; `***` where a path is set. `vstash settings` says what they mean.",
        examples=[{"chunk_tokens": 192, "db": _MASK}],
    )


class ConfigurationRoutes:
    """The settings over HTTP.

    Args:
        memory: Whose settings are shown.
    """

    def __init__(self, memory: Memory) -> None:
        self._settings = memory.settings

    def attach(self, app: FastAPI) -> None:
        """Add the route to an application."""
        add_route(
            app,
            "GET",
            "/v1/settings",
            self.show,
            scope="admin",
            name="getSettings",
            summary="Show version and settings in force",
            model=ConfigurationReply,
            said="Version and settings.",
            errors=(CollectionForbiddenError,),
        )

    async def show(self, caller: Caller) -> Response:
        """Paths are masked."""
        caller.whole_file()
        shown = {
            row.name: _MASK
            if row.unit in _MASKED_UNITS and getattr(self._settings, row.name)
            else getattr(self._settings, row.name)
            for row in setting_rows()
        }
        return reply({"version": __version__, "settings": shown})
