"""Files into documents: read, extract, chunk, embed, store, in batches."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from vstash.errors import FieldError, InputError, MediaTypeError
from vstash.pipeline.files import FoundFile, found_files, is_folder, resolved
from vstash.pipeline.overlap import overlapped
from vstash.pipeline.prepare import Prepared, checked_collection, checked_tags, prepare
from vstash.pipeline.ready import Ready, Source
from vstash.pipeline.safe_files import Files
from vstash.reports import (
    FileOutcome,
    IngestProgress,
    IngestReport,
    ProgressCallback,
    PruneDecision,
)
from vstash.store.rows import SourceRow
from vstash.text.extract import extract, is_supported
from vstash.types import NewDocument

if TYPE_CHECKING:
    from vstash.pipeline.write import Writing
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.session import Reader

__all__ = ["Ingesting"]

# Documents are committed together up to these bounds, each whole.
_BATCH_DOCUMENTS: Final = 64
# Some two seconds of the model's work: what a kill or Ctrl-C can lose.
_BATCH_CHARS: Final = 40_000
Status = Literal["added", "replaced", "unchanged", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Pending:
    """A file that was read and checked and waits for its batch."""

    file: FoundFile
    prepared: Prepared
    replaces: bool


@dataclass(slots=True)
class Run:
    """One ingest: what is asked, and how far it is.

    Attributes:
        files: Looks at files and reads them.
        roots: Absolute, resolved, existing.
        stop: Asked before each file whether to leave the rest.
        cut: Whether it did leave some.
    """

    files: Files
    roots: Sequence[Path]
    collection: str
    tags: tuple[str, ...]
    ignore: Sequence[str]
    embed: bool
    prune: PruneDecision = False
    progress: ProgressCallback | None = None
    stop: Callable[[], bool] = lambda: False
    known: dict[str, SourceRow] = field(default_factory=dict)
    touched: list[tuple[str, int, int]] = field(default_factory=list)
    outcomes: list[FileOutcome] = field(default_factory=list)
    counts: dict[Status, int] = field(default_factory=dict)
    found: int = 0
    done: int = 0
    chunks: int = 0
    cut: bool = False

    def halted(self) -> bool:
        """Whether to leave the rest."""
        self.cut = self.cut or self.stop()
        return self.cut

    def count(self, status: Status) -> int:
        """How many files ended so."""
        return self.counts.get(status, 0)

    def finish(self, file: FoundFile, status: Status, reason: str = "", chunks: int = 0) -> None:
        """Book what became of a file and tell the caller."""
        self.counts[status] = self.count(status) + 1
        self.done += 1
        self.chunks += chunks
        if status != "unchanged":
            self.outcomes.append(FileOutcome(file.key, status, reason, chunks))
        if self.progress is not None:
            self.progress(IngestProgress(self.found, self.done, self.chunks, file.key))


class Ingesting:
    """Reads files and folders into documents.

    Args:
        store: The file.
        writing: Stores documents.
        settings: Limits.
    """

    def __init__(self, store: Store, writing: Writing, settings: Settings) -> None:
        self._store = store
        self._writing = writing
        self._settings = settings

    def ingest(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        collection: str | None,
        tags: Sequence[str],
        ignore: Sequence[str],
        prune: PruneDecision,
        progress: ProgressCallback | None,
        embed: bool,
    ) -> IngestReport:
        """Ingest; see `Memory.ingest`."""
        run = Run(
            files=Files(self._store.path),
            roots=resolved(paths),
            collection=checked_collection(collection),
            tags=checked_tags(tags),
            ignore=ignore,
            embed=embed,
            prune=prune,
            progress=progress,
        )
        return self.work(run)

    def work(self, run: Run) -> IngestReport:
        """Do what a run asks for; where it is told to stop, what is finished stays."""
        start = time.perf_counter()
        files = self._files(run)
        with self._store.read() as reader:
            run.known = {
                row.key: row for root in run.roots for row in _known_below(reader, run, root)
            }

        def make(batch: Sequence[Pending]) -> tuple[Sequence[Pending], list[Ready]]:
            return batch, self._ready(batch, embed=run.embed)

        # Two batches at a time: while one is written or its last text is embedded, the model has work.
        for batch, ready in overlapped(self._batches(run, files), make, workers=2):
            self._store_batch(run, batch, ready)
        self._touch(run)
        pruned = self._prune(run) if run.prune and not run.halted() else ()
        return IngestReport(
            added=run.count("added"),
            replaced=run.count("replaced"),
            unchanged=run.count("unchanged"),
            skipped=run.count("skipped"),
            failed=run.count("failed"),
            chunks=run.chunks,
            pruned=pruned,
            outcomes=tuple(run.outcomes),
            seconds=round(time.perf_counter() - start, 3),
        )

    def _files(self, run: Run) -> list[FoundFile]:
        files = []
        for file in found_files(run.files, run.roots, run.ignore):
            if run.halted():
                break
            files.append(file)
            run.found += 1
        return files

    def _batches(self, run: Run, files: Sequence[FoundFile]) -> Iterator[list[Pending]]:
        """Read files, and hand on those that are new or changed in batches of bounded size."""
        batch: list[Pending] = []
        chars = 0
        for file in files:
            if run.halted():
                return
            pending = self._taken(run, file)
            if pending is None:
                continue
            batch.append(pending)
            chars += len(pending.prepared.text)
            if len(batch) >= _BATCH_DOCUMENTS or chars >= _BATCH_CHARS:
                yield batch
                batch, chars = [], 0
        if batch:
            yield batch

    def _taken(self, run: Run, file: FoundFile) -> Pending | None:
        """Read a file; None where it is settled what becomes of it."""
        known = run.known.get(file.key)
        if known is not None and (known.size, known.mtime_ns) == (file.size, file.mtime_ns):
            run.finish(file, "unchanged")
            return None
        if file.problem:
            status: Status = "failed" if file.problem.startswith("unreadable") else "skipped"
            run.finish(file, status, file.problem)
            return None
        try:
            prepared = self._read(run, file)
        except InputError as error:
            run.finish(file, "skipped", f"{error.code}: {error.message}")
            return None
        except OSError as error:
            run.finish(file, "failed", f"unreadable: {error.strerror}")
            return None
        if known is not None and known.content_hash == prepared.content_hash:
            run.touched.append((known.document_id, file.size, file.mtime_ns))
            run.finish(file, "unchanged")
            return None
        return Pending(file, prepared, known is not None)

    def _read(self, run: Run, file: FoundFile) -> Prepared:
        if not file.named and not is_supported(file.path.name):
            raise MediaTypeError("This type of file is not read.")
        limit = self._settings.max_file_bytes
        if file.size > limit:
            raise _too_large(file.size, limit)
        if not _is_text(file.key):
            raise FieldError("The file's name is not UTF-8, so it cannot be a key.", pointer="/key")
        content = run.files.read(file.path, limit=limit + 1)
        if len(content) > limit:
            raise _too_large(len(content), limit)
        extracted = extract(content, name=file.path.name)
        document = NewDocument(
            text=extracted.text,
            key=file.key,
            title=extracted.title[:1000],
            collection=run.collection,
            tags=(*run.tags, *extracted.tags),
            metadata=extracted.metadata,
        )
        return prepare(document, self._settings, media_type=extracted.media_type)

    def _ready(self, batch: Sequence[Pending], *, embed: bool) -> list[Ready]:
        documents = [
            (pending.prepared, Source(pending.file.size, pending.file.mtime_ns))
            for pending in batch
        ]
        return self._writing.readying.make_ready(documents, embed=embed)

    def _store_batch(self, run: Run, batch: Sequence[Pending], ready: Sequence[Ready]) -> None:
        self._touch(run)
        self._writing.store(ready)
        for pending, item in zip(batch, ready, strict=True):
            status: Status = "replaced" if pending.replaces else "added"
            run.finish(pending.file, status, chunks=len(item.chunks))

    def _touch(self, run: Run) -> None:
        touched, run.touched = run.touched, []
        if touched:
            with self._store.write() as writer:
                for document_id, size, mtime_ns in touched:
                    writer.touch_source(document_id, size, mtime_ns)

    def _prune(self, run: Run) -> tuple[str, ...]:
        gone = [row for row in run.known.values() if not _exists(run.files, row.key)]
        keys = tuple(sorted(row.key for row in gone))
        if not keys or (callable(run.prune) and not run.prune(keys)):
            return ()
        self._writing.delete_ids([row.document_id for row in gone])
        return keys


def _known_below(reader: Reader, run: Run, root: Path) -> list[SourceRow]:
    name = root.as_posix()
    if is_folder(run.files, root):
        return reader.sources(run.collection, name.rstrip("/") + "/")
    # The prefix alone would take its neighbours as well.
    return [row for row in reader.sources(run.collection, name) if row.key == name]


def _exists(files: Files, key: str) -> bool:
    try:
        files.status(Path(key))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        # What stands behind a folder that cannot be read is not known to be gone.
        return True
    return True


def _too_large(size: int, limit: int) -> InputError:
    return InputError(
        f"The file has {size:,} bytes or more; the limit is {limit:,} (setting max_file_bytes)."
    )


def _is_text(name: str) -> bool:
    # Python keeps bytes of a name that are not UTF-8 as lone surrogates.
    return not any("\ud800" <= character <= "\udfff" for character in name)
