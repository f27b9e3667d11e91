"""Reading any bytes as any format."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from vstash.errors import MediaTypeError, TextError
from vstash.text.extract import extract
from vstash.text.tabular import json_content

NAMES = ("a.txt", "a.md", "a.rst", "a.json", "a.jsonl", "a.csv", "a.tsv", "a.py", "Makefile")
PARTS = st.sampled_from(
    [
        b"---\n",
        b"a: 1\n",
        b"tags: [x]\n",
        b"title: y\n",
        b'"',
        b",",
        b"\t",
        b"{",
        b"]",
        b"\xff",
        b"x",
    ]
)
DATA = (
    st.binary(max_size=200)
    | st.lists(PARTS, max_size=30).map(b"".join)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "ignore"))
)


@settings(deadline=None, max_examples=400)
@given(DATA, st.sampled_from(NAMES))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    """Reading gives storable text and JSON-safe metadata, or one of two errors."""
    try:
        found = extract(data, name=name)
    except (MediaTypeError, TextError):
        return
    found.text.encode("utf-8")
    assert found.text.strip()
    assert "\0" not in found.text
    assert "\r" not in found.text
    assert found.title == " ".join(found.title.split()) != ""
    found.title.encode("utf-8")
    json.dumps(found.metadata, allow_nan=False).encode("utf-8")
    assert all(isinstance(tag, str) and tag for tag in found.tags)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@settings(deadline=None, max_examples=200)
@given(JSON)
def test_parting_json_keeps_its_value(value: object) -> None:
    """Line breaks set into minified JSON change nothing but the layout."""
    minified = json.dumps([value, "x" * 2_000], separators=(",", ":"))
    assert json.loads(json_content(minified).text) == json.loads(minified)
