"""Every field is checked before anything happens, and an error names its field."""

from __future__ import annotations

import collections
import json
import types
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from vstash.errors import FieldError, TextError
from vstash.pipeline.prepare import checked_collection, prepare, readable_query
from vstash.settings import Settings
from vstash.types import NewDocument

SETTINGS = Settings(max_text_chars=100, max_metadata_bytes=200)
GOOD = NewDocument("text", key="k", title="t", tags=["a"], metadata={"a": 1})
HALF = "\ud800"


def deep(levels: int) -> dict[str, Any]:
    """An object of so many levels of lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return {"a": value}


LOOP: dict[str, Any] = {}
LOOP["loop"] = LOOP

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("text empty", {"text": ""}, "/text"),
    ("text spaces", {"text": " \n\t\u2003"}, "/text"),
    ("text too long", {"text": "x" * 101}, "/text"),
    ("text nul", {"text": "a\0b"}, "/text"),
    ("text surrogate", {"text": HALF}, "/text"),
    ("text number", {"text": 1}, "/text"),
    ("text bytes", {"text": b"x"}, "/text"),
    ("text none", {"text": None}, "/text"),
    ("key empty", {"key": ""}, "/key"),
    ("key too long", {"key": "x" * 4097}, "/key"),
    ("key nul", {"key": "a\0"}, "/key"),
    ("key surrogate", {"key": HALF}, "/key"),
    ("key number", {"key": 7}, "/key"),
    ("title too long", {"title": "x" * 1001}, "/title"),
    ("title surrogate", {"title": HALF}, "/title"),
    ("title number", {"title": 7}, "/title"),
    ("collection empty", {"collection": ""}, "/collection"),
    ("collection space", {"collection": "a b"}, "/collection"),
    ("collection line", {"collection": "a\n"}, "/collection"),
    ("collection dot first", {"collection": ".a"}, "/collection"),
    ("collection letters", {"collection": "é"}, "/collection"),
    ("collection too long", {"collection": "x" * 101}, "/collection"),
    ("collection number", {"collection": 7}, "/collection"),
    ("tags text", {"tags": "ab"}, "/tags"),
    ("tags none", {"tags": None}, "/tags"),
    ("tags set", {"tags": {"a"}}, "/tags"),
    ("tags too many", {"tags": [str(number) for number in range(101)]}, "/tags"),
    ("tag empty", {"tags": ["a", ""]}, "/tags/1"),
    ("tag spaces", {"tags": [" a"]}, "/tags/0"),
    ("tag too long", {"tags": ["x" * 201]}, "/tags/0"),
    ("tag number", {"tags": ["a", "b", 3]}, "/tags/2"),
    ("tag surrogate", {"tags": [HALF]}, "/tags/0"),
    ("metadata list", {"metadata": [1]}, "/metadata"),
    ("metadata none", {"metadata": None}, "/metadata"),
    ("metadata too large", {"metadata": {"a": "x" * 200}}, "/metadata"),
    ("metadata nan", {"metadata": {"a": {"b": float("nan")}}}, "/metadata/a/b"),
    ("metadata infinity", {"metadata": {"a": [1, float("-inf")]}}, "/metadata/a/1"),
    ("metadata huge", {"metadata": {"a": 2**63}}, "/metadata/a"),
    ("metadata bytes", {"metadata": {"a": b"x"}}, "/metadata/a"),
    ("metadata time", {"metadata": {"a": datetime.now(timezone.utc)}}, "/metadata/a"),
    ("metadata set", {"metadata": {"a": {1}}}, "/metadata/a"),
    ("metadata nul", {"metadata": {"a": "\0"}}, "/metadata/a"),
    ("metadata name", {"metadata": {1: "a"}}, "/metadata"),
    ("metadata name surrogate", {"metadata": {HALF: 1}}, "/metadata"),
    ("metadata escaped", {"metadata": {"a/b~c": b""}}, "/metadata/a~1b~0c"),
    ("metadata deep", {"metadata": deep(17)}, "/metadata/a" + "/0" * 16),
    ("metadata loop", {"metadata": LOOP}, "/metadata" + "/loop" * 17),
    ("expiry naive", {"expires_at": datetime(2030, 1, 1)}, "/expires_at"),  # noqa: DTZ001
    ("expiry text", {"expires_at": "2030-01-01"}, "/expires_at"),
    (
        "expiry beyond",
        {"expires_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))},
        "/expires_at",
    ),
]


@pytest.mark.parametrize(("fields", "pointer"), [case[1:] for case in BAD], ids=[c[0] for c in BAD])
def test_a_bad_field_is_named(fields: dict[str, Any], pointer: str) -> None:
    """What cannot be stored raises, points at the field, and never repeats the value."""
    with pytest.raises((FieldError, TextError)) as caught:
        prepare(replace(GOOD, **fields), SETTINGS)
    assert caught.value.pointer == pointer
    assert "xxxx" not in str(caught.value)
    assert isinstance(caught.value, TextError) == (pointer == "/text")


@pytest.mark.parametrize(
    "fields",
    [
        *({"text": "x" * 100}, {"text": "\u200b"}, {"key": "x" * 4096}, {"title": "x" * 1000}),
        *({"collection": "A9._-" * 20}, {"tags": [str(number) for number in range(100)]}),
        *({"tags": ("b", "a")}, {"metadata": {"a": 2**63 - 1, "b": -(2**63)}}),
        *({"metadata": deep(15)}, {"expires_at": datetime.min.replace(tzinfo=timezone.utc)}),
        *({"title": None}, {"key": None}, {"collection": None}, {"metadata": {}}),
    ],
)
def test_the_limits_themselves_are_good(fields: dict[str, Any]) -> None:
    """A value right at its limit is taken."""
    prepare(replace(GOOD, **fields), SETTINGS)


def test_values_are_brought_into_one_form() -> None:
    """Tags are sorted and once, titles trimmed, metadata canonical, time in microseconds."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    prepared = prepare(
        NewDocument("t", title="  x ", tags=["b", "a", "b"], metadata={"b": 1, "a": "é"},
                    expires_at=moment),
        SETTINGS,
    )  # fmt: skip
    assert prepared.tags == ("a", "b")
    assert prepared.title == "x"
    assert prepared.metadata == '{"a":"é","b":1}'
    assert prepared.expires_at == int(moment.timestamp()) * 1_000_000 + 6
    assert (prepared.key, prepared.collection) == (None, "default")


@pytest.mark.parametrize(
    "metadata",
    [
        types.MappingProxyType({"a": [1, {"b": None}], "c": True}),
        {"a": collections.UserList([1, types.MappingProxyType({"b": None})]), "c": True},
        collections.OrderedDict([("c", True), ("a", (1, {"b": None}))]),
    ],
)
def test_any_mapping_and_sequence_is_json(metadata: Mapping[str, Any]) -> None:
    """Metadata may be made of other mappings and sequences than dict and list."""
    prepared = prepare(replace(GOOD, metadata=metadata), SETTINGS)
    assert json.loads(prepared.metadata) == {"a": [1, {"b": None}], "c": True}


def test_the_hash_covers_what_is_stored() -> None:
    """Text, title, tags and metadata change it; key, collection, expiry and order do not."""
    base = prepare(GOOD, SETTINGS).content_hash
    same: list[dict[str, Any]] = [
        *({"key": "other"}, {"collection": "other"}),
        *({"expires_at": datetime.now(timezone.utc)}, {"tags": ["a", "a"]}),
    ]
    changed: list[dict[str, Any]] = [
        *({"text": "texT"}, {"title": "u"}, {"title": None}, {"tags": []}, {"tags": ["a", "b"]}),
        *({"metadata": {"a": 2}}, {"metadata": {"a": 1.0}}, {"metadata": {"a": "1"}}),
    ]
    assert {prepare(replace(GOOD, **fields), SETTINGS).content_hash for fields in same} == {base}
    hashes = [prepare(replace(GOOD, **fields), SETTINGS).content_hash for fields in changed]
    assert len({base, *hashes}) == len(changed) + 1


def test_fields_do_not_run_into_each_other() -> None:
    """Text moved from one field into the next gives another hash."""
    one = prepare(NewDocument("ab", title="c"), SETTINGS).content_hash
    two = prepare(NewDocument("a", title="bc"), SETTINGS).content_hash
    assert one != two


def test_a_collection_has_a_default() -> None:
    """None is `default`."""
    assert checked_collection(None) == "default"


@pytest.mark.parametrize(
    ("query", "expected"),
    [("cafe\u0301", "café"), ("a\0b", "a\ufffdb"), (HALF + "x", "\ufffdx"), ("plain", "plain")],
)
def test_a_query_is_made_readable(query: str, expected: str) -> None:
    """A query is composed, and what UTF-8 cannot carry is replaced."""
    assert readable_query(query) == expected
    assert readable_query(query).encode()


def test_a_title_stands_on_one_line() -> None:
    """Runs of whitespace in a title become one space; control characters are refused."""
    settings = Settings()
    assert prepare(NewDocument("x", title=" a\n\tb "), settings).title == "a b"
    with pytest.raises(FieldError) as caught:
        prepare(NewDocument("x", title="a\x1b[1m"), settings)
    assert caught.value.pointer == "/title"
