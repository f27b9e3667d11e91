"""Both legs of every query of judged sets, asked without logging."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vstash.evaluation import load_judged, open_judged
from vstash.learn.triples import DISAGREEMENT_K
from vstash.pipeline.known import KnownAnswers
from vstash.pipeline.record import Compared

if TYPE_CHECKING:
    from vstash.evaluation import JudgedQuery
    from vstash.pipeline.known import Asked

__all__ = ["RESULTS", "Answered", "answered", "parser", "wilson"]

RESULTS: Final = Path(__file__).resolve().parents[1] / "results" / "learning.jsonl"
# Of 95 %.
_Z: Final = 1.959964


@dataclass(frozen=True)
class Answered:
    """A judged query and what both indexes said.

    Attributes:
        known: Of the chunks among the first of either leg.
        keys: Of their documents, by document id.
    """

    query: JudgedQuery
    asked: Asked
    known: Compared
    keys: dict[str, str]

    def relevant(self, chunk: int) -> bool:
        """Whether the set calls the document of a chunk relevant."""
        owner = self.asked.legs.scores[chunk].document_id
        return self.query.judgements.get(self.keys[owner], 0) > 0


def answered(source: Path, given: argparse.Namespace) -> Iterator[Answered]:
    """Ask every query of a set; where its metadata has the field, only documents with the same value."""
    judged = load_judged(source, unpacked=given.work)
    with open_judged(judged, given.work) as stored:
        engine = stored.memory._engine  # noqa: SLF001 - both legs with all scores are no part of a reply
        answers = KnownAnswers(engine.searching, engine.embedder, engine.settings)
        for query in judged.queries:
            where = None
            if given.filter_field in query.metadata:
                value = query.metadata[given.filter_field]
                where = {f"metadata.{given.filter_field}": {"eq": value}}
            with engine.store.read() as reader:
                asked = answers.asked(reader, query.text, None, where)
                legs = (asked.legs.vector, asked.legs.keyword)
                first = {entry.chunk_id for leg in legs for entry in leg[:DISAGREEMENT_K]}
                ids = np.array(sorted(first), dtype=np.int64)
                chunks = reader.chunks(ids)
                keys = {document.id: document.key for _, document in chunks.values()}
                yield Answered(query, asked, Compared.read(reader, ids), keys)


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    Example:
        >>> [round(each, 3) for each in wilson(1, 10)]
        [0.018, 0.404]
    """
    if not of:
        return 0.0, 1.0
    share, square = count / of, _Z**2
    middle = share + square / (2 * of)
    spread = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of**2))
    low, high = ((middle + sign * spread) / (1 + square / of) for sign in (-1, 1))
    return round(max(low, 0.0), 6), round(min(high, 1.0), 6)


def parser(name: str, description: str | None, **more: Any) -> argparse.ArgumentParser:
    """The options that both measures have."""
    made = argparse.ArgumentParser(
        prog=f"python -m bench.learning.{name}", description=description, **more
    )
    made.add_argument("sets", type=Path, nargs="+", help="folders or archives in BEIR layout")
    made.add_argument("--work", type=Path, required=True, help="folder of the sets' vstash files")
    made.add_argument("--filter-field", default="conversation")
    made.add_argument("--rows", type=Path, default=RESULTS)
    return made
