"""What the caller of a request may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import Depends, Request

from vstash.errors import CollectionForbiddenError

__all__ = ["EVERYTHING", "STATE", "STRANGER", "Access", "Caller", "Needed"]

Needed = Literal["none", "read", "write", "admin"]

# Where the guard puts the caller's rights into the ASGI scope.
STATE: Final = "vstash.access"
_RANKS: Final = {"none": 0, "read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Access:
    """The rights of the access key that a request came with.

    Attributes:
        key_id: Of the key, empty for a caller without one.
        scope: ``read``, ``write`` or ``admin``; each includes those before it. ``none`` for who has no
            key where one is needed, and asks what needs none.
        only: Name of the one collection that the key is bound to, None for all.
    """

    key_id: str = ""
    scope: Needed = "admin"
    only: str | None = None

    def allows(self, needed: Needed) -> bool:
        """Whether the key's scope is enough for an operation.

        Args:
            needed: The operation's.

        Example:
            >>> Access(scope="write").allows("read"), Access(scope="write").allows("admin")
            (True, False)
        """
        return _RANKS[self.scope] >= _RANKS[needed]

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

    def sees(self, collection: str | None) -> bool:
        """Whether what is in a collection, None for the whole file, is there for the key."""
        return self.only is None or collection == self.only

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
STRANGER: Final = Access(scope="none")


# Dependencies are coroutines although they wait for nothing: others run in a thread each.
async def _access(request: Request) -> Access:
    # The guard has put it there; without a guard, as in tests, nobody is held to anything.
    found = request.scope.get(STATE, EVERYTHING)
    assert isinstance(found, Access)  # noqa: S101 - set by the guard alone
    return found


Caller = Annotated[Access, Depends(_access)]
