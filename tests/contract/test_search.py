"""Searches, answered the same through every interface."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.contract.interface import KINDS, Interface, JsonDict, Kind
from tests.contract.library import GARDENS, build_library
from tests.contract.opening import Shared

MODES = ("hybrid", "vector", "keyword")
PARTS = ("vector_part", "keyword_part", "feedback_part", "exact_part", "recency_part")
# What a shell, a JSON reader, SQL or FTS5 could trip over; none of it is wrong to ask.
ODD = {
    "quote": '"',
    "quotes": "'\" port \"'",
    "unbalanced": '"port is',
    "operators": "port AND OR NOT NEAR(8090, 2)",
    "column": "body:port",
    "star": "por* *",
    "caret": "^port + -8090",
    "parentheses": "((port",
    "semicolon": "port'; DROP TABLE document; --",
    "percent": "%_%",
    "backslashes": "C:\\port\\",
    "braces": '{"key": {"eq": "a"}} {near}',
    "option": "--help",
    "dash": "-",
    "path": "../../etc/passwd",
    "null": "null",
    "nul": "port\0is",
    "controls": "\x01\x1b[31mport\x7f\x85",
    "newlines": "port\r\nis\n\n8090",
    "tabs": "\tport\u00a0is\u2003",
    "emoji": "🧀",
    "flags": "👩‍👩‍👧‍👦 🇫🇮",
    "combining": "e\u0301\u0301\u0301\u0301",
    "right to left": "\u202eport \u05e9\u05dc\u05d5\u05dd",
    "zero width": "po\u200brt \ufeff",
    "replacement": "\ufffd",
    "noncharacter": "\uffff \U0010ffff",
    "digits": "0" * 400,
    "punctuation": "?!.,;:()[]{}<>|@#$%^&*~`",
    "one long word": "x" * 5_000,
    "long": "port is 8090 and the weather was fine " * 1_350,
    "surrogate": "port \ud800",
}
# Each costs a process on the command line: those that its own way of reading could trip over.
ODD_FOR_CLI = frozenset(
    ("quote", "operators", "option", "dash", "nul", "controls", "newlines", "long", "surrogate")
)


def _asked_of(kind: Kind, name: str) -> bool:
    # RFC 8259 leaves half a surrogate pair open; the service refuses it in any JSON.
    return not (kind in {"rest", "client"} and name == "surrogate") and (
        kind != "cli" or name in ODD_FOR_CLI
    )


@pytest.fixture(scope="module")
def shared(later: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """The library, which no test here changes."""
    path: Path = tmp_path_factory.mktemp("library") / "memory.db"
    build_library(path)
    return Shared(path, later)


@pytest.fixture
def library(kind: Kind, shared: Shared) -> Interface:
    """The interface under test over the library."""
    return shared.through(kind)


def _keys(result: JsonDict) -> list[str]:
    return [hit["document"]["key"] for hit in result["hits"]]


def _assert_sound(result: JsonDict, *, k: int = 10) -> None:
    """What holds for the answer to any search."""
    hits = result["hits"]
    scores = [hit["score"] for hit in hits]
    assert len(hits) <= k
    assert scores == sorted(scores, reverse=True)
    assert len({hit["chunk"]["id"] for hit in hits}) == len(hits)
    assert uuid.UUID(result["id"]).version == 7
    assert result["timings_ms"]["total"] > 0
    assert min(result["timings_ms"].values()) >= 0
    for hit in hits:
        asked = result["mode"]
        assert (hit["vector_score"] is None) == (asked == "keyword")
        assert (hit["keyword_score"] is None) == (asked == "vector")
        assert -1.00001 <= (hit["vector_score"] or 0) <= 1.00001
        assert (hit["keyword_score"] or 0) >= 0
        assert hit["chunk"]["document_id"] == hit["document"]["id"]
        ranks = [rank for rank in (hit["vector_rank"], hit["keyword_rank"]) if rank is not None]
        assert ranks
        assert min(ranks) >= 1


def _assert_adds_up(hit: JsonDict) -> None:
    explanation = hit["explanation"]
    total = sum(explanation[part] for part in PARTS)
    assert total == pytest.approx(hit["score"], abs=1e-5)
    assert explanation["why"]


def test_a_short_text_is_found_with_where_it_comes_from(library: Interface) -> None:
    """The best hit carries its chunk, its document's fields and no second copy of the text."""
    result = library.search("which port?")
    _assert_sound(result)
    best = result["hits"][0]
    assert best["chunk"]["text"] == "Port is 8090."
    assert (best["chunk"]["seq"], best["chunk"]["start"], best["chunk"]["end"]) == (0, 0, 13)
    document = best["document"]
    assert (document["key"], document["title"], document["tags"]) == ("port", "port", ["listed"])
    assert document["metadata"] == {"length": 13}
    assert "text" not in document
    assert "explanation" not in best
    assert (result["query"], result["mode"], result["strategy"]) == (
        "which port?",
        "hybrid",
        "score",
    )
    assert result["degraded"] == []
    assert len(result["timings_ms"]) > 2


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_asks_the_legs_that_it_names(library: Interface, mode: str) -> None:
    """One leg alone ranks by itself and weighs 1, hybrid weighs both; the parts add up."""
    result = library.search("weather on day 8090", mode=mode, explain=True)
    _assert_sound(result)
    assert result["mode"] == mode
    hits = result["hits"]
    assert len(hits) == 10
    for hit in hits:
        _assert_adds_up(hit)
    if mode == "hybrid":
        assert min(result["weights"].values()) > 0
        assert {word["word"] for word in hits[0]["explanation"]["matched"]} != set()
        return
    asked, silent = (mode, "keyword" if mode == "vector" else "vector")
    assert result["weights"] == {asked: 1.0, silent: 0.0}
    assert [hit[f"{asked}_rank"] for hit in hits] == list(range(1, 11))
    assert [hit[f"{silent}_rank"] for hit in hits] == [None] * 10
    assert [hit["score"] for hit in hits] == [hit[f"{asked}_score"] for hit in hits]


@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_a_strategy_fuses_both_legs(library: Interface, strategy: str) -> None:
    """Each one puts the obvious answer first and its parts add up to the score."""
    result = library.search("Ada tea milk", strategy=strategy, explain=True)
    _assert_sound(result)
    assert result["strategy"] == strategy
    assert _keys(result)[0] == "tea"
    best = result["hits"][0]
    assert (best["vector_rank"], best["keyword_rank"]) == (1, 1)
    assert {found["word"] for found in best["explanation"]["matched"]} == {"ada", "tea", "milk"}
    for hit in result["hits"]:
        _assert_adds_up(hit)
    if strategy != "score":
        assert sum(result["weights"].values()) == pytest.approx(1.0)
        assert (result["weights"]["keyword"] == 0.5) == (strategy == "rrf")


@pytest.mark.parametrize(("k", "count"), [(1, 1), (1000, GARDENS + 1)])
def test_k_bounds_the_hits(library: Interface, k: int, count: int) -> None:
    """There are k hits, or as many chunks as there are."""
    result = library.search("gardens", k=k, collection="gardens")
    _assert_sound(result, k=k)
    assert len(result["hits"]) == count


@pytest.mark.parametrize("mode", MODES)
def test_a_filter_applies_before_the_cut(library: Interface, mode: str) -> None:
    """The one document that matches among 200 better ones is found with k = 1."""
    tree = {"metadata.rare": {"eq": True}}
    result = library.search("gardens need water", k=1, collection="gardens", filter=tree, mode=mode)
    _assert_sound(result, k=1)
    assert _keys(result) == ["rare"]


@pytest.mark.parametrize(("collection", "expected"), [(None, "8090"), ("other", "9090")])
def test_a_search_stays_in_its_collection(
    library: Interface, collection: str | None, expected: str
) -> None:
    """No hit comes from another collection, however well it fits."""
    result = library.search("port", k=1000, collection=collection)
    assert {hit["document"]["collection"] for hit in result["hits"]} == {collection or "default"}
    assert expected in result["hits"][0]["chunk"]["text"]


def test_a_filter_that_nothing_matches_finds_nothing(library: Interface) -> None:
    """That is an answer without hits, not an error."""
    result = library.search("port", filter={"key": {"eq": "no such key"}})
    _assert_sound(result)
    assert result["hits"] == []


@pytest.mark.parametrize(
    "asked",
    [
        *({"strategy": "rrf"}, {"strategy": "adaptive-rrf"}),
        *({"mode": "vector"}, {"mode": "keyword"}, {"filter": {"key": {"eq": "day-7"}}}),
    ],
    ids=str,
)
def test_the_same_search_has_the_same_answer(library: Interface, asked: dict[str, Any]) -> None:
    """Only its id and its timings differ; so do those of the strategy score that tell it nothing."""
    answers = [library.search("fine weather", k=20, explain=True, **asked) for _ in range(2)]
    assert answers[0]["id"] != answers[1]["id"]
    first, second = (
        {name: value for name, value in answer.items() if name not in {"id", "timings_ms"}}
        for answer in answers
    )
    assert first == second


def test_a_search_is_experience_for_the_next_one(library: Interface) -> None:
    """Asked again, the weight of keywords moves; what both legs say of every chunk does not."""
    answers = [library.search("fine weather", k=40, explain=True) for _ in range(2)]
    raw = [
        {
            hit["chunk"]["id"]: (
                *(hit["vector_score"], hit["keyword_score"]),
                *(hit["vector_rank"], hit["keyword_rank"]),
                *(hit["explanation"]["vector_part"], hit["explanation"]["keyword_normalised"]),
            )
            for hit in answer["hits"]
        }
        for answer in answers
    ]
    assert raw[0] == raw[1]
    for answer in answers:
        trust = {hit["explanation"]["trust"] for hit in answer["hits"]}
        damping = {hit["explanation"]["damping"] for hit in answer["hits"]}
        assert (len(trust), len(damping)) == (1, 1)
        weight = 0.4 * trust.pop() * damping.pop()
        assert answer["weights"]["keyword"] == pytest.approx(weight)
    assert answers[0]["weights"]["keyword"] != answers[1]["weights"]["keyword"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("cafe OFFNET", "café"), ("cafe\u0301", "café"), ("地下鉄", "kyoto"), ("config file", "code")],
    ids=["no accents", "decomposed", "Japanese", "camel case"],
)
def test_words_match_however_they_are_written(
    library: Interface, query: str, expected: str
) -> None:
    """Case, accents, and words that are not separated do not hide a text from the keyword leg."""
    result = library.search(query, mode="keyword")
    _assert_sound(result)
    assert _keys(result) == [expected]


@pytest.mark.parametrize(("mode", "count"), [("hybrid", 10), ("keyword", 0)])
def test_function_words_alone_are_told_as_degraded(
    library: Interface, mode: str, count: int
) -> None:
    """Vectors still answer; the keyword leg has nothing to look up, which the answer says."""
    result = library.search("the of and is", mode=mode)
    _assert_sound(result)
    assert [reason.partition(":")[0] for reason in result["degraded"]] == ["no_informative_word"]
    assert len(result["hits"]) == count
    assert all(hit["keyword_rank"] is None for hit in result["hits"])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(kind, name, id=f"{kind}-{name}")
        for kind in KINDS
        for name in ODD
        if _asked_of(kind, name)
    ],
    indirect=["kind"],
)
def test_any_query_is_legal(library: Interface, name: str) -> None:
    """Whatever is typed or pasted gets an answer of the usual form."""
    result: dict[str, Any] = library.search(ODD[name], k=3)
    _assert_sound(result, k=3)
    assert len(result["hits"]) == 3
