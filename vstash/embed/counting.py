"""Counting tokens for whoever reads a text: by the model's own tokenizer, a file, or a function."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vstash.embed.tokens import opened
from vstash.errors import FieldError, PathNotFoundError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from vstash.embed.protocol import Embedder

__all__ = ["checked_counter", "counter_of_file", "counter_of_model"]


def counter_of_model(embedder: Embedder) -> Callable[[str], int]:
    """Counts the tokens of an embedding model, special tokens left out."""
    return lambda text: len(embedder.token_offsets(text))


def counter_of_file(path: Path) -> Callable[[str], int]:
    """Counts the tokens of a ``tokenizer.json``, special tokens left out.

    Args:
        path: The file, of the tokenizers library.

    Raises:
        PathNotFoundError: When it cannot be read.
        FieldError: When it is no such file.
    """
    try:
        state = path.stat()
        tokenizer = _loaded(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise PathNotFoundError(
            "The tokenizer's file cannot be read.",
            pointer="/tokenizer",
            local_detail=os.fspath(path),
        ) from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


@lru_cache(maxsize=4)
def _loaded(path: Path, _mtime_ns: int, _size: int) -> Tokenizer:
    content = path.read_bytes()
    try:
        return opened(content)
    except Exception as error:  # the library raises plain Exception, and no other class
        raise FieldError(
            "The tokenizer's file cannot be read by the tokenizers library: give a tokenizer.json.",
            pointer="/tokenizer",
            local_detail=f"{path}: {error}",
        ) from error


def checked_counter(count: Callable[[str], int]) -> Callable[[str], int]:
    """A caller's function whose every answer is checked.

    Args:
        count: Tokens of a text.
    """

    def counted(text: str) -> int:
        found = count(text)
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            raise FieldError(
                "The tokenizer returns a whole number of tokens, 0 or more.", pointer="/tokenizer"
            )
        return found

    return counted
