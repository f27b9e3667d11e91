"""How often the passage that answers is inside a context of a given size."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.quality.report import Report, number
from bench.quality.sets import Asked
from vstash.embed.catalogue import open_model
from vstash.settings import load_settings

if TYPE_CHECKING:
    from vstash import Hit
    from vstash.embed.protocol import Embedder
    from vstash.evaluation import JudgedQuery

__all__ = ["packed", "run"]

_BUDGETS = (1000, 2000)
_HITS = 100
# Sets of which fewer queries have just one answer are left out.
_SINGLE_SHARE = 0.5
_NOTE = """Share of questions whose one judged document is among the passages of `Memory.context`, and among the
hits of a search taken in order until the next has no room (text and title, counted by the model's own
tokenizer; no source, no marks). Only questions with one relevant document, of sets where most have one."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts tokens by a model's tokenizer."""

    model: Embedder

    def __call__(self, text: str) -> int:
        """How many tokens a text takes."""
        return len(self.model.token_offsets(text))


def run(asked: Sequence[Asked], given: argparse.Namespace, report: Report) -> None:
    """Ask for contexts, and pack hits plainly beside it."""
    report.section("Context", _NOTE)
    settings = load_settings(chunk_tokens=given.chunk_tokens)
    count = Counter(open_model(settings.model))
    columns = [f"{kind} {budget:,}" for budget in _BUDGETS for kind in ("context", "plain")]
    rows = []
    values = []
    for each in asked:
        single = [query for query in each.judged.queries if _only(query) is not None]
        if len(single) < _SINGLE_SHARE * len(each.judged.queries):
            continue
        found = _shares(each, single, count)
        values.append(found)
        rows.append([each.name, f"{len(single):,}", *map(number, found)])
        shares = {name: round(value, 4) for name, value in zip(columns, found, strict=True)}
        report.row("context", {"set": each.name, "queries": len(single), "inside": shares})
    if not rows:
        report.text("No set has one relevant document for most of its queries.")
        return
    rows.append(["mean", "", *map(number, np.mean(values, axis=0).tolist())])
    report.table(["set", "questions", *columns], rows)


def packed(hits: Sequence[Hit], budget: int, count: Counter) -> set[str]:
    """Keys of the documents whose hits fit, taken in order until one does not.

    Args:
        hits: Best first.
        budget: In tokens.
        count: Of a text.
    """
    found = set()
    for hit in hits:
        title = f"{hit.document.title}\n" if hit.document.title else ""
        budget -= count(f"{title}{hit.text}")
        if budget < 0:
            break
        found.add(hit.document.key)
    return found


def _only(query: JudgedQuery) -> str | None:
    relevant = [key for key, grade in query.judgements.items() if grade > 0]
    return relevant[0] if len(relevant) == 1 else None


def _shares(asked: Asked, queries: Sequence[JudgedQuery], count: Counter) -> list[float]:
    """By budget, the share inside a context and inside plainly packed hits."""
    inside = []
    for query in queries:
        key, where = _only(query), asked.where(query)
        hits = asked.memory.search(query.text, k=_HITS, filter=where, log=False).hits
        line = []
        for budget in _BUDGETS:
            context = asked.memory.context(query.text, max_tokens=budget, filter=where, log=False)
            line.append(any(passage.key == key for passage in context.passages))
            line.append(key in packed(hits, budget, count))
        inside.append(line)
    return [float(share) for share in np.mean(inside, axis=0)]
