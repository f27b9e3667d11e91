"""Feedback on searches, given and read back the same through every interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import ContractError, Interface
from tests.contract.opening import Opener
from vstash import Memory, NewDocument


@pytest.fixture
def chunks(path: Path) -> dict[str, int]:
    """A file with three documents of one chunk; the chunks' ids by key."""
    texts = {"tea": "Ada prefers tea.", "milk": "Tea goes with milk.", "ice": "Ice is cold."}
    with Memory(path, model="fake") as memory:
        memory.add_batch([NewDocument(text, key=key) for key, text in texts.items()])
        memory.add("Tea in another collection.", key="far", collection="other")
        hits = memory.search("tea", log=False).hits
        return {hit.document.key: hit.chunk.id for hit in hits} | {"far": 4}


def test_feedback_is_read_back(interface: Interface, chunks: dict[str, int]) -> None:
    """Query, collection and time of the search, and each verdict with its document's key."""
    search = interface.search("who drinks tea")
    given = {"tea": "helpful", "ice": "not_helpful", "milk": "cited"}
    stored = [
        interface.feedback(search["id"], chunks[key], verdict) for key, verdict in given.items()
    ]
    assert [verdict["document_key"] for verdict in stored] == list(given)
    assert [verdict["verdict"] for verdict in stored] == list(given.values())
    assert [verdict["chunk_id"] for verdict in stored] == [chunks[key] for key in given]
    assert stored[0]["document_id"] == interface.get_by_key("tea")["id"]
    page = interface.judged_searches()
    (judged,) = page["items"]
    assert page["next_cursor"] is None
    assert judged["verdicts"] == stored
    assert (judged["search_id"], judged["query"]) == (search["id"], "who drinks tea")
    assert judged["collection"] == "default"
    assert judged["at"] <= stored[0]["at"]
    assert interface.stats()["feedback"] == 3


def test_the_last_verdict_counts(interface: Interface, chunks: dict[str, int]) -> None:
    """Another verdict on a chunk takes the place of the one before; a repetition changes nothing."""
    search = interface.search("tea")["id"]
    interface.feedback(search, chunks["tea"], "helpful")
    second = interface.feedback(search, chunks["tea"], "not_helpful")
    assert interface.feedback(search, chunks["tea"], "not_helpful") == second
    (judged,) = interface.judged_searches()["items"]
    assert judged["verdicts"] == [second]


def test_the_newest_judged_search_comes_first(
    interface: Interface, chunks: dict[str, int], path: Path
) -> None:
    """Pages go back in time, whenever the feedback came; searches without any are left out."""
    with Memory(path) as memory:
        ids = [memory.search(query).id for query in ("tea", "milk", "ice", "cold")]
    for at in (3, 0, 1):
        interface.feedback(ids[at], chunks["tea"], "helpful")
    first = interface.judged_searches(limit=2)
    second = interface.judged_searches(limit=2, cursor=first["next_cursor"])
    queries = [item["query"] for page in (first, second) for item in page["items"]]
    assert queries == ["cold", "milk", "tea"]
    assert second["next_cursor"] is None


def test_feedback_outlives_a_replacement(interface: Interface, chunks: dict[str, int]) -> None:
    """The chunk is gone, the document that answered is still known."""
    search = interface.search("tea")["id"]
    given = interface.feedback(search, chunks["tea"], "cited")
    interface.add("Ada prefers cocoa by now.", key="tea")
    (judged,) = interface.judged_searches()["items"]
    assert judged["verdicts"] == [given | {"chunk_id": None}]
    with pytest.raises(ContractError) as refused:
        interface.feedback(search, chunks["tea"], "cited")
    assert (refused.value.code, refused.value.pointer) == ("chunk_not_found", "/chunk_id")
    assert interface.check()["findings"] == []


def test_feedback_goes_with_its_document(interface: Interface, chunks: dict[str, int]) -> None:
    """Nothing of a removed document is left, be it replaced before; what others got stays."""
    search = interface.search("tea")["id"]
    for key in ("tea", "milk"):
        interface.feedback(search, chunks[key], "helpful")
    replaced = interface.add("Ada prefers cocoa by now.", key="tea")
    interface.delete(replaced["id"])
    (judged,) = interface.judged_searches()["items"]
    assert [verdict["document_key"] for verdict in judged["verdicts"]] == ["milk"]
    interface.delete(judged["verdicts"][0]["document_id"])
    assert interface.judged_searches()["items"] == []
    assert interface.stats()["feedback"] == 0


@pytest.mark.parametrize("mode", ["vector", "keyword"])
def test_only_logged_searches_take_feedback(
    interface: Interface, chunks: dict[str, int], mode: str
) -> None:
    """A search of one leg is not logged, so its id is not known."""
    search = interface.search("tea", mode=mode)["id"]
    with pytest.raises(ContractError) as refused:
        interface.feedback(search, chunks["tea"], "helpful")
    assert (refused.value.code, refused.value.pointer) == ("search_not_found", "/search_id")


def test_without_a_log_there_is_no_feedback(
    opening: Opener, chunks: dict[str, int], path: Path
) -> None:
    """With the setting log_searches=false the search is not known afterwards."""
    interface = opening(path, {"log_searches": "false"})
    search = interface.search("tea")["id"]
    with pytest.raises(ContractError) as refused:
        interface.feedback(search, chunks["tea"], "helpful")
    assert (refused.value.code, refused.value.status) == ("search_not_found", 404)


def test_a_chunk_of_another_collection_is_refused(
    interface: Interface, chunks: dict[str, int]
) -> None:
    """The search could never find it, and its key means another document there."""
    search = interface.search("tea")["id"]
    for chunk in (chunks["far"], 999):
        with pytest.raises(ContractError) as refused:
            interface.feedback(search, chunk, "helpful")
        assert (refused.value.code, refused.value.pointer) == ("chunk_not_found", "/chunk_id")
    assert interface.judged_searches()["items"] == []


def test_many_at_once(interface: Interface, chunks: dict[str, int]) -> None:
    """One that cannot be stored does not keep the others out, and every one is answered."""
    if interface.kind == "cli":
        pytest.skip("a command gives one verdict")
    search = interface.search("tea")["id"]
    items = [
        {"search_id": search, "chunk_id": chunks["tea"], "verdict": "helpful"},
        {"search_id": "unknown", "chunk_id": chunks["tea"], "verdict": "helpful"},
        {"search_id": search, "chunk_id": 999, "verdict": "helpful"},
        {"search_id": search, "chunk_id": chunks["milk"], "verdict": "great"},
        {"search_id": search, "chunk_id": chunks["tea"], "verdict": "cited"},
        {"search_id": search, "chunk_id": 0, "verdict": "cited"},
    ]
    results = interface.feedback_batch(items)
    codes = [result["error"]["code"] if "error" in result else "" for result in results]
    assert codes == [
        "",
        "search_not_found",
        "chunk_not_found",
        "field_invalid",
        "",
        "field_invalid",
    ]
    (judged,) = interface.judged_searches()["items"]
    assert judged["verdicts"] == [results[4]["verdict"]]
    assert interface.feedback_batch([]) == ()
