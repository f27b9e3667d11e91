"""Sections and their merging."""

from __future__ import annotations

from vstash.text.blocks import split_blocks
from vstash.text.sections import merge_sections


def _regions(text: str, limit: int) -> list[tuple[str, tuple[str, ...]]]:
    blocks = split_blocks(text, "text/markdown")
    found = merge_sections(blocks, len(text), lambda start, end: end - start <= limit)
    assert [r.end for r in found[:-1]] == [r.start for r in found[1:]]
    assert (found[0].start, found[-1].end) == (0, len(text))
    assert [b for r in found for b in r.blocks] == blocks
    return [(text[r.start : r.end], r.heading) for r in found]


def test_a_text_that_fits_stays_whole() -> None:
    """All of a small document is one region under what its sections share."""
    text = "# A\nx\n## B\ny\n## C\nz\n"
    assert _regions(text, 100) == [(text, ("A",))]
    text = "# A\nx\n# B\ny\n"
    assert _regions(text, 100) == [(text, ())]


def test_neighbours_under_one_parent_are_merged_while_they_fit() -> None:
    """Small siblings share a region; one that is too much starts the next."""
    assert _regions("# A\n## B\n1111\n## C\n2222\n## D\n3333\n", 26) == [
        ("# A\n## B\n1111\n## C\n2222\n", ("A",)),
        ("## D\n3333\n", ("A", "D")),
    ]


def test_a_section_goes_with_all_below_it_or_alone() -> None:
    """Sections of different parents are not merged unless both are whole."""
    text = "# A\n## B\n1111\n## C\n2222\n# D\n3\n"
    assert _regions(text, 14) == [
        ("# A\n## B\n1111\n", ("A", "B")),
        ("## C\n2222\n", ("A", "C")),
        ("# D\n3\n", ("D",)),
    ]


def test_a_heading_without_text_goes_with_what_follows() -> None:
    """No region is only a heading that has sections below it."""
    text = "# A\n\n## B\n\n### C\n" + "1" * 50 + "\n## D\n" + "2" * 50
    assert _regions(text, 20) == [
        (text[: text.index("## D")], ("A", "B", "C")),
        (text[text.index("## D") :], ("A", "D")),
    ]


def test_a_big_section_is_not_merged() -> None:
    """A section above the limit is a region of its own, whatever stands beside it."""
    big = "# B\n" + "x" * 50 + "\n"
    assert _regions("# A\n1\n" + big + "# C\n2\n", 20) == [
        ("# A\n1\n", ("A",)),
        (big, ("B",)),
        ("# C\n2\n", ("C",)),
    ]


def test_levels_may_be_left_out() -> None:
    """A heading two levels down stands under the last one above it; an empty one adds no name."""
    text = "### X\n1\n# A\n2\n### B\n3\n##\n4\n"
    assert [heading for _, heading in _regions(text, 8)] == [("X",), ("A",), ("A", "B"), ("A",)]
