"""The JSON form of values."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path, PurePosixPath

import pytest

from vstash import (
    CheckReport,
    Chunk,
    Disagreement,
    Document,
    Finding,
    Hit,
    LegEntry,
    Memory,
    NewDocument,
    Page,
    SearchResult,
    Stats,
    Triple,
)
from vstash.errors import FieldError, StoreForeignError, TextError
from vstash.times import time_text
from vstash.wire import error_json, parse_time, to_json

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=timezone.utc)


def test_times_are_utc_to_the_microsecond() -> None:
    """Whatever the zone, the text is UTC with six digits, also far from today."""
    assert time_text(MOMENT) == "2026-01-02T03:04:05.678901Z"
    east = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert time_text(east) == time_text(MOMENT)
    assert time_text(MOMENT.replace(microsecond=0)) == "2026-01-02T03:04:05.000000Z"


@pytest.mark.parametrize(
    "moment",
    [MOMENT, datetime(999, 1, 2, tzinfo=timezone.utc), datetime(1, 1, 1, tzinfo=timezone.utc)],
)
def test_a_time_survives_the_round_trip(moment: datetime) -> None:
    """What was written is read as the same moment."""
    assert parse_time(time_text(moment), pointer="/t") == moment


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.678901z",
             "2026-01-02T05:04:05.678901+02:00"]
)  # fmt: skip
def test_offsets_are_read(text: str) -> None:
    """Z, z and an offset mean the same moment."""
    assert parse_time(text, pointer="/t") == MOMENT


@pytest.mark.parametrize(
    "text",
    ["", "Z", "yesterday", "2026-13-01T00:00:00Z", "2026-01-02T03:04:05", "2026-01-02", "\ud800Z"],
)
def test_a_time_that_cannot_be_read_is_named(text: str) -> None:
    """Malformed text and a missing offset raise at the field."""
    with pytest.raises(FieldError) as caught:
        parse_time(text, pointer="/expires_at")
    assert caught.value.pointer == "/expires_at"


def document(text: str | None = None) -> Document:
    """A document with every kind of value."""
    return Document(
        *("id", "key", "default", "", {"a": [1, None, {"b": True}]}, ("t",), "hash"),
        *(MOMENT, MOMENT, None, 1, 4, "etag", text),
    )


def test_a_document_without_text_has_no_text() -> None:
    """A listing leaves text out; other absent values are null."""
    shown = to_json(document())
    assert isinstance(shown, dict)
    assert "text" not in shown
    assert shown["expires_at"] is None
    assert (shown["tags"], shown["metadata"]) == (["t"], {"a": [1, None, {"b": True}]})
    assert "chunks" not in shown
    whole = to_json(replace(document("body"), chunks=()))
    assert isinstance(whole, dict)
    assert whole["text"] == "body"
    assert list(whole) == [field.name for field in fields(Document)]


def test_a_hit_shows_its_explanation_only_where_asked() -> None:
    """An absent explanation is left out, an absent rank is null."""
    chunk = Chunk(1, "id", 0, "body", ("H",), 0, 4, 1)
    shown = to_json(Hit(1.5, chunk, document(), None, 2, None, 0.0, 0.75, "high"))
    assert isinstance(shown, dict)
    assert "explanation" not in shown
    assert (shown["vector_rank"], shown["keyword_rank"]) == (None, 2)
    assert shown["keyword_score"] == 0.0
    assert (shown["relevance"], shown["tier"]) == (0.75, "high")


def test_every_reply_of_memory_is_json(tmp_path: Path) -> None:
    """Whatever Memory returns becomes text that JSON reads back."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        added = memory.add_batch([NewDocument("the amber lamp", key="k")])
        replies: list[object] = [
            *(
                list(added),
                memory.get(key="k"),
                memory.list(),
                memory.search("amber", explain=True),
            ),
            *(memory.stats(), memory.check(), memory.disagreements(texts=True)),
            *(memory.search("amber", mode="keyword"), memory.ingest(tmp_path)),
            memory.feedback(memory.search("amber").id, 1, "cited"),
            *(memory.judged_searches(), memory.get(key="k", include=("chunks",))),
            *(memory.chunks(key="k"), memory.around(1), memory.collections()),
            *(memory.compact(), memory.repair(), memory.delete_collection("default", dry_run=True)),
        ]
        for reply in replies:
            text = json.dumps(to_json(reply), allow_nan=False)
            assert json.loads(text) is not None
        kinds = {type(reply) for reply in replies}
        assert {Page, SearchResult, Stats, CheckReport} <= kinds


def test_nested_values_keep_their_names() -> None:
    """Field names of dataclasses are the names in JSON, at every depth."""
    report = CheckReport("full", (Finding("code", "message", 2, ("1",)),), 1, 2, 0.5)
    assert to_json(report) == {
        "level": "full",
        "findings": [{"code": "code", "message": "message", "count": 2, "examples": ["1"]}],
        "documents": 1,
        "chunks": 2,
        "seconds": 0.5,
    }
    assert to_json({"path": PurePosixPath("/a/b"), "leg": [LegEntry(1, 0.5)]}) == {
        "path": "/a/b",
        "leg": [{"chunk_id": 1, "score": 0.5}],
    }


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), Document, range(3)])
def test_what_no_interface_returns_has_no_form(value: object) -> None:
    """A value without a JSON form is a defect, told at once."""
    with pytest.raises(TypeError):
        to_json(value)


def test_an_error_is_shown_with_its_path_only_here() -> None:
    """A remote reader gets the message, a local one the detail; the pointer only where it is."""
    error = StoreForeignError("Not ours.", local_detail="/home/ada/x.db")
    remote = error_json(error, local=False)
    assert remote == {
        "code": "store_foreign",
        "status": 500,
        "retryable": False,
        "detail": "Not ours.",
    }
    assert error_json(error, local=True)["detail"] == "Not ours. (/home/ada/x.db)"
    assert error_json(TextError("Empty.", pointer="/text"), local=False)["pointer"] == "/text"


def test_triples_and_disagreements_have_a_form() -> None:
    """What the log shows is complete in JSON."""
    triple = Triple("q", 1, 2, "dense_blind_spot", {"a": 1})
    shown = to_json(triple)
    assert isinstance(shown, dict)
    assert list(shown) == [field.name for field in fields(Triple)]
    assert {field.name for field in fields(Disagreement)} >= {"search_id", "triples", "vector_leg"}
