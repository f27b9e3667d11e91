"""The routes that calibrate relevance for the file."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, FastAPI
from starlette.responses import Response

from vstash.api.access import Caller
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.inputs import CalibrationInput
from vstash.api.operations import LONG
from vstash.api.replies import CalibrationReply, CalibrationResetReply
from vstash.api.routing import add_route
from vstash.errors import (
    CalibrationError,
    CollectionForbiddenError,
    CollectionNotFoundError,
    FieldError,
    QueryError,
)
from vstash.memory import Memory

__all__ = ["CalibrationRoutes"]


class CalibrationRoutes:
    """Calibration over HTTP.

    Args:
        memory: What is calibrated.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "POST",
            "/v1/calibrate",
            self.calibrate,
            scope="admin",
            name="calibrate",
            summary="Learn what relevance means in this file",
            model=CalibrationReply,
            said="How well relevance holds on probes, and whether it was stored.",
            errors=(
                *BODY,
                *(QueryError, FieldError, CollectionNotFoundError),
                *(CollectionForbiddenError, CalibrationError),
                *WRITING,
            ),
            extra={LONG: True},
        )
        add_route(
            app,
            "DELETE",
            "/v1/calibrate",
            self.reset,
            scope="admin",
            name="resetCalibration",
            summary="Forget what was learnt",
            model=CalibrationResetReply,
            said="Relevance is the model's own again.",
            errors=(CollectionForbiddenError, *WRITING),
        )

    def calibrate(self, given: Annotated[CalibrationInput, Body()], caller: Caller) -> Response:
        """The file is asked for what is in it; no label and no logged search is used.

        The reply comes when it is done, after some seconds. What is learnt is stored only where it
        holds better on queries that it was not fitted to.
        """
        caller.whole_file()
        return reply(
            self._memory.calibrate(
                collection=given.collection, probes=given.probes, seed=given.seed
            )
        )

    def reset(self, caller: Caller) -> Response:
        """It can be repeated."""
        caller.whole_file()
        return reply({"removed": self._memory.reset_calibration()})
