"""Getting documents ready to be stored: cut into chunks, embedded, their words derived."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import uuid6

from vstash import deadlines
from vstash.embed.validate import validated
from vstash.pipeline.prepare import Prepared
from vstash.store.rows import ChunkRow, DocumentRow
from vstash.text import chunk as chunking
from vstash.text.normalise import indexed

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.settings import Settings
    from vstash.store.models import Served
    from vstash.store.protocol import Store
    from vstash.types import FloatArray

__all__ = ["SPECIAL_TOKENS", "Ready", "Readying", "Source", "digest", "document_row", "with_vector"]

# What title, headings and the model's own marks may take of its input.
_HEADER_TOKENS: Final = 96
SPECIAL_TOKENS: Final = 2
_DIGEST_BYTES: Final = 16


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


def digest(passage: str) -> bytes:
    """What an embedded passage is known by, 16 bytes."""
    return hashlib.blake2b(passage.encode(), digest_size=_DIGEST_BYTES).digest()


class Readying:
    """Chunks and embeds documents, outside any transaction.

    Args:
        store: The file, which knows the vectors of passages that it holds already.
        embedder: The file's model.
        served: Which one it is in the file.
        settings: Chunk sizes.
    """

    def __init__(
        self, store: Store, embedder: Embedder, served: Served, settings: Settings
    ) -> None:
        self._store = store
        self._embedder = embedder
        self.served = served
        self._settings = settings

    def make_ready(
        self,
        documents: Sequence[tuple[Prepared, Source | None]],
        *,
        embed: bool = True,
        brought: Sequence[Mapping[bytes, FloatArray]] = (),
    ) -> list[Ready]:
        """Chunk and embed documents.

        Args:
            documents: Each with the file that it came from, if any.
            embed: False leaves the vectors for later.
            brought: For each document vectors that its caller has, by the digest of their passage;
                none for nobody. Other documents never get them.

        Raises:
            EmbeddingError: When the model returned what cannot be stored.
            DeadlineError: When the deadline of the work at hand has passed.
        """
        spans = [self.spans(prepared.text, prepared.media_type) for prepared, _ in documents]
        deadlines.check()
        passages = [
            chunking.passage(prepared.title, span.heading, prepared.text[span.start : span.end])
            for (prepared, _), mine in zip(documents, spans, strict=True)
            for span in mine
        ]
        digests = [digest(passage) for passage in passages]
        vectors: list[FloatArray | None] = [None] * len(passages)
        if brought:
            owners = (own for own, mine in zip(brought, spans, strict=True) for _ in mine)
            vectors = [own.get(each) for own, each in zip(owners, digests, strict=True)]
        missing = [place for place, vector in enumerate(vectors) if vector is None]
        ours: list[bytes | None] = [None] * len(passages)
        for place in missing:
            ours[place] = digests[place]
        if embed and missing:
            found = self.embedded([passages[i] for i in missing], [digests[i] for i in missing])
            for place, vector in zip(missing, found, strict=True):
                vectors[place] = vector
        made, taken = [], 0
        for (prepared, source), mine in zip(documents, spans, strict=True):
            part = slice(taken, taken + len(mine))
            rows = _chunk_rows(prepared, mine, vectors[part], ours[part])
            taken += len(mine)
            made.append(Ready(document_row(prepared, source), rows))
        return made

    def embedded(self, passages: Sequence[str], digests: Sequence[bytes]) -> Sequence[FloatArray]:
        """Vectors of passages; those that the file holds, and repetitions, cost nothing.

        Args:
            passages: With title and headings, as they are embedded.
            digests: One for each.

        Raises:
            EmbeddingError: When the model returned what cannot be stored.
        """
        dimension = self._embedder.info.dimension
        distinct = dict(zip(digests, passages, strict=True))
        with self._store.read() as reader:
            known = reader.known_vectors(self.served, list(distinct))
        found = {
            each: np.frombuffer(value, dtype="<f4").astype(np.float32, copy=False)
            for each, value in known.items()
            if len(value) == 4 * dimension
        }
        missing = [each for each in distinct if each not in found]
        if missing:
            made = self._embedder.embed_passages([distinct[each] for each in missing])
            rows = validated(made, count=len(missing), dimension=dimension)
            found.update(zip(missing, rows, strict=True))
        return [found[each] for each in digests]

    def spans(self, text: str, media_type: str) -> list[chunking.Span]:
        """Where the chunks of a text lie, by the model's limits and the settings."""
        limit = self._embedder.info.max_tokens - SPECIAL_TOKENS
        room = max(limit - _HEADER_TOKENS, limit // 2, 1)
        size = min(self._settings.chunk_tokens, room)
        return chunking.chunk(
            text,
            media_type=media_type,
            offsets=self._embedder.token_offsets,
            max_tokens=size,
            overlap=min(self._settings.chunk_overlap, size // 4),
        )


def _chunk_rows(
    prepared: Prepared,
    spans: Sequence[chunking.Span],
    vectors: Sequence[FloatArray | None],
    digests: Sequence[bytes | None],
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
            digest=each,
        )
        for span, vector, each in zip(spans, vectors, digests, strict=True)
    ]


def with_vector(prepared: Prepared, vector: FloatArray) -> Ready:
    """A document of one chunk, whose vector the caller brought.

    Args:
        prepared: The document.
        vector: Shape (dimension,), float32, length 1.
    """
    chunk = ChunkRow(
        start=0,
        end=len(prepared.text),
        heading=(),
        tokens=0,
        words=(indexed(prepared.title), "", indexed(prepared.text)),
        vector=vector,
    )
    return Ready(document_row(prepared, None), [chunk])


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
