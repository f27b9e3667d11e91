"""What the caller of a request may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import Depends, Request

from vstash.errors import CollectionForbiddenError

__all__ = ["EVERYTHING", "Access", "Caller", "Needed"]

Needed = Literal["none", "read", "write", "admin"]

STATE: Final = "vstash.access"


@dataclass(frozen=True, slots=True)
class Access:
    """The rights of the access key that a request came with.

    Attributes:
        key_id: Of the key, empty for a caller without one.
        scope: ``read``, ``write`` or ``admin``; each includes those before it.
        only: Name of the one collection that the key is bound to, None for all.
    """

    key_id: str = ""
    scope: Needed = "admin"
    only: str | None = None

    def collection(self, asked: str | None) -> str | None:
        """The collection to work in, given the one that was asked for.

        Args:
            asked: None where the request names none: then it is the one that the key is bound to.

        Raises:
            CollectionForbiddenError: When the key is bound to another.

        Example:
            >>> Access(only="notes").collection(None)
            'notes'
        """
        if self.only is None:
            return asked
        if asked is not None and asked != self.only:
            raise CollectionForbiddenError(
                "This access key is bound to another collection.", pointer="/collection"
            )
        return self.only

    def whole_file(self) -> None:
        """Refuse a key that is bound to a collection, for what tells of or changes the whole file.

        Raises:
            CollectionForbiddenError: When the key is bound to one.
        """
        if self.only is not None:
            raise CollectionForbiddenError(
                "This is about the whole file, and the access key is bound to one collection."
            )


EVERYTHING: Final = Access()


def _access(request: Request) -> Access:
    # The guard has put it there; without a guard, as in tests, nobody is held to anything.
    found = request.scope.get(STATE, EVERYTHING)
    assert isinstance(found, Access)  # noqa: S101 - set by the guard alone
    return found


Caller = Annotated[Access, Depends(_access)]
