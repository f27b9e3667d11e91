"""Documents over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.api.service import Service
from vstash.api.replies import BatchReply, ChunkReply, DocumentPage, DocumentReply


def flaws(answer: Any) -> list[str]:
    """Pointers of a problem's errors."""
    return [flaw["pointer"] for flaw in answer.json()["errors"]]


class TestCreate:
    """POST /v1/documents."""

    def test_new(self, service: Service) -> None:
        """A new document is 201, is where Location says, and has every field that was sent."""
        sent = {
            "text": "Ada prefers tea.",
            "key": "people/ada",
            "title": "Ada",
            "collection": "work",
            "tags": ["b", "a"],
            "metadata": {"n": 1, "deep": {"x": [None, 1.5, "é"]}},
            "expires_at": "2999-01-01T02:00:00+02:00",
        }
        answer = service.http.post("/v1/documents", json=sent)
        assert answer.status_code == 201
        read = service.http.get(answer.headers["Location"])
        assert read.json() == {**answer.json(), "text": sent["text"]}
        kept = {name: read.json()[name] for name in sent}
        assert kept == {**sent, "tags": ["a", "b"], "expires_at": "2999-01-01T00:00:00.000000Z"}
        DocumentReply.model_validate(read.json())

    @pytest.mark.parametrize("text", ["Ada prefers coffee.", "Ada prefers tea."])
    def test_known_key(self, service: Service, text: str) -> None:
        """A key that is known is 200 and keeps the id, whether or not anything changed."""
        first = service.http.post("/v1/documents", json={"text": "Ada prefers tea.", "key": "ada"})
        again = service.http.post("/v1/documents", json={"text": text, "key": "ada"})
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json()["id"] == first.json()["id"]
        assert service.memory.get(key="ada").text == text

    def test_text_survives(self, service: Service) -> None:
        """What is read is what was sent, beyond the basic plane, too."""
        text = 'tab\tquote"\\ \u2028 \U0001f375 e\u0301'
        answer = service.http.get(f"/v1/documents/{service.add(text)}")
        assert answer.json()["text"] == text

    @pytest.mark.parametrize(
        ("body", "code", "pointer"),
        [
            ({"text": ""}, "text_invalid", "/text"),
            ({"text": 5}, "text_invalid", "/text"),
            ({}, "text_invalid", "/text"),
            ({"text": "a", "key": ""}, "field_invalid", "/key"),
            ({"text": "a", "key": 5}, "field_invalid", "/key"),
            ({"text": "a", "tags": "work"}, "field_invalid", "/tags"),
            ({"text": "a", "tags": ["x", 1]}, "field_invalid", "/tags/1"),
            ({"text": "a", "metadata": []}, "field_invalid", "/metadata"),
            ({"text": "a", "metadata": {"n": 2**64}}, "field_invalid", "/metadata/n"),
            ({"text": "a", "collection": "../x"}, "field_invalid", "/collection"),
            ({"text": "a", "expires_at": "soon"}, "field_invalid", "/expires_at"),
            ({"text": "a", "expires_at": 5}, "field_invalid", "/expires_at"),
            ({"text": "a", "unknown": 5}, "input_invalid", ""),
            ([], "input_invalid", ""),
        ],
    )
    def test_refused(self, shared: Service, body: object, code: str, pointer: str) -> None:
        """What cannot be stored is 422 with the field at fault, and nothing is stored."""
        before = shared.memory.stats().documents
        answer = shared.http.post("/v1/documents", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert flaws(answer) == [pointer]
        assert shared.memory.stats().documents == before


class TestBatch:
    """POST /v1/documents:batch."""

    def test_each_by_itself(self, service: Service) -> None:
        """What cannot be stored is named in its place, and all others are stored."""
        documents = [
            {"text": "one", "key": "1"},
            {"text": " "},
            {"text": "three", "expires_at": "2026-13-01T00:00:00Z"},
            {"text": "four", "key": "4"},
        ]
        answer = service.http.post("/v1/documents:batch", json={"documents": documents})
        assert answer.status_code == 200
        results = BatchReply.model_validate(answer.json()).results
        keys = [None if each.document is None else each.document.key for each in results]
        assert keys == ["1", None, None, "4"]
        wrong = [each.error.errors[0].pointer for each in results if each.error is not None]
        assert wrong == ["/documents/1/text", "/documents/2/expires_at"]
        assert service.memory.stats().documents == 2

    def test_limit(self, service: Service) -> None:
        """A thousand documents are a batch, one more is none."""
        full = [{"text": f"number {number}"} for number in range(1000)]
        more = service.http.post("/v1/documents:batch", json={"documents": [*full, {"text": "x"}]})
        assert (more.status_code, flaws(more)) == (422, ["/documents"])
        assert service.memory.stats().documents == 0
        assert service.http.post("/v1/documents:batch", json={"documents": full}).is_success
        assert service.memory.stats().documents == 1000

    def test_wrong_type(self, service: Service) -> None:
        """A body of the wrong types stores nothing of it."""
        body = {"documents": [{"text": "good"}, {"text": 7}]}
        answer = service.http.post("/v1/documents:batch", json=body)
        assert (answer.status_code, flaws(answer)) == (422, ["/documents/1/text"])
        assert service.memory.stats().documents == 0

    def test_empty(self, service: Service) -> None:
        """No documents are a batch with no results."""
        answer = service.http.post("/v1/documents:batch", json={"documents": []})
        assert answer.json() == {"results": []}


class TestList:
    """GET /v1/documents."""

    def test_pages(self, service: Service) -> None:
        """Following the cursor gives every document once, in order, without texts."""
        ids = [service.add(f"number {number}") for number in range(5)]
        seen: list[str] = []
        query: dict[str, str | int] = {"limit": 2}
        for _ in range(3):
            page = DocumentPage.model_validate(
                service.http.get("/v1/documents", params=query).json()
            )
            seen += [item.id for item in page.items]
            assert all(item.text is None for item in page.items)
            query["cursor"] = page.next_cursor or ""
        assert (seen, page.next_cursor) == (ids, None)

    def test_filter(self, service: Service) -> None:
        """A filter is JSON text in the query."""
        service.add("one", metadata={"n": 1})
        wanted = service.add("two", metadata={"n": 2})
        tree = json.dumps({"metadata.n": {"eq": 2}})
        answer = service.http.get("/v1/documents", params={"filter": tree})
        assert [item["id"] for item in answer.json()["items"]] == [wanted]

    def test_key(self, service: Service) -> None:
        """A key finds its document in its collection, and nothing else."""
        service.add("one", key="a b/ü", collection="work")
        service.add("two", key="a b", collection="work")
        found = service.http.get("/v1/documents", params={"key": "a b/ü", "collection": "work"})
        assert [item["key"] for item in found.json()["items"]] == ["a b/ü"]
        assert "text" not in found.json()["items"][0]
        elsewhere = service.http.get("/v1/documents", params={"key": "a b/ü"})
        assert elsewhere.json() == {"items": [], "next_cursor": None}

    @pytest.mark.parametrize(
        ("query", "status", "code", "pointers"),
        [
            ("limit=0", 422, "query_invalid", ["/limit"]),
            ("limit=x", 422, "query_invalid", ["/limit"]),
            ("cursor=x", 422, "cursor_invalid", ["/cursor"]),
            ("filter=x", 422, "filter_invalid", ["/filter"]),
            ("filter=[]", 422, "filter_invalid", ["/filter"]),
            ('filter={"n":NaN}', 422, "filter_invalid", ["/filter"]),
            ('filter={"key":{"eq":"a"},"key":{"eq":"b"}}', 422, "filter_invalid", ["/filter"]),
            ('filter={"key":{"like":"a"}}', 422, "filter_invalid", ["/filter/key"]),
            ("filter=" + "[" * 9000, 422, "filter_invalid", ["/filter"]),
            ("key=a&cursor=b", 422, "query_invalid", ["/key"]),
            ("key=", 422, "field_invalid", ["/key"]),
            ("collection=none", 404, "collection_not_found", ["/collection"]),
            ("colection=default", 422, "input_invalid", [""]),
            ("limit=1&limit=2", 400, "request_invalid", []),
        ],
    )
    def test_refused(
        self, shared: Service, query: str, status: int, code: str, pointers: list[str]
    ) -> None:
        """A query that cannot be meant is refused, and never half obeyed."""
        shared.add("one")
        answer = shared.http.get(f"/v1/documents?{query}")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        places = [
            pointer[: len(wanted)] for pointer, wanted in zip(flaws(answer), pointers, strict=True)
        ]
        assert places == pointers


class TestOne:
    """/v1/documents/{id} and /v1/chunks/{id}."""

    def test_replace(self, service: Service) -> None:
        """PUT replaces every field but id, key and creation time."""
        known = service.add("one", key="k", title="T", tags=["a"], metadata={"n": 1})
        before = service.http.get(f"/v1/documents/{known}").json()
        answer = service.http.put(f"/v1/documents/{known}", json={"text": "two"})
        assert answer.status_code == 200
        after = service.http.get(f"/v1/documents/{known}").json()
        kept = ("id", "key", "collection", "created")
        assert [after[name] for name in kept] == [before[name] for name in kept]
        assert (after["text"], after["title"], after["tags"], after["metadata"]) == (
            "two",
            "",
            [],
            {},
        )

    @pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
    def test_patch(self, service: Service, media_type: str) -> None:
        """PATCH changes what is given, by merging (RFC 7396), and keeps the rest."""
        known = service.add("one", title="T", tags=["a"], metadata={"n": 1, "m": {"x": 1, "y": 2}})
        patch = {"tags": ["b"], "metadata": {"n": None, "m": {"x": 3}}}
        answer = service.http.patch(
            f"/v1/documents/{known}",
            content=json.dumps(patch),
            headers={"Content-Type": media_type},
        )
        assert answer.status_code == 200
        after = service.http.get(f"/v1/documents/{known}").json()
        assert (after["text"], after["title"], after["tags"]) == ("one", "T", ["b"])
        assert after["metadata"] == {"m": {"x": 3, "y": 2}}

    def test_patch_null(self, service: Service) -> None:
        """Null removes a title, all tags, all metadata and the time of expiry, but never the text."""
        fields = {"title": "T", "tags": ["a"], "metadata": {"n": 1, "m": None}}
        known = service.add("one", expires_at="2999-01-01T00:00:00Z", **fields)
        patch = {"title": None, "tags": None, "metadata": None, "expires_at": None}
        answer = service.http.patch(f"/v1/documents/{known}", json=patch)
        emptied: dict[str, object] = {"title": "", "tags": [], "metadata": {}, "expires_at": None}
        assert {name: answer.json()[name] for name in emptied} == emptied
        refused = service.http.patch(f"/v1/documents/{known}", json={"text": None})
        assert (refused.status_code, flaws(refused)) == (422, ["/text"])
        assert service.memory.get(known).text == "one"

    def test_patch_identity(self, service: Service) -> None:
        """Id, key, collection and times cannot be patched."""
        known = service.add("one")
        for name in ("id", "key", "collection", "created"):
            answer = service.http.patch(f"/v1/documents/{known}", json={name: "x"})
            assert answer.status_code == 422

    def test_delete(self, service: Service) -> None:
        """DELETE answers nothing, and afterwards there is nothing."""
        known = service.add("one")
        answer = service.http.delete(f"/v1/documents/{known}")
        assert (answer.status_code, answer.content) == (204, b"")
        again = service.http.delete(f"/v1/documents/{known}")
        assert (again.status_code, again.json()["code"]) == (404, "document_not_found")

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
    def test_unknown(self, shared: Service, method: str) -> None:
        """An unknown id is 404 for every method; PUT makes no document of it."""
        before = shared.memory.stats().documents
        body = {"text": "x"} if method in {"PUT", "PATCH"} else None
        answer = shared.http.request(method, "/v1/documents/unknown", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "document_not_found")
        assert shared.memory.stats().documents == before

    def test_chunk(self, service: Service) -> None:
        """A chunk is a span of its document's text."""
        known = service.add("Ada prefers tea.")
        hit = service.memory.search("tea").hits[0]
        answer = service.http.get(f"/v1/chunks/{hit.chunk.id}")
        chunk = ChunkReply.model_validate(answer.json())
        assert (chunk.document_id, chunk.text) == (known, "Ada prefers tea."[chunk.start :])

    @pytest.mark.parametrize(
        ("chunk_id", "status"),
        [("99", 404), ("0", 422), ("-1", 422), ("x", 422), ("9" * 30, 422), ("9" * 5000, 422)],
    )
    def test_no_chunk(self, shared: Service, chunk_id: str, status: int) -> None:
        """A chunk's id that there is not is 404, what can be none is 422."""
        answer = shared.http.get(f"/v1/chunks/{chunk_id}")
        assert answer.status_code == status
        assert flaws(answer) == ["/chunk_id"]
