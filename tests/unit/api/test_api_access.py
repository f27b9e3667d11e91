"""Who is let in, with which key, from where; through the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.unit.api.service import Service, running
from vstash.keys import KeyScope

PAGE = "http://localhost:3000"
READS = ("GET", "/v1/stats")
WRITES = ("POST", "/v1/documents")
ADMINISTERS = ("GET", "/v1/keys")


@pytest.fixture(scope="module")
def private(_own_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that needs a key from everybody, and lets one page in."""
    with running(
        tmp_path_factory.mktemp("private"), require_key=True, cors_origins=(PAGE,)
    ) as started:
        yield started


def secret(service: Service, scope: KeyScope = "read", only: str | None = None) -> str:
    """The secret of a new key."""
    return service.memory.create_key("x", scope=scope, collection=only).secret


def asked(
    service: Service, operation: tuple[str, str], key: str | None = None, **headers: str
) -> httpx.Response:
    """What an operation answers; a document is sent where one can be."""
    method, path = operation
    body = {"text": "Tea."} if operation == WRITES else None
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    return service.http.request(method, path, json=body, headers=sent)


@pytest.mark.parametrize(
    ("scope", "reads", "writes", "administers"),
    [("read", 200, 403, 403), ("write", 200, 201, 403), ("admin", 200, 201, 200)],
)
def test_scopes(
    private: Service, scope: KeyScope, reads: int, writes: int, administers: int
) -> None:
    """Each scope includes those before it; what is beyond it says which it needs."""
    key = secret(private, scope)
    answers = [asked(private, each, key) for each in (READS, WRITES, ADMINISTERS)]
    assert [answer.status_code for answer in answers] == [reads, writes, administers]
    for answer in answers:
        if answer.status_code == 403:
            assert answer.json()["code"] == "scope_missing"


def test_no_key(private: Service) -> None:
    """Nobody without a key learns anything, not even which addresses there are."""
    places = [READS, WRITES, ("GET", "/nowhere"), ("BREW", "/v1/stats"), ("OPTIONS", "/v1/search")]
    answers = [asked(private, each) for each in [*places, ("GET", "/openapi.json")]]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "key_required"
    key = secret(private)
    with_key = [asked(private, each, key) for each in places[2:]]
    assert [answer.status_code for answer in with_key] == [404, 405, 204]
    assert asked(private, ("GET", "/openapi.json"), key).status_code == 200


def test_the_same_whatever_is_wrong(private: Service) -> None:
    """Unknown, cut off, of another kind, expired and revoked keys are answered alike."""
    good = private.memory.create_key("x")
    gone = private.memory.create_key("x")
    private.memory.revoke_key(gone.key.id)
    other = f"vstash_{'0' * 16}_{'A' * 43}"
    wrong = [f"Bearer {each}" for each in ("x", good.secret[:-1], gone.secret, other)]
    wrong += ["Bearer", "", good.secret, f"Basic {good.secret}", f"Bearer  \u00e9{good.secret}"]
    answers = [
        private.http.get("/v1/stats", headers=[(b"Authorization", each.encode("latin-1"))])
        for each in wrong
    ]
    answers.append(private.http.get("/v1/stats", headers={"X-API-Key": ""}))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


def test_either_header(private: Service) -> None:
    """Both may be there with the same key; two keys are one too many."""
    key, other = secret(private), secret(private)
    assert asked(private, READS, X_API_Key=key).status_code == 200
    assert asked(private, READS, Authorization=f"bEaReR {key}").status_code == 200
    assert asked(private, READS, key, X_API_Key=key).status_code == 200
    twice = [("X-API-Key", key), ("X-API-Key", other)]
    for answer in (
        asked(private, READS, key, X_API_Key=other),
        private.http.get("/v1/stats", headers=twice),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")


def test_no_key_in_an_address(private: Service) -> None:
    """A query is not looked at: addresses end up in histories and logs."""
    key = secret(private)
    for name in ("key", "api_key", "token", "access_token", "X-API-Key", "Authorization"):
        assert private.http.get("/v1/stats", params={name: key}).status_code == 401
    assert asked(private, READS, Cookie=f"key={key}; Authorization={key}").status_code == 401


def test_a_key_made_or_revoked_elsewhere_counts_at_once(private: Service) -> None:
    """From the next request on, over the same connection."""
    made = private.memory.create_key("x")
    assert asked(private, READS, made.secret).status_code == 200
    private.memory.revoke_key(made.key.id)
    assert asked(private, READS, made.secret).status_code == 401


def test_health(private: Service) -> None:
    """It needs no key, and a wrong one does not make a service look dead."""
    for path in ("/healthz", "/readyz"):
        for key in (None, "wrong", secret(private)):
            assert asked(private, ("GET", path), key).status_code == 200
    assert asked(private, ("POST", "/healthz")).status_code == 401


def test_health_without_a_file(tmp_path: Path) -> None:
    """A service that cannot read its keys is alive; all else says what is wrong, or nothing."""
    with running(tmp_path, require_key=True) as service:
        key = secret(service, "admin")
        path = service.memory.path
        service.memory.close()
        assert path.exists()
        assert asked(service, ("GET", "/healthz"), key).status_code == 200
        assert asked(service, READS, key).status_code >= 500
        assert asked(service, READS).status_code == 401


def test_a_given_key_counts_on_this_machine(shared: Service) -> None:
    """Nobody needs one here; who sends one has its rights, and none with a wrong one."""
    assert asked(shared, WRITES).status_code == 201
    assert asked(shared, WRITES, secret(shared)).status_code == 403
    assert asked(shared, WRITES, secret(shared, "write")).status_code == 201
    assert asked(shared, READS, "wrong").status_code == 401
    assert asked(shared, ADMINISTERS, secret(shared, "admin", "notes")).status_code == 403


def test_a_page_that_is_named(private: Service) -> None:
    """It needs a key, may read what it gets, and is told what it may send."""
    key = secret(private)
    preflight = private.http.options(
        "/v1/search",
        headers={
            "Origin": PAGE,
            "Sec-Fetch-Site": "same-site",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    allowed = set(preflight.headers["Access-Control-Allow-Headers"].split(", "))
    assert {"Authorization", "Idempotency-Key", "If-Match", "Request-Timeout"} <= allowed
    read = asked(private, READS, key, Origin=PAGE, Sec_Fetch_Site="cross-site")
    assert read.status_code == 200
    refused = asked(private, READS, Origin=PAGE)
    assert refused.status_code == 401
    assert asked(private, ("GET", "/healthz"), Origin=PAGE).status_code == 401
    for answer in (preflight, read, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_other_pages(private: Service) -> None:
    """Neither another origin nor a program gets such headers, with a key or without."""
    key = secret(private, "admin")
    for origin in ("http://evil.example", "null", f"{PAGE}.evil.example", f"{PAGE}/", "*"):
        answer = asked(private, READS, key, Origin=origin)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    plain = asked(private, READS, key)
    assert plain.headers["Vary"] == "Origin"
    assert not [name for name in plain.headers if name.startswith("access-control-")]


def test_a_page_needs_a_key_on_this_machine(tmp_path: Path) -> None:
    """A page that is named has no more rights than its key, where programs need none."""
    with running(tmp_path, cors_origins=(PAGE,)) as service:
        assert asked(service, READS).status_code == 200
        assert asked(service, READS, Origin=PAGE).status_code == 401
        assert asked(service, WRITES, secret(service), Origin=PAGE).status_code == 403
        assert asked(service, WRITES, secret(service, "write"), Origin=PAGE).status_code == 201


def test_other_names(tmp_path: Path) -> None:
    """A name that the settings allow is as good as the service's own; no other is."""
    with running(tmp_path, allowed_hosts=("notes.example",)) as service:
        for name, status in (
            ("notes.example", 200),
            ("NOTES.example:443", 200),
            ("a.notes.example", 403),
            ("notes.example.evil.example", 403),
            ("localhost", 200),
        ):
            assert asked(service, READS, Host=name).status_code == status, name
