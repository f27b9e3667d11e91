"""Turns: one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vstash import Memory
from vstash.embed.fake import FakeEmbedder
from vstash.pipeline.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vstash.types import FloatArray, SearchResult


def in_a_thread(act: Callable[[], None]) -> threading.Thread:
    """Run something beside the test."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def test_one_at_a_time() -> None:
    """A second thread waits for the turn of the first to end."""
    turns, entered = Turns(), threading.Event()

    def enter() -> None:
        with turns.taken():
            entered.set()

    with turns.taken():
        thread = in_a_thread(enter)
        assert not entered.wait(0.05)
    assert entered.wait(10)
    thread.join(10)


def test_an_error_ends_the_turn() -> None:
    """Nobody waits for a turn that failed."""
    turns = Turns()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turns.taken():
            raise ZeroDivisionError


class Waiting(FakeEmbedder):
    """Embeds one question only when another search has been answered."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = threading.Event(), threading.Event()

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """Wait where the question says so."""
        if "slow" in texts[0]:
            self.asked.set()
            assert self.go_on.wait(30)
        return super().embed_queries(texts)


def test_a_search_lets_others_go_while_the_model_works(tmp_path: Path) -> None:
    """A search is answered while another one is being embedded."""
    model = Waiting()
    with Memory(tmp_path / "turns.db", model=model) as memory:
        memory.add("Ada prefers tea.")
        answers: list[SearchResult] = []
        thread = in_a_thread(lambda: answers.append(memory.search("slow tea")))
        assert model.asked.wait(30)
        assert memory.search("quick tea").hits
        model.go_on.set()
        thread.join(30)
        assert answers
