"""Methods of `Client` about backups."""

from __future__ import annotations

from vstash.client.base import Arguments, Base, like, segment
from vstash.client.decoding import decoded
from vstash.errors import FieldError
from vstash.memory import Memory
from vstash.upkeep import BackupInfo, RestoreReport

__all__ = ["BackingUp"]


class BackingUp(Base):
    """Backups that the service makes and keeps, for who has an access key of the scope admin."""

    @like(Memory.backup)
    def backup(self, given: Arguments) -> BackupInfo:
        """Make a backup."""
        if given.get("path") is not None:
            raise FieldError(
                "A service keeps its backups in its own folder: leave path out.", pointer="/path"
            )
        return decoded(BackupInfo, self._service.send("POST", "/v1/backups", once=True))

    @like(Memory.backups)
    def backups(self, _given: Arguments) -> tuple[BackupInfo, ...]:
        """List the backups."""
        found = self._service.send("GET", "/v1/backups")["items"]
        return tuple(decoded(BackupInfo, item) for item in found)

    @like(Memory.delete_backup)
    def delete_backup(self, given: Arguments) -> BackupInfo:
        """Remove a backup."""
        place = f"/v1/backups/{segment(given['name'])}"
        return decoded(BackupInfo, self._service.send("DELETE", place))

    @like(Memory.restore)
    def restore(self, given: Arguments) -> RestoreReport:
        """Restore a backup of the service."""
        place = f"/v1/backups/{segment(given['source'])}:restore"
        body = {"force": given.get("force", False)}
        return decoded(RestoreReport, self._service.send("POST", place, body=body, once=True))
