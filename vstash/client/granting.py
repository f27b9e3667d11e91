"""Methods of `Client` that make, list and revoke access keys."""

from __future__ import annotations

from vstash.client.base import Arguments, Base, like, segment
from vstash.client.decoding import decoded
from vstash.keys import AccessKey, NewKey
from vstash.memory import Memory

__all__ = ["Granting"]


class Granting(Base):
    """Access keys of the service, for who has one of the scope admin."""

    @like(Memory.create_key)
    def create_key(self, given: Arguments) -> NewKey:
        """Make an access key."""
        # A repetition after a lost answer makes another key; the lost one is of no use to anybody.
        return decoded(NewKey, self._service.send("POST", "/v1/keys", body=given))

    @like(Memory.keys)
    def keys(self, _given: Arguments) -> tuple[AccessKey, ...]:
        """List all access keys."""
        found = self._service.send("GET", "/v1/keys")["items"]
        return tuple(decoded(AccessKey, item) for item in found)

    @like(Memory.revoke_key)
    def revoke_key(self, given: Arguments) -> AccessKey:
        """Revoke an access key."""
        return decoded(AccessKey, self._service.send("DELETE", f"/v1/keys/{segment(given['id'])}"))
