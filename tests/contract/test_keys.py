"""Access keys are made, listed and revoked the same through every interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface
from vstash import Memory

FIELDS = {"id", "name", "scope", "collection", "created", "expires_at", "revoked_at"}


@pytest.fixture
def path(path: Path) -> Path:
    """A file that is there, since a list makes none."""
    Memory(path, model="fake").close()
    return path


def test_a_key_is_made_listed_and_revoked(interface: Interface, path: Path) -> None:
    """Its secret is shown once, and is worth something until it is revoked."""
    assert interface.keys() == []
    made = interface.create_key(
        " a  laptop ", scope="write", collection="notes", expires_at="2100-01-02T03:04:05+01:00"
    )
    assert made.keys() == {"key", "secret"}
    key = made["key"]
    assert key.keys() == FIELDS
    assert (key["name"], key["scope"], key["collection"]) == ("a laptop", "write", "notes")
    assert (key["expires_at"], key["revoked_at"]) == ("2100-01-02T02:04:05.000000Z", None)
    assert made["secret"].startswith(f"vstash_{key['id']}_")
    plain = interface.create_key("plain")
    assert (plain["key"]["scope"], plain["key"]["collection"]) == ("read", None)
    assert plain["key"]["expires_at"] is None
    assert interface.keys() == [key, plain["key"]]
    with Memory(path, model="fake") as memory:
        found = memory.access(made["secret"])
        assert found is not None
        assert found.id == key["id"]
        revoked = interface.revoke_key(key["id"])
        assert revoked["revoked_at"] >= key["created"]
        assert memory.access(made["secret"]) is None
    assert revoked | {"revoked_at": None} == key
    assert interface.revoke_key(key["id"]) == revoked
    assert interface.keys() == [revoked, plain["key"]]


@pytest.mark.parametrize(
    ("name", "fields", "pointer"),
    [
        ("", {}, "/name"),
        ("x" * 101, {}, "/name"),
        ("x", {"scope": "owner"}, "/scope"),
        ("x", {"collection": "a b"}, "/collection"),
        ("x", {"expires_at": "tomorrow"}, "/expires_at"),
        ("x", {"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
    ],
)
def test_what_cannot_be_a_key(
    interface: Interface, name: str, fields: dict[str, str], pointer: str
) -> None:
    """The same error everywhere, and no key."""
    with pytest.raises(ContractError) as refused:
        interface.create_key(name, **fields)
    assert (refused.value.code, refused.value.pointer) == ("field_invalid", pointer)
    assert interface.keys() == []


def test_an_unknown_key_cannot_be_revoked(interface: Interface) -> None:
    """It is not there."""
    with pytest.raises(ContractError) as refused:
        interface.revoke_key("0123456789abcdef")
    assert (refused.value.code, refused.value.pointer) == ("key_not_found", "/id")
    assert refused.value.status == 404
