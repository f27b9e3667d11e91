"""The REST API as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import anyio.to_thread
from fastapi import FastAPI

from vstash import __version__
from vstash.api.bodies import StrictRoute
from vstash.api.calibrating import CalibrationRoutes
from vstash.api.changes import ChangeRoutes
from vstash.api.chunks import ChunkRoutes
from vstash.api.collections import CollectionRoutes
from vstash.api.compacting import CompactRoutes
from vstash.api.contexts import ContextRoutes
from vstash.api.describe import Api
from vstash.api.documents import DocumentRoutes
from vstash.api.feedback import FeedbackRoutes
from vstash.api.guard import Guard, Rules
from vstash.api.health import HealthRoutes
from vstash.api.keys import KeyRoutes
from vstash.api.misses import MissRoutes
from vstash.api.operations import Operations
from vstash.api.problems import install_handlers
from vstash.api.searching import SearchRoutes
from vstash.api.transferring import TransferRoutes
from vstash.memory import Memory
from vstash.settings import Settings

__all__ = ["create_api", "create_app"]

# How many requests are worked on at a time; others wait. Writes queue behind one lock anyway.
_THREADS: Final = 16


def _lifespan(memory: Memory) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        # What was stored without vectors, by this service or by others, gets them.
        memory.embed_in_background()
        yield

    return running


def create_api(memory: Memory) -> Api:
    """The routes without the guard; only `create_app` is fit to be served.

    Args:
        memory: What the routes work on; it stays the caller's to close.
    """
    app = Api(
        title="vstash",
        version=__version__,
        summary="Local-first hybrid retrieval memory for LLM agents.",
        description="Errors are problem details (RFC 9457) with a stable `code`.",
        lifespan=_lifespan(memory),
        redirect_slashes=False,
        # Both would load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
    )
    app.router.route_class = StrictRoute
    install_handlers(app)
    for routes in (
        DocumentRoutes,
        ChangeRoutes,
        ChunkRoutes,
        CollectionRoutes,
        SearchRoutes,
        MissRoutes,
        ContextRoutes,
        FeedbackRoutes,
        CalibrationRoutes,
        KeyRoutes,
        CompactRoutes,
        TransferRoutes,
        HealthRoutes,
    ):
        routes(memory).attach(app)
    return app


def create_app(memory: Memory, settings: Settings) -> Guard:
    """The REST API behind its guard.

    Args:
        memory: What it serves; it stays the caller's to close.
        settings: Who is let in, and how large a body may be.

    Returns:
        An ASGI application.

    Raises:
        SettingsError: When one of these settings is malformed.

    Example:
        >>> from vstash import Memory
        >>> from vstash.settings import Settings
        >>> memory = Memory("notes.db", model="fake")
        >>> app = create_app(memory, Settings())
    """
    api = create_api(memory)
    return Guard(api, rules=Rules.of(settings), operations=Operations(api), find_key=memory.access)
