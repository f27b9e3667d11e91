"""Methods of `Client` about work in the background."""

from __future__ import annotations

import os

from vstash.client.base import Arguments, Base, like, segment
from vstash.client.decoding import decoded
from vstash.jobs import Job
from vstash.memory import Memory
from vstash.types import Page

__all__ = ["Working"]


class Working(Base):
    """Jobs of the service, which reads files of its own machine."""

    @like(Memory.start_ingest)
    def start_ingest(self, given: Arguments) -> Job:
        """Read files and folders in the background."""
        paths = given["paths"]
        several = paths if isinstance(paths, list) else [paths]
        plain = [os.fspath(path) if isinstance(path, os.PathLike) else path for path in several]
        body = given | {"kind": "ingest", "paths": plain}
        return decoded(Job, self._service.send("POST", "/v1/jobs", body=body, once=True))

    @like(Memory.start_upkeep)
    def start_upkeep(self, given: Arguments) -> Job:
        """Check, repair, back up or compact in the background."""
        return decoded(Job, self._service.send("POST", "/v1/upkeep", body=given, once=True))

    @like(Memory.job)
    def job(self, given: Arguments) -> Job:
        """Show a job."""
        return decoded(Job, self._service.send("GET", f"/v1/jobs/{segment(given['id'])}"))

    @like(Memory.jobs)
    def jobs(self, given: Arguments) -> Page[Job]:
        """List jobs."""
        return decoded(Page[Job], self._service.send("GET", "/v1/jobs", query=given))

    @like(Memory.cancel_job)
    def cancel_job(self, given: Arguments) -> Job:
        """Ask a job to stop."""
        place = f"/v1/jobs/{segment(given['id'])}:cancel"
        return decoded(Job, self._service.send("POST", place, once=True))
