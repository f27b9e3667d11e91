"""Vectors left for later: found by words at once, embedded once, in the background too."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vstash import Memory, NewDocument
from vstash.errors import EmbeddingError, FieldError
from vstash.reports import EmbedProgress
from vstash.settings import Settings
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray


class Counting(FakeEmbedder):
    """Counts the passages that it embeds, and fails while it is told to."""

    def __init__(self) -> None:
        super().__init__(64)
        self.embedded = 0
        self.fails = False

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Embed passages."""
        if self.fails:
            raise EmbeddingError("told to fail")
        self.embedded += len(texts)
        return super().embed_passages(texts)

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """Embed queries, which do not count."""
        return super().embed_passages(texts)


def test_what_waits_is_found_by_its_words(memory: Memory) -> None:
    """At once, with no cosine; the vector leg does not list it; the search says that it waits."""
    memory.add("the cedar door", key="now")
    memory.add("the amber lamp", key="later", embed="later")
    result = memory.search("amber lamp door")
    hits = {hit.document.key: hit for hit in result.hits}
    assert result.awaiting == 1
    assert set(hits) == {"now", "later"}
    assert (hits["later"].vector_score, hits["later"].vector_rank) == (None, None)
    assert hits["later"].keyword_rank == 1
    assert hits["now"].vector_score is not None
    assert [hit.document.key for hit in memory.search("amber", mode="vector").hits] == ["now"]
    stats = memory.stats()
    assert (stats.chunks, stats.vectors, stats.awaiting) == (2, 1, 1)
    assert memory.check().findings == ()


def test_embedding_makes_it_as_if_it_had_been_at_once(tmp_path: Path) -> None:
    """The same hits with the same scores, in this process and in one that was open before."""
    texts = [f"lamp number{number}x of amber" for number in range(700)]
    # Without a log each of them knows its own searches alone, which are the same.
    settings = Settings(log_searches="off")
    with (
        Memory(tmp_path / "now.db", model="fake", settings=settings) as now,
        Memory(tmp_path / "later.db", model="fake", settings=settings) as later,
        Memory(tmp_path / "later.db", model="fake", settings=settings) as other,
    ):
        now.add_many(texts, keys=texts)
        later.add_many(texts[:600], keys=texts[:600], embed="later")
        later.add_many(texts[600:], keys=texts[600:])
        for mode in ("keyword", "vector"):
            assert other.search("number650x amber", mode=mode).awaiting == 600
        seen: list[EmbedProgress] = []
        report = later.embed(progress=seen.append)
        assert (report.embedded, report.awaiting) == (600, 0)
        assert [step.embedded + step.awaiting for step in seen] == [600] * len(seen)
        assert len(seen) > 5
        for query in ("number3x amber", "number650x", "lamp"):
            expected = [(hit.document.key, hit.score) for hit in now.search(query).hits]
            for memory in (later, other):
                found = [(hit.document.key, hit.score) for hit in memory.search(query).hits]
                assert [key for key, _ in found] == [key for key, _ in expected]
                assert [score for _, score in found] == pytest.approx(
                    [score for _, score in expected], abs=1e-4
                )
        assert later.check().findings == ()
        assert (later.embed().embedded, other.stats().awaiting) == (0, 0)


def test_documents_that_went_or_changed_meanwhile_are_passed_over(memory: Memory) -> None:
    """Removing and replacing takes them out of the queue."""
    memory.add_batch(
        [NewDocument("the amber lamp", key="a"), NewDocument("the cedar door", key="b")],
        embed="later",
    )
    memory.delete(key="a")
    memory.add("the jade window", key="b")
    assert (memory.stats().awaiting, memory.embed().embedded) == (0, 0)
    assert memory.check().findings == ()


def test_an_update_without_a_new_text_keeps_waiting(memory: Memory) -> None:
    """Tags change, the chunk stays in the queue."""
    memory.add("the amber lamp", key="a", embed="later")
    memory.update(key="a", tags=["x"])
    assert memory.stats().awaiting == 1
    assert memory.embed().embedded == 1


def test_a_model_that_fails_leaves_them_waiting(tmp_path: Path) -> None:
    """The error is told, nothing is lost, and the next call does the work."""
    model = Counting()
    with Memory(tmp_path / "x.db", model=model) as memory:
        memory.add("the amber lamp", embed="later")
        model.fails = True
        with pytest.raises(EmbeddingError):
            memory.embed()
        assert memory.stats().awaiting == 1
        model.fails = False
        assert memory.embed().embedded == 1


def test_equal_passages_are_embedded_once(tmp_path: Path) -> None:
    """Within a call, across calls, and in a file that was closed; vectors are the same."""
    model = Counting()
    with Memory(tmp_path / "x.db", model=model) as memory:
        memory.add_many(["the amber lamp"] * 3 + ["the cedar door"])
        assert model.embedded == 2
        memory.add("the amber lamp", key="again")
    with Memory(tmp_path / "x.db", model=model) as memory:
        memory.add("the amber lamp", key="once more", title="")
        memory.add("the amber lamp", key="waits", embed="later")
        memory.embed()
        assert model.embedded == 2
        memory.add("the amber lamp", key="titled", title="A title is embedded too")
        assert model.embedded == 3
        hits = memory.search("amber lamp", mode="vector").hits
        assert len({hit.vector_score for hit in hits if hit.text == "the amber lamp"}) == 2
        assert memory.check().findings == ()


def test_vectors_that_were_brought_are_no_source(tmp_path: Path) -> None:
    """Who brings a vector for a text says nothing about other documents with that text."""
    model = Counting()
    with Memory(tmp_path / "x.db", model=model) as memory:
        memory.add_many(["the amber lamp"], vectors=[[1.0] * 64], keys=["brought"])
        memory.add("the amber lamp", key="made")
        assert model.embedded == 1


def test_the_background_embeds_what_waits(tmp_path: Path) -> None:
    """What this process leaves for later, woken at once, and what another one left."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as other:
        other.add("the cedar door", embed="later")
    with Memory(path, model="fake") as memory:
        memory.embed_in_background()
        memory.embed_in_background()
        memory.add("the amber lamp", embed="later")
        deadline = time.monotonic() + 20
        while memory.stats().awaiting and time.monotonic() < deadline:
            time.sleep(0.01)
        assert memory.stats().awaiting == 0
        assert memory.check().findings == ()


def test_the_background_survives_a_failing_model(tmp_path: Path) -> None:
    """It tries again when it is woken."""
    model = Counting()
    with Memory(tmp_path / "x.db", model=model) as memory:
        memory.embed_in_background()
        model.fails = True
        memory.add("the amber lamp", embed="later")
        time.sleep(0.2)
        assert memory.stats().awaiting == 1
        model.fails = False
        memory.add("the cedar door", embed="later")
        deadline = time.monotonic() + 20
        while memory.stats().awaiting and time.monotonic() < deadline:
            time.sleep(0.01)
        assert memory.stats().awaiting == 0


def test_ingest_can_leave_vectors_for_later(tmp_path: Path) -> None:
    """Files are stored and found by their words; a second ingest leaves them as they are."""
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.md").write_text(f"# Lamp\n\nnumber{number}x\n", encoding="utf-8")
    with Memory(tmp_path / "x.db", model="fake", settings=Settings()) as memory:
        assert memory.ingest(folder, embed="later").added == 5
        assert memory.search("number3x").hits[0].document.key.endswith("3.md")
        assert memory.stats().awaiting == 5
        assert memory.ingest(folder).unchanged == 5
        assert memory.embed().embedded == 5


def test_anything_else_is_refused(memory: Memory) -> None:
    """``embed`` has two values."""
    with pytest.raises(FieldError) as caught:
        memory.add("the amber lamp", embed="soon")  # type: ignore[arg-type] # wrong on purpose
    assert caught.value.pointer == "/embed"
