"""What the rest of vstash needs of an embedding model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vstash.types import FloatArray, ModelInfo

__all__ = ["Embedder"]


class Embedder(Protocol):
    """An embedding model; every method may be called from several threads at once.

    A text's vector depends on that text alone, never on what it is embedded together with.
    """

    @property
    def info(self) -> ModelInfo:
        """Name, dimension and digest; costs no model load."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """Embed what is searched for.

        Args:
            texts: Any number of queries; longer ones than the model reads are cut.

        Returns:
            Array of shape (len(texts), dimension), float32, rows of length 1.
        """
        ...

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Embed what is searched in; arguments and result as in `embed_queries`."""
        ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Cut a text into the model's tokens, special tokens left out.

        Args:
            text: Any text, however long.

        Returns:
            Start and end of each token as character offsets into ``text``, in order; not truncated.
        """
        ...
