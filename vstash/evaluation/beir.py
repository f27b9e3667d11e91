"""Judged sets in BEIR layout: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.

The layout is that of the BEIR benchmark (Thakur et al. 2021, https://arxiv.org/abs/2104.08663).
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from shutil import copyfileobj, rmtree
from typing import Any, BinaryIO, Final

import msgspec

from vstash.errors import EvaluationError, PathNotFoundError
from vstash.evaluation.judged import Corpus, JudgedQuery, JudgedSet, judged_set, named
from vstash.evaluation.lines import broken, json_lines, table_rows, unreadable
from vstash.types import NewDocument

__all__ = ["documents", "load_judged", "read_queries"]

_ARCHIVES: Final = (".tar.gz", ".tgz")
_TITLE_CHARS: Final = 1000
_COLUMNS: Final = ("query-id", "corpus-id", "score")


class _Line(msgspec.Struct):
    """A line of corpus.jsonl or of queries.jsonl."""

    id: str = msgspec.field(name="_id")
    text: str | None = None
    title: str | None = None
    metadata: dict[str, Any] | None = None


def load_judged(
    source: str | os.PathLike[str], *, split: str = "test", unpacked: Path | None = None
) -> JudgedSet:
    """Read a judged set.

    Args:
        source: A folder in BEIR layout, or a .tar.gz of one.
        split: Which judgements: the name of a file in ``qrels``.
        unpacked: Where archives are unpacked, to be used again; None needs a folder.

    Returns:
        The queries that have a relevant document, and what was left out as notes.

    Raises:
        PathNotFoundError: When a file is missing.
        EvaluationError: When a line is broken, an id repeats, there is no such split, or nothing is
            left to evaluate.

    Example:
        >>> load_judged("sets/nfcorpus", split="dev").queries[0].text
        'Why Deep Fried Foods May Cause Cancer'
    """
    path = Path(source)
    name = path.name
    if name.endswith(_ARCHIVES):
        name = name.removesuffix(".tar.gz").removesuffix(".tgz")
        path = _unpacked(path, name, unpacked)
    if not path.is_dir():
        raise PathNotFoundError("There is no such folder of judged data.", local_detail=str(source))
    qrels = _split(path / "qrels", split)
    corpus, known = _corpus(path / "corpus.jsonl")
    queries, notes = _judged(_queries(path / "queries.jsonl"), qrels, known)
    return judged_set(name or path.resolve().name, queries, split=split, corpus=corpus, notes=notes)


def read_queries(queries: Path, qrels: Path) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
    """Read queries with judgements, without a corpus.

    Args:
        queries: A queries.jsonl.
        qrels: A table with the columns query-id, corpus-id and score.

    Returns:
        Texts, and grades by document, of the queries that are judged, by id.

    Raises:
        PathNotFoundError: When a file is missing.
        EvaluationError: When a line is broken, or no query is judged.
    """
    texts = _queries(queries)
    judgements: dict[str, dict[str, int]] = {}
    for number, query, document, grade in _grades(qrels):
        if query in texts:
            _judge(judgements, query, document, grade, (qrels, number))
    if not judgements:
        raise EvaluationError("None of the queries is judged.", local_detail=str(qrels))
    return {name: texts[name].text for name in judgements}, judgements


def documents(corpus: Corpus) -> Iterator[NewDocument]:
    """The documents of a corpus, with their ids as keys; a text that is empty is the title.

    Args:
        corpus: As `load_judged` read it.

    Raises:
        PathNotFoundError, EvaluationError: When it was removed or changed since.
    """
    for _, _, line in json_lines(corpus.path, _Line):
        title = line.title or ""
        text = line.text if line.text and line.text.strip() else title
        yield NewDocument(
            text, key=line.id, title=title[:_TITLE_CHARS], metadata=line.metadata or {}
        )


def _split(folder: Path, split: str) -> Path:
    path = folder / f"{split}.tsv"
    if not path.is_file():
        there = ", ".join(sorted(each.stem for each in folder.glob("*.tsv")))
        raise EvaluationError(
            "There is no such split.",
            pointer="/split",
            local_detail=f"{path}; there is: {there or 'none'}",
        )
    return path


def _corpus(path: Path) -> tuple[Corpus, Collection[str]]:
    digest = hashlib.sha256()
    known: set[str] = set()
    for number, line, document in json_lines(path, _Line):
        if document.id in known:
            raise broken(path, number, "the id came before.", document.id)
        known.add(document.id)
        digest.update(line)
    if not known:
        raise EvaluationError("The corpus is empty.", local_detail=str(path))
    return Corpus(path, digest.hexdigest(), len(known)), known


def _queries(path: Path) -> dict[str, JudgedQuery]:
    found: dict[str, JudgedQuery] = {}
    for number, _, line in json_lines(path, _Line):
        if line.id in found:
            raise broken(path, number, "the id came before.", line.id)
        if line.text is None or not line.text.strip():
            raise broken(path, number, "the query has no text.", line.id)
        found[line.id] = JudgedQuery(line.id, line.text, {}, line.metadata or {})
    return found


def _grades(qrels: Path) -> Iterator[tuple[int, str, str, int]]:
    """Line, query, document and grade of each judgement."""
    for number, (query, document, score) in table_rows(qrels, _COLUMNS, delimiter="\t"):
        yield number, query, document, _grade(qrels, number, score)


def _grade(qrels: Path, number: int, score: str) -> int:
    try:
        return int(score)
    except ValueError as error:
        raise broken(qrels, number, "the score is no whole number.", score) from error


def _judge(
    judgements: dict[str, dict[str, int]],
    query: str,
    document: str,
    grade: int,
    line: tuple[Path, int],
) -> None:
    if judgements.setdefault(query, {}).setdefault(document, grade) != grade:
        raise broken(*line, "it has another score than before.", document)


def _judged(
    queries: dict[str, JudgedQuery], qrels: Path, known: Collection[str]
) -> tuple[list[JudgedQuery], list[str]]:
    judgements: dict[str, dict[str, int]] = {}
    strangers: dict[str, None] = {}
    missing: dict[str, None] = {}
    for number, query, document, grade in _grades(qrels):
        if query not in queries:
            strangers[query] = None
        elif document not in known:
            missing[document] = None
        else:
            _judge(judgements, query, document, grade, (qrels, number))
    notes = []
    if strangers:
        notes.append(f"judged queries that are not in queries.jsonl: {named(tuple(strangers))}")
    if missing:
        notes.append(f"judged documents that are not in corpus.jsonl: {named(tuple(missing))}")
    found = [
        JudgedQuery(query.id, query.text, judgements[query.id], query.metadata)
        for query in queries.values()
        if query.id in judgements
    ]
    return found, notes


def _unpacked(archive: Path, name: str, folder: Path | None) -> Path:
    """The folder that an archive was unpacked to, now or before."""
    if folder is None:
        raise EvaluationError("An archive needs a folder to be unpacked to.", pointer="/unpacked")
    try:
        with archive.open("rb") as file:
            digest = _digest(file)
    except OSError as error:
        raise unreadable(archive, error) from error
    target = folder / f"{name}-{digest[:16]}"
    if not target.is_dir():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Unpacked beside it first: a folder of the final name is whole.
            made = Path(tempfile.mkdtemp(dir=folder))
        except OSError as error:
            raise EvaluationError(
                "The folder for unpacked archives cannot be written.",
                pointer="/work",
                local_detail=f"{folder}: {error.strerror}",
            ) from error
        try:
            _unpack(archive, made)
            made.rename(target)
        finally:
            rmtree(made, ignore_errors=True)
    return target


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _unpack(archive: Path, target: Path) -> None:
    (target / "qrels").mkdir()
    try:
        with tarfile.open(archive) as members:
            for member in members:
                place = _place(PurePosixPath(member.name))
                stream = members.extractfile(member) if place is not None else None
                if place is not None and stream is not None:
                    with stream, (target / place).open("wb") as file:
                        copyfileobj(stream, file)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise EvaluationError(
            "The archive is no whole .tar.gz.", local_detail=f"{archive}: {error}"
        ) from error


def _place(path: PurePosixPath) -> str | None:
    """Where a member goes; None for what no evaluation reads, and nothing goes anywhere else."""
    if path.name in {"corpus.jsonl", "queries.jsonl"}:
        return path.name
    return f"qrels/{path.name}" if path.parent.name == "qrels" and path.suffix == ".tsv" else None
