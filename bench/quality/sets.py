"""The judged sets of a run, each in an open vstash file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vstash.evaluation import Evaluation, JudgedQuery, JudgedSet, evaluate, load_judged, open_judged
from vstash.settings import load_settings

if TYPE_CHECKING:
    from vstash import Memory
    from vstash.types import JsonObject

__all__ = ["Asked", "opened", "prepared"]


class Asked:
    """A judged set that can be asked.

    Args:
        judged: The set.
        memory: The file that holds its corpus.
        filter_field: Of a query's metadata; only documents with the same value are searched. Does
            not apply where a query lacks it.
        depth: Documents in a ranking.
    """

    def __init__(
        self, judged: JudgedSet, memory: Memory, *, filter_field: str | None, depth: int
    ) -> None:
        self.judged = judged
        self.memory = memory
        self.name = judged.name
        has_field = all(filter_field in query.metadata for query in judged.queries)
        self.fields = (filter_field,) if filter_field is not None and has_field else ()
        self._depth = depth

    @property
    def family(self) -> str:
        """What the sets made from the same data have in common: the name up to the first hyphen."""
        return self.name.split("-", 1)[0]

    def where(self, query: JudgedQuery) -> JsonObject | None:
        """The filter of one of its queries."""
        if not self.fields:
            return None
        return {f"metadata.{name}": {"eq": query.metadata[name]} for name in self.fields}

    def evaluated(self, judged: JudgedSet) -> Evaluation:
        """The answers to these queries, every way."""
        return evaluate(self.memory, judged, depth=self._depth, filter_fields=self.fields)

    @cached_property
    def clean(self) -> Evaluation:
        """The answers to its own queries."""
        return self.evaluated(self.judged)


def prepared(source: Path, given: argparse.Namespace) -> JudgedSet:
    """A judged set with at most as many queries as asked for."""
    judged = load_judged(source, split=given.split, unpacked=given.work)
    return judged if given.limit is None else judged.sample(given.limit, seed=given.seed)


@contextmanager
def opened(judged_sets: Sequence[JudgedSet], given: argparse.Namespace) -> Iterator[list[Asked]]:
    """Open each set's file; made where there is none."""
    settings = load_settings(chunk_tokens=given.chunk_tokens)
    with ExitStack() as stack:
        asked = []
        for judged in judged_sets:
            stored = stack.enter_context(
                open_judged(judged, given.work, settings=settings, progress=Told(judged.name))
            )
            asked.append(
                Asked(judged, stored.memory, filter_field=given.filter_field, depth=given.depth)
            )
        yield asked


class Told:
    """Says every now and then how far storing is."""

    def __init__(self, name: str, every: int = 2_000) -> None:
        self._name = name
        self._every = every
        self._next = every

    def __call__(self, done: int, of: int) -> None:
        """Say it where enough was done since."""
        if done >= self._next or done == of:
            print(f"{self._name}: {done:,} of {of:,} documents stored", flush=True)
            self._next = done + self._every
