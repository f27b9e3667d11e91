"""A deterministic embedder without a model, for tests and for `VSTASH_MODEL=fake`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from vstash import deadlines
from vstash.types import ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["FakeEmbedder"]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_COMMON = 0.05
_DIGEST_BYTES = 64
_DIMENSION = 64


@lru_cache(maxsize=50_000)
def _word_vector(word: str, dimension: int) -> FloatArray:
    """A unit vector that depends on the word alone.

    Integers from a hash rather than a seeded generator: NumPy does not promise the same stream of
    normal numbers in every release.
    """
    raw = b"".join(
        hashlib.blake2b(
            word.encode("utf-8", "surrogatepass"),
            digest_size=_DIGEST_BYTES,
            salt=block.to_bytes(8, "little"),
        ).digest()
        for block in range(-(-2 * dimension // _DIGEST_BYTES))
    )
    numbers = np.frombuffer(raw, dtype="<u2")[:dimension].astype(np.float64) - 32_767.5
    vector: FloatArray = (numbers / np.sqrt(np.dot(numbers, numbers))).astype(np.float32)
    vector.flags.writeable = False
    return vector


class FakeEmbedder:
    """An `Embedder` whose texts are similar when they share words.

    The vector of a text is the normalised sum of one pseudo-random unit vector per word, casefolded,
    and of a small direction that all texts share, so that no vector is zero. It is the same on every
    platform and in every process.

    Args:
        dimension: Length of the vectors, at least 1.

    Raises:
        ValueError: When the dimension is below 1.

    Example:
        >>> from vstash.testing import FakeEmbedder
        >>> model = FakeEmbedder()
        >>> red, blue, green = model.embed_passages(["red apple", "blue apple", "green pear"])
        >>> bool(red @ blue > red @ green)
        True
    """

    def __init__(self, dimension: int = _DIMENSION) -> None:
        if dimension < 1:
            raise ValueError("dimension must be at least 1")
        self._info = ModelInfo(
            name="fake" if dimension == _DIMENSION else f"fake-{dimension}",
            dimension=dimension,
            sha256=hashlib.sha256(f"fake:{dimension}".encode()).hexdigest(),
            max_tokens=512,
            pooling="mean",
            background_mean=0.0,
            background_deviation=round(dimension**-0.5, 3),
        )

    @property
    def info(self) -> ModelInfo:
        """Name, dimension and digest; the digest stands for the name and the dimension."""
        return self._info

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """Embed queries, in the same way as passages.

        Args:
            texts: Any number of texts; tokens after the 512th do not count.

        Returns:
            Array of shape (len(texts), dimension), float32, rows of length 1.
        """
        return self.embed_passages(texts)

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Embed passages.

        Args:
            texts: Any number of texts; tokens after the 512th do not count.

        Returns:
            Array of shape (len(texts), dimension), float32, rows of length 1.
        """
        vectors = np.empty((len(texts), self._info.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            deadlines.check()
            vectors[row] = self._vector(text)
        return vectors

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Cut a text into words and single punctuation characters.

        Args:
            text: Any text, however long.

        Returns:
            Start and end of each token as character offsets into ``text``, in order.
        """
        return [match.span() for match in _TOKEN.finditer(text)]

    def _vector(self, text: str) -> FloatArray:
        dimension = self._info.dimension
        total = np.full(dimension, _COMMON / np.sqrt(dimension), dtype=np.float64)
        for number, match in enumerate(_TOKEN.finditer(text)):
            if number >= self._info.max_tokens:
                break
            total += _word_vector(match.group().casefold(), dimension)
        vector: FloatArray = (total / np.sqrt(np.dot(total, total))).astype(np.float32)
        return vector
