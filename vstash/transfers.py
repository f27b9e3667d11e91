"""What an import takes and tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

from vstash.errors import FieldError

__all__ = ["ON_CONFLICT", "ImportProgress", "ImportReport", "OnConflict", "as_bytes"]

OnConflict = Literal["replace", "skip"]
ON_CONFLICT: Final[tuple[OnConflict, ...]] = get_args(OnConflict)


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """Where an import stands: documents dealt with so far, documents that the export says it has."""

    done: int
    documents: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did with the documents of an export, each counted once.

    Attributes:
        added: Their key was new in their collection.
        replaced: Their key was there, with something else.
        unchanged: They were there already, as they are, times included.
        skipped: Their key was there with something else, which stayed because of ``on_conflict``.
        expired: Their time was over before they were imported.
        other_ids: Of those that were added or replaced, how many have another id than in the export.
        chunks: Chunks written.
        dry_run: Whether nothing was written.
        seconds: Wall time.
    """

    added: int
    replaced: int
    unchanged: int
    skipped: int
    expired: int
    other_ids: int
    chunks: int
    dry_run: bool
    seconds: float


def as_bytes(stream: Iterable[bytes | str]) -> Iterator[bytes]:
    """The pieces of a stream as bytes.

    Args:
        stream: Bytes or text, or pieces of them; text with surrogates stays what no reader takes.

    Raises:
        FieldError: When it is something else.
    """
    for piece in (stream,) if isinstance(stream, bytes | str) else stream:
        if isinstance(piece, str):
            yield piece.encode("utf-8", "surrogatepass")
        elif isinstance(piece, bytes):
            yield piece
        else:
            raise FieldError("The stream is pieces of bytes or text.", pointer="/stream")
