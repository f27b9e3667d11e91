"""Cutting a text into chunks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import SupportsIndex

import pytest
from tokenizers import Tokenizer

import vstash
from vstash.text.chunk import Span, chunk, header, passage


def words(text: str) -> list[tuple[int, int]]:
    """A tokenizer: every run without whitespace is a token."""
    return [match.span() for match in re.finditer(r"\S+", text)]


def cut(
    text: str, max_tokens: int, overlap: int = 0, media_type: str = "text/plain"
) -> list[tuple[str, int]]:
    """Chunks as text and token count."""
    spans = chunk(
        text, media_type=media_type, offsets=words, max_tokens=max_tokens, overlap=overlap
    )
    return [(text[span.start : span.end], span.tokens) for span in spans]


def test_a_short_note_is_one_chunk() -> None:
    """A remembered sentence stays whole and is given to the tokenizer once."""
    calls: list[str] = []

    def offsets(text: str) -> list[tuple[int, int]]:
        calls.append(text)
        return words(text)

    spans = chunk(
        "\n Port is 8090 \n", media_type="text/plain", offsets=offsets, max_tokens=192, overlap=24
    )
    assert spans == [Span(2, 14, (), 3)]
    assert calls == ["Port is 8090"]


@pytest.mark.parametrize("text", ["", " \n\t\u3000"])
def test_a_blank_text_has_no_chunk(text: str) -> None:
    """Whitespace is no chunk."""
    assert cut(text, 10) == []


def test_text_without_tokens_is_one_chunk() -> None:
    """What the tokenizer sees nothing in is still kept."""
    spans = chunk(
        "\x01\x02", media_type="text/plain", offsets=lambda _: [], max_tokens=8, overlap=2
    )
    assert spans == [Span(0, 2, (), 0)]


def test_paragraphs_are_packed() -> None:
    """Paragraphs share a chunk while they fit, and are not repeated."""
    assert cut("a b\n\nc d\n\ne f g", 4, 2) == [("a b\n\nc d", 4), ("e f g", 3)]


def test_a_long_paragraph_is_cut_at_sentences() -> None:
    """The cut is after the last sentence that fits."""
    assert cut("A b c. D e f. G h i.", 7) == [("A b c. D e f.", 6), ("G h i.", 3)]


def test_a_cut_paragraph_repeats_its_end() -> None:
    """The next chunk starts at the last sentence, or else word, within the overlap."""
    assert cut("A b c. D e. F g h. I j.", 6, 3) == [
        ("A b c. D e.", 5),
        ("D e. F g h.", 5),
        ("F g h. I j.", 5),
    ]
    assert cut("a b c d e f g h i j", 6, 2) == [("a b c d e f", 6), ("e f g h i j", 6)]


def test_the_end_of_a_cut_block_is_packed_with_the_next() -> None:
    """What is left of a long paragraph shares its chunk with what follows."""
    assert cut("a b c d e f g\n\nh i", 5) == [("a b c d e", 5), ("f g\n\nh i", 4)]


def test_words_are_cut_only_when_nothing_else_can_be() -> None:
    """An endless word is cut at the tokenizer's tokens, and without a token by its length."""
    letters = chunk(
        "abcdefgh",
        media_type="text/plain",
        offsets=lambda text: [(i, i + 1) for i in range(len(text))],
        max_tokens=3,
        overlap=1,
    )
    assert [(span.start, span.end) for span in letters] == [(0, 3), (3, 6), (6, 8)]
    assert [len(body) for body, _ in cut("x" * 100, 2)] == [40, 40, 20]


def test_a_slice_with_more_tokens_than_expected_is_shrunk() -> None:
    """A tokenizer that counts more in a slice than in the whole cannot pass the limit."""

    def moody(text: str) -> list[tuple[int, int]]:
        if len(text) > 30:
            return [(0, len(text))]
        return [(i, i + 1) for i in range(len(text))]

    text = "x" * 101
    spans = chunk(text, media_type="text/plain", offsets=moody, max_tokens=4, overlap=0)
    assert "".join(text[span.start : span.end] for span in spans) == text
    assert all(len(moody(text[s.start : s.end])) == s.tokens <= 4 for s in spans)


def test_tokens_without_a_place_do_not_stop_it() -> None:
    """A tokenizer that knows no offsets still gives chunks within the limit."""

    def placeless(text: str) -> list[tuple[int, int]]:
        return [(0, 0)] * len(text)

    text = "word " * 20
    spans = chunk(text, media_type="text/plain", offsets=placeless, max_tokens=9, overlap=3)
    assert all(span.tokens <= 9 for span in spans)
    assert spans[-1].end == len(text.rstrip())


MARKDOWN = """\
# Guide

Intro text here.

## Install

One two three four five six.

## Use

Seven eight nine ten eleven.

### Fast

Short.
"""


def test_headings_open_their_chunk() -> None:
    """Each chunk knows its headings and starts with its own."""
    spans = chunk(MARKDOWN, media_type="text/markdown", offsets=words, max_tokens=11, overlap=3)
    assert [(MARKDOWN[s.start : s.end].partition("\n")[0], s.heading) for s in spans] == [
        ("# Guide", ("Guide",)),
        ("## Install", ("Guide", "Install")),
        ("## Use", ("Guide", "Use")),
    ]


def test_a_heading_is_not_left_behind() -> None:
    """A chunk does not end with the heading of a paragraph that did not fit."""
    text = "# A\n\n" + "a b c d e f. " * 5
    found = cut(text, 8, media_type="text/markdown")
    assert found[0] == ("# A\n\na b c d e f.", 8)


def test_code_is_cut_at_lines() -> None:
    """Definitions stay whole where they fit; lines do where they do not."""
    text = "def a():\n    return 1\n\ndef b():\n    x = 1\n    y = 2\n    return x\n"
    assert cut(text, 8, media_type="text/x-python") == [
        ("def a():\n    return 1", 4),
        ("def b():\n    x = 1\n    y = 2", 8),
        ("return x", 2),
    ]


@pytest.mark.parametrize("media_type", ["text/csv", "application/x-ndjson"])
def test_rows_stay_whole(media_type: str) -> None:
    """Rows are packed, never cut when they fit, and never repeated."""
    assert cut("a: 1; b: 2\na: 3; b: 4\na: 5; b: 6", 9, 4, media_type) == [
        ("a: 1; b: 2\na: 3; b: 4", 8),
        ("a: 5; b: 6", 4),
    ]


def test_work_grows_with_the_text_only() -> None:
    """Each character is given to the tokenizer about twice, however long the text."""

    def given(text: str, media_type: str) -> int:
        total = 0

        def offsets(piece: str) -> list[tuple[int, int]]:
            nonlocal total
            total += len(piece)
            assert len(piece) <= 50_000
            return words(piece)

        chunk(text, media_type=media_type, offsets=offsets, max_tokens=64, overlap=24)
        return total

    for media_type in ("text/plain", "text/markdown", "text/x-python", "text/csv"):
        for unit in ("word ", "One two. Three four.\n", "# H\n\ntext\n\n", "  x\n" * 30 + "y\n"):
            text = unit * (100_000 // len(unit))
            assert given(text, media_type) < 3.5 * len(text)


def test_a_long_text_is_not_copied_again_for_every_chunk() -> None:
    """All slices of a text together are a few times its length, however many chunks there are."""
    copied = 0

    class Watched(str):
        __slots__ = ()

        def __getitem__(self, key: SupportsIndex | slice) -> str:
            nonlocal copied
            part = super().__getitem__(key)
            copied += len(part)
            return part

    text = Watched("One two three four five six seven eight. " * 1000 + " \n" * 100)
    spans = chunk(text, media_type="text/plain", offsets=words, max_tokens=16, overlap=4)
    assert len(spans) > 400
    assert copied < 5 * len(text)


def test_the_shipped_tokenizer() -> None:
    """A text in several scripts is cut within the limit of the shipped model's tokens."""
    path = Path(vstash.__file__).parent / "models" / "bge-small-en-v1.5" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def offsets(text: str) -> list[tuple[int, int]]:
        return list(tokenizer.encode(text, add_special_tokens=False).offsets)

    text = "Ein Satz. 東京都に行く。한국어 문장. " * 40 + "x" * 1000 + " ภาษาไทย" * 200
    spans = chunk(text, media_type="text/plain", offsets=offsets, max_tokens=48, overlap=8)
    assert len(spans) > 10
    assert all(len(offsets(text[s.start : s.end])) == s.tokens <= 48 for s in spans)


def test_header_and_passage() -> None:
    """What is embedded: title, headings, text; nothing empty, nothing twice."""
    assert header("T", ("T", "A", "", "B")) == "T\nA > B"
    assert header("", ("A",)) == "A"
    assert header("T", ("T",)) == "T"
    assert header("", ()) == ""
    assert passage("T", ("A",), "text") == "T\nA\ntext"
    assert passage("", (), "text") == "text"
