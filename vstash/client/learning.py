"""Methods of `Client` that use or leave what was learnt; a service learns by `Client.start_upkeep`."""

from __future__ import annotations

from vstash.client.base import Arguments, Base, like, segment
from vstash.client.decoding import decoded
from vstash.learning import AutoLearning, Learned, RollbackReport
from vstash.memory import Memory
from vstash.types import Page

__all__ = ["Learning"]


class Learning(Base):
    """What was learnt of the service's collections."""

    @like(Memory.learned)
    def learned(self, given: Arguments) -> Page[Learned]:
        """List what was learnt."""
        return decoded(Page[Learned], self._service.send("GET", "/v1/learned", query=given))

    @like(Memory.promote)
    def promote(self, given: Arguments) -> Learned:
        """Use something that was learnt."""
        place = f"/v1/learned/{segment(given['id'])}:promote"
        body = {name: given[name] for name in ("collection", "force") if name in given}
        return decoded(Learned, self._service.send("POST", place, body=body, once=True))

    @like(Memory.auto_learning)
    def auto_learning(self, _given: Arguments) -> AutoLearning:
        """Say whether the service learns by itself."""
        return decoded(AutoLearning, self._service.send("GET", "/v1/learned:auto"))

    @like(Memory.rollback)
    def rollback(self, given: Arguments) -> RollbackReport:
        """Go back to what was in use before."""
        place = "/v1/learned:rollback"
        return decoded(RollbackReport, self._service.send("POST", place, body=given, once=True))
