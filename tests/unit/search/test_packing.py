"""What fits into a budget, and how pieces become passages."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vstash.search.packing import Packed, Piece, arranged, joined, longest_fit, pack

TEXT = "abcdefghijklmnopqrstuvwxyz"


def piece(chunk: int, document: str, seq: int, start: int, end: int, *, cut: bool = False) -> Piece:
    """A part of the alphabet."""
    return Piece(chunk, document, seq, start, end, f"{TEXT[start:end]}", cut)


def packed(offers: Sequence[Piece], budget: int, **beside: Sequence[Piece]) -> Packed:
    """Pack with frames of 2 tokens and a token for each letter."""
    near = {int(name.removeprefix("c")): several for name, several in beside.items()}
    return pack(offers, near, budget=budget, frame=lambda _: 2, size=len)


def test_what_does_not_fit_is_passed_over() -> None:
    """The next that is short enough takes its place."""
    offers = [piece(1, "a", 0, 0, 5), piece(2, "b", 0, 1, 8), piece(3, "c", 0, 4, 6)]
    found = packed(offers, 11)
    assert [taken.chunk for taken in found.pieces] == [1, 3]
    assert found.costs == (7, 4)
    assert packed(offers, 6).pieces == (offers[2],)
    assert packed(offers, 3).pieces == ()


def test_an_equal_text_is_taken_once() -> None:
    """Of another document, too."""
    first, second = piece(1, "a", 0, 0, 5), piece(2, "b", 7, 0, 5)
    assert packed([first, second, first], 100).pieces == (first,)


def test_what_goes_on_shares_its_frame_and_what_it_repeats_is_free() -> None:
    """After, before, and between two that are there."""
    left, right = piece(1, "a", 0, 0, 6), piece(3, "a", 2, 10, 16)
    middle = piece(2, "a", 1, 4, 12)
    assert packed([left, middle], 100).costs == (8, 6)
    assert packed([right, middle], 100).costs == (8, 6)
    # Four new letters, and one frame less than before.
    assert packed([left, right, middle], 100).costs == (8, 8, 2)
    assert packed([left, right, middle], 18).pieces == (left, right, middle)


def test_neighbours_come_after_all_hits() -> None:
    """And only beside those that were taken."""
    hits = [piece(2, "a", 1, 4, 8), piece(9, "b", 4, 0, 20), piece(5, "c", 0, 8, 10)]
    before, after = piece(1, "a", 0, 0, 4), piece(3, "a", 2, 8, 14)
    found = packed(hits, 14, c2=[before, after], c9=[piece(10, "b", 5, 20, 21)])
    assert [taken.chunk for taken in found.pieces] == [2, 5, 1]
    assert sum(found.costs) == 14


def test_adjacent_and_overlapping_pieces_are_joined() -> None:
    """In one document; a piece whose end was cut off is followed by nothing."""
    a, b, c = piece(1, "a", 0, 0, 6), piece(2, "a", 1, 4, 12), piece(3, "a", 2, 13, 16)
    d, e = piece(5, "a", 4, 18, 20), piece(6, "b", 5, 20, 22)
    assert joined([e, c, d, a, b]) == [(a, b, c), (d,), (e,)]
    cut = piece(1, "a", 0, 0, 3, cut=True)
    assert joined([b, cut]) == [(cut,), (b,)]
    assert joined([]) == []


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, []), (1, [1]), (2, [1, 2]), (3, [1, 3, 2]), (6, [1, 3, 5, 6, 4, 2])],
)
def test_the_best_stand_at_both_ends(count: int, expected: list[int]) -> None:
    """The first first, the second last, the weakest in the middle."""
    runs = [(piece(number, str(number), 0, 0, 1),) for number in range(1, count + 1)]
    assert [run[0].chunk for run in arranged(runs, "edges")] == expected
    assert arranged(runs, "rank") == runs


def test_documents_stay_together() -> None:
    """By the best passage of each, and inside by place."""
    runs = [
        (piece(1, "b", 4, 9, 12),),
        (piece(2, "a", 0, 0, 3),),
        (piece(3, "b", 0, 0, 3),),
        (piece(4, "a", 7, 9, 12),),
    ]
    assert [run[0].chunk for run in arranged(runs, "document")] == [3, 1, 2, 4]


@pytest.mark.parametrize("limit", [0, 1, 2, 63, 64, 65, 99, 100, 500])
def test_the_longest_beginning_is_found(limit: int) -> None:
    """Whatever the limit, with few questions."""
    asked = []

    def fits(length: int) -> bool:
        asked.append(length)
        return length <= limit

    assert longest_fit(100, fits) == min(limit, 100)
    assert len(asked) < 20
