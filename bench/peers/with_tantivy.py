"""Tantivy, by its Python binding: the keyword leg only.

One stored text field with the English stemmer, one writer with the default memory and threads, one
commit. A question is its words, any of which may match (the parser's default).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.peer import Chunk, FloatArray, Hit, K, Peer, Search, words

__all__ = ["peer"]


class _Tantivy:
    note = "keyword leg only"

    def __init__(self, folder: Path) -> None:
        self._tantivy: Any = import_module("tantivy")
        self._folder = folder
        self._index: Any = None
        self._searcher: Any = None

    def build(self, chunks: Sequence[Chunk], _vectors: FloatArray) -> None:
        builder = self._tantivy.SchemaBuilder()
        builder.add_text_field("key", stored=True, tokenizer_name="raw")
        builder.add_text_field("text", stored=True, tokenizer_name="en_stem")
        writer = self._tantivy.Index(builder.build(), path=str(self._folder)).writer()
        for chunk in chunks:
            writer.add_document(self._tantivy.Document(key=chunk.key, text=chunk.passage))
        writer.commit()
        writer.wait_merging_threads()

    def searches(self) -> dict[str, Search]:
        self._index = self._tantivy.Index.open(str(self._folder))
        self._searcher = self._index.searcher()
        return {"keyword": self._keyword}

    def _keyword(self, question: str, _vector: FloatArray) -> list[Hit]:
        query = self._index.parse_query(" ".join(words(question)), ["text"])
        found = [self._searcher.doc(place) for _, place in self._searcher.search(query, K).hits]
        return [(document["key"][0], document["text"][0]) for document in found]

    def close(self) -> None:
        self._index = self._searcher = None


def peer(folder: Path, _option: str) -> Peer:
    """Keep the index below ``folder``."""
    return _Tantivy(folder)
