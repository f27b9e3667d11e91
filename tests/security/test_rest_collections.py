"""A caller that is bound to one collection reads and changes nothing of another, on any route."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.learnt import put
from tests.unit.api.service import Service, running
from vstash import Memory, NewDocument
from vstash.api.access import STATE, Access
from vstash.api.app import create_api
from vstash.api.operations import SCOPE
from vstash.errors import CollectionNotFoundError
from vstash.types import SearchResult

# In every name, text, key, title, tag and query of the other collection, and nowhere else.
CANARY: Final = "bsecret"
OTHER: Final = f"{CANARY}-collection"
KEY: Final = f"{CANARY}/key"
PAST: Final = datetime(2001, 1, 1, tzinfo=timezone.utc)


class Bound:
    """Binds a request with the header X-Bound to the collection that it names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            only = Headers(scope=scope).get("x-bound")
            key_id = "unbound" if only is None else "bound"
            scope = {**scope, STATE: Access(key_id=key_id, only=only)}
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class Case:
    """A request for something of the other collection.

    Attributes:
        route: Method and path as the application has them.
        query: Parameters.
        body: To be sent as JSON.
        whole: Whether it is about the whole file, and refused for that.
        arriving: Whether the body is an export that would replace the other collection's document.
    """

    route: str
    query: Mapping[str, str] | None = None
    body: Any = None
    whole: bool = False
    arriving: bool = False


def there(**fields: object) -> dict[str, object]:
    """A body that names the other collection."""
    return {"collection": OTHER, **fields}


def of(route: str, *cases: dict[str, Any]) -> list[Case]:
    """Cases of a route."""
    return [Case(route, **case) for case in cases]


# Braces stand for ids: of the other collection's document, chunk, search and job.
CASES: Final = [
    *of("POST /v1/documents", {"body": there(text="x", key=KEY)}, {"body": there(text="new")}),
    *of("PUT /v1/documents", {"query": {"key": KEY, "collection": OTHER}, "body": {"text": "x"}}),
    *of("POST /v1/documents:batch", {"body": {"documents": [there(text="x", key=KEY)]}}),
    *of(
        "GET /v1/documents",
        {"query": {"collection": OTHER}},
        {"query": {"collection": OTHER, "key": KEY}},
        {"query": {"collection": OTHER, "filter": '{"key": {"prefix": "b"}}'}},
    ),
    *of("GET /v1/documents/{id}", {}, {"query": {"include": "chunks"}}, {"query": {"include": ""}}),
    *of("PUT /v1/documents/{id}", {"body": {"text": "x"}}),
    *of(
        "PATCH /v1/documents/{id}",
        *({"body": body} for body in ({"title": "x"}, {"text": "x"}, {"metadata": None})),
    ),
    *of("DELETE /v1/documents/{id}", {}),
    *of(
        "POST /v1/documents:delete",
        {"body": there(filter={"key": {"eq": KEY}})},
        {"body": there(filter={"key": {"eq": KEY}}, dry_run=True)},
    ),
    *of(
        "POST /v1/documents:forget",
        {"body": there(key=KEY)},
        {"body": {"document_id": "{id}"}},
        {"body": {"source": KEY}},
    ),
    *of("GET /v1/documents/{id}/chunks", {}),
    *of("GET /v1/chunks/{chunk_id}", {}),
    *of("GET /v1/chunks/{chunk_id}/around", {}),
    *of("GET /v1/backups", {"whole": True}),
    *of("POST /v1/backups", {"whole": True}),
    *of("DELETE /v1/backups/{name}", {"whole": True}),
    *of("POST /v1/backups/{name}:restore", {"whole": True, "body": {"force": True}}),
    *of("GET /v1/collections", {}),
    *of("GET /v1/collections/{name}", {}),
    *of("DELETE /v1/collections/{name}", {}, {"query": {"dry_run": "true"}}),
    *of(
        "POST /v1/search",
        {"body": there(query="tea")},
        {"body": there(query="tea", mode="keyword", explain=True)},
    ),
    *of(
        "POST /v1/search/why-not",
        *({"body": there(query="tea", **what)} for what in ({"key": KEY}, {"document": "{id}"})),
        {"body": {"query": "tea", "document": "{id}"}},
        {"body": {"query": "tea", "key": KEY}},
        {"body": {"query": "tea", "chunk": "{chunk_id}"}},
    ),
    *of("POST /v1/context", {"body": there(query="tea")}),
    *of(
        "GET /v1/disagreements",
        *({"query": query} for query in ({}, {"texts": "true"}, {"collection": OTHER})),
    ),
    *of("GET /v1/disagreements/report", {}, {"query": {"collection": OTHER}}),
    *of("POST /v1/disagreements:redact", {"body": {}}, {"body": {"collection": OTHER}}),
    *of("GET /v1/feedback", {}, {"query": {"collection": OTHER}}),
    *of(
        "POST /v1/feedback",
        *(
            {
                "body": {
                    "search_id": "{search}",
                    "chunk_id": "{chunk_id}",
                    "verdict": "cited",
                    **more,
                }
            }
            for more in ({}, {"collection": OTHER})
        ),
    ),
    *of(
        "POST /v1/feedback:batch",
        *(
            {
                "body": {
                    "feedback": [
                        {
                            "search_id": "{search}",
                            "chunk_id": "{chunk_id}",
                            "verdict": "cited",
                            **more,
                        }
                    ]
                }
            }
            for more in ({}, {"collection": OTHER})
        ),
    ),
    *of("GET /v1/export", {}, {"query": {"collection": OTHER, "include_vectors": "true"}}),
    *of(
        "POST /v1/import",
        *({"arriving": True, "query": query} for query in ({}, {"collection": OTHER})),
    ),
    *of("POST /v1/jobs", {"body": there(kind="ingest", paths=["{folder}"])}),
    *of("GET /v1/jobs", {}, {"query": {"collection": OTHER}}),
    *of("GET /v1/jobs/{id}", {}),
    *of("POST /v1/jobs/{id}:cancel", {}),
    *of("POST /v1/upkeep", {"whole": True, "body": {"task": "check"}}),
    *of("GET /v1/triples", {}, {"query": {"collection": OTHER}}),
    *of("POST /v1/learn/mine", {"body": there()}, {"body": there(forms=["cloze"])}),
    *of(
        "POST /v1/learn/label",
        {"body": there(queries={"x": "green tea"}, judgements={"x": {KEY: 1}})},
    ),
    *of("GET /v1/learn/queries", {}, {"query": {"collection": OTHER}}),
    *of("DELETE /v1/learn/queries", {}, {"query": {"collection": OTHER}}),
    *of("GET /v1/learn/report", {}, {"query": {"collection": OTHER}}),
    *of("GET /v1/stats", {"whole": True}),
    *of("GET /v1/settings", {"whole": True}),
    *of("GET /metrics", {"whole": True}),
    *of("POST /v1/check", {"whole": True}),
    *of("POST /v1/repair", {"whole": True}),
    *of("POST /v1/compact", {"whole": True}),
    *of("GET /v1/models", {"whole": True}),
    *of("POST /v1/models/{name}:reindex", {"whole": True}),
    *of("POST /v1/models/{name}:use", {"whole": True, "body": {}}),
    *of("DELETE /v1/models/{name}", {"whole": True}),
    *of(
        "POST /v1/calibrate", {"whole": True, "body": there(probes=50)}, {"whole": True, "body": {}}
    ),
    *of("DELETE /v1/calibrate", {"whole": True}),
    *of("GET /v1/learned", {}, {"query": {"collection": OTHER}}),
    *of(
        "POST /v1/learned/{id}:promote", {"body": {}}, {"body": {"force": True}}, {"body": there()}
    ),
    *of("POST /v1/learned:rollback", {"body": there()}),
    *of("GET /v1/learned:auto", {"whole": True}),
    *of("GET /v1/keys", {"whole": True}),
    *of("POST /v1/keys", {"whole": True, "body": there(name="x", scope="read")}),
    *of("DELETE /v1/keys/{id}", {"whole": True}),
]


def routes(memory: Memory) -> set[str]:
    """Method and path of every route that needs a key."""
    return {
        f"{method} {route.path_format}"
        for route in create_api(memory).routes
        if isinstance(route, APIRoute) and (route.openapi_extra or {}).get(SCOPE) != "none"
        for method in route.methods or ()
    }


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service over two collections that hold the same, but for the canary."""
    settings: dict[str, Any] = {"ingest_roots": (str(tmp_path),)}
    with running(tmp_path, guarded=False, behind=Bound, **settings) as started:
        for name, mark in (("a", "ours"), (OTHER, CANARY)):
            documents = [
                NewDocument(f"Tea {n} {mark} is hot.", f"{mark}/{n}", mark, name, [mark], {mark: n})
                for n in range(3)
            ]
            started.memory.add_batch(documents)
            started.memory.add(f"Old {mark}.", collection=name, expires_at=PAST)
            started.memory.add(f"Green tea, {mark}.", key=f"{mark}/key", collection=name)
            started.memory.add(
                f"The kettle of {mark} stands beside the window until the evening train comes.",
                collection=name,
            )
            asked = {"q": f"what is green, {mark}"}
            started.memory.label(asked, {"q": {f"{mark}/key": 1}}, collection=name)
            found = started.memory.search(f"green tea {mark}", collection=name)
            started.memory.feedback(found.id, found.hits[0].chunk.id, "helpful")
            plant_triple(started.memory, found)
            plant_job(started.memory, name)
            put(started.memory._engine, collection=name, use=False)
        yield started


def plant_triple(memory: Memory, found: SearchResult) -> None:
    """A triple of a logged search; collections as small as these yield none."""
    pair = [hit.chunk.id for hit in found.hits[:2]]
    with memory._engine.store.write() as writer:
        writer._connection.execute(
            "INSERT INTO triple (search, positive, negative, kind, evidence) "
            "SELECT number, ?, ?, 'dense_blind_spot', '{}' FROM search WHERE id = ?",
            (*pair, found.id),
        )


def plant_job(memory: Memory, collection: str) -> None:
    """A job that somebody elsewhere works on, who gave a sign just now."""
    with memory._engine.store.write() as writer:
        writer._connection.execute(
            "INSERT INTO job (id, kind, collection, state, request, progress, runner, seen, created) "
            "VALUES (?1 || '-job', 'ingest', ?1, 'running', json_object('paths', json_array(?1)), "
            "'{}', 'elsewhere', ?2, 0)",
            (collection, time.time_ns() // 1000),
        )


def state(memory: Memory) -> object:
    """All that there is of the other collection."""
    try:
        documents = memory.list(collection=OTHER, limit=1000).items
        info = memory.collection(OTHER)
    except CollectionNotFoundError:
        return None
    return (
        info,
        [memory.get(each.id, include=("text", "chunks")) for each in documents],
        memory.disagreements(collection=OTHER, texts=True).items,
        memory.judged_searches(collection=OTHER).items,
        memory.jobs(collection=OTHER).items,
        memory.learned(OTHER).items,
        memory.made_queries(collection=OTHER).items,
    )


def ids(memory: Memory) -> dict[str, str]:
    """What the braces of the cases stand for."""
    document = memory.get(key=KEY, collection=OTHER, include=("chunks",))
    assert document.chunks is not None
    (search,) = memory.disagreements(collection=OTHER).items
    return {
        "id": document.id,
        "name": OTHER,
        "search": search.search_id,
        "chunk_id": str(document.chunks[0].id),
        "job": f"{OTHER}-job",
        "learned": memory.learned(OTHER).items[0].id,
        "folder": str(memory.path.parent.resolve()),
    }


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """A body with ids in place of the braces; numbers where there are numbers."""
    if isinstance(value, dict):
        return {name: filled(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if value == "{chunk_id}":
        return int(names["chunk_id"])
    return names.get(value[1:-1], value) if isinstance(value, str) and value[:1] == "{" else value


def send(
    service: Service, case: Case, names: Mapping[str, str], bound: str | None
) -> httpx.Response:
    """Send the request of a case."""
    method, _, path = case.route.partition(" ")
    path = path.replace("/jobs/{id}", "/jobs/{job}").replace("/learned/{id}", "/learned/{learned}")
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", value)
    body: dict[str, Any] = {} if case.body is None else {"json": filled(case.body, names)}
    if case.arriving:
        body = {"content": arriving()}
    headers = {} if bound is None else {"X-Bound": bound}
    return service.http.request(
        method, path, params=dict(case.query or {}), headers=headers, **body
    )


@cache
def arriving() -> bytes:
    """An export that holds another text under the other collection's key."""
    with TemporaryDirectory() as folder, Memory(Path(folder) / "from.db", model="fake") as memory:
        memory.add("It arrived.", key=KEY, collection=OTHER)
        return b"".join(memory.export())


def tells(answer: httpx.Response, names: Mapping[str, str]) -> bool:
    """Whether an answer holds anything of the other collection."""
    said = answer.text + str(answer.headers)
    return CANARY in said or any(names[name] in said for name in ("id", "search", "learned"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.route} {case.query} {case.body}")
def test_nothing_of_another_collection(service: Service, case: Case) -> None:
    """Nothing is told and nothing changes; the control, the same request unbound, does either."""
    before, names = state(service.memory), ids(service.memory)
    answer = send(service, case, names, "a")
    assert answer.status_code < 500
    assert not tells(answer, names)
    assert state(service.memory) == before
    if case.whole:
        assert (answer.status_code, answer.json()["code"]) == (403, "collection_forbidden")
    control = send(service, case, names, None)
    if case.whole:
        assert control.status_code != 403
    else:
        assert control.is_success, control.text
        assert tells(control, names) or state(service.memory) != before


def test_every_route_is_asked(tmp_path: Path) -> None:
    """The cases are about all routes of the application, and about no others."""
    with Memory(tmp_path / "any.db", model="fake") as memory:
        assert {case.route for case in CASES} == routes(memory)


def test_what_is_hidden_looks_as_if_it_were_not_there(service: Service) -> None:
    """By id, a thing of another collection is answered to the letter as one that does not exist."""
    names = ids(service.memory)
    absent = {**names, "id": "0198c0de-5a4b-7c3d-8e2f-1a2b3c4d5e6f", "chunk_id": "1000000"}
    absent["search"] = absent["job"] = absent["learned"] = absent["id"]
    for case in CASES:
        named = "{id}" in case.route + str(case.body) or "{chunk_id}" in case.route + str(case.body)
        if OTHER not in str(case.body) and named and not case.whole:
            hidden = send(service, case, names, "a")
            assert hidden.json() == send(service, case, absent, "a").json(), case
            assert hidden.status_code in {200, 404}


def test_a_bound_caller_works_in_its_collection(service: Service) -> None:
    """Without naming it: what it stores, lists, finds and removes is there, not in `default`."""
    http, headers = service.http, {"X-Bound": "a"}
    stored = http.post("/v1/documents", json={"text": "Tea.", "key": KEY}, headers=headers).json()
    assert stored["collection"] == "a"
    batch = {"documents": [{"text": "More.", "key": "m"}, {"text": "x", "collection": OTHER}]}
    results = http.post("/v1/documents:batch", json=batch, headers=headers).json()["results"]
    assert results[0]["document"]["collection"] == "a"
    error = results[1]["error"]
    assert error["code"] == "collection_forbidden"
    assert error["errors"][0]["pointer"] == "/documents/1/collection"
    listed = http.get("/v1/documents", headers=headers).json()["items"]
    assert {item["collection"] for item in listed} == {"a"}
    found = http.post("/v1/search", json={"query": "tea"}, headers=headers).json()
    assert {hit["document"]["collection"] for hit in found["hits"]} == {"a"}
    given = {"search_id": found["id"], "chunk_id": found["hits"][0]["chunk"]["id"]}
    judged = http.post("/v1/feedback", json={**given, "verdict": "cited"}, headers=headers)
    assert judged.is_success
    path = f"/v1/documents/{stored['id']}"
    for request in (
        http.build_request("GET", path, headers=headers),
        http.build_request("PATCH", path, json={"title": "T"}, headers=headers),
        http.build_request("PUT", path, json={"text": "New."}, headers=headers),
        http.build_request("GET", f"{path}/chunks", headers=headers),
        http.build_request("DELETE", path, headers=headers),
    ):
        assert http.send(request).is_success
    (only,) = http.get("/v1/collections", headers=headers).json()["collections"]
    assert only["name"] == "a"
    assert service.memory.collection("default").documents == 0
