"""Reading an export line by line, and refusing what is none."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.errors import InputError, TransferError
from vstash.pipeline.members import Members
from vstash.pipeline.prepare import Prepared, prepare
from vstash.pipeline.ready import Source
from vstash.pipeline.transfer import (
    DOCUMENT,
    FORMAT,
    MANIFEST,
    TRAILER,
    VERSION,
    Manifest,
    Passage,
)
from vstash.store.documents import to_microseconds
from vstash.strict_json import parse_json
from vstash.transfers import as_bytes
from vstash.types import Json, NewDocument

if TYPE_CHECKING:
    from vstash.settings import Settings

__all__ = ["Arrived", "Incoming"]

# What a character can take as an escaped surrogate pair, and what key, title and tags can at most.
_BYTES_PER_CHAR: Final = 12
_OTHER_BYTES: Final = 1_048_576
_ID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}")
_SHA256: Final = re.compile("[0-9a-f]{64}")
_DIGEST: Final = re.compile("[0-9a-f]{32}")
# Of a sum of some thousand squares in float32.
_UNIT_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Arrived:
    """A document of an export, every field checked; times are microseconds since the epoch.

    Attributes:
        passages: Its vectors, empty where there are none that this file's model could have made.
    """

    id: str
    prepared: Prepared
    key: str
    created: int
    updated: int
    source: Source | None
    passages: tuple[Passage, ...]


class Incoming:
    """One export as it comes in.

    Args:
        pieces: The stream, cut anywhere.
        settings: Limits.
        model: Dimension and sha256 of the file's model; the vectors of others are passed over.

    Attributes:
        line: Number of the line that was read last, from 1.
        manifest: What its first line says.

    Raises:
        TransferError: When that line is no manifest.
    """

    def __init__(
        self, pieces: Iterable[bytes | str], settings: Settings, model: tuple[int, str]
    ) -> None:
        self.line = 0
        self._settings = settings
        self._told = hashlib.sha256()
        self._lines = _lines(pieces, _longest(settings))
        self.manifest = self._manifest()
        self._same_model = (self.manifest.dimension, self.manifest.sha256) == model

    def documents(self) -> Iterator[Arrived]:
        """The documents in their order; it ends once the trailer was found to be right.

        Raises:
            TransferError: When a line cannot be read, or the stream was cut or changed.
        """
        count = 0
        while True:
            raw, members = self._next()
            if "end" in members:
                self._finish(members, count)
                return
            self._told.update(raw)
            try:
                arrived = self._document(members)
            except InputError as error:
                raise self._refusal(error.message, error.pointer) from error
            count += 1
            yield arrived

    def _refusal(self, message: str, pointer: str | None = None) -> TransferError:
        return TransferError(f"Line {max(self.line, 1):,}: {message}", pointer=pointer)

    def _next(self) -> tuple[bytes, dict[str, Json]]:
        """The next line, as it is and as an object."""
        self.line += 1
        try:
            raw = next(self._lines, None)
        except TransferError as error:
            raise self._refusal(error.message) from error
        if raw is None:
            raise self._refusal("the stream ends here, without its trailer: it was cut off.")
        try:
            members = parse_json(raw, refuse=TransferError)
        except TransferError as error:
            cut = "" if raw.endswith(b"\n") else " The stream ends in it: it was cut off."
            raise self._refusal(error.message + cut) from error
        if not isinstance(members, dict):
            raise self._refusal("each line is a JSON object.")
        return raw, members

    def _manifest(self) -> Manifest:
        raw, value = self._next()
        self._told.update(raw)
        if value.get("format") != FORMAT:
            raise self._refusal("this is not an export of vstash.", "/format")
        version = value.get("version")
        if isinstance(version, int) and version > VERSION:
            raise self._refusal(
                f"the export has version {version} of the format, and this vstash reads {VERSION}: "
                "install a newer vstash.",
                "/version",
            )
        try:
            return _manifest(Members(value, MANIFEST))
        except InputError as error:
            raise self._refusal(error.message, error.pointer) from error

    def _document(self, value: Json) -> Arrived:
        members = Members(value, (*DOCUMENT, "chunks") if self.manifest.vectors else DOCUMENT)
        key = members.text("key")
        given = NewDocument(
            text=members.text("text"),
            key=key,
            title=members.text("title"),
            collection=members.text("collection"),
            tags=members.raw("tags"),  # type: ignore[arg-type]  # prepare checks them
            metadata=members.raw("metadata"),  # type: ignore[arg-type]  # the same
            expires_at=members.time("expires_at") if members.has("expires_at") else None,
        )
        media_type = members.text("media_type", _MEDIA_TYPE)
        found = prepare(given, self._settings, media_type=media_type)
        if found.collection not in self.manifest.collections:
            raise members.refusal("collection", "The manifest does not name this collection.")
        if found.content_hash != members.raw("content_hash"):
            raise members.refusal("content_hash", "The document was changed: its hash is another.")
        return Arrived(
            id=members.text("id", _ID),
            key=key,
            prepared=found,
            created=to_microseconds(members.time("created")),
            updated=to_microseconds(members.time("updated")),
            source=_source(members),
            passages=self._passages(members) if self.manifest.vectors else (),
        )

    def _passages(self, members: Members) -> tuple[Passage, ...]:
        read = [
            (
                each.text("passage", _DIGEST) if each.has("passage") else None,
                each.text("vector") if each.has("vector") else None,
            )
            for each in members.each("chunks", ("passage", "vector"))
        ]
        if not self._same_model:
            return ()
        return tuple(
            Passage(
                None if digest is None else bytes.fromhex(digest),
                None if vector is None else _vector(vector, self.manifest.dimension),
            )
            for digest, vector in read
        )

    def _finish(self, members: dict[str, Json], count: int) -> None:
        if set(members) != set(TRAILER) or members["end"] != FORMAT:
            raise self._refusal(f"a trailer has the members {', '.join(TRAILER)}.")
        if members["documents"] != count:
            raise self._refusal(
                f"the trailer does not tell of the {count:,} documents before it: lines are missing "
                "or were added.",
                "/documents",
            )
        if members["sha256"] != self._told.hexdigest():
            raise self._refusal(
                "the lines before the trailer are not those that were exported: some were changed or "
                "stand in another order.",
                "/sha256",
            )
        self.line += 1
        if next(self._lines, None) is not None:
            raise self._refusal("something follows the trailer.")


def _longest(settings: Settings) -> int:
    chars = settings.max_text_chars + settings.max_metadata_bytes
    return _BYTES_PER_CHAR * chars + _OTHER_BYTES


def _lines(pieces: Iterable[bytes | str], longest: int) -> Iterator[bytes]:
    """Whole lines with their ends; the last one may have none."""
    held = bytearray()
    for raw in as_bytes(pieces):
        start = 0
        while (end := raw.find(b"\n", start) + 1) > 0:
            held += raw[start:end]
            _require_short(held, longest)
            yield bytes(held)
            held.clear()
            start = end
        held += raw[start:]
        _require_short(held, longest)
    if held:
        yield bytes(held)


def _require_short(line: bytearray, longest: int) -> None:
    if len(line) > longest:
        raise TransferError(
            f"it is over {longest:,} bytes: raise the setting max_text_chars, or export without "
            "vectors."
        )


def _manifest(members: Members) -> Manifest:
    if members.count("version") != VERSION:
        raise members.refusal("version", "There is no such version of the format.")
    model = members.under("model", ("name", "dimension", "sha256"))
    return Manifest(
        vstash=members.text("vstash"),
        collections=members.counts("collections"),
        model=model.text("name"),
        dimension=model.count("dimension"),
        sha256=model.text("sha256", _SHA256),
        vectors=members.truth("vectors"),
    )


def _source(members: Members) -> Source | None:
    if not members.has("source"):
        return None
    source = members.under("source", ("size", "mtime_ns"))
    return Source(source.count("size"), source.count("mtime_ns", least=-(2**63)))


def _vector(text: str, dimension: int) -> np.ndarray[tuple[int], np.dtype[np.float32]] | None:
    """A vector that can be stored as it is, None for what cannot."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 4 * dimension:
        return None
    vector = np.frombuffer(raw, dtype="<f4").astype(np.float32)
    length = float(np.linalg.norm(vector.astype(np.float64)))
    return vector if abs(length - 1) <= _UNIT_TOLERANCE else None
