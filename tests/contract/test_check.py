"""Every interface finds what was changed by hand, repairs it, and changes no text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface
from tests.faults.drifts import planted


def _add(interface: Interface) -> dict[str, object]:
    return interface.add("The amber lamp is lit.", key="lamp", title="Lamps", tags=["a"])


def test_a_sound_file_has_no_finding_at_any_level(interface: Interface) -> None:
    """Both levels say how much they looked at, and a repair of nothing makes no backup."""
    _add(interface)
    for level in ("quick", "full"):
        report = interface.check(level=level)
        assert (report["level"], report["findings"]) == (level, [])
        assert (report["documents"], report["chunks"]) == (1, 1)
    report = interface.repair()
    assert (report["found"], report["repaired"], report["left"]) == ([], [], [])
    assert (report["backup"], report["awaiting"]) == (None, 0)


def test_what_is_derived_is_repaired(interface: Interface, path: Path) -> None:
    """Words, vector and a counter that were removed are found, and there again after a repair."""
    document = _add(interface)
    with planted(path) as connection:
        connection.execute("INSERT INTO keyword (keyword) VALUES ('delete-all')")
        connection.execute("DELETE FROM vector_1; DELETE FROM meta WHERE name = 'chunk_count'")
    quickly = {finding["code"] for finding in interface.check(level="quick")["findings"]}
    assert {"words_missing", "vector_missing", "counter_differs"} <= quickly
    report = interface.repair()
    assert {finding["code"] for finding in report["found"]} >= quickly
    assert (set(report["repaired"]) >= quickly, report["left"]) == (True, [])
    assert report["backup"].endswith("-repair.db")
    assert report["awaiting"] == 0
    assert interface.check()["findings"] == []
    assert interface.get(str(document["id"]))["text"] == "The amber lamp is lit."
    assert interface.search("amber")["hits"][0]["document"]["key"] == "lamp"


def test_changed_content_is_left_until_it_is_accepted(interface: Interface, path: Path) -> None:
    """A text that does not match its hash is never hidden: only who accepts it ends the finding."""
    document = _add(interface)
    with planted(path) as connection:
        connection.execute("UPDATE text_part SET text = replace(text, 'amber', 'green')")
    report = interface.repair()
    assert [finding["code"] for finding in report["left"]] == ["text_hash"]
    assert report["left"][0]["examples"] == [document["id"]]
    report = interface.repair(accept_content=True)
    assert (report["left"], report["accepted"]) == ([], [document["id"]])
    assert interface.check()["findings"] == []
    assert interface.get(str(document["id"]))["text"] == "The green lamp is lit."


def test_a_level_that_there_is_not_is_refused(interface: Interface) -> None:
    """A typed error with the field's name; the command line has an option for each."""
    if interface.kind == "cli":
        pytest.skip("--quick is its only option")
    with pytest.raises(ContractError) as caught:
        interface.check(level="deep")
    assert (caught.value.status, caught.value.pointer) == (422, "/level")
