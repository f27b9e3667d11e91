"""Whether a trained model is better: on held-out examples, and on a fixed set of general questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.embed.protocol import Embedder
from vstash.evaluation.bootstrap import Interval
from vstash.learn.general import general_questions
from vstash.resampling import resampled_means
from vstash.training.examples import Example, Passage
from vstash.training.reports import Measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray

__all__ = ["Judged", "background", "compared", "general_set", "held_out_set"]

_RESAMPLES: Final = 10_000
_TAILS: Final = (2.5, 97.5)
_CUT: Final = 10
_BATCH: Final = 32
_SAMPLED_QUERIES, _SAMPLED_PASSAGES = 100, 200


@dataclass(frozen=True, slots=True)
class Judged:
    """Queries, passages, and for each query the documents that answer it."""

    queries: tuple[str, ...]
    answers: tuple[frozenset[str], ...]
    passages: tuple[Passage, ...]


def general_set() -> Judged:
    """The general questions, each with its answer among those of all."""
    questions = general_questions()
    return Judged(
        tuple(each.query for each in questions),
        tuple(frozenset({each.passage}) for each in questions),
        tuple(Passage(each.passage, each.passage) for each in questions),
    )


def held_out_set(
    held_out: Sequence[Example], others: Sequence[Example], *, most: int, seed: int
) -> Judged:
    """The held-out queries, and passages to search: theirs, and some of the other examples.

    Args:
        held_out: Each with a positive.
        others: What the model learns from.
        most: Passages in all, unless those of the held-out ones are more.
        seed: Which of the others.
    """
    answers: dict[str, set[str]] = {}
    passages: dict[str, Passage] = {}
    for example in held_out:
        if example.positive is not None:
            answers.setdefault(example.query, set()).add(example.positive.document)
            for each in (example.positive, *example.negatives):
                passages.setdefault(each.text, each)
    rest = {
        each.text: each
        for example in (*held_out, *others)
        for each in (*example.negatives, *example.listed)
        if each.text not in passages
    }
    drawn = np.random.default_rng(seed).permutation(sorted(rest)).tolist()
    for text in drawn[: max(most - len(passages), 0)]:
        passages[text] = rest[text]
    return Judged(tuple(answers), tuple(map(frozenset, answers.values())), tuple(passages.values()))


def compared(
    judged: Judged,
    base: Embedder,
    tuned: Embedder,
    *,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Measured]:
    """nDCG@10 and MRR@10 of two models over the same passages, the best passage standing for its document.

    Args:
        judged: Queries and passages.
        base: The model before.
        tuned: The model after.
        seed: Of the bootstrap.
        progress: Called with texts embedded by either model.
    """
    before, after = (_metrics(judged, model, progress) for model in (base, tuned))
    found = {}
    for name, values in before.items():
        pairs = np.stack([values, after[name]], axis=1)
        means = resampled_means(np.diff(pairs, axis=1), resamples=_RESAMPLES, seed=seed)
        low, high = np.percentile(means[:, 0], _TAILS)
        mean = float(pairs[:, 1].mean() - pairs[:, 0].mean())
        found[name] = Measured(
            float(pairs[:, 0].mean()),
            float(pairs[:, 1].mean()),
            Interval(mean, float(low), float(high)),
            len(pairs),
        )
    return found


def background(model: Embedder, judged: Judged, *, seed: int) -> tuple[float, float]:
    """Mean and standard deviation of a query's cosines with passages, as a mean over queries.

    Args:
        model: Whose.
        judged: Queries and passages, some of which are drawn; hardly any answers the query it meets.
        seed: Which.
    """
    generator = np.random.default_rng(seed)
    drawn = [
        [texts[place] for place in generator.permutation(len(texts))[:most].tolist()]
        for texts, most in (
            (judged.queries, _SAMPLED_QUERIES),
            (tuple(each.text for each in judged.passages), _SAMPLED_PASSAGES),
        )
    ]
    cosines = model.embed_queries(drawn[0]) @ model.embed_passages(drawn[1]).T
    return float(cosines.mean()), float(cosines.std(axis=1).mean())


def _metrics(
    judged: Judged, model: Embedder, progress: Callable[[int], None] | None
) -> Mapping[str, NDArray[np.float64]]:
    queries = _embedded(model.embed_queries, judged.queries, progress)
    passages = _embedded(model.embed_passages, [each.text for each in judged.passages], progress)
    names = sorted({each.document for each in judged.passages})
    places = {name: place for place, name in enumerate(names)}
    documents = np.array([places[each.document] for each in judged.passages])
    found: dict[str, list[float]] = {f"nDCG@{_CUT}": [], f"MRR@{_CUT}": []}
    for query, answers in zip(queries, judged.answers, strict=True):
        best = np.full(len(names), -np.inf, dtype=np.float32)
        np.maximum.at(best, documents, passages @ query)
        first = np.argsort(-best, kind="stable")[:_CUT]
        ranks = [rank for rank, place in enumerate(first.tolist(), 1) if names[place] in answers]
        ideal = sum(1 / np.log2(rank + 1) for rank in range(1, min(len(answers), _CUT) + 1))
        found[f"nDCG@{_CUT}"].append(sum(1 / np.log2(rank + 1) for rank in ranks) / ideal)
        found[f"MRR@{_CUT}"].append(1 / ranks[0] if ranks else 0.0)
    return {name: np.array(values, dtype=np.float64) for name, values in found.items()}


def _embedded(
    embed: Callable[[Sequence[str]], FloatArray],
    texts: Sequence[str],
    progress: Callable[[int], None] | None,
) -> FloatArray:
    parts = []
    for start in range(0, len(texts), _BATCH):
        parts.append(embed(texts[start : start + _BATCH]))
        if progress is not None:
            progress(len(parts[-1]))
    return np.concatenate(parts)
