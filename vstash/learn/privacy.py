"""What stands for a text that is not to be kept."""

from __future__ import annotations

import hmac
import json
import secrets
from hashlib import sha256
from typing import Final

__all__ = ["keyed_hash", "new_key"]

_KEY_BYTES: Final = 32


def new_key() -> bytes:
    """A random key of a file."""
    return secrets.token_bytes(_KEY_BYTES)


def keyed_hash(key: bytes, purpose: str, *parts: object) -> str:
    """HMAC-SHA-256 over some JSON values, in hex: equal for equal ones, and says nothing else.

    Args:
        key: Of the file; who has it can test guesses.
        purpose: Keeps hashes for different uses apart.
        parts: Strings, numbers, lists of them.

    Example:
        >>> key = bytes(32)
        >>> keyed_hash(key, "query", ["tea"]) == keyed_hash(key, "query", ["tea"])
        True
        >>> keyed_hash(key, "query", ["tea"]) == keyed_hash(key, "session", ["tea"])
        False
    """
    return hmac.new(key, json.dumps([purpose, *parts]).encode(), sha256).hexdigest()
