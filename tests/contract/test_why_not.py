"""Why a search does not return something, told the same through every interface."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.contract.interface import Interface, JsonDict, Kind
from tests.contract.opening import Shared
from vstash import Memory, NewDocument
from vstash.settings import Settings

_QUERY = "an amber lamp"
_BELL = "a brass bell"
_PARTS = ("vector_part", "keyword_part", "feedback_part", "exact_part", "recency_part")


def build(path: Path) -> None:
    """Write 80 documents that the query finds, and one for each other way to be lost."""
    lamps = [
        NewDocument(
            f"The amber lamp number {number} hangs in room {number} {'amber ' * (number % 7)}",
            key=f"lamp-{number}",
            metadata={"number": number},
        )
        for number in range(80)
    ]
    others = [
        NewDocument("Cedar and basil grow there.", key="wordless"),
        NewDocument("Quokka, zebra, lion, tiger, bear, wolf and an amber whale.", key="weak"),
        NewDocument("A brass bell.", key="first"),
        NewDocument("A brass bell.", key="twin"),
        NewDocument(
            "An amber lamp.", key="over", expires_at=datetime(2020, 1, 1, tzinfo=timezone.utc)
        ),
        NewDocument("An amber lamp.", key="elsewhere", collection="other"),
        NewDocument("The amber lamp of the hall. " * 20, key="long"),
    ]
    settings = Settings(chunk_tokens=30, chunk_overlap=0)
    with Memory(path, model="fake", settings=settings) as memory:
        memory.add_batch([*lamps, *others])


@pytest.fixture(scope="module")
def shared(later: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """These documents, which no test here changes."""
    path: Path = tmp_path_factory.mktemp("why-not") / "memory.db"
    build(path)
    return Shared(path, later)


@pytest.fixture
def library(kind: Kind, shared: Shared) -> Interface:
    """The interface under test over these."""
    return shared.through(kind)


def _sum(explanation: JsonDict) -> float:
    return float(sum(explanation[part] for part in _PARTS))


def test_outscored(library: Interface) -> None:
    """The search returns it at the rank told, with the score and the parts told."""
    told = library.why_not(_QUERY, key="lamp-5")
    assert (told["stage"], told["key"], told["collection"]) == ("outscored", "lamp-5", "default")
    rank = told["rank"]
    assert 10 < rank == told["k_needed"] <= 50
    assert told["score"] < told["score_needed"]
    assert _sum(told["explanation"]) == pytest.approx(told["score"], rel=1e-5)
    assert _sum(told["explanation_of_last"]) == pytest.approx(told["score_needed"], rel=1e-5)
    gaps = {part: told["explanation_of_last"][part] - told["explanation"][part] for part in _PARTS}
    assert max(gaps, key=lambda part: gaps[part]) == f"{told['lacks']}_part"
    assert f"number {rank}" in told["why"]
    assert f"raise k to {rank}" in told["advice"]
    hits = library.search(_QUERY, k=rank, explain=True)["hits"]
    assert (hits[-1]["chunk"]["id"], hits[-1]["document"]["key"]) == (told["chunk_id"], "lamp-5")
    assert hits[-1]["score"] == pytest.approx(told["score"], rel=1e-5)
    assert hits[9]["score"] == pytest.approx(told["score_needed"], rel=1e-5)
    assert hits[-1]["relevance"] == pytest.approx(told["relevance"], rel=1e-4)
    assert hits[-1]["explanation"]["matched"] == told["explanation"]["matched"]


def test_returned(library: Interface) -> None:
    """It is there: by id, by key and by chunk."""
    told = library.why_not(_BELL, key="first")
    assert (told["stage"], told["rank"], told["k_needed"]) == ("returned", 1, None)
    assert told["advice"] == []
    by_chunk = library.why_not(_BELL, chunk=told["chunk_id"])
    by_id = library.why_not(_BELL, document=told["document_id"])
    assert by_chunk == by_id == told
    assert library.search(_BELL, k=1)["hits"][0]["chunk"]["id"] == told["chunk_id"]


def test_not_a_candidate(library: Interface) -> None:
    """Its places are those of the legs alone, and what it needed is what the last listed had."""
    told = library.why_not(_QUERY, key="weak")
    assert told["stage"] == "not_a_candidate"
    assert (told["rank"], told["score"], told["depth"]) == (None, None, 50)
    assert [word["word"] for word in told["missing_words"]] == ["lamp"]
    assert told["vector_score"] < told["vector_needed"]
    assert told["keyword_score"] < told["keyword_needed"]
    for mode in ("vector", "keyword"):
        hits = library.search(_QUERY, k=100, mode=mode)["hits"]
        ids = [hit["chunk"]["id"] for hit in hits]
        assert ids.index(told["chunk_id"]) + 1 == told[f"{mode}_rank"] > 50
        own = hits[told[f"{mode}_rank"] - 1][f"{mode}_score"]
        assert own == pytest.approx(told[f"{mode}_score"], rel=1e-5)
        assert hits[49][f"{mode}_score"] == pytest.approx(told[f"{mode}_needed"], rel=1e-5)
    needed = told["k_needed"]
    assert f"raise k to {needed}" in told["advice"]
    hits = library.search(_QUERY, k=needed)["hits"]
    assert told["chunk_id"] in [hit["chunk"]["id"] for hit in hits]


def test_without_a_word(library: Interface) -> None:
    """It holds none of the query's words, and one of these is in no chunk at all."""
    told = library.why_not("an amber gyroscope", key="wordless")
    assert told["stage"] == "not_a_candidate"
    assert (told["keyword_rank"], told["keyword_score"]) == (None, 0)
    assert told["missing_words"][0]["chunks"] == 0
    assert "no chunk of the file holds gyroscop" in told["advice"]
    assert "none of the query's words is in it: amber" in told["advice"]


def test_filtered(library: Interface) -> None:
    """Only the conditions that it fails are named, and what would be without them."""
    tree = {
        "and": [
            {"metadata.number": {"gte": 10, "lt": 20}},
            {"key": {"prefix": "lamp"}},
            {"or": [{"title": {"eq": "a"}}, {"tags": {"contains": "b"}}]},
        ]
    }
    told = library.why_not(_QUERY, key="lamp-30", filter=tree)
    assert told["stage"] == "filtered"
    assert told["failed"] == ["metadata.number lt 20", 'title eq "a" or tags contains "b"']
    assert "drop the condition metadata.number lt 20" in told["advice"]
    assert told["advice"][-1].startswith("without the filter: it is number ")
    assert library.search(_QUERY, filter=tree)["hits"] == []


def test_expired_and_elsewhere(library: Interface) -> None:
    """Neither is looked at by the search; a key is found in another collection."""
    assert library.why_not(_QUERY, key="over")["stage"] == "expired"
    told = library.why_not(_QUERY, key="elsewhere")
    assert (told["stage"], told["collection"]) == ("other_collection", "other")
    assert told["advice"] == ["search the collection other"]
    found = library.why_not(_QUERY, key="elsewhere", collection="other")
    assert (found["stage"], found["rank"]) == ("returned", 1)


def test_below_min_relevance(library: Interface) -> None:
    """With the relevance that is told it would be there, with a little more it is not."""
    told = library.why_not(_QUERY, key="lamp-6", min_relevance=1, k=50)
    assert told["stage"] == "below_min_relevance"
    assert told["rank"] <= 50
    least = told["relevance"]
    assert "less than 1" in told["why"]
    found = library.why_not(_QUERY, key="lamp-6", min_relevance=least - 0.001, k=50)
    assert (found["stage"], found["rank"]) == ("returned", told["rank"])


def test_it_stands_behind_another(library: Interface) -> None:
    """A folded chunk names its better twin; a collapsed one the best of its document."""
    folded = library.why_not(_BELL, key="twin", fold_duplicates=True)
    first = library.why_not(_BELL, key="first", fold_duplicates=True)
    assert (folded["stage"], folded["behind"]) == ("folded", first["chunk_id"])
    best = library.why_not(_QUERY, key="long", collapse="document")["chunk_id"]
    collapsed = library.why_not(_QUERY, chunk=best + 1, collapse="document")
    assert (collapsed["stage"], collapsed["behind"]) == ("collapsed", best)
    assert "search without collapse" in collapsed["advice"]


def test_mmr(library: Interface) -> None:
    """Its score would do, and the hit that it is most like is named."""
    plain = library.why_not(_BELL, key="twin", k=3)
    assert (plain["stage"], plain["rank"]) == ("returned", 2)
    told = library.why_not(_BELL, key="twin", k=3, mmr="across", mmr_lambda=0.3)
    first = library.why_not(_BELL, key="first", k=3)["chunk_id"]
    assert (told["stage"], told["behind"]) == ("mmr", first)
    assert told["rank"] > 3


def test_nothing_is_learnt_from_it(interface: Interface, path: Path) -> None:
    """It is not logged and moves no later search; a search does both."""
    build(path)
    first = interface.why_not(_QUERY, key="lamp-5")
    assert interface.why_not(_QUERY, key="lamp-5") == first
    assert interface.stats()["searches_logged"] == 0
    interface.search(_QUERY)
    after = interface.why_not(_QUERY, key="lamp-5")
    assert after["explanation"]["trust"] != first["explanation"]["trust"]
    interface.close()
    with Memory(path) as memory:
        assert memory.stats().searches_logged == 1
