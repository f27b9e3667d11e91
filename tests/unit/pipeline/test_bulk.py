"""Many texts at once: ready vectors, refusals that store nothing, batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vstash import Memory
from vstash.errors import FieldError, QueryError, StoreReadOnlyError, TextError
from vstash.testing import FakeEmbedder

MODEL = FakeEmbedder(64)
TEXTS = ["the amber lamp", "the cedar door", "the jade window"]
KEYS = ["amber", "cedar", "jade"]


def test_texts_come_back_as_they_were_given(memory: Memory) -> None:
    """Ids in the order of the texts, each with its key, title, metadata and the common tags."""
    ids = memory.add_many(
        TEXTS,
        keys=KEYS,
        titles=["A", "B", "C"],
        metadata=[{"n": number} for number in range(3)],
        collection="things",
        tags=["bulk"],
    )
    for number, one in enumerate(ids):
        document = memory.get(one)
        assert (document.text, document.key) == (TEXTS[number], KEYS[number])
        assert (document.title, document.metadata) == ("ABC"[number], {"n": number})
        assert (document.tags, document.collection) == (("bulk",), "things")
    assert memory.check().findings == ()


def test_ready_vectors_are_taken(memory: Memory) -> None:
    """A text is found by the vector given for it, of any length, and not by that of its words."""
    vectors = 7.5 * MODEL.embed_passages(["one thing", "another thing", "a third thing"])
    memory.add_many(TEXTS, vectors=vectors, keys=KEYS)
    for number, vector in enumerate(vectors):
        hit = memory.search("x", vector=vector, mode="vector", k=1).hits[0]
        assert hit.document.key == KEYS[number]
        assert hit.vector_score == pytest.approx(1, abs=1e-5)
    assert memory.check().findings == ()


def test_a_text_with_its_vector_is_one_chunk(memory: Memory) -> None:
    """However long it is: the vector stands for the whole."""
    long = "amber lamp " * 5_000
    memory.add_many([long], vectors=np.ones((1, 64)), keys=["long"])
    document = memory.get(key="long")
    assert (document.chunk_count, document.text) == (1, long)
    assert memory.search("lamp").hits[0].text == long


def test_keys_that_are_known_are_replaced(memory: Memory) -> None:
    """The documents keep their ids; nothing of the old texts is found."""
    first = memory.add_many(TEXTS, keys=KEYS)
    second = memory.add_many([f"{text} copper" for text in TEXTS], keys=KEYS)
    assert first == second
    assert memory.stats().documents == 3
    assert memory.search("copper", mode="keyword").hits
    assert memory.check().findings == ()


def test_more_than_one_batch_is_stored_in_order(memory: Memory) -> None:
    """Two and a half thousand texts are three transactions, and every one is there."""
    texts = [f"lamp number{number}x" for number in range(2_500)]
    vectors = np.random.default_rng(1).standard_normal((2_500, 64))
    ids = memory.add_many(texts, vectors=vectors, keys=[str(number) for number in range(2_500)])
    assert len(set(ids)) == 2_500
    for number in (0, 999, 1_000, 2_499):
        assert memory.get(ids[number]).text == texts[number]
        hit = memory.search(f"number{number}x", vector=vectors[number], k=1).hits[0]
        assert hit.document.id == ids[number]
    assert memory.check().findings == ()


def test_nothing_is_nothing(memory: Memory) -> None:
    """No texts, no ids, no write."""
    assert memory.add_many([]) == ()
    assert memory.stats().documents == 0


GOOD = np.ones((3, 64), dtype=np.float32)
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"vectors": GOOD[:2]}, "/vectors"),
    ({"vectors": GOOD[:, :63]}, "/vectors"),
    ({"vectors": GOOD[0]}, "/vectors"),
    ({"vectors": [[1.0] * 64, [1.0] * 63, [1.0] * 64]}, "/vectors"),
    ({"vectors": "abc"}, "/vectors"),
    ({"vectors": np.where(np.eye(3, 64) == 1, np.nan, 1)}, "/vectors/0"),
    ({"vectors": np.where(np.arange(3)[:, None] == 1, np.inf, GOOD)}, "/vectors/1"),
    ({"vectors": np.where(np.arange(3)[:, None] == 2, 0, GOOD)}, "/vectors/2"),
    ({"keys": ["a", "b"]}, "/keys"),
    ({"keys": ["a", "b", "a"]}, "/keys/2"),
    ({"keys": ["a", "", "c"]}, "/keys/1"),
    ({"titles": ["x" * 2_000, "b", "c"]}, "/titles/0"),
    ({"metadata": [{}, {"a": float("nan")}, {}]}, "/metadata/1/a"),
    ({"metadata": [{}, {}]}, "/metadata"),
    ({"collection": "no spaces"}, "/collection"),
    ({"embed": "never"}, "/embed"),
]


@pytest.mark.parametrize(("given", "pointer"), WRONG)
def test_one_wrong_value_stores_nothing(
    memory: Memory, given: dict[str, Any], pointer: str
) -> None:
    """The error names the value, and not even the texts before it are stored."""
    with pytest.raises(FieldError) as caught:
        memory.add_many(TEXTS, **given)
    assert caught.value.pointer == pointer
    assert memory.stats().documents == 0


def test_an_empty_text_is_named(memory: Memory) -> None:
    """By its place in the list."""
    with pytest.raises(TextError) as caught:
        memory.add_many(["a", " ", "c"])
    assert caught.value.pointer == "/texts/1"
    with pytest.raises(FieldError):
        memory.add_many("one text is not a list")
    assert memory.stats().documents == 0


@pytest.mark.parametrize(
    "vector", [[1.0] * 63, [0.0] * 64, [float("nan")] * 64, [[1.0] * 64], "text", 3]
)
def test_a_query_vector_that_cannot_be_one_is_refused(memory: Memory, vector: Any) -> None:
    """Another length, zero, not finite, not a list."""
    memory.add("the amber lamp")
    with pytest.raises(QueryError) as caught:
        memory.search("amber", vector=vector)
    assert caught.value.pointer == "/vector"


def test_a_huge_or_tiny_vector_is_a_direction(memory: Memory) -> None:
    """Squares that would overflow or vanish do not."""
    for scale in (1e30, 1e-30):
        memory.add_many(["the lamp"], vectors=np.full((1, 64), scale), keys=["one"])
        (hit,) = memory.search("x", vector=np.full(64, scale), mode="vector").hits
        assert hit.vector_score == pytest.approx(1, abs=1e-5)


def test_the_error_of_a_write_reaches_the_caller(tmp_path: Path) -> None:
    """A file that cannot be written is told as such, from the thread that prepares as well."""
    path = tmp_path / "x.db"
    with Memory(path, model=MODEL) as memory:
        memory.add("kept")
        memory._engine.store.immutable = True
        with pytest.raises(StoreReadOnlyError):
            memory.add_many(TEXTS)
