"""Methods of `Client` that search, and what a service says of its file."""

from __future__ import annotations

from http import HTTPStatus

from vstash.client.base import Arguments, Base, like
from vstash.client.decoding import decoded
from vstash.contexts import Context
from vstash.log_reports import DisagreementReport, RedactReport
from vstash.memory import Memory
from vstash.misses import WhyNot
from vstash.reports import Health, Stats
from vstash.types import Disagreement, Page, SearchResult

__all__ = ["Searching"]


class Searching(Base):
    """Searches and reports."""

    @like(Memory.search)
    def search(self, given: Arguments) -> SearchResult:
        """Find the passages that answer a query."""
        return decoded(SearchResult, self._service.send("POST", "/v1/search", body=given))

    @like(Memory.why_not)
    def why_not(self, given: Arguments) -> WhyNot:
        """Say where a search loses something."""
        return decoded(WhyNot, self._service.send("POST", "/v1/search/why-not", body=given))

    @like(Memory.context)
    def context(self, given: Arguments) -> Context:
        """Put together passages for a prompt."""
        return decoded(Context, self._service.send("POST", "/v1/context", body=given))

    @like(Memory.stats)
    def stats(self, _given: Arguments) -> Stats:
        """Say what the file holds."""
        return decoded(Stats, self._service.send("GET", "/v1/stats"))

    @like(Memory.health)
    def health(self, _given: Arguments) -> Health:
        """Say whether the service's file and model can be used."""
        unavailable = HTTPStatus.SERVICE_UNAVAILABLE
        return decoded(Health, self._service.send("GET", "/readyz", told=unavailable))

    @like(Memory.disagreements)
    def disagreements(self, given: Arguments) -> Page[Disagreement]:
        """Show logged searches."""
        return decoded(
            Page[Disagreement], self._service.send("GET", "/v1/disagreements", query=given)
        )

    @like(Memory.disagreement_report)
    def disagreement_report(self, given: Arguments) -> DisagreementReport:
        """Sum up the log."""
        answer = self._service.send("GET", "/v1/disagreements/report", query=given)
        return decoded(DisagreementReport, answer)

    @like(Memory.redact_log)
    def redact_log(self, given: Arguments) -> RedactReport:
        """Remove what people asked from the log."""
        answer = self._service.send("POST", "/v1/disagreements:redact", body=given)
        return decoded(RedactReport, answer)
