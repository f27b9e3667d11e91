"""What there is to learn from, summed up before anything is trained."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from vstash.errors import QueryError
from vstash.learn.quality import Quality, quality, spread
from vstash.mining import Coverage, FalseNegatives, LearnReport, SampleTriple, TaughtSource
from vstash.pipeline.documents import living_texts, require_collection
from vstash.pipeline.prepare import checked_collection
from vstash.types import Triple

if TYPE_CHECKING:
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.record import Logged
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.store.taught import TaughtReader, TaughtRow
    from vstash.types import MaskReason, ModelInfo, TripleKind, TripleOrigin

__all__ = ["LearnReporting"]

_MOST_SAMPLES: Final = 100
_TEXT_CHARS: Final = 2_000

Looked = tuple["TaughtRow", Quality]


class LearnReporting:
    """Sums up triples.

    Args:
        store: The file.
        info: The file's model.
        recorder: Of the disagreement log.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        info: ModelInfo,
        recorder: Recorder[Logged],
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._clock = clock
        self._deviation = info.background_deviation
        self._recorder = recorder

    def report(self, *, collection: str | None, samples: int) -> LearnReport:
        """Sum up; see `Memory.learn_report`."""
        name = None if collection is None else checked_collection(collection)
        if isinstance(samples, bool) or not isinstance(samples, int):
            raise QueryError("samples is a whole number.", pointer="/samples")
        if not 0 <= samples <= _MOST_SAMPLES:
            raise QueryError(f"samples is 0 to {_MOST_SAMPLES}.", pointer="/samples")
        self._recorder.flush()
        with self._store.read() as reader:
            if name is not None:
                require_collection(reader, name)
            now = self._clock()
            taught = reader.taught(name, now=now)
            looked = [(row, self._quality(row)) for row in taught.triples()]
            looked.sort(key=lambda each: -each[1].worth)
            chosen = _spaced(looked, samples)
            masked = taught.masked()
            return LearnReport(
                collection=name,
                triples=_kinds(looked),
                sources=_sources(taught, looked),
                masked=_masked(masked),
                difficulty={
                    kind: found
                    for kind in _kinds(looked)
                    if (found := spread([each.margin for row, each in looked if row.kind == kind]))
                },
                evidence=spread([each.evidence for _, each in looked]),
                coverage=_coverage(taught, looked),
                false_negatives=_false_negatives(looked, masked),
                worth=_mean([each.worth for _, each in looked]),
                effective=round(math.fsum(each.worth for _, each in looked), 3),
                samples=_samples(reader, chosen, now),
            )

    def _quality(self, row: TaughtRow) -> Quality:
        return quality(
            row.kind,
            _origin(row.source),
            json.loads(row.evidence),
            said_of_positive=row.said_of_positive,
            said_of_negative=row.said_of_negative,
            deviation=self._deviation,
        )


def _origin(source: str) -> TripleOrigin:
    if source == "search":
        return "search"
    return "labelled" if source == "labelled" else "made"


def _mean(values: Sequence[float]) -> float | None:
    return round(math.fsum(values) / len(values), 6) if values else None


def _kinds(looked: Sequence[Looked]) -> dict[TripleKind, int]:
    return dict(sorted(Counter(row.kind for row, _ in looked).items()))


def _sources(taught: TaughtReader, looked: Sequence[Looked]) -> tuple[TaughtSource, ...]:
    by_source: dict[str, list[Looked]] = defaultdict(list)
    for each in looked:
        by_source[each[0].source].append(each)
    return tuple(
        TaughtSource(
            name=name,
            origin=_origin(name),
            queries=count,
            disagreement=round(mean, 6),
            triples=_kinds(by_source[name]),
            evidence=_mean([each.evidence for _, each in by_source[name]]),
            worth=_mean([each.worth for _, each in by_source[name]]),
        )
        for name, count, mean in taught.queries()
    )


def _masked(found: dict[tuple[str, MaskReason], int]) -> dict[MaskReason, int]:
    total: Counter[MaskReason] = Counter()
    for (_, reason), count in found.items():
        total[reason] += count
    return dict(sorted(total.items()))


def _coverage(taught: TaughtReader, looked: Sequence[Looked]) -> Coverage:
    documents, chunks = taught.size()
    return Coverage(
        documents=documents,
        documents_covered=len({row.document for row, _ in looked}),
        chunks=chunks,
        chunks_covered=len({row.positive for row, _ in looked}),
    )


def _false_negatives(
    looked: Sequence[Looked], masked: dict[tuple[str, MaskReason], int]
) -> FalseNegatives:
    """What was said of negatives: by judgements, before these hid any, and by feedback."""
    said = [
        row.said_of_negative for row, _ in looked if row.said_of_negative not in {None, "opened"}
    ]
    hidden = masked.get(("labelled", "judged"), 0)
    false = hidden + sum(verdict != "not_helpful" for verdict in said)
    judged = hidden + len(said) + sum(row.source == "labelled" for row, _ in looked)
    estimated = _mean([each.false for _, each in looked])
    return FalseNegatives(estimated, round(false / judged, 6) if judged else None, judged)


def _spaced(looked: Sequence[Looked], count: int) -> list[Looked]:
    """So many, evenly spaced from the first to the last."""
    if count >= len(looked):
        return list(looked)
    last = max(count - 1, 1)
    return [looked[round(at * (len(looked) - 1) / last)] for at in range(count)]


def _samples(reader: Reader, chosen: Sequence[Looked], now: int) -> tuple[SampleTriple, ...]:
    wanted = {chunk for row, _ in chosen for chunk in (row.positive, row.negative)}
    texts = {chunk: text[:_TEXT_CHARS] for chunk, text in living_texts(reader, wanted, now).items()}
    return tuple(
        SampleTriple(
            Triple(
                row.query,
                row.positive,
                row.negative,
                row.kind,
                json.loads(row.evidence),
                texts.get(row.positive),
                texts.get(row.negative),
                _origin(row.source),
            ),
            row.source,
            round(each.evidence, 6),
            round(each.gradient, 6),
        )
        for row, each in chosen
    )
