"""The model as PyTorch trains it, fed with the tokens that vstash itself would give it.

PyTorch and transformers are imported with this module: only who trains imports it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from transformers import BertConfig, BertModel

from vstash.embed.tokens import ModelTokenizer
from vstash.training.base import Base

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["Encoder", "Rows"]

Rows = Sequence[Sequence[int]]
_BATCH: Final = 64


class Encoder:
    """A BERT encoder with pooling, on the best device that is there.

    Args:
        base: Weights, configuration, pooling, prefixes and tokenizer.
        checkpointing: Compute activations twice rather than keep them.
    """

    def __init__(self, base: Base, *, checkpointing: bool = False) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # Dropout would make a step depend on more than its seed, and GradCache replay it. On CPUs the
        # plain form of attention is twice as fast backwards as the fused one.
        config = BertConfig(
            **{
                **base.config,
                "hidden_dropout_prob": 0.0,
                "attention_probs_dropout_prob": 0.0,
                "attn_implementation": "sdpa" if self.device.type == "cuda" else "eager",
            }
        )
        self.model: Any = BertModel(config, add_pooling_layer=False)
        self.load(base.weights)
        self.model.to(self.device).train()
        # Tables of embeddings have steps too wide for what a training moves them by.
        for name, values in self.model.named_parameters():
            values.requires_grad_(not name.endswith("_embeddings.weight"))
        if checkpointing:
            self.model.gradient_checkpointing_enable(
                gradient_checkpointing_kwargs={"use_reentrant": False}
            )
        self._info = base.folder.info
        self._tokenizer = ModelTokenizer(base.folder)
        self.max_tokens = base.folder.info.max_tokens
        self.precision = _precision(self.device)

    def load(self, weights: Mapping[str, FloatArray]) -> None:
        """Take other weights."""
        state = {name: torch.from_numpy(np.array(values)) for name, values in weights.items()}
        self.model.load_state_dict(state, strict=False)

    def weights(self) -> dict[str, FloatArray]:
        """The weights as they are, float32."""
        return {
            name: values.detach().float().cpu().numpy()
            for name, values in self.model.named_parameters()
        }

    def queries(self, texts: Iterable[str], most: int) -> list[list[int]]:
        """Token numbers of queries with their prefix, which is not cut off.

        Args:
            texts: Without prefix.
            most: Tokens of each, beside the prefix.
        """
        prefix = self._info.query_prefix
        return self._ids(texts, prefix, most + len(self._tokenizer.ids(prefix)) - 2)

    def passages(self, texts: Iterable[str], most: int) -> list[list[int]]:
        """Token numbers of passages.

        Args:
            texts: Without prefix.
            most: Tokens of each.
        """
        return self._ids(texts, self._info.passage_prefix, most)

    def _ids(self, texts: Iterable[str], prefix: str, most: int) -> list[list[int]]:
        most = min(most, self._info.max_tokens)
        rows = (self._tokenizer.ids(prefix + text) for text in texts)
        # What ends a text, [SEP], stays at the end of one that is cut.
        return [row if len(row) <= most else [*row[: most - 1], row[-1]] for row in rows]

    def __call__(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """As sentence-transformers' losses call a model: a batch in, unit vectors out."""
        mask = features["attention_mask"]
        with self._mixed():
            hidden = self.model(
                input_ids=features["input_ids"], attention_mask=mask
            ).last_hidden_state
        hidden = hidden.float()
        if self._info.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            pooled = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        return {"sentence_embedding": torch.nn.functional.normalize(pooled, dim=-1)}

    def features(self, rows: Rows) -> dict[str, Any]:
        """A padded batch."""
        longest = max(map(len, rows))
        ids = torch.zeros((len(rows), longest), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
        return {"input_ids": ids.to(self.device), "attention_mask": mask.to(self.device)}

    def vectors(self, rows: Rows) -> Any:
        """Unit vectors of a batch, with what their gradient needs."""
        return self(self.features(rows))["sentence_embedding"]

    def embedded(self, rows: Rows) -> Iterator[tuple[list[int], FloatArray]]:
        """Unit vectors of many texts without gradients: places and vectors, batch by batch."""
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            with torch.no_grad():
                yield places, self.vectors([rows[place] for place in places]).cpu().numpy()

    def _mixed(self) -> AbstractContextManager[Any]:
        found: AbstractContextManager[Any] = torch.autocast(
            self.device.type,
            dtype=torch.float16 if self.precision == "float16" else torch.bfloat16,
            enabled=self.precision != "float32",
        )
        return found


def _precision(device: torch.device) -> str:
    """What matrices are multiplied in: bfloat16 where the hardware does that faster."""
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    # Without its matrix unit, a CPU is faster in float32.
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return "bfloat16" if tiles is not None and tiles() else "float32"
