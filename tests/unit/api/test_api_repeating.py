"""A request with an idempotency key is applied once, and answered the same each time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.unit.api.service import Service, running
from vstash.embed.fake import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray

KEY = {"Idempotency-Key": "a-key-of-mine"}


def created(service: Service, text: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """Ask for a document."""
    return service.http.post("/v1/documents", json={"text": text}, headers=headers)


def test_the_same_answer(service: Service) -> None:
    """A repetition stores nothing and is answered as before; a control without a key stores another."""
    first = created(service, "Once upon a time.", KEY)
    again = created(service, "Once upon a time.", KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert service.memory.stats().documents == 1
    created(service, "Once upon a time.")
    assert service.memory.stats().documents == 2


def test_quoted_or_bare(service: Service) -> None:
    """The draft's quoted form and the bare one name the same key."""
    first = created(service, "Quoted.", {"Idempotency-Key": '"q"'})
    assert created(service, "Quoted.", {"Idempotency-Key": "q"}).content == first.content


def test_another_request(service: Service) -> None:
    """A key that comes with another body, or at another address, is refused."""
    created(service, "One.", KEY)
    other = created(service, "Two.", KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = service.http.post(
        "/v1/documents:batch", json={"documents": [{"text": "One."}]}, headers=KEY
    )
    assert elsewhere.json()["code"] == "idempotency_key_reused"
    assert service.memory.stats().documents == 1


@pytest.mark.parametrize("key", ["", "a b", '"', '"a', "é", "x" * 256, 'a"b'])
def test_malformed(service: Service, key: str) -> None:
    """A key that is none is refused and nothing is stored."""
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = service.http.post("/v1/documents", json={"text": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")
    assert service.memory.stats().documents == 0


def test_two_keys(service: Service) -> None:
    """Two keys mean nothing."""
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = service.http.post("/v1/documents", json={"text": "x"}, headers=headers)
    assert answer.status_code == 400


def test_a_refusal_is_not_kept(service: Service) -> None:
    """What was refused may be repeated once the reason is gone: nothing was applied."""
    assert created(service, " ", KEY).status_code == 422
    assert created(service, "Better.", KEY).status_code == 201


def test_what_changes_nothing(service: Service) -> None:
    """A document that is there already as it is: the answer is kept although nothing is written."""
    body = {"text": "The same.", "key": "same"}
    service.http.post("/v1/documents", json=body)
    first = service.http.post("/v1/documents", json=body, headers=KEY)
    again = service.http.post("/v1/documents", json=body, headers=KEY)
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_batch(service: Service) -> None:
    """A batch is repeated with the results of its good and its bad items."""
    body = {"documents": [{"text": "One."}, {"text": " "}, {"text": "Two."}]}
    first = service.http.post("/v1/documents:batch", json=body, headers=KEY)
    again = service.http.post("/v1/documents:batch", json=body, headers=KEY)
    assert again.json() == first.json()
    assert service.memory.stats().documents == 2


def test_feedback(service: Service) -> None:
    """Verdicts are repeated, too."""
    service.add("Ada prefers tea.")
    found = service.memory.search("tea")
    body = {"search_id": found.id, "chunk_id": found.hits[0].chunk.id, "verdict": "helpful"}
    first = service.http.post("/v1/feedback", json=body, headers=KEY)
    assert first.status_code == 200
    again = service.http.post("/v1/feedback", json=body, headers=KEY)
    assert again.content == first.content
    many = {"feedback": [body]}
    first = service.http.post("/v1/feedback:batch", json=many, headers={"Idempotency-Key": "m"})
    again = service.http.post("/v1/feedback:batch", json=many, headers={"Idempotency-Key": "m"})
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")


def test_gone(service: Service) -> None:
    """The answer goes with its document: it held the title and the metadata."""
    body = {"text": "Short-lived.", "title": "My secret title"}
    first = service.http.post("/v1/documents", json=body, headers=KEY)
    service.http.delete(first.headers["Location"])
    again = service.http.post("/v1/documents", json=body, headers=KEY)
    assert (again.status_code, again.json()["code"]) == (410, "reply_gone")
    assert service.memory.stats().documents == 0


def test_gone_after_no_change(service: Service) -> None:
    """So does the answer to a request that found the document as it asks for it."""
    body = {"text": "Known.", "key": "known", "title": "My secret title"}
    known = service.add(**body)
    many = {"documents": [body, {"text": "New."}]}
    service.http.post("/v1/documents", json=body, headers=KEY)
    service.http.post("/v1/documents:batch", json=many, headers={"Idempotency-Key": "m"})
    service.http.delete(f"/v1/documents/{known}")
    again = service.http.post("/v1/documents", json=body, headers=KEY)
    assert again.json()["code"] == "reply_gone"
    again = service.http.post("/v1/documents:batch", json=many, headers={"Idempotency-Key": "m"})
    assert again.json()["code"] == "reply_gone"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_condition_that_was_met(service: Service, method: str) -> None:
    """A change under a condition is repeated under its key; a control without one gets 412."""
    place = f"/v1/documents/{service.add('Before.')}"
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    etag = service.http.get(place).headers["ETag"]
    asked = {"If-Match": etag, "Content-Type": kind}

    def change(**headers: str) -> httpx.Response:
        return service.http.request(method, place, json={"text": "After."}, headers=asked | headers)

    first, again = change(**KEY), change(**KEY)
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"] != etag
    assert change().status_code == 412
    assert change(**KEY, **{"If-Match": "*"}).json()["code"] == "idempotency_key_reused"


def test_create_only_by_key(service: Service) -> None:
    """A PUT that is to create finds what it made itself; a control without a key gets 412."""

    def put(**headers: str) -> httpx.Response:
        asked = {"If-None-Match": "*", **headers}
        return service.http.put("/v1/documents?key=k", json={"text": "x"}, headers=asked)

    first, again = put(**KEY), put(**KEY)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert put().status_code == 412


class Slow(FakeEmbedder):
    """Embeds when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.began = threading.Event()
        self.go_on = threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Wait, then embed."""
        self.began.set()
        assert self.go_on.wait(30)
        return super().embed_passages(texts)


def test_in_flight(tmp_path: Path) -> None:
    """While the first is being worked on, its repetition is told to come later."""
    model = Slow()
    with running(tmp_path, model=model) as service, ThreadPoolExecutor(1) as pool:
        first = pool.submit(created, service, "Slow.", KEY)
        assert model.began.wait(30)
        early = created(service, "Slow.", KEY)
        model.go_on.set()
        assert (early.status_code, early.json()["code"]) == (409, "request_in_flight")
        assert early.headers["Retry-After"]
        assert first.result().status_code == 201
        assert created(service, "Slow.", KEY).content == first.result().content
