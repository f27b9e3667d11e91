"""Access keys: what is stored of them, and when they are recognised."""

from __future__ import annotations

import ast
import base64
import hashlib
import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.pipeline.conftest import Clock
from vstash import Memory
from vstash.errors import FieldError, KeyNotFoundError
from vstash.keys import NewKey
from vstash.pipeline import keys as source
from vstash.pipeline.engine import Engine, open_engine
from vstash.store.documents import to_datetime, to_microseconds

DAY = timedelta(days=1)


def made(engine: Engine, *, days: int | None = None) -> NewKey:
    """A key that reads, for so many days."""
    until = None if days is None else to_datetime(engine.keys._clock()) + days * DAY
    return engine.keys.create("x", scope="read", collection=None, expires_at=until)


def test_a_secret_is_recognised(engine: Engine) -> None:
    """It holds the id of its key and 256 random bits, and is shown nowhere by accident."""
    first, second = made(engine), made(engine)
    assert engine.keys.recognise(first.secret) == first.key
    assert engine.keys.recognise(second.secret) == second.key
    prefix, key_id, rest = first.secret.split("_", 2)
    assert (prefix, key_id) == ("vstash", first.key.id)
    assert len(base64.urlsafe_b64decode(rest + "=")) == 32
    assert rest not in second.secret
    assert first.secret not in repr(first)


def test_anything_else_is_not(engine: Engine) -> None:
    """Neither half a secret, nor one of another key, nor what is no secret at all."""
    first, second = made(engine), made(engine)
    head, tail = first.secret[:24], second.secret[24:]
    wrong = [
        *("", "x", "vstash_", first.key.id, head, first.secret[:-1], first.secret + "a"),
        *(first.secret.upper(), f" {first.secret}", f"{first.secret}\n", head + tail),
        *(
            head + "A" * 43,
            f"vstash_{'0' * 16}_{'A' * 43}",
            "vstash_\u00e9",
            "\ud800",
            "x" * 100_000,
        ),
        hashlib.sha256(first.secret.encode()).hexdigest(),
    ]
    assert [text for text in wrong if engine.keys.recognise(text) is not None] == []


def test_a_key_ends(engine: Engine, clock: Clock) -> None:
    """At its time, to the microsecond, and as soon as it is revoked; the list says when."""
    short, long = made(engine, days=1), made(engine)
    assert short.key.expires_at is not None
    clock.now = to_microseconds(short.key.expires_at) - 2
    assert engine.keys.recognise(short.secret) == short.key
    assert engine.keys.any_living()
    clock.now += 1
    assert engine.keys.recognise(short.secret) is None
    revoked = engine.keys.revoke(long.key.id)
    assert revoked.revoked_at is not None
    assert engine.keys.recognise(long.secret) is None
    assert not engine.keys.any_living()
    clock.now += 1_000_000
    assert engine.keys.revoke(long.key.id) == revoked
    assert engine.keys.listed() == (short.key, revoked)


def test_other_processes_are_seen_at_once(engine: Engine, tmp_path: Path) -> None:
    """A key made or revoked through another connection counts in the next moment."""
    other = open_engine(tmp_path / "x.db", model="fake")
    try:
        key = made(other)
        assert engine.keys.recognise(key.secret) == key.key
        other.keys.revoke(key.key.id)
        assert engine.keys.recognise(key.secret) is None
    finally:
        other.close()


def test_the_secret_is_not_in_the_file(tmp_path: Path) -> None:
    """Neither it nor its random part is in any file, nor in what vstash tells of the file."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        key = memory.create_key("laptop")
        memory.add("A text.", key="kept")
        told = repr((memory.stats(), memory.check(), memory.keys()))
        stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        # The control: what is stored is found like this.
        assert key.key.id.encode() in stored
        assert hashlib.sha256(key.secret.encode()).digest() in stored
        for part in (key.secret, key.secret[24:], key.secret[24:50]):
            assert part.encode() not in stored
            assert part not in told
        assert memory.access(key.secret) == key.key


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": " \t"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "a\x1bb"}, "/name"),
        ({"name": "a\0b"}, "/name"),
        ({"name": 5}, "/name"),
        ({"scope": "owner"}, "/scope"),
        ({"scope": []}, "/scope"),
        ({"collection": "a b"}, "/collection"),
        ({"collection": ""}, "/collection"),
        ({"expires_at": "2040-01-01"}, "/expires_at"),
        ({"expires_at": to_datetime(0)}, "/expires_at"),
        ({"expires_at": to_datetime(0).replace(tzinfo=None)}, "/expires_at"),
    ],
)
def test_what_cannot_be_a_key(memory: Memory, fields: dict[str, object], pointer: str) -> None:
    """Every field is checked, and nothing is stored."""
    given: dict[str, Any] = {"name": "x", **fields}
    with pytest.raises(FieldError) as caught:
        memory.create_key(**given)
    assert caught.value.pointer == pointer
    assert memory.keys() == ()


def test_revoking_what_there_is_not(memory: Memory) -> None:
    """An id that is unknown, or none at all."""
    with pytest.raises(KeyNotFoundError):
        memory.revoke_key("0" * 16)
    with pytest.raises(FieldError):
        memory.revoke_key("")


def plain_comparisons(text: str) -> list[str]:
    """Comparisons of anything named a secret or a digest that stop at the first difference."""
    found = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Eq | ast.NotEq | ast.In) for operator in node.ops)
    ]
    names = [ast.unparse(node) for node in found]
    return [name for name in names if "secret" in name or "digest" in name]


def test_digests_are_compared_in_constant_time() -> None:
    """By hmac.compare_digest alone, and the file is asked for ids, not for digests."""
    text = inspect.getsource(source)
    assert plain_comparisons(text) == []
    assert text.count("compare_digest(_digest(secret), digest)") == 1
    # The controls.
    assert plain_comparisons("same = digest == _digest(secret)") != []
    assert plain_comparisons("secret in secrets") != []
