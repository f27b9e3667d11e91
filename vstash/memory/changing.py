"""Methods of `Memory` that change and remove documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from vstash.memory.base import Base
from vstash.types import UNSET, Document, JsonObject, NewDocument, Unset

__all__ = ["Changing"]


class Changing(Base):
    """Updating, replacing and removing."""

    def update(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        collection: str | None = None,
        text: str | Unset = UNSET,
        title: str | Unset = UNSET,
        tags: Sequence[str] | Unset = UNSET,
        metadata: JsonObject | Unset = UNSET,
        expires_at: datetime | Unset | None = UNSET,
    ) -> Document:
        """Change some fields of a document; its id, key and creation time stay.

        Args:
            id: Its id; or give ``key``.
            key: Its key.
            collection: Of the key; None for ``default``.
            text: A new text.
            title: A new title; empty removes it.
            tags: All tags from now on.
            metadata: A JSON merge patch (RFC 7396): None removes a field, others stay.
            expires_at: A new time, or None for never.

        Raises:
            DocumentNotFoundError, InputError: Nothing was changed.
        """
        return self._engine.writing.update(
            id,
            key=key,
            collection=collection,
            text=text,
            title=title,
            tags=tags,
            metadata=metadata,
            expires_at=expires_at,
        )

    def replace(
        self,
        id: str,
        text: str,
        *,
        title: str | None = None,
        tags: Sequence[str] = (),
        metadata: JsonObject | None = None,
        expires_at: datetime | None = None,
    ) -> Document:
        """Replace everything of a document but its id, key, collection and creation time.

        Args:
            id: Of an existing document.
            text: As in `add`, and so are the others.
            title: None for no title.
            tags: All tags.
            metadata: All metadata.
            expires_at: None for never.

        Raises:
            DocumentNotFoundError, InputError: Nothing was changed.
        """
        document = NewDocument(text, None, title, None, tags, metadata or {}, expires_at)
        return self._engine.writing.replace(id, document)

    def delete(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        collection: str | None = None,
    ) -> Document:
        """Remove one document with its text, words, vectors, triples and feedback.

        Args:
            id: Its id; or give ``key``.
            key: Its key.
            collection: Of the key; None for ``default``.

        Returns:
            What was removed, without its text.

        Raises:
            DocumentNotFoundError: When there is none.
        """
        return self._engine.writing.delete(id, key=key, collection=collection)
