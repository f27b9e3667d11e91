"""Jobs, through each of the interfaces."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from vstash import Client, Memory

if TYPE_CHECKING:
    from tests.contract.interface import JsonDict

__all__ = ["JobCalls", "JobsOverCli", "JobsOverMemory", "JobsOverRest", "ended"]


class JobCalls(Protocol):
    """Jobs; values are JSON in the form of `vstash.wire.to_json`."""

    def start_ingest(self, paths: Sequence[str], **fields: object) -> JsonDict:
        """Read files in the background; the command line has no such command."""
        ...

    def start_upkeep(self, task: str, **fields: object) -> JsonDict:
        """Work on the whole file in the background; the command line has no such command."""
        ...

    def job(self, id: str) -> JsonDict:
        """Show a job."""
        ...

    def jobs(self, **fields: object) -> JsonDict:
        """List jobs: ``items`` and ``next_cursor``."""
        ...

    def cancel_job(self, id: str) -> JsonDict:
        """Ask a job to stop."""
        ...


class JobsOverMemory:
    """Jobs of a `Memory`."""

    _memory: Memory | Client
    _call: Callable[..., JsonDict]

    def start_ingest(self, paths: Sequence[str], **fields: Any) -> JsonDict:
        """Read files in the background."""
        return self._call(lambda: self._memory.start_ingest(paths, **fields))

    def start_upkeep(self, task: Any, **fields: Any) -> JsonDict:
        """Work on the whole file in the background."""
        return self._call(lambda: self._memory.start_upkeep(task, **fields))

    def job(self, id: str) -> JsonDict:
        """Show a job."""
        return self._call(lambda: self._memory.job(id))

    def jobs(self, **fields: Any) -> JsonDict:
        """List jobs."""
        return self._call(lambda: self._memory.jobs(**fields))

    def cancel_job(self, id: str) -> JsonDict:
        """Ask a job to stop."""
        return self._call(lambda: self._memory.cancel_job(id))


class JobsOverCli:
    """Jobs on the command line, which works on none itself."""

    run: Callable[..., JsonDict]

    def start_ingest(self, paths: Sequence[str], **fields: object) -> JsonDict:
        """The command line has no such command."""
        raise NotImplementedError

    def start_upkeep(self, task: str, **fields: object) -> JsonDict:
        """The command line has no such command."""
        raise NotImplementedError

    def job(self, id: str) -> JsonDict:
        """Show a job."""
        return self.run("job", "--", id)

    def jobs(self, **fields: object) -> JsonDict:
        """List jobs."""
        return self.run("jobs", *(f"--{name}={value}" for name, value in fields.items()))

    def cancel_job(self, id: str) -> JsonDict:
        """Ask a job to stop."""
        return self.run("jobs", f"--cancel={id}")


class JobsOverRest:
    """Jobs over HTTP."""

    send: Callable[..., JsonDict]

    def start_ingest(self, paths: Sequence[str], **fields: object) -> JsonDict:
        """Read files in the background."""
        return self.send("POST", "/v1/jobs", {"kind": "ingest", "paths": [*paths], **fields})

    def start_upkeep(self, task: str, **fields: object) -> JsonDict:
        """Work on the whole file in the background."""
        return self.send("POST", "/v1/upkeep", {"task": task, **fields})

    def job(self, id: str) -> JsonDict:
        """Show a job."""
        return self.send("GET", f"/v1/jobs/{quote(id, safe='')}")

    def jobs(self, **fields: object) -> JsonDict:
        """List jobs."""
        query = "&".join(f"{name}={quote(str(value))}" for name, value in fields.items())
        return self.send("GET", f"/v1/jobs?{query}")

    def cancel_job(self, id: str) -> JsonDict:
        """Ask a job to stop."""
        return self.send("POST", f"/v1/jobs/{quote(id, safe='')}:cancel")


def ended(interface: JobCalls, job: JsonDict) -> JsonDict:
    """The job once it has ended."""
    end = time.monotonic() + 30
    while job["state"] in {"queued", "running"}:
        assert time.monotonic() < end
        time.sleep(0.01)
        job = interface.job(job["id"])
    return job
