"""The model's tokenizer: places in the text, and what the model reads of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from vstash.embed.catalogue import packaged_folder
from vstash.embed.description import read_model_folder
from vstash.embed.tokens import ModelTokenizer
from vstash.errors import ModelInvalidError

FOLDER = packaged_folder("bge-small-en-v1.5")
TOKENIZER = ModelTokenizer(read_model_folder(FOLDER))


def test_offsets_name_the_tokens_in_order() -> None:
    """Each token's place cuts that token out of the text; there are no special tokens."""
    text = "Unbelievably, Zürich\n42!"
    found = [text[start:end] for start, end in TOKENIZER.offsets(text)]
    assert "".join(found) == text.replace(" ", "").replace("\n", "")
    assert found[0] == "Un"
    assert found[-2:] == ["42", "!"]


def test_no_text_has_no_tokens() -> None:
    """Empty and blank texts have no tokens."""
    assert TOKENIZER.offsets("") == []
    assert TOKENIZER.offsets(" \n\t ") == []


@given(st.text(max_size=80))
def test_offsets_stay_inside_any_text(text: str) -> None:
    """For any text, places are ordered, not empty, and inside the text."""
    spans = TOKENIZER.offsets(text)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


def test_a_long_text_is_cut_into_the_same_tokens() -> None:
    """Texts are tokenised piece by piece, and that shows nowhere."""
    text = "The otter crossed river number 7; naïvely, again. " * 4_000
    whole = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    assert len(text) > 150_000
    assert TOKENIZER.offsets(text) == whole.encode(text, add_special_tokens=False).offsets


def test_a_long_text_without_white_space_keeps_its_characters() -> None:
    """A text that has no place to cut it is cut anyway, and loses no character."""
    text = "漢" * 100_000
    assert TOKENIZER.offsets(text) == [(place, place + 1) for place in range(100_000)]


def test_what_the_model_reads_is_cut_as_the_library_cuts_it() -> None:
    """Token numbers are those of the library's own truncation, special tokens included."""
    reference = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    reference.enable_truncation(512)
    for length in (0, 1, 509, 510, 511, 2_000, 100_000):
        text = "word " * length
        assert TOKENIZER.ids(text) == reference.encode(text).ids


def test_a_long_run_of_one_word_is_read_to_its_end() -> None:
    """Pieces that hold few tokens are joined until the model's length is full."""
    text = ("a" * 70_000 + " ") * 3 + "end"
    ids = TOKENIZER.ids(text)
    end = TOKENIZER.ids("end")[1]
    assert (ids[0], ids[-1]) == (101, 102)
    assert ids[-2] == end


def test_special_words_in_a_text_are_plain_text() -> None:
    """A text that spells a special token cannot put that token before the model."""
    ids = TOKENIZER.ids("[SEP] [CLS] [PAD] [MASK]")
    assert ids[0] == 101
    assert ids[-1] == 102
    assert not {0, 101, 102, 103} & set(ids[1:-1])
    assert len(TOKENIZER.offsets("[SEP]")) > 1


def test_lone_surrogates_are_read_as_unknown() -> None:
    """Half of a surrogate pair, which UTF-8 cannot hold, does not stop the tokenizer."""
    assert TOKENIZER.offsets("ab \ud800 cd") == TOKENIZER.offsets("ab \ufffd cd")
    assert TOKENIZER.ids("\udfff") == TOKENIZER.ids("\ufffd")


def test_the_files_own_truncation_and_padding_are_off(tiny_folder: Callable[..., Path]) -> None:
    """A tokenizer.json that cuts at 3 tokens and pads to 20 does neither here."""
    tokenizer = ModelTokenizer(read_model_folder(tiny_folder()))
    assert tokenizer.ids("red green blue far red") == [1, 4, 5, 6, 7, 4, 2]
    assert len(tokenizer.offsets("red green blue far red")) == 5


def test_a_damaged_tokenizer_is_named(tiny_folder: Callable[..., Path]) -> None:
    """A tokenizer.json that the library cannot read is a model error."""
    folder = tiny_folder()
    (folder / "tokenizer.json").write_text('{"version": "1.0"}', encoding="utf-8")
    with pytest.raises(ModelInvalidError, match=r"tokenizer\.json"):
        ModelTokenizer(read_model_folder(folder))
