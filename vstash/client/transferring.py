"""Methods of `Client` that move what a file holds in and out as streams."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator

from vstash.client.base import Arguments, Base, like, with_filter
from vstash.client.decoding import decoded
from vstash.memory import Memory
from vstash.transfers import ImportReport, as_bytes
from vstash.types import Triple

__all__ = ["Transferring"]


class Transferring(Base):
    """Export, import, and training triples."""

    @like(Memory.export)
    def export(self, given: Arguments) -> Generator[bytes, None, None]:
        """Stream documents as lines."""
        return self._begun("/v1/export", with_filter(given))

    @like(Memory.import_documents)
    def import_documents(self, given: Arguments) -> ImportReport:
        """Take in the documents of an export."""
        body = as_bytes(given.pop("stream"))
        headers = {"Content-Type": "application/x-ndjson"}
        with self._service.streamed(
            "POST", "/v1/import", query=given, content=body, headers=headers
        ) as answer:
            return decoded(ImportReport, json.loads(answer.read()))

    @like(Memory.triples)
    def triples(self, given: Arguments) -> Generator[Triple, None, None]:
        """Stream triples."""
        return _triples(self._begun("/v1/triples", given))

    def _begun(self, path: str, query: Arguments) -> Generator[bytes, None, None]:
        """The lines of an answer, of which it is known that it is none of errors."""
        lines = self._lines(path, query)
        next(lines)
        return lines

    def _lines(self, path: str, query: Arguments) -> Generator[bytes, None, None]:
        with self._service.streamed("GET", path, query=query) as answer:
            yield b""
            yield from _split(answer.iter_bytes())


def _split(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        held.append(first)
        for part in others:
            yield b"".join(held) + b"\n"
            held = [part]
    if rest := b"".join(held):
        yield rest


def _triples(lines: Generator[bytes, None, None]) -> Generator[Triple, None, None]:
    try:
        for line in lines:
            yield decoded(Triple, json.loads(line))
    finally:
        lines.close()
