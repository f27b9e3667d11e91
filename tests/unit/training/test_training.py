"""Training itself, where the extra is installed; without it, it says what to install."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vstash import Memory, install_model, train_model
from vstash.embed.catalogue import open_model
from vstash.errors import ExtraMissingError, TrainingError
from vstash.settings import Settings
from vstash.training.base import open_base
from vstash.training.options import TrainOptions, TrainProgress
from vstash.training.run import require_training

INSTALLED = all(find_spec(name) for name in ("torch", "transformers", "sentence_transformers"))
trains = pytest.mark.skipif(not INSTALLED, reason="needs the extra `train`")
SMALL = TrainOptions(objective="contrast", batch=4, steps=4, passage_tokens=16, query_tokens=16)


def lines(path: Path, count: int = 120) -> Path:
    """A file of examples."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            line = {
                "query": f"where does thing {number} live",
                "positive": f"Number {number} is at home in town {number * 3}.",
                "negatives": [f"Number {number} was never in town {number * 5 + 1}."],
            }
            file.write(json.dumps(line) + "\n")
    return path


@pytest.mark.skipif(INSTALLED, reason="the extra `train` is installed")
def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """Before anything is read or written."""
    with pytest.raises(ExtraMissingError, match=r"pip install 'vstash\[train\]'"):
        require_training()
    with pytest.raises(ExtraMissingError):
        train_model(tmp_path / "out", data=lines(tmp_path / "e.jsonl"), options=SMALL)
    assert not (tmp_path / "out").exists()


@trains
def test_the_trained_model_is_the_served_one() -> None:
    """Weights that were made float again give the vectors that the packaged model gives."""
    from vstash.training.encoder import Encoder

    encoder = Encoder(open_base("", None))
    texts = ["Tea is grown in Assam.", "The port of the staging server is 8090.", "violin"]
    served = open_model("")
    for rows, vectors in (
        (encoder.queries(texts, 64), served.embed_queries(texts)),
        (encoder.passages(texts, 64), served.embed_passages(texts)),
    ):
        for places, found in encoder.embedded(rows):
            assert np.all((found * vectors[places]).sum(axis=1) > 0.99)


@trains
def test_a_model_from_examples(tmp_path: Path) -> None:
    """It is trained, written, described, judged, and installs; the same seed gives the same model."""
    data = lines(tmp_path / "e.jsonl")
    seen: list[TrainProgress] = []
    report = train_model(
        tmp_path / "one", data=data, name="own", options=SMALL, progress=seen.append
    )
    assert (report.steps, report.planned, report.evidence) == (4, 4, "known")
    assert report.cosine > 0.97
    assert {each.stage for each in seen} >= {"train", "export", "compare"}
    told = json.loads((tmp_path / "one" / "decision.json").read_text("utf-8"))
    assert told["recommended"] is report.recommended
    assert told["data_sha256"] == report.data_sha256
    assert not (tmp_path / "one" / "checkpoint.pt").exists()
    settings = Settings(models_folder=str(tmp_path / "models"))
    assert install_model(tmp_path / "one", settings=settings).sha256 == report.sha256
    again = train_model(tmp_path / "two", data=data, options=SMALL)
    assert again.sha256 == report.sha256


@trains
def test_an_interrupted_training_goes_on(tmp_path: Path) -> None:
    """It ends with the model that an uninterrupted one gives; with other options it is refused."""
    data = lines(tmp_path / "e.jsonl")
    options = replace(SMALL, steps=24)
    whole = train_model(tmp_path / "whole", data=data, options=options)

    def stop(state: TrainProgress) -> None:
        if state.stage == "train" and state.done < state.total:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        train_model(out, data=data, options=options, progress=stop)
    assert [path.name for path in sorted(out.iterdir())] == ["checkpoint.pt", "training.msgpack"]
    with pytest.raises(TrainingError, match="not empty"):
        train_model(out, data=data, options=options)
    with pytest.raises(TrainingError, match="other options"):
        train_model(out, data=data, options=replace(options, batch=8), resume=True)
    resumed = train_model(out, data=data, options=options, resume=True)
    assert resumed.sha256 == whole.sha256
    assert len(resumed.losses) == len(whole.losses)


@trains
def test_a_training_ends_in_time(tmp_path: Path) -> None:
    """Steps are left out, and their number is told."""
    options = replace(SMALL, steps=0, epochs=100, minutes=0.1)
    report = train_model(tmp_path / "out", data=lines(tmp_path / "e.jsonl"), options=options)
    assert 8 < report.steps < report.planned == 100 * 24


@trains
def test_fused_lists_are_learnt(tmp_path: Path) -> None:
    """The loss falls from the first steps to the last."""
    with Memory(tmp_path / "a.db") as memory:
        for number in range(60):
            memory.add(f"Item {number} costs {number * 7} and lies in hall {number % 9}.")
        for number in range(60):
            memory.search(f"price of item {number}")
        memory.flush_log()
        memory.mine()
        options = TrainOptions(batch=8, steps=30, learning_rate=1e-4, anchors=2, held_out=0.5)
        report = train_model(tmp_path / "out", memory, options=options)
    assert report.losses[-1] < report.losses[0]


def test_a_file_has_no_lists(tmp_path: Path) -> None:
    """Asked for what it lacks, it is refused, with or without the extra."""
    with pytest.raises((TrainingError, ExtraMissingError), match=r"objective|vstash"):
        train_model(tmp_path / "out", data=lines(tmp_path / "e.jsonl"))
