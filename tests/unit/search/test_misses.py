"""What a miss is told as."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from vstash.filters import parse
from vstash.search.misses import failed_conditions, lacking
from vstash.types import Document, Explanation

_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
DOCUMENT = Document(
    id="d",
    key="notes/ada",
    collection="default",
    title="Ada",
    metadata={"author": "ada", "draft": None, "pages": 3},
    tags=("people",),
    content_hash="",
    created=_TIME,
    updated=_TIME,
    expires_at=None,
    chunk_count=1,
    char_count=1,
    etag="",
)


@pytest.mark.parametrize(
    ("tree", "failed"),
    [
        ({"key": {"eq": "notes/ada"}}, ()),
        ({"key": {"eq": "x"}}, ('key eq "x"',)),
        (
            {"key": {"eq": "x"}, "title": {"eq": "Ada", "ne": "Ada"}},
            ('key eq "x"', 'title ne "Ada"'),
        ),
        (
            {"and": [{"and": [{"key": {"eq": "x"}}]}, {"id": {"in": ["a", "b"]}}]},
            ('key eq "x"', 'id in ["a", "b"]'),
        ),
        ({"or": [{"key": {"eq": "x"}}, {"title": {"eq": "Ada"}}]}, ()),
        (
            {"or": [{"metadata.pages": {"gt": 3, "lt": 9}}, {"tags": {"contains": "x"}}]},
            ('(metadata.pages gt 3 and metadata.pages lt 9) or tags contains "x"',),
        ),
        ({"not": {"metadata.draft": {"exists": True}}}, ("not (metadata.draft exists true)",)),
        ({"metadata.a.b": {"eq": None}}, ("metadata.a.b eq null",)),
        ({"created": {"gt": "2026-02-01T00:00:00Z"}}, ("created gt 2026-02-01T00:00:00.000000Z",)),
        ({"title": {"eq": "Cafe\u0301 \u4eac"}}, ('title eq "Cafe\u0301 \u4eac"',)),
    ],
)
def test_failed_conditions(tree: Any, failed: tuple[str, ...]) -> None:
    """Each part of an `and` on its own, an `or` and a `not` as a whole."""
    assert failed_conditions(parse(tree), DOCUMENT) == failed


def test_what_lacks_most() -> None:
    """The part with the greatest difference, not the smallest one."""

    def explained(**parts: float) -> Explanation:
        nothing = {f"{name}_part": 0.0 for name in ("vector", "keyword", "feedback", "exact")}
        given: Any = {
            **nothing,
            **{f"{name}_part": value for name, value in parts.items()},
        }
        return Explanation(
            vector_normalised=None,
            keyword_normalised=None,
            damping=1.0,
            trust=1.0,
            exact=(),
            matched=(),
            why="",
            **given,
        )

    assert lacking(explained(vector=-1, keyword=2), explained(vector=-0.5, keyword=5)) == "keyword"
    assert lacking(explained(vector=1), explained(vector=1, recency=0.5)) == "recency"
