"""Relevance, abstaining and exact terms, the same through every interface."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.contract.interface import Interface, JsonDict, Kind
from tests.contract.opening import Opener, Shared
from vstash import Memory, NewDocument

# Each has what a query names to the letter; the one after it is nearer to the query in other words.
_EXACT = {
    "code": "The disk quota is used up, says the log of the storage node, which sends E4012.",
    "near code": "Error - error: an error.",
    "version": "Support of old parsers ended last May, when the team shipped 3.11.4 to all users.",
    "near version": "Release... release... release...",
    "file": "Limits are read once, when the service starts, from app/limits.toml and nowhere else.",
    "near file": "Settings file of settings.",
    "hash": "The change was taken back for now, as 9f8e7d6c made the build slow.",
    "near hash": "The commit that broke it is a commit.",
    "phrase": "At night the cooling pump runs dry and then the hall of the old mill grows warm.",
    "near phrase": "Dry pump runs when pump runs when dry.",
}
_QUERIES = {
    "code": "error E4012",
    "version": "release 3.11.4",
    "file": "settings in app/limits.toml",
    "hash": "commit 9f8e7d6c",
    "phrase": 'when does the "pump runs dry"',
}


@pytest.fixture(scope="module")
def shared(later: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """These texts, thirty of another matter, and one alone in its collection."""
    path: Path = tmp_path_factory.mktemp("relevance") / "memory.db"
    with Memory(path, model="fake") as memory:
        memory.add_batch(
            [
                *(NewDocument(text, key=key) for key, text in _EXACT.items()),
                *(
                    NewDocument(
                        f"On day {day} the weather was fine, the river low.", key=f"day-{day}"
                    )
                    for day in range(30)
                ),
                *(
                    NewDocument(f"Rain on day {day} filled the river.", collection="rain")
                    for day in range(30)
                ),
                NewDocument("Ada prefers tea over coffee.", key="tea", collection="alone"),
                NewDocument("Gone soon.", key="gone", collection="emptied"),
            ]
        )
        memory.delete(key="gone", collection="emptied")
    return Shared(path, later)


@pytest.fixture
def library(kind: Kind, shared: Shared) -> Interface:
    """The interface under test over these."""
    return shared.through(kind)


def _keys(result: JsonDict) -> list[str]:
    return [hit["document"]["key"] for hit in result["hits"]]


def _assert_judged(result: JsonDict) -> None:
    """Every hit has a probability and its word."""
    for hit in result["hits"]:
        assert 0 <= hit["relevance"] <= 1
        expected = (
            "high" if hit["relevance"] >= 0.6 else "medium" if hit["relevance"] >= 0.3 else "low"
        )
        assert hit["tier"] == expected


@pytest.mark.parametrize("key", _QUERIES)
def test_what_is_named_to_the_letter_wins(library: Interface, key: str) -> None:
    """An error code, a version, a file, a hash and a quoted phrase, over what is nearer otherwise."""
    result = library.search(_QUERIES[key], explain=True)
    assert _keys(result)[0] == key
    _assert_judged(result)
    best = result["hits"][0]["explanation"]
    assert best["exact_part"] > 0
    assert len(best["exact"]) == 1
    assert best["exact"][0] in _QUERIES[key]
    assert best["exact"][0] in best["why"]
    others = [hit["explanation"] for hit in result["hits"][1:]]
    assert all(other["exact"] == [] for other in others)


@pytest.mark.parametrize("key", _QUERIES)
def test_vectors_alone_prefer_the_other(library: Interface, key: str) -> None:
    """The control: what is nearer is the passage that does not have it."""
    assert _keys(library.search(_QUERIES[key], mode="vector"))[0] == f"near {key}"


@pytest.mark.parametrize(
    "asked",
    [
        *({"mode": "vector"}, {"mode": "keyword"}, {"strategy": "rrf"}),
        {"strategy": "adaptive-rrf"},
    ],
    ids=str,
)
def test_only_the_score_is_calibrated(library: Interface, asked: dict[str, Any]) -> None:
    """Other ways to search know no relevance and never abstain."""
    result = library.search("error code", **asked)
    assert {(hit["relevance"], hit["tier"]) for hit in result["hits"]} == {(None, None)}
    assert (result["calibrated"], result["abstained"]) == (False, None)


def test_a_model_that_nobody_calibrated_says_so(library: Interface) -> None:
    """Its relevance is a guess, and the answer tells."""
    result = library.search("error code")
    _assert_judged(result)
    assert result["calibrated"] is False


def test_min_relevance_leaves_out_hits(library: Interface) -> None:
    """Those that stay are those that reach it, in the same order."""
    everything = library.search(_QUERIES["phrase"], k=40)
    _assert_judged(everything)
    assert everything["abstained"] is None
    found = library.search(_QUERIES["phrase"], k=40, min_relevance=0.5)
    assert 0 < len(found["hits"]) < len(everything["hits"])
    assert min(hit["relevance"] for hit in found["hits"]) >= 0.5
    assert found["abstained"] is None
    assert _keys(found)[0] == "phrase"
    assert len(library.search(_QUERIES["phrase"], k=40, min_relevance=0)["hits"]) == 40


@pytest.mark.parametrize("shape", [{}, {"collapse": "document"}], ids=str)
def test_nothing_relevant_enough_is_no_hit(library: Interface, shape: dict[str, Any]) -> None:
    """The answer says why it is empty, and is none by mistake."""
    result = library.search("day", min_relevance=1, **shape)
    assert result["hits"] == []
    assert result["abstained"].startswith("below_min_relevance: ")
    assert result["abstained"].endswith("less than 1")


def test_an_unlikely_answer_is_told(library: Interface) -> None:
    """Hits there are, but the answer says that none is likely to be one; a threshold decides instead."""
    # In a collection of its own: what other searches agreed on counts too.
    query = "zebra crossing giraffe elephant tiger Lisbon"
    result = library.search(query, collection="rain")
    assert len(result["hits"]) == 10
    assert result["abstained"].startswith("unlikely: ")
    assert {hit["tier"] for hit in result["hits"]} == {"low"}
    assert library.search(query, collection="rain", min_relevance=0)["abstained"] is None


@pytest.mark.parametrize(
    "asked", [{"filter": {"key": {"eq": "-"}}}, {"collection": "emptied"}], ids=str
)
def test_where_there_is_nothing_it_abstains(library: Interface, asked: dict[str, Any]) -> None:
    """An empty collection, and a filter that nothing matches, with and without a threshold."""
    for more in (None, 0.5):
        result = library.search('"no phrase" E4012', **asked, min_relevance=more)
        assert result["hits"] == []
        assert result["abstained"].startswith("nothing_found: ")
        assert result["degraded"] == []


@pytest.mark.parametrize(
    "asked", [{"filter": {"key": {"eq": "code"}}}, {"collection": "alone"}], ids=str
)
def test_one_chunk_alone_is_judged(library: Interface, asked: dict[str, Any]) -> None:
    """Nothing stands beside it that it could be compared with."""
    for query in ("disk quota tea E4012", "of the", "?"):
        result = library.search(query, explain=True, **asked)
        assert len(result["hits"]) == 1
        _assert_judged(result)


@pytest.mark.parametrize(
    "query",
    ["the of and is", "?!.,;:()", "x", "\U0001f9c0", "\u200b.", "E4012 " * 8_333],
    ids=[
        "function words",
        "punctuation",
        "one character",
        "emoji",
        "invisible",
        "50,000 characters",
    ],
)
def test_any_query_is_judged(library: Interface, query: str) -> None:
    """However little there is to go by, relevance stays a probability."""
    result = library.search(query, k=5)
    assert len(result["hits"]) == 5
    _assert_judged(result)


def test_a_fresh_file_abstains(opening: Opener, tmp_path: Path) -> None:
    """Before the first document there is nothing to be relevant."""
    with Memory(tmp_path / "new.db", model="fake"):
        pass
    result = opening(tmp_path / "new.db").search("anything")
    assert result["hits"] == []
    assert result["abstained"].startswith("nothing_found: ")
