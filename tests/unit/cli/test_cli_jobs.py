"""Jobs to read: in a list, one alone, and asked to stop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from vstash import Memory

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash
    from vstash.jobs import Job


@pytest.fixture
def job(vstash: Vstash) -> Job:
    """A job that is done, of two paths, with a file that was skipped."""
    paths = [vstash.folder / "a.md", vstash.folder / "b.md"]
    for path, text in zip(paths, ("Tea is hot.", " "), strict=True):
        path.write_text(text, encoding="utf-8")
    with Memory(vstash.db, model="fake") as memory:
        started = memory.start_ingest(paths)
        while not memory.job(started.id).ended:
            time.sleep(0.01)
        return memory.job(started.id)


def test_a_list(vstash: Vstash, job: Job) -> None:
    """A block a job: when, which, how it is, of what, how far."""
    assert job.request is not None
    shown = vstash.run("jobs").stdout.splitlines()
    assert shown[0].split()[2:] == [job.id, "done"]
    assert shown[1:] == [
        f"   {job.request.paths[0]}",
        "   1 more",
        "   2 of 2 files: 1 added, 0 replaced, 0 unchanged, 1 skipped, 0 failed; 1 chunk",
    ]
    assert vstash.run("jobs", "--state=failed").stdout == "There are no jobs.\n"


def test_one_alone(vstash: Vstash, job: Job) -> None:
    """With all its paths and what kept files out."""
    assert job.request is not None
    shown = vstash.run("job", job.id).stdout.splitlines()
    assert shown[1:3] == [f"   {path}" for path in job.request.paths]
    assert shown[4].startswith(f"   {job.request.paths[1]}: text_invalid: ")


def test_upkeep(vstash: Vstash) -> None:
    """Which task, and what came of it."""
    with Memory(vstash.db, model="fake") as memory:
        started = memory.start_upkeep("check", quick=True)
        while not memory.job(started.id).ended:
            time.sleep(0.01)
    first, task, outcome = vstash.run("job", started.id).stdout.splitlines()
    assert first.split()[2:] == [started.id, "done"]
    assert task == "   check quick"
    assert '"findings": []' in outcome


def test_cancelling(vstash: Vstash, job: Job) -> None:
    """What has ended stays, with the exit code of a conflict; options of the list do not mix in."""
    ended = vstash.run("jobs", "--cancel", job.id)
    assert (ended.exit_code, ended.stdout) == (7, "")
    assert "job_finished" in ended.stderr
    assert vstash.run("jobs", "--cancel", job.id, "--state=done").exit_code == 2
