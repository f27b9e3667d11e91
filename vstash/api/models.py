"""The routes of models: which there are, and switching between them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Body, FastAPI, Path
from pydantic import Field
from starlette.responses import Response

from vstash.api import inputs
from vstash.api.access import Caller
from vstash.api.describe import BODY, WRITING, reply
from vstash.api.operations import LONG
from vstash.api.repeating import REPEATABLE, Repeat
from vstash.api.replies import Reply
from vstash.api.routing import add_route
from vstash.errors import (
    CollectionForbiddenError,
    FieldError,
    InputError,
    ModelExistsError,
    ModelIncompleteError,
    ModelInUseError,
    ModelInvalidError,
    ModelMissingError,
    ModelNotFoundError,
    ModelTooShortError,
    VstashError,
)
from vstash.memory import Memory
from vstash.switching import IndexState

__all__ = ["ModelRoutes"]

ModelName = Annotated[
    str, Path(alias="name", description="A model's name, as it is listed.", examples=["minilm"])
]
_UNSUITABLE: Final[tuple[type[VstashError], ...]] = (
    ModelInvalidError,
    ModelExistsError,
    ModelIncompleteError,
    ModelTooShortError,
)


class UseInput(inputs.Body):
    """How to switch."""

    embed: inputs.Embed = "now"


class ModelStateReply(Reply):
    """A model that the file has an index of, or that is installed."""

    name: str = Field(examples=["minilm"])
    dimension: int
    sha256: str = Field(description="Of its files and of how they are used: which model it is.")
    index: IndexState = Field(
        description="`active`: searches use it; `kept`: it can be gone back to; `building`: begun; "
        "`none`: installed only."
    )
    active: bool
    installed: bool = Field(description="Whether it can be opened on this machine by its name.")
    vectors: int = Field(description="Chunks that have a vector of it.")
    awaiting: int = Field(description="Chunks that have none.")
    bytes: int = Field(description="What its index takes in the file, about.")


class ModelList(Reply):
    """Models of the file, and then those that are only installed."""

    items: list[ModelStateReply]


class ReindexReply(Reply):
    """How one model took the place of another."""

    model: str = Field(description="The active model now.")
    before: str = Field(description="The active model before.")
    switched: bool = Field(description="False where it was the active one already.")
    embedded: int = Field(description="Chunks that got their vector now.")
    awaiting: int = Field(description="Chunks without a vector of the active model.")
    bytes: int = Field(description="What the index takes in the file, about.")
    locked_ms: float = Field(description="For how long the switch kept others from writing.")
    seconds: float


class ModelRoutes:
    """Models over HTTP.

    Args:
        memory: Whose they are.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def attach(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        add_route(
            app,
            "GET",
            "/v1/models",
            self.listed,
            scope="admin",
            name="listModels",
            summary="List models",
            model=ModelList,
            said="Those that the file has an index of, then those that are only installed.",
            errors=(CollectionForbiddenError,),
        )
        add_route(
            app,
            "POST",
            "/v1/models/{name}:reindex",
            self.reindex,
            scope="admin",
            name="reindex",
            summary="Build the index of another model, and switch to it",
            model=ReindexReply,
            said="What was done.",
            errors=(
                *(InputError, CollectionForbiddenError, ModelNotFoundError),
                *(*_UNSUITABLE, *WRITING, *REPEATABLE),
            ),
            extra={LONG: True},
        )
        self._attach_kept(app)

    def _attach_kept(self, app: FastAPI) -> None:
        add_route(
            app,
            "POST",
            "/v1/models/{name}:use",
            self.use,
            scope="admin",
            name="useModel",
            summary="Switch to a model whose index is there",
            model=ReindexReply,
            said="What was done.",
            errors=(
                *(*BODY, CollectionForbiddenError, FieldError, ModelNotFoundError),
                *(ModelIncompleteError, ModelMissingError, ModelInvalidError),
                *(*WRITING, *REPEATABLE),
            ),
            extra={LONG: True},
        )
        add_route(
            app,
            "DELETE",
            "/v1/models/{name}",
            self.remove,
            scope="admin",
            name="removeModel",
            summary="Remove the index of a model that is not in use",
            model=ModelStateReply,
            said="The model as it was; it stays installed.",
            errors=(
                *(InputError, CollectionForbiddenError, ModelNotFoundError, ModelInUseError),
                *WRITING,
            ),
            extra={LONG: True},
        )

    def listed(self, caller: Caller) -> Response:
        """What the service can switch to."""
        caller.whole_file()
        return reply({"items": self._memory.models()})

    def reindex(self, caller: Caller, name: ModelName, repeat: Repeat) -> Response:
        """Searches and writes go on meanwhile; what was cut short goes on when it is asked for again.

        The upkeep task of the same name does it in the background.
        """
        caller.whole_file()
        return repeat(self._memory, lambda: self._memory.reindex(name), reply)

    def use(
        self,
        caller: Caller,
        name: ModelName,
        how: Annotated[UseInput, Body()],
        repeat: Repeat,
    ) -> Response:
        """Such as the one before the last switch.

        What was written since its index was in use is embedded first, or left for later.
        """
        caller.whole_file()
        return repeat(self._memory, lambda: self._memory.use_model(name, embed=how.embed), reply)

    def remove(self, caller: Caller, name: ModelName) -> Response:
        """It goes in steps, and others write in between."""
        caller.whole_file()
        return reply(self._memory.remove_model(name))
