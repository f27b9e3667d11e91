"""Vectors that a file holds already, so that they need not be computed again."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from vstash.memory import Memory
from vstash.training.examples import Example

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["listed_vectors", "stored_vectors"]

_DIGEST_BYTES: Final = 16


class _Chunk(msgspec.Struct):
    """What a line of an export says of a chunk (docs/export.md)."""

    passage: str | None
    vector: str | None


class _Line(msgspec.Struct):
    """A line of an export."""

    chunks: list[_Chunk] = msgspec.field(default_factory=list)


def stored_vectors(memory: Memory, *, collection: str | None = None) -> dict[bytes, FloatArray]:
    """The vectors of a collection's chunks, by the digest of the passage that each was made from.

    Args:
        memory: The file.
        collection: None for ``default``.
    """
    found: dict[bytes, FloatArray] = {}
    decoder = msgspec.json.Decoder(_Line)
    for line in memory.export(collection=collection or "default", include_vectors=True):
        for chunk in decoder.decode(line).chunks:
            if chunk.passage is not None and chunk.vector is not None:
                vector = np.frombuffer(base64.b64decode(chunk.vector), dtype="<f4")
                found[bytes.fromhex(chunk.passage)] = vector
    return found


def listed_vectors(
    examples: Sequence[Example], stored: dict[bytes, FloatArray]
) -> tuple[dict[str, FloatArray], list[str]]:
    """The vectors of all listed passages by text, and the texts that have none.

    Args:
        examples: With lists.
        stored: As `stored_vectors` gives them; none where the file has another model.
    """
    texts = dict.fromkeys(each.text for example in examples for each in example.listed)
    found = {}
    for text in texts:
        digest = hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()
        if digest in stored:
            found[text] = stored[digest]
    return found, [text for text in texts if text not in found]
