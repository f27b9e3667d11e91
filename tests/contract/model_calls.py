"""Models and switching between them, through each of the interfaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

from vstash import Client, Memory

__all__ = ["ModelCalls", "ModelsOverCli", "ModelsOverMemory", "ModelsOverRest"]

JsonDict = dict[str, Any]


class ModelCalls(Protocol):
    """What every interface offers; values are JSON in the form of `vstash.wire.to_json`."""

    def models(self) -> list[JsonDict]:
        """List models: ``name``, ``index``, ``vectors``, ``awaiting``."""
        ...

    def reindex(self, model: str) -> JsonDict:
        """Build a model's index and switch to it: ``before``, ``model``, ``embedded``."""
        ...

    def use_model(self, name: str, *, embed: str | None = None) -> JsonDict:
        """Switch to a model whose index is there."""
        ...

    def remove_model(self, name: str) -> JsonDict:
        """Remove a model's index."""
        ...


class ModelsOverMemory:
    """By the methods of `Memory`."""

    _memory: Memory | Client
    _call: Callable[[Callable[[], object]], JsonDict]

    def models(self) -> list[JsonDict]:
        """List models."""
        found: list[JsonDict] = self._call(lambda: {"items": self._memory.models()})["items"]
        return found

    def reindex(self, model: str) -> JsonDict:
        """Build a model's index and switch to it."""
        return self._call(lambda: self._memory.reindex(model))

    def use_model(self, name: str, *, embed: Any = None) -> JsonDict:
        """Switch to a model whose index is there."""
        given = {} if embed is None else {"embed": embed}
        return self._call(lambda: self._memory.use_model(name, **given))

    def remove_model(self, name: str) -> JsonDict:
        """Remove a model's index."""
        return self._call(lambda: self._memory.remove_model(name))


class ModelsOverCli:
    """By the commands; who sets a model by its variable has to follow a switch."""

    run: Callable[..., JsonDict]
    _environment: dict[str, str]

    def models(self) -> list[JsonDict]:
        """List models."""
        found: list[JsonDict] = self.run("model", "list")["items"]
        return found

    def reindex(self, model: str) -> JsonDict:
        """Build a model's index and switch to it."""
        return self._followed(self.run("reindex", "--model", model))

    def use_model(self, name: str, *, embed: str | None = None) -> JsonDict:
        """Switch to a model whose index is there."""
        how = () if embed is None else ("--embed", embed)
        return self._followed(self.run("model", "use", *how, "--", name))

    def remove_model(self, name: str) -> JsonDict:
        """Remove a model's index."""
        found: JsonDict = self.run("model", "remove", "--index-only", "--", name)["index"]
        return found

    def _followed(self, report: JsonDict) -> JsonDict:
        self._environment["VSTASH_MODEL"] = report["model"]
        return report


class ModelsOverRest:
    """By the routes."""

    send: Callable[..., JsonDict]

    def models(self) -> list[JsonDict]:
        """List models."""
        found: list[JsonDict] = self.send("GET", "/v1/models")["items"]
        return found

    def reindex(self, model: str) -> JsonDict:
        """Build a model's index and switch to it."""
        return self.send("POST", f"/v1/models/{quote(model, safe='')}:reindex")

    def use_model(self, name: str, *, embed: str | None = None) -> JsonDict:
        """Switch to a model whose index is there."""
        how = {} if embed is None else {"embed": embed}
        return self.send("POST", f"/v1/models/{quote(name, safe='')}:use", how)

    def remove_model(self, name: str) -> JsonDict:
        """Remove a model's index."""
        return self.send("DELETE", f"/v1/models/{quote(name, safe='')}")
