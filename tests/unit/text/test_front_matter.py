"""The YAML block at the head of a Markdown file."""

from __future__ import annotations

import json

import pytest

from vstash.text.front_matter import split_front_matter


def test_values_become_json() -> None:
    """Dates become ISO strings, and what JSON has no word for becomes a string."""
    text = (
        "---\ns: text\ni: 3\nf: 1.5\nb: true\nn: null\nl: [1, {a: 2026-01-31}]\n"
        "t: 2026-01-31 10:20:30\nnan: .nan\nbig: 99999999999999999999\nbin: !!binary aGk=\n"
        'set: !!set {b, a}\n7: seven\nemoji: "\\ud83d\\ude00 \\0"\n---\n\nBody\n'
    )
    found, body = split_front_matter(text)
    assert body == "Body\n"
    assert found == {
        "s": "text",
        "i": 3,
        "f": 1.5,
        "b": True,
        "n": None,
        "l": [1, {"a": "2026-01-31"}],
        "t": "2026-01-31T10:20:30",
        "nan": "nan",
        "big": "99999999999999999999",
        "bin": "aGk=",
        "set": ["a", "b"],
        "7": "seven",
        "emoji": "😀 ",
    }
    json.dumps(found, allow_nan=False)


def test_a_mapping_may_be_merged_into_another() -> None:
    """A merge key brings in the values of another mapping, as YAML 1.1 has it."""
    text = "---\na: &a {x: 1, y: 1}\nb:\n  <<: *a\n  y: 2\n---\nB"
    assert split_front_matter(text) == ({"a": {"x": 1, "y": 1}, "b": {"x": 1, "y": 2}}, "B")


def test_the_end_may_be_dots_or_the_end_of_the_file() -> None:
    """Both closing lines of YAML end the block, also as the last line."""
    assert split_front_matter("---\na: 1\n...\nB") == ({"a": 1}, "B")
    assert split_front_matter("---\na: 1\n---") == ({"a": 1}, "")
    assert split_front_matter("---\n---\nB") == ({}, "B")


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


MERGE_BOMB = "a: &a {x: 1}\n" + "".join(
    f"{new}: &{new}\n  <<: [{', '.join(['*' + old] * 9)}]\n"
    for old, new in zip("abcdefghijk", "bcdefghijkl", strict=True)
)


@pytest.mark.parametrize(
    "block",
    [
        "a: b: c\n",
        "- a list\n",
        "just text\n",
        "a: [1\n",
        "a: !!bool x\n",
        "a: !!timestamp x\n",
        "a: 2024-13-45\n",
        "a: &x [*x]\n",
        "? [a, b]\n: c\n",
        "!!python/object/apply:os.getcwd []\n",
        "a: " + "[" * 1500 + "\n",
        "a: " + "x" * 20_000 + "\n",
        BOMB,
    ],
)
def test_malformed_front_matter_is_text(block: str) -> None:
    """What is not a small YAML object of plain values stays in the text, whole."""
    text = f"---\n{block}---\nBody"
    assert split_front_matter(text) == ({}, text)


def test_merges_do_not_multiply() -> None:
    """Twelve levels of ninefold merges are refused, or merged once each as PyYAML 6.0.4 does."""
    text = f"---\n{MERGE_BOMB}---\nBody"
    merged = {name: {"x": 1} for name in "abcdefghijkl"}
    assert split_front_matter(text) in (({}, text), (merged, "Body"))


@pytest.mark.parametrize(
    "text", ["", "---", "--- a\nb: 1\n---\n", "x\n---\na: 1\n---\n", "---\na: 1"]
)
def test_text_without_front_matter(text: str) -> None:
    """Only a first line of three hyphens, and a line that closes, make front matter."""
    assert split_front_matter(text) == ({}, text)
