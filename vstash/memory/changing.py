"""Methods of `Memory` that change and remove documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from vstash.memory.base import Base
from vstash.reports import DeleteReport
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
        if_match: str | Sequence[str] | None = None,
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
            if_match: Change nothing unless the document has this etag, or one of several.

        Returns:
            The document as it is now, without its text.

        Raises:
            DocumentNotFoundError, InputError, PreconditionError: Nothing was changed.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     read = memory.add("Tea is hot.", key="tea")
            ...     changed = memory.update(key="tea", title="Tea", if_match=read.etag)
            >>> changed.etag == read.etag
            False
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
            if_match=if_match,
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
        if_match: str | Sequence[str] | None = None,
    ) -> Document:
        """Replace everything of a document but its id, key, collection and creation time.

        Args:
            id: Of an existing document.
            text: As in `add`, and so are the others.
            title: None for no title.
            tags: All tags.
            metadata: All metadata.
            expires_at: None for never.
            if_match: As in `update`.

        Raises:
            DocumentNotFoundError, InputError, PreconditionError: Nothing was changed.
        """
        document = NewDocument(text, None, title, None, tags, metadata or {}, expires_at)
        return self._engine.writing.replace(id, document, if_match=if_match)

    def delete(
        self,
        id: str | None = None,
        *,
        key: str | None = None,
        collection: str | None = None,
        if_match: str | Sequence[str] | None = None,
    ) -> Document:
        """Remove one document with its text, words, vectors, triples and feedback.

        Args:
            id: Its id; or give ``key``.
            key: Its key.
            collection: Of the key; None for ``default``.
            if_match: As in `update`.

        Returns:
            What was removed, without its text.

        Raises:
            DocumentNotFoundError: When there is none.
            PreconditionError: When ``if_match`` does not hold; nothing was removed.
        """
        return self._engine.writing.delete(id, key=key, collection=collection, if_match=if_match)

    def delete_many(
        self, filter: JsonObject, *, collection: str | None = None, dry_run: bool = False
    ) -> DeleteReport:
        """Remove every document that a filter matches, in one transaction.

        Args:
            filter: A filter tree, as in `search`; `list` with it shows the same documents.
            collection: None for ``default``.
            dry_run: Only say what would be removed.

        Returns:
            How many, and which the first of them are.

        Raises:
            FilterError: When the filter is empty or malformed.
            CollectionNotFoundError: When nothing was ever written to the collection.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     document = memory.add("Draft.", key="a", metadata={"draft": True})
            ...     memory.delete_many({"metadata.draft": {"eq": True}}).documents
            1
        """
        return self._engine.removing.delete_many(filter, collection=collection, dry_run=dry_run)
