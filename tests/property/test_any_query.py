"""Any text with a visible character is a legal query, and never more than its words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vstash import Memory, NewDocument
from vstash.errors import QueryError
from vstash.types import Mode, StrategyName

TEXTS = {
    "amber": "The amber lamp hangs above the cedar door.",
    "title": "The title of this body is a heading near the port.",
    "code": "def HTTPServer2(body: str) -> None: return near(body, title) or not_found",
    "tokyo": "東京タワー と naïve façade ﬁ",
}
HOSTILE = [
    *("multi-agent", "a'b", '"', "*", "\0", "body:x", "{body}:x", "{title heading}: amber"),
    *("amber AND lamp", "amber OR", "NOT amber", "amber NEAR/2 lamp", "NEAR(amber lamp)", "^amber"),
    *("amber*", "amber + lamp", "- amber", "(amber", "amber)", "keyword:amber", "rowid:1", "''"),
    *("'; DROP TABLE document; --", "\ud800", "a\udfff", "%", "_", "\\", "\u200b", "\U0010ffff"),
    *('"amber lamp"', "`HTTPServer2` not_found", "\u201ecedar door\u201c 3.11 E-1", '"" "" "a'),
    *("title: amber", "'amber'", "amber\0lamp", "a" * 3000, "amber " * 700, "\x1b[31m", "?1"),
]
MODES: tuple[Mode, ...] = ("hybrid", "vector", "keyword")
STRATEGIES: tuple[StrategyName, ...] = ("score", "rrf", "adaptive-rrf")

ANY_TEXT = st.one_of(
    st.text(st.characters(codec=None), max_size=40),
    st.text(st.characters(codec=None, categories=["Cs", "Cc", "Cf", "Po", "Mn"]), max_size=20),
    st.lists(st.sampled_from([*HOSTILE, "amber", "lamp", "body"]), max_size=6).map(" ".join),
)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """Four documents."""
    path: Path = tmp_path_factory.mktemp("any") / "x.db"
    with Memory(path, model="fake") as opened:
        opened.add_batch([NewDocument(text, key=key, title=key) for key, text in TEXTS.items()])
        yield opened


def answered(memory: Memory, query: str, mode: Mode, strategy: StrategyName) -> None:
    """Search and look at every part of the answer."""
    result = memory.search(query, mode=mode, strategy=strategy, explain=True, log=False)
    assert result.query == query
    assert len({hit.chunk.id for hit in result.hits}) == len(result.hits)
    for hit in result.hits:
        assert hit.score == hit.score, "NaN"
        assert hit.text in TEXTS.values()
        assert (hit.relevance is not None) == (mode == "hybrid" and strategy == "score")
        assert 0 <= (hit.relevance or 0) <= 1
        why = hit.explanation
        assert why is not None
        parts = why.vector_part + why.keyword_part + why.feedback_part + why.exact_part
        assert parts == pytest.approx(hit.score, abs=1e-4)
    if mode != "keyword":
        assert len(result.hits) == len(TEXTS)


@pytest.mark.parametrize("mode", MODES)
@given(query=ANY_TEXT, strategy=st.sampled_from(STRATEGIES))
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(query="body:x", strategy="score")
@example(query="\ud800", strategy="score")
def test_any_text_is_a_query(
    memory: Memory, mode: Mode, query: str, strategy: StrategyName
) -> None:
    """A text of spaces alone is refused as empty; every other one is answered."""
    if not query or query.isspace():
        with pytest.raises(QueryError):
            memory.search(query, mode=mode)
    else:
        answered(memory, query, mode, strategy)


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_the_syntax_of_fts5_means_nothing(memory: Memory, query: str) -> None:
    """Operators, filters, quotes and half characters are answered in every mode, and logged."""
    for mode in MODES:
        answered(memory, query, mode, "score")
    before = memory.stats()
    result = memory.search(query)
    after = memory.stats()
    # One that is the same but for spelling takes the place of the one before.
    assert memory.disagreements(limit=1).items[0].search_id == result.id
    assert after.log_dropped == before.log_dropped


@pytest.mark.parametrize("column", ["title", "heading", "body", "keyword", "rowid"])
def test_a_column_is_never_filtered(memory: Memory, column: str) -> None:
    """`title:amber` asks for two words; as a filter it would hide what the text says."""
    hits = memory.search(f"{column}:lamp", mode="keyword").hits
    assert "amber" in {hit.document.key for hit in hits}
    braces = memory.search(f"{{{column}}} : lamp", mode="keyword").hits
    assert [hit.chunk.id for hit in braces] == [hit.chunk.id for hit in hits]


@pytest.mark.parametrize("operator", ["-", "NOT ", "^", "+", '"', "*"])
def test_an_operator_changes_nothing(memory: Memory, operator: str) -> None:
    """A word is found whatever stands in front of it."""
    hits = memory.search(f"{operator}lamp", mode="keyword").hits
    assert hits[0].document.key == "amber"
