"""The disagreement log, written by searches and read the same through every interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import Interface
from tests.contract.opening import Opener
from vstash import Memory, NewDocument

# Every informative word of it stands in one long text alone, every other word in many short ones:
# keywords know the answer, the test embedder, for which all words count the same, does not.
QUERY = "what was it that they were with the quokka"


@pytest.fixture
def answer(path: Path) -> str:
    """A file in which the legs disagree; the id of the document that only keywords find."""
    decoys = [
        NewDocument(f"What was it that they were with the {word}?", key=word)
        for word in ("hen", "cow", "pig", "dog", "cat", "ant", "bee", "owl", "fox", "elk", "emu")
    ]
    with Memory(path, model="fake") as memory:
        memory.add_batch(decoys)
        words = " ".join(f"word{number}" for number in range(80))
        return memory.add(f"{words} quokka", key="answer").id


def test_a_search_is_logged_with_both_legs(interface: Interface, answer: str, path: Path) -> None:
    """Query, weights, what each leg listed, how far they differ, and the triples of it."""
    # By ranks: the scores of the default would mask one of the two negatives.
    result = interface.search(QUERY, strategy="rrf")
    (logged,) = interface.disagreements(texts=True)["items"]
    assert logged["search_id"] == result["id"]
    names = ("query", "mode", "strategy", "weights")
    assert {name: logged[name] for name in names} == {name: result[name] for name in names}
    assert (logged["collection"], logged["k"]) == ("default", 10)
    vector = [entry["chunk_id"] for entry in logged["vector_leg"]]
    keyword = [entry["chunk_id"] for entry in logged["keyword_leg"]]
    assert (len(vector), len(keyword)) == (10, 1)
    assert logged["disagreement"] == pytest.approx(1 - len({*vector} & {*keyword}) / 10)
    triples = {triple["kind"]: triple for triple in logged["triples"]}
    assert set(triples) == {"dense_blind_spot", "lexical_blind_spot"}
    triple = triples["dense_blind_spot"]
    assert triple["positive_chunk_id"] == keyword[0]
    assert triple["negative_chunk_id"] in vector
    assert triple["positive_text"].endswith("quokka")
    assert triple["negative_text"].startswith("What was it")
    assert triple["evidence"]
    with Memory(path) as memory:
        assert memory.get_chunk(keyword[0]).document_id == answer
        assert memory.stats().mean_disagreement == pytest.approx(logged["disagreement"])


def test_the_newest_search_comes_first(interface: Interface, answer: str, path: Path) -> None:
    """Pages go back in time, each search once; texts are left out unless asked for."""
    with Memory(path) as memory:
        for word in ("hen", "cow"):
            memory.search(word)
    interface.search(QUERY)
    first = interface.disagreements(limit=1)
    second = interface.disagreements(limit=2, cursor=first["next_cursor"])
    queries = [item["query"] for page in (first, second) for item in page["items"]]
    assert queries == [QUERY, "cow", "hen"]
    assert second["next_cursor"] is None
    assert first["items"][0]["triples"][0]["positive_text"] is None


@pytest.mark.parametrize("mode", ["vector", "keyword"])
def test_one_leg_alone_is_not_logged(
    interface: Interface, answer: str, path: Path, mode: str
) -> None:
    """It says nothing about where the two disagree."""
    interface.search(QUERY, mode=mode)
    interface.close()
    with Memory(path) as memory:
        assert memory.stats().searches_logged == 0


def test_the_log_can_be_switched_off(opening: Opener, answer: str, path: Path) -> None:
    """With the setting log_searches=false nothing is kept of a search."""
    interface = opening(path, {"log_searches": "false"})
    assert interface.search(QUERY)["id"]
    interface.close()
    with Memory(path) as memory:
        stats = memory.stats()
    assert (stats.searches_logged, stats.triples, stats.mean_disagreement) == (0, 0, None)


def test_the_log_is_bounded(opening: Opener, answer: str, path: Path) -> None:
    """With the setting log_max_rows=3 only the last three searches are kept."""
    with Memory(path) as memory:
        for word in ("hen", "cow", "pig", "dog"):
            memory.search(word)
    interface = opening(path, {"log_max_rows": "3"})
    interface.search("cat")
    found = interface.disagreements()["items"]
    assert [item["query"] for item in found] == ["cat", "dog", "pig"]


def test_a_deleted_document_takes_its_triples_along(
    interface: Interface, answer: str, path: Path
) -> None:
    """The search stays in the log, without a triple that names a chunk that is gone."""
    with Memory(path) as memory:
        memory.search(QUERY)
        assert memory.stats().triples > 0
    interface.delete(answer)
    (logged,) = interface.disagreements(texts=True)["items"]
    assert (logged["query"], logged["triples"]) == (QUERY, [])
    with Memory(path) as memory:
        assert memory.stats().triples == 0
        assert memory.check().findings == ()
