"""Documents in: chunk, embed and store them; change and remove them."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from vstash.errors import (
    DocumentNotFoundError,
    FieldError,
    StoreBusyError,
    VstashError,
)
from vstash.errors.missing import no_document
from vstash.pipeline import prepare
from vstash.pipeline.conditions import checked_if_match, require_absent, require_match
from vstash.pipeline.documents import BEFORE_ALL, find
from vstash.pipeline.once import settle
from vstash.pipeline.ready import Ready, Readying, document_row
from vstash.types import UNSET, Document, Json, JsonObject, NewDocument, Unset

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.rows import DocumentRow
    from vstash.store.session import Reader
    from vstash.store.writer import Writer

__all__ = ["Writing"]

Outcome = TypeVar("Outcome")

# An update that others keep overtaking gives up after as many rounds.
_ROUNDS: Final = 5


class Writing:
    """Stores, changes and removes documents.

    Args:
        store: The file.
        readying: Chunks and embeds.
        settings: Limits.
        clock: Microseconds since the epoch.
        left: Told of chunks that were written for a model that is not the active one any more.
    """

    def __init__(
        self,
        store: Store,
        readying: Readying,
        settings: Settings,
        clock: Callable[[], int],
        left: Callable[[Sequence[int]], None],
    ) -> None:
        self._store = store
        self._left = left
        self.readying = readying
        self._settings = settings
        self._clock = clock

    def add(
        self,
        document: NewDocument,
        *,
        embed: bool = True,
        if_absent: bool = False,
        if_match: str | Sequence[str] | None = None,
    ) -> Document:
        """Store one document; see `Memory.add`."""
        prepared = prepare.prepare(document, self._settings)
        etags = checked_if_match(if_match)

        def require(reader: Reader) -> Document | None:
            known = self._known(reader, prepared)
            if if_absent:
                require_absent(known)
            require_match(known, etags)
            return known

        def require_still(writer: Writer) -> None:
            if require(writer) is None and if_absent:
                _delete_expired(writer, prepared)

        # What must not be stored need not be embedded first.
        with self._store.read() as reader:
            known = require(reader)
        if known is not None and _is_as_given(known, prepared):
            return known
        ready = self.readying.make_ready([(prepared, None)], embed=embed)
        return self._settled(ready, lambda stored: stored[0], require_still)

    def add_batch(
        self, documents: Sequence[NewDocument], *, embed: bool = True
    ) -> tuple[Document | VstashError, ...]:
        """Store many documents; see `Memory.add_batch`."""
        outcomes: dict[int, Document | VstashError] = {}
        fresh: list[tuple[int, prepare.Prepared]] = []
        places: set[tuple[str, str | None]] = set()
        for position, document in enumerate(documents):
            try:
                prepared = prepare.prepare(document, self._settings)
            except VstashError as error:
                outcomes[position] = error
                continue
            place = (prepared.collection, prepared.key)
            # What the file holds now is not what it will hold once the batch is stored.
            unchanged = None if place in places else self._unchanged(prepared)
            if unchanged is None:
                places.add(place)
                fresh.append((position, prepared))
            else:
                outcomes[position] = unchanged
        ready = self.readying.make_ready([(prepared, None) for _, prepared in fresh], embed=embed)
        places_of_stored = [position for position, _ in fresh]

        def in_order(stored: Sequence[Document]) -> tuple[Document | VstashError, ...]:
            found = outcomes | dict(zip(places_of_stored, stored, strict=True))
            return tuple(found[position] for position in range(len(documents)))

        return self._settled(ready, in_order) if ready else in_order(())

    def _unchanged(self, prepared: prepare.Prepared) -> Document | None:
        with self._store.read() as reader:
            known = self._known(reader, prepared)
        return known if known is not None and _is_as_given(known, prepared) else None

    def _known(self, reader: Reader, prepared: prepare.Prepared) -> Document | None:
        if prepared.key is None:
            return None
        found = reader.document_by_key(prepared.collection, prepared.key, now=self._clock())
        return None if found is None else found[1]

    def store(self, ready: Sequence[Ready]) -> builtins.list[Document]:
        """Store documents in one transaction, each whole.

        Args:
            ready: Chunked and embedded documents.

        Returns:
            The stored documents in order, without text.
        """
        if not ready:
            return []
        with self._writer() as writer:
            return self._put(writer, ready)

    @contextmanager
    def _writer(self) -> Iterator[Writer]:
        """A transaction for vectors of this model, and after it what a switch since makes necessary."""
        with self._store.write(made_by=self.readying.served) as writer:
            yield writer
        if writer.left:
            self._left(writer.left)

    def _put(self, writer: Writer, ready: Sequence[Ready]) -> builtins.list[Document]:
        now = self._clock()
        return [writer.put(item.row, item.chunks, now=now) for item in ready]

    def _settled(
        self,
        ready: Sequence[Ready],
        outcome: Callable[[Sequence[Document]], Outcome],
        first: Callable[[Writer], None] | None = None,
    ) -> Outcome:
        """Store documents together with what the caller is told of them."""
        with self._writer() as writer:
            if first is not None:
                first(writer)
            found = outcome(self._put(writer, ready))
            settle(writer, found)
            return found

    def _stored(self, writer: Writer, row: DocumentRow) -> Document:
        # A document that is stored already expired is still what the caller is told about.
        found = writer.document_by_key(row.collection, row.key, now=BEFORE_ALL)
        if found is None:
            raise DocumentNotFoundError("The document vanished while it was stored; try again.")
        return found[1]

    def update(
        self,
        id: str | None,
        *,
        key: str | None,
        collection: str | None,
        text: str | Unset,
        title: str | Unset,
        tags: Sequence[str] | Unset,
        metadata: JsonObject | Unset,
        expires_at: datetime | Unset | None,
        if_match: str | Sequence[str] | None = None,
    ) -> Document:
        """Change some fields of a document; see `Memory.update`."""
        etags = checked_if_match(if_match)
        for _ in range(_ROUNDS):
            with self._store.read() as reader:
                number, old = find(reader, id, key, collection, now=self._clock())
                require_match(old, etags)
                old_text = reader.text(number)
                media_type = reader.origin(number).media_type
            document = NewDocument(
                text=old_text if isinstance(text, Unset) else text,
                key=old.key,
                title=old.title if isinstance(title, Unset) else title,
                collection=old.collection,
                tags=old.tags if isinstance(tags, Unset) else tags,
                metadata=old.metadata
                if isinstance(metadata, Unset)
                else merged(old.metadata, metadata),
                expires_at=old.expires_at if isinstance(expires_at, Unset) else expires_at,
            )
            prepared = prepare.prepare(document, self._settings, media_type=media_type)
            same_chunks = text is UNSET and prepared.title == old.title
            changed = self._change(number, old, prepared, same_chunks=same_chunks)
            if changed is not None:
                return changed
        raise StoreBusyError("Others keep changing this document; nothing was changed. Try again.")

    def replace(
        self, id: str, document: NewDocument, *, if_match: str | Sequence[str] | None = None
    ) -> Document:
        """Replace a document; see `Memory.replace`."""
        etags = checked_if_match(if_match)
        for _ in range(_ROUNDS):
            with self._store.read() as reader:
                number, old = find(reader, id, None, None, now=self._clock())
                require_match(old, etags)
            full = replace(document, key=old.key, collection=old.collection)
            prepared = prepare.prepare(full, self._settings)
            changed = self._change(number, old, prepared, same_chunks=False)
            if changed is not None:
                return changed
        raise StoreBusyError("Others keep changing this document; nothing was changed. Try again.")

    def _change(
        self, number: int, old: Document, prepared: prepare.Prepared, *, same_chunks: bool
    ) -> Document | None:
        """Store a change of a document, or return None when somebody else was faster.

        What held for the document as it was holds in this transaction too: it is still the same.
        """
        if _is_as_given(old, prepared):
            return old
        now = self._clock()
        ready = None if same_chunks else self.readying.make_ready([(prepared, None)])[0]
        with self._writer() as writer:
            found = writer.document(old.id, now=now)
            if found is None:
                raise no_document()
            if found[1].etag != old.etag:
                return None
            if ready is None:
                writer.put_fields(number, document_row(prepared, None), now=now)
                changed = self._stored(writer, document_row(prepared, None))
            else:
                changed = writer.put(ready.row, ready.chunks, now=now)
            settle(writer, changed)
            return changed

    def delete(
        self,
        id: str | None,
        *,
        key: str | None,
        collection: str | None,
        if_match: str | Sequence[str] | None = None,
    ) -> Document:
        """Remove one document; see `Memory.delete`."""
        etags = checked_if_match(if_match)
        with self._store.write() as writer:
            number, document = find(writer, id, key, collection, now=self._clock())
            require_match(document, etags)
            writer.delete(number)
            return document

    def delete_ids(self, document_ids: Sequence[str]) -> None:
        """Remove documents by id in one transaction; those already gone are passed over."""
        with self._store.write() as writer:
            for document_id in document_ids:
                found = writer.document(document_id, now=BEFORE_ALL)
                if found is not None:
                    writer.delete(found[0])


def merged(target: JsonObject, patch: JsonObject) -> JsonObject:
    """A JSON merge patch applied to an object (RFC 7396, section 2).

    Args:
        target: The object as it is.
        patch: Fields to set; None removes one.

    Example:
        >>> merged({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
        {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        raise FieldError("Metadata is a JSON object.", pointer="/metadata")
    result: dict[str, Json] = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            below = result.get(name)
            result[name] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def _is_as_given(document: Document, prepared: prepare.Prepared) -> bool:
    same_expiry = prepare.checked_expiry(document.expires_at) == prepared.expires_at
    return same_expiry and document.content_hash == prepared.content_hash


def _delete_expired(writer: Writer, prepared: prepare.Prepared) -> None:
    """Make room for a document that is to be a new one, where only an expired one has its key."""
    if prepared.key is not None:
        found = writer.document_by_key(prepared.collection, prepared.key, now=BEFORE_ALL)
        if found is not None:
            writer.delete(found[0])
