"""What searches told of a collection, kept with them in the log; calibrations by model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vstash.store import documents
from vstash.store.rows import SearchRow
from vstash.store.sqlite import SqliteStore
from vstash.types import Weights


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty file."""
    opened = SqliteStore(tmp_path / "x.db")
    yield opened
    opened.close()


def log(
    store: SqliteStore, *evidence: tuple[float, float, bool] | None, collection: str = "one"
) -> None:
    """Log searches with what they told."""
    with store.write() as writer:
        documents.made_collection(writer._connection, collection)
        for number, found in enumerate(evidence):
            writer.log(
                SearchRow(
                    id=f"{collection}-{number}-{found}",
                    at=number,
                    query="amber",
                    collection=collection,
                    mode="hybrid",
                    strategy="score",
                    weights=Weights(1, 1),
                    k=10,
                    disagreement=0.0,
                    vector_leg=(),
                    keyword_leg=(),
                    triples=[],
                    evidence=found,
                )
            )


def told(store: SqliteStore, collection: str = "one") -> list[tuple[float, float, int]]:
    """What the log says of a collection."""
    with store.read() as reader:
        return reader.logged_evidence(collection)


def test_evidence_comes_back_oldest_first(store: SqliteStore) -> None:
    """By collection; searches that told nothing are passed over."""
    log(store, (1.5, 2.5, True), None, (-0.5, 3.0, False))
    log(store, (9.0, 9.0, True), collection="two")
    assert told(store) == [(1.5, 2.5, 1), (-0.5, 3.0, 0)]
    assert told(store, "two") == [(9.0, 9.0, 1)]
    assert told(store, "three") == []


def test_only_the_latest_searches_are_read(store: SqliteStore) -> None:
    """512 of the file, whichever collections they were asked of."""
    log(store, *[(float(number), 1.0, True) for number in range(520)])
    found = told(store)
    assert (len(found), found[0][0], found[-1][0]) == (512, 8.0, 519.0)
    log(store, *[None] * 510, collection="two")
    assert [gap for gap, _, _ in told(store)] == [518.0, 519.0]


def test_a_file_without_a_calibration_has_none(store: SqliteStore) -> None:
    """For whatever model."""
    with store.read() as reader:
        assert reader.calibration(1) is None
