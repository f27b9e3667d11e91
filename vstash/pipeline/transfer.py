"""The lines of an export, as docs/export.md describes them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vstash.times import time_text

if TYPE_CHECKING:
    from vstash.store.rows import Origin
    from vstash.types import Document, FloatArray, Json, ModelInfo

__all__ = [
    "DOCUMENT",
    "FORMAT",
    "MANIFEST",
    "TRAILER",
    "VERSION",
    "Manifest",
    "Passage",
    "document_line",
    "manifest_line",
    "trailer_line",
]

FORMAT: Final = "vstash-export"
VERSION: Final = 1
# The members of the three kinds of lines, in their order.
MANIFEST: Final = ("format", "version", "vstash", "collections", "model", "vectors")
DOCUMENT: Final = (
    *("id", "key", "collection", "title", "text", "tags", "metadata", "created", "updated"),
    *("expires_at", "media_type", "source", "content_hash"),
)
TRAILER: Final = ("end", "documents", "sha256")
# What some programs take for the end of a line, and what moves a terminal's cursor or turns its text;
# JSON escapes only the controls below 0x20 by itself.
_TO_ESCAPE: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export says of itself.

    Attributes:
        vstash: Version of the program that wrote it.
        collections: Documents in it by collection.
        model: Name of the model of the file that was exported.
        dimension: Of that model.
        sha256: Of that model.
        vectors: Whether each document comes with its vectors.
    """

    vstash: str
    collections: Mapping[str, int]
    model: str
    dimension: int
    sha256: str
    vectors: bool

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return sum(self.collections.values())


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk's vector in an export.

    Attributes:
        digest: Of what was embedded, 16 bytes; None where the caller brought the vector.
        vector: Float32, shape (dimension,); None where it was awaited.
    """

    digest: bytes | None
    vector: FloatArray | None


def manifest_line(
    version: str, collections: Mapping[str, int], model: ModelInfo, *, vectors: bool
) -> bytes:
    """The first line."""
    described = {"name": model.name, "dimension": model.dimension, "sha256": model.sha256}
    return _line(MANIFEST, FORMAT, VERSION, version, collections, described, vectors)


def document_line(
    document: Document, text: str, origin: Origin, passages: Sequence[Passage] | None
) -> bytes:
    """The line of a document.

    Args:
        document: Without its text.
        text: Its text.
        origin: Where it came from.
        passages: Its vectors in the order of its chunks, None to leave them out.
    """
    source = {"size": origin.source_size, "mtime_ns": origin.source_mtime_ns}
    values = (
        *(document.id, document.key, document.collection, document.title, text, document.tags),
        *(document.metadata, time_text(document.created), time_text(document.updated)),
        None if document.expires_at is None else time_text(document.expires_at),
        origin.media_type,
        None if origin.source_mtime_ns is None else source,
        document.content_hash,
    )
    if passages is None:
        return _line(DOCUMENT, *values)
    return _line((*DOCUMENT, "chunks"), *values, [_passage(each) for each in passages])


def trailer_line(documents: int, sha256: str) -> bytes:
    """The last line."""
    return _line(TRAILER, FORMAT, documents, sha256)


def _line(names: Sequence[str], *values: object) -> bytes:
    members = dict(zip(names, values, strict=True))
    text = json.dumps(members, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode() + b"\n"


def _passage(passage: Passage) -> dict[str, Json]:
    vector = None
    if passage.vector is not None:
        vector = base64.b64encode(passage.vector.astype("<f4").tobytes()).decode()
    digest = None if passage.digest is None else passage.digest.hex()
    return {"passage": digest, "vector": vector}
