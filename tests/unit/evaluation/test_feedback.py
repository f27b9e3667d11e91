"""Feedback on searches as a judged set."""

from __future__ import annotations

from pathlib import Path

import pytest

from vstash import Memory
from vstash.errors import EvaluationError
from vstash.evaluation import evaluate, from_feedback, in_memory
from vstash.settings import Settings


def judge(memory: Memory, query: str, key: str, verdict: str, collection: str = "default") -> None:
    """Search, and say something of the document with this key."""
    result = memory.search(query, collection=collection)
    (chunk,) = {hit.chunk.id for hit in result.hits if hit.document.key == key}
    memory.feedback(result.id, chunk, verdict)  # type: ignore[arg-type]


@pytest.fixture
def memory(tmp_path: Path, settings: Settings) -> Memory:
    """Three documents, the last in another collection."""
    opened = Memory(tmp_path / "a.db", settings=settings)
    opened.add("Ada prefers tea to coffee.", key="tea")
    opened.add("The staging server listens on port 8090.", key="port")
    opened.add("Tea grows in Assam.", key="assam", collection="plants")
    return opened


def test_what_helped_is_relevant(memory: Memory) -> None:
    """Searches with the same text count together; the last verdict on a document counts."""
    with memory:
        judge(memory, "who drinks tea", "tea", "not_helpful")
        judge(memory, "who drinks tea", "tea", "cited")
        judge(memory, "who drinks tea", "port", "not_helpful")
        judge(memory, "where does tea grow", "assam", "helpful", "plants")
        judge(memory, "nothing of use", "port", "not_helpful")
        judged = from_feedback(memory)
        assert [(q.text, q.judgements, q.collection) for q in judged.queries] == [
            ("who drinks tea", {"tea": 1, "port": 0}, "default"),
            ("where does tea grow", {"assam": 1}, "plants"),
        ]
        assert judged.notes == ("1 queries without a relevant document were left out",)
        evaluation = evaluate(memory, in_memory(memory, judged), ways=["keyword"])
        assert evaluation.runs["keyword"].values["MRR@10"].tolist() == [1.0, 1.0]
        (only,) = from_feedback(memory, collection="plants").queries
        assert only.text == "where does tea grow"


def test_nothing_was_said(memory: Memory) -> None:
    """A file without feedback is told as such."""
    with memory:
        memory.search("tea")
        with pytest.raises(EvaluationError, match="No search has feedback yet"):
            from_feedback(memory)
        judge(memory, "tea", "port", "not_helpful")
        with pytest.raises(EvaluationError, match="No query has a relevant document"):
            from_feedback(memory)
