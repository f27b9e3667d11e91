"""The vstash file of a judged set: made once, gone on with when interrupted, used again."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from platformdirs import user_cache_dir

from vstash import __version__
from vstash.errors import EvaluationError, InputError, VstashError
from vstash.evaluation.beir import documents
from vstash.memory import Memory
from vstash.settings import Settings, load_settings

if TYPE_CHECKING:
    from vstash.evaluation.judged import Corpus, JudgedSet
    from vstash.evaluation.run import Progress
    from vstash.types import NewDocument

__all__ = ["Refused", "StoredSet", "default_work", "open_judged"]

_BATCH_DOCUMENTS: Final = 128
# Some five seconds of the model's work: what an interruption can lose.
_BATCH_CHARS: Final = 100_000


class Refused(msgspec.Struct, frozen=True):
    """A document that could not be stored, and why."""

    key: str
    reason: str


class _Done(msgspec.Struct):
    """What stands beside a file that holds its whole corpus."""

    documents: int
    refused: tuple[Refused, ...]


@dataclass(slots=True)
class StoredSet:
    """A file with a corpus in it.

    Attributes:
        memory: The file, open.
        refused: Documents that could not be stored.
        reused: Whether it was there already.
    """

    memory: Memory
    refused: tuple[Refused, ...] = field(default=())
    reused: bool = False


def default_work() -> Path:
    """Where files are kept when no folder is named: below the user's cache folder."""
    return Path(user_cache_dir("vstash", appauthor=False)) / "eval"


@contextmanager
def open_judged(
    judged: JudgedSet,
    work: str | os.PathLike[str] | None = None,
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Iterator[StoredSet]:
    """Open the file that holds a judged set's corpus; make it when there is none.

    The file is named after the set and a digest of corpus, model, chunk settings and version, so that
    another corpus or setting makes another file. One that was interrupted is gone on with.

    Args:
        judged: With a corpus.
        work: The folder of such files; None for `default_work`.
        settings: Model and chunk sizes; None reads them as everywhere.
        progress: Called with documents stored and documents in all.

    Raises:
        EvaluationError: When there is no corpus, or all of its documents were refused.
        VstashError: When the file or the model cannot be used.

    Example:
        >>> with open_judged(load_judged("sets/nfcorpus"), "work") as stored:
        ...     stored.memory.stats().documents
        3633
    """
    if judged.corpus is None:
        raise EvaluationError("This set has no corpus: open the file that holds its documents.")
    folder = default_work() if work is None else Path(work)
    chosen = load_settings() if settings is None else settings
    path = folder / _file_name(judged.name, judged.corpus, chosen)
    mark = path.with_suffix(".json")
    with Memory(path, settings=chosen, warm=True) as memory:
        done = _read(mark)
        held = memory.stats().documents
        if done is not None and held == done.documents:
            yield StoredSet(memory, done.refused, reused=True)
            return
        refused = _store(memory, judged.corpus, progress)
        held = memory.stats().documents
        if not held:
            raise EvaluationError(
                "Every document of the corpus was refused.", local_detail=refused[0].reason
            )
        mark.write_bytes(msgspec.json.encode(_Done(held, refused)))
        yield StoredSet(memory, refused)


def _file_name(name: str, corpus: Corpus, settings: Settings) -> str:
    model = settings.model
    if model and (os.sep in model or Path(model).is_dir()):
        model = str(Path(model).expanduser().resolve())
    parts = (corpus.sha256, model, settings.chunk_tokens, settings.chunk_overlap, __version__)
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}-{digest[:16]}.db"


def _read(mark: Path) -> _Done | None:
    try:
        return msgspec.json.decode(mark.read_bytes(), type=_Done)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _store(memory: Memory, corpus: Corpus, progress: Progress | None) -> tuple[Refused, ...]:
    refused: list[Refused] = []
    done = 0
    for batch in _batches(corpus):
        for document, result in zip(batch, memory.add_batch(batch), strict=True):
            if isinstance(result, InputError):
                refused.append(Refused(document.key or "", f"{result.code}: {result.message}"))
            elif isinstance(result, VstashError):
                raise result
        done += len(batch)
        if progress is not None:
            progress(done, corpus.documents)
    return tuple(refused)


def _batches(corpus: Corpus) -> Iterator[Sequence[NewDocument]]:
    batch: list[NewDocument] = []
    chars = 0
    for document in documents(corpus):
        batch.append(document)
        chars += len(document.text)
        if len(batch) >= _BATCH_DOCUMENTS or chars >= _BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch
