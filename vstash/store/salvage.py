"""What the pages of a damaged file still hold, row by row, each told by the shape of its columns."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np

from vstash.store.faults import translated
from vstash.store.raw_pages import INDEX, TABLE, Cell, RawFile, Value, Wrong
from vstash.store.rows import content_hash

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["RemainingChunk", "RemainingDocument", "Remains", "insert_log", "remains"]

# Which columns a row of each table has, and the number with which `Cell.shape` begins is its NULL rowid.
_SHAPES: Final = {
    "document": re.compile(r"ntitttiii[in]{3}iibb"),
    "first_document": re.compile(r"ntitttttiii[in]{3}"),
    "text_part": re.compile(r"niit"),
    "chunk": re.compile(r"niiiiti"),
    "collection": re.compile(r"nt"),
    "model": re.compile(r"ntitittt[fi][fi]i"),
    "search": re.compile(r"ntittttti[fi]tt([fin][fin][in](i[tn]i[in][tn][in][tn])?)?"),
    "triple": re.compile(r"niiitt"),
    "feedback": re.compile(r"nii[in]ti"),
    "blob": re.compile(r"nb"),
    "sequence": re.compile(r"ti"),
    "schema": re.compile(r"tttit|tttin"),
}
_SEARCH_COLUMNS: Final = 12
# What a search that an earlier schema logged has in the columns that came later.
_ADDED: Final[tuple[Value, ...]] = (None, None, None, 0, None, 1, None, None, None, None)
_TAG: Final = "it"
_DIGEST_BYTES: Final = 16
# Of length 1 but for what float32 cannot tell.
_NORM_OFF: Final = 1e-3
# Ways to put together a text of which parts were found more than once, as after a page went back in time.
_MOST_WAYS: Final = 64


@dataclass(frozen=True, slots=True)
class RemainingDocument:
    """The row of a document.

    Attributes:
        metadata: As JSON.
        collection: Its number.
    """

    number: int
    id: str
    collection: int
    key: str
    title: str
    media_type: str
    char_count: int
    created: int
    updated: int
    expires_at: int | None
    source_size: int | None
    source_mtime_ns: int | None
    digest: bytes
    metadata: str


@dataclass(frozen=True, slots=True)
class RemainingChunk:
    """The row of a chunk."""

    id: int
    document: int
    seq: int
    start: int
    end: int
    heading: str
    tokens: int


@dataclass(slots=True)
class Remains:
    """What was found in a file.

    Attributes:
        documents: By number; more than one row where a page went back in time.
        ids: What the index of ids tells: by number.
        keys: What the index of keys tells: by number, collection and key.
        log: Rows of ``search``, ``triple`` and ``feedback``.
        models: SHA-256 and dimension of models, the active one last.
        parts: Where the parts of a document's text lie, by its number.
        blobs: Where vectors and digests may lie, by size and chunk.
        roots: On which page each table and index begins.
        last_chunk: The highest chunk id that was given, as far as it is told.
        wrong_pages: How many pages hold what SQLite does not write.
    """

    raw: RawFile
    documents: dict[int, list[RemainingDocument]] = field(default_factory=lambda: defaultdict(list))
    chunks: dict[int, list[RemainingChunk]] = field(default_factory=lambda: defaultdict(list))
    collections: dict[int, str] = field(default_factory=dict)
    tags: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    ids: dict[int, str] = field(default_factory=dict)
    keys: dict[int, tuple[int, str]] = field(default_factory=dict)
    log: dict[str, list[list[Value]]] = field(default_factory=lambda: defaultdict(list))
    models: list[tuple[str, int]] = field(default_factory=list)
    roots: dict[str, int] = field(default_factory=dict)
    last_chunk: int = 0
    wrong_pages: int = 0
    parts: dict[int, list[Cell]] = field(default_factory=lambda: defaultdict(list))
    blobs: dict[int, dict[int, Cell]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def numbers(self) -> list[int]:
        """Of every document of which anything was found."""
        return sorted({*self.documents, *self.parts, *self.chunks, *self.ids})

    def readable(self, number: int) -> list[tuple[int, str]]:
        """The parts of a document's text that were found, each with where it begins."""
        return [(start, texts[0]) for start, texts in sorted(self._texts(number).items())]

    def text_of(self, row: RemainingDocument) -> str | None:
        """The text of a document, None where none can be put together that its hash is of."""
        found = self._texts(row.number)
        starts = sorted(found)
        tags = sorted(self.tags.get(row.number, ()))
        ways = product(*(found[start] for start in starts))
        for _, way in zip(range(_MOST_WAYS), ways, strict=False):
            text = "".join(way)
            if content_hash(text, row.title, tags, row.metadata) == row.digest.hex():
                return text
        return None

    def _texts(self, number: int) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        for cell in self.parts.get(number, ()):
            with suppress(Wrong):
                _, _, start, text = self.raw.values(cell)
                if isinstance(start, int) and text not in found[start]:
                    found[start].append(str(text))
        return {start: texts for start, texts in found.items() if texts}

    def digest_of(self, chunk: int) -> bytes | None:
        """What was embedded for a chunk, as a digest."""
        return self._blob(_DIGEST_BYTES, chunk)

    def vector_of(self, chunk: int, dimension: int) -> FloatArray | None:
        """The vector of a chunk, None where there is none of this dimension and of length 1."""
        blob = self._blob(4 * dimension, chunk)
        if blob is None:
            return None
        vector = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        with np.errstate(all="ignore"):
            norm = float(np.linalg.norm(vector.astype(np.float64)))
        return vector if abs(norm - 1) < _NORM_OFF else None

    def _blob(self, size: int, rowid: int) -> bytes | None:
        cell = self.blobs.get(size, {}).get(rowid)
        if cell is not None:
            with suppress(Wrong):
                blob = self.raw.values(cell)[1]
                return blob if isinstance(blob, bytes) else None
        return None


def remains(raw: RawFile) -> Remains:
    """Look through all pages of a file.

    Args:
        raw: The file; it stays open for the texts.
    """
    found = Remains(raw)
    with translated(), closing(apsw.Connection(":memory:")) as json:
        for page in range(1, raw.page_count + 1):
            for cell in raw.cells(page, (*TABLE, *INDEX)):
                with suppress(Wrong):
                    _take(found, cell, json)
        _take_indexes(found)
    found.wrong_pages = len(raw.wrong)
    return found


def _take(found: Remains, cell: Cell, json: apsw.Connection) -> None:
    if not cell.rowid:
        if cell.shape == _TAG:
            number, tag = found.raw.values(cell)
            found.tags[_int(number)].add(str(tag))
        return
    name = next((name for name, shape in _SHAPES.items() if shape.fullmatch(cell.shape)), None)
    if name == "blob":
        found.blobs[(cell.types[1] - 12) // 2][cell.rowid] = cell
    elif name is not None:
        values = found.raw.values(cell)
        if name == "text_part":
            found.parts[_int(values[1])].append(cell)
        elif name in {"document", "first_document"}:
            row = _document(name, [cell.rowid, *values[1:]], json)
            found.documents[row.number].append(row)
        else:
            _take_other(found, name, cell.rowid, values)


def _take_other(found: Remains, name: str, rowid: int, values: list[Value]) -> None:
    if name == "chunk":
        chunk = RemainingChunk(rowid, *values[1:])  # type: ignore[arg-type] # by its shape
        found.chunks[chunk.document].append(chunk)
        found.last_chunk = max(found.last_chunk, chunk.id)
    elif name == "sequence":
        if values[0] == "chunk":
            found.last_chunk = max(found.last_chunk, _int(values[1]))
    elif name == "schema":
        found.roots[str(values[1])] = _int(values[3])
    elif name == "collection":
        found.collections[rowid] = str(values[1])
    elif name == "model":
        model = (str(values[3]), _int(values[2]))
        found.models.insert(len(found.models) if values[10] else 0, model)
    else:
        found.log[name].append([rowid, *values[1:]])


def _document(name: str, values: list[Any], json: apsw.Connection) -> RemainingDocument:
    try:
        if name == "document":
            *first, _, _, digest, metadata = values
            metadata = json.execute("SELECT json(?) WHERE json_valid(?, 8)", (metadata,) * 2).get
        else:
            # The first schema had both as text, in the middle.
            metadata, digest = values[5], bytes.fromhex(values[7])
            first = [*values[:5], values[6], *values[8:]]
    except (apsw.Error, ValueError):
        raise Wrong from None
    if metadata is None:
        raise Wrong
    row: list[Any] = [*first, digest, metadata]
    if "\N{REPLACEMENT CHARACTER}" in row[5]:
        # The one text of a row that is not hashed, and the only one that can be guessed.
        row[5] = "text/plain"
    return RemainingDocument(*row)


def _int(value: Value) -> int:
    if not isinstance(value, int):
        raise Wrong
    return value


def _take_indexes(found: Remains) -> None:
    """Read the indexes of ids, keys and collections, where it is told where they begin."""
    roots = found.roots
    for entry in _entries(found.raw, roots.get("sqlite_autoindex_document_1"), "ti"):
        found.ids[entry[1]] = entry[0]
    for entry in _entries(found.raw, roots.get("sqlite_autoindex_document_2"), "iti"):
        found.keys[entry[2]] = (entry[0], entry[1])
    for entry in _entries(found.raw, roots.get("sqlite_autoindex_collection_1"), "ti"):
        found.collections.setdefault(entry[1], entry[0])


def _entries(raw: RawFile, root: Value, shape: str) -> Iterator[list[Any]]:
    waiting, seen = [root], set()
    while waiting:
        page = waiting.pop()
        if not isinstance(page, int) or page in seen:
            continue
        seen.add(page)
        with suppress(Wrong):
            for cell in raw.cells(page, INDEX):
                if cell.shape == shape:
                    with suppress(Wrong):
                        yield raw.values(cell)
            waiting += raw.children(page)


def _search(row: Sequence[Value]) -> tuple[Value, ...]:
    """A logged search with what later schemas added; which search it reformulates may be gone."""
    whole = (*row, *_ADDED[len(row) - _SEARCH_COLUMNS :])
    return (*whole[:20], whole[21])


def insert_log(
    connection: apsw.Connection,
    log: Mapping[str, Sequence[Sequence[Value]]],
    numbers: Mapping[int, int],
) -> None:
    """Write what was found of the log, where the chunks and documents that it tells of are there.

    Args:
        connection: The write connection inside its transaction, after the documents.
        log: Rows by table, as in `Remains`.
        numbers: Of documents, by the numbers that they had.
    """
    connection.executemany(
        "INSERT OR IGNORE INTO search (number, id, at, query, collection, mode, strategy, weights, k, "
        "disagreement, vector_leg, keyword_leg, gap, best, agreed, hashed, fingerprint, asked, first_at, "
        "session, masked) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
        "?17, ?18, ?19, ?20, ?21 WHERE json_valid(?8) AND json_valid(?11) AND json_valid(?12) "
        "AND coalesce(json_valid(?21), 1)",
        map(_search, log.get("search", ())),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO triple (id, search, positive, negative, kind, evidence) "
        "SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE json_valid(?6) "
        "AND ?2 IN (SELECT number FROM search) "
        "AND ?3 IN (SELECT id FROM chunk) AND ?4 IN (SELECT id FROM chunk)",
        log.get("triple", ()),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO feedback (id, search, document, chunk, verdict, at) "
        "SELECT ?1, ?2, ?3, (SELECT id FROM chunk WHERE id = ?4 AND document = ?3), ?5, ?6 "
        "WHERE ?2 IN (SELECT number FROM search)",
        (
            (row[0], row[1], numbers[_int(row[2])], *row[3:])
            for row in log.get("feedback", ())
            if row[2] in numbers
        ),
    )
