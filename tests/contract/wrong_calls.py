"""The table of calls that every interface must refuse, with the one error that each deserves."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.contract.interface import KINDS, Interface, Kind

__all__ = ["WRONG_CALLS", "Wrong"]

_UNKNOWN_ID: Final = "0198c0de-5a4b-7c3d-8e2f-1a2b3c4d5e6f"
_NO_CLI: Final[tuple[Kind, ...]] = ("memory", "rest", "client")
# The command line could carry these as well, but reads them just as it reads the case beside them,
# and every one would cost a process.
_AS_ABOVE: Final[tuple[Kind, ...]] = _NO_CLI
_NO_REST: Final[tuple[Kind, ...]] = ("memory", "cli")
# What is not JSON is refused before anybody asks what it means.
_MALFORMED: Final[Mapping[Kind, str]] = {"rest": "request_invalid", "client": "request_invalid"}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A call that must be refused.

    Attributes:
        name: Of the case.
        call: What to do with the interface and the id of the document that is there.
        code: Of the error.
        pointer: The field that the error names.
        kinds: Interfaces that can carry it.
        instead: Codes of interfaces that refuse it before `Memory` sees it.
        settings: In force.
    """

    name: str
    call: Callable[[Interface, str], object]
    code: str
    pointer: str | None
    kinds: tuple[Kind, ...] = KINDS
    instead: Mapping[Kind, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


def _add(text: str = "Fine.", **fields: Any) -> Callable[[Interface, str], object]:
    return lambda interface, _: interface.add(text, **fields)


def _search(query: str = "fine", **fields: Any) -> Callable[[Interface, str], object]:
    return lambda interface, _: interface.search(query, **fields)


def _context(query: str = "fine", **fields: Any) -> Callable[[Interface, str], object]:
    return lambda interface, _: interface.context(query, **fields)


def _why_not(query: str = "fine", **fields: Any) -> Callable[[Interface, str], object]:
    return lambda interface, _: interface.why_not(query, **fields)


def _list(**fields: Any) -> Callable[[Interface, str], object]:
    return lambda interface, _: interface.list(**fields)


def _log(**fields: Any) -> Callable[[Interface, str], object]:
    return lambda interface, _: interface.disagreements(**fields)


def _feedback(
    search_id: str = _UNKNOWN_ID, chunk_id: object = 1, verdict: str = "cited"
) -> Callable[[Interface, str], object]:
    return lambda interface, _: interface.feedback(search_id, chunk_id, verdict)


def _update(**fields: Any) -> Callable[[Interface, str], object]:
    return lambda interface, kept: interface.update(kept, **fields)


def _replace(text: str, **fields: Any) -> Callable[[Interface, str], object]:
    return lambda interface, kept: interface.replace(kept, text, **fields)


def _chunk(number: int) -> Callable[[Interface, str], object]:
    return lambda interface, _: interface.get_chunk(number)


def _nested(depth: int, name: str, inner: object) -> dict[str, object]:
    tree: object = inner
    for _ in range(depth):
        tree = {name: tree}
    assert isinstance(tree, dict)
    return tree


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_TEXT: Final = (
    Wrong("empty text", _add(""), "text_invalid", "/text"),
    Wrong("blank text", _add(" \t\n\u2003"), "text_invalid", "/text", kinds=_AS_ABOVE),
    Wrong("text with NUL", _add("a\0b"), "text_invalid", "/text"),
    Wrong("text with surrogate", _add("a\ud800b"), "text_invalid", "/text", instead=_MALFORMED),
    Wrong(
        "text too long",
        _add("x" * 21),
        "text_invalid",
        "/text",
        settings={"max_text_chars": "20"},
    ),
    Wrong("update to empty text", _update(text=" "), "text_invalid", "/text"),
    Wrong("replacement by nothing", _replace(""), "text_invalid", "/text", kinds=_NO_CLI),
)
_NAMES: Final = (
    Wrong("title too long", _add(title="x" * 1001), "field_invalid", "/title"),
    Wrong("title with NUL", _add(title="a\0b"), "field_invalid", "/title", kinds=_NO_CLI),
    Wrong(
        "title with surrogate",
        _add(title="a\udc80b"),
        "field_invalid",
        "/title",
        instead=_MALFORMED,
    ),
    Wrong(
        "update to long title",
        _update(title="x" * 1001),
        "field_invalid",
        "/title",
        kinds=_AS_ABOVE,
    ),
    Wrong("empty key", _add(key=""), "field_invalid", "/key"),
    Wrong("key too long", _add(key="k" * 4097), "field_invalid", "/key", kinds=_AS_ABOVE),
    Wrong("key with NUL", _add(key="a\0b"), "field_invalid", "/key", kinds=_NO_CLI),
    Wrong("empty tag", _add(tags=("fine", "")), "field_invalid", "/tags/1"),
    Wrong("tag with spaces", _add(tags=(" a",)), "field_invalid", "/tags/0"),
    Wrong("tag too long", _update(tags=("t" * 201,)), "field_invalid", "/tags/0", kinds=_AS_ABOVE),
    Wrong("too many tags", _add(tags=[f"t{n}" for n in range(101)]), "field_invalid", "/tags"),
    Wrong("empty collection", _add(collection=""), "field_invalid", "/collection"),
    Wrong("collection with colon", _add(collection="a:b"), "field_invalid", "/collection"),
    Wrong(
        "collection as path",
        _search(collection="../x"),
        "field_invalid",
        "/collection",
        kinds=_AS_ABOVE,
    ),
    Wrong(
        "collection too long",
        _list(collection="c" * 101),
        "field_invalid",
        "/collection",
        kinds=_AS_ABOVE,
    ),
)
_METADATA: Final = (
    Wrong("metadata as list", _add(metadata=[1]), "field_invalid", "/metadata", kinds=_NO_CLI),
    Wrong(
        "metadata too deep",
        _add(metadata=_nested(17, "a", 1)),
        "field_invalid",
        "/metadata" + "/a" * 17,
    ),
    Wrong(
        "metadata with NaN",
        _add(metadata={"a": float("nan")}),
        "field_invalid",
        "/metadata/a",
        kinds=_NO_CLI,
        instead=_MALFORMED,
    ),
    Wrong("metadata with NUL", _add(metadata={"a": ["\0"]}), "field_invalid", "/metadata/a/0"),
    Wrong(
        "metadata with 2^63",
        _add(metadata={"a": 2**63}),
        "field_invalid",
        "/metadata/a",
        kinds=_AS_ABOVE,
    ),
    Wrong(
        "metadata too large",
        _update(metadata={"a": "x" * 100}),
        "field_invalid",
        "/metadata",
        settings={"max_metadata_bytes": "100"},
    ),
    Wrong("time in words", _add(expires_at="tomorrow"), "field_invalid", "/expires_at"),
    Wrong(
        "time without zone",
        _update(expires_at="2030-01-01T00:00:00"),
        "field_invalid",
        "/expires_at",
        kinds=_AS_ABOVE,
    ),
    Wrong(
        "time before the calendar",
        _add(expires_at="0001-01-01T00:00:00+14:00"),
        "field_invalid",
        "/expires_at",
    ),
    Wrong(
        "time after the calendar",
        _add(expires_at="9999-12-31T23:59:59-14:00"),
        "field_invalid",
        "/expires_at",
        kinds=_AS_ABOVE,
    ),
)
_FILTERS: Final = (
    Wrong("filter as list", _list(filter=[1]), "filter_invalid", "/filter"),
    Wrong("filter as list in a search", _search(filter=[1]), "filter_invalid", "/filter"),
    Wrong("empty filter", _search(filter={}), "filter_invalid", "/filter"),
    Wrong("filter without operator", _search(filter={"key": "a"}), "filter_invalid", "/filter/key"),
    Wrong(
        "filter on unknown field",
        _search(filter={"author": {"eq": "a"}}),
        "filter_invalid",
        "/filter/author",
    ),
    Wrong(
        "filter with unknown operator",
        _list(filter={"and": [{"key": {"like": "a"}}]}),
        "filter_invalid",
        "/filter/and/0/key/like",
        kinds=_AS_ABOVE,
    ),
    Wrong(
        "filter of wrong type",
        _list(filter={"metadata.n": {"gt": True}}),
        "filter_invalid",
        "/filter/metadata.n/gt",
        kinds=_AS_ABOVE,
    ),
    Wrong(
        "filter with NUL",
        _search(filter={"title": {"eq": "\0"}}),
        "filter_invalid",
        "/filter/title/eq",
    ),
    Wrong(
        "filter too deep",
        _search(filter=_nested(16, "not", {"key": {"eq": "a"}})),
        "filter_invalid",
        "/filter" + "/not" * 16,
        kinds=_AS_ABOVE,
    ),
)
_SEARCHES: Final = (
    Wrong("empty query", _search(""), "query_invalid", "/query"),
    Wrong("blank query", _search(" \n\u3000"), "query_invalid", "/query", kinds=_AS_ABOVE),
    Wrong(
        "query too long",
        _search("x" * 11),
        "query_invalid",
        "/query",
        settings={"max_query_chars": "10"},
    ),
    Wrong("k of 0", _search(k=0), "query_invalid", "/k"),
    Wrong("k of 1001", _search(k=1001), "query_invalid", "/k", kinds=_AS_ABOVE),
    Wrong("k in words", _search(k="ten"), "query_invalid", "/k"),
    Wrong("unknown mode", _search(mode="semantic"), "query_invalid", "/mode"),
    Wrong("unknown strategy", _search(strategy="best"), "query_invalid", "/strategy"),
    Wrong(
        "search in unknown collection",
        _search(collection="nowhere"),
        "collection_not_found",
        "/collection",
    ),
)
_RELEVANCE: Final = (
    Wrong("relevance above 1", _search(min_relevance=1.5), "query_invalid", "/min_relevance"),
    Wrong("relevance below 0", _search(min_relevance=-0.1), "query_invalid", "/min_relevance"),
    Wrong("relevance in words", _search(min_relevance="much"), "query_invalid", "/min_relevance"),
    Wrong(
        "relevance as a truth value",
        _search(min_relevance=True),
        "query_invalid",
        "/min_relevance",
        kinds=_NO_CLI,
    ),
    Wrong(
        "relevance of NaN",
        _search(min_relevance=float("nan")),
        "query_invalid",
        "/min_relevance",
        instead=_MALFORMED,
    ),
    Wrong(
        "relevance of one leg",
        _search(mode="vector", min_relevance=0.5),
        "query_invalid",
        "/min_relevance",
    ),
    Wrong(
        "relevance of ranks",
        _search(strategy="rrf", min_relevance=0.5),
        "query_invalid",
        "/min_relevance",
    ),
    Wrong(
        "relevance with ranks by setting",
        _search(min_relevance=0.5),
        "query_invalid",
        "/min_relevance",
        settings={"strategy": "adaptive-rrf"},
        kinds=_NO_CLI,
    ),
)
_SHAPES: Final = (
    Wrong("unknown collapse", _search(collapse="key"), "query_invalid", "/collapse"),
    Wrong("unknown mmr", _search(mmr="between"), "query_invalid", "/mmr"),
    Wrong("mmr_lambda of 2", _search(mmr_lambda=2), "query_invalid", "/mmr_lambda"),
    Wrong("mmr_lambda in words", _search(mmr_lambda="half"), "query_invalid", "/mmr_lambda"),
    Wrong(
        "mmr_lambda of NaN",
        _search(mmr_lambda=float("nan")),
        "query_invalid",
        "/mmr_lambda",
        instead=_MALFORMED,
    ),
    Wrong(
        "folding in words",
        _search(fold_duplicates="yes"),
        "query_invalid",
        "/fold_duplicates",
        kinds=_NO_CLI,
    ),
    Wrong(
        "half-life of 0",
        _search(recency_half_life_days=0),
        "query_invalid",
        "/recency_half_life_days",
    ),
    Wrong(
        "half-life without end",
        _search(recency_half_life_days=1e300),
        "query_invalid",
        "/recency_half_life_days",
        kinds=_AS_ABOVE,
    ),
)
_CONTEXTS: Final = (
    Wrong("why not nothing", _why_not(), "field_invalid", "/document"),
    Wrong("why not two things", _why_not(key="a", chunk=1), "field_invalid", "/document"),
    Wrong("why not chunk 0", _why_not(chunk=0), "field_invalid", "/chunk"),
    Wrong("why not an empty key", _why_not(key=""), "field_invalid", "/key"),
    Wrong("why not an unknown key", _why_not(key="no"), "document_not_found", "/key"),
    Wrong(
        "why not an unknown id",
        _why_not(document=_UNKNOWN_ID),
        "document_not_found",
        "/document",
        kinds=_AS_ABOVE,
    ),
    Wrong("why not an unknown chunk", _why_not(chunk=2**40), "chunk_not_found", "/chunk"),
    Wrong("why not an empty query", _why_not(" ", key="a"), "query_invalid", "/query"),
    Wrong(
        "why not in an unknown collection",
        _why_not(key="a", collection="nowhere"),
        "collection_not_found",
        "/collection",
    ),
    Wrong("context for nothing", _context(" "), "query_invalid", "/query"),
    Wrong("context of 0 tokens", _context(max_tokens=0), "query_invalid", "/max_tokens"),
    Wrong("context in words", _context(max_tokens="all"), "query_invalid", "/max_tokens"),
    Wrong(
        "context too large",
        _context(max_tokens=1_000_001),
        "query_invalid",
        "/max_tokens",
        kinds=_AS_ABOVE,
    ),
    Wrong("context of 201 hits", _context(k=201), "query_invalid", "/k"),
    Wrong("context in unknown order", _context(order="best"), "query_invalid", "/order"),
    Wrong(
        "context with unknown mmr", _context(mmr="all"), "query_invalid", "/mmr", kinds=_AS_ABOVE
    ),
    Wrong("widening in words", _context(widen="yes"), "query_invalid", "/widen", kinds=_NO_CLI),
    Wrong("context with an empty filter", _context(filter={}), "filter_invalid", "/filter"),
    Wrong(
        "context in unknown collection",
        _context(collection="nowhere"),
        "collection_not_found",
        "/collection",
    ),
    Wrong(
        "missing tokenizer",
        _context(tokenizer="no-such-folder/tokenizer.json"),
        "path_not_found",
        "/tokenizer",
        kinds=_NO_REST,
    ),
    Wrong(
        "missing tokenizer in the settings",
        _context(),
        "settings_invalid",
        None,
        settings={"context_tokenizer": "no-such-folder/tokenizer.json"},
    ),
)
_LISTINGS: Final = (
    Wrong(
        "listing of unknown collection",
        _list(collection="nowhere"),
        "collection_not_found",
        "/collection",
    ),
    Wrong("limit of 0", _list(limit=0), "query_invalid", "/limit"),
    Wrong("limit of 1001", _log(limit=1001), "query_invalid", "/limit", kinds=_AS_ABOVE),
    Wrong("limit in words", _list(limit="all"), "query_invalid", "/limit"),
    Wrong("cursor of noise", _list(cursor="%&?é"), "cursor_invalid", "/cursor"),
    Wrong("cursor of the log", _list(cursor=_cursor("searches:1")), "cursor_invalid", "/cursor"),
    Wrong(
        "cursor of documents in the log",
        _log(cursor=_cursor("documents:1")),
        "cursor_invalid",
        "/cursor",
        kinds=_AS_ABOVE,
    ),
)
_UNKNOWN: Final = (
    Wrong(
        "unknown id", lambda interface, _: interface.get(_UNKNOWN_ID), "document_not_found", "/id"
    ),
    Wrong(
        "unknown key",
        lambda interface, _: interface.get_by_key("no such key"),
        "document_not_found",
        "/key",
    ),
    Wrong(
        "update of unknown id",
        lambda interface, _: interface.update(_UNKNOWN_ID, title="New"),
        "document_not_found",
        "/id",
    ),
    Wrong(
        "deletion of unknown id",
        lambda interface, _: interface.delete(_UNKNOWN_ID),
        "document_not_found",
        "/id",
    ),
    Wrong("unknown chunk", _chunk(999), "chunk_not_found", "/chunk_id"),
    Wrong("chunk of 0", _chunk(0), "field_invalid", "/chunk_id"),
    Wrong("chunk of 2^63", _chunk(2**63), "field_invalid", "/chunk_id", kinds=_AS_ABOVE),
    Wrong(
        "missing path",
        lambda interface, _: interface.ingest(["no-such-folder/no-such-file.md"]),
        "path_not_found",
        "/paths",
        kinds=_NO_REST,
    ),
)
_FEEDBACK: Final = (
    Wrong("feedback on unknown search", _feedback(), "search_not_found", "/search_id"),
    Wrong("feedback on no search", _feedback(""), "field_invalid", "/search_id"),
    Wrong(
        "feedback on search with NUL",
        _feedback("a\0b"),
        "field_invalid",
        "/search_id",
        kinds=_NO_CLI,
    ),
    Wrong("feedback on chunk 0", _feedback(chunk_id=0), "field_invalid", "/chunk_id"),
    Wrong("feedback on chunk in words", _feedback(chunk_id="x"), "field_invalid", "/chunk_id"),
    Wrong("unknown verdict", _feedback(verdict="great"), "field_invalid", "/verdict"),
    Wrong(
        "cursor of the log among judged searches",
        lambda interface, _: interface.judged_searches(cursor=_cursor("searches:1")),
        "cursor_invalid",
        "/cursor",
    ),
    Wrong(
        "judged searches by 0",
        lambda interface, _: interface.judged_searches(limit=0),
        "query_invalid",
        "/limit",
        kinds=_AS_ABOVE,
    ),
)
WRONG_CALLS: Final = (
    *_TEXT,
    *_NAMES,
    *_METADATA,
    *_FILTERS,
    *_SEARCHES,
    *_RELEVANCE,
    *_SHAPES,
    *_CONTEXTS,
    *_LISTINGS,
    *_UNKNOWN,
    *_FEEDBACK,
)
