"""The model's own tokenizer: text to token numbers, and to places in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from vstash.embed.description import ModelFolder, read_checked
from vstash.errors import ModelInvalidError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

__all__ = ["ModelTokenizer", "opened"]

_PIECE: Final = 65_536
_SPACE: Final = re.compile(r"\s")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class ModelTokenizer:
    """A tokenizer.json, loaded from bytes whose digest was checked.

    Args:
        folder: The model's folder as described.

    Raises:
        ModelInvalidError: When tokenizer.json is damaged.
    """

    def __init__(self, folder: ModelFolder) -> None:
        content = read_checked(folder, "tokenizer.json")
        self._tokenizer = _load(content, str(folder.path / "tokenizer.json"))
        special = self._tokenizer.num_special_tokens_to_add(is_pair=False)
        self._room = folder.info.max_tokens - special

    def ids(self, text: str) -> list[int]:
        """Token numbers of a text with the special tokens, cut to what the model reads."""
        found: list[Encoding] = []
        tokens = 0
        for _, piece in _pieces(_clean(text)):
            found.append(self._tokenizer.encode(piece, add_special_tokens=False))
            tokens += len(found[-1])
            if tokens >= self._room:
                break
        encoding = found[0] if len(found) == 1 else found[0].merge(found)
        if tokens > self._room:
            encoding.truncate(self._room)
        ids: list[int] = self._tokenizer.post_process(encoding).ids
        return ids

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token as character offsets, special tokens left out."""
        found: list[tuple[int, int]] = []
        for start, piece in _pieces(_clean(text)):
            encoding = self._tokenizer.encode(piece, add_special_tokens=False)
            found.extend((start + a, start + b) for a, b in encoding.offsets if b > a)
        return found


def _load(content: bytes, path: str) -> Tokenizer:
    try:
        return opened(content)
    except Exception as error:  # the library raises plain Exception, and no other class
        raise ModelInvalidError(
            "The embedding model's file tokenizer.json cannot be read by the tokenizers library.",
            local_detail=f"{path}: {error}",
        ) from error


def opened(content: bytes) -> Tokenizer:
    """A tokenizer that cuts nothing off, fills nothing up, and takes any text for text.

    Args:
        content: Of a tokenizer.json.

    Raises:
        Exception: When the library cannot read it; it raises no class of its own.
    """
    from tokenizers import Tokenizer  # noqa: PLC0415 - costs 20 ms that `info` should not pay

    tokenizer = Tokenizer.from_buffer(content)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    # "[SEP]" in a stored text is five characters of that text, not an instruction to the model.
    tokenizer.encode_special_tokens = True
    return tokenizer


def _clean(text: str) -> str:
    """Replace what UTF-8 cannot hold, one character for one, so that offsets stay true."""
    return _SURROGATE.sub("\ufffd", text)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Cut a long text before white space: an encoding takes some hundred bytes per token."""
    start = 0
    while len(text) - start > _PIECE:
        space = _SPACE.search(text, start + _PIECE // 2, start + _PIECE)
        end = space.start() if space else start + _PIECE
        yield start, text[start:end]
        start = end
    yield start, text[start:]
