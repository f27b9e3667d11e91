"""Forgetting and full compaction, the same through every interface."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Final

import pytest

from tests.contract.interface import ContractError, Interface, JsonDict
from vstash import Memory

PAST = datetime(2001, 1, 1, tzinfo=timezone.utc)


def _keys(interface: Interface) -> set[str]:
    return {item["key"] for item in interface.list()["items"]}


def _counted(report: JsonDict) -> tuple[int, int, bool, bool]:
    return report["documents"], report["chunks"], report["purged"], report["log_emptied"]


def test_each_way_of_naming(interface: Interface, path: Path) -> None:
    """By id, key, filter and source; what else there is stays, and can be found."""
    found = interface.add("Amber lamp.", key="/notes/a")
    with Memory(path, model="fake") as memory:
        for key in ("/notes/b", "/notes", "/notesc", "d", "e"):
            memory.add(f"About {key}.", key=key, tags=[key])
        memory.add("Elsewhere.", key="/notes/x", collection="other")
    assert _counted(interface.forget(found["id"])) == (1, 1, True, True)
    assert _counted(interface.forget(key="d")) == (1, 1, True, True)
    assert _counted(interface.forget(where={"tags": {"contains": "e"}})) == (1, 1, True, True)
    assert _counted(interface.forget(source="/notes/", collection="default"))[0] == 2
    assert _keys(interface) == {"/notesc"}
    assert interface.forget(source="/notes")["documents"] == 1
    with Memory(path, model="fake") as memory:
        assert memory.search("notesc").hits[0].document.key == "/notesc"
        assert memory.check().ok
        assert memory.stats().documents == 1


def test_a_dry_run_tells_and_changes_nothing(interface: Interface, path: Path) -> None:
    """How much there is, and what: afterwards nothing tells of it."""
    with Memory(path, model="fake") as memory:
        memory.add("Amber lamp.", key="a")
        memory.search("amber lamp")
    told = interface.forget(key="a", dry_run=True)
    assert (told["documents"], told["dry_run"], told["sample"][0]["key"]) == (1, True, "a")
    assert told["searches"] >= 1
    with Memory(path, model="fake") as memory:
        assert memory.stats().documents == 1
    done = interface.forget(key="a")
    assert (done["documents"], done["dry_run"], done["sample"], done["remedy"]) == (
        1,
        False,
        [],
        "",
    )
    assert done["searches"] == told["searches"]
    assert done["bytes_after"] <= done["bytes_before"]


def test_expired_documents_are_meant(interface: Interface, path: Path) -> None:
    """They are hidden from searches, and in the file until somebody removes them."""
    with Memory(path, model="fake") as memory:
        for key in ("a", "b", "c"):
            memory.add("Hidden.", key=key, expires_at=PAST)
    assert interface.forget(where={"key": {"eq": "b"}})["documents"] == 1
    with Memory(path, model="fake") as memory:
        assert memory.forget(key="a").documents == 1
        assert memory.forget(source="c").documents == 1


REFUSED: Final[list[tuple[JsonDict, tuple[str, str, int]]]] = [
    ({"key": "a", "source": "b"}, ("field_invalid", "/document_id", 422)),
    ({"key": "nobody"}, ("document_not_found", "/key", 404)),
    ({"source": ""}, ("field_invalid", "/source", 422)),
    ({"where": {"a": 1}}, ("filter_invalid", "/where/a", 422)),
]


def test_what_cannot_be_named(interface: Interface) -> None:
    """It is refused with the place at fault, and nothing is removed."""
    interface.add("Stays.", key="a")
    for fields, (code, pointer, status) in REFUSED:
        with pytest.raises(ContractError) as error:
            interface.forget(**fields)
        found = error.value
        assert (found.code, found.pointer, found.status) == (code, pointer, status)
    assert _keys(interface) == {"a"}


def test_full_compaction_gives_room_back(interface: Interface, path: Path) -> None:
    """Free pages are told of first, and gone afterwards."""
    with Memory(path, model="fake") as memory:
        for number in range(40):
            memory.add(f"Page {number} " + "x" * 20_000, key=str(number))
        for number in range(1, 40):
            memory.delete(key=str(number))
    plain = interface.compact()
    assert plain["steps"] > 0
    full = interface.compact_full()
    assert full["bytes_after"] < plain["bytes_before"] // 2
    assert full["reclaimable"] == 0
    assert _keys(interface) == {"0"}
