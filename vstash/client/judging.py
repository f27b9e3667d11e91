"""Methods of `Client` that teach: feedback and calibration."""

from __future__ import annotations

from dataclasses import asdict

from vstash.client.base import Arguments, Base, like
from vstash.client.decoding import decoded, told
from vstash.errors import VstashError
from vstash.feedback import JudgedSearch, Verdict
from vstash.memory import Memory
from vstash.reports import CalibrationReport
from vstash.types import Page

__all__ = ["Judging"]


class Judging(Base):
    """Feedback on searches, and what relevance means."""

    @like(Memory.feedback)
    def feedback(self, given: Arguments) -> Verdict:
        """Say whether a chunk answered a search."""
        return decoded(Verdict, self._service.send("POST", "/v1/feedback", body=given, once=True))

    @like(Memory.feedback_batch)
    def feedback_batch(self, given: Arguments) -> tuple[Verdict | VstashError, ...]:
        """Give many verdicts at once."""
        body = {"feedback": [asdict(each) for each in given["feedback"]]}
        answer = self._service.send("POST", "/v1/feedback:batch", body=body, once=True)
        return tuple(told(result, "verdict", Verdict) for result in answer["results"])

    @like(Memory.judged_searches)
    def judged_searches(self, given: Arguments) -> Page[JudgedSearch]:
        """Show the searches that got feedback."""
        return decoded(Page[JudgedSearch], self._service.send("GET", "/v1/feedback", query=given))

    @like(Memory.calibrate)
    def calibrate(self, given: Arguments) -> CalibrationReport:
        """Learn what relevance means in the service's file."""
        return decoded(CalibrationReport, self._service.send("POST", "/v1/calibrate", body=given))

    @like(Memory.reset_calibration)
    def reset_calibration(self, _given: Arguments) -> bool:
        """Forget what was learnt."""
        return bool(self._service.send("DELETE", "/v1/calibrate")["removed"])
