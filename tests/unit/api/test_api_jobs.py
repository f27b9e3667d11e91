"""Jobs over HTTP: what may be read, what may be seen, and the headers around it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.api.service import Service, running
from vstash import Memory
from vstash.api.jobs import JobPage, JobReply

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders are confined on POSIX")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that the service may read, beside others that it may not."""
    for name in ("root/a.md", "root/deep/b.md", "outside/secret.md", "rooted/c.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"This is {name}.", encoding="utf-8")
    return (tmp_path / "root").resolve()


@pytest.fixture
def reading(tmp_path: Path, root: Path) -> Iterator[Service]:
    """A service that may read the folder; its file is beside it."""
    with running(tmp_path, ingest_roots=(str(root),)) as service:
        yield service


def start(service: Service, *paths: str, **fields: Any) -> httpx.Response:
    """Ask for a job."""
    return service.http.post("/v1/jobs", json={"kind": "ingest", "paths": paths, **fields})


def ended(service: Service, answer: httpx.Response) -> JobReply:
    """The job of an answer once it has ended."""
    assert answer.status_code == 202, answer.text
    end = time.monotonic() + 30
    while True:
        shown = service.http.get(answer.headers["Location"])
        job = JobReply.model_validate(shown.json())
        if job.state not in {"queued", "running"}:
            assert "Retry-After" not in shown.headers
            return job
        assert shown.headers["Retry-After"] == "1"
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_job(reading: Service, root: Path) -> None:
    """202 with its address; then done, listed, and every answer as described."""
    answer = start(reading, str(root))
    assert JobReply.model_validate(answer.json()).state == "queued"
    assert answer.headers["Location"] == f"/v1/jobs/{answer.json()['id']}"
    assert answer.headers["Retry-After"] == "1"
    job = ended(reading, answer)
    assert job.progress.added == 2
    assert JobPage.model_validate(reading.http.get("/v1/jobs").json()).items == [job]
    assert {document.key for document in reading.memory.list().items} == {
        f"{root}/a.md",
        f"{root}/deep/b.md",
    }


def test_it_can_be_repeated(reading: Service, root: Path) -> None:
    """Under an idempotency key one job is started, however often it is asked for."""
    body, key = {"kind": "ingest", "paths": [str(root)]}, {"Idempotency-Key": "k"}
    first, again = (reading.http.post("/v1/jobs", json=body, headers=key) for _ in range(2))
    assert first.content == again.content
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(reading.memory.jobs().items) == 1


def test_no_folder_is_read_by_default(service: Service, root: Path) -> None:
    """Without the setting nothing is read, and the refusal names it."""
    answer = start(service, str(root))
    assert (answer.status_code, answer.json()["code"]) == (403, "path_forbidden")
    assert "`ingest_roots`" in answer.json()["detail"]
    assert service.memory.jobs().items == ()


OUTSIDE = {
    "beside": "{base}/outside/secret.md",
    "a name that begins the same": "{base}/rooted/c.md",
    "the folder above": "{base}",
    "everything": "/",
    "up and out": "{root}/../outside/secret.md",
    "up and in": "{root}/deep/../a.md",
    "a dot": "{root}/./a.md",
    "two slashes": "{root}//a.md",
    "two slashes before": "/{root}/a.md",
    "relative": "a.md",
    "relative and out": "../outside/secret.md",
    "at home": "~/a.md",
    "an address": "file://{root}/a.md",
    "escaped": "{root}/%2e%2e/outside/secret.md",
    "backslashes": "{root}\\..\\outside\\secret.md",
    "empty": "",
    "NUL": "{root}/a.md\0",
    "NUL and more": "{root}\0/../outside",
    "the process": "/proc/self/environ",
    "its folder": "/proc/self/cwd/a.md",
    "its descriptors": "/dev/fd/0",
    "a device": "/dev/zero",
    "passwords": "/etc/passwd",
    "a long name": "{root}/" + "a" * 256 + ".md",
    "a long path": "{root}" + "/deep" * 1000,
    "a link to a file": "{root}/link.md",
    "a link to a folder": "{root}/way",
    "through a link": "{root}/way/secret.md",
    "through a link within": "{root}/around/b.md",
    "through a file": "{root}/a.md/more",
    "a pipe": "{root}/pipe.md",
    "the vstash file": "{root}/ours.md",
    "its log": "{root}/log.md",
    "missing": "{root}/missing.md",
}


@pytest.fixture
def traps(reading: Service, root: Path) -> None:
    """Links, pipes and hard links below the folder."""
    (root / "link.md").symlink_to(root.parent / "outside" / "secret.md")
    (root / "way").symlink_to(root.parent / "outside")
    (root / "around").symlink_to(root / "deep")
    os.mkfifo(root / "pipe.md")
    reading.add("There is a log now.")
    path = reading.memory.path
    os.link(path, root / "ours.md")
    os.link(path.with_name(path.name + "-wal"), root / "log.md")


@pytest.mark.usefixtures("traps")
def test_nothing_leads_out(reading: Service, root: Path, tmp_path: Path) -> None:
    """Every path that is not plainly below the folder is refused, in words that tell no path."""
    for name, shape in OUTSIDE.items():
        given = shape.format(root=root, base=root.parent)
        answer = start(reading, str(root / "a.md"), given)
        expected = {404} if name in {"missing", "escaped"} else {403, 422}
        assert answer.status_code in expected, (name, answer.text)
        assert answer.json()["errors"][0]["pointer"].startswith("/paths"), name
        assert str(tmp_path) not in answer.text, name
    surrogate = b'{"kind": "ingest", "paths": ["/\\udcff"]}'
    for content in (surrogate, b'{"kind": "ingest", "paths": ["/\xff"]}'):
        headers = {"Content-Type": "application/json"}
        assert reading.http.post("/v1/jobs", content=content, headers=headers).status_code == 400
    assert reading.memory.jobs().items == ()
    assert reading.memory.stats().documents == 1
    # The control: the file beside all of these is read.
    assert ended(reading, start(reading, str(root / "a.md"))).progress.added == 1


@pytest.mark.usefixtures("traps")
def test_a_folder_with_traps(reading: Service, root: Path) -> None:
    """Of a folder only what stands plainly in it is read; the vstash file is told and not opened."""
    job = ended(reading, start(reading, str(root)))
    assert (job.state, job.progress.added, job.progress.skipped) == ("done", 2, 2)
    assert job.report is not None
    assert {problem.path for problem in job.report.problems} == {
        f"{root}/log.md",
        f"{root}/ours.md",
    }
    texts = [reading.memory.get(each.id).text for each in reading.memory.list().items]
    assert not any("secret" in (text or "") for text in texts)
    reading.add("It can still be written.")
    assert reading.memory.check().ok


@pytest.mark.usefixtures("traps")
def test_a_user_of_this_machine_follows_links(reading: Service, root: Path) -> None:
    """The control: the same path that is refused over HTTP is read for who owns the machine."""
    path = root / "way" / "secret.md"
    assert start(reading, str(path)).status_code == 403
    assert reading.memory.ingest(path).added == 1


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "compact"},
        {"kind": None},
        {"paths": "x"},
        {"paths": [1]},
        {"paths": [["x"]]},
        {"paths": None},
        {"within": ["/"]},
        {"tags": "x"},
        {"ignore": [1]},
        {"prune": 1},
        {"embed": "never"},
        {"collection": 1},
    ],
)
def test_wrong_bodies(shared: Service, change: dict[str, object]) -> None:
    """Nothing is converted, and no bounds can be sent along."""
    body = {"kind": "ingest", "paths": ["/x"]} | change
    answer = shared.http.post("/v1/jobs", json=body)
    assert answer.status_code == 422
    assert shared.memory.jobs().items == ()


def test_a_key_of_one_collection(reading: Service, root: Path) -> None:
    """It starts jobs in its own, and those of others are not there for it."""
    secret = reading.memory.create_key("bound", scope="write", collection="mine").secret
    theirs = reading.memory.start_ingest(root, collection="theirs").id
    reading.http.headers["Authorization"] = f"Bearer {secret}"
    mine = ended(reading, start(reading, str(root)))
    assert mine.collection == "mine"
    refused = start(reading, str(root), collection="theirs")
    assert (refused.status_code, refused.json()["code"]) == (403, "collection_forbidden")
    assert [job["id"] for job in reading.http.get("/v1/jobs").json()["items"]] == [mine.id]
    unknown = reading.http.get("/v1/jobs/no-such-job")
    for answer in (
        reading.http.get(f"/v1/jobs/{theirs}"),
        reading.http.post(f"/v1/jobs/{theirs}:cancel"),
    ):
        assert (answer.status_code, answer.json()) == (404, unknown.json())
    other = reading.http.get("/v1/jobs", params={"collection": "theirs"})
    assert other.json()["code"] == "collection_forbidden"
    conflict = reading.http.post(f"/v1/jobs/{mine.id}:cancel")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "job_finished")


def test_a_key_that_may_only_read(reading: Service, root: Path) -> None:
    """It sees jobs, and neither starts nor cancels one."""
    job = ended(reading, start(reading, str(root)))
    secret = reading.memory.create_key("reader").secret
    reading.http.headers["Authorization"] = f"Bearer {secret}"
    assert reading.http.get(f"/v1/jobs/{job.id}").status_code == 200
    for answer in (start(reading, str(root)), reading.http.post(f"/v1/jobs/{job.id}:cancel")):
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_what_another_process_queued(reading: Service, root: Path) -> None:
    """A service works on jobs that a program left waiting."""
    with Memory(reading.memory.path, model="fake") as program:
        program._engine.jobs.runner.start = lambda: None  # type: ignore[method-assign]  # it never works
        job = program.start_ingest(root)
        assert job.state == "queued"
    end = time.monotonic() + 30
    while reading.memory.job(job.id).state != "done":
        assert time.monotonic() < end
        time.sleep(0.01)


def test_upkeep(reading: Service) -> None:
    """202 with its address; a key that may only write sees it, and neither starts nor cancels it."""
    answer = reading.http.post("/v1/upkeep", json={"task": "check"})
    job = ended(reading, answer)
    assert (job.kind, job.collection, job.state) == ("check", None, "done")
    secret = reading.memory.create_key("writer", scope="write").secret
    reading.http.headers["Authorization"] = f"Bearer {secret}"
    place = answer.headers["Location"]
    assert reading.http.get(place).status_code == 200
    for refused in (
        reading.http.post("/v1/upkeep", json={"task": "check"}),
        reading.http.post(f"{place}:cancel"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize(
    "body",
    [{}, {"task": 1}, {"task": "burn"}, {"task": "check", "quick": 1}, {"task": "x", "a": 1}],
)
def test_wrong_upkeep(shared: Service, body: dict[str, object]) -> None:
    """Nothing is converted."""
    assert shared.http.post("/v1/upkeep", json=body).status_code == 422
    assert shared.memory.jobs().items == ()
