"""What a step minimises: contrast of positives with negatives, or distance to the fused list.

PyTorch is imported with this module: only who trains imports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vstash.errors import TrainingError
from vstash.training.encoder import Encoder
from vstash.training.examples import Example
from vstash.training.options import TrainOptions

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["Contrast", "Distil", "objective"]

# Cosines of this model differ by some .05: 20 times them is as wide as the fused scores, whose unit is the
# standard deviation of the cosines, and the usual scale of MultipleNegativesRankingLoss.
_SCALE: Final = 20.0
# Against a divergence of some .4: the cosine of passages with where they were stays near .997, of queries .97.
_HOLD: Final = 4.0


def objective(
    encoder: Encoder,
    examples: Sequence[Example],
    vectors: Mapping[str, FloatArray],
    options: TrainOptions,
) -> Contrast | Distil:
    """What to minimise.

    Args:
        encoder: The model.
        examples: To learn from; those that lack what the objective needs are left out.
        vectors: Of the listed passages, by text, as the model before training has them.
        options: Which objective, and how much of each example.

    Raises:
        TrainingError: When no example has what the objective needs.
    """
    usable = [each for each in examples if _usable(each, options)]
    if not usable:
        raise TrainingError("No example has what this objective needs.", pointer="/objective")
    if options.objective == "contrast":
        return Contrast(encoder, usable, options)
    return Distil(encoder, usable, vectors, options)


def _usable(example: Example, options: TrainOptions) -> bool:
    if options.objective == "contrast":
        return example.positive is not None
    return len(example.listed) > 1


class _Texts:
    """Token numbers of texts, each cut once."""

    def __init__(self, encoder: Encoder, most: int) -> None:
        self._encoder = encoder
        self._most = most
        self._known: dict[str, list[int]] = {}

    def rows(self, texts: Sequence[str]) -> list[list[int]]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.passages(new, self._most), strict=True))
        return [self._known[text] for text in texts]


class Contrast:
    """MultipleNegativesRankingLoss of sentence-transformers: every other passage of a batch is a negative.

    Henderson et al. 2017, https://arxiv.org/abs/1705.00652. Batches that do not fit into memory at once
    are computed in parts by GradCache (Gao et al. 2021, https://arxiv.org/abs/2101.06983).
    """

    def __init__(
        self, encoder: Encoder, examples: Sequence[Example], options: TrainOptions
    ) -> None:
        from sentence_transformers.sentence_transformer import losses  # noqa: PLC0415 - 5 seconds

        self._encoder = encoder
        self._examples = examples
        self._negatives = options.negatives
        self._queries = encoder.queries([each.query for each in examples], options.query_tokens)
        self._texts = _Texts(encoder, options.passage_tokens)
        self._cached: Any = None
        if options.batch > options.mini_batch:
            self._cached = losses.CachedMultipleNegativesRankingLoss(
                encoder, scale=_SCALE, mini_batch_size=options.mini_batch
            )
        self._plain: Any = losses.MultipleNegativesRankingLoss(encoder, scale=_SCALE)
        self.lengths = [len(row) for row in self._queries]

    def loss(self, places: Sequence[int], step: int) -> Any:  # noqa: ARG002 - as `Distil` has it
        """Of the examples at these places."""
        kept = self._distinct(places)
        columns = [[self._queries[place] for place in kept], *self._passages(kept)]
        if self._cached is not None:
            return self._cached([self._encoder.features(rows) for rows in columns], None)
        # Each column padded for itself: queries are short.
        return self._plain.compute_loss_from_embeddings(
            [self._encoder.vectors(rows) for rows in columns], None
        )

    def _distinct(self, places: Sequence[int]) -> list[int]:
        """Without those whose query or answer stands in the batch already: each would be a false negative."""
        seen: set[str] = set()
        kept = []
        for place in places:
            example = self._examples[place]
            marks = {example.query, example.positive.document if example.positive else ""}
            if not marks & seen:
                kept.append(place)
                seen |= marks
        return kept

    def _passages(self, places: Sequence[int]) -> list[list[list[int]]]:
        chosen = [self._examples[place] for place in places]
        depth = min(self._negatives, *(len(each.negatives) for each in chosen))
        positives = [each.positive.text for each in chosen if each.positive is not None]
        columns = [positives, *([each.negatives[n].text for each in chosen] for n in range(depth))]
        return [self._texts.rows(column) for column in columns]


class Distil:
    """Kullback-Leibler divergence of the model's scores of a fused list from the scores it was fused by.

    Queries alone learn: the passages of the lists stay where the model before training has them, so that a
    step costs some twenty tokens a query, not some thousand. So that the one model still puts passages
    there, some of them are drawn anew for each step and held to their places.
    """

    def __init__(
        self,
        encoder: Encoder,
        examples: Sequence[Example],
        vectors: Mapping[str, FloatArray],
        options: TrainOptions,
    ) -> None:
        self._encoder = encoder
        self._examples = examples
        self._options = options
        self._queries = encoder.queries([each.query for each in examples], options.query_tokens)
        self._texts = _Texts(encoder, options.passage_tokens)
        self._places = {text: place for place, text in enumerate(vectors)}
        self._known = list(self._places)
        self._vectors = torch.from_numpy(np.stack(list(vectors.values()))).to(encoder.device)
        self.lengths = [len(row) for row in self._queries]

    def loss(self, places: Sequence[int], step: int) -> Any:
        """Of the examples at these places."""
        vectors = self._encoder.vectors([self._queries[place] for place in places])
        loss = vectors.new_zeros(())
        for vector, place in zip(vectors, places, strict=True):
            example = self._examples[place]
            listed = self._vectors[[self._places[each.text] for each in example.listed]]
            told = torch.softmax(vector.new_tensor(example.scores), 0)
            ours = torch.log_softmax(_SCALE * (listed @ vector), 0)
            loss = loss + torch.nn.functional.kl_div(ours, told, reduction="sum")
        return loss / len(places) + self._held(step)

    def _held(self, step: int) -> Any:
        """How far passages have moved."""
        count = min(self._options.anchors, len(self._known))
        if not count:
            return 0.0
        generator = np.random.default_rng([self._options.seed, step])
        drawn = generator.choice(len(self._known), count, replace=False).tolist()
        now = self._encoder.vectors(self._texts.rows([self._known[place] for place in drawn]))
        return _HOLD * (1 - (now * self._vectors[drawn]).sum(1)).mean()
