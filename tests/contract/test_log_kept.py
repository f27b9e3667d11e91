"""What the log keeps of searches, and what it tells in all, the same through every interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface
from tests.contract.opening import Opener
from vstash import Memory, NewDocument
from vstash.wire import to_json


@pytest.fixture
def hen(path: Path) -> int:
    """A file with four documents of one chunk; the id of the first chunk."""
    texts = ("The hen is an animal.", "The cow, too.", "A staging port.", "Tea.")
    with Memory(path, model="fake") as memory:
        memory.add_batch([NewDocument(text) for text in texts])
        return memory.search("hen", log=False).hits[0].chunk.id


def test_what_is_asked_again_is_one_entry(interface: Interface, hen: int) -> None:
    """Under the last id; the first takes feedback as well."""
    ids = [interface.search(query)["id"] for query in ("The hen", "the HEN!")]
    interface.feedback(ids[0], hen, "opened")
    (logged,) = interface.disagreements()["items"]
    assert (logged["search_id"], logged["query"], logged["asked"]) == (ids[1], "the HEN!", 2)
    assert logged["first_at"] < logged["at"]
    assert interface.judged_searches()["items"][0]["search_id"] == ids[1]


def test_a_query_put_anew_is_linked(interface: Interface, hen: int) -> None:
    """In one session, whether it was a search or a context."""
    first = interface.search("staging hen port", session="a")
    interface.context("which hen is at staging", session="a")
    later, earlier = interface.disagreements()["items"]
    assert (earlier["session"], earlier["reformulates"]) == ("a", None)
    assert (later["session"], later["reformulates"]) == ("a", first["id"])


@pytest.mark.parametrize("session", ["", "x" * 201], ids=["empty", "long"])
def test_a_session_is_bounded(interface: Interface, hen: int, session: str) -> None:
    """One to 200 characters."""
    with pytest.raises(ContractError) as refused:
        interface.search("hen", session=session)
    assert (refused.value.code, refused.value.pointer) == ("field_invalid", "/session")


def test_ids_only(opening: Opener, hen: int, path: Path) -> None:
    """With this setting there is no text to be shown, and no triple."""
    interface = opening(path, {"log_searches": "ids-only"})
    interface.search("hen")
    (logged,) = interface.disagreements(texts=True)["items"]
    assert (logged["query"], logged["triples"]) == (None, [])
    assert logged["vector_leg"]


def test_texts_are_removed_from_the_log(interface: Interface, hen: int, path: Path) -> None:
    """Of one collection where one is named; what was said of answers stays."""
    with Memory(path) as memory:
        memory.add("Elsewhere.", collection="other")
        memory.search("parasol", collection="other")
        memory.feedback(memory.search("umbrella").id, hen, "helpful")
    done = interface.redact_log("default")
    assert (done["searches"], done["purged"], done["remedy"]) == (1, True, "")
    assert [item["query"] for item in interface.disagreements()["items"]] == [None, "parasol"]
    assert interface.judged_searches()["items"][0]["query"] is None


def test_the_report(interface: Interface, hen: int, path: Path) -> None:
    """It is that of the file; a malformed collection is refused."""
    with Memory(path) as memory:
        for query in ("hen", "hen", "hen cow", "tea port"):
            search = memory.search(query, session="a")
        memory.feedback(search.id, hen, "helpful")
        wanted = to_json(memory.disagreement_report())
    assert interface.disagreement_report() == wanted
    with pytest.raises(ContractError) as refused:
        interface.disagreement_report("-x")
    assert refused.value.code == "field_invalid"
