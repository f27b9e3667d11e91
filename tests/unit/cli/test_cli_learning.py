"""What was learnt by command, as it is read on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.learnt import REASON, turned
from vstash import Memory

if TYPE_CHECKING:
    from tests.unit.cli.command import Vstash


@pytest.fixture
def filled(vstash: Vstash) -> Vstash:
    """The command over a file with a document."""
    with Memory(vstash.db, model="fake") as memory:
        memory.add("Tea is hot.")
    return vstash


def test_history_and_the_way_back(filled: Vstash) -> None:
    """A line with what it is, one for each reason, and a line for each switch."""
    assert filled.run("learn", "history").stdout == "Nothing was learnt.\n"
    (learnt,) = turned(filled.db, "fusion")
    first, second = filled.run("learn", "history").stdout.splitlines()
    assert first.endswith(f"{learnt}  fusion of default: in use")
    assert second.strip() == REASON
    assert f"with what was learnt: {learnt}\n" in filled.run("search", "tea", "--explain").stdout
    assert filled.run("learn", "rollback").stdout == f"fusion: {learnt} -> built-in\n"
    assert "the built-in is in use" in filled.run("learn", "rollback").stdout
    assert "fusion of default: in use" in filled.run("learn", "promote", learnt).stdout


def test_too_little_to_learn_from(filled: Vstash) -> None:
    """It says what to do, and changes nothing."""
    refused = filled.run("learn", "run", "--budget", "60")
    assert refused.exit_code == 2
    assert "too few" in refused.stderr
    assert filled.run("learn", "history").stdout == "Nothing was learnt.\n"


def test_whether_it_learns_by_itself(filled: Vstash) -> None:
    """Off, and how to change that; each collection with what there is."""
    first, second = filled.run("learn", "auto").stdout.splitlines()
    assert first.startswith("off: set learn_auto = true")
    assert second.startswith("default: 0 new searches, learnt never; takes 200")
