"""Change one table of a file by hand, and look whether a check finds it and a repair sets it right.

`python -m tests.faults drift` plants all of them, as often as is asked for, each time in another file.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import apsw
import sqlite_vec

from tests.learnt import turned
from vstash import Memory, NewDocument
from vstash.errors import VstashError
from vstash.replies import Reply, Request
from vstash.wire import to_json

__all__ = ["DRIFTS", "Drift", "Outcome", "base_in", "flaws", "measure", "planted", "tried"]

WORDS: Final = (
    "amber",
    "basil",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "islet",
    "jade",
)
QUERIES: Final = ("amber lamp", "the cedar door", "heron on the islet", "ember")
AWAITED: Final = "(SELECT chunk FROM awaiting LIMIT 1)"
# The document that drifts of documents and chunks are about: three headings, three chunks or more.
D: Final = "(SELECT number FROM document WHERE key = 'notes')"
C: Final = f"(SELECT id FROM chunk WHERE document = {D} AND seq = 1)"
# A document of one chunk, without a heading.
ONE: Final = "(SELECT number FROM document WHERE key = 'doc 2')"


@dataclass(frozen=True, slots=True)
class Drift:
    """Something changed by hand.

    Attributes:
        name: What.
        sql: How.
        code: The finding that names it.
        quick: Whether the quick level finds anything of it, too.
        accept: Whether only its owner can say that the content is right as it is.
        content: Whether texts, titles, tags or metadata are what was changed, or were lost with it.
        searches: Whether searches give the same as before once it is repaired.
        found: False for the one that nothing in a file can tell.
    """

    name: str
    sql: str
    code: str
    quick: bool = False
    accept: bool = False
    content: bool = False
    searches: bool = True
    found: bool = True


def _content(name: str, sql: str, code: str = "text_hash", *, searches: bool = True) -> Drift:
    return Drift(name, sql, code, accept=True, content=True, searches=searches)


def _quick(name: str, sql: str, code: str) -> Drift:
    return Drift(name, sql, code, quick=True)


def _meta(name: str, value: str, *, quick: bool = True) -> Drift:
    sql = f"UPDATE meta SET value = {value} WHERE name = '{name}'"
    return Drift(f"{name} set to {value}", sql, "counter_differs", quick=quick)


DRIFTS: Final[tuple[Drift, ...]] = (
    # content
    _content("a text changed", f"UPDATE text_part SET text = replace(text, 'heron', 'stork') WHERE document = {D}", searches=False),
    _content("a text made longer", f"UPDATE text_part SET text = text || ' more' WHERE document = {D}", "text_length", searches=False),
    _content("a title changed", f"UPDATE document SET title = 'z' WHERE number = {D}", searches=False),
    _content("metadata changed", f"UPDATE document SET metadata = jsonb('{{\"a\":1}}') WHERE number = {D}"),
    _content("a tag removed", f"DELETE FROM tag WHERE document = {D}"),
    _content("a tag added", f"INSERT INTO tag VALUES ({D}, 'extra')"),
    Drift("a hash changed", f"UPDATE document SET digest = zeroblob(32) WHERE number = {D}", "text_hash", accept=True),
    # documents
    Drift("a document's row removed", f"DELETE FROM document WHERE number = {D}", "document_missing", quick=True, content=True, searches=False),
    Drift("a length changed", f"UPDATE document SET char_count = char_count + 5 WHERE number = {D}", "text_length"),
    Drift("a length made too short", f"UPDATE document SET char_count = 5 WHERE number = {D}", "text_length", quick=True),
    _quick("a first chunk changed", f"UPDATE document SET first_chunk = first_chunk + 1 WHERE number = {D}", "document_chunks"),
    _quick("a number of chunks changed", f"UPDATE document SET chunk_count = 1 WHERE number = {D}", "document_chunks"),
    Drift("the parts of a text moved", "UPDATE text_part SET start = start + 7 WHERE document = (SELECT number FROM document WHERE key = 'long') AND start > 0", "text_order"),
    Drift("the parts of a text out of order", "UPDATE text_part SET start = -1 WHERE id = (SELECT max(id) FROM text_part WHERE document = (SELECT number FROM document WHERE key = 'long'))", "text_order"),
    Drift("a collection removed", "DELETE FROM collection WHERE name = 'work'", "collection_missing", quick=True),
    Drift("the default collection removed", "DELETE FROM collection WHERE id = 1", "collection_missing", quick=True),
    # chunks
    Drift("a chunk removed", f"DELETE FROM chunk WHERE id = {C}", "chunk_span", quick=True),
    Drift("the last chunk removed", f"DELETE FROM chunk WHERE id = (SELECT max(id) FROM chunk WHERE document = {D})", "document_chunks", quick=True),
    _quick("all chunks of a document removed", f"DELETE FROM chunk WHERE document = {D}", "chunk_missing"),
    Drift("a span moved", f"UPDATE chunk SET start = start + 3 WHERE id = {C}", "chunk_differs"),
    Drift("a span made wider", f"UPDATE chunk SET start = start - 3 WHERE id = {C}", "chunk_differs"),
    Drift("a span beyond its text", f'UPDATE chunk SET "end" = "end" + 90000 WHERE id = {C}', "chunk_span", quick=True),
    Drift("a heading changed", f"UPDATE chunk SET heading = '[\"Z\"]' WHERE id = {C}", "chunk_differs"),
    _quick("a heading that is no JSON", f"UPDATE chunk SET heading = '[\"Z' WHERE id = {C}", "chunk_span"),
    _quick("a heading of numbers", f"UPDATE chunk SET heading = '[1]' WHERE id = {C}", "chunk_span"),
    _quick("a number of tokens below zero", f"UPDATE chunk SET tokens = -1 WHERE id = {C}", "chunk_span"),
    _quick("chunks in another order", f"UPDATE chunk SET seq = seq + 10 WHERE id = {C}", "chunk_span"),
    _quick("ids to be given again", "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'chunk'", "sequence_low"),
    # words
    _quick("words removed", f"DELETE FROM keyword WHERE rowid = {C}", "words_missing"),
    Drift("words replaced", f"DELETE FROM keyword WHERE rowid = {C}; INSERT INTO keyword (rowid, title, heading, body) VALUES ({C}, 'a', '', 'other words')", "words_differ"),
    Drift("a ghost of words", f"INSERT INTO keyword (rowid, title, heading, body) VALUES ({C}, 'a', '', 'more words')", "words_differ"),
    _quick("words of no chunk", "INSERT INTO keyword (rowid, title, heading, body) VALUES (9999, '', '', 'ghost')", "words_orphaned"),
    _quick("all words removed", "INSERT INTO keyword (keyword) VALUES ('delete-all')", "words_missing"),
    Drift("a segment cut from FTS5's structure", "SPECIAL structure", "words_missing"),
    Drift("FTS5's leaf pages removed", "DELETE FROM keyword_data WHERE id > 1000", "words_damaged"),
    Drift("FTS5's index of pages removed", "DELETE FROM keyword_idx", "words_damaged"),
    Drift("FTS5's length of a chunk changed", f"UPDATE keyword_docsize SET sz = x'010101' WHERE id = {C}", "words_uncounted"),
    _quick("FTS5's number of rows changed", "UPDATE keyword_data SET block = CAST(x'01' || substr(block, 2) AS BLOB) WHERE id = 1", "words_uncounted"),
    Drift("FTS5's version removed", "DELETE FROM keyword_config", "words_damaged"),
    # postings
    Drift("a word's postings removed", "DELETE FROM posting WHERE word = 'heron'", "postings_differ"),
    Drift("a count changed", "UPDATE posting SET counts = x'09' WHERE word = 'heron'", "postings_differ"),
    Drift("postings cut", "UPDATE posting SET ids = substr(ids, 2) WHERE word = 'heron'", "postings_damaged"),
    _quick("the segments removed", "DELETE FROM segment", "reference_broken"),
    Drift("a segment's last chunk too low", "UPDATE segment SET last = first WHERE id = (SELECT min(id) FROM segment)", "segment_differs"),
    Drift("a segment's first chunk too high", "UPDATE segment SET first = last WHERE id = (SELECT min(id) FROM segment)", "segment_differs"),
    Drift("a segment's number of chunks changed", "UPDATE segment SET chunks = 99999", "segment_differs"),
    Drift("a segment's level changed", "UPDATE segment SET level = -1", "segment_differs"),
    Drift("a segment merged into none", "UPDATE segment SET merge_into = 999 WHERE id = (SELECT min(id) FROM segment)", "segment_differs"),
    _quick("lengths removed", "DELETE FROM length_block", "length_differs"),
    Drift("a length of words changed", "UPDATE length_block SET lengths = CAST(substr(lengths, 1, 2) || x'0900' || substr(lengths, 5) AS BLOB)", "length_differs"),
    _quick("lengths of the future", "UPDATE length_block SET changed = 99999", "counter_differs"),
    # vectors
    _quick("a vector removed", f"DELETE FROM vector_1 WHERE chunk = {C}", "vector_missing"),
    Drift("a vector zeroed", f"UPDATE vector_1 SET value = zeroblob(length(value)) WHERE chunk = {C}", "vector_invalid"),
    Drift("a vector that is not finite", f"UPDATE vector_1 SET value = CAST(x'0000c07f' || substr(value, 5) AS BLOB) WHERE chunk = {C}", "vector_invalid"),
    Drift("a vector cut", f"UPDATE vector_1 SET value = substr(value, 1, 100) WHERE chunk = {C}", "vector_invalid"),
    Drift("a vector of another chunk", f"UPDATE vector_1 SET value = (SELECT value FROM vector_1 WHERE chunk <> {C} LIMIT 1) WHERE chunk = {C}", "vector_differs"),
    _quick("a vector of no chunk", f"INSERT INTO vector_1 SELECT 9999, value FROM vector_1 WHERE chunk = {C}", "vector_orphaned"),
    _quick("all vectors removed", "DELETE FROM vector_1", "vector_missing"),
    _quick("a sign code removed", f"DELETE FROM coarse_1 WHERE rowid = {C}", "code_differs"),
    Drift("a sign code changed", f"DELETE FROM coarse_1 WHERE rowid = {C}; INSERT INTO coarse_1 (rowid, code) VALUES ({C}, vec_bit(zeroblob(8)))", "code_differs"),
    _quick("a sign code of no vector", "INSERT INTO coarse_1 (rowid, code) VALUES (9999, vec_bit(zeroblob(8)))", "code_orphaned"),
    Drift("the codes removed", "DELETE FROM code_run", "code_differs"),
    Drift("a code changed", "UPDATE code_run SET high = zeroblob(length(high))", "code_differs"),
    Drift("codes cut", "UPDATE code_run SET high = substr(high, 2)", "codes_damaged"),
    Drift("codes twice", "INSERT INTO code_run SELECT 900, model, counter, level, late, chunks, factors, high, low FROM code_run LIMIT 1", "code_repeated"),
    _quick("codes of the future", "UPDATE code_run SET counter = 99999", "code_run_differs"),
    _quick("codes of another level", "UPDATE code_run SET level = 9", "code_run_differs"),
    _quick("codes of no model", "UPDATE code_run SET model = 9", "reference_broken"),
    _quick("a chunk that awaits forgotten", "DELETE FROM awaiting", "vector_missing"),
    _quick("a chunk that has a vector awaits one", f"INSERT INTO awaiting VALUES ({C})", "awaiting_differs"),
    _quick("no chunk awaits a vector", "INSERT INTO awaiting VALUES (9999)", "reference_broken"),
    Drift("a digest of a passage changed", f"UPDATE passage SET digest = zeroblob(16) WHERE chunk = {C}", "passage_differs"),
    _quick("a digest of no chunk", "INSERT INTO passage VALUES (9999, zeroblob(16))", "reference_broken"),
    _quick("a digest of what awaits removed", f"DELETE FROM passage WHERE chunk = {AWAITED}", "passage_missing"),
    Drift("a digest of what has a vector removed", f"DELETE FROM passage WHERE chunk = {C}", "", found=False),
    # what the file keeps of itself
    *(_meta(name, "value + 1") for name in ("chunk_count", "awaiting_count")),
    *(_meta("chunk_count", value) for value in ("'many'", "-1")),
    _meta("change_counter", "0"),
    *(
        _quick(f"{name} removed", f"DELETE FROM meta WHERE name = '{name}'", "counter_differs")
        for name in ("chunk_count", "awaiting_count", "change_counter", "normaliser", "coder", "code_cursor", "derived_anew")
    ),
    _quick("an unknown number", "INSERT INTO meta VALUES ('ghost', 1)", "counter_differs"),
    _quick("a migration's digest changed", "UPDATE migration SET sha256 = 'x' WHERE version = 1", "migration_differs"),
    _quick("a migration removed", "DELETE FROM migration WHERE version = 2", "migration_differs"),
    _quick("a migration's time removed", "UPDATE migration SET applied_at = 0", "migration_differs"),
    _quick("no model active", "UPDATE model SET active = 0", "model_differs"),
    # schema
    _quick("an index removed", "DROP INDEX tag_name", "schema_differs"),
    _quick("an index changed", "DROP INDEX tag_name; CREATE INDEX tag_name ON tag (tag)", "schema_differs"),
    _quick("a trigger planted", "CREATE TRIGGER ghost AFTER INSERT ON document BEGIN DELETE FROM tag; END", "schema_differs"),
    _quick("a view planted", "CREATE VIEW ghost AS SELECT 1", "schema_differs"),
    *(
        _quick(f"{table} dropped", f"DROP TABLE {table}", "schema_differs")
        for table in ("posting", "length_block", "code_run", "awaiting", "keyword", "keyword_docsize", "keyword_instance", "vector_1", "coarse_1", "meta", "migration", "reply_document", "calibration", "learned", "learned_switch")
    ),
    Drift("an index that lacks rows", "SPECIAL index", "index_differs"),
    # log and feedback
    Drift("a leg that is no JSON", "UPDATE search SET vector_leg = '[[1'", "log_damaged", quick=True, searches=False),
    Drift("an unknown mode", "UPDATE search SET mode = 'x'", "log_damaged", quick=True, searches=False),
    Drift("a disagreement above one", "UPDATE search SET disagreement = 2", "log_damaged", quick=True, searches=False),
    Drift("half of the evidence", "UPDATE search SET gap = NULL, best = 1", "log_damaged", quick=True, searches=False),
    Drift("a search of no collection", "UPDATE search SET collection = 'nowhere'", "reference_broken", quick=True, searches=False),
    _quick("a triple of one chunk", "UPDATE triple SET negative = positive", "triple_damaged"),
    _quick("a triple of no chunk", "UPDATE triple SET negative = 9999", "reference_broken"),
    _quick("a triple of no kind", "UPDATE triple SET kind = 'x'", "triple_damaged"),
    _quick("evidence that is no JSON", "UPDATE triple SET evidence = '{'", "triple_damaged"),
    _quick("feedback on no search", "UPDATE feedback SET search = 9999", "reference_broken"),
    _quick("a made query of no form", "UPDATE made_query SET form = 'poem'", "made_damaged"),
    _quick("a made query without a text", "UPDATE made_query SET query = ''", "made_damaged"),
    _quick("a made query of another document", f"UPDATE made_query SET document = {D}", "made_damaged"),
    _quick("a leg of a made query that is no list", "UPDATE made_query SET vector_leg = '{}'", "made_damaged"),
    _quick("a made query in no time", "UPDATE made_query SET made_at = 9000000000000000000", "made_damaged"),
    _quick("a made triple of one chunk", "UPDATE made_triple SET negative = (SELECT positive FROM made_query WHERE number = made)", "made_damaged"),
    _quick("a made triple without its query", "DELETE FROM made_query", "reference_broken"),
    _quick("numbers of made queries to be given again", "UPDATE sqlite_sequence SET seq = 0 WHERE name = 'made_query'", "sequence_low"),
    _quick("feedback on another document", f"UPDATE feedback SET document = {D}", "feedback_differs"),
    _quick("feedback in no time", "UPDATE feedback SET at = 9000000000000000000", "feedback_differs"),
    _quick("a calibration that is no JSON", "UPDATE calibration SET weights = '[1'", "calibration_damaged"),
    _quick("learnt factors that are none", "UPDATE learned SET parameters = x'00' WHERE learner = 'fusion'", "learned_damaged"),
    _quick("a learnt map cut", "UPDATE learned SET parameters = substr(parameters, 1, 40) WHERE learner = 'adapter'", "learned_damaged"),
    _quick("a learnt map of another dimension", "UPDATE learned SET parameters = CAST(x'565341310100000000000000' || zeroblob(4) AS BLOB) WHERE learner = 'adapter'", "learned_damaged"),
    _quick("a decision that is none", "UPDATE learned SET decision = '[1]'", "learned_damaged"),
    _quick("something learnt of no collection", "UPDATE learned SET collection = 99", "reference_broken"),
    _quick("a switch to nothing", 'UPDATE learned_switch SET "after" = 99', "reference_broken"),
    # what services keep
    _quick("a reply that is no JSON", "UPDATE reply SET body = '{'", "reply_damaged"),
    _quick("a reply of no status", "UPDATE reply SET status = 7", "reply_damaged"),
    _quick("a reply without its document", "DELETE FROM reply_document", "reply_unlinked"),
    _quick("a key in no time", "UPDATE access_key SET created = 9000000000000000000", "key_damaged"),
    _quick("a key without a name", "UPDATE access_key SET name = ''", "key_damaged"),
    _quick("a job that never ended", "UPDATE job SET finished = NULL WHERE state = 'done'", "job_damaged"),
    _quick("a job that cannot be read", "UPDATE job SET request = '[]'", "job_damaged"),
)  # fmt: skip


@dataclass(slots=True)
class Outcome:
    """What came of one drift."""

    found: list[str] = field(default_factory=list)
    quickly: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    searches: bool = False
    seconds: float = 0.0
    error: str = ""


def made(path: Path, seed: int = 1) -> None:
    """A file with all that a file can hold, closed."""
    rng = random.Random(seed)

    def words(count: int) -> str:
        return " ".join(rng.choice(WORDS) for _ in range(count))

    notes = (
        f"# Doors\n\nThe cedar door opens. {words(400)}.\n\n# Lamps\n\nThe amber lamp is lit. "
        f"{words(400)}.\n\n# Birds\n\nA heron on the islet. {words(400)}.\n"
    )
    folder = path.parent / f"{path.stem}-folder"
    folder.mkdir()
    (folder / "one.md").write_text("# One\n\nA file that a job reads.", encoding="utf-8")
    with Memory(path, model="fake") as memory:
        memory.add(notes, key="notes", title="Notes", tags=["a", "b"], metadata={"n": 1})
        memory.add(words(6_000), key="long", title="Long", tags=["a"])
        memory.add_batch(
            [
                NewDocument(f"{word} {words(30)}", key=f"doc {n}", title=word, metadata={"n": n})
                for n, word in enumerate(WORDS)
            ]
        )
        memory.add(" ".join(f"w{n}" for n in range(1500)), key="words", title="Words")
        memory.add("Work in the grove.", key="plan", collection="work", tags=["w"])
        memory.add("This one awaits its vector.", key="later", embed="later")
        found = memory.search("amber lamp")
        memory.feedback(found.id, found.hits[-1].chunk.id, "helpful")
        memory.search("heron")
        memory.label({"q": "the amber lamp"}, {"q": {"doc 0": 1}})
        request = Request("", "key", b"\1" * 32)
        memory.once(
            request,
            lambda: memory.add("told", key="told"),
            lambda document: Reply(201, {}, json.dumps(to_json(document))),
        )
        memory.create_key("laptop")
        job = memory.start_ingest(folder)
        memory.work_in_background()
        while not memory.job(job.id).ended:
            time.sleep(0.01)
    turned(path, "fusion", "adapter", neutral=True)
    with planted(path) as connection:
        connection.execute(
            "DELETE FROM triple; INSERT INTO triple (search, positive, negative, kind, evidence) "
            "SELECT max(number), 1, 2, 'dense_blind_spot', '{}' FROM search; "
            "INSERT INTO made_triple (made, negative, kind, evidence) "
            "SELECT number, CASE positive WHEN 1 THEN 2 ELSE 1 END, 'dense_blind_spot', '{}' FROM made_query; "
            "INSERT INTO calibration VALUES (1, '[1,1,1,1,1,1]', 60, 1)"
        )


def planted(path: Path) -> closing[apsw.Connection]:
    """A connection that may break every rule."""
    connection = apsw.Connection(str(path))
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_vec.loadable_path()))  # type: ignore[no-untyped-call]
    connection.execute("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
    return closing(connection)


def plant(path: Path, drift: Drift) -> None:
    """Change the file."""
    if drift.sql == "SPECIAL index":
        _cut_index(path)
        return
    with planted(path) as connection:
        if drift.sql == "SPECIAL structure":
            _cut_structure(connection)
        else:
            connection.execute(drift.sql)


def _cut_structure(connection: apsw.Connection) -> None:
    """Take FTS5's newest segment out of its structure record, as a lost write would.

    The record: 4 bytes of a cookie, a mark of its version, the numbers of levels, segments and writes,
    then levels of segments. The one of an index that was never written to is sound, and empty.
    """
    empty = apsw.Connection(":memory:")
    empty.execute("CREATE VIRTUAL TABLE k USING fts5(x, content='', contentless_delete=1)")
    record = next(empty.execute("SELECT block FROM k_data WHERE id = 10"))[0]
    connection.execute("UPDATE keyword_data SET block = ? WHERE id = 10", (record,))


def _cut_index(path: Path) -> None:
    """Change a table while its index is hidden from SQLite, so that the index does not follow."""
    hide = "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'search_at'"
    with planted(path) as connection:
        row = next(connection.execute("SELECT * FROM sqlite_schema WHERE name = 'search_at'"))
        connection.execute(hide)
    with planted(path) as connection:
        connection.execute("UPDATE search SET at = at + 1")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", row)


def state(memory: Memory) -> dict[str, object]:
    """Every document by its key: text, title, tags, metadata."""
    return {
        document.key: (
            memory.get(document.id).text,
            document.title,
            document.tags,
            document.metadata,
        )
        for collection in memory.collections()
        for document in memory.list(collection=collection.name, limit=1000).items
    }


def searched(memory: Memory) -> list[list[tuple[str | None, int, float]]]:
    """What searches give: whose chunks, and how sure."""
    return [
        [
            (hit.document.key, hit.chunk.seq, round(hit.score, 4))
            for hit in memory.search(query, mode=mode, log=False, k=20).hits
        ]
        for query in QUERIES
        for mode in ("hybrid", "keyword", "vector")
    ]


@dataclass(frozen=True, slots=True)
class Base:
    """A file to plant drifts in: where it is, what it holds, and what searches in it give."""

    path: Path
    held: dict[str, object]
    hits: list[list[tuple[str | None, int, float]]]


def base_in(folder: Path, seed: int = 1) -> Base:
    """A sound file with all that a file can hold."""
    path, copy = folder / "base.db", folder / "copy.db"
    made(path, seed)
    shutil.copy(path, copy)
    with Memory(copy, model="fake") as memory:
        # A repair embeds what awaits a vector, too.
        memory.embed()
        return Base(path, state(memory), searched(memory))


def tried(base: Base, drift: Drift, path: Path, *, repair: bool = True) -> Outcome:
    """Plant one drift in a copy of a file, check, repair, and compare.

    Args:
        base: The file, closed.
        drift: What to change.
        path: Where the copy goes.
        repair: False leaves the drift, for the control.
    """
    start = time.monotonic()
    outcome = Outcome()
    shutil.copy(base.path, path)
    plant(path, drift)
    try:
        with Memory(path, model="fake") as memory:
            outcome.quickly = [each.code for each in memory.check(level="quick").findings]
            if repair:
                report = memory.repair(accept_content=drift.accept)
                outcome.found = [each.code for each in report.found]
                outcome.left = [each.code for each in report.left]
            else:
                outcome.found = [each.code for each in memory.check().findings]
        with Memory(path, model="fake") as memory:
            memory.embed()
            outcome.after = [each.code for each in memory.check().findings]
            now = state(memory)
            outcome.changed = sorted(
                key for key in {*base.held, *now} if base.held.get(key) != now.get(key)
            )
            outcome.searches = searched(memory) == base.hits
    except VstashError as error:
        outcome.error = f"{error.code}: {error}"
    outcome.seconds = time.monotonic() - start
    return outcome


def flaws(drift: Drift, outcome: Outcome) -> list[str]:
    """What was not as it should be, a word each; none for a drift that was found and repaired."""
    return [
        name
        for name, wrong in (
            (f"error {outcome.error}", bool(outcome.error)),
            ("not found", (drift.code in outcome.found) != drift.found),
            ("not found quickly", drift.quick and not outcome.quickly),
            ("left", bool(outcome.left or outcome.after)),
            ("content changed", bool(outcome.changed) and not drift.content),
            ("searches changed", drift.searches and not outcome.searches),
        )
        if wrong
    ]


def measure(count: int, seed: int) -> dict[str, object]:
    """Plant drifts, each once before any comes again in another file.

    Args:
        count: How many.
        seed: Of the files and the order.
    """
    rng = random.Random(seed)
    drifts: list[Drift] = []
    while len(drifts) < count:
        drifts += rng.sample(DRIFTS, len(DRIFTS))
    found: dict[str, list[str]] = {}
    quick = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = base_in(folder, seed)
        for number, drift in enumerate(drifts[:count]):
            if number and not number % len(DRIFTS):
                again = folder / str(number)
                again.mkdir()
                base = base_in(again, seed + number)
            outcome = tried(base, drift, folder / f"{number}.db")
            quick += bool(outcome.quickly)
            if wrong := flaws(drift, outcome):
                found[drift.name] = wrong
        control = tried(base, Drift("untouched", "SELECT 1", "", found=False), folder / "c.db")
        plain = [drift for drift in drifts[:count] if drift.found and not drift.accept][:5]
        unrepaired = [
            tried(base, drift, folder / f"u{number}.db", repair=False)
            for number, drift in enumerate(plain)
        ]
    return {
        "drifts": len({drift.name for drift in drifts[:count]}),
        "undetectable": sum(not drift.found for drift in drifts[:count]),
        "found_quickly": quick,
        "wrong": found,
        "control_untouched": control.found + control.after,
        "control_unrepaired": sum(bool(each.after or each.error) for each in unrepaired),
        "control_unrepaired_of": len(unrepaired),
    }
