"""Feedback over HTTP."""

from __future__ import annotations

import pytest

from tests.unit.api.service import Service
from vstash.api.replies import FeedbackBatchReply, JudgedSearchPage, VerdictReply


def test_replies_are_as_described(service: Service) -> None:
    """Every answer fits its model."""
    service.add("Ada prefers tea.", key="ada")
    search = service.http.post("/v1/search", json={"query": "tea"}).json()["id"]
    item = {"search_id": search, "chunk_id": 1, "verdict": "helpful"}
    given = service.http.post("/v1/feedback", json=item)
    assert given.status_code == 200
    stored = VerdictReply.model_validate(given.json())
    batch = {"feedback": [item, item | {"chunk_id": 2}]}
    many = FeedbackBatchReply.model_validate(
        service.http.post("/v1/feedback:batch", json=batch).json()
    )
    assert many.results[0].verdict == stored
    error = many.results[1].error
    assert error is not None
    assert (error.code, error.errors[0].pointer) == ("chunk_not_found", "/feedback/1/chunk_id")
    page = JudgedSearchPage.model_validate(service.http.get("/v1/feedback").json())
    assert [found.verdicts for found in page.items] == [[stored]]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"search_id": 1}, "/search_id"),
        ({"search_id": None}, "/search_id"),
        ({"chunk_id": "1"}, "/chunk_id"),
        ({"chunk_id": True}, "/chunk_id"),
        ({"verdict": 1}, "/verdict"),
        ({"verdict": {"a": []}}, "/verdict"),
        ({"verdict": None}, "/verdict"),
    ],
)
def test_wrong_types(shared: Service, change: dict[str, object], pointer: str) -> None:
    """A member of the wrong type is named and never converted."""
    body = {"search_id": "x", "chunk_id": 1, "verdict": "cited"} | change
    answer = shared.http.post("/v1/feedback", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "field_invalid")
    assert [flaw["pointer"] for flaw in answer.json()["errors"]] == [pointer]


def test_a_batch_has_a_limit(shared: Service) -> None:
    """More than a thousand at once are refused as a whole, as is a member too many."""
    item = {"search_id": "x", "chunk_id": 1, "verdict": "cited"}
    for feedback in ([item] * 1001, [item | {"note": "x"}]):
        answer = shared.http.post("/v1/feedback:batch", json={"feedback": feedback})
        assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")


def test_the_verdicts_are_described(service: Service) -> None:
    """A client that is made from the description knows the words."""
    schema = service.http.get("/openapi.json").json()["components"]["schemas"]
    assert schema["FeedbackInput"]["properties"]["verdict"]["enum"] == [
        "helpful",
        "not_helpful",
        "cited",
        "opened",
    ]
