"""Training by command."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vstash import Memory
from vstash.cli.learn_train import shown
from vstash.evaluation import Interval
from vstash.training.options import TrainOptions
from vstash.training.reports import Measured, TrainReport
from vstash.wire import to_json

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


def report(*, recommended: bool, steps: int = 90) -> TrainReport:
    """What a training tells."""
    measured = {"nDCG@10": Measured(0.5, 0.53, Interval(0.03, 0.01, 0.05), 80)}
    return TrainReport(
        name="tuned",
        folder="tuned",
        sha256="0" * 64,
        base="bge-small-en-v1.5",
        base_sha256="1" * 64,
        data_sha256="2" * 64,
        options=TrainOptions(),
        examples=320,
        held_out=80,
        evidence="known",
        steps=steps,
        planned=90,
        losses=(0.5, 0.4),
        seconds=61.0,
        peak_bytes=2_000_000_000,
        device="cpu, bfloat16",
        cosine=0.9981,
        own=measured,
        general=measured,
        recommended=recommended,
        reason="nDCG@10 rose",
    )


def test_what_is_read() -> None:
    """Figures with their intervals, and the commands that follow where they should."""
    text = shown(report(recommended=True), Path("tuned"))
    assert "320 examples, 80 held out\n" in text
    assert "0.5000 -> 0.5300, +0.0300 (+0.0100 to +0.0500)" in text
    assert text.endswith("vstash model add tuned && vstash reindex --model tuned")
    refused = shown(report(recommended=False, steps=60), Path("tuned"))
    assert "60, 30 left out for time" in refused
    assert "no: nDCG@10 rose" in refused
    assert "model add" not in refused


def test_the_report_is_json() -> None:
    """Every field, those of options and metrics inside it."""
    value = to_json(report(recommended=True))
    assert isinstance(value, dict)
    assert value["own"]["nDCG@10"]["difference"]["low"] == 0.01
    assert value["options"]["seed"] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--epochs", "0"), "epochs"),
        (("--lr", "5"), "learning_rate"),
        (("--share", "2"), "share"),
        (("--objective", "other"), "objective"),
    ],
)
def test_options_out_of_range_are_refused(
    vstash: Vstash, tmp_path: Path, words: tuple[str, str], told: str
) -> None:
    """By name, before anything is read."""
    with Memory(vstash.db, model="fake"):
        pass
    given = vstash.run("learn", "train", str(tmp_path / "out"), *words)
    assert given.exit_code == 2
    assert told in given.stderr


@pytest.mark.skipif(find_spec("torch") is not None, reason="the extra `train` is installed")
def test_without_the_extra_it_says_what_to_install(vstash: Vstash, tmp_path: Path) -> None:
    """And writes nothing."""
    with Memory(vstash.db, model="fake"):
        pass
    given = vstash.run("learn", "train", str(tmp_path / "out"))
    assert given.exit_code != 0
    assert "pip install 'vstash[train]'" in given.stderr
    assert not (tmp_path / "out").exists()
