"""Methods of `Memory` that make, list and revoke access keys."""

from __future__ import annotations

from datetime import datetime

from vstash.keys import AccessKey, KeyScope, NewKey
from vstash.memory.base import Base

__all__ = ["Granting"]


class Granting(Base):
    """Access keys: who may use a service, and for what."""

    def create_key(
        self,
        name: str,
        *,
        scope: KeyScope = "read",
        collection: str | None = None,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make an access key for the service; a running one knows it at once.

        Args:
            name: Whom or what it is for, 1 to 100 characters on one line.
            scope: ``read``; ``write``, which includes it; or ``admin``, which includes both.
            collection: Bind it to this one, which need not exist yet; None for the whole file.
            expires_at: From this time on it is worth nothing, with its zone; None for never.

        Returns:
            The key with its secret. Only a SHA-256 of the secret is stored: it cannot be shown again.

        Raises:
            FieldError: When a value is malformed, or the time has passed.

        Example:
            >>> with Memory("notes.db", model="fake") as memory:
            ...     memory.create_key("laptop", scope="write").secret[:7]
            'vstash_'
        """
        return self._engine.keys.create(
            name, scope=scope, collection=collection, expires_at=expires_at
        )

    def keys(self) -> tuple[AccessKey, ...]:
        """List all access keys, the oldest first; those that expired or were revoked are among them."""
        return self._engine.keys.listed()

    def revoke_key(self, id: str) -> AccessKey:
        """Revoke an access key; a running service refuses it from its next request on.

        Args:
            id: Of the key, as it is listed; a key that was revoked stays revoked since then.

        Returns:
            The key.

        Raises:
            KeyNotFoundError: When there is none with this id.
            FieldError: When the id is malformed.
        """
        return self._engine.keys.revoke(id)

    def access(self, secret: str) -> AccessKey | None:
        """Find the access key that a secret belongs to.

        The file is asked every time, so that a key that another process made or revoked counts at
        once.

        Args:
            secret: What a client sent; anything at all.

        Returns:
            The key, None where there is none, or it expired or was revoked.
        """
        return self._engine.keys.recognise(secret)

    def has_living_key(self) -> bool:
        """Whether there is an access key that neither expired nor was revoked."""
        return self._engine.keys.any_living()
