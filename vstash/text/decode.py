"""From bytes to text."""

from __future__ import annotations

import codecs
import re
from typing import Final

from vstash.errors import MediaTypeError

__all__ = ["decode"]

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GUESS_BYTES: Final = 65_536
_CONTEXT_BYTES: Final = 1_024
_GOOD_PER_BAD: Final = 20
_FEW_BYTES: Final = 256
_FEW_HIGH: Final = 8
_ASCII_RUN = re.compile(rb"[\x00-\x7f]+")
_HIGH_SHARE: Final = 0.3
"""Bytes above 127 in text of scripts other than Latin: two thirds and more."""
_MULTIBYTE: Final = (
    *("big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jp", "euc_kr", "gb18030", "gb2312"),
    *("gbk", "hz", "johab", "shift_jis", "utf_7", "utf_16", "utf_16_be", "utf_16_le", "utf_32"),
)
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROL_SHARE: Final = 0.02


def decode(data: bytes) -> str:
    r"""Decode a file's bytes: byte order mark, else UTF-8, else the likeliest encoding.

    Args:
        data: The whole file.

    Returns:
        The text with line feeds as line ends, without NUL and lone surrogates.

    Raises:
        MediaTypeError: When the bytes are not text.

    Example:
        >>> decode(b"one\r\ntwo")
        'one\ntwo'
    """
    text = _decoded(data)
    controls = sum(1 for _ in _CONTROL.finditer(text))
    if "\0" in text or controls > max(8, _MAX_CONTROL_SHARE * len(text)):
        raise _binary()
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _binary() -> MediaTypeError:
    return MediaTypeError("The content is binary, not text: only text files are read.")


def _decoded(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError:
                break
    if b"\0" in data:
        raise _binary()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _guessed(data, error.start)


def _guessed(data: bytes, first_bad: int) -> str:
    """Decode with the encoding that a sample around the first byte that is not UTF-8 suggests."""
    damaged = data.decode("utf-8", "replace")
    bad = damaged.count("\ufffd")
    if bad * _GOOD_PER_BAD <= sum(char > "\x7f" for char in damaged) - bad:
        return damaged  # UTF-8 with a broken place: any other encoding would garble the rest
    start = max(0, first_bad - _CONTEXT_BYTES)
    sample = data[start : start + _GUESS_BYTES]
    if len(sample) == _GUESS_BYTES:
        # A sample that ends within a character would rule out the right encoding. No encoding has
        # a space or a line feed within a character.
        cut = max(sample.rfind(b"\n"), sample.rfind(b" "))
        sample = sample[: cut + 1] if cut > _GUESS_BYTES // 2 else sample
    text = data.decode(_likeliest(sample), errors="replace")
    # UTF-7 and the like can spell lone surrogates.
    return text.encode("utf-8", "replace").decode("utf-8")


def _likeliest(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - slow to import, seldom needed

    high = len(_ASCII_RUN.sub(b"", sample))
    mostly_ascii = high < _HIGH_SHARE * len(sample)
    if mostly_ascii and (len(sample) < _FEW_BYTES or high < _FEW_HIGH):
        return "cp1252"  # too little to tell; measured, "caf\xe9" was taken for Chinese
    best = from_bytes(sample, cp_exclusion=list(_MULTIBYTE) if mostly_ascii else None).best()
    if best is None:
        raise _binary()
    return best.encoding
