"""Methods of `Client` about queries of which the answer is known."""

from __future__ import annotations

from vstash.client.base import Arguments, Base, like
from vstash.client.decoding import decoded
from vstash.memory import Memory
from vstash.mining import LabelReport, LearnReport, MadeQuery, MineReport
from vstash.types import Page

__all__ = ["Mining"]


class Mining(Base):
    """Queries made from the service's corpus, or given with judgements."""

    @like(Memory.mine)
    def mine(self, given: Arguments) -> MineReport:
        """Make queries."""
        return decoded(MineReport, self._service.send("POST", "/v1/learn/mine", body=given))

    @like(Memory.label)
    def label(self, given: Arguments) -> LabelReport:
        """Take queries with judgements."""
        return decoded(LabelReport, self._service.send("POST", "/v1/learn/label", body=given))

    @like(Memory.made_queries)
    def made_queries(self, given: Arguments) -> Page[MadeQuery]:
        """List queries."""
        return decoded(Page[MadeQuery], self._service.send("GET", "/v1/learn/queries", query=given))

    @like(Memory.remove_made)
    def remove_made(self, given: Arguments) -> int:
        """Remove queries."""
        return int(self._service.send("DELETE", "/v1/learn/queries", query=given)["removed"])

    @like(Memory.learn_report)
    def learn_report(self, given: Arguments) -> LearnReport:
        """Sum up what there is to learn from."""
        return decoded(LearnReport, self._service.send("GET", "/v1/learn/report", query=given))
