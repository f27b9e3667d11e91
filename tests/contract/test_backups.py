"""Backups are made, listed, removed and brought back the same through every interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface
from vstash import Memory

FIELDS = {"name", "created", "bytes", "reason", "schema_version", "documents", "chunks"}


@pytest.fixture
def path(path: Path) -> Path:
    """A file that is there, since a list makes none."""
    Memory(path, model="fake").close()
    return path


def test_a_backup_is_made_and_brought_back(interface: Interface, path: Path) -> None:
    """What came later is gone, what was there is kept, and both can be found again."""
    assert interface.backups() == []
    interface.add("The amber lamp.", key="lamp")
    made = interface.backup()
    assert made.keys() == FIELDS
    assert (made["reason"], made["documents"], made["chunks"]) == (None, 1, 1)
    assert (path.parent / "backups" / made["name"]).stat().st_mode & 0o777 == 0o600
    interface.add("The cedar door.", key="door")
    with pytest.raises(ContractError) as caught:
        interface.restore(made["name"])
    assert (caught.value.code, caught.value.status) == ("would_overwrite", 409)
    told = interface.restore(made["name"], force=True)
    assert told.keys() == {"documents", "chunks", "schema_version", "kept", "seconds"}
    assert (told["documents"], told["chunks"]) == (1, 1)
    assert [hit["document"]["key"] for hit in interface.search("cedar door")["hits"]] == ["lamp"]
    kept = interface.backups()[0]
    assert (kept["name"], kept["reason"], kept["documents"]) == (told["kept"], "restore", 2)
    interface.restore(kept["name"], force=True)
    found = interface.search("cedar door")["hits"]
    assert [hit["document"]["key"] for hit in found] == ["door", "lamp"]
    assert interface.check()["findings"] == []


def test_a_backup_is_removed(interface: Interface, path: Path) -> None:
    """It is listed until then, and its file is gone."""
    first, second = interface.backup(), interface.backup()
    assert interface.backups() == [second, first]
    assert interface.delete_backup(first["name"]) == first
    assert interface.backups() == [second]
    assert [item.name for item in (path.parent / "backups").iterdir()] == [second["name"]]


@pytest.mark.parametrize("name", ["none", "memory-20260102T030405Z.db", "..", "%2e%2e"])
def test_a_backup_that_there_is_not(interface: Interface, path: Path, name: str) -> None:
    """A name becomes no path, whatever it is; nothing is touched."""
    for call in (interface.delete_backup, lambda name: interface.restore(name, force=True)):
        with pytest.raises(ContractError) as caught:
            call(name)
        assert (caught.value.code, caught.value.status) == ("backup_not_found", 404)
    assert path.exists()
