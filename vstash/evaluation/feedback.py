"""What people said of answers, as a judged set: queries, and the documents that helped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vstash.errors import EvaluationError
from vstash.evaluation.judged import JudgedQuery, JudgedSet, judged_set
from vstash.feedback import JudgedSearch
from vstash.memory import Memory

__all__ = ["from_feedback"]

_PAGE: Final = 1000


def from_feedback(memory: Memory, *, collection: str | None = None) -> JudgedSet:
    """The searches of a file that got feedback: what helped or was cited is relevant.

    The last verdict on a document counts; that somebody opened it says nothing. Searches with the same
    text and collection count together; those whose text was not kept are left out.

    Args:
        memory: The file.
        collection: Only searches of this one; None for all.

    Raises:
        EvaluationError: When no search has an answer that helped.
    """
    found: dict[tuple[str, str], dict[str, int]] = {}
    for search in _oldest_first(memory):
        judged = [each for each in search.verdicts if each.verdict != "opened"]
        if judged and search.query is not None and collection in {None, search.collection}:
            grades = found.setdefault((search.query, search.collection), {})
            for verdict in sorted(judged, key=lambda each: each.at):
                grades[verdict.document_key] = int(verdict.verdict != "not_helpful")
    if not found:
        raise EvaluationError(
            "No search has feedback yet: `vstash feedback` or `Memory.feedback` gives some."
        )
    queries = [
        JudgedQuery(str(number), text, grades, collection=name)
        for number, ((text, name), grades) in enumerate(found.items(), start=1)
    ]
    return judged_set("feedback", queries)


def _oldest_first(memory: Memory) -> Iterator[JudgedSearch]:
    pages: list[tuple[JudgedSearch, ...]] = []
    cursor: str | None = None
    while True:
        page = memory.judged_searches(limit=_PAGE, cursor=cursor)
        pages.append(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    for items in reversed(pages):
        yield from reversed(items)
