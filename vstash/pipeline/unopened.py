"""What stands where the file's model should be, on a machine that cannot open it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from vstash.errors import ModelError

if TYPE_CHECKING:
    from vstash.types import FloatArray, ModelInfo

__all__ = ["UnopenedModel"]


class UnopenedModel:
    """An `Embedder` that says why there is none.

    Args:
        info: What the file says of its model.
        reason: Raised by whatever needs the model.
    """

    def __init__(self, info: ModelInfo, reason: ModelError) -> None:
        self._info = info
        self._reason = reason

    @property
    def info(self) -> ModelInfo:
        """Name, dimension and digest."""
        return self._info

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:  # noqa: ARG002 - the protocol's
        """Refuse."""
        self._refuse()

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:  # noqa: ARG002 - the protocol's
        """Refuse."""
        self._refuse()

    def token_offsets(self, text: str) -> list[tuple[int, int]]:  # noqa: ARG002 - the protocol's
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        # Each time another one: a traceback grows on an error that is raised again and again.
        raise type(self._reason)(self._reason.message, local_detail=self._reason.local_detail)
