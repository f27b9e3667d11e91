"""Every interface switches a file to another model, goes back, and removes what is not in use."""

from __future__ import annotations

import pytest

from tests.contract.interface import ContractError, Interface


def states(interface: Interface) -> dict[str, str]:
    """The state of each index that the file has, by its model's name."""
    return {each["name"]: each["index"] for each in interface.models() if each["index"] != "none"}


def filled(interface: Interface) -> None:
    """A file with two documents."""
    interface.add("The amber lamp is lit.", key="lamp")
    interface.add("The cedar door is shut.", key="door")


def first(interface: Interface, query: str) -> str:
    """The key of the first hit."""
    key: str = interface.search(query)["hits"][0]["document"]["key"]
    return key


def test_there_and_back(interface: Interface) -> None:
    """A reindex switches, use goes back with what was written since, and the file stays whole."""
    filled(interface)
    report = interface.reindex("fake-32")
    assert (report["before"], report["model"], report["switched"]) == ("fake", "fake-32", True)
    assert (report["embedded"], report["awaiting"]) == (2, 0)
    assert states(interface) == {"fake": "kept", "fake-32": "active"}
    interface.add("The jade cup is full.", key="cup")
    assert first(interface, "jade cup") == "cup"
    assert interface.use_model("fake")["embedded"] == 1
    assert first(interface, "jade cup") == "cup"
    assert interface.remove_model("fake-32")["vectors"] == 3
    assert states(interface) == {"fake": "active"}
    assert interface.check()["findings"] == []


def test_back_at_once(interface: Interface) -> None:
    """Going back with `later` leaves what was written since to be embedded."""
    filled(interface)
    interface.reindex("fake-32")
    interface.add("The jade cup is full.", key="cup")
    assert interface.use_model("fake", embed="later")["awaiting"] == 1
    assert interface.check()["findings"] == []


@pytest.mark.parametrize(
    "name", ["none", "../fake", "/etc", ".", "", "fake-0", "fake-99999", "a b"]
)
def test_a_name_is_no_path(interface: Interface, name: str) -> None:
    """What is no model's name is refused the same way everywhere, whatever lies at such a path."""
    filled(interface)
    for call in (interface.use_model, interface.remove_model):
        with pytest.raises(ContractError) as caught:
            call(name)
        assert caught.value.status in {400, 404, 405, 422}
    if interface.kind != "cli":
        # On the command line a separator makes it the path of a folder.
        with pytest.raises(ContractError) as caught:
            interface.reindex(name)
        assert caught.value.status in {400, 404, 405, 422}
    assert states(interface) == {"fake": "active"}


def test_the_model_in_use_stays(interface: Interface) -> None:
    """The index that searches use is not removed."""
    filled(interface)
    with pytest.raises(ContractError) as caught:
        interface.remove_model("fake")
    assert caught.value.code == "model_in_use"
    assert first(interface, "amber lamp") == "lamp"
