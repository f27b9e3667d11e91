"""Access keys: who may use a service, and for what."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

__all__ = ["SCOPES", "AccessKey", "KeyScope", "NewKey"]

KeyScope = Literal["read", "write", "admin"]
# Each includes those before it.
SCOPES: Final[tuple[KeyScope, ...]] = get_args(KeyScope)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What is known of an access key; its secret is not.

    Attributes:
        id: Part of the secret, and no secret itself.
        name: Whom or what it was made for.
        scope: ``read``; ``write``, which includes it; or ``admin``, which includes both.
        collection: The one that it is bound to, None for the whole file.
        created: UTC.
        expires_at: UTC; from then on it is worth nothing, None for never.
        revoked_at: UTC; since when it is worth nothing, None while it was not revoked.
    """

    id: str
    name: str
    scope: KeyScope
    collection: str | None
    created: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, with the secret, which nobody can see again.

    Attributes:
        key: As it is listed.
        secret: What a client sends.
    """

    key: AccessKey
    secret: str = field(repr=False)
