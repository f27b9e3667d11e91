"""Whether a search for a word that stands in one document puts a passage with it first."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.quality.rare_words import KINDS, RareWord, holds, rare_words
from bench.quality.report import Report, number
from bench.quality.sets import Asked
from vstash.evaluation import DEFAULT_WAYS, known_ways

if TYPE_CHECKING:
    from vstash import Hit

__all__ = ["run"]

_WORDS = 200
_TEMPLATES = ("X", "where is X mentioned", "what about X")
_LISTED = "score"
_NOTE = f"""Words of exactly one document: codes, names, numbers; {_WORDS} of each corpus, the same number of every kind
where there are enough. Share of searches whose first passage holds the word, in its text or headings."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one search for a word found first.

    Attributes:
        found: By way, whether the first passage holds the word.
        first: The first document of the listed way, None where it found nothing.
    """

    set_name: str
    word: RareWord
    template: str
    found: Mapping[str, bool]
    first: str | None


def run(asked: Sequence[Asked], given: argparse.Namespace, report: Report) -> None:
    """Ask for words of every set alone and in templates."""
    report.section("Exact words", _NOTE)
    count = _WORDS if given.limit is None else min(_WORDS, given.limit)
    outcomes = []
    for each in asked:
        if each.judged.corpus is None:
            raise TypeError("A set read from a folder has a corpus.")
        words = rare_words(each.judged.corpus, count, f"{given.seed} {each.name}")
        mine = [_asked(each, word, template) for word in words for template in _TEMPLATES]
        outcomes += mine
        report.row("exact", {"set": each.name, "words": len(words), "found": _by_kind(mine)})
        _listed(mine, given.wins, report)
    _tables([each.name for each in asked], outcomes, report)


def _asked(asked: Asked, word: RareWord, template: str) -> Outcome:
    query = template.replace("X", word.text)
    ways = known_ways()
    found = {}
    first = None
    for way in DEFAULT_WAYS:
        hits = asked.memory.search(query, log=False, **ways[way].arguments).hits
        found[way] = bool(hits) and _holds(hits[0], word.text)
        if way == _LISTED and hits:
            first = hits[0].document.key
    return Outcome(asked.name, word, template, found, first)


def _holds(hit: Hit, word: str) -> bool:
    return holds("\n".join([hit.document.title, *hit.chunk.heading, hit.text]), word)


def _by_kind(outcomes: Sequence[Outcome]) -> dict[str, dict[str, dict[str, float]]]:
    """Shares by template, kind and way."""
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.template, outcome.word.kind].append(outcome)
    found: dict[str, dict[str, dict[str, float]]] = {template: {} for template in _TEMPLATES}
    for (template, kind), group in groups.items():
        found[template][kind] = {way: round(_share(group, way), 4) for way in DEFAULT_WAYS}
    return found


def _share(outcomes: Sequence[Outcome], way: str) -> float:
    if not outcomes:
        return float("nan")
    return float(np.mean([outcome.found[way] for outcome in outcomes]))


def _tables(names: Sequence[str], outcomes: Sequence[Outcome], report: Report) -> None:
    rows = []
    for template in _TEMPLATES:
        chosen = [each for each in outcomes if each.template == template]
        for name in names:
            mine = [each for each in chosen if each.set_name == name]
            rows.append(_line((f"{template}, {name}",), mine))
        rows.append(_line((f"{template}, all sets",), chosen))
    report.table(["query, set", "words", *DEFAULT_WAYS], rows)
    rows = []
    for kind in KINDS:
        for template in _TEMPLATES:
            chosen = [e for e in outcomes if (e.template, e.word.kind) == (template, kind)]
            if chosen:
                rows.append(_line((f"{kind}: {template}",), chosen))
    report.table(["kind: query", "words", *DEFAULT_WAYS], rows)


def _line(head: tuple[str], outcomes: Sequence[Outcome]) -> list[str]:
    shares = (number(_share(outcomes, way)) for way in DEFAULT_WAYS)
    return [*head, f"{len(outcomes):,}", *shares]


def _listed(outcomes: Sequence[Outcome], most: int, report: Report) -> None:
    failures = [outcome for outcome in outcomes if not outcome.found[_LISTED]][:most]
    rows = []
    for each in failures:
        query = each.template.replace("X", each.word.text)
        rows.append([query, each.word.kind, each.word.key, each.first or "nothing"])
    if rows:
        named = f"{_LISTED} failed on {outcomes[0].set_name}"
        report.table([named, "kind", "stands in", "first was"], rows)
