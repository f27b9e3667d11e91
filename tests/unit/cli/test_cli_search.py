"""Searching by command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


@pytest.fixture
def filled(vstash: Vstash) -> Vstash:
    """Three documents."""
    vstash.run("add", "The staging server listens on port 8090.", "--key", "ports", "--tag", "ops")
    vstash.run("add", "Ada prefers green tea.", "--key", "ada", "--title", "Ada", "--tag", "people")
    vstash.run("add", "Bob prefers black tea.", "--key", "bob", "--tag", "people")
    return vstash


def test_the_answer_to_read(filled: Vstash) -> None:
    """A hit shows rank, key, passage, the ranks in both legs, and where to read on."""
    result = filled.run("search", "which", "staging", "port", "-k", "1")
    assert result.exit_code == 0
    head, passage, evidence = result.stdout.splitlines()[:3]
    assert head.startswith("1. ")
    assert head.endswith("  ports")
    assert passage == "   The staging server listens on port 8090."
    assert "vector #1" in evidence
    assert "keyword #1" in evidence
    assert "chunk 1; document " in evidence


def test_the_answer_as_json(filled: Vstash) -> None:
    """--json prints the whole result; explanations are there only when asked for."""
    plain = filled.json("search", "tea", "-k", "2")
    assert {hit["document"]["key"] for hit in plain["hits"]} == {"ada", "bob"}
    assert "explanation" not in plain["hits"][0]
    explained = filled.json("search", "tea", "--explain")
    assert explained["hits"][0]["explanation"]["matched"][0]["word"] == "tea"


def test_explain_says_why(filled: Vstash) -> None:
    """--explain adds the parts of the score, the matched words, weights and timings."""
    shown = filled.run("search", "tea", "--explain").stdout
    assert "from the vector leg + " in shown
    assert "matched words (idf): tea (" in shown
    assert "weights: vector " in shown
    assert "milliseconds: " in shown
    assert "matched words" not in filled.run("search", "tea").stdout


def test_filter_and_tag(filled: Vstash) -> None:
    """--tag is short for a filter, and several conditions must all hold."""
    hits = filled.json("search", "prefers tea", "--tag", "people")["hits"]
    assert {hit["document"]["key"] for hit in hits} == {"ada", "bob"}
    hits = filled.json("search", "tea", "--tag", "people", "--filter", '{"title": {"eq": "Ada"}}')
    assert [hit["document"]["key"] for hit in hits["hits"]] == ["ada"]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (("--filter", "{"), "filter_invalid at /filter"),
        (("--filter", "[]"), "filter_invalid at /filter"),
        (("--filter", "[" * 100_000), "filter_invalid at /filter"),
        (("--filter", '{"key": {"eq": "a"}, "key": {"eq": "b"}}'), "filter_invalid at /filter"),
        (("-k", "0"), "query_invalid at /k"),
        (("-k", "many"), "query_invalid at /k"),
        (("--mode", "magic"), "query_invalid at /mode"),
        (("--strategy", "magic"), "query_invalid at /strategy"),
    ],
)
def test_parameters_that_cannot_be_used(
    filled: Vstash, options: tuple[str, ...], where: str
) -> None:
    """Each is refused with exit code 2 and the field at fault, as on every interface."""
    result = filled.run("search", "tea", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"[{where}]" in result.stderr


def test_the_query_from_standard_input(filled: Vstash) -> None:
    """A single - reads the query; its last line break is not part of it."""
    assert filled.json("search", "-", stdin="green tea\n")["query"] == "green tea"
    refused = filled.run("search", "-", stdin=b"\xff")
    assert refused.exit_code == 2
    assert "[query_invalid at /query]" in refused.stderr


def test_mode_and_strategy_reach_the_search(filled: Vstash) -> None:
    """The result says how it was made."""
    result = filled.json("search", "tea", "--mode", "keyword")
    assert result["mode"] == "keyword"
    assert result["hits"][0]["vector_score"] is None
    assert filled.json("search", "tea", "--strategy", "rrf")["strategy"] == "rrf"
    assert "vector " not in filled.run("search", "tea", "--mode", "keyword").stdout


def test_no_log_leaves_no_trace(filled: Vstash) -> None:
    """A search with --no-log is not in the disagreement log, one without is."""
    filled.run("search", "secret tea", "--no-log")
    assert filled.json("stats")["searches_logged"] == 0
    filled.run("search", "tea")
    assert filled.json("stats")["searches_logged"] == 1


def test_nothing_found(filled: Vstash) -> None:
    """No hits is an answer, not an error."""
    result = filled.run("search", "tea", "--tag", "nobody")
    assert (result.exit_code, result.stdout) == (0, "No hits.\n")


def test_a_degraded_answer_says_so(filled: Vstash) -> None:
    """A query without an informative word brings a note, on standard error."""
    result = filled.run("search", "the of")
    assert result.exit_code == 0
    assert "note: no_informative_word: " in result.stderr


def test_a_file_is_never_made_by_reading(vstash: Vstash) -> None:
    """A mistyped --db is an error, not an empty file."""
    other = vstash.folder / "mistyped.db"
    for args in (
        ("search", "tea"),
        ("get", "x"),
        ("list",),
        ("update", "x", "--title", "t"),
        ("delete", "x"),
        ("stats",),
        ("check",),
        ("disagreements",),
        ("feedback", "id", "1", "cited"),
        ("feedback", "--list"),
        ("disagreements", "--export", "-"),
    ):
        result = vstash.run(*args, "--db", str(other))
        assert result.exit_code == 3, args
        assert "[path_not_found]" in result.stderr, args
    assert list(vstash.folder.iterdir()) == []
