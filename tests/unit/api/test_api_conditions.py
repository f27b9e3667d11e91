"""Conditional requests, by RFC 9110, section 13."""

from __future__ import annotations

import pytest

from tests.unit.api.service import Service
from vstash.api.conditions import parse_etags
from vstash.errors import RequestError

OTHER = '"0123456789abcdef0123456789abcdef"'


def stored(service: Service) -> tuple[str, str]:
    """The address and the etag of a new document."""
    answer = service.http.post("/v1/documents", json={"text": "One.", "key": "k"})
    return answer.headers["Location"], answer.headers["ETag"]


class TestParsing:
    """The two headers' lists."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("*", ("*",)),
            (" * ", ("*",)),
            ('"a"', ('"a"',)),
            ('""', ('""',)),
            ('W/"a"', ('W/"a"',)),
            ('"a", "b",W/"c"', ('"a"', '"b"', 'W/"c"')),
            ('"a,b" , "*"', ('"a,b"', '"*"')),
            (', "a",, "b" ,', ('"a"', '"b"')),
            ('"\xe9!#"', ('"\xe9!#"',)),
        ],
    )
    def test_read(self, value: str, expected: tuple[str, ...]) -> None:
        """Strong and weak tags, empty elements, commas inside of quotes."""
        assert parse_etags(value, "If-Match") == expected

    @pytest.mark.parametrize(
        "value",
        [
            "",
            ",",
            "a",
            '"a',
            'a"',
            '"a" "b"',
            'w/"a"',
            'W/ "a"',
            '"a", *',
            "*, *",
            '"a b"',
            '"\x7f"',
        ],
    )
    def test_refused(self, value: str) -> None:
        """Whatever is no list of tags."""
        with pytest.raises(RequestError) as caught:
            parse_etags(value, "If-Match")
        assert caught.value.pointer == "/If-Match"

    def test_long(self) -> None:
        """What nearly is one costs no more than its length."""
        assert len(parse_etags(",".join(['"a"'] * 9000), "If-Match")) == 9000
        for value in ('"a"' + ", \t" * 20_000 + "x", "," * 60_000 + "x", '"' * 60_001):
            with pytest.raises(RequestError):
                parse_etags(value, "If-Match")


class TestReading:
    """If-None-Match on GET and HEAD."""

    @pytest.mark.parametrize("form", ["{}", "W/{}", f"{OTHER}, {{}}", "*"])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_known(self, service: Service, form: str, method: str) -> None:
        """A state that the caller has is 304, with its etag and without a body."""
        address, etag = stored(service)
        headers = {"If-None-Match": form.format(etag)}
        answer = service.http.request(method, address, headers=headers)
        assert (answer.status_code, answer.headers["ETag"], answer.content) == (304, etag, b"")
        assert "Content-Type" not in answer.headers

    @pytest.mark.parametrize("value", [OTHER, f"W/{OTHER}", '"*"', '""'])
    def test_unknown(self, service: Service, value: str) -> None:
        """Any other is answered whole."""
        address, etag = stored(service)
        answer = service.http.get(address, headers={"If-None-Match": value})
        assert (answer.status_code, answer.headers["ETag"]) == (200, etag)
        assert answer.json()["text"] == "One."

    def test_nothing_there(self, service: Service) -> None:
        """A document that is not there is 404, whatever the condition."""
        answer = service.http.get("/v1/documents/none", headers={"If-None-Match": "*"})
        assert answer.status_code == 404


class TestChanging:
    """If-Match on PUT, PATCH and DELETE."""

    @pytest.mark.parametrize(
        ("method", "body"),
        [("PUT", {"text": "Two."}), ("PATCH", {"text": "Two."}), ("DELETE", None)],
    )
    def test_each(self, service: Service, method: str, body: object) -> None:
        """Another etag, or a weak one, changes nothing; one of several does; then it is another."""
        address, etag = stored(service)
        for wrong in (OTHER, f"W/{etag}", '"*"', f'"W/{etag[1:]}'):
            answer = service.http.request(method, address, json=body, headers={"If-Match": wrong})
            assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
        assert service.http.get(address).headers["ETag"] == etag
        lines = [("If-Match", f"{OTHER}, W/{OTHER}"), ("If-Match", etag)]
        answer = service.http.request(method, address, json=body, headers=lines)
        assert answer.is_success
        assert answer.headers.get("ETag") != etag
        now = service.http.get(address)
        assert now.headers.get("ETag") == answer.headers.get("ETag")
        assert now.status_code == (404 if method == "DELETE" else 200)

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_refused(self, service: Service, method: str) -> None:
        """What is malformed, or no condition for a change, is 400 and changes nothing."""
        address, etag = stored(service)
        body = None if method == "DELETE" else {"text": "Two."}
        for name, value in (("If-Match", "x"), ("If-None-Match", "*"), ("If-None-Match", OTHER)):
            answer = service.http.request(method, address, json=body, headers={name: value})
            assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")
            assert answer.json()["errors"][0]["pointer"] == f"/{name}"
        assert service.http.get(address).headers["ETag"] == etag

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_any(self, service: Service, method: str) -> None:
        """A star is any document that is there; one that is not is 404."""
        address, _ = stored(service)
        body = None if method == "DELETE" else {"text": "Two."}
        headers = {"If-Match": "*"}
        for target, status in (("/v1/documents/none", 404), (address, None)):
            answer = service.http.request(method, target, json=body, headers=headers)
            assert answer.status_code == status or (status is None and answer.is_success)


class TestCreating:
    """If-None-Match: * on POST, and PUT by key."""

    def test_once(self, service: Service) -> None:
        """Where the key is taken it is 412; without a key there is nothing in the way."""
        headers = {"If-None-Match": "*"}
        sent = {"text": "One.", "key": "k"}
        codes = [
            service.http.post("/v1/documents", json=body, headers=headers).status_code
            for body in (sent, sent, {**sent, "collection": "other"}, {"text": "One."})
        ]
        assert codes == [201, 412, 201, 201]

    def test_refused(self, service: Service) -> None:
        """Etags are no condition for a creation, and no header is passed over."""
        for name, value in (("If-None-Match", OTHER), ("If-None-Match", "x"), ("If-Match", "*")):
            answer = service.http.post("/v1/documents", json={"text": "x"}, headers={name: value})
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{name}")
        assert service.memory.stats().documents == 0

    def test_a_repetition_has_the_etag(self, service: Service) -> None:
        """A reply that is repeated says the same etag, under the same condition."""
        headers = {"Idempotency-Key": "one", "If-None-Match": "*"}
        first, again = (
            service.http.post("/v1/documents", json={"text": "One.", "key": "k"}, headers=headers)
            for _ in range(2)
        )
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.headers["ETag"] == again.headers["ETag"]

    def test_put(self, service: Service) -> None:
        """201 for a new key, 200 for a known one, which keeps its id and is replaced whole."""
        address = "/v1/documents?key=notes/a&collection=work"
        first = service.http.put(address, json={"text": "One.", "title": "T", "embed": "later"})
        again = service.http.put(address, json={"text": "Two."})
        same = service.http.put(address, json={"text": "Two."})
        assert [each.status_code for each in (first, again, same)] == [201, 200, 200]
        assert again.json()["id"] == first.json()["id"]
        assert (again.json()["title"], again.json()["collection"]) == ("", "work")
        assert again.headers["Location"] == first.headers["Location"]
        assert same.headers["ETag"] == again.headers["ETag"] == f'"{again.json()["etag"]}"'

    def test_put_under_conditions(self, service: Service) -> None:
        """Only a new one, only one in a known state, only one that is there."""
        address = "/v1/documents?key=k"

        def put(text: str, name: str, value: str) -> int:
            return service.http.put(address, json={"text": text}, headers={name: value}).status_code

        assert put("One.", "If-Match", "*") == 412
        assert put("One.", "If-Match", OTHER) == 412
        assert put("One.", "If-None-Match", "*") == 201
        assert put("Two.", "If-None-Match", "*") == 412
        assert put("Two.", "If-Match", OTHER) == 412
        assert service.memory.get(key="k").text == "One."
        assert put("Two.", "If-Match", "*") == 200
        assert put("Three.", "If-Match", f'"{service.memory.get(key="k").etag}"') == 200
        assert service.memory.get(key="k").text == "Three."

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ("", "/key"),
            ("?key=", "/key"),
            ("?key=k&collection=/", "/collection"),
            ("?key=k&x=1", ""),
        ],
    )
    def test_put_refused(self, service: Service, query: str, pointer: str) -> None:
        """A key is needed, and nothing that is not known is passed over."""
        answer = service.http.put(f"/v1/documents{query}", json={"text": "One."})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        assert service.memory.stats().documents == 0
