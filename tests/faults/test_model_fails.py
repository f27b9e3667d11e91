"""Without a working model a search is answered from keywords, says so, and the file stays as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.unit.api.service import running
from vstash import Memory
from vstash.errors import EmbeddingError, ModelInvalidError
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray

TEXTS = ["The quokka eats leaves.", "The wombat digs holes.", "Tea is drunk warm."]


class Failing(FakeEmbedder):
    """A model that can be broken."""

    broken = False

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Vectors, or the error of a model that cannot be loaded."""
        if self.broken:
            raise ModelInvalidError("The embedding model's file model.onnx is damaged.")
        return super().embed_passages(texts)


@pytest.fixture
def model(tmp_path: Path) -> Failing:
    """A model that works, and a file that was written with it."""
    made = Failing()
    with Memory(tmp_path / "x.db", model=made) as memory:
        memory.add_many(TEXTS)
    return made


@pytest.mark.parametrize("strategy", ["score", "rrf", "adaptive-rrf"])
def test_keywords_answer(tmp_path: Path, model: Failing, strategy: str) -> None:
    """A hybrid search goes on with one leg, by any strategy; the control asks both."""
    with Memory(tmp_path / "x.db", model=model) as memory:
        whole = memory.search("what does the quokka eat", strategy=strategy)  # type: ignore[arg-type]
        model.broken = True
        found = memory.search("what does the quokka eat", strategy=strategy)  # type: ignore[arg-type]
        assert (whole.mode, whole.degraded) == ("hybrid", ())
        assert [reason.partition(":")[0] for reason in found.degraded] == ["model_unavailable"]
        assert (found.mode, found.hits[0].text) == ("keyword", TEXTS[0])
        model.broken = False
        assert memory.search("what does the quokka eat").degraded == ()


def test_every_option_goes_on(tmp_path: Path, model: Failing) -> None:
    """What a search may ask for besides is left out where it needs the model."""
    model.broken = True
    with Memory(tmp_path / "x.db", model=model) as memory:
        found = memory.search("the quokka", min_relevance=0.5, mmr="within", explain=True)
        assert found.hits[0].text == TEXTS[0]
        context = memory.context("the quokka")
        assert "quokka" in context.text
        assert context.degraded[0].startswith("model_unavailable")


def test_vectors_alone_cannot_be_asked(tmp_path: Path, model: Failing) -> None:
    """Who asks for vectors gets the error; who brings one gets an answer."""
    ready = model.embed_queries(["quokka"])[0]
    model.broken = True
    with Memory(tmp_path / "x.db", model=model) as memory:
        with pytest.raises(ModelInvalidError):
            memory.search("quokka", mode="vector")
        assert memory.search("quokka", vector=ready).degraded == ()
        assert memory.search("quokka", mode="keyword").degraded == ()


def test_what_it_returns_counts_too(tmp_path: Path, model: Failing) -> None:
    """Vectors that cannot be used are no better than none."""

    class Wrong(FakeEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> FloatArray:
            return super().embed_queries(texts)[:, :3]

    with Memory(tmp_path / "x.db", model=Wrong()) as memory:
        assert memory.search("the quokka").degraded[0].startswith("model_unavailable")
        with pytest.raises(EmbeddingError):
            memory.search("the quokka", mode="vector")


def test_a_damaged_model_on_disk(tmp_path: Path) -> None:
    """The model in the package, its file cut off: the service says degraded and answers."""
    from vstash.embed.catalogue import packaged_folder
    from vstash.embed.onnx import OnnxEmbedder

    source = packaged_folder("bge-small-en-v1.5")
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("model.json", "tokenizer.json"):
        (folder / name).write_bytes((source / name).read_bytes())
    (folder / "model.onnx").write_bytes((source / "model.onnx").read_bytes()[:1000])
    with running(tmp_path, model=OnnxEmbedder(folder)) as service:
        service.memory.add_many(TEXTS, vectors=[[1.0] + [0.0] * 383] * 3)
        ready = service.http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["reasons"][0].startswith("model_invalid:")
        answer: httpx.Response = service.http.post("/v1/search", json={"query": "the quokka"})
        assert answer.json()["hits"][0]["chunk"]["text"] == TEXTS[0]
        assert answer.json()["degraded"][0].startswith("model_unavailable")
        wanted = {"query": "the quokka", "mode": "vector"}
        assert service.http.post("/v1/search", json=wanted).json()["code"] == "model_invalid"
        assert str(tmp_path) not in json.dumps([ready.json(), answer.json()])
