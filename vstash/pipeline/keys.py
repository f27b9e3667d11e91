"""Access keys: making, listing, revoking and recognising them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from vstash.errors import FieldError, KeyNotFoundError
from vstash.keys import SCOPES, AccessKey, KeyScope, NewKey
from vstash.pipeline.prepare import checked_collection, checked_expiry, checked_key, checked_line
from vstash.store.documents import to_datetime

if TYPE_CHECKING:
    from vstash.store.protocol import Store

__all__ = ["Keys"]

_ID_BYTES: Final = 8
_SECRET_BYTES: Final = 32
_SECRET: Final = re.compile(r"vstash_([0-9a-f]{16})_[A-Za-z0-9_-]{43}", re.ASCII)
_MAX_NAME_CHARS: Final = 100
# Compared where there is nothing to compare, so that an unknown id takes as long as a known one.
_NO_DIGEST: Final = bytes(hashlib.sha256().digest_size)


class Keys:
    """The access keys of a file.

    Only the SHA-256 of a secret is stored. A secret is 256 random bits, which nobody can guess at any
    speed; the slow hashes for passwords would make every request slow and nothing safer.

    Args:
        store: The file.
        clock: Microseconds since the epoch.
    """

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def create(
        self,
        name: str,
        *,
        scope: KeyScope,
        collection: str | None,
        expires_at: datetime | None,
    ) -> NewKey:
        """Make a key; see `Memory.create_key`."""
        named = checked_line(name, pointer="/name", what="A name", most=_MAX_NAME_CHARS)
        if not named:
            raise FieldError("A key has a name with a visible character.", pointer="/name")
        if scope not in SCOPES:
            raise FieldError(f"scope is one of: {', '.join(SCOPES)}.", pointer="/scope")
        only = None if collection is None else checked_collection(collection)
        now = self._clock()
        until = checked_expiry(expires_at)
        if until is not None and until <= now:
            raise FieldError("expires_at has passed: choose a later time.", pointer="/expires_at")
        key_id = secrets.token_hex(_ID_BYTES)
        key = AccessKey(
            id=key_id,
            name=named,
            scope=scope,
            collection=only,
            created=to_datetime(now),
            expires_at=None if until is None else to_datetime(until),
            revoked_at=None,
        )
        secret = f"vstash_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        with self._store.write() as writer:
            writer.insert_key(key, _digest(secret))
        return NewKey(key, secret)

    def listed(self) -> tuple[AccessKey, ...]:
        """All keys; see `Memory.keys`."""
        with self._store.read() as reader:
            return tuple(key for key, _ in reader.access_keys())

    def revoke(self, key_id: str) -> AccessKey:
        """Revoke a key; see `Memory.revoke_key`."""
        checked_key(key_id, pointer="/id")
        with self._store.write() as writer:
            writer.revoke_key(key_id, now=self._clock())
            found = writer.access_keys(key_id)
        if not found:
            raise KeyNotFoundError(
                "No access key has this id: `vstash keys list` shows all.", pointer="/id"
            )
        return found[0][0]

    def recognise(self, secret: str) -> AccessKey | None:
        """The living key with a secret; see `Memory.access`."""
        matched = _SECRET.fullmatch(secret)
        if matched is None:
            return None
        with self._store.read() as reader:
            found = reader.access_keys(matched[1])
        key, digest = found[0] if found else (None, _NO_DIGEST)
        same = compare_digest(_digest(secret), digest)
        return key if key is not None and same and self._lives(key) else None

    def any_living(self) -> bool:
        """Whether there is a key that is worth something; see `Memory.has_living_key`."""
        return any(self._lives(key) for key in self.listed())

    def _lives(self, key: AccessKey) -> bool:
        now = to_datetime(self._clock())
        return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()
