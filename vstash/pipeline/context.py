"""Passages for a prompt: searched, packed into a budget, put together and marked off as data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from vstash.contexts import (
    Context,
    ContextOrder,
    LeftOut,
    LeftOutPassage,
    TokenCounter,
)
from vstash.embed.counting import checked_counter, counter_of_file, counter_of_model
from vstash.errors import FieldError, PathNotFoundError, QueryError, SettingsError
from vstash.pipeline.draft import Draft, Fitted, Stock, read_stock
from vstash.pipeline.safe_files import is_ours
from vstash.pipeline.stopwatch import Stopwatch
from vstash.search.prompt import marks

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.pipeline.search import Searching
    from vstash.pipeline.shape import Shape
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.types import (
        AnyVector,
        JsonObject,
        Mode,
        SearchResult,
        StrategyName,
    )

__all__ = ["Contexts"]

MAX_TOKENS: Final = 1_000_000
MAX_K: Final = 200
LEAST_K: Final = 30
# A turn of a chat and the line above it take some 40 tokens; hits that repeat or join others take less.
TOKENS_PER_HIT: Final = 25
_BEST_LEFT_OUT: Final = 5


class Contexts:
    """Builds contexts.

    Args:
        store: The file.
        searching: Finds what to put in.
        embedder: The file's model, whose tokenizer counts where no other is named.
        settings: Names the tokenizer.
    """

    def __init__(
        self, store: Store, searching: Searching, embedder: Embedder, settings: Settings
    ) -> None:
        self._store = store
        self._searching = searching
        self._embedder = embedder
        self._settings = settings

    def context(
        self,
        query: str,
        *,
        max_tokens: int,
        tokenizer: TokenCounter | None,
        order: ContextOrder,
        widen: bool,
        k: int | None,
        vector: AnyVector | None,
        collection: str | None,
        where: JsonObject | None,
        mode: Mode,
        strategy: StrategyName | None,
        min_relevance: float | None,
        shape: Shape,
        log: bool,
        session: str | None,
    ) -> Context:
        """Build one context; see `Memory.context`."""
        _check(max_tokens=max_tokens, k=k, order=order, widen=widen)
        asked = min(max(max_tokens // TOKENS_PER_HIT, LEAST_K), MAX_K) if k is None else k
        count = self._counter(tokenizer)
        result = self._searching.search(
            query,
            vector=vector,
            k=asked,
            collection=collection,
            where=where,
            mode=mode,
            strategy=strategy,
            explain=False,
            log=log,
            session=session,
            min_relevance=min_relevance,
            shape=shape,
        )
        watch = Stopwatch(result.timings_ms)
        with self._store.read() as reader:
            stock = read_stock(reader, result.hits, widen=widen)
        for mark in marks(stock.quotable()):
            draft = Draft(stock, mark, count, order, max_tokens)
            found = draft.fitted()
            # A mark that is in no chunk could still come about where two chunks meet, or in an offset.
            if found.text.count(mark) == _marked_lines(found):
                break
        watch.lap("pack")
        return _context(result, stock, found, max_tokens, watch)

    def _counter(self, tokenizer: TokenCounter | None) -> Callable[[str], int]:
        if tokenizer is None:
            return self._counter_of_settings()
        if callable(tokenizer):
            return checked_counter(tokenizer)
        if isinstance(tokenizer, str | os.PathLike):
            return self._counter_of_file(tokenizer)
        raise FieldError(
            "tokenizer is the path of a tokenizer.json, or a function that counts tokens.",
            pointer="/tokenizer",
        )

    def _counter_of_settings(self) -> Callable[[str], int]:
        named = self._settings.context_tokenizer
        if not named:
            return counter_of_model(self._embedder)
        try:
            return self._counter_of_file(named)
        except (PathNotFoundError, FieldError) as error:
            raise SettingsError(
                f"Setting `context_tokenizer`: {error.message}", local_detail=error.local_detail
            ) from error

    def _counter_of_file(self, named: str | os.PathLike[str]) -> Callable[[str], int]:
        try:
            path = Path(named).expanduser().resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise PathNotFoundError(
                "The tokenizer's file does not exist or cannot be reached.",
                pointer="/tokenizer",
                local_detail=os.fspath(named),
            ) from error
        if is_ours(path, self._store.path):
            raise FieldError("This is the vstash file itself.", pointer="/tokenizer")
        return counter_of_file(path)


def _marked_lines(found: Fitted) -> int:
    """The rule, each passage's line, and the end; none without a passage."""
    return len(found.passages) + 2 if found.passages else 0


def _check(*, max_tokens: int, k: int | None, order: ContextOrder, widen: bool) -> None:
    counts = [("max_tokens", max_tokens, MAX_TOKENS)]
    if k is not None:
        counts.append(("k", k, MAX_K))
    for name, value, most in counts:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise QueryError(f"{name} is 1 to {most:,}.", pointer=f"/{name}")
    if order not in get_args(ContextOrder):
        raise QueryError(f"order is one of: {', '.join(get_args(ContextOrder))}.", pointer="/order")
    if not isinstance(widen, bool):
        raise QueryError("widen is true or false.", pointer="/widen")


def _context(
    result: SearchResult, stock: Stock, found: Fitted, max_tokens: int, watch: Stopwatch
) -> Context:
    texts = {stock.rows[chunk][0].text for chunk in found.chunks}
    missing = [piece for piece in stock.hits if piece.chunk not in found.chunks]
    left = tuple(
        LeftOutPassage(
            chunk_id=piece.chunk,
            document_id=piece.document,
            key=stock.rows[piece.chunk][1].key,
            score=stock.scores[piece.chunk],
            why="duplicate" if piece.text in texts else "budget",
        )
        for piece in missing
    )
    degraded = result.degraded
    if stock.hits and not found.passages:
        degraded += (
            f"max_tokens_too_small: no passage and its source fit into {max_tokens:,} tokens",
        )
    return Context(
        query=result.query,
        text=found.text,
        passages=found.passages,
        tokens=found.tokens,
        max_tokens=max_tokens,
        left_out=LeftOut(len(left), left[:_BEST_LEFT_OUT]),
        search_id=result.id,
        abstained=result.abstained,
        degraded=degraded,
        timings_ms=watch.times(),
    )
