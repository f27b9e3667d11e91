"""Getting documents ready to be stored: cut into chunks, embedded, their words derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import uuid6

from vstash.embed.validate import validated
from vstash.pipeline.prepare import Prepared
from vstash.store.rows import ChunkRow, DocumentRow
from vstash.text import chunk as chunking
from vstash.text.normalise import indexed

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.settings import Settings
    from vstash.types import FloatArray

__all__ = ["Ready", "Readying", "Source", "document_row"]

# What title, headings and the model's own marks may take of its input.
_HEADER_TOKENS: Final = 96
_SPECIAL_TOKENS: Final = 2


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a document was read from."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A document with its chunks, ready to be stored."""

    row: DocumentRow
    chunks: Sequence[ChunkRow]


class Readying:
    """Chunks and embeds documents, outside any transaction.

    Args:
        embedder: The file's model.
        settings: Chunk sizes.
    """

    def __init__(self, embedder: Embedder, settings: Settings) -> None:
        self._embedder = embedder
        self._settings = settings

    def make_ready(self, documents: Sequence[tuple[Prepared, Source | None]]) -> list[Ready]:
        """Chunk and embed documents.

        Args:
            documents: Each with the file that it came from, if any.

        Raises:
            EmbeddingError: When the model returned what cannot be stored.
        """
        spans = [self._spans(prepared) for prepared, _ in documents]
        passages = [
            chunking.passage(prepared.title, span.heading, prepared.text[span.start : span.end])
            for (prepared, _), mine in zip(documents, spans, strict=True)
            for span in mine
        ]
        vectors = self._embed(passages)
        made, taken = [], 0
        for (prepared, source), mine in zip(documents, spans, strict=True):
            rows = _chunk_rows(prepared, mine, vectors[taken : taken + len(mine)])
            taken += len(mine)
            made.append(Ready(document_row(prepared, source), rows))
        return made

    def _embed(self, passages: Sequence[str]) -> FloatArray:
        dimension = self._embedder.info.dimension
        if not passages:
            return np.empty((0, dimension), dtype=np.float32)
        return validated(
            self._embedder.embed_passages(passages), count=len(passages), dimension=dimension
        )

    def _spans(self, prepared: Prepared) -> list[chunking.Span]:
        limit = self._embedder.info.max_tokens - _SPECIAL_TOKENS
        room = max(limit - _HEADER_TOKENS, limit // 2, 1)
        size = min(self._settings.chunk_tokens, room)
        return chunking.chunk(
            prepared.text,
            media_type=prepared.media_type,
            offsets=self._embedder.token_offsets,
            max_tokens=size,
            overlap=min(self._settings.chunk_overlap, size // 4),
        )


def _chunk_rows(
    prepared: Prepared, spans: Sequence[chunking.Span], vectors: FloatArray
) -> list[ChunkRow]:
    title = indexed(prepared.title)
    return [
        ChunkRow(
            start=span.start,
            end=span.end,
            heading=span.heading,
            tokens=span.tokens,
            words=(
                title,
                indexed("\n".join(span.heading)),
                indexed(prepared.text[span.start : span.end]),
            ),
            vector=vector,
        )
        for span, vector in zip(spans, vectors, strict=True)
    ]


def document_row(prepared: Prepared, source: Source | None) -> DocumentRow:
    """The row of a document, with a new id for the case that its key is new."""
    new_id = str(uuid6.uuid7())
    return DocumentRow(
        id=new_id,
        collection=prepared.collection,
        key=new_id if prepared.key is None else prepared.key,
        title=prepared.title,
        text=prepared.text,
        metadata=prepared.metadata,
        tags=prepared.tags,
        media_type=prepared.media_type,
        content_hash=prepared.content_hash,
        expires_at=prepared.expires_at,
        source_size=None if source is None else source.size,
        source_mtime_ns=None if source is None else source.mtime_ns,
    )
