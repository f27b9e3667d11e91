"""What a miss is asked about: a document by id or key, or a chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vstash.errors import FieldError
from vstash.errors.missing import no_chunk, no_document
from vstash.pipeline.documents import BEFORE_ALL
from vstash.pipeline.prepare import checked_chunk_id, checked_key
from vstash.search.misses import failed_conditions
from vstash.store.documents import to_microseconds

if TYPE_CHECKING:
    from vstash.misses import MissStage
    from vstash.pipeline.question import Question
    from vstash.store.session import Reader
    from vstash.types import Document, IdArray

__all__ = ["Sought", "check_sought", "outside", "sought"]


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: a document's chunks, ascending, or one of them ``alone``."""

    document: Document
    chunks: IdArray
    alone: bool


def check_sought(document: str | None, key: str | None, chunk: int | None) -> None:
    """Refuse what names nothing, or more than one thing.

    Raises:
        FieldError: When it does, or a value is malformed.
    """
    if sum(given is not None for given in (document, key, chunk)) != 1:
        raise FieldError("Give one of: document, key, chunk.", pointer="/document")
    if document is not None:
        checked_key(document, pointer="/document")
    if key is not None:
        checked_key(key)
    if chunk is not None:
        checked_chunk_id(chunk, pointer="/chunk")


def sought(
    reader: Reader, collection: str, document: str | None, key: str | None, chunk: int | None
) -> Sought:
    """Find what is looked for, expired or in another collection too.

    Args:
        reader: A consistent view of the file.
        collection: That is searched.
        document: Its id, or None.
        key: Its key, or None.
        chunk: Of a chunk, or None.

    Raises:
        DocumentNotFoundError, ChunkNotFoundError: When there is none.
    """
    if chunk is not None:
        one = np.array([chunk], dtype=np.int64)
        row = reader.chunks(one).get(chunk)
        if row is None:
            raise no_chunk(pointer="/chunk")
        return Sought(row[1], one, alone=True)
    if document is not None:
        found = reader.document(document, now=BEFORE_ALL)
        documents = [] if found is None else [found[1]]
    else:
        documents = reader.documents_with_key(key or "")
    if not documents:
        raise no_document(pointer="/document") if key is None else no_document("key")
    # Those of the collection that is searched come first.
    chosen = min(documents, key=lambda each: each.collection != collection)
    return Sought(chosen, reader.chunk_ids(chosen.id), alone=False)


def outside(question: Question, document: Document, now: int) -> MissStage | None:
    """Why a search does not even look at a document, None where it does.

    Args:
        question: What was asked.
        document: That is looked for.
        now: Microseconds since the epoch.
    """
    if document.collection != question.collection:
        return "other_collection"
    if document.expires_at is not None and to_microseconds(document.expires_at) <= now:
        return "expired"
    if question.where is not None and failed_conditions(question.where, document):
        return "filtered"
    return None
