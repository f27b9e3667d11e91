"""What cosines of a query with unrelated chunks look like, from samples kept between searches."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.search import fusion
from vstash.search.fusion import Background

if TYPE_CHECKING:
    from vstash.store.allowed import Allowed
    from vstash.store.session import Reader
    from vstash.types import FloatArray, ModelInfo

__all__ = ["Backgrounds"]

_SAMPLE: Final = 512
# Samples of what filters allow, kept for those asked last; each takes .8 MB at 384 dimensions.
_FILTERS: Final = 8


class Backgrounds:
    """Samples vectors of the file, or of what a filter allows; safe to share between threads.

    Args:
        model: The model's number in the file.
        info: The model, whose shipped background fills in while a file is small.
    """

    def __init__(self, model: int, info: ModelInfo) -> None:
        self._model = model
        self._info = info
        self._lock = threading.Lock()
        self._whole: tuple[tuple[int, ...], FloatArray] | None = None
        # By identity: what a filter allows is one object for as long as nothing changes it.
        self._filtered: OrderedDict[int, tuple[Allowed, FloatArray]] = OrderedDict()

    def of(self, sample: FloatArray | None, vector: FloatArray | None) -> Background:
        """The background of a query's cosines.

        Args:
            sample: From `sample`, shape (n, dimension); None where vectors are not asked.
            vector: The query's, None where vectors are not asked.
        """
        cosines = np.empty(0, dtype=np.float32)
        if sample is not None and vector is not None:
            cosines = sample @ vector
        info = self._info
        return fusion.background(
            cosines, mean=info.background_mean, deviation=info.background_deviation
        )

    def sample(self, reader: Reader, allowed: Allowed | None) -> FloatArray:
        """Vectors of chunks spread over the file or over what is allowed, shape (n, dimension)."""
        return self._sample_all(reader) if allowed is None else self._sample_of(reader, allowed)

    def _sample_all(self, reader: Reader) -> FloatArray:
        state = reader.sample_state(self._model)
        kept = self._whole
        if kept is None or kept[0] != state:
            kept = (state, reader.sample(self._model, _SAMPLE, self._info.dimension, None))
            self._whole = kept
        return kept[1]

    def _sample_of(self, reader: Reader, allowed: Allowed) -> FloatArray:
        with self._lock:
            kept = self._filtered.get(id(allowed))
            if kept is not None and kept[0] is allowed:
                self._filtered.move_to_end(id(allowed))
                return kept[1]
        dimension = self._info.dimension
        if len(allowed.ids) == 0:
            return np.empty((0, dimension), dtype=np.float32)
        found = reader.sample(self._model, _SAMPLE, dimension, allowed.ids)
        with self._lock:
            self._filtered[id(allowed)] = (allowed, found)
            while len(self._filtered) > _FILTERS:
                self._filtered.popitem(last=False)
        return found
