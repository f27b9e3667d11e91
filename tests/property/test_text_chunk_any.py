"""Chunks of any text, with a simple tokenizer and the shipped model's."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

import vstash
from vstash.text.chunk import Span, chunk

Offsets = Callable[[str], list[tuple[int, int]]]
TYPES = (
    "text/plain",
    "text/markdown",
    "text/x-rst",
    "text/x-python",
    "application/json",
    "application/x-ndjson",
    "text/csv",
)
PARTS = st.sampled_from(
    [
        *("# A\n", "## B\n", "### C\n\n", "T\n===\n", "U\n---\n", "- x\n", "  - y\n", "```\n"),
        *("> q\n", "| a | b |\n|---|---|\n| c | d |\n", "\n", "\n\n", " ", "\t", "\r\n", "\r"),
        *("word ", "One. ", "Two! ", "e.g. x ", "def f():\n    return\n", "}\n", '{"a": [1]}\n'),
        *("x" * 130, "é", "e\u0301", "\u0301", "東京。", "한국", "ภาษา", "हिन्दी ", "👩‍👩‍👧", "ﷺ"),
        *("\0", "\x85", "\u2028", "\u3000", "\ufeff", "\u200b", "[r]: u\n", "<b>\n", "_" * 9),
    ]
)
TEXTS = st.lists(PARTS, max_size=60).map("".join) | st.text(
    st.characters(codec="utf-8"), max_size=300
)


def by_whitespace(text: str) -> list[tuple[int, int]]:
    """Every run without whitespace is a token."""
    return [match.span() for match in re.finditer(r"\S+", text)]


@lru_cache(maxsize=1)
def _shipped() -> Tokenizer:
    path = Path(vstash.__file__).parent / "models" / "bge-small-en-v1.5" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def by_word_piece(text: str) -> list[tuple[int, int]]:
    """The shipped model's tokens."""
    return list(_shipped().encode(text, add_special_tokens=False).offsets)


def check(text: str, spans: list[Span], offsets: Offsets, max_tokens: int) -> None:
    """What holds for the chunks of every text."""
    covered = bytearray(len(text))
    before = (-1, -1)
    for span in spans:
        body = text[span.start : span.end]
        assert 0 <= span.start < span.end <= len(text)
        assert span.start > before[0]
        assert span.end > before[1]
        assert body == body.strip() != ""
        assert span.tokens == len(offsets(body))
        assert span.tokens <= max_tokens or len(body) == 1
        covered[span.start : span.end] = b"\1" * len(body)
        before = (span.start, span.end)
    assert all(covered[i] for i, char in enumerate(text) if not char.isspace())


@pytest.mark.parametrize("offsets", [by_whitespace, by_word_piece])
@pytest.mark.parametrize("media_type", TYPES)
@settings(deadline=None, max_examples=100)
@given(text=TEXTS, max_tokens=st.integers(1, 40), overlap=st.integers(0, 60))
def test_spans_are_exact_and_hold_everything(
    text: str, max_tokens: int, overlap: int, offsets: Offsets, media_type: str
) -> None:
    """Spans are ordered, trimmed, within the limit, and leave no character out."""
    spans = chunk(
        text, media_type=media_type, offsets=offsets, max_tokens=max_tokens, overlap=overlap
    )
    check(text, spans, offsets, max_tokens)


@settings(deadline=None, max_examples=50)
@given(
    unit=TEXTS.filter(lambda text: bool(text.strip())),
    media_type=st.sampled_from(TYPES),
    overlap=st.integers(0, 60),
)
def test_the_tokenizer_is_given_no_more_than_a_few_times_the_text(
    unit: str, media_type: str, overlap: int
) -> None:
    """The characters tokenized grow with the text, whatever it is made of."""
    total = 0

    def counting(text: str) -> list[tuple[int, int]]:
        nonlocal total
        total += len(text)
        return by_word_piece(text)

    text = unit * (8_000 // len(unit) + 1)
    spans = chunk(text, media_type=media_type, offsets=counting, max_tokens=24, overlap=overlap)
    check(text, spans, by_word_piece, 24)
    assert total <= 8 * len(text)
