"""Methods of `Client` that prove that a service's file is whole, and make it so."""

from __future__ import annotations

from vstash.client.base import Arguments, Base, like
from vstash.client.decoding import decoded
from vstash.memory import Memory
from vstash.reports import CheckReport
from vstash.upkeep import RepairReport

__all__ = ["Checking"]


class Checking(Base):
    """Checks and repairs."""

    @like(Memory.check)
    def check(self, given: Arguments) -> CheckReport:
        """Check the file."""
        return decoded(CheckReport, self._service.send("POST", "/v1/check", query=given))

    @like(Memory.repair)
    def repair(self, given: Arguments) -> RepairReport:
        """Derive anew what is wrong."""
        answer = self._service.send("POST", "/v1/repair", query=given, once=True)
        return decoded(RepairReport, answer)
