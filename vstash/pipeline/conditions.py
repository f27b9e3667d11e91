"""Conditions on the state of a document, to be checked in the transaction that changes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vstash.errors import FieldError, PreconditionError
from vstash.types import Document

__all__ = ["checked_if_match", "require_absent", "require_match"]

# Matches every document that exists.
_ANY: Final = "*"


def checked_if_match(given: str | Sequence[str] | None) -> frozenset[str] | None:
    """The etags of which a document must have one, None for no condition.

    Raises:
        FieldError: When it is neither text nor a list of texts.
    """
    if given is None:
        return None
    several = [given] if isinstance(given, str) else given
    if not isinstance(several, Sequence) or not all(isinstance(each, str) for each in several):
        raise FieldError("if_match is an etag, or a list of etags.", pointer="/if_match")
    return frozenset(several)


def require_match(document: Document | None, etags: frozenset[str] | None) -> None:
    """Refuse a document that has none of these etags; None for no condition.

    Raises:
        PreconditionError: When it has none, or there is no document.
    """
    if etags is None:
        return
    if document is None:
        raise PreconditionError("There is no document with this key, so no etag matches.")
    if _ANY not in etags and document.etag not in etags:
        raise PreconditionError(
            "The document was changed since this etag was read: read it again, and repeat the "
            "change if it is still wanted."
        )


def require_absent(document: Document | None) -> None:
    """Refuse a document that is there.

    Raises:
        PreconditionError: When it is.
    """
    if document is not None:
        raise PreconditionError("There is a document with this key already.", pointer="/key")
