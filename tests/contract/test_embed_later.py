"""Documents whose vectors are left for later, the same through every interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface
from vstash import Memory


def test_what_waits_is_stored_and_found_by_its_words(interface: Interface) -> None:
    """At once, whether or not its vector is there yet; how many wait is told."""
    interface.add("The cedar door.", key="now")
    stored = interface.add("The amber lamp.", key="later", embed="later")
    assert (stored["key"], stored["chunk_count"]) == ("later", 1)
    result = interface.search("amber")
    assert result["hits"][0]["document"]["key"] == "later"
    assert result["degraded"] == []
    # A service embeds in the background, and may have been faster.
    waits = interface.kind not in {"rest", "client"}
    assert result["awaiting"] in ({1} if waits else {0, 1})
    stats = interface.stats()
    assert stats["vectors"] + stats["awaiting"] == stats["chunks"] == 2
    assert interface.check()["findings"] == []


def test_embedding_ends_the_waiting(interface: Interface, path: Path) -> None:
    """Whoever embeds, everybody sees it."""
    interface.add("The amber lamp.", key="later", embed="later")
    with Memory(path) as memory:
        memory.embed()
    result = interface.search("amber")
    assert (result["awaiting"], interface.stats()["vectors"]) == (0, 1)
    assert result["hits"][0]["vector_rank"] == 1


def test_another_time_is_refused(interface: Interface) -> None:
    """There are two, and nothing was stored."""
    with pytest.raises(ContractError) as error:
        interface.add("The amber lamp.", embed="soon")
    assert (error.value.status, error.value.pointer) == (422, "/embed")
    assert interface.stats()["documents"] == 0
