"""The SQL of a filter and its plain meaning in Python agree on every document."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import apsw
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vstash.filters import matches, parse
from vstash.store.filter_sql import compile_filter

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SCHEMA = """
CREATE TABLE document (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, key TEXT NOT NULL, title TEXT NOT NULL,
    metadata BLOB NOT NULL CHECK (json_valid(metadata, 4)), created INTEGER NOT NULL,
    updated INTEGER NOT NULL, expires_at INTEGER
) STRICT;
CREATE TABLE tag (
    document INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (document, tag)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Row:
    """A document as far as filters see it."""

    id: str
    key: str
    title: str
    tags: tuple[str, ...]
    created: datetime
    updated: datetime
    expires_at: datetime | None
    metadata: dict[str, object]


# Few and colliding, so that conditions hold about as often as not.
TEXTS = [
    "",
    "a",
    "ab",
    "b",
    "B",
    "é",
    "e\u0301",
    "1",
    "1.0",
    "true",
    "null",
    "[1]",
    "\ud7ff",
    "\ue000",
]
TEXTS += [
    "\U0010ffff",
    "a\U0010ffff",
    "\U0010ffff\U0010ffffz",
    "\uffff",
    '"',
    "'",
    "\\",
    "%",
    "_",
    "東京",
]
NUMBERS: list[float] = [
    0,
    1,
    -1,
    0.0,
    -0.0,
    1.0,
    0.1,
    1e300,
    -1e300,
    5e-324,
    1e22,
    2.0**63,
    -(2.0**63),
]
NUMBERS += [2**53, 2**53 + 1, 2.0**53, 2**63 - 1, -(2**63), 2.0**64, -(2.0**64), 1e30]
HUGE = [
    2**63,
    -(2**63) - 1,
    2**64,
    -(2**64),
    2**64 + 1,
    int(1e30),
    10**30,
    int(1e300),
    10**400,
    -(10**400),
]
NAMES = ["a", "b", "é", "a b", "0", "[0]", "$", "A"]

clean = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
texts = st.one_of(st.sampled_from(TEXTS), clean)
small = st.integers(-(2**63), 2**63 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.one_of(st.sampled_from(NUMBERS), small, finite)
scalars = st.one_of(texts, numbers, st.booleans(), st.none())
stored_scalars = st.one_of(
    scalars, st.sampled_from(HUGE), st.integers(-(2**80), 2**80), st.just("a\0b")
)
zones = st.sampled_from(
    [timezone.utc, timezone(timedelta(hours=14)), timezone(timedelta(hours=-9, minutes=-30))]
)
moments = st.one_of(
    st.sampled_from([EPOCH, EPOCH - timedelta(microseconds=1), EPOCH.replace(year=2026)]),
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=zones),  # noqa: DTZ001 - bounds are naive
)
stored = st.recursive(
    stored_scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=6,
)
rows = st.builds(
    Row,
    id=texts,
    key=texts,
    title=texts,
    tags=st.lists(texts, max_size=3, unique=True).map(tuple),
    created=moments,
    updated=moments,
    expires_at=st.none() | moments,
    metadata=st.dictionaries(st.sampled_from(NAMES) | clean, stored, max_size=4),
)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map(
    lambda names: ".".join(["metadata", *names])
)


ordered = texts | numbers
value_operators: dict[str, st.SearchStrategy[object]] = {
    "eq": scalars,
    "ne": scalars,
    "in": st.lists(scalars, min_size=1, max_size=5),
    "gt": ordered,
    "gte": ordered,
    "lt": ordered,
    "lte": ordered,
    "exists": st.booleans(),
    "contains": scalars,
    "prefix": texts,
}
times = st.one_of(moments, moments.map(datetime.isoformat))
time_operators: dict[str, st.SearchStrategy[object]] = {
    **dict.fromkeys(["eq", "ne", "gt", "gte", "lt", "lte"], times),
    "in": st.lists(times, min_size=1, max_size=3),
    "exists": st.booleans(),
}
text_fields = st.sampled_from(["id", "key", "title"])
time_fields = st.sampled_from(["created", "updated", "expires_at"])
tag_operators: dict[str, st.SearchStrategy[object]] = {
    "contains": scalars,
    "exists": st.booleans(),
}
KINDS: list[tuple[st.SearchStrategy[str], dict[str, st.SearchStrategy[object]]]] = [
    (paths, value_operators),
    (paths, value_operators),
    (text_fields, value_operators),
    (st.just("tags"), tag_operators),
    (time_fields, time_operators),
    (st.just("expires_at"), time_operators),
]


@st.composite
def fields(draw: st.DrawFn) -> dict[str, object]:
    """An object of one or two fields with one or two operators each."""
    tree: dict[str, object] = {}
    for names, operators in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2)):
        chosen = draw(st.lists(st.sampled_from(sorted(operators)), min_size=1, max_size=2))
        tree[draw(names)] = {op: draw(operators[op]) for op in chosen}
    return tree


trees = st.recursive(
    fields(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"and": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"or": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)


def microseconds(moment: datetime) -> int:
    """What the file stores for an instant."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def by_sql(row: Row, tree: object) -> object:
    """What SQLite says, for the document stored as the program stores it."""
    connection = apsw.Connection(":memory:")
    try:
        connection.execute(SCHEMA)
        text = json.dumps(row.metadata, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        expires_at = None if row.expires_at is None else microseconds(row.expires_at)
        connection.execute(
            "INSERT INTO document VALUES (1, ?, ?, ?, jsonb(?), ?, ?, ?)",
            (
                *(row.id, row.key, row.title, text),
                *(microseconds(row.created), microseconds(row.updated), expires_at),
            ),
        )
        # The content hash is made of the text, which must come back as it was.
        assert connection.execute("SELECT json(metadata) FROM document").get == text
        connection.executemany("INSERT INTO tag VALUES (1, ?)", [(tag,) for tag in row.tags])
        sql, values = compile_filter(parse(tree))
        chosen = connection.execute(f"SELECT number FROM document AS d WHERE {sql}", values).get
        value = connection.execute(f"SELECT {sql} FROM document AS d", values).get
        assert (chosen == 1) is (value == 1), "the planner and the plain evaluation differ"
        return value
    finally:
        connection.close()


def by_python(row: Row, tree: object) -> bool:
    """What the reference says."""
    return matches(
        parse(tree),
        id=row.id,
        key=row.key,
        title=row.title,
        tags=row.tags,
        created=row.created,
        updated=row.updated,
        expires_at=row.expires_at,
        metadata=row.metadata,
    )


def plain(**metadata: object) -> Row:
    """A document of which only the metadata matters."""
    return Row("i", "k", "t", ("x",), EPOCH, EPOCH, None, metadata)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(row=rows, tree=trees)
@example(row=plain(a=2**53 + 1), tree={"metadata.a": {"eq": 2.0**53}})
@example(row=plain(a=-(2**63) - 1), tree={"metadata.a": {"lt": -(2**63)}})
@example(row=plain(a=-(2**63) - 1), tree={"metadata.a": {"eq": -(2.0**63)}})
@example(row=plain(a=10**30), tree={"metadata.a": {"lt": 1e30}})
@example(row=plain(a=int(1e30)), tree={"metadata.a": {"in": [1e30, 2]}})
@example(row=plain(a=[int(1e30)]), tree={"metadata.a": {"contains": 1e30}})
@example(row=plain(a=10**400), tree={"metadata.a": {"gt": 1e308}})
@example(row=plain(a=-0.0), tree={"metadata.a": {"eq": 0}})
@example(row=plain(a=True), tree={"metadata.a": {"eq": 1}})
@example(row=plain(a=[1, True]), tree={"metadata.a": {"eq": "[1,true]"}})
def test_sql_and_python_agree(row: Row, tree: object) -> None:
    """For any document and any filter, SQL gives 1 where Python says True and 0 elsewhere."""
    assert by_sql(row, tree) == int(by_python(row, tree))


@settings(max_examples=300, deadline=None)
@given(
    number=st.sampled_from(HUGE) | st.integers(-(2**1030), 2**1030) | small,
    op=st.sampled_from(["eq", "gt", "gte", "lt", "lte"]),
    value=numbers,
)
def test_numbers_of_any_size_compare_exactly(number: int, op: str, value: float) -> None:
    """A stored integer of any size compares with a filter's number without rounding, in both."""
    tree = {"metadata.a": {op: value}}
    expected = {
        "eq": number == value,
        "gt": number > value,
        "gte": number >= value,
        "lt": number < value,
        "lte": number <= value,
    }[op]
    assert by_python(plain(a=number), tree) is expected
    assert by_sql(plain(a=number), tree) == int(expected)


@settings(max_examples=300, deadline=None)
@given(row=rows, tree=trees)
def test_not_is_the_opposite(row: Row, tree: object) -> None:
    """A document passes exactly one of a filter and its negation, in SQL and in Python."""
    assert by_python(row, {"not": tree}) is not by_python(row, tree)
    assert {by_sql(row, {"not": tree}), by_sql(row, tree)} == {0, 1}
