"""Jobs are the same through every interface."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import apsw
import pytest

from tests.contract.interface import ContractError, Interface, JsonDict, Kind
from tests.contract.job_calls import ended
from tests.contract.memory_interface import MemoryInterface
from tests.contract.opening import Opener

UNKNOWN = "0198c0de-5a4b-7c3d-8e2f-1a2b3c4d5e6f"
QUEUED = (
    "INSERT INTO job (id, kind, collection, state, request, progress, runner, seen, created) "
    "VALUES (?, 'ingest', 'default', 'queued', '{\"paths\": []}', '{}', '', 0, 0)"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two notes and a file without text."""
    made = tmp_path / "nötes"
    made.mkdir()
    for name, text in (("a.md", "# Ada\n\nTea."), ("b.txt", "Coffee."), ("c.md", " ")):
        (made / name).write_text(text, encoding="utf-8")
    return made.resolve()


@pytest.fixture
def reading(
    kind: Kind, opening: Opener, path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Interface:
    """The interface under test, where files below the folder may be read."""
    if kind in {"rest", "client"}:
        monkeypatch.setenv("VSTASH_INGEST_ROOTS", str(folder.parent))
    return opening(path)


@pytest.fixture
def starting(reading: Interface, path: Path) -> Interface:
    """Where jobs are started: the command line only looks at what others do."""
    return MemoryInterface(path, {}) if reading.kind == "cli" else reading


def test_files_are_read_in_the_background(
    reading: Interface, starting: Interface, folder: Path
) -> None:
    """Started, worked on, done: every field is the same, and so are the documents."""
    started = starting.start_ingest([str(folder)], collection="files", tags=["t"], ignore=["*.log"])
    assert started["state"] == "queued"
    job = ended(starting, started)
    assert reading.job(started["id"]) == job
    assert job["state"] == "done"
    assert job["request"] == {
        "paths": [str(folder)],
        "tags": ["t"],
        "ignore": ["*.log"],
        "prune": False,
        "embed": "now",
    }
    assert job["progress"] == {
        "files_found": 3,
        "files_done": 3,
        "added": 2,
        "replaced": 0,
        "unchanged": 0,
        "skipped": 1,
        "failed": 0,
        "chunks": 2,
        "steps_done": 0,
        "steps": 0,
    }
    assert (job["upkeep"], job["outcome"]) == (None, None)
    (problem,) = job["report"].pop("problems")
    assert (problem["path"], problem["status"]) == (f"{folder.as_posix()}/c.md", "skipped")
    assert problem["reason"].startswith("text_invalid: ")
    assert job["report"].pop("seconds") >= 0
    assert job["report"] == {
        "added": 2,
        "replaced": 0,
        "unchanged": 0,
        "skipped": 1,
        "failed": 0,
        "chunks": 2,
        "pruned": 0,
        "more_problems": 0,
    }
    assert job["error"] is None
    key = f"{folder.as_posix()}/a.md"
    assert reading.get_by_key(key, collection="files")["title"] == "Ada"
    assert reading.check()["findings"] == []


def test_jobs_are_listed(reading: Interface, starting: Interface, folder: Path) -> None:
    """Newest first, in pages, of one collection or in one state."""
    made = [
        ended(starting, starting.start_ingest([str(folder)], collection=name))["id"]
        for name in ("a", "b", "a")
    ]
    page = reading.jobs(limit=2)
    assert [job["id"] for job in page["items"]] == made[:0:-1]
    rest = reading.jobs(limit=2, cursor=page["next_cursor"])
    assert ([job["id"] for job in rest["items"]], rest["next_cursor"]) == (made[:1], None)
    assert [job["id"] for job in reading.jobs(collection="b")["items"]] == [made[1]]
    assert len(reading.jobs(state="done")["items"]) == 3
    assert reading.jobs(state="failed")["items"] == []


def test_a_job_that_has_ended_cannot_be_cancelled(
    reading: Interface, starting: Interface, folder: Path
) -> None:
    """It is a conflict, and the job stays as it was."""
    job = ended(starting, starting.start_ingest([str(folder)]))
    with pytest.raises(ContractError) as caught:
        reading.cancel_job(job["id"])
    assert (caught.value.code, caught.value.status) == ("job_finished", 409)
    assert reading.job(job["id"]) == job


@pytest.mark.parametrize("kind", ["memory", "cli"], indirect=True)
def test_a_job_that_waits_is_cancelled_at_once(interface: Interface, path: Path) -> None:
    """Where nobody works on jobs, one waits until somebody does or it is cancelled."""
    interface.add("There is a file now.")
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(QUEUED, (UNKNOWN,))
    assert interface.job(UNKNOWN)["state"] == "queued"
    job = interface.cancel_job(UNKNOWN)
    assert job["state"] == "cancelled"
    assert interface.job(UNKNOWN) == job


Call = Callable[[Interface], JsonDict]


@pytest.mark.parametrize(
    ("call", "code", "pointer"),
    [
        (lambda interface: interface.job(UNKNOWN), "job_not_found", "/id"),
        (lambda interface: interface.cancel_job(UNKNOWN), "job_not_found", "/id"),
        (lambda interface: interface.jobs(limit=0), "query_invalid", "/limit"),
        (lambda interface: interface.jobs(state="asleep"), "query_invalid", "/state"),
        (lambda interface: interface.jobs(cursor="nonsense"), "cursor_invalid", "/cursor"),
        (lambda interface: interface.jobs(collection="a b"), "field_invalid", "/collection"),
    ],
)
def test_wrong_calls(interface: Interface, call: Call, code: str, pointer: str) -> None:
    """Each is refused in the same words everywhere."""
    interface.add("There is a file now.")
    with pytest.raises(ContractError) as caught:
        call(interface)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


@pytest.mark.parametrize("kind", ["memory", "rest", "client"], indirect=True)
@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"paths": []}, "field_invalid", "/paths"),
        ({"paths": ["/missing/\0"]}, "field_invalid", "/paths"),
        ({"collection": "a b"}, "field_invalid", "/collection"),
        ({"tags": [" x"]}, "field_invalid", "/tags/0"),
        ({"ignore": ["!"]}, "field_invalid", "/ignore"),
        ({"prune": "yes"}, "field_invalid", "/prune"),
    ],
)
def test_wrong_starts(
    reading: Interface, folder: Path, fields: JsonDict, code: str, pointer: str
) -> None:
    """Each is refused in the same words, and no job is left."""
    with pytest.raises(ContractError) as caught:
        reading.start_ingest(**({"paths": [str(folder)]} | fields))
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert reading.jobs()["items"] == []


@pytest.mark.parametrize("task", ["check", "compact", "backup"])
def test_work_on_the_whole_file(
    reading: Interface, starting: Interface, task: Literal["check", "compact", "backup"]
) -> None:
    """It is a job like others, and its outcome is what the call of that name gives."""
    starting.add("Tea is hot.")
    job = ended(starting, starting.start_upkeep(task))
    assert reading.job(job["id"]) == job
    assert (job["state"], job["error"], job["collection"]) == ("done", None, None)
    assert (job["request"], job["upkeep"]) == (
        None,
        {"quick": False, "full": False, "model": None, "collection": None},
    )
    direct = {"check": starting.check, "compact": starting.compact, "backup": starting.backup}[
        task
    ]()
    assert job["outcome"].keys() == direct.keys()
    assert reading.jobs(collection="default")["items"] == []


@pytest.mark.parametrize("kind", ["memory", "rest", "client"], indirect=True)
@pytest.mark.parametrize(
    ("task", "fields", "pointer"),
    [
        ("burn", {}, "/task"),
        ("compact", {"quick": True}, "/quick"),
        ("check", {"full": True}, "/full"),
        ("check", {"quick": "yes"}, "/quick"),
        ("check", {"collection": "default"}, "/collection"),
        ("learn", {"collection": " "}, "/collection"),
    ],
)
def test_wrong_upkeep(interface: Interface, task: str, fields: JsonDict, pointer: str) -> None:
    """Each is refused in the same words, and no job is left."""
    with pytest.raises(ContractError) as caught:
        interface.start_upkeep(task, **fields)
    assert (caught.value.code, caught.value.pointer) == ("field_invalid", pointer)
    assert interface.jobs()["items"] == []
