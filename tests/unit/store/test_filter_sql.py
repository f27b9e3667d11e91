"""Filters as SQL: parameters only, never NULL, and served by an index where one fits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone

import apsw
import pytest

from vstash.filters import parse
from vstash.store.filter_sql import compile_filter

SCHEMA = """
CREATE TABLE document (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, collection INTEGER NOT NULL DEFAULT 1,
    key TEXT NOT NULL, title TEXT NOT NULL, metadata BLOB NOT NULL CHECK (json_valid(metadata, 4)),
    created INTEGER NOT NULL, updated INTEGER NOT NULL, expires_at INTEGER,
    UNIQUE (collection, key)
) STRICT;
CREATE TABLE tag (
    document INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (document, tag)
) STRICT, WITHOUT ROWID;
"""
HOSTILE = "'); DROP TABLE document; --"


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    """A file in memory with an empty document table."""
    opened = apsw.Connection(":memory:")
    opened.execute(SCHEMA)
    yield opened
    opened.close()


def add(
    connection: apsw.Connection,
    key: str,
    metadata: object = None,
    *,
    created: int = 0,
    expires_at: int | None = None,
    tags: tuple[str, ...] = (),
) -> None:
    """Store a document whose id and title are its key."""
    text = json.dumps(metadata or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    connection.execute(
        "INSERT INTO document (id, key, title, metadata, created, updated, expires_at)"
        " VALUES (?, ?, ?, jsonb(?), ?, ?, ?)",
        (key, key, key, text, created, created, expires_at),
    )
    number = connection.last_insert_rowid()
    connection.executemany("INSERT INTO tag VALUES (?, ?)", [(number, tag) for tag in tags])


def keys(connection: apsw.Connection, tree: object) -> list[str]:
    """Keys of the documents that pass, in order."""
    sql, values = compile_filter(parse(tree))
    rows = connection.execute(f"SELECT key FROM document AS d WHERE {sql} ORDER BY key", values)
    return [str(row[0]) for row in rows]


def plan(connection: apsw.Connection, tree: object) -> str:
    """How SQLite would look for the documents of one collection that pass."""
    sql, values = compile_filter(parse(tree))
    query = f"EXPLAIN QUERY PLAN SELECT number FROM document AS d WHERE d.collection = 1 AND {sql}"
    return " / ".join(str(row[3]) for row in connection.execute(query, values))


def test_a_prefix_is_a_range_of_the_index(connection: apsw.Connection) -> None:
    """A prefix of the key is looked up in the index of keys from both sides."""
    assert "key>? AND key<?" in plan(connection, {"key": {"prefix": "/notes/"}})


def test_equality_uses_the_index(connection: apsw.Connection) -> None:
    """One key and a list of keys are looked up, not scanned for."""
    assert "key=?" in plan(connection, {"key": {"eq": "a"}})
    assert "key=?" in plan(connection, {"key": {"in": ["a", "b"]}})


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("a", ["a", "ab", "a\U0010ffff", "a\U0010ffffb"]),
        ("A", ["A"]),
        ("a\U0010ffff", ["a\U0010ffff", "a\U0010ffffb"]),
        ("\U0010ffff", ["\U0010ffff", "\U0010ffff\U0010ffff"]),
        ("\ud7ff", ["\ud7ffz"]),
        ("%", ["%"]),
        ("_", []),
    ],
)
def test_prefixes_end_where_they_should(
    connection: apsw.Connection, prefix: str, expected: list[str]
) -> None:
    """The range of a prefix holds what starts so and nothing else, up to the last code point."""
    for key in ("a", "A", "ab", "a\U0010ffff", "a\U0010ffffb", "b", "%", "\ud7ffz", "\ue000"):
        add(connection, key)
    for key in ("\U0010ffff", "\U0010ffff\U0010ffff", "\U0010fffe"):
        add(connection, key)
    assert keys(connection, {"key": {"prefix": prefix}}) == expected
    assert set(keys(connection, {"title": {"prefix": prefix}})) == set(expected)


def test_no_text_of_the_caller_enters_the_sql(connection: apsw.Connection) -> None:
    """Values, list items and names of metadata are bound; SQL in them is only text."""
    add(connection, HOSTILE, {HOSTILE: HOSTILE, "list": [HOSTILE]}, tags=(HOSTILE,))
    tree = {
        "key": {"eq": HOSTILE, "in": [HOSTILE, "b"], "contains": HOSTILE, "prefix": HOSTILE},
        f"metadata.{HOSTILE}": {"eq": HOSTILE, "in": [HOSTILE, "b"], "gte": HOSTILE},
        "metadata.list": {"contains": HOSTILE},
        "tags": {"contains": HOSTILE},
    }
    sql, values = compile_filter(parse(tree))
    assert "DROP" not in sql
    assert sql.count("?") == len(values)
    assert keys(connection, tree) == [HOSTILE]


def test_a_place_in_the_text_is_not_read_as_a_placeholder_of_python(
    connection: apsw.Connection,
) -> None:
    """Braces in names and values change nothing in how the SQL is put together."""
    add(connection, "{}{0}", {"{}": "{key}"})
    assert keys(connection, {"key": {"eq": "{}{0}"}, "metadata.{}": {"eq": "{key}"}}) == ["{}{0}"]


@pytest.mark.parametrize("name", ["a b", "[0]", "$", "#", "a'b", "é", "東京", "0", "\u2028", "*"])
def test_any_name_of_metadata_is_taken_literally(connection: apsw.Connection, name: str) -> None:
    """Signs that mean something in a JSON path are part of the name here."""
    add(connection, "yes", {name: {name: 1}})
    add(connection, "no", {"other": [1], "a": 1})
    assert keys(connection, {f"metadata.{name}.{name}": {"eq": 1}}) == ["yes"]


def test_a_name_with_a_dot_is_two_names(connection: apsw.Connection) -> None:
    """`metadata.a.b` is b inside a, never a name that holds a dot."""
    add(connection, "dotted", {"a.b": 1})
    add(connection, "nested", {"a": {"b": 1}})
    assert keys(connection, {"metadata.a.b": {"exists": True}}) == ["nested"]


def test_missing_null_and_expired_are_never_null(connection: apsw.Connection) -> None:
    """Every operator gives 0 or 1 on missing, null and composite values."""
    stored: list[object] = [None, {}, [], [[]], "", 0, True, 2**70, -(2**70)]
    for number, item in enumerate(stored):
        add(connection, str(number), {"a": item, "b": [item]})
    add(connection, "missing")
    conditions: list[tuple[str, object]] = [
        *[("eq", item) for item in ("", 0, 1.5, True, None, 2.0**70)],
        *[("in", [item, "z", 5, 1e70]) for item in (None, False)],
        *[(op, item) for op in ("gt", "gte", "lt", "lte") for item in ("", 0, 1.5, 2.0**70)],
        *[("contains", item) for item in ("", 0, True, None, -1e70)],
        *[("exists", True), ("exists", False), ("prefix", ""), ("ne", "x"), ("ne", None)],
    ]
    for field in ("metadata.a", "metadata.b", "metadata.a.b"):
        for op, value in conditions:
            sql, values = compile_filter(parse({field: {op: value}}))
            rows = connection.execute(f"SELECT {sql} FROM document AS d", values)
            assert {row[0] for row in rows} <= {0, 1}, (field, op, value)
    for op in ("eq", "ne", "gt", "gte", "lt", "lte"):
        sql, values = compile_filter(parse({"expires_at": {op: "2026-01-01T00:00:00Z"}}))
        found = {row[0] for row in connection.execute(f"SELECT {sql} FROM document AS d", values)}
        assert found == {int(op == "ne")}


def test_only_an_unset_expiry_and_unset_metadata_are_missing(connection: apsw.Connection) -> None:
    """`exists` is about expiry and metadata; every document has the other fields."""
    add(connection, "bare")
    add(connection, "full", {"a": None}, expires_at=0)
    for field in ("expires_at", "metadata.a"):
        assert keys(connection, {field: {"exists": True}}) == ["full"]
        assert keys(connection, {field: {"exists": False}}) == ["bare"]
    for field in ("id", "key", "title", "tags", "created", "updated"):
        assert keys(connection, {field: {"exists": True}}) == ["bare", "full"]
        assert keys(connection, {field: {"exists": False}}) == []


def test_times_keep_their_microseconds(connection: apsw.Connection) -> None:
    """Neighbouring microseconds far from the epoch are told apart."""
    moment = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc)
    add(connection, "last", created=253_402_300_799_999_999, expires_at=253_402_300_799_999_999)
    add(connection, "before", created=253_402_300_799_999_998, expires_at=-1)
    for field in ("created", "expires_at"):
        assert keys(connection, {field: {"eq": moment}}) == ["last"]
        assert keys(connection, {field: {"in": [moment, "1970-01-01T00:00:00Z"]}}) == ["last"]
        assert keys(connection, {field: {"lt": moment}}) == ["before"]
    assert keys(connection, {"expires_at": {"eq": "1969-12-31T23:59:59.999999Z"}}) == ["before"]


def test_a_column_of_text_never_equals_a_number(connection: apsw.Connection) -> None:
    """SQLite would turn 1 into '1' beside a text column; a filter does not."""
    add(connection, "1", tags=("1",))
    assert keys(connection, {"key": {"eq": 1}}) == []
    assert keys(connection, {"key": {"in": [1, 1.0, True, None]}}) == []
    assert keys(connection, {"key": {"ne": 1}}) == ["1"]
    assert keys(connection, {"key": {"lt": 2}}) == []
    assert keys(connection, {"tags": {"contains": 1}}) == []


def test_the_largest_filters_fit_into_sqlite(connection: apsw.Connection) -> None:
    """The widest, the deepest and the longest filter stay below SQLite's own limits."""
    add(connection, "a", {"a": 1})
    many: list[object] = [-number for number in range(1, 1001)]
    conditions: list[object] = [{"metadata.a": {"in": [*many[:996], "a", None, True, 1e70]}}] * 240
    tree: object = {"or": [*conditions, {"metadata.a": {"eq": 1}}]}
    for _ in range(14):
        tree = {"not": tree}
    assert keys(connection, tree) == ["a"]


def test_the_alias_survives_inside_other_queries(connection: apsw.Connection) -> None:
    """Two compiled filters stand in one statement beside other tables and parameters."""
    add(connection, "a", {"a": ["x"]}, tags=("red",))
    add(connection, "b", {"a": ["x"]}, tags=("blue",))
    left, left_values = compile_filter(parse({"tags": {"contains": "red"}}))
    right, right_values = compile_filter(parse({"metadata.a": {"contains": "x"}}))
    rows = connection.execute(
        "SELECT d.key FROM tag JOIN document AS d ON d.number = tag.document"
        f" WHERE tag.tag <> ? AND {left} AND {right} AND d.created = ?",
        ("blue", *left_values, *right_values, 0),
    )
    assert [row[0] for row in rows] == ["a"]
