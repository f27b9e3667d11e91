"""Splits of queries of which no part shares anything with another."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Final

import numpy as np

__all__ = ["PARTS", "groups", "leaks", "split"]

PARTS: Final = {"fit": 0.6, "tune": 0.2, "held": 0.2}
"""What a query is used for, and the share of queries: learnt from, chosen by, judged by."""


def groups(marks: Sequence[Iterable[Hashable]]) -> list[int]:
    """For each item the lowest place among all that hang together with it.

    Args:
        marks: Of each item; items with a mark in common hang together, and so do those in a chain.

    Example:
        >>> groups([["a"], ["b"], ["a", "c"], ["c"]])
        [0, 1, 0, 0]
    """
    parent = list(range(len(marks)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[Hashable, int] = {}
    for place, several in enumerate(marks):
        for mark in several:
            one, other = root(first.setdefault(mark, place)), root(place)
            parent[max(one, other)] = min(one, other)
    return [root(place) for place in range(len(marks))]


def split(marks: Sequence[Iterable[Hashable]], *, seed: int) -> dict[str, list[int]]:
    """Put items into parts, those that hang together into the same one.

    Args:
        marks: Of each item, such as its query and the documents that answer it.
        seed: Which go where.

    Returns:
        Places of items, ascending, by the names in `PARTS`; of some dozens of unrelated items each part has
        about its share.
    """
    members: dict[int, list[int]] = {}
    for place, group in enumerate(groups(marks)):
        members.setdefault(group, []).append(place)
    drawn = np.random.default_rng(seed).permutation(len(members)).tolist()
    several = list(members.values())
    # A large group that came last would fit nowhere.
    order = sorted(drawn, key=lambda each: -len(several[each]))
    parts: dict[str, list[int]] = {name: [] for name in PARTS}
    for each in order:
        lacking = max(parts, key=lambda name: PARTS[name] * len(marks) - len(parts[name]))
        parts[lacking] += several[each]
    return {name: sorted(places) for name, places in parts.items()}


def leaks(marks: Sequence[Iterable[Hashable]], parts: dict[str, list[int]]) -> set[Hashable]:
    """Marks that stand in more than one part: what was learnt would be judged by itself.

    Args:
        marks: Of each item.
        parts: Places of items by part.
    """
    seen: dict[Hashable, str] = {}
    found: set[Hashable] = set()
    for name, places in parts.items():
        for place in places:
            for mark in marks[place]:
                if seen.setdefault(mark, name) != name:
                    found.add(mark)
    return found
