"""Pages and their cursors."""

from __future__ import annotations

from typing import Any

import pytest

from vstash import Memory, NewDocument
from vstash.errors import CursorError, QueryError
from vstash.pipeline.paging import decode_cursor, encode_cursor, page_limit


@pytest.mark.parametrize("number", [0, 1, 41, 10**17])
def test_a_cursor_names_its_place(number: int) -> None:
    """What is encoded is decoded, by the same listing only."""
    cursor = encode_cursor("documents", number)
    assert decode_cursor("documents", cursor) == number
    with pytest.raises(CursorError):
        decode_cursor("searches", cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "=", "é", "documents:4", "ZG9jdW1lbnRz", "ZG9jdW1lbnRzOg", "\ud800", "a\0"),
        *(encode_cursor("documents", -1), encode_cursor("documents", 10**18 * 10), "A" * 5000, 3),
        *(None, b"ZG9jdW1lbnRzOjQ", "ZG9jdW1lbnRzOtmn"),
    ],
)
def test_anything_else_is_no_cursor(cursor: Any) -> None:
    """A made-up cursor raises CursorError, whatever it is."""
    with pytest.raises(CursorError) as caught:
        decode_cursor("documents", cursor)
    assert caught.value.pointer == "/cursor"


@pytest.mark.parametrize("limit", [0, -1, 1001, True, 2.0, "5", None])
def test_a_limit_is_an_integer_in_range(limit: Any) -> None:
    """Everything but 1 to 1,000 raises."""
    with pytest.raises(QueryError):
        page_limit(limit)
    assert (page_limit(1), page_limit(1000)) == (1, 1000)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_hold_every_document_once(memory: Memory, limit: int) -> None:
    """Following the cursors gives all documents in the order of creation, and then ends."""
    memory.add_batch([NewDocument(f"text {number}", key=str(number)) for number in range(7)])
    memory.add("text 2 again", key="2")
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        page = memory.list(limit=limit, cursor=cursor)
        assert 1 <= len(page.items) <= limit
        seen += [document.key for document in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [str(number) for number in range(7)]


def test_a_cursor_outlives_its_document(memory: Memory) -> None:
    """What is deleted between two pages leaves the rest in place."""
    for number in range(6):
        memory.add(f"text {number}", key=str(number))
    first = memory.list(limit=3)
    memory.delete(key="2")
    memory.delete(key="3")
    rest = memory.list(limit=3, cursor=first.next_cursor)
    assert [document.key for document in rest.items] == ["4", "5"]
    assert rest.next_cursor is None


def test_the_log_is_paged_from_the_newest(memory: Memory) -> None:
    """Logged searches come newest first, with cursors of their own."""
    memory.add("the amber lamp")
    for number in range(5):
        memory.search(f"lamp {number}")
    first = memory.disagreements(limit=2)
    second = memory.disagreements(limit=2, cursor=first.next_cursor)
    third = memory.disagreements(limit=2, cursor=second.next_cursor)
    queries = [item.query for page in (first, second, third) for item in page.items]
    assert queries == [f"lamp {number}" for number in (4, 3, 2, 1, 0)]
    assert third.next_cursor is None
    with pytest.raises(CursorError):
        memory.list(cursor=first.next_cursor)
