"""What may pass from a model into the file."""

from __future__ import annotations

import numpy as np
import pytest

from vstash.embed.validate import validated
from vstash.errors import EmbeddingError


def test_unit_rows_pass_unchanged() -> None:
    """Rows of length 1 keep every bit, as contiguous float32."""
    rows = np.array([[1, 0, 0], [0.6, 0.8, 0]], dtype=np.float32)
    result = validated(np.asfortranarray(rows), count=2, dimension=3)
    assert result.dtype == np.float32
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, rows)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_other_lengths_are_normalised_row_by_row(kind: str) -> None:
    """A row of another length is divided by it, whatever float type it has; its neighbour is not."""
    rows = np.array([[3, 4], [0, 1], [1e-3, 0]], dtype=kind)
    result = validated(rows, count=3, dimension=2)
    expected = np.array([[0.6, 0.8], [0, 1], [1, 0]])
    np.testing.assert_allclose(result, expected, atol=1e-6)
    assert rows[0, 0] == 3


def test_lists_of_floats_pass() -> None:
    """A custom embedder may return plain lists."""
    assert validated([[2.0, 0.0]], count=1, dimension=2).tolist() == [[1.0, 0.0]]


def test_no_rows_pass() -> None:
    """No texts give no rows, and that is sound."""
    assert validated(np.empty((0, 5), np.float32), count=0, dimension=5).shape == (0, 5)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(np.ones((1, 2), np.float32), id="too few rows"),
        pytest.param(np.ones((2, 3), np.float32), id="wrong dimension"),
        pytest.param(np.ones(4, np.float32), id="one dimension"),
        pytest.param(np.ones((2, 2), np.int64), id="integers"),
        pytest.param(np.ones((2, 2), np.complex64), id="complex"),
        pytest.param([["a", "b"], ["c", "d"]], id="strings"),
        pytest.param([[1.0, 2.0], [1.0]], id="ragged"),
        pytest.param(None, id="nothing"),
        pytest.param([[1.0, 0.0], [float("nan"), 1.0]], id="not a number"),
        pytest.param([[1.0, 0.0], [float("inf"), 1.0]], id="infinite"),
        pytest.param([[1.0, 0.0], [0.0, 0.0]], id="zero"),
        pytest.param([[1.0, 0.0], [1e300, 1e300]], id="overflowing length"),
    ],
)
def test_what_cannot_be_stored_is_refused(bad: object) -> None:
    """Wrong shapes and types, non-finite values and zero rows never reach the file."""
    with pytest.raises(EmbeddingError):
        validated(bad, count=2, dimension=2)
