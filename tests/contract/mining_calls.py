"""Queries of which the answer is known through each interface."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

if TYPE_CHECKING:
    from vstash import Client, Memory

__all__ = ["MiningCalls", "MiningOverCli", "MiningOverMemory", "MiningOverRest"]

JsonDict = dict[str, Any]
Judgements = Mapping[str, Mapping[str, int]]


class MiningCalls(Protocol):
    """What makes queries, takes, shows and removes them, and sums triples up."""

    def mine(self, **fields: object) -> JsonDict:
        """Make queries; the fields are those of `Memory.mine`."""
        ...

    def label(self, queries: Mapping[str, str], judgements: Judgements) -> JsonDict:
        """Take queries with judgements."""
        ...

    def made_queries(self, **fields: object) -> JsonDict:
        """List queries; the fields are those of `Memory.made_queries`."""
        ...

    def remove_made(self, **fields: object) -> JsonDict:
        """Remove queries: ``removed``."""
        ...

    def learn_report(self, **fields: object) -> JsonDict:
        """Sum up; the fields are those of `Memory.learn_report`."""
        ...


class MiningOverMemory:
    """`Memory` in this process, or what has its methods."""

    _memory: Memory | Client
    _call: Callable[..., JsonDict]

    def mine(self, **fields: Any) -> JsonDict:
        """Make queries."""
        return self._call(lambda: self._memory.mine(**fields))

    def label(self, queries: Mapping[str, str], judgements: Judgements) -> JsonDict:
        """Take queries with judgements."""
        return self._call(lambda: self._memory.label(queries, judgements))

    def made_queries(self, **fields: Any) -> JsonDict:
        """List queries."""
        return self._call(lambda: self._memory.made_queries(**fields))

    def remove_made(self, **fields: Any) -> JsonDict:
        """Remove queries."""
        return self._call(lambda: {"removed": self._memory.remove_made(**fields)})

    def learn_report(self, **fields: Any) -> JsonDict:
        """Sum up."""
        return self._call(lambda: self._memory.learn_report(**fields))


class MiningOverCli:
    """The command line."""

    run: Callable[..., JsonDict]

    def mine(self, **fields: object) -> JsonDict:
        """Make queries."""
        forms = fields.pop("forms", ())
        assert isinstance(forms, list | tuple)
        named = [f"--form={form}" for form in forms]
        return self.run("learn", "mine", *named, *_options(fields))

    def label(self, queries: Mapping[str, str], judgements: Judgements) -> JsonDict:
        """Take queries with judgements."""
        with tempfile.TemporaryDirectory() as name:
            return self._label(Path(name), queries, judgements)

    def _label(self, folder: Path, queries: Mapping[str, str], judgements: Judgements) -> JsonDict:
        (folder / "queries.jsonl").write_text(
            "".join(
                json.dumps({"_id": name, "text": text}) + "\n" for name, text in queries.items()
            ),
            encoding="utf-8",
        )
        rows = [
            f"{name}\t{key}\t{grade}\n"
            for name, grades in judgements.items()
            for key, grade in grades.items()
        ]
        (folder / "qrels.tsv").write_text(
            "".join(["query-id\tcorpus-id\tscore\n", *rows]), encoding="utf-8"
        )
        return self.run("learn", "label", str(folder / "queries.jsonl"), str(folder / "qrels.tsv"))

    def made_queries(self, **fields: object) -> JsonDict:
        """List queries."""
        return self.run("learn", "queries", *_options(fields))

    def remove_made(self, **fields: object) -> JsonDict:
        """Remove queries."""
        return self.run("learn", "queries", "--remove", *_options(fields))

    def learn_report(self, **fields: object) -> JsonDict:
        """Sum up."""
        return self.run("learn", "report", *_options(fields))


class MiningOverRest:
    """The REST API."""

    send: Callable[..., JsonDict]

    def mine(self, **fields: object) -> JsonDict:
        """Make queries."""
        return self.send("POST", "/v1/learn/mine", fields)

    def label(self, queries: Mapping[str, str], judgements: Judgements) -> JsonDict:
        """Take queries with judgements."""
        body = {"queries": queries, "judgements": judgements}
        return self.send("POST", "/v1/learn/label", body)

    def made_queries(self, **fields: object) -> JsonDict:
        """List queries."""
        return self.send("GET", f"/v1/learn/queries?{urlencode(fields)}")

    def remove_made(self, **fields: object) -> JsonDict:
        """Remove queries."""
        return self.send("DELETE", f"/v1/learn/queries?{urlencode(fields)}")

    def learn_report(self, **fields: object) -> JsonDict:
        """Sum up."""
        return self.send("GET", f"/v1/learn/report?{urlencode(fields)}")


def _options(fields: Mapping[str, object]) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in fields.items()]
