"""From blocks to regions: sections, and small neighbouring sections merged."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vstash.text.blocks import Block

__all__ = ["Region", "merge_sections"]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a text under one heading path; chunks never reach over its ends.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last character.
        heading: Headings that all of it stands under, outermost first, its own included.
        blocks: The blocks that start in it.
    """

    start: int
    end: int
    heading: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(slots=True)
class _Section:
    """A heading with what stands directly under it.

    Attributes:
        depth: Number of headings above, itself included.
        bare: It holds its heading only.
        after: Index of the first later section that is not below this one.
    """

    path: tuple[str, ...]
    depth: int
    start: int
    end: int
    bare: bool = False
    after: int = 0


def merge_sections(
    blocks: Sequence[Block], length: int, fits: Callable[[int, int], bool]
) -> list[Region]:
    """Group blocks into sections, and neighbouring sections under one parent while they fit.

    A section that fits with everything below it stays whole. A heading without text of its own
    goes with the first section below it.

    Args:
        blocks: As `split_blocks` gives them.
        length: Of the text, in characters.
        fits: Whether the text between two offsets is small enough for one chunk.

    Returns:
        Regions in order, which together are the whole text.

    Example:
        >>> parts = [Block(0, "prose", 1, "A"), Block(4, "prose"), Block(9, "prose", 2, "B")]
        >>> [(r.start, r.end, r.heading) for r in merge_sections(parts, 20, lambda a, b: b - a < 12)]
        [(0, 9, ('A',)), (9, 20, ('A', 'B'))]
    """
    sections = _sections(blocks, length)
    starts = [block.start for block in blocks]
    found: list[Region] = []
    for start, first, last in _groups(sections, 0, _children(sections, 0, len(sections)), fits):
        end = sections[last - 1].end
        inside = blocks[bisect_left(starts, start) : bisect_left(starts, end)]
        found.append(Region(start, end, _common(sections[first:last]), tuple(inside)))
    return found


def _sections(blocks: Sequence[Block], length: int) -> list[_Section]:
    found: list[_Section] = []
    above: list[Block] = []
    for block in blocks:
        if block.level:
            while above and above[-1].level >= block.level:
                above.pop()
            above.append(block)
            path = tuple(heading.title for heading in above if heading.title)
            found.append(_Section(path, len(above), block.start, length, bare=True))
        elif found:
            found[-1].bare = False
        else:
            found.append(_Section((), 1, block.start, length))
    open_sections: list[_Section] = []
    for index, section in enumerate(found):
        if index:
            found[index - 1].end = section.start
        while open_sections and open_sections[-1].depth >= section.depth:
            open_sections.pop().after = index
        open_sections.append(section)
    for section in open_sections:
        section.after = len(found)
    return found


def _children(sections: Sequence[_Section], first: int, last: int) -> list[tuple[int, int]]:
    """The sections of a range that are below no other of it, each with all below it."""
    units = []
    while first < last:
        units.append((first, sections[first].after))
        first = sections[first].after
    return units


def _groups(
    sections: Sequence[_Section],
    start: int,
    units: Sequence[tuple[int, int]],
    fits: Callable[[int, int], bool],
) -> Iterator[tuple[int, int, int]]:
    """Merge neighbouring units while they fit; a unit that does not fit is taken apart.

    Yields:
        Start offset, first section, and the one after the last. The recursion is as deep as
        headings are nested: 6 levels in Markdown, below 64 in reStructuredText.
    """
    pending: tuple[int, int, int] | None = None
    for first, last in units:
        end = sections[last - 1].end
        if pending is not None and fits(pending[0], end):
            pending = (pending[0], pending[1], last)
            continue
        if pending is not None:
            yield pending
            start = sections[first].start
        pending = None
        if last == first + 1 or fits(start, end):
            pending = (start, first, last)
            continue
        below = _children(sections, first + 1, last)
        own = [] if sections[first].bare else [(first, first + 1)]
        yield from _groups(sections, start, own + below, fits)
        start = end
    if pending is not None:
        yield pending


def _common(sections: Sequence[_Section]) -> tuple[str, ...]:
    path = sections[0].path
    for section in sections[1:]:
        same = 0
        while same < min(len(path), len(section.path)) and path[same] == section.path[same]:
            same += 1
        path = path[:same]
    return path
