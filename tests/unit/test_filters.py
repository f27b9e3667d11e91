"""Filter trees: what is read, what is refused and where, and what a filter means."""

from __future__ import annotations

import enum
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from vstash.errors import FilterError
from vstash.filters import And, Compare, Field, Not, Or, matches, parse

NOON = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=timezone.utc)
DEEP: dict[str, object] = {
    "author": {"name": "Ada", "born": 1815},
    "n": None,
    "list": [1, "x", None],
}


def holds(tree: object, metadata: dict[str, object] | None = None) -> bool:
    """Ask one fixed document."""
    return matches(
        parse(tree),
        id="0190",
        key="/notes/a.md",
        title="Émile",
        tags=("red", "green"),
        created=NOON,
        updated=NOON + timedelta(days=1),
        expires_at=None,
        metadata=DEEP if metadata is None else metadata,
    )


def nested(levels: int) -> object:
    """A tree of so many levels."""
    tree: object = {"key": {"eq": "a"}}
    for _ in range(levels - 1):
        tree = {"not": tree}
    return tree


class Level(enum.IntEnum):
    """An integer with a name."""

    LOW = 1


def test_a_tree_becomes_frozen_values() -> None:
    """Connectives, fields and operators become the dataclasses of the same meaning."""
    tree = {
        "and": [
            {"metadata.a.b": {"gt": 1, "lt": 9}},
            {"or": [{"key": {"prefix": "/n"}}, {"not": {"tags": {"contains": "x"}}}]},
        ]
    }
    path = Field("metadata", ("a", "b"))
    assert parse(tree) == And(
        (
            And((Compare(path, "gt", 1), Compare(path, "lt", 9))),
            Or(
                (
                    Compare(Field("key"), "prefix", "/n"),
                    Not(Compare(Field("tags"), "contains", "x")),
                )
            ),
        )
    )


def test_a_filter_can_be_hashed() -> None:
    """A parsed filter is a value: equal trees have equal hashes, so it can be a cache's key."""
    tree = {"id": {"in": ["a", None, 1.5]}}
    assert hash(parse(tree)) == hash(parse(tree))


def test_subclasses_of_numbers_become_plain_numbers() -> None:
    """An enum's integer is stored as the integer, which is what the database can bind."""
    parsed = parse({"metadata.a": {"eq": Level.LOW}})
    assert isinstance(parsed, Compare)
    assert type(parsed.value) is int


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00.25Z",
        "2026-01-31t12:00:00.250000z",
        "2026-01-31 12:00:00.250+00:00",
        "2026-01-31T12:00:00.250-00:00",
        "2026-01-31T17:30:00.25+05:30",
        "2026-01-30T21:00:00.25-15:00",
    ],
)
def test_times_are_read_from_rfc_3339(text: str) -> None:
    """Every way to write one instant in RFC 3339 gives that instant in UTC."""
    parsed = parse({"created": {"eq": text}})
    assert parsed == Compare(Field("created"), "eq", NOON)
    assert isinstance(parsed, Compare)
    assert isinstance(parsed.value, datetime)
    assert parsed.value.tzinfo is timezone.utc


def test_aware_datetimes_are_times() -> None:
    """A datetime with any offset stands for its instant."""
    local = NOON.astimezone(timezone(timedelta(hours=-8)))
    assert holds({"created": {"eq": local, "in": [local], "gte": local, "lte": local}})
    assert not holds({"created": {"gt": local}})


@pytest.mark.parametrize(
    ("tree", "pointer"),
    [
        (None, "/filter"),
        ([], "/filter"),
        ("key", "/filter"),
        ({}, "/filter"),
        ({1: {"eq": 1}}, "/filter"),
        ({"key\0": {"eq": "a"}}, "/filter"),
        ({"metadata.\ud800": {"eq": "a"}}, "/filter"),
        ({"metadata." + "a" * 10_000: {"eq": "a"}}, "/filter"),
        ({"and": [{"key": {"eq": "a"}}], "key": {"eq": "a"}}, "/filter"),
        ({"and": [{"key": {"eq": "a"}}], "or": [{"key": {"eq": "a"}}]}, "/filter"),
        ({"and": []}, "/filter/and"),
        ({"or": {"key": {"eq": "a"}}}, "/filter/or"),
        ({"and": "ab"}, "/filter/and"),
        ({"not": []}, "/filter/not"),
        ({"not": {}}, "/filter/not"),
        ({"and": [{"key": {"eq": "a"}}, 5]}, "/filter/and/1"),
        ({"or": [{"not": {"and": [{}]}}]}, "/filter/or/0/not/and/0"),
        ({"colour": {"eq": "a"}}, "/filter/colour"),
        ({"and": [{"a/b~c": {"eq": "a"}}]}, "/filter/and/0/a~1b~0c"),
        ({"Key": {"eq": "a"}}, "/filter/Key"),
        ({"key.a": {"eq": "a"}}, "/filter/key.a"),
        ({"metadata": {"eq": "a"}}, "/filter/metadata"),
        ({"metadata.": {"eq": "a"}}, "/filter/metadata."),
        ({"metadata.a..b": {"eq": "a"}}, "/filter/metadata.a..b"),
        ({'metadata.a"': {"eq": "a"}}, '/filter/metadata.a"'),
        ({"metadata.a\\b": {"eq": "a"}}, "/filter/metadata.a\\b"),
        ({"metadata.a\n": {"eq": "a"}}, "/filter/metadata.a\n"),
        ({"key": "a"}, "/filter/key"),
        ({"key": {}}, "/filter/key"),
        ({"and": [{"metadata.author": 1}]}, "/filter/and/0/metadata.author"),
        ({"key": {"equals": "a"}}, "/filter/key/equals"),
        ({"key": {"EQ": "a"}}, "/filter/key/EQ"),
        ({"key": {1: "a"}}, "/filter/key"),
        ({"key": {"\ud800": "a"}}, "/filter/key"),
        ({"key": {("eq",): "a"}}, "/filter/key"),
        ({"key": {"eq": ["a"]}}, "/filter/key/eq"),
        ({"key": {"eq": {"a": 1}}}, "/filter/key/eq"),
        ({"key": {"eq": b"a"}}, "/filter/key/eq"),
        ({"key": {"eq": NOON}}, "/filter/key/eq"),
        ({"key": {"eq": "a\0"}}, "/filter/key/eq"),
        ({"key": {"eq": "\udfff"}}, "/filter/key/eq"),
        ({"key": {"eq": "a" * 10_001}}, "/filter/key/eq"),
        ({"metadata.a": {"eq": float("nan")}}, "/filter/metadata.a/eq"),
        ({"metadata.a": {"eq": float("-inf")}}, "/filter/metadata.a/eq"),
        ({"metadata.a": {"eq": 2**63}}, "/filter/metadata.a/eq"),
        ({"metadata.a": {"eq": -(2**63) - 1}}, "/filter/metadata.a/eq"),
        ({"key": {"in": "abc"}}, "/filter/key/in"),
        ({"key": {"in": []}}, "/filter/key/in"),
        ({"key": {"in": ["a"] * 1001}}, "/filter/key/in"),
        ({"key": {"in": ["a", ["b"]]}}, "/filter/key/in/1"),
        ({"key": {"exists": 1}}, "/filter/key/exists"),
        ({"key": {"exists": None}}, "/filter/key/exists"),
        ({"key": {"prefix": 5}}, "/filter/key/prefix"),
        ({"key": {"prefix": None}}, "/filter/key/prefix"),
        ({"key": {"contains": ["a"]}}, "/filter/key/contains"),
        ({"metadata.a": {"gt": True}}, "/filter/metadata.a/gt"),
        ({"metadata.a": {"gte": None}}, "/filter/metadata.a/gte"),
        ({"metadata.a": {"eq": 1, "lt": False}}, "/filter/metadata.a/lt"),
        ({"metadata.a": {"lte": [1]}}, "/filter/metadata.a/lte"),
        ({"tags": {"eq": "red"}}, "/filter/tags/eq"),
        ({"created": {"prefix": "2026"}}, "/filter/created/prefix"),
        ({"updated": {"contains": "2026"}}, "/filter/updated/contains"),
        ({"expires_at": {"eq": None}}, "/filter/expires_at/eq"),
        ({"created": {"gt": 1_700_000_000}}, "/filter/created/gt"),
        ({"created": {"in": ["2026-01-01T00:00:00Z", "x"]}}, "/filter/created/in/1"),
        ({"created": {"eq": datetime(2026, 1, 1)}}, "/filter/created/eq"),  # noqa: DTZ001 - refused
        ({"created": {"eq": "2026-01-01"}}, "/filter/created/eq"),
        ({"created": {"eq": "2026-01-01T00:00:00"}}, "/filter/created/eq"),
        ({"created": {"eq": "2026-01-01T00:00Z"}}, "/filter/created/eq"),
        ({"created": {"eq": "2026-02-30T00:00:00Z"}}, "/filter/created/eq"),
        ({"created": {"eq": "2026-01-01T24:00:00Z"}}, "/filter/created/eq"),
        ({"created": {"eq": "2026-01-01T00:00:00+24:00"}}, "/filter/created/eq"),
        ({"created": {"eq": "2026-01-01T00:00:00.1234567Z"}}, "/filter/created/eq"),
        ({"created": {"eq": "2026-01-01T00:00:00Z\n"}}, "/filter/created/eq"),
        ({"created": {"eq": "٢٠٢٦-01-01T00:00:00Z"}}, "/filter/created/eq"),
        ({"created": {"eq": "0001-01-01T00:00:00+01:00"}}, "/filter/created/eq"),
    ],
)
def test_malformed_trees_are_refused_at_their_place(tree: object, pointer: str) -> None:
    """Every malformed form is refused, and the pointer leads to it."""
    with pytest.raises(FilterError) as caught:
        parse(tree)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    ("tree", "word"),
    [
        ({"titel": {"eq": "a"}}, "Did you mean `title`?"),
        ({"metdata.author": {"eq": "a"}}, "Did you mean `metadata.<name>`?"),
        ({"author": {"eq": "a"}}, "metadata.<name>"),
        ({"key": {"exist": True}}, "Did you mean `exists`?"),
        ({"key": {"$gte": 1}}, "Did you mean `gte`?"),
        ({"key": {"zzzz": 1}}, "eq, ne, in, gt, gte, lt, lte, exists, contains, prefix"),
        ({"created": {"zzzz": 1}}, "eq, ne, in, gt, gte, lt, lte, exists."),
        ({"tags": {"in": ["a"]}}, "Allowed are exists, contains."),
    ],
)
def test_messages_name_what_is_allowed(tree: object, word: str) -> None:
    """A mistyped name is answered with the closest one, and any other with the list."""
    with pytest.raises(FilterError) as caught:
        parse(tree)
    assert word in caught.value.message


def test_a_message_never_repeats_a_value() -> None:
    """What a caller wanted to compare with stays out of the message."""
    with pytest.raises(FilterError) as caught:
        parse({"created": {"eq": "secret-value"}})
    assert "secret" not in str(caught.value)


def test_sixteen_levels_are_read_and_seventeen_are_not() -> None:
    """The limit of depth is exact, and the pointer shows where it was passed."""
    parse(nested(16))
    with pytest.raises(FilterError) as caught:
        parse(nested(17))
    assert caught.value.pointer == "/filter" + "/not" * 16


def test_endless_depth_is_refused_without_following_it() -> None:
    """A tree of a hundred thousand levels, or one that holds itself, is refused like any other."""
    with pytest.raises(FilterError):
        parse(nested(100_000))
    loop: dict[str, object] = {}
    loop["and"] = [loop]
    with pytest.raises(FilterError):
        parse(loop)


def test_the_limit_of_nodes_is_exact() -> None:
    """255 conditions under one `and` are read; one more is refused, also as several operators."""
    one = {"key": {"eq": "a"}}
    parse({"and": [one] * 255})
    for extra in (one, {"key": {"eq": "a", "ne": "b"}}):
        with pytest.raises(FilterError, match="256"):
            parse({"and": [one] * 254 + [extra, one]})


def test_the_limits_of_values_are_inclusive() -> None:
    """The longest string, the longest list and the outermost integers are read."""
    parse({"key": {"eq": "a" * 10_000}, "metadata.a": {"in": [2**63 - 1, -(2**63)] * 500}})


@pytest.mark.parametrize(
    "tree",
    [
        {"id": {"eq": "0190", "ne": "0191", "in": ["x", "0190"], "exists": True}},
        {"key": {"prefix": "/notes/", "contains": "es/a", "gt": "/a", "lt": "/o"}},
        {"key": {"prefix": "", "contains": ""}},
        {"title": {"gt": "Z", "prefix": "É"}},
        {"tags": {"contains": "red", "exists": True}},
        {"not": {"tags": {"contains": "re"}}},
        {"not": {"tags": {"contains": 1}}},
        {"expires_at": {"exists": False, "ne": NOON}},
        {"not": {"expires_at": {"lt": NOON}}},
        {"metadata.author.name": {"eq": "Ada", "contains": "d", "prefix": "A", "gte": "Ada"}},
        {"metadata.author.born": {"eq": 1815.0, "in": [1815], "gt": 1814.5, "lte": 1815}},
        {"metadata.author": {"exists": True, "ne": "Ada"}},
        {"metadata.n": {"exists": True, "eq": None, "in": [None]}},
        {"metadata.list": {"contains": "x"}},
        {"metadata.list": {"contains": None}},
        {"metadata.list": {"contains": 1.0, "ne": 1}},
        {"metadata.gone": {"exists": False, "ne": None}},
        {"metadata.author.gone.deeper": {"exists": False}},
        {"or": [{"id": {"eq": "x"}}, {"key": {"exists": True}}]},
    ],
)
def test_what_holds(tree: object) -> None:
    """These filters pass the document."""
    assert holds(tree)
    assert not holds({"not": tree})


@pytest.mark.parametrize(
    "tree",
    [
        {"id": {"eq": 190}},
        {"title": {"contains": "é"}},
        {"key": {"prefix": "/NOTES"}},
        {"key": {"exists": False}},
        {"key": {"gt": 1}},
        {"tags": {"contains": "Red"}},
        {"metadata.author.born": {"eq": "1815"}},
        {"metadata.author.born": {"contains": "8"}},
        {"metadata.author.born": {"prefix": "1"}},
        {"metadata.author.born": {"gt": "0"}},
        {"metadata.author": {"eq": None}},
        {"metadata.list": {"contains": True}},
        {"metadata.list": {"prefix": "1"}},
        {"metadata.list.0": {"exists": True}},
        {"metadata.n": {"lt": 1}},
        {"metadata.gone": {"eq": None}},
        {"metadata.gone": {"in": [None]}},
        {"metadata.gone": {"contains": ""}},
        {"metadata.gone": {"prefix": ""}},
        {"metadata.gone": {"lte": 1}},
        {"expires_at": {"gt": NOON}},
        {"expires_at": {"exists": True}},
        {"and": [{"key": {"exists": True}}, {"id": {"eq": "x"}}]},
        {"id": {"eq": "0190"}, "key": {"eq": "x"}},
        {"key": {"prefix": "/", "eq": "x"}},
    ],
)
def test_what_does_not_hold(tree: object) -> None:
    """These filters do not pass the document, and their negations do."""
    assert not holds(tree)
    assert holds({"not": tree})


@pytest.mark.parametrize(
    ("stored", "value", "equal"),
    [
        (True, 1, False),
        (1, True, False),
        (0, False, False),
        (False, False, True),
        (0, None, False),
        ("", None, False),
        ("1", 1, False),
        (1, 1.0, True),
        (-0.0, 0, True),
        (2**53 + 1, 2.0**53, False),
        (10**30, 1e30, False),
        (int(1e30), 1e30, True),
        ([1], 1, False),
        ("e\u0301", "é", False),
    ],
)
def test_types_never_convert(stored: object, value: object, equal: object) -> None:
    """Values are equal only within their type, and numbers only when exactly equal."""
    metadata = {"a": stored, "list": [stored]}
    assert holds({"metadata.a": {"eq": value}}, metadata) is equal
    assert holds({"metadata.a": {"in": [value]}}, metadata) is equal
    assert holds({"metadata.a": {"ne": value}}, metadata) is not equal
    assert holds({"metadata.list": {"contains": value}}, metadata) is equal


def test_text_orders_by_code_point() -> None:
    """A character beyond the basic plane comes after every character within it."""
    assert holds({"metadata.a": {"gt": "\uffff"}}, {"a": "\U00010000"})
    assert holds({"metadata.a": {"lt": "a"}}, {"a": "Z"})


def test_the_import_is_light() -> None:
    """Reading the module loads neither the database nor difflib, which only mistakes need."""
    code = (
        "import sys, vstash.filters\n"
        "print(sorted({'apsw', 'numpy', 'pydantic', 'difflib', 'vstash.store'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
