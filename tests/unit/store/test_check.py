"""The check finds every drift that can be planted, each under its own code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw
import numpy as np
import pytest
import sqlite_vec

from vstash import CheckReport, Memory, NewDocument
from vstash.errors import StoreCorruptError
from vstash.store.connection import fetch
from vstash.store.keyword import insert_words

TEXTS = {
    "a": "# Doors\n\nThe cedar door opens on the port side.\n\n# Lamps\n\nThe amber lamp is lit.",
    "b": "Basil grows beside the amber wall. " * 40,
    "c": "A heron stands on the islet.",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed file with documents, tags, a log and triples; the last chunk awaits a vector."""
    target = tmp_path / "x.db"
    with Memory(target, model="fake") as memory:
        memory.add_batch(
            [NewDocument(text, key=key, title=key, tags=["t"]) for key, text in TEXTS.items()]
        )
        memory.add("The jade window is open.", key="d", title="d")
        memory.add("Delta and ember wait.", key="e", title="e", embed="later")
        memory.search("amber lamp on the wall")
    with planted(target) as connection:
        connection.execute(
            "INSERT INTO triple (search, positive, negative, kind, evidence) "
            "SELECT max(number), 1, 2, 'dense_blind_spot', '{}' FROM search"
        )
        connection.execute(
            "INSERT INTO feedback (search, document, chunk, verdict, at) "
            "SELECT max(number), 1, 1, 'cited', 1 FROM search"
        )
    return target


def planted(path: Path) -> closing[apsw.Connection]:
    """A connection that may break every rule."""
    connection = apsw.Connection(str(path))
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_vec.loadable_path()))  # type: ignore[no-untyped-call]
    connection.execute("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
    return closing(connection)


def checked(path: Path) -> CheckReport:
    """What the check says."""
    with Memory(path, model="fake") as memory:
        return memory.check()


@dataclass(frozen=True)
class Drift:
    """Something planted by hand; the first code must name it, the others may."""

    name: str
    sql: str
    codes: tuple[str, ...]


def drift(name: str, sql: str, *codes: str) -> Drift:
    """A drift made by SQL alone."""
    return Drift(name, sql, codes)


DRIFTS = [
    drift("text changed", "UPDATE text_part SET text = replace(text, 'heron', 'stork')",
          "text_hash", "chunk_differs", "passage_differs", "words_differ", "postings_differ"),
    drift("text longer", "UPDATE text_part SET text = text || '!' WHERE document = 3",
          "text_length", "text_hash", "chunk_span"),
    drift("text lost", "DELETE FROM text_part WHERE document = 3",
          "text_length", "text_hash", "chunk_span", "chunk_differs", "passage_differs", "words_differ", "words_uncounted", "postings_differ", "length_differs"),
    drift("title changed", "UPDATE document SET title = 'z' WHERE number = 1",
          "text_hash", "chunk_differs", "passage_differs", "words_differ", "postings_differ"),
    drift("metadata changed", "UPDATE document SET metadata = jsonb('{\"a\":1}') WHERE number = 1",
          "text_hash"),
    drift("tag deleted", "DELETE FROM tag WHERE document = 1", "text_hash"),
    drift("tag added", "INSERT INTO tag VALUES (1, 'extra')", "text_hash"),
    drift("all chunks of a document deleted", "DELETE FROM chunk WHERE document = 3",
          "chunk_missing", "counter_differs", "reference_broken", "words_orphaned", "words_uncounted", "length_orphaned", "vector_orphaned", "code_differs"),
    drift("a chunk in the middle deleted", "DELETE FROM chunk WHERE document = 2 AND seq = 0",
          "chunk_span", "counter_differs", "reference_broken", "document_chunks", "words_orphaned", "words_uncounted", "length_orphaned", "vector_orphaned", "code_differs"),
    drift("span moved", "UPDATE chunk SET start = start + 3 WHERE document = 3",
          "words_differ", "chunk_span", "chunk_differs", "passage_differs", "words_uncounted", "postings_differ", "length_differs"),
    drift("span beyond the text", 'UPDATE chunk SET "end" = "end" + 900 WHERE document = 3',
          "chunk_span"),
    drift("heading changed", "UPDATE chunk SET heading = '[\"Z\"]' WHERE document = 3",
          "words_differ", "chunk_differs", "passage_differs", "words_uncounted", "postings_differ", "length_differs"),
    drift("words deleted", "DELETE FROM keyword WHERE rowid = 1", "words_missing", "words_uncounted"),
    drift("words replaced",
          "DELETE FROM keyword WHERE rowid = 1; INSERT INTO keyword (rowid, title, heading, body) "
          "VALUES (1, 'a', '', 'other words')", "words_differ", "words_uncounted"),
    drift("words in another order",
          "DELETE FROM keyword WHERE rowid = (SELECT id FROM chunk WHERE document = 3); "
          "INSERT INTO keyword (rowid, title, heading, body) "
          "SELECT id, 'c', '', 'heron a stand on the islet' FROM chunk WHERE document = 3",
          "words_differ"),
    drift("words of no chunk",
          "INSERT INTO keyword (rowid, title, heading, body) VALUES (999, '', '', 'ghost')",
          "words_orphaned", "words_uncounted"),
    drift("all words deleted", "INSERT INTO keyword (keyword) VALUES ('delete-all')",
          "words_missing", "words_uncounted"),
    drift("vector deleted", "DELETE FROM vector_1 WHERE chunk = 1",
          "vector_missing", "code_orphaned"),
    drift("vector zeroed", "UPDATE vector_1 SET value = zeroblob(length(value)) WHERE chunk = 1",
          "vector_invalid", "vector_differs", "code_differs"),
    drift("vector of another chunk",
          "UPDATE vector_1 SET value = (SELECT value FROM vector_1 WHERE chunk = 2) "
          "WHERE chunk = 1", "code_differs", "vector_differs"),
    drift("vector cut", "UPDATE vector_1 SET value = substr(value, 1, 100) WHERE chunk = 1",
          "vector_invalid", "code_differs", "file_damaged"),
    drift("vector of no chunk",
          "INSERT INTO vector_1 SELECT 999, value FROM vector_1 WHERE chunk = 1",
          "vector_orphaned", "code_differs", "reference_broken"),
    drift("all codes deleted", "DELETE FROM code_run", "code_differs"),
    drift("codes of a run deleted", "DELETE FROM code_run WHERE id = 2", "code_differs"),
    drift("signs in a run changed", "UPDATE code_run SET high = zeroblob(length(high))",
          "code_differs"),
    drift("second bits in a run changed", "UPDATE code_run SET low = zeroblob(length(low))",
          "code_differs"),
    drift("factors in a run changed", "UPDATE code_run SET factors = zeroblob(length(factors))",
          "code_differs"),
    drift("codes under other chunks",
          "UPDATE code_run SET chunks = CAST(x'e7030000' || substr(chunks, 5) AS BLOB)",
          "code_differs"),
    drift("codes in a run cut", "UPDATE code_run SET high = substr(high, 2) WHERE id = 1",
          "codes_damaged", "code_differs"),
    drift("factors in a run cut", "UPDATE code_run SET factors = substr(factors, 5) WHERE id = 1",
          "codes_damaged", "code_differs"),
    drift("chunks of a run cut", "UPDATE code_run SET chunks = substr(chunks, 2) WHERE id = 1",
          "codes_damaged", "code_differs"),
    drift("run without chunks", "UPDATE code_run SET chunks = x'', factors = x'' WHERE id = 1",
          "codes_damaged", "code_differs"),
    drift("run of another dimension",
          "UPDATE code_run SET high = CAST(high || high AS BLOB), low = CAST(low || low AS BLOB) "
          "WHERE id = 1", "codes_damaged", "code_differs"),
    drift("runs of another dimension",
          "UPDATE code_run SET high = CAST(high || high AS BLOB), low = CAST(low || low AS BLOB)",
          "code_differs"),
    drift("run twice",
          "INSERT INTO code_run SELECT 900, model, counter, level, late, chunks, factors, high, low "
          "FROM code_run WHERE id = 1", "code_repeated"),
    drift("run of no model", "UPDATE code_run SET model = 9 WHERE id = 1",
          "reference_broken", "code_differs", "code_run_differs"),
    drift("chunk awaits a vector that it has", "INSERT INTO awaiting VALUES (1); "
          "UPDATE meta SET value = value + 1 WHERE name = 'awaiting_count'", "awaiting_differs"),
    drift("chunk that awaits is forgotten", "DELETE FROM awaiting; "
          "UPDATE meta SET value = 0 WHERE name = 'awaiting_count'", "vector_missing"),
    drift("chunk that awaits is not counted", "DELETE FROM awaiting",
          "counter_differs", "vector_missing"),
    drift("no chunk awaits a vector", "INSERT INTO awaiting VALUES (999); "
          "UPDATE meta SET value = value + 1 WHERE name = 'awaiting_count'", "reference_broken", "passage_missing"),
    drift("awaiting counter changed",
          "UPDATE meta SET value = value + 1 WHERE name = 'awaiting_count'", "counter_differs"),
    drift("awaiting counter lost", "DELETE FROM meta WHERE name = 'awaiting_count'",
          "counter_differs"),
    drift("passage of no chunk", "INSERT INTO passage VALUES (999, zeroblob(16))",
          "reference_broken"),
    drift("code deleted", "DELETE FROM coarse_1 WHERE rowid = 1", "code_differs"),
    drift("code changed",
          "DELETE FROM coarse_1 WHERE rowid = 1; INSERT INTO coarse_1 (rowid, code) "
          "VALUES (1, vec_bit(zeroblob(8)))", "code_differs"),
    drift("code of no vector",
          "INSERT INTO coarse_1 (rowid, code) VALUES (999, vec_bit(zeroblob(8)))",
          "code_orphaned"),
    drift("counter changed", "UPDATE meta SET value = value + 1 WHERE name = 'chunk_count'",
          "counter_differs"),
    drift("counter lost", "DELETE FROM meta WHERE name = 'chunk_count'", "counter_differs"),
    drift("triple about no chunk", "UPDATE triple SET negative = 999", "reference_broken"),
    drift("triple of no search", "UPDATE triple SET search = 999", "reference_broken"),
    drift("feedback on no search", "UPDATE feedback SET search = 999", "reference_broken"),
    drift("feedback on no chunk", "UPDATE feedback SET chunk = 999", "reference_broken"),
    drift("feedback on no document", "UPDATE feedback SET document = 999",
          "reference_broken", "feedback_differs"),
    drift("feedback on another document", "UPDATE feedback SET document = 2", "feedback_differs"),
    drift("feedback lost", "DROP TABLE feedback", "table_damaged", "table_missing", "schema_differs"),
    drift("document of no collection", "UPDATE document SET collection = 9 WHERE number = 1",
          "collection_missing"),
    drift("chunk of no document", "DELETE FROM document WHERE number = 3",
          "document_missing", "words_orphaned", "words_uncounted"),
    drift("postings of a word deleted", "DELETE FROM posting WHERE word = 'amber'",
          "postings_differ"),
    drift("all postings deleted", "DELETE FROM posting", "postings_differ"),
    drift("segment deleted", "DELETE FROM segment", "reference_broken"),
    drift("count changed", "UPDATE posting SET counts = x'09' WHERE word = 'heron'",
          "postings_differ"),
    drift("posting of another chunk", "UPDATE posting SET ids = x'0101000000' WHERE word = 'heron'",
          "postings_differ"),
    drift("posting of another word", "UPDATE posting SET word = 'stork' WHERE word = 'heron'",
          "postings_differ"),
    drift("posting twice",
          "INSERT INTO segment (id, level) VALUES (900, 0); INSERT INTO posting "
          "SELECT 900, word, ids, counts FROM posting WHERE word = 'heron'", "postings_differ", "segment_differs"),
    drift("ids cut", "UPDATE posting SET ids = substr(ids, 2) WHERE word = 'heron'",
          "postings_damaged", "postings_differ"),
    drift("counts too many", "UPDATE posting SET counts = x'0101' WHERE word = 'heron'",
          "postings_damaged", "postings_differ"),
    drift("ids of no width",
          "UPDATE posting SET ids = CAST(x'03' || substr(ids, 2) AS BLOB) WHERE word = 'heron'",
          "postings_damaged", "postings_differ"),
    drift("ids beyond all chunks", "UPDATE posting SET ids = x'01ffffffff' WHERE word = 'heron'",
          "postings_damaged", "postings_differ"),
    drift("lengths deleted", "DELETE FROM length_block", "length_differs", "postings_differ",
          "postings_damaged"),
    drift("lengths zeroed", "UPDATE length_block SET lengths = zeroblob(8192)", "length_differs"),
    drift("length of no chunk",
          "INSERT INTO length_block VALUES (3, 1, CAST(x'0500' || zeroblob(8190) AS BLOB))",
          "length_orphaned"),
]  # fmt: skip


def test_an_untouched_file_has_no_findings(path: Path) -> None:
    """The control: everything counted, nothing found."""
    report = checked(path)
    assert report.findings == ()
    assert report.ok
    assert report.documents == 5
    assert report.chunks == 6


@pytest.mark.parametrize("case", DRIFTS, ids=lambda case: case.name.replace(" ", "-"))
def test_a_drift_is_found(path: Path, case: Drift) -> None:
    """What was changed by hand in one table is found, under its code and under no foreign one."""
    with planted(path) as connection:
        for statement in case.sql.split(";"):
            connection.execute(statement)
    found = {finding.code for finding in checked(path).findings}
    assert case.codes[0] in found
    assert found <= set(case.codes)


def test_a_ghost_in_the_keyword_index_is_found(path: Path) -> None:
    """Words inserted twice under one chunk, the trap of contentless tables, are seen."""
    with planted(path) as connection:
        insert_words(connection, [(1, ("a", "", "more words"))])
    assert [finding.code for finding in checked(path).findings] == [
        "words_differ",
        "words_uncounted",
    ]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_not_finite_is_found(path: Path, value: float) -> None:
    """NaN and infinity in a stored vector are named."""
    with planted(path) as connection:
        (blob,) = fetch(connection, "SELECT value FROM vector_1 WHERE chunk = 1")[0]
        vector = np.frombuffer(blob, dtype="<f4").copy()
        vector[3] = value
        connection.execute("UPDATE vector_1 SET value = ? WHERE chunk = 1", (bytes(vector),))
    found = {finding.code for finding in checked(path).findings}
    assert "vector_invalid" in found


def test_text_that_is_not_utf8_is_found(path: Path) -> None:
    """A stored text that cannot be decoded is a finding, without the text."""
    with planted(path) as connection:
        connection.execute(
            "UPDATE text_part SET text = CAST(x'68ff656c6c6f' AS TEXT) WHERE document = 3"
        )
    findings = {finding.code: finding for finding in checked(path).findings}
    assert "value_damaged" in findings
    assert "ello" not in str(findings)


def test_a_finding_counts_all_and_names_some(path: Path) -> None:
    """The count is of every row, the examples are few, and no stored text is among them."""
    with planted(path) as connection:
        connection.execute("INSERT INTO keyword (keyword) VALUES ('delete-all')")
    report = checked(path)
    finding = report.findings[0]
    assert finding.code == "words_missing"
    assert finding.count == report.chunks
    assert len(finding.examples) == min(5, report.chunks)
    assert all(example.isdigit() for example in finding.examples)


def test_damaged_pages_end_the_check(path: Path) -> None:
    """Where SQLite itself finds damage, that is the finding, and nothing is compared with it."""
    with planted(path) as connection:
        pages = connection.pragma("page_count")
    whole = bytearray(path.read_bytes())
    size = len(whole) // int(str(pages))
    for page in range(2, int(str(pages))):
        whole[page * size : page * size + 40] = os.urandom(40)
    path.write_bytes(bytes(whole))
    try:
        codes = [finding.code for finding in checked(path).findings]
    except StoreCorruptError:
        codes = ["file_damaged"]
    assert codes == ["file_damaged"]


@pytest.fixture
def memory(path: Path) -> Iterator[Memory]:
    """The same file, open."""
    with Memory(path, model="fake") as opened:
        yield opened


@pytest.mark.parametrize(
    "work",
    [
        lambda memory: memory.add(TEXTS["a"] + " more", key="a"),
        lambda memory: memory.update(key="b", title="new", tags=["x"]),
        lambda memory: memory.update(key="b", metadata={"a": {"b": [1, None]}}),
        lambda memory: memory.delete(key="b"),
        lambda memory: memory.delete(key="e"),
        lambda memory: memory.add("ember alone", key="e", embed="later"),
        lambda memory: memory.add_batch(
            [NewDocument(f"amber {n}", key=str(n)) for n in range(40)], embed="later"
        ),
        lambda memory: memory.embed(),
        lambda memory: memory.add("東京 naïve ﬁ \U0001f600 HTTPServer2 " * 99, key="d"),
    ],
    ids=[
        "replace",
        "title",
        "metadata",
        "delete",
        "delete-awaiting",
        "replace-awaiting",
        "awaiting",
        "embed",
        "unicode",
    ],
)
def test_after_every_kind_of_write_the_check_is_clean(
    memory: Memory, work: Callable[[Memory], object]
) -> None:
    """No write of ours leaves a finding."""
    work(memory)
    assert memory.check().findings == ()


def test_many_small_writes_leave_no_finding(memory: Memory) -> None:
    """Runs and segments that were merged, with removals and late vectors among them, agree."""
    for number in range(60):
        later = number % 3 == 0
        memory.add(f"amber {number} lamp", key=str(number % 40), embed="later" if later else "now")
        if number % 7 == 0:
            memory.delete(key=str(number % 40))
        if number % 20 == 0:
            memory.embed()
            assert memory.check().findings == ()
    assert memory.check().findings == ()
    memory.embed()
    assert memory.check().findings == ()
