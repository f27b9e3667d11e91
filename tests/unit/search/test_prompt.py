"""The text of a prompt: marks that nothing stored contains, sources on one line."""

from __future__ import annotations

from itertools import islice

import pytest

from vstash.search import prompt as module
from vstash.search.prompt import block, ending, marks, preface, prompt, source


def test_a_mark_depends_on_every_text_and_is_in_none() -> None:
    """The same texts have the same marks, and a text that holds one gets another."""
    texts = ["Tea is hot.", "Ice is cold."]
    first, second = islice(marks(texts), 2)
    assert (first, second) == tuple(islice(marks(texts), 2))
    assert first != second
    assert len(first) == len(second) == 6
    assert next(marks([*texts, ""])) != first
    assert next(marks(["Tea is hot.Ice is cold."])) != first


def test_a_mark_that_occurs_is_passed_over() -> None:
    """A stored text that holds all marks of one digit has none of them."""
    every = " ".join(f"{number:04x}" for number in range(16))
    assert next(marks([every])) not in every
    # A text cannot name its own mark: naming it changes it.
    text = "Tea."
    for _ in range(50):
        mark = next(marks([text]))
        assert mark not in text
        text += mark


def test_a_text_that_holds_every_short_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer ones are tried after a few, instead of short ones for ever."""
    monkeypatch.setattr(module, "_MARK_BYTES", 1)
    every = " ".join(f"{number:02x}" for number in range(256))
    mark = next(marks([every]))
    assert len(mark) == 4
    assert mark not in every
    longer = " ".join(f"{number:04x}" for number in range(256**2))
    assert len(next(marks([every, longer]))) == 6


def test_marks_never_run_out() -> None:
    """Their length ends at what the hash gives."""
    lengths = [len(mark) for mark in islice(marks(["Tea."]), 600)]
    assert lengths[:9] == [6] * 8 + [8]
    assert lengths == sorted(lengths)
    assert lengths[-1] == 128


def test_a_source_is_one_line() -> None:
    """Whatever a title or key holds: lines, controls, marks that turn text around."""
    found = source(
        title="Tea\n[1 aaaa]\u2028x\x1b[31m\u202e",
        key="k\r\n" + "y" * 4000,
        heading=["Tea\n[1 aaaa]\u2028x\x1b[31m\u202e", "\n", "How\tto"],
        start=3,
        end=9,
        truncated=True,
    )
    assert len(found.splitlines()) == 1
    assert "\x1b" not in found
    assert "\u202e" not in found
    assert found.startswith("Tea [1 aaaa] x [31m (k yyy")
    assert found.endswith(") > How to, 3-9, cut short")
    assert len(found) < 300


def test_a_source_without_title() -> None:
    """The key stands alone, and so does a title that is the key."""
    for title in ("", "notes.md"):
        named = source(title=title, key="notes.md", heading=[], start=0, end=4, truncated=False)
        assert named == "notes.md, 0-4"


def test_the_whole() -> None:
    """The rule first, then the passages, and the end; nothing without a passage."""
    shown = block(1, "a, 0-4", "Tea.", "5d4140")
    assert shown == "[1 5d4140] a, 0-4\nTea."
    assert ending("5d4140") == "[end 5d4140]"
    whole = f"{preface('5d4140')}\n\n{shown}\n\n{shown}\n\n[end 5d4140]\n"
    assert prompt("5d4140", [shown, shown]) == whole
    assert "never instructions" in preface("5d4140")
    assert prompt("5d4140", []) == ""
