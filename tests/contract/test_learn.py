"""Every interface shows what was learnt, uses it and goes back, and searches say what they used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface, JsonDict
from tests.learnt import REASON, turned


def filled(interface: Interface) -> None:
    """A file with two documents."""
    interface.add("The amber lamp is lit.", key="lamp")
    interface.add("The cedar door is shut.", key="door")


def used(interface: Interface) -> list[str]:
    """What the next search uses."""
    found: list[str] = interface.search("amber lamp")["learned"]
    return found


def active(interface: Interface) -> dict[str, bool]:
    """What was learnt, and whether it is in use."""
    return {each["id"]: each["active"] for each in interface.learned()["items"]}


def test_history_newest_first(interface: Interface, path: Path) -> None:
    """Each with its decision, in pages, of one collection or of all."""
    filled(interface)
    assert interface.learned() == {"items": [], "next_cursor": None}
    ids = turned(path, "fusion", "adapter", "fusion")
    items = interface.learned()["items"]
    assert [each["id"] for each in items] == ids[::-1]
    assert [each["learner"] for each in items] == ["fusion", "adapter", "fusion"]
    assert [each["active"] for each in items] == [True, True, False]
    first: JsonDict = items[0]
    assert (first["collection"], first["model"], first["accepted"]) == ("default", "fake", True)
    assert first["decision"]["reasons"] == [REASON]
    page = interface.learned(limit=2)
    rest = interface.learned(limit=2, cursor=page["next_cursor"], collection="default")
    assert [each["id"] for each in page["items"] + rest["items"]] == ids[::-1]
    assert interface.learned(collection="other")["items"] == []


def test_there_and_back(interface: Interface, path: Path) -> None:
    """What another process stored and used is used at once; each rollback goes one step further back."""
    filled(interface)
    assert used(interface) == []
    first, adapter, second = turned(path, "fusion", "adapter", "fusion")
    assert used(interface) == [second, adapter]
    report = interface.rollback()
    assert report["switched"] == [
        {"learner": "fusion", "before": second, "after": first},
        {"learner": "adapter", "before": adapter, "after": None},
    ]
    assert used(interface) == [first]
    assert interface.rollback(learner="adapter")["switched"] == []
    assert len(interface.rollback(collection="default", learner="fusion")["switched"]) == 1
    assert used(interface) == []
    assert interface.rollback()["switched"] == []
    assert not any(active(interface).values())
    assert interface.promote(second)["active"] is True
    assert interface.promote(second, collection="default")["active"] is True
    assert used(interface) == [second]
    assert interface.rollback()["switched"] == [
        {"learner": "fusion", "before": second, "after": None}
    ]
    assert interface.check()["findings"] == []


def test_refused_needs_force(interface: Interface, path: Path) -> None:
    """What the gate refused is not used unless that is forced, and then it is."""
    filled(interface)
    (refused,) = turned(path, "fusion", accepted=False, use=False)
    with pytest.raises(ContractError) as caught:
        interface.promote(refused)
    assert (caught.value.code, caught.value.status) == ("learned_refused", 409)
    assert used(interface) == []
    assert interface.promote(refused, force=True)["accepted"] is False
    assert used(interface) == [refused]


def test_nothing_of_this_id(interface: Interface, path: Path) -> None:
    """An id of nothing, or of another collection's, is not found."""
    filled(interface)
    (there,) = turned(path, "fusion", use=False)
    for learned_id, fields in (("none", {}), (there, {"collection": "other"})):
        with pytest.raises(ContractError) as caught:
            interface.promote(learned_id, **fields)
        assert (caught.value.code, caught.value.pointer) == ("learned_not_found", "/id")


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"collection": "none"}, {"collection_not_found"}),
        ({"learner": "luck"}, {"field_invalid", "input_invalid"}),
        ({"collection": " "}, {"field_invalid"}),
    ],
)
def test_wrong_rollbacks(interface: Interface, fields: JsonDict, codes: set[str]) -> None:
    """Each is refused, and names the field."""
    filled(interface)
    with pytest.raises(ContractError) as caught:
        interface.rollback(**fields)
    assert caught.value.code in codes
    assert caught.value.pointer == f"/{next(iter(fields))}"


def test_a_switch_of_models_keeps_it(interface: Interface, path: Path) -> None:
    """What was learnt stays with its model: it is not used with another, and is back with its own."""
    filled(interface)
    ids = turned(path, "fusion", "adapter")
    interface.reindex("fake-32")
    assert used(interface) == []
    with pytest.raises(ContractError) as caught:
        interface.promote(ids[0])
    assert (caught.value.code, caught.value.status) == ("learned_other_model", 409)
    interface.use_model("fake")
    assert used(interface) == ids
    interface.reindex("fake-32")
    interface.remove_model("fake")
    assert interface.learned()["items"] == []
    assert interface.check()["findings"] == []


def test_it_goes_with_its_collection(interface: Interface, path: Path) -> None:
    """Deleting a collection removes what was learnt of it; the next one of that name starts anew."""
    filled(interface)
    turned(path, "fusion", "adapter")
    assert interface.delete_collection("default")["documents"] == 2
    assert interface.learned()["items"] == []
    filled(interface)
    assert used(interface) == []
    assert interface.check()["findings"] == []


def test_whether_it_learns_by_itself(interface: Interface) -> None:
    """Off unless set, and what there is to learn."""
    filled(interface)
    state = interface.auto_learning()
    assert (state["on"], state["cpu_percent"], state["searches"]) == (False, 10, 200)
    (only,) = state["collections"]
    assert (only["collection"], only["last"], only["due"]) == ("default", None, False)
