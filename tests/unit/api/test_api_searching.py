"""Searches, reports and health over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.api.service import Service, running
from vstash.api.checking import CheckReply
from vstash.api.replies import DisagreementPage, SearchReply, StatsReply
from vstash.wire import to_json


def test_search(service: Service) -> None:
    """A search answers the same over HTTP as in Python."""
    for number, text in enumerate(["Ada prefers tea.", "Bob prefers coffee.", "Tea is hot."]):
        service.add(text, metadata={"n": number})
    body = {"query": "who likes tea?", "k": 2, "filter": {"metadata.n": {"lt": 2}}, "explain": True}
    answer = service.http.post("/v1/search", json=body)
    assert answer.status_code == 200
    found = SearchReply.model_validate(answer.json())
    assert [hit.chunk.text for hit in found.hits] == ["Ada prefers tea.", "Bob prefers coffee."]
    assert all(hit.explanation is not None for hit in found.hits)
    direct = service.memory.search(
        "who likes tea?", k=2, filter={"metadata.n": {"lt": 2}}, explain=True, log=False
    )
    assert answer.json()["hits"] == to_json(direct.hits)


@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf", None])
def test_modes(service: Service, mode: str, strategy: str | None) -> None:
    """Every mode and strategy is described in full."""
    service.add("Ada prefers tea.")
    body = {"query": "tea", "mode": mode, "strategy": strategy}
    answer = service.http.post("/v1/search", json=body)
    found = SearchReply.model_validate(answer.json())
    assert (found.mode, len(found.hits)) == (mode, 1)
    assert "explanation" not in answer.json()["hits"][0]


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"query": ""}, 422, "query_invalid", "/query"),
        ({}, 422, "query_invalid", "/query"),
        ({"query": None}, 422, "query_invalid", "/query"),
        ({"query": "a", "k": "5"}, 422, "query_invalid", "/k"),
        ({"query": "a", "k": 5.0}, 422, "query_invalid", "/k"),
        ({"query": "a", "k": True}, 422, "query_invalid", "/k"),
        ({"query": "a", "k": 0}, 422, "query_invalid", "/k"),
        ({"query": "a", "k": 10**900}, 422, "query_invalid", "/k"),
        ({"query": "a", "mode": "both"}, 422, "query_invalid", "/mode"),
        ({"query": "a", "strategy": 1}, 422, "query_invalid", "/strategy"),
        ({"query": "a", "explain": "yes"}, 422, "query_invalid", "/explain"),
        ({"query": "a", "filter": []}, 422, "filter_invalid", "/filter"),
        ({"query": "a", "filter": {"x": {"eq": 1}}}, 422, "filter_invalid", "/filter/x"),
        ({"query": "a", "collection": "none"}, 404, "collection_not_found", "/collection"),
        ({"query": "a", "model": "other"}, 422, "input_invalid", ""),
    ],
)
def test_search_refused(
    shared: Service, body: dict[str, object], status: int, code: str, pointer: str
) -> None:
    """A parameter of the wrong type or out of range is named and is never converted."""
    shared.add("Ada prefers tea.")
    answer = shared.http.post("/v1/search", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [flaw["pointer"] for flaw in answer.json()["errors"]] == [pointer]


def test_stats(service: Service, tmp_path: Path) -> None:
    """Statistics count what is stored and say no more of the path than the file's name."""
    service.add("Ada prefers tea.", collection="work")
    answer = service.http.get("/v1/stats")
    found = StatsReply.model_validate(answer.json())
    assert (found.documents, found.collections["work"], found.path) == (1, 1, "served.db")
    assert str(tmp_path) not in answer.text


def test_check(service: Service) -> None:
    """A check of a file that is well has no findings."""
    service.add("Ada prefers tea.")
    found = CheckReply.model_validate(service.http.post("/v1/check").json())
    assert (found.findings, found.documents) == ([], 1)


def test_disagreements(service: Service) -> None:
    """Searches over HTTP are logged and come back newest first, page by page."""
    for text in ("Ada prefers tea.", "Bob prefers coffee.", "The kettle is hot."):
        service.add(text)
    queries = ["tea", "coffee", "kettle"]
    for query in queries:
        assert service.http.post("/v1/search", json={"query": query, "k": 1}).is_success
    seen: list[str | None] = []
    parameters = {"limit": "2"}
    for _ in range(2):
        answer = service.http.get("/v1/disagreements", params=parameters)
        page = DisagreementPage.model_validate(answer.json())
        seen += [item.query for item in page.items]
        parameters["cursor"] = page.next_cursor or ""
    assert (seen, page.next_cursor) == (queries[::-1], None)


class TestHealth:
    """/healthz and /readyz."""

    def test_up(self, service: Service) -> None:
        """A service on an empty file is alive and ready."""
        assert service.http.get("/healthz").json() == {"status": "ok"}
        assert service.http.get("/readyz").json() == {"status": "ready", "reasons": []}

    def test_unreadable(self, tmp_path: Path) -> None:
        """A service that cannot read its file is alive, but not ready."""
        with running(tmp_path) as service:
            service.memory.close()
            assert service.http.get("/healthz").status_code == 200
            answer = service.http.get("/readyz")
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "1"
            assert answer.json()["status"] == "unavailable"
            assert [each.partition(":")[0] for each in answer.json()["reasons"]] == ["closed"]
