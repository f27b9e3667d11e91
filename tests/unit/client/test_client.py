"""The client: called like `Memory`, patient with a service, plain about what it cannot do."""

from __future__ import annotations

import inspect
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.unit.api.service import Service, running
from vstash import Client, Memory, NewDocument, errors
from vstash.errors import (
    FieldError,
    PreconditionError,
    RequestError,
    StoreBusyError,
    UnreachableError,
)

# What only makes sense where the file is, and why.
LOCAL = {
    "gauges": "a service tells them at /metrics",
    "path": "the file is the service's",
    "settings": "the service's own",
    "once": "the client's requests carry keys by themselves",
    "embed": "a service embeds in the background",
    "embed_in_background": "it does so from its start",
    "work_in_background": "the same",
    "back_up_in_background": "the same",
    "back_up_when_due": "the same",
    "learn_in_background": "the same",
    "learn": "a service learns in the background: start_upkeep",
    "ingest": "reads the caller's own files",
    "access": "the service looks keys up for itself",
    "has_living_key": "the same",
    "flush_log": "the service writes its own log, and all that shows it waits for that",
    "add_many": "takes arrays of vectors, which do not travel as JSON",
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service over a fresh file."""
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """Its client."""
    with Client(f"http://127.0.0.1:{service.port}") as found:
        yield found


def public(kind: type) -> set[str]:
    """Names of public methods and properties."""
    return {name for name in dir(kind) if not name.startswith("_")}


def test_the_same_methods() -> None:
    """A client has all methods of `Memory` but the local ones, with the same signatures."""
    assert public(Memory) - public(Client) == LOCAL.keys()
    assert public(Client) <= public(Memory)
    for name in public(Client) - {"close"}:
        ours, theirs = getattr(Client, name), getattr(Memory, name)
        assert inspect.signature(ours) == inspect.signature(theirs), name
        assert inspect.getdoc(ours) == inspect.getdoc(theirs)


def test_by_key(client: Client) -> None:
    """What is asked by key is found, changed and removed."""
    client.add("Ada prefers tea.", key="ada", collection="people")
    assert client.get(key="ada", collection="people").text == "Ada prefers tea."
    client.update(key="ada", collection="people", text="Ada prefers coffee.")
    removed = client.delete(key="ada", collection="people")
    assert (removed.key, removed.text) == ("ada", None)
    for call in (client.get, client.update, client.delete):
        with pytest.raises(errors.DocumentNotFoundError):
            call(key="ada", collection="people")


@pytest.mark.parametrize("name", ["../stats", "a/b", "?x=1", "#", "..", ".", "%2e%2e", "é", " "])
def test_odd_ids(client: Client, name: str) -> None:
    """An id is never taken for another address."""
    with pytest.raises(errors.NotFoundError):
        client.get(name)


def test_a_batch(client: Client) -> None:
    """Good and bad items, in order."""
    found = client.add_batch([NewDocument("Fine."), NewDocument(" "), NewDocument("Good.")])
    assert [type(item).__name__ for item in found] == ["Document", "TextError", "Document"]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.calibrate(progress=print),
        lambda client: client.context("tea", tokenizer=len),
        lambda client: client.add("x", expires_at=datetime(2030, 1, 1)),  # noqa: DTZ001
        lambda client: client.get(),
        lambda client: client.get("a", key="b"),
        lambda client: client.get("\ud800"),
    ],
)
def test_what_cannot_be_sent(client: Client, call: Callable[[Client], object]) -> None:
    """Refused before anything is sent."""
    with pytest.raises(FieldError):
        call(client)


def test_what_is_not_json(client: Client) -> None:
    """A value that JSON cannot hold."""
    with pytest.raises(RequestError):
        client.add("x", metadata={"x": object()})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", ["\ud800", "x" * 100_000])
def test_what_no_address_can_hold(client: Client, name: str) -> None:
    """A parameter that cannot be part of an address, of a stream neither."""
    with pytest.raises(RequestError):
        client.list(collection=name)
    with pytest.raises(RequestError):
        client.export(collection=name)


@pytest.mark.parametrize("key", ["é", "a\nb"])
def test_no_key(key: str) -> None:
    """What no header can hold is no access key."""
    with pytest.raises(FieldError) as caught:
        Client(key=key)
    assert caught.value.pointer == "/key"


@pytest.mark.parametrize("url", ["", "localhost:8765", "ftp://localhost"])
def test_no_address(url: str) -> None:
    """What is no address of HTTP is refused at once."""
    with pytest.raises(FieldError) as caught:
        Client(url)
    assert caught.value.pointer == "/url"


def test_no_certificates(tmp_path: Path) -> None:
    """A file of certificates that is not there, or is something else, is refused at once."""
    (tmp_path / "note").write_text("no certificate", encoding="utf-8")
    for name in ("absent", "note"):
        with pytest.raises(FieldError) as caught:
            Client(verify=str(tmp_path / name))
        assert caught.value.pointer == "/verify"


def test_no_service() -> None:
    """Nobody listens: said after the last try."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        Client(f"http://127.0.0.1:{port}", retries=1) as client,
        pytest.raises(UnreachableError) as caught,
    ):
        client.stats()
    assert caught.value.retryable


Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def pretended(answers: list[Answer | None]) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """A service that answers as told, None by hanging up; yields its port and the headers it got."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append(dict(self.headers.items()))
            told = answers[min(len(seen), len(answers)) - 1]
            if told is None:
                self.close_connection = True
                return
            self.send_response(told[0])
            for name, value in {"Content-Length": str(len(told[2])), **told[1]}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told[2])

        do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        server.server_close()


def problem(code: str, status: int) -> Answer:
    """An error as the service tells it."""
    body = f'{{"code": "{code}", "detail": "Later.", "errors": []}}'
    return status, {"Content-Type": "application/problem+json", "Retry-After": "0"}, body.encode()


VERDICT = (
    b'{"chunk_id": 1, "document_id": "d", "document_key": "k", "verdict": "helpful", '
    b'"at": "2026-01-01T00:00:00Z"}'
)


def test_repeated_under_one_key() -> None:
    """A write without an answer, or told to come later, is repeated under the same key."""
    answers = [None, problem("store_busy", 503), problem("request_in_flight", 409)]
    with (
        pretended([*answers, (200, {}, VERDICT)]) as (port, seen),
        Client(f"http://127.0.0.1:{port}") as client,
    ):
        assert client.feedback("s", 1, "helpful").chunk_id == 1
    keys = {headers["Idempotency-Key"] for headers in seen}
    assert (len(seen), len(keys)) == (4, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda client: client.add("x", key="k", if_match="e"),
        lambda client: client.update("i", title="x", if_match="e"),
        lambda client: client.replace("i", "x", if_match="e"),
    ],
)
def test_conditions_are_repeated(change: Callable[[Client], object]) -> None:
    """A change under a condition, too: without its key it would fail at what it did itself."""
    with (
        pretended([None, problem("precondition_failed", 412)]) as (port, seen),
        Client(f"http://127.0.0.1:{port}") as client,
        pytest.raises(PreconditionError),
    ):
        change(client)
    assert len(seen) == 2
    assert seen[0]["Idempotency-Key"] == seen[1]["Idempotency-Key"]


def test_not_for_ever() -> None:
    """After the last try the error of the service is raised."""
    with (
        pretended([problem("store_busy", 503)]) as (port, seen),
        Client(f"http://127.0.0.1:{port}", retries=2) as client,
        pytest.raises(StoreBusyError),
    ):
        client.stats()
    assert len(seen) == 3


def test_a_conflict_is_not_repeated() -> None:
    """What will not be otherwise the next time is told at once."""
    with (
        pretended([problem("precondition_failed", 412)]) as (port, seen),
        Client(f"http://127.0.0.1:{port}") as client,
        pytest.raises(errors.PreconditionError),
    ):
        client.stats()
    assert len(seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>"),
        (200, {}, b'{"documents": "many"}'),
        (502, {}, b"bad gateway"),
        (404, {}, b"[]"),
        (500, {}, b'{"code": "x"}'),
    ],
)
def test_another_program(answer: Answer) -> None:
    """What no vstash service answers is told as such."""
    with (
        pretended([answer]) as (port, _),
        Client(f"http://127.0.0.1:{port}", retries=0) as client,
        pytest.raises(UnreachableError),
    ):
        client.stats()


def test_a_key_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the argument or the variable goes into the header, and nowhere else."""
    with pretended([problem("key_required", 401)]) as (port, seen):
        monkeypatch.setenv("VSTASH_KEY", "from-the-environment")
        for key, sent in ((None, "from-the-environment"), ("given", "given")):
            with (
                Client(f"http://127.0.0.1:{port}", key=key, retries=0) as client,
                pytest.raises(errors.KeyRequiredError),
            ):
                client.stats()
            assert seen[-1]["Authorization"] == f"Bearer {sent}"


def test_no_proxy(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment gets to see nothing."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with Client(f"http://127.0.0.1:{service.port}") as client:
        assert client.stats().documents == 0


def test_health(client: Client) -> None:
    """A service that can be used, and one that says that it cannot, which is no error."""
    assert client.health().status == "ready"
    body = b'{"status": "unavailable", "reasons": ["store_io: gone"]}'
    with pretended([(503, {}, body)]) as (port, seen), Client(f"http://127.0.0.1:{port}") as other:
        assert other.health().reasons == ("store_io: gone",)
    assert len(seen) == 1
