"""What goes by id is there only for callers of its collection."""

from __future__ import annotations

from vstash.api.access import Access
from vstash.errors import DocumentNotFoundError
from vstash.errors.missing import no_chunk, no_document
from vstash.memory import Memory

__all__ = ["require_own_chunk", "require_own_document"]


def require_own_document(memory: Memory, caller: Access, document_id: str) -> None:
    """Refuse a document of another collection as if it did not exist.

    A document never changes its collection, so what is done next may rely on it.

    Args:
        memory: Where it is.
        caller: Without a collection of its own, nothing is looked up.
        document_id: Its id.

    Raises:
        DocumentNotFoundError: When it is of another, or there is none.
    """
    if caller.only is None:
        return
    if not caller.sees(memory.get(document_id, include=()).collection):
        raise no_document()


def require_own_chunk(memory: Memory, caller: Access, chunk_id: int) -> None:
    """Refuse a chunk of another collection as if it did not exist; as `require_own_document`.

    Raises:
        ChunkNotFoundError: When it is of another, or there is none.
    """
    if caller.only is None:
        return
    owner = memory.get_chunk(chunk_id).document_id
    try:
        require_own_document(memory, caller, owner)
    except DocumentNotFoundError:
        raise no_chunk() from None
