"""The REST API as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import anyio.to_thread
from fastapi import FastAPI

from vstash import __version__
from vstash.api.backups import BackupRoutes
from vstash.api.bodies import StrictRoute
from vstash.api.calibrating import CalibrationRoutes
from vstash.api.changes import ChangeRoutes
from vstash.api.checking import CheckRoutes
from vstash.api.chunks import ChunkRoutes
from vstash.api.collections import CollectionRoutes
from vstash.api.compacting import CompactRoutes
from vstash.api.compression import Compressed
from vstash.api.configuration import ConfigurationRoutes
from vstash.api.contexts import ContextRoutes
from vstash.api.describe import Api
from vstash.api.documents import DocumentRoutes
from vstash.api.feedback import FeedbackRoutes
from vstash.api.forgetting import ForgetRoutes
from vstash.api.guard import Guard, Rules
from vstash.api.health import HealthRoutes
from vstash.api.jobs import JobRoutes
from vstash.api.keys import KeyRoutes
from vstash.api.learning import LearningRoutes
from vstash.api.load import Load, work_threads
from vstash.api.logged import LogRoutes
from vstash.api.metrics import Cached, Metrics
from vstash.api.mining import MiningRoutes
from vstash.api.misses import MissRoutes
from vstash.api.models import ModelRoutes
from vstash.api.operations import Operations
from vstash.api.outer import Outer
from vstash.api.problems import install_handlers
from vstash.api.searching import SearchRoutes
from vstash.api.transferring import TransferRoutes
from vstash.api.upkeep import UpkeepRoutes
from vstash.memory import Memory
from vstash.settings import Settings

__all__ = ["create_api", "create_app"]

# Who is counted for watches every few seconds.
_FRESH_S: Final = 5.0


def _lifespan(memory: Memory) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        # `Load` gives the turns. As many again for what takes long and for answers that are being
        # sent piece by piece, so that nobody who has a turn waits here.
        threads = 3 * work_threads(memory.settings)
        anyio.to_thread.current_default_thread_limiter().total_tokens = threads
        # What was stored without vectors, by this service or by others, gets them.
        memory.embed_in_background()
        memory.work_in_background()
        memory.back_up_in_background()
        memory.learn_in_background()
        yield

    return running


def create_api(memory: Memory, metrics: Metrics | None = None) -> Api:
    """The routes without the guard; only `create_app` is fit to be served.

    Args:
        memory: What the routes work on; it stays the caller's to close.
        metrics: What they show; None for counts of their own.
    """
    metrics = _metrics(memory) if metrics is None else metrics
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
        LogRoutes,
        MissRoutes,
        ContextRoutes,
        FeedbackRoutes,
        CalibrationRoutes,
        MiningRoutes,
        KeyRoutes,
        CheckRoutes,
        CompactRoutes,
        BackupRoutes,
        ForgetRoutes,
        TransferRoutes,
        ConfigurationRoutes,
        JobRoutes,
        UpkeepRoutes,
        ModelRoutes,
        LearningRoutes,
    ):
        routes(memory).attach(app)
    HealthRoutes(memory, metrics).attach(app)
    return app


def _metrics(memory: Memory) -> Metrics:
    return Metrics(Cached(memory.gauges, _FRESH_S).get)


def _watch(metrics: Metrics, load: Load) -> None:
    for name, said, value in (
        ("queue_waiting", "Requests that wait for a thread.", lambda: load.short.waiting),
        ("requests_working", "Requests that are worked on.", lambda: load.short.taken),
        ("long_waiting", "Checks, imports and the like that wait.", lambda: load.long.waiting),
        ("long_working", "Checks, imports and the like under way.", lambda: load.long.taken),
    ):
        metrics.watch(name, said, value)


def create_app(memory: Memory, settings: Settings) -> Outer:
    """The REST API behind its guard.

    Args:
        memory: What it serves; it stays the caller's to close.
        settings: Those of the service.

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
    metrics = _metrics(memory)
    api = create_api(memory, metrics)
    operations = Operations(api)
    load = Load(Compressed(api), settings)
    _watch(metrics, load)
    guard = Guard(load, rules=Rules.of(settings), operations=operations, find_key=memory.access)
    return Outer(guard, operations, metrics)
