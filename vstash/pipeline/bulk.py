"""Many texts at once, with vectors of the caller's or the model's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from vstash.errors import FieldError, VstashError
from vstash.pipeline.overlap import overlapped
from vstash.pipeline.prepare import Prepared, checked_vectors, prepare, unit
from vstash.pipeline.ready import Ready, with_vector
from vstash.types import JsonObject, NewDocument

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.pipeline.write import Writing
    from vstash.settings import Settings
    from vstash.types import AnyVectors, FloatArray

__all__ = ["Bulk"]

_PLURALS: Final = {"text": "texts", "key": "keys", "title": "titles", "metadata": "metadata"}
# A transaction takes as many: what a crash can lose, and what others wait for.
_BATCH: Final = 4_096
# The model takes half a second and more for as many; then it is better to commit.
_BATCH_TO_EMBED: Final = 64


class Bulk:
    """Stores many texts in batches, preparing the next while one is written.

    Args:
        writing: Stores documents.
        embedder: The file's model.
        settings: Limits.
    """

    def __init__(self, writing: Writing, embedder: Embedder, settings: Settings) -> None:
        self._writing = writing
        self._embedder = embedder
        self._settings = settings

    def add_many(
        self,
        texts: Sequence[str],
        *,
        vectors: AnyVectors | None,
        keys: Sequence[str] | None,
        titles: Sequence[str] | None,
        metadata: Sequence[JsonObject] | None,
        collection: str | None,
        tags: Sequence[str],
        expires_at: datetime | None,
        embed: bool,
    ) -> tuple[str, ...]:
        """Store them; see `Memory.add_many`."""
        if isinstance(texts, str) or not isinstance(texts, Sequence):
            raise FieldError("Texts are a list of texts.", pointer="/texts")
        count = len(texts)
        for name, given in (("keys", keys), ("titles", titles), ("metadata", metadata)):
            if given is not None and (isinstance(given, str) or len(given) != count):
                raise FieldError(f"{name} are as many as the texts, {count:,}.", pointer=f"/{name}")
        _require_distinct(keys)
        matrix = (
            None
            if vectors is None
            else checked_vectors(vectors, count, self._embedder.info.dimension)
        )
        prepared = [
            self._prepared(
                position,
                NewDocument(
                    text,
                    None if keys is None else keys[position],
                    None if titles is None else titles[position],
                    collection,
                    tags,
                    {} if metadata is None else metadata[position],
                    expires_at,
                ),
            )
            for position, text in enumerate(texts)
        ]
        return self._store(prepared, matrix, embed=embed)

    def _prepared(self, position: int, document: NewDocument) -> Prepared:
        try:
            return prepare(document, self._settings)
        except VstashError as error:
            # Which text of the list: /texts/3, /titles/3, /metadata/3/author.
            field, _, rest = (error.pointer or "").removeprefix("/").partition("/")
            if field in _PLURALS:
                error.pointer = f"/{_PLURALS[field]}/{position}" + (f"/{rest}" if rest else "")
            raise

    def _store(
        self, prepared: Sequence[Prepared], matrix: FloatArray | None, *, embed: bool
    ) -> tuple[str, ...]:
        def make(part: range) -> list[Ready]:
            if matrix is not None:
                rows = unit(matrix[part.start : part.stop])
                return [with_vector(prepared[i], row) for i, row in zip(part, rows, strict=True)]
            documents = [(prepared[i], None) for i in part]
            return self._writing.readying.make_ready(documents, embed=embed)

        at_once = _BATCH_TO_EMBED if embed and matrix is None else _BATCH
        ids: list[str] = []
        for ready in overlapped(_parts(len(prepared), at_once), make, workers=1):
            ids += [document.id for document in self._writing.store(ready)]
        return tuple(ids)


def _parts(count: int, size: int) -> Iterator[range]:
    for start in range(0, count, size):
        yield range(start, min(start + size, count))


def _require_distinct(keys: Sequence[str] | None) -> None:
    seen: set[str] = set()
    for position, key in enumerate(keys or ()):
        if key in seen:
            raise FieldError("The same key comes twice.", pointer=f"/keys/{position}")
        seen.add(key)
