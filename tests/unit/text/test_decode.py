"""From bytes to text."""

from __future__ import annotations

import pytest

from vstash.errors import MediaTypeError
from vstash.text.decode import decode

GERMAN = "Der Müller läuft über die Straße und grüßt seine Freunde im Café. " * 6
RUSSIAN = "Каждый охотник желает знать, где сидит фазан. " * 6
POLISH = "Zażółć gęślą jaźń, proszę bardzo. Łódź leży nad rzeką. " * 10
JAPANESE = "日本語の文章です。これはテストです。漢字とかなが混ざっています。" * 6


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-32"),
        (GERMAN, "cp1252"),
        (RUSSIAN, "cp1251"),
        (POLISH, "cp1250"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "utf-8"),
        ("café", "latin-1"),
        ("x" * 1000 + "é", "cp1252"),
    ],
)
def test_encodings(text: str, encoding: str) -> None:
    """Text in a usual encoding comes out as it went in."""
    assert decode(text.encode(encoding)) == text


def test_line_ends() -> None:
    """Every line end becomes a line feed."""
    assert decode(b"a\r\nb\rc\n\r\nd") == "a\nb\nc\n\nd"


def test_one_broken_byte_does_not_garble_the_rest() -> None:
    """UTF-8 with a broken place stays UTF-8, with a replacement character there."""
    assert decode(JAPANESE.encode() + b"\xff end") == JAPANESE + "\ufffd end"


def test_a_long_file_in_an_old_encoding() -> None:
    """The encoding of a file beyond the sample is found, and used for all of it."""
    text = "plain line\n" * 20_000 + RUSSIAN * 800
    assert decode(text.encode("cp1251")) == text


@pytest.mark.parametrize(
    "data",
    [
        b"a\0b",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        bytes(range(1, 256)) * 20,
        b"\x01\x02\x03\x04\x05\x06" * 10,
        "a\0b".encode("utf-16"),
    ],
)
def test_binary_is_refused(data: bytes) -> None:
    """NUL or many control characters mean that the content is no text."""
    with pytest.raises(MediaTypeError, match="binary"):
        decode(data)
