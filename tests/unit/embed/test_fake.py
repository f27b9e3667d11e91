"""The deterministic test embedder."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vstash.testing import FakeEmbedder

EXPECTED_APPLE = (-0.3359007, -0.6239147, -0.6941444, 0.1267462)


def test_vectors_have_the_promised_shape_and_length() -> None:
    """Every text, also an empty or a strange one, gets a float32 row of length 1."""
    texts = ["", " ", "one", "One, two!", "naïve café 東京", "\ud800", "x " * 5000]
    vectors = FakeEmbedder(32).embed_passages(texts)
    assert vectors.shape == (len(texts), 32)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_no_texts_give_an_empty_array() -> None:
    """No texts give an array of no rows and the right number of columns."""
    assert FakeEmbedder(8).embed_queries([]).shape == (0, 8)


def test_values_never_change() -> None:
    """The vector of a word is the same on every platform, Python and NumPy, down to its values."""
    vector = FakeEmbedder(4).embed_queries(["apple"])[0]
    np.testing.assert_allclose(vector, EXPECTED_APPLE, atol=1e-6)


def test_another_process_with_another_hash_seed_agrees() -> None:
    """Python's randomised string hash has no part in the vectors."""
    code = (
        "from vstash.testing import FakeEmbedder as F; print(F().embed_queries(['a bc']).tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_texts_that_share_words_are_similar() -> None:
    """Cosine grows with the share of common words, and case does not matter."""
    near, half, far, same = FakeEmbedder().embed_passages(
        ["red apple pie", "red apple cake", "blue metal door", "RED Apple PIE"]
    )
    assert near @ half > 0.5 > near @ far
    np.testing.assert_array_equal(near, same)


def test_a_text_alone_and_in_a_batch_is_the_same() -> None:
    """A text's vector depends on that text alone, from any thread."""
    model = FakeEmbedder()
    texts = [f"word{number} shared" for number in range(50)]
    batch = model.embed_passages(texts)
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda text: model.embed_passages([text])[0], texts))
    np.testing.assert_array_equal(batch, np.stack(alone))


def test_token_offsets_cover_words_and_punctuation() -> None:
    """Tokens are runs of word characters and single punctuation characters, with their places."""
    text = "Hi, wörld_2!?"
    spans = FakeEmbedder().token_offsets(text)
    assert [text[start:end] for start, end in spans] == ["Hi", ",", "wörld_2", "!", "?"]


def test_tokens_after_the_last_one_read_do_not_count() -> None:
    """What stands after 512 tokens changes nothing, and what stands before does."""
    model = FakeEmbedder()
    cut, longer, other = model.embed_passages(
        ["a " * 512, "a " * 512 + "zebra", "a " * 511 + "zebra"]
    )
    np.testing.assert_array_equal(cut, longer)
    assert not np.array_equal(cut, other)


def test_the_digest_stands_for_the_dimension() -> None:
    """Two dimensions are two models, and the same dimension is one."""
    assert FakeEmbedder(8).info.sha256 != FakeEmbedder(16).info.sha256
    assert FakeEmbedder(8).info == FakeEmbedder(8).info
    assert FakeEmbedder().info.dimension == 64


def test_a_dimension_below_one_is_refused() -> None:
    """A dimension of zero is a programming error."""
    with pytest.raises(ValueError, match="dimension"):
        FakeEmbedder(0)
