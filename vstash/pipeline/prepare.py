"""Validating what comes from outside, before anything is computed or stored."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from vstash.errors import FieldError, QueryError, TextError
from vstash.store.documents import to_microseconds
from vstash.store.rows import content_hash
from vstash.types import Json, JsonObject, NewDocument

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.types import AnyVector, AnyVectors, FloatArray

__all__ = [
    "DEFAULT_COLLECTION",
    "MOST_SEED",
    "Prepared",
    "check_whole",
    "checked_collection",
    "checked_metadata",
    "checked_query_vector",
    "checked_vectors",
    "prepare",
    "unit",
]

DEFAULT_COLLECTION: Final = "default"
MAX_KEY_CHARS: Final = 4096
MAX_TITLE_CHARS: Final = 1000
MAX_TAGS: Final = 100
MAX_TAG_CHARS: Final = 200
MAX_METADATA_DEPTH: Final = 16
MOST_SEED: Final = 2**63 - 1
# Looked at together, so that no second copy of a large matrix is made.
_CHECKED_ROWS: Final = 4_096
_COLLECTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document whose every field was checked; times are microseconds since the epoch."""

    text: str
    key: str | None
    title: str
    collection: str
    tags: tuple[str, ...]
    metadata: str
    expires_at: int | None
    content_hash: str
    media_type: str = "text/plain"


def _storable(text: str, pointer: str) -> str:
    if not isinstance(text, str):
        raise FieldError("This field must be text.", pointer=pointer)
    if _UNSTORABLE.search(text):
        raise FieldError(
            "This field holds a NUL character or half of a surrogate pair, which cannot be stored.",
            pointer=pointer,
        )
    return text


def checked_text(text: str, settings: Settings) -> str:
    """A text that can be stored and found.

    Raises:
        TextError: When it is not text, empty, too long, or holds NUL or lone surrogates.
    """
    if not isinstance(text, str):
        raise TextError("The text must be a string.", pointer="/text")
    if not text or text.isspace():
        raise TextError("The text is empty: give at least one visible character.", pointer="/text")
    if len(text) > settings.max_text_chars:
        raise TextError(
            f"The text has {len(text):,} characters; the limit is {settings.max_text_chars:,}. "
            "Split it, or raise the setting max_text_chars.",
            pointer="/text",
        )
    if found := _UNSTORABLE.search(text):
        raise TextError(
            "The text holds a NUL character or half of a surrogate pair, which cannot be stored: "
            f"remove U+{ord(found[0]):04X} at character {found.start()}.",
            pointer="/text",
        )
    return text


def checked_collection(name: str | None) -> str:
    """A collection's name, ``default`` for None.

    Raises:
        FieldError: When it is not 1 to 100 letters, digits, dots, hyphens and underscores.
    """
    if name is None:
        return DEFAULT_COLLECTION
    if not isinstance(name, str) or not _COLLECTION.fullmatch(name):
        raise FieldError(
            "A collection's name has 1 to 100 ASCII letters, digits, dots, hyphens and "
            "underscores, and starts with a letter or digit.",
            pointer="/collection",
        )
    return name


def checked_key(key: str, *, pointer: str = "/key", most: int = MAX_KEY_CHARS) -> str:
    """A key or an id that can be looked up.

    Raises:
        FieldError: When it is empty, too long, or holds NUL or lone surrogates.
    """
    if not _storable(key, pointer) or len(key) > most:
        name = "A key" if pointer == "/key" else "An id"
        raise FieldError(f"{name} has 1 to {most:,} characters.", pointer=pointer)
    return key


def checked_chunk_id(chunk_id: int, *, pointer: str = "/chunk_id") -> int:
    """A number that can be a chunk's id.

    Raises:
        FieldError: When it is not a positive integer of 63 bits.
    """
    if isinstance(chunk_id, bool) or not isinstance(chunk_id, int) or not 0 < chunk_id < 2**63:
        raise FieldError("A chunk's id is a positive integer.", pointer=pointer)
    return chunk_id


def check_whole(name: str, value: object, least: int, most: int) -> None:
    """Refuse what is no whole number of a range.

    Raises:
        QueryError: When it is none; ``name`` is its parameter.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise QueryError(f"{name} is a whole number, {least:,} to {most:,}.", pointer=f"/{name}")


def checked_title(title: str | None) -> str:
    """A title on one line, empty for None; runs of whitespace become one space.

    Raises:
        FieldError: When it is too long, or holds control characters or lone surrogates.
    """
    if title is None:
        return ""
    return checked_line(title, pointer="/title", what="A title", most=MAX_TITLE_CHARS)


def checked_line(text: str, *, pointer: str, what: str, most: int) -> str:
    """A text on one line; runs of whitespace become one space.

    Raises:
        FieldError: When it is too long, or holds control characters or lone surrogates.
    """
    if len(_storable(text, pointer)) > most:
        raise FieldError(f"{what} has at most {most:,} characters.", pointer=pointer)
    line = " ".join(text.split())
    if any(unicodedata.category(character) == "Cc" for character in line):
        raise FieldError(f"{what} holds no control characters.", pointer=pointer)
    return line


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags sorted and without repetition.

    Raises:
        FieldError: When there are too many, or one is empty, too long, or has outer spaces.
    """
    if isinstance(tags, str) or not isinstance(tags, Sequence):
        raise FieldError('Tags are a list of texts, such as ["work"].', pointer="/tags")
    if len(tags) > MAX_TAGS:
        raise FieldError(f"A document has at most {MAX_TAGS} tags.", pointer="/tags")
    for position, tag in enumerate(tags):
        pointer = f"/tags/{position}"
        if not 0 < len(_storable(tag, pointer)) <= MAX_TAG_CHARS or tag != tag.strip():
            raise FieldError(
                f"A tag has 1 to {MAX_TAG_CHARS} characters and no space at its ends.",
                pointer=pointer,
            )
    return tuple(sorted(set(tags)))


def checked_metadata(metadata: JsonObject, settings: Settings) -> str:
    """Metadata as canonical JSON.

    Raises:
        FieldError: When it is not a JSON object, too large, too deep, or holds what JSON cannot.
    """
    if not isinstance(metadata, Mapping):
        raise FieldError("Metadata is a JSON object.", pointer="/metadata")
    _check_json(metadata, "/metadata", 0)
    text = json.dumps(
        metadata, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain
    )
    size = len(text.encode())
    if size > settings.max_metadata_bytes:
        raise FieldError(
            f"The metadata has {size:,} bytes as JSON; the limit is "
            f"{settings.max_metadata_bytes:,}.",
            pointer="/metadata",
        )
    return text


def _plain(value: object) -> object:
    # json knows dict, list and tuple; a caller may hold other mappings and sequences.
    return dict(value) if isinstance(value, Mapping) else list(cast("Sequence[object]", value))


def _check_json(value: Json, pointer: str, depth: int) -> None:
    if depth > MAX_METADATA_DEPTH:
        raise FieldError(f"Metadata has at most {MAX_METADATA_DEPTH} levels.", pointer=pointer)
    if isinstance(value, str):
        _storable(value, pointer)
    elif isinstance(value, int | float):
        _check_number(value, pointer)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            _storable(name, pointer)
            # RFC 6901 writes these two characters so.
            escaped = name.replace("~", "~0").replace("/", "~1")
            _check_json(item, f"{pointer}/{escaped}", depth + 1)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        for position, item in enumerate(value):
            _check_json(item, f"{pointer}/{position}", depth + 1)
    elif value is not None:
        raise FieldError(
            "Metadata holds only JSON: objects, lists, text, numbers, booleans and null.",
            pointer=pointer,
        )


def _check_number(value: float, pointer: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise FieldError("A number must be finite.", pointer=pointer)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise FieldError("An integer must fit in 64 bits.", pointer=pointer)


def checked_expiry(moment: datetime | None) -> int | None:
    """A time as microseconds since the epoch.

    Raises:
        FieldError: When it has no time zone, or lies outside the years 1 to 9999 in UTC.
    """
    if moment is None:
        return None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise FieldError(
            "expires_at is a time with its zone, such as datetime.now(timezone.utc).",
            pointer="/expires_at",
        )
    try:
        return to_microseconds(moment.astimezone(timezone.utc))
    except OverflowError as error:
        raise FieldError(
            "expires_at lies outside the years 1 to 9999.", pointer="/expires_at"
        ) from error


def prepare(
    document: NewDocument, settings: Settings, *, media_type: str = "text/plain"
) -> Prepared:
    """Check every field of a document.

    Args:
        document: As it came from outside.
        settings: Limits.
        media_type: What the text is, for the chunker.

    Raises:
        InputError: When a field cannot be stored, naming it.
    """
    text = checked_text(document.text, settings)
    title = checked_title(document.title)
    tags = checked_tags(document.tags)
    metadata = checked_metadata(document.metadata, settings)
    return Prepared(
        text=text,
        key=None if document.key is None else checked_key(document.key),
        title=title,
        collection=checked_collection(document.collection),
        tags=tags,
        metadata=metadata,
        expires_at=checked_expiry(document.expires_at),
        content_hash=content_hash(text, title, tags, metadata),
        media_type=media_type,
    )


def readable_query(query: str) -> str:
    """A query without what UTF-8 cannot carry.

    Args:
        query: Any text.

    Returns:
        The same, in NFC, with NUL and lone surrogates replaced by U+FFFD.
    """
    return unicodedata.normalize("NFC", _UNSTORABLE.sub("\ufffd", query))


def checked_query_vector(vector: AnyVector, dimension: int) -> FloatArray:
    """A ready vector of a query, brought to length 1.

    Raises:
        QueryError: When it is not a list of ``dimension`` finite numbers, or all are zero.
    """
    try:
        row: FloatArray = unit(checked_vectors(np.asarray(vector)[np.newaxis], 1, dimension))[0]
    except (FieldError, ValueError, TypeError) as error:
        raise QueryError(
            f"vector is a list of {dimension} finite numbers that are not all zero.",
            pointer="/vector",
        ) from error
    return row


def checked_vectors(vectors: AnyVectors, count: int, dimension: int) -> FloatArray:
    """Ready vectors of any length above 0, not copied where they are float32: shape (count, dimension).

    Raises:
        FieldError: When the shape is another, or a row is not finite or zero.
    """
    expected = f"vectors are {count:,} rows of {dimension} numbers"
    try:
        made: FloatArray = np.asarray(vectors, dtype=np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise FieldError(
            f"{expected}; these cannot be read as such.", pointer="/vectors"
        ) from error
    if made.shape != (count, dimension):
        raise FieldError(f"{expected}; these have the shape {made.shape}.", pointer="/vectors")
    for start in range(0, count, _CHECKED_ROWS):
        largest = _largest(made[start : start + _CHECKED_ROWS])
        good = np.isfinite(largest) & (largest > 0)
        if not good.all():
            row = start + int(np.flatnonzero(~good)[0])
            raise FieldError("A vector must be finite and not zero.", pointer=f"/vectors/{row}")
    return made


def unit(vectors: FloatArray) -> FloatArray:
    """The same directions, of length 1: shape (n, dimension), float32."""
    # By the largest component first, so that the square of a large number stays finite.
    scaled = vectors / _largest(vectors)[:, np.newaxis]
    made: FloatArray = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return made


def _largest(vectors: FloatArray) -> FloatArray:
    found: FloatArray = np.abs(vectors).max(axis=1, initial=0.0)
    return found
