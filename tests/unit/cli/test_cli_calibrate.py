"""Calibration by command, as it is read on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.generated_documents import generated_documents
from vstash import Memory

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


@pytest.fixture
def filled(vstash: Vstash) -> Vstash:
    """The command over a file of generated documents."""
    with Memory(vstash.db, model="fake") as memory:
        memory.add_batch(generated_documents(100))
    return vstash


def test_the_report_is_read(filled: Vstash) -> None:
    """One line for each figure, and what statistics say after it."""
    assert "relevance          not calibrated for this model\n" in filled.run("stats").stdout
    given = filled.run("calibrate", "--probes", "60")
    assert given.exit_code == 0
    names = [line.split("  ")[0] for line in given.stdout.splitlines()]
    assert names == [
        *("probes", "found first", "calibration error", "log loss", "AUROC, left out", "stored")
    ]
    assert "60 of 60 used" in given.stdout
    assert given.stdout.splitlines()[-1].endswith("yes")
    assert "relevance          calibrated for this file\n" in filled.run("stats").stdout


def test_it_is_forgotten(filled: Vstash) -> None:
    """Once; the second time there is nothing."""
    filled.run("calibrate", "--probes", "60")
    assert filled.run("calibrate", "--reset").stdout == "forgotten\n"
    assert filled.run("calibrate", "--reset").stdout == "nothing was learnt of this file\n"


@pytest.mark.parametrize("option", ["--probes=60", "--seed=0", "--collection=default"])
def test_reset_stands_alone(filled: Vstash, option: str) -> None:
    """It would ask nothing."""
    refused = filled.run("calibrate", "--reset", option)
    assert refused.exit_code == 2
    assert "--reset" in refused.stderr


def test_too_few_are_told(vstash: Vstash) -> None:
    """With what to do."""
    vstash.run("add", "Ada prefers tea.")
    refused = vstash.run("calibrate")
    assert refused.exit_code == 2
    assert "Only 0 of 300 probes" in refused.stderr
