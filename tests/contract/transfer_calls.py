"""Export, import and triples through each interface."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

if TYPE_CHECKING:
    from vstash import Client, Memory

__all__ = ["TransferOverCli", "TransferOverMemory", "TransferOverRest", "Transfers"]

JsonDict = dict[str, Any]


class Transfers(Protocol):
    """What moves in and out as streams."""

    def export(self, **fields: object) -> bytes:
        """All lines; the fields are those of `Memory.export`."""
        ...

    def import_documents(self, stream: bytes, **fields: object) -> JsonDict:
        """Import; the fields are those of `Memory.import_documents`."""
        ...

    def triples(self, **fields: object) -> list[JsonDict]:
        """All triples; the fields are those of `Memory.triples`."""
        ...


class TransferOverMemory:
    """Over the Python interface."""

    _memory: Memory | Client
    _call: Callable[..., JsonDict]

    def export(self, **fields: Any) -> bytes:
        """All lines."""
        told = self._call(lambda: {"lines": b"".join(self._memory.export(**fields)).decode()})
        return str(told["lines"]).encode()

    def import_documents(self, stream: bytes, **fields: Any) -> JsonDict:
        """Import, from pieces of an odd size."""
        pieces = (stream[start : start + 1009] for start in range(0, len(stream), 1009))
        return self._call(lambda: self._memory.import_documents(pieces, **fields))

    def triples(self, **fields: Any) -> list[JsonDict]:
        """All triples."""
        told = self._call(lambda: {"triples": [*self._memory.triples(**fields)]})
        return list(told["triples"])


class TransferOverCli:
    """Over the command line."""

    run: Callable[..., JsonDict]

    def export(self, **fields: object) -> bytes:
        """All lines, through a file."""
        words = _words({**fields, "filter": _json(fields.get("filter"))})
        return self._written("export", *words)

    def import_documents(self, stream: bytes, **fields: object) -> JsonDict:
        """Import from standard input."""
        return self.run("import", *_words(fields), "-", stdin=stream)

    def triples(self, **fields: object) -> list[JsonDict]:
        """All triples, through a file."""
        texts = fields.pop("texts", True)
        words = _words({**fields, "no_texts": texts is False})
        return _parsed(self._written("triples", *words))

    def _written(self, command: str, *words: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "lines.ndjson"
            told = self.run(command, *words, str(target))
            assert told["path"] == str(target)
            return target.read_bytes()


class TransferOverRest:
    """Over HTTP."""

    send: Callable[..., JsonDict]
    exchange: Callable[..., bytes]

    def export(self, **fields: object) -> bytes:
        """All lines."""
        query = _query({**fields, "filter": _json(fields.get("filter"))})
        return self.exchange("GET", f"/v1/export?{query}")

    def import_documents(self, stream: bytes, **fields: object) -> JsonDict:
        """Import."""
        target = f"/v1/import?{_query(fields)}"
        answer: JsonDict = json.loads(
            self.exchange("POST", target, stream, media_type="application/x-ndjson")
        )
        return answer

    def triples(self, **fields: object) -> list[JsonDict]:
        """All triples."""
        return _parsed(self.exchange("GET", f"/v1/triples?{_query(fields)}"))


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value)


def _words(fields: JsonDict | dict[str, object]) -> list[str]:
    found = []
    for name, value in fields.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            found.append(option)
        elif value is not None and value is not False:
            found.append(f"{option}={value}")
    return found


def _query(fields: dict[str, object]) -> str:
    return urlencode(
        {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in fields.items()
            if value is not None
        }
    )


def _parsed(lines: bytes) -> list[JsonDict]:
    return [json.loads(line) for line in lines.splitlines()]
