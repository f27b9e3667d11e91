"""What goes into the store and what a search takes out of it, in the store's own terms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vstash.types import LegEntry, MaskReason, Mode, StrategyName, TripleKind, Weights

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = [
    "ChunkRow",
    "DocumentRow",
    "EarlierSearch",
    "Leg",
    "Origin",
    "SearchRow",
    "SourceRow",
    "StoreCounts",
    "TripleRow",
    "content_hash",
    "etag",
]


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk to be written.

    Attributes:
        words: Derived tokens of title, heading and body, each joined by spaces.
        vector: Float32 of the model's dimension, length 1; None for a chunk that will await one.
        digest: Of what is embedded for it, 16 bytes; None where the caller brought the vector.
    """

    start: int
    end: int
    heading: tuple[str, ...]
    tokens: int
    words: tuple[str, str, str]
    vector: FloatArray | None
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document to be written; times are microseconds since the epoch, UTC.

    Attributes:
        id: Used when no document with this collection and key exists.
        created: None for the moment of the write, or the time that a replaced document has.
        updated: None for the moment of the write.
        source_size: Bytes of the file it was read from, None for remembered text.
        source_mtime_ns: That file's modification time.
    """

    id: str
    collection: str
    key: str
    title: str
    text: str
    metadata: str
    tags: tuple[str, ...]
    media_type: str
    content_hash: str
    expires_at: int | None
    source_size: int | None = None
    source_mtime_ns: int | None = None
    created: int | None = None
    updated: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """What kind of text a document holds, and the file that it was read from, if any."""

    media_type: str
    source_size: int | None
    source_mtime_ns: int | None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What is remembered about the file that a document was read from."""

    document_id: str
    key: str
    size: int
    mtime_ns: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Leg:
    """One candidate list, best first: chunk ids, shape (n,), and raw scores, shape (n,)."""

    ids: IdArray
    scores: FloatArray


@dataclass(frozen=True, slots=True)
class TripleRow:
    """A triple to be logged; the evidence is JSON text."""

    positive: int
    negative: int
    kind: TripleKind
    evidence: str


@dataclass(frozen=True, slots=True)
class SearchRow:
    """A search to be logged.

    Attributes:
        at: Microseconds since the epoch, UTC.
        evidence: What the search told of its collection: gap, best, agreed.
        hashed: Whether query and session are keyed hashes.
        fingerprint: Equal for what is asked again; None for what never is.
        reformulates: Number of the search that it puts in other words.
        masked: By reason, how many negatives were passed over.
    """

    id: str
    at: int
    query: str
    collection: str
    mode: Mode
    strategy: StrategyName
    weights: Weights
    k: int
    disagreement: float
    vector_leg: Sequence[LegEntry]
    keyword_leg: Sequence[LegEntry]
    triples: Sequence[TripleRow]
    evidence: tuple[float, float, bool] | None
    hashed: bool = False
    fingerprint: str | None = None
    session: str | None = None
    reformulates: int | None = None
    masked: Mapping[MaskReason, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EarlierSearch:
    """The search before in a session; the query is None where it was not kept."""

    number: int
    query: str | None
    fingerprint: str | None
    vector_leg: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """How much a file holds."""

    documents: int
    chunks: int
    vectors: int
    awaiting: int
    collections: dict[str, int]
    searches: int
    triples: int
    feedback: int
    mean_disagreement: float | None
    file_bytes: int
    schema_version: int
    sqlite_version: str


@dataclass(frozen=True, slots=True)
class StoreGauges:
    """What to watch of a file."""

    documents: int
    disagreement: float | None
    jobs_open: int
    file_bytes: int


def etag(digest: bytes, updated: int, expires_at: int | None) -> str:
    """What a state of a document is known by: 32 hex digits over all that changes with it.

    Args:
        digest: The content hash.
        updated: Microseconds since the epoch.
        expires_at: The same, None for never.
    """
    state = b"%b %d %b" % (digest, updated, str(expires_at).encode())
    return hashlib.blake2b(state, digest_size=16).hexdigest()


def content_hash(text: str, title: str, tags: Iterable[str], metadata: str) -> str:
    """SHA-256 (hex) over text, title, tags and metadata, each told apart from the next.

    Args:
        text: The document's text.
        title: Its title.
        tags: Its tags; order does not count.
        metadata: Its metadata as canonical JSON.
    """
    parts = json.dumps([text, title, sorted(tags), metadata], ensure_ascii=False)
    return hashlib.sha256(parts.encode()).hexdigest()
