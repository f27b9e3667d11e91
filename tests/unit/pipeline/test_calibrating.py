"""Calibration of a file by what is known to be in it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import apsw
import numpy as np
import pytest

from tests.generated_documents import generated_documents
from vstash import CalibrationProgress, Memory, NewDocument
from vstash.errors import (
    CalibrationError,
    CollectionNotFoundError,
    QueryError,
    StoreReadOnlyError,
)
from vstash.pipeline import calibrating
from vstash.pipeline.calibrating import Calibrating
from vstash.search.relevance import ANY_MODEL, Calibration, relevance
from vstash.store.session import Reader
from vstash.text.probes import askable
from vstash.types import ModelInfo

QUERY = "ramok telvinp sokux beldank"
DAMAGED = [
    *("[]", "{}", "7", "null", '"x"', "[1, 2, 3, 4, 5]", "[1, 2, 3, 4, 5, 6, 7]"),
    *("[1, 2, 3, 4, 5, null]", "[1, 2, 3, 4, 5, true]", '[1, 2, 3, 4, 5, "6"]'),
    *("[1, 2, 3, 4, 5, 1e999]", "[1, 2, 3, 4, 5, NaN]", "[1, 2, 3, 4, 5, 1000]", "[1, 2"),
    *("[" * 100_000, "[1, 2, 3, 4, 5, 1" + "0" * 5000 + "]"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of three hundred generated documents, only to be copied."""
    path = tmp_path_factory.mktemp("made") / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add_batch(generated_documents(300))
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    """A closed copy of that file."""
    target = tmp_path / "y.db"
    target.write_bytes(made.read_bytes())
    return target


def stored(path: Path) -> list[tuple[object, ...]]:
    """The rows of the table."""
    with closing(apsw.Connection(str(path))) as connection:
        return connection.execute("SELECT weights, queries FROM calibration").fetchall()


def plant(path: Path, weights: str | bytes) -> None:
    """Store weights that vstash would not write."""
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(
            "INSERT OR REPLACE INTO calibration VALUES (1, CAST(? AS TEXT), 1, 1)", (weights,)
        )


def test_what_is_learnt_is_used(path: Path) -> None:
    """By later searches, of other users of the file too, until it is forgotten."""
    with Memory(path, model="fake") as memory, Memory(path, model="fake") as other:
        before = other.search(QUERY, log=False)
        assert (before.calibrated, memory.stats().calibrated) == (False, None)
        report = memory.calibrate(probes=150)
        assert (report.probes, report.used, report.stored) == (150, 150, True)
        assert report.found_first > 0.9
        assert report.after.log_loss < report.before.log_loss
        assert report.after.auroc > 0.9
        assert len(report.weights) == 6
        after = other.search(QUERY, log=False)
        assert after.calibrated
        learnt = Calibration.of(report.weights)
        with memory._engine.store.read() as reader:
            assert reader.calibration(1) == report.weights
        assert relevance(np.ones((1, 5), dtype=np.float32), learnt)[0] != pytest.approx(
            relevance(np.ones((1, 5), dtype=np.float32), ANY_MODEL)[0], abs=0.01
        )
        assert other.stats().calibrated == "own"
        assert memory.check().ok
        assert (memory.reset_calibration(), memory.reset_calibration()) == (True, False)
        assert not other.search(QUERY, log=False).calibrated
        assert other.stats().calibrated is None


def test_relevance_tells_what_is_left_out(path: Path) -> None:
    """What a document answers is far more relevant with it than without it."""
    with Memory(path, model="fake") as memory:
        memory.calibrate()
        text = str(memory.get(key="d7").text)
        query = " ".join(text.replace(".", "").split()[1:7])
        found = memory.search(query, log=False)
        without = memory.search(query, filter={"key": {"ne": "d7"}}, log=False)
        assert found.hits[0].document.key == "d7"
        assert float(found.hits[0].relevance or 0) > 2 * float(without.hits[0].relevance or 1)


def test_the_same_seed_asks_the_same(path: Path) -> None:
    """And another one does not."""
    with Memory(path, model="fake") as memory:
        first = memory.calibrate(probes=60, seed=5)
        same = memory.calibrate(probes=60, seed=5)
        other = memory.calibrate(probes=60, seed=6)
    assert replace(same, seconds=0) == replace(first, seconds=0)
    assert other.weights != first.weights


def test_nothing_is_logged_and_no_experience_gathered(path: Path) -> None:
    """Only the one search before it counts."""
    with Memory(path, model="fake") as memory:
        memory.search(QUERY, log=False)
        memory.calibrate(probes=60)
        traffic = memory._engine.searching._traffic._known["default"]
        assert traffic.count == pytest.approx(4 * (1 - 1 / 256) + 1)
        assert memory.stats().searches_logged == 0


def test_progress_is_told_after_each(path: Path) -> None:
    """As many as were asked for, or as there are chunks."""
    told: list[CalibrationProgress] = []
    with Memory(path, model="fake") as memory:
        memory.calibrate(probes=60, progress=told.append)
        assert told == [CalibrationProgress(number, 60) for number in range(1, 61)]
        told.clear()
        memory.calibrate(probes=1000, progress=told.append)
        assert len(told) == memory.stats().chunks


def test_probes_are_not_verbatim(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four to eight words of a sentence in its order, without the, and not all of it."""
    asked = []
    original = Calibrating._answered

    def seen(self: Calibrating, reader: Reader, probe: calibrating._Probe, name: str) -> object:
        asked.append((probe.key, probe.query))
        return original(self, reader, probe, name)

    monkeypatch.setattr(Calibrating, "_answered", seen)
    with Memory(path, model="fake") as memory:
        memory.calibrate(probes=80)
        texts = {key: str(memory.get(key=key).text) for key, _ in asked}
    assert len({key for key, _ in asked}) == 80
    for key, query in asked:
        words = query.split()
        assert 4 <= len(words) <= 8
        sentences = [each.split() for each in texts[key].split(".")]
        (sentence,) = [each for each in sentences if set(words) <= set(each)]
        assert words == [word for word in sentence if word in words]
        assert len(words) < len(sentence) - 1


def test_words_of_no_other_chunk_are_left_out(tmp_path: Path) -> None:
    """Where there are enough others."""
    documents = [
        NewDocument(f"Own{number} amber basil cedar delta ember.", key=f"d{number}")
        for number in range(60)
    ]
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add_batch(documents)
        with memory._engine.store.read() as reader:
            words = askable(str(memory.get(key="d5").text))[0]
            for seed in range(20):
                chosen = calibrating._chosen(reader, words, Random(seed))
                assert "Own5" not in chosen


def test_only_the_collection_is_asked(path: Path) -> None:
    """Another one is as if it were not there; one that does not exist is refused."""
    with Memory(path, model="fake") as memory:
        for document in generated_documents(20, seed=2):
            memory.add(document.text, key=document.key, collection="few")
        with pytest.raises(CalibrationError, match="Only 20 of 300"):
            memory.calibrate(collection="few")
        with pytest.raises(CollectionNotFoundError):
            memory.calibrate(collection="none")
        assert memory.calibrate(probes=60).used == 60


def test_too_little_is_refused(tmp_path: Path) -> None:
    """Few documents, none with a sentence, or none with a vector."""
    with Memory(tmp_path / "few.db", model="fake") as memory:
        with pytest.raises(CalibrationError, match="Only 0 of 300"):
            memory.calibrate()
        memory.add_batch(generated_documents(49))
        with pytest.raises(CalibrationError, match="Only 49 of 300"):
            memory.calibrate()
    with Memory(tmp_path / "short.db", model="fake") as memory:
        memory.add_batch([NewDocument(f"Amber lamp {number}.") for number in range(100)])
        with pytest.raises(CalibrationError, match="Only 0 of 300"):
            memory.calibrate()
    with Memory(tmp_path / "later.db", model="fake") as memory:
        memory.add_batch(generated_documents(100), embed="later")
        with pytest.raises(CalibrationError, match="Only 0 of 300"):
            memory.calibrate()
        assert memory.stats().calibrated is None


@pytest.mark.parametrize("probes", [49, 1001, 0, -1, True, 100.0, "100", None])
def test_a_wrong_number_of_probes_is_refused(path: Path, probes: int) -> None:
    """Before anything is asked."""
    with Memory(path, model="fake") as memory, pytest.raises(QueryError) as refused:
        memory.calibrate(probes=probes)
    assert refused.value.pointer == "/probes"


@pytest.mark.parametrize("seed", [-1, 2**63, True, 1.5, "1"])
def test_a_wrong_seed_is_refused(path: Path, seed: int) -> None:
    """Before anything is asked."""
    with Memory(path, model="fake") as memory, pytest.raises(QueryError) as refused:
        memory.calibrate(seed=seed)
    assert refused.value.pointer == "/seed"


def test_what_is_no_better_is_not_stored(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then what was there stays, and the report says so."""
    with Memory(path, model="fake") as memory:
        memory.calibrate(probes=60)
        before = stored(path)

        def same(found: np.ndarray, *_: object) -> np.ndarray:
            return relevance(found, ANY_MODEL)

        monkeypatch.setattr(calibrating, "cross_validated", same)
        report = memory.calibrate(probes=60, seed=1)
        assert not report.stored
        assert report.before == report.after
    assert stored(path) == before


def test_the_models_own_calibration_is_the_prior(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What never varies keeps its weight."""
    own = (1.0, 2.0, 0.5, 0.1, -7.0, -1.0)
    original = ModelInfo.__getattribute__

    def with_calibration(self: ModelInfo, name: str) -> object:
        return own if name == "calibration" else original(self, name)

    monkeypatch.setattr(ModelInfo, "__getattribute__", with_calibration)
    with Memory(path, model="fake") as memory:
        assert memory.stats().calibrated == "shipped"
        assert memory.calibrate(probes=60).weights[4] == -7


def test_an_immutable_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked, like every write."""
    with Memory(path, model="fake") as memory:
        monkeypatch.setattr(memory._engine.store, "immutable", True)
        told: list[CalibrationProgress] = []
        with pytest.raises(StoreReadOnlyError):
            memory.calibrate(progress=told.append)
        with pytest.raises(StoreReadOnlyError):
            memory.reset_calibration()
        assert told == []


@pytest.mark.parametrize("weights", [*DAMAGED, b"\xff\xfe"], ids=range(len(DAMAGED) + 1))
def test_a_damaged_row_is_found_and_not_used(path: Path, weights: str | bytes) -> None:
    """A search goes on with the model's own calibration; calibrating again repairs it."""
    with Memory(path, model="fake") as memory:
        expected = [hit.relevance for hit in memory.search(QUERY, log=False).hits]
    plant(path, weights)
    with Memory(path, model="fake") as memory:
        result = memory.search(QUERY, log=False)
        assert [hit.relevance for hit in result.hits] == expected
        assert not result.calibrated
        assert memory.stats().calibrated is None
        (finding,) = memory.check().findings
        assert (finding.code, finding.examples) == ("calibration_damaged", ("model 1",))


def test_a_damaged_row_is_replaced(path: Path) -> None:
    """By what is learnt anew; forgetting it does as well."""
    plant(path, "[]")
    with Memory(path, model="fake") as memory:
        assert memory.calibrate(probes=60).stored
        assert memory.check().ok
        assert memory.stats().calibrated == "own"
    plant(path, "[]")
    with Memory(path, model="fake") as memory:
        assert memory.reset_calibration()
        assert memory.check().ok


def test_a_missing_table_stops_no_search(path: Path) -> None:
    """The check tells of it."""
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("DROP TABLE calibration")
    with Memory(path, model="fake") as memory:
        assert memory.search(QUERY, log=False).hits
        assert "table_damaged" in {finding.code for finding in memory.check().findings}
