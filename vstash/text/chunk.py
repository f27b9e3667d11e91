"""Cutting a text into chunks: by structure first, then by size."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from vstash.text.blocks import split_blocks
from vstash.text.boundaries import Kind, first_start, last_cut
from vstash.text.sections import Region, merge_sections

__all__ = ["Offsets", "Span", "chunk", "header", "passage"]

Offsets = Callable[[str], list[tuple[int, int]]]

_PIECE_CHARS: Final = 50_000
_CHARS_PER_TOKEN: Final = 20
_SHRINKS: Final = 4
_NONSPACE = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Span:
    """Where a chunk lies in its text.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last character.
        heading: Headings it stands under, outermost first; that which it opens with included.
        tokens: Length of ``text[start:end]`` in the model's tokens.
    """

    start: int
    end: int
    heading: tuple[str, ...]
    tokens: int


def chunk(
    text: str, *, media_type: str, offsets: Offsets, max_tokens: int, overlap: int
) -> list[Span]:
    """Cut a text into chunks that together hold all of it.

    Args:
        text: Any text.
        media_type: Tells which structure to look for; an unknown one means plain text.
        offsets: The model's tokenizer: start and end of each token of the text it is given.
        max_tokens: Most tokens in a chunk, at least 1. A chunk also ends after 20 times as many
            characters, since a tokenizer may call an endless word one unknown token.
        overlap: Most tokens of a chunk's end that the next one repeats where a block was cut;
            more than half of ``max_tokens`` counts as half.

    Returns:
        Spans by ascending start, without whitespace at their ends; empty for a blank text.

    Example:
        >>> words = lambda text: [m.span() for m in re.finditer(r"[^ ]+", text)]
        >>> chunk("a b. C d", media_type="text/plain", offsets=words, max_tokens=3, overlap=0)
        [Span(start=0, end=4, heading=(), tokens=2), Span(start=5, end=8, heading=(), tokens=2)]
    """
    ruler = _Ruler(text, offsets, max_tokens)
    regions = merge_sections(split_blocks(text, media_type), len(text), ruler.fits)
    cutter = _Cutter(ruler, min(overlap, max_tokens // 2))
    return [span for region in regions for span in cutter.spans(region)]


def header(title: str, heading: tuple[str, ...]) -> str:
    r"""What stands in front of a chunk's text when it is embedded.

    Args:
        title: Of the document.
        heading: Of the chunk; parts equal to the title are left out.

    Returns:
        The title and the headings, each on a line of its own where there is one.

    Example:
        >>> header("Guide", ("Guide", "Install", "Linux"))
        'Guide\nInstall > Linux'
    """
    shown = title.strip()
    parts = [part.strip() for part in heading]
    path = " > ".join(part for part in parts if part and part != shown)
    return "\n".join(line for line in (shown, path) if line)


def passage(title: str, heading: tuple[str, ...], body: str) -> str:
    r"""A chunk as it is embedded: title, headings, text.

    Args:
        title: Of the document.
        heading: Of the chunk.
        body: The chunk's text.

    Returns:
        The parts that are not empty, separated by line feeds.

    Example:
        >>> passage("Notes", ("Ports",), "Port is 8090")
        'Notes\nPorts\nPort is 8090'
    """
    return "\n".join(part for part in (header(title, heading), body) if part)


class _Ruler:
    """Counts tokens: fast by the offsets of the whole text, exactly for one slice."""

    def __init__(self, text: str, offsets: Offsets, max_tokens: int) -> None:
        self.text = text
        self.max_tokens = max_tokens
        self.max_chars = max_tokens * _CHARS_PER_TOKEN
        self._offsets = offsets
        self._known: dict[tuple[int, int], list[int]] = {}
        starts: list[int] = []
        for first, last in _pieces(text):
            found = [first + start for start, _ in offsets(text[first:last])]
            self._known[first, last] = found
            starts.extend(found)
        # Sorted already, unless a tokenizer gives tokens without a place (0, 0).
        self.starts = sorted(starts)

    def fits(self, start: int, end: int) -> bool:
        """Whether a part is small enough for one chunk, as far as the whole text's tokens tell."""
        count = bisect_left(self.starts, end) - bisect_left(self.starts, start)
        return count <= self.max_tokens and end - start <= self.max_chars

    def reach(self, start: int, end: int) -> int:
        """How far a chunk that starts here may go, at most to ``end``."""
        index = bisect_left(self.starts, start) + self.max_tokens
        stop = self.starts[index] if index < len(self.starts) else end
        return max(start + 1, min(stop, end, start + self.max_chars))

    def middle(self, start: int, stop: int) -> int:
        """The offset at which half of the tokens of a part are behind."""
        first, last = bisect_left(self.starts, start), bisect_left(self.starts, stop)
        return self.starts[(first + last) // 2] if last - first > 1 else (start + stop) // 2

    def measure(self, start: int, end: int) -> list[int]:
        """Start offsets of the tokens of a slice on its own, which can differ from the whole's."""
        known = self._known.get((start, end))
        if known is not None:
            return known
        return [start + first for first, _ in self._offsets(self.text[start:end])]

    def trimmed(self, start: int, end: int) -> tuple[int, int]:
        """A part without whitespace at its ends; of length 0 when nothing else is in it."""
        match = _NONSPACE.search(self.text, start, end)
        if match is None:
            return end, end
        # No slice and no `rstrip`: copying all the rest of a text for each chunk was most of the time.
        while self.text[end - 1].isspace():
            end -= 1
        return match.start(), end


class _Cutter:
    """Cuts regions into spans."""

    def __init__(self, ruler: _Ruler, overlap: int) -> None:
        self._ruler = ruler
        self._text = ruler.text
        self._overlap = overlap

    def spans(self, region: Region) -> Iterator[Span]:
        """The chunks of one region, in order."""
        ruler = self._ruler
        position, end = ruler.trimmed(region.start, region.end)
        start = position
        while position < end:
            stop = ruler.reach(start, end)
            within = False
            if stop <= position:
                start = position  # what is repeated leaves no room
                continue
            if stop < end:
                stop, within = self._stop(region, start, position, stop)
            start, stop, tokens, shrunk = self._checked(region, start, position, stop)
            yield Span(start, ruler.trimmed(start, stop)[1], region.heading, tokens)
            position = ruler.trimmed(stop, end)[0]
            repeated = self._repeated(region, start, stop) if within or shrunk else None
            start = position if repeated is None else repeated

    def _stop(self, region: Region, start: int, position: int, stop: int) -> tuple[int, bool]:
        """Where a chunk that cannot reach the region's end stops, and whether that is in a block."""
        middle = max(position, self._ruler.middle(start, stop))
        boundary, following = _block_start(region, position, stop)
        if boundary is not None and (boundary >= middle or self._ruler.fits(boundary, following)):
            return boundary, False
        cut = last_cut(self._text, middle, stop, _kind_at(region, stop - 1))
        return (stop if cut is None else cut), True

    def _checked(
        self, region: Region, start: int, position: int, stop: int
    ) -> tuple[int, int, int, bool]:
        """Make sure of a chunk's size by its own tokens, and shrink it where that is needed."""
        for attempt in count():
            first, last = self._ruler.trimmed(start, stop)
            tokens = self._ruler.measure(first, last)
            if len(tokens) <= self._ruler.max_tokens or last - first <= 1:
                break
            if start < position:
                start = position  # without the repeated part first
                continue
            limit = min(max(tokens[self._ruler.max_tokens], first + 1), last - 1)
            if attempt > _SHRINKS:
                limit = (first + last) // 2
            cut = last_cut(self._text, (first + limit) // 2, limit, _kind_at(region, limit - 1))
            stop = limit if cut is None else cut
        return first, stop, len(tokens), attempt > 0

    def _repeated(self, region: Region, start: int, stop: int) -> int | None:
        """Where the next chunk starts, so that it repeats the end of this one."""
        starts = self._ruler.starts
        index = bisect_left(starts, stop) - self._overlap
        if self._overlap < 1 or not starts:
            return None
        low = max(starts[max(0, index)], start + 1, stop - self._ruler.max_chars // 2)
        found = first_start(self._text, low, stop, _kind_at(region, stop - 1))
        if found is None:
            return None
        found = self._ruler.trimmed(found, stop)[0]
        return found if found < stop else None


def _block_start(region: Region, position: int, stop: int) -> tuple[int | None, int]:
    """The last block that starts in (position, stop] and may be parted from the one before it.

    Returns:
        Its start and its end; None where there is none.
    """
    blocks = region.blocks
    index = bisect_right(blocks, stop, key=lambda block: block.start) - 1
    while index > 0 and blocks[index].start > position:
        if not blocks[index - 1].level:
            following = blocks[index + 1].start if index + 1 < len(blocks) else region.end
            return blocks[index].start, following
        index -= 1
    return None, region.end


def _kind_at(region: Region, offset: int) -> Kind:
    index = bisect_right(region.blocks, offset, key=lambda block: block.start) - 1
    return region.blocks[max(0, index)].kind if region.blocks else "prose"


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Parts to be given to the tokenizer at once: not blank, up to 50,000 characters.

    Cut between lines, else between words, so that their tokens are those of the whole.
    """
    start = 0
    while start < len(text):
        end = start + _PIECE_CHARS
        if end < len(text):
            half = start + _PIECE_CHARS // 2
            cut = max(text.rfind("\n", half, end), -1)
            cut = cut if cut >= 0 else text.rfind(" ", half, end)
            end = cut + 1 if cut >= 0 else end
        piece = text[start:end]
        first = start + len(piece) - len(piece.lstrip())
        last = start + len(piece.rstrip())
        if first < last:
            yield first, last
        start = end
