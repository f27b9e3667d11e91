"""Streams through the client: the lines of the service, at the caller's pace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from tests.unit.api.service import Service, running
from vstash import Client, NewDocument, errors


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service over a file of 500 documents."""
    with running(tmp_path) as found:
        texts = [NewDocument(f"number {n} \u2028 " + "lorem " * 200) for n in range(500)]
        found.memory.add_batch(texts, embed="later")
        yield found


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    """Its client."""
    with Client(f"http://127.0.0.1:{service.port}") as found:
        yield found


def test_lines_are_lines(service: Service, client: Client) -> None:
    """However the answer was cut, what comes is what `Memory` gives, line by line."""
    assert list(client.export()) == list(service.memory.export())
    assert client.import_documents(client.export()).unchanged == 500
    assert client.import_documents(b"".join(client.export()).decode()).unchanged == 500


def test_errors_come_with_the_call(client: Client) -> None:
    """Not only when the first line is asked for."""
    with pytest.raises(errors.CollectionNotFoundError):
        client.export(collection="absent")
    with pytest.raises(errors.FilterError):
        client.export(filter={"no": 1})
    with pytest.raises(errors.FieldError):
        client.triples(collection="/")
    with pytest.raises(errors.FieldError):
        client.import_documents([1])  # type: ignore[list-item]
    with pytest.raises(errors.TransferError, match=r"^Line 1: "):
        client.import_documents([b"x" * 100_000 for _ in range(100)])


def test_who_stops_early_ends_the_transaction(service: Service, client: Client) -> None:
    """By closing the stream; the client can be used on."""
    lines = client.export()
    next(lines)
    lines.close()
    service.memory.add("written meanwhile")
    deadline = time.monotonic() + 20
    connection = apsw.Connection(str(service.memory.path))
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    connection.close()
    assert client.stats().documents == 501
