"""Relevance is calibrated the same through every interface."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from tests.contract.interface import ContractError, Interface
from tests.generated_documents import generated_documents
from vstash import Memory

QUERY = "ramok telvinp sokux beldank"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of generated documents."""
    path = tmp_path_factory.mktemp("made") / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add_batch(generated_documents(100))
    return path.read_bytes()


@pytest.fixture
def path(made: bytes, tmp_path: Path) -> Path:
    """A copy of that file."""
    target = tmp_path / "memory.db"
    target.write_bytes(made)
    return target


def test_what_is_learnt_is_used_and_forgotten(interface: Interface, path: Path) -> None:
    """Searches and statistics say so, and every interface reports the same figures."""
    assert not interface.search(QUERY)["calibrated"]
    assert interface.stats()["calibrated"] is None
    assert interface.reset_calibration() == {"removed": False}
    report = interface.calibrate(probes=60, seed=3)
    assert (report["probes"], report["used"], report["stored"]) == (60, 60, True)
    assert report["after"]["log_loss"] < report["before"]["log_loss"]
    assert report["before"].keys() == {"error", "log_loss", "auroc"}
    assert interface.search(QUERY)["calibrated"]
    assert interface.stats()["calibrated"] == "own"
    assert interface.check()["findings"] == []
    assert interface.reset_calibration() == {"removed": True}
    assert not interface.search(QUERY)["calibrated"]
    with Memory(path, model="fake") as memory:
        again = memory.calibrate(probes=60, seed=3)
    assert [*again.weights] == pytest.approx(report["weights"], abs=0.2)


def test_too_few_passages_are_refused(interface: Interface, path: Path) -> None:
    """The error says that nothing was stored, and nothing was."""
    interface.add("Amber basil cedar delta ember falcon.", collection="few")
    with pytest.raises(ContractError) as refused:
        interface.calibrate(collection="few")
    assert (refused.value.code, refused.value.status) == ("calibration_impossible", 409)
    assert refused.value.exit_code in {None, 2}
    connection = apsw.Connection(str(path))
    assert connection.execute("SELECT * FROM calibration").fetchall() == []
    connection.close()


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"probes": 49}, "query_invalid", "/probes"),
        ({"probes": 1001}, "query_invalid", "/probes"),
        ({"seed": -1}, "query_invalid", "/seed"),
        ({"seed": 2**63}, "query_invalid", "/seed"),
        ({"collection": "none"}, "collection_not_found", "/collection"),
        ({"collection": ""}, "field_invalid", "/collection"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    interface: Interface, path: Path, fields: dict[str, object], code: str, pointer: str
) -> None:
    """With the one error that each deserves."""
    assert path.exists()
    with pytest.raises(ContractError) as refused:
        interface.calibrate(**fields)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)
