"""Codes in memory: a scan over every vector of a file in milliseconds.

Three steps, each over fewer chunks with more bits: a count of differing signs over all, in which the
query's largest components weigh three times as much; two bits a component against six bits of the
query; and exact cosines, which `vectors` reads until its first hits are sure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.store.codes import Codes, joined, runs
from vstash.store.faults import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray, IdArray

__all__ = ["CodeTable", "Estimates", "nearest", "refreshed"]

# Signs of a shard and what is counted of them stay in the second-level cache of one core.
_SHARD: Final = 32_768
# How many survive the count of signs, for each root of a chunk. Over real passages with the shipped
# model, where near-duplicates abound, the true first 10 are among them to .997 of 10,000 (800
# survivors) and to .998 of 60,000 (1,960).
_BY_SIGNS: Final = 8
# Three times as many survive where one of the best 10 by two bits lies in the lower half by signs: .988
# of the true first 10 became .991 on vectors of random directions, at the price of a second look for
# one query in twelve; on the passages above it concerns one in fifty.
_DEEP: Final = 0.5
_MORE: Final = 3
_SURE: Final = 10
# The share of the query's components that count three times. Measured at .4 and .5: .9967, .9961.
_LARGE: Final = 0.4
_LARGE_WEIGHT: Final = 3
# Bits of the query in the second step: with 6, the true first 10 are as often in the first 100 as
# with a float query (.995); with 4, .987.
_QUERY_BITS: Final = 6
# From here the threshold comes from a sample.
_SAMPLED_FROM: Final = 16_384
# Codes of chunks that are gone are passed over; beyond this share the table is read again.
_REFILL: Final = 1.25
_BYTE: Final = 255
# Sums over as many words of 64 components by 63 steps fit 16 bits.
_NARROW_WORDS: Final = 16


@dataclass(frozen=True, slots=True)
class CodeTable:
    """The codes of a model's vectors at one state of the file.

    Attributes:
        counter: The file's change counter at that state.
        last: The highest chunk id in it.
        count: Number of codes, those of chunks that are gone since included.
        shards: Full ones first; later ones are small and few.
    """

    counter: int
    last: int
    count: int
    shards: tuple[Codes, ...]


@dataclass(frozen=True, slots=True)
class Estimates:
    """Chunks that may be the nearest, best first: ids and estimated cosines, shape (n,)."""

    ids: IdArray
    cosines: FloatArray


def refreshed(
    connection: apsw.Connection,
    model: int,
    kept: CodeTable | None,
    *,
    counter: int,
    vector_count: int,
    living: NDArray[np.bool_],
) -> CodeTable:
    """The codes at the state that a reader sees.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
        kept: An earlier table, None for none.
        counter: The file's change counter in this transaction.
        vector_count: Number of chunks that have a vector.
        living: By chunk id, whether there is a chunk; a table made afresh holds no others.

    Returns:
        ``kept`` where it is at least as new, else a new table that shares its full shards.
    """
    if kept is not None and kept.counter >= counter:
        return kept
    if kept is None or kept.count > _REFILL * max(vector_count, 1):
        every = [codes for codes, _ in runs(connection, model, -1)]
        return _with(counter, 0, (), [each.only(_allowed(living, each.ids)) for each in every])
    known: NDArray[np.bool_] | None = None
    fresh = []
    for codes, late in runs(connection, model, kept.counter):
        if late and known is None:
            known = np.zeros(kept.last + 1, dtype=np.bool_)
            for shard in kept.shards:
                known[shard.ids] = True
        new = codes.ids > kept.last
        if known is not None:
            new[~new] = ~known[codes.ids[~new]]
        fresh.append(codes if new.all() else codes.only(new))
    return _with(counter, kept.last, kept.shards, fresh)


def _with(counter: int, last: int, shards: tuple[Codes, ...], fresh: list[Codes]) -> CodeTable:
    fresh = [codes for codes in fresh if len(codes.ids)]
    if fresh:
        every = joined(fresh)
        last = max(last, int(every.ids.max()))
        for start in range(0, len(every.ids), _SHARD):
            shards = _appended(shards, every.only(slice(start, start + _SHARD)))
    return CodeTable(counter, last, sum(len(shard.ids) for shard in shards), shards)


def _appended(shards: tuple[Codes, ...], codes: Codes) -> tuple[Codes, ...]:
    """Add a shard, joining it with those before that are no larger: each code moves a few times."""
    kept = list(shards)
    while (
        kept
        and len(kept[-1].ids) <= len(codes.ids)
        and (len(kept[-1].ids) + len(codes.ids) <= _SHARD)
    ):
        codes = joined([kept.pop(), codes])
    return (*kept, codes)


def nearest(
    table: CodeTable,
    query: FloatArray,
    *,
    living: NDArray[np.bool_],
    masked: bool,
    least: int = 0,
) -> Estimates:
    """Chunks that may be the nearest by cosine, with estimates.

    Args:
        table: The codes.
        query: Shape (dimension,), float32.
        living: By chunk id, whether it may be returned; ids beyond its end may not.
        masked: Whether many may not, so that they must be left out before the cut.
        least: How many are wanted at least, as far as there are so many.

    Returns:
        Some ``8 * sqrt(number of codes)`` or more, or all where there are fewer.
    """
    if not table.shards:
        return Estimates(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
    words = -(-len(query) // 64)
    require(all(len(shard.high) == words for shard in table.shards))
    asked = _signs_of(query, words)
    estimates = [_by_signs(shard, asked) for shard in table.shards]
    wanted = max(int(_BY_SIGNS * math.sqrt(table.count)), least)
    while True:
        limit = _limit(table, estimates, wanted, living if masked else None)
        found, signs = _survivors(table, estimates, limit, living)
        cosines = _by_codes(found, query)
        order = np.lexsort((found.ids, -cosines))
        wanted *= _MORE
        if wanted >= table.count or not _deep(signs, order[:_SURE]):
            return Estimates(found.ids[order], cosines[order])


def _survivors(
    table: CodeTable, estimates: list[FloatArray], limit: float, living: NDArray[np.bool_]
) -> tuple[Codes, FloatArray]:
    """The codes that reach a limit by signs and may be returned, and what signs say of them."""
    parts, signs = [], []
    for shard, estimate in zip(table.shards, estimates, strict=True):
        chosen = np.flatnonzero(estimate >= limit)
        # Only of those that reach it is asked whether they may, not of all.
        chosen = chosen[_allowed(living, shard.ids[chosen])]
        parts.append(shard.only(chosen))
        signs.append(estimate[chosen])
    return joined(parts), np.concatenate(signs)


def _deep(signs: FloatArray, best: IdArray) -> bool:
    """Whether one of the best lay so deep among the survivors that more may lie beneath them."""
    if not len(best):
        return False
    return float((signs > signs[best].min()).mean()) > _DEEP


def _allowed(living: NDArray[np.bool_], ids: IdArray) -> NDArray[np.bool_]:
    inside = ids < len(living)
    if inside.all():
        return living[ids]
    allowed = np.zeros(len(ids), dtype=np.bool_)
    allowed[inside] = living[ids[inside]]
    return allowed


def _bits(components: NDArray[np.bool_], words: int) -> NDArray[np.uint64]:
    padded = np.zeros(64 * words, dtype=np.bool_)
    padded[: len(components)] = components
    return np.packbits(padded).view("<u8").astype(np.uint64, copy=False)


@dataclass(frozen=True, slots=True)
class _Signs:
    """A query's signs and where it is large, as bits of shape (words,); its weights' sum."""

    signs: NDArray[np.uint64]
    large: NDArray[np.uint64]
    total: np.float32
    narrow: bool


def _signs_of(query: FloatArray, words: int) -> _Signs:
    sizes = np.abs(query)
    count = int(_LARGE * len(query))
    large = np.zeros(len(query), dtype=np.bool_)
    large[np.argpartition(-sizes, count)[:count]] = True
    return _Signs(
        _bits(query > 0, words),
        _bits(large, words),
        np.float32(len(query) + (_LARGE_WEIGHT - 1) * count),
        narrow=count <= _BYTE,
    )


def _by_signs(shard: Codes, asked: _Signs) -> FloatArray:
    """Estimates from signs alone, in arbitrary units: shape (n,), float32."""
    count = len(shard.ids)
    kind = np.uint8 if asked.narrow else np.uint16
    every, large = np.zeros(count, dtype=np.uint16), np.zeros(count, dtype=kind)
    differing = np.empty(count, dtype=np.uint64)
    found = np.empty(count, dtype=np.uint8)
    for bits, signs, mask in zip(shard.high, asked.signs, asked.large, strict=True):
        np.bitwise_xor(bits, signs, out=differing)
        every += np.bitwise_count(differing, out=found)
        np.bitwise_and(differing, mask, out=differing)
        large += np.bitwise_count(differing, out=found)
    # What differs counts once, and where the query is large the rest of its weight as well.
    estimate = every.astype(np.float32)
    estimate += np.float32(_LARGE_WEIGHT - 1) * large
    np.subtract(asked.total, 2 * estimate, out=estimate)
    estimate *= shard.factors
    return estimate


def _limit(
    table: CodeTable,
    estimates: list[FloatArray],
    wanted: int,
    living: NDArray[np.bool_] | None,
) -> float:
    """An estimate that about ``wanted`` reach, or the lowest where there are fewer.

    Args:
        table: The codes.
        estimates: By signs, for each shard.
        wanted: At least 1.
        living: Counts only chunks that may be returned, by chunk id; None counts all.
    """
    step = max(1, table.count // _SAMPLED_FROM)
    parts = []
    for shard, estimate in zip(table.shards, estimates, strict=True):
        part = estimate[::step]
        parts.append(part if living is None else part[_allowed(living, shard.ids[::step])])
    sample = np.concatenate(parts)
    place = wanted // step
    if place >= len(sample):
        return -np.inf
    return float(np.partition(sample, len(sample) - place)[len(sample) - place])


def _by_codes(codes: Codes, query: FloatArray) -> FloatArray:
    """Estimated cosines from two bits a component and six bits of the query: shape (n,)."""
    steps = 2**_QUERY_BITS - 1
    largest = max(float(np.abs(query).max()), float(np.finfo(np.float32).tiny))
    unit = 2 * largest / steps
    numbers = np.rint((query + largest) / unit).astype(np.uint8)
    words = len(codes.high)
    planes = [_bits((numbers >> bit & 1).astype(np.bool_), words) for bit in range(_QUERY_BITS)]
    high, low = (_product(bits, planes, unit, largest) for bits in (codes.high, codes.low))
    estimate: FloatArray = 2 * high + low - np.float32(1.5 * float(query.sum()))
    estimate *= codes.factors
    return estimate


def _product(
    bits: NDArray[np.uint64], planes: list[NDArray[np.uint64]], unit: float, largest: float
) -> FloatArray:
    """Sums of the query's components where bits are set; it is its steps less its largest."""
    words, count = bits.shape
    kind = np.uint16 if words <= _NARROW_WORDS else np.uint32
    total = np.zeros((words, count), dtype=kind)
    for number, plane in enumerate(planes):
        common = np.bitwise_count(bits & plane[:, np.newaxis])
        total += np.left_shift(common, number, dtype=kind)
    summed = np.add.reduce(total, axis=0, dtype=kind).astype(np.float32)
    held = np.add.reduce(np.bitwise_count(bits).astype(kind), axis=0, dtype=kind)
    product: FloatArray = np.float32(unit) * summed - np.float32(largest) * held.astype(np.float32)
    return product
