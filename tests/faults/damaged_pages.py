"""Ways to damage a copy of a file, and what of it is in use."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from vstash.store.raw_pages import INDEX, TABLE, RawFile, Wrong

PAGE: Final = 8192
_SLOTS: Final = 1024
# Of the first 100 bytes what means something, without counters that grow by themselves, and hints.
_MEANT: Final = ((0, 24), (28, 40), (44, 48), (52, 72))
UNTOLD: Final = {
    # What nothing else in the file tells: logged searches, triples, verdicts, when a step was applied, counters.
    *("ntitttttifttffi", "niiitt", "niiiti", "ntti", "ti"),
    # Bookkeeping of FTS5 and sqlite-vec, digests of passages, the last bits of vectors.
    *("nbi", "ibi", "nb", "nibb"),
}
"""By shape of its rows or entries what a check need not find changed: no text depends on it."""


def flipped(base: Path, path: Path, rng: random.Random) -> None:
    """Some bytes changed, anywhere but in the first page half the time."""
    broken = bytearray((base / "whole.db").read_bytes())
    first = rng.choice((0, PAGE))
    for _ in range(rng.choice((1, 8, 64))):
        broken[rng.randrange(first, len(broken))] ^= rng.randrange(1, 256)
    path.write_bytes(broken)


def one_bit(base: Path, path: Path, rng: random.Random) -> None:
    """A single bit flipped."""
    broken = bytearray((base / "whole.db").read_bytes())
    broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
    path.write_bytes(broken)


def zeroed(base: Path, path: Path, rng: random.Random) -> None:
    """One page lost, the first too."""
    broken = bytearray((base / "whole.db").read_bytes())
    page = rng.randrange(len(broken) // PAGE) * PAGE
    broken[page : page + PAGE] = bytes(PAGE)
    path.write_bytes(broken)


def truncated(base: Path, path: Path, rng: random.Random) -> None:
    """The end cut off."""
    whole = (base / "whole.db").read_bytes()
    path.write_bytes(whole[: rng.choice((100, PAGE, rng.randrange(len(whole)), len(whole) - PAGE))])


def swapped(base: Path, path: Path, rng: random.Random) -> None:
    """Two pages in each other's place."""
    broken = bytearray((base / "whole.db").read_bytes())
    one, other = (page * PAGE for page in rng.sample(range(len(broken) // PAGE), 2))
    held = broken[one : one + PAGE]
    broken[one : one + PAGE] = broken[other : other + PAGE]
    broken[other : other + PAGE] = held
    path.write_bytes(broken)


def stale(base: Path, path: Path, rng: random.Random) -> None:
    """A page as it was some writes ago."""
    broken, old = bytearray((base / "whole.db").read_bytes()), (base / "older.db").read_bytes()
    changed = [
        page
        for page in range(0, min(len(broken), len(old)), PAGE)
        if broken[page : page + PAGE] != old[page : page + PAGE]
    ]
    page = rng.choice(changed)
    broken[page : page + PAGE] = old[page : page + PAGE]
    path.write_bytes(broken)


def foreign_page(base: Path, path: Path, rng: random.Random) -> None:
    """A page of another vstash file."""
    broken, other = bytearray((base / "whole.db").read_bytes()), (base / "other.db").read_bytes()
    page = rng.randrange(min(len(broken), len(other)) // PAGE) * PAGE
    broken[page : page + PAGE] = other[page : page + PAGE]
    path.write_bytes(broken)


def foreign(base: Path, path: Path, rng: random.Random) -> None:
    """Not a vstash file at all: another program's database, nothing, text, a folder."""
    kind = rng.randrange(4)
    if kind == 0:
        path.write_bytes((base / "foreign.db").read_bytes())
    elif kind == 1:
        path.write_bytes(b"")
    elif kind == 2:
        path.write_text("a text, not a database\n" * rng.randrange(1, 2000), encoding="utf-8")
    else:
        path.mkdir()


def _with_log(base: Path, path: Path, log: bytes, shared: bytes | None = None) -> None:
    path.write_bytes((base / "logged.db").read_bytes())
    path.with_name(path.name + "-wal").write_bytes(log)
    if shared is not None:
        path.with_name(path.name + "-shm").write_bytes(shared)


def log_cut(base: Path, path: Path, rng: random.Random) -> None:
    """A write-ahead log that ends in its middle."""
    log = (base / "logged.db-wal").read_bytes()
    _with_log(base, path, log[: rng.randrange(len(log))])


def log_flipped(base: Path, path: Path, rng: random.Random) -> None:
    """A write-ahead log with a changed byte."""
    log = bytearray((base / "logged.db-wal").read_bytes())
    log[rng.randrange(len(log))] ^= rng.randrange(1, 256)
    _with_log(base, path, bytes(log))


def log_lost(base: Path, path: Path, _rng: random.Random) -> None:
    """A file that was copied while it was open, without its write-ahead log."""
    path.write_bytes((base / "logged.db").read_bytes())


def log_of_another(base: Path, path: Path, _rng: random.Random) -> None:
    """The write-ahead log of another file."""
    path.write_bytes((base / "whole.db").read_bytes())
    path.with_name(path.name + "-wal").write_bytes((base / "strange.db-wal").read_bytes())


def shared_garbage(base: Path, path: Path, rng: random.Random) -> None:
    """Noise for the index of the write-ahead log."""
    _with_log(base, path, (base / "logged.db-wal").read_bytes(), rng.randbytes(32_768))


def whole(base: Path, path: Path, _rng: random.Random) -> None:
    """The control: nothing wrong."""
    path.write_bytes((base / "whole.db").read_bytes())


KINDS: Final[dict[str, Callable[[Path, Path, random.Random], None]]] = {
    "flipped": flipped,
    "one_bit": one_bit,
    "zeroed": zeroed,
    "truncated": truncated,
    "swapped": swapped,
    "stale": stale,
    "foreign_page": foreign_page,
    "foreign": foreign,
    "log_cut": log_cut,
    "log_flipped": log_flipped,
    "log_lost": log_lost,
    "log_of_another": log_of_another,
    "shared_garbage": shared_garbage,
}
PAGES: Final = {"flipped", "one_bit", "zeroed", "truncated", "swapped", "stale", "foreign_page"}
"""Those that leave one file of pages to compare with the original."""


def in_use(path: Path) -> Counter[tuple[str, object]]:
    """What a file holds, cell by cell with the shape of each, read without SQLite."""
    held: Counter[tuple[str, object]] = Counter()
    with closing(RawFile(path, log=False)) as raw:
        first = raw.page(1)
        held.update(("header", (start, first[start:end])) for start, end in _MEANT)
        for page in range(1, raw.page_count + 1):
            data = raw.page(page)[100 if page == 1 else 0 :]
            # Inner pages: where their parts lie.
            if data[0] in {2, 5}:
                held["inner", (page, bytes(data[:12]), tuple(_keys(raw.page(page), data)))] += 1
            for cell in raw.cells(page, (*TABLE, *INDEX)):
                value: object = "unreadable"
                with suppress(Wrong):
                    value = tuple(raw.values(cell))
                held[cell.shape, (page, cell.rowid, value)] += 1
    return _without_free_slots(held)


def _without_free_slots(held: Counter[tuple[str, object]]) -> Counter[tuple[str, object]]:
    """Of sqlite-vec's blocks of codes only the slots that hold one."""
    used = {value[2][2:] for shape, value in held if shape == "nnii" and len(value[2]) == 4}  # type: ignore[index]
    found: Counter[tuple[str, object]] = Counter()
    for (shape, value), count in held.items():
        if shape == "ib" and value[1] and value[2] != "unreadable":  # type: ignore[index]
            chunk, blob = value[2]  # type: ignore[index]
            size = len(blob) // _SLOTS
            slots = tuple(
                blob[at * size : at * size + size] for part, at in sorted(used) if part == chunk
            )
            found[shape, (value[:2], chunk, slots)] += count  # type: ignore[index]
        else:
            found[shape, value] += count
    return found


def _keys(page: bytes, data: bytes) -> list[bytes]:
    count = int.from_bytes(data[3:5], "big")
    places = [int.from_bytes(data[12 + 2 * n : 14 + 2 * n], "big") for n in range(count)]
    return [bytes(page[place : place + (4 if data[0] == 2 else 5)]) for place in places]
