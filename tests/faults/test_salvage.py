"""Out of a damaged file comes a new one, which holds what could be read and says what could not."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

import vstash
from tests.faults.migrate_loop import unpacked
from tests.legacy import make
from vstash import Memory, SalvageProgress, VstashError
from vstash.embed.fake import FakeEmbedder

LONG = "The cedar door is open. " * 1500
PAGE = 8192


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a short and a long document, feedback and a key."""
    made = tmp_path / "x.db"
    with Memory(made, model="fake") as memory:
        memory.add("The port is 8090.", key="port", tags=["ops"], metadata={"n": 1})
        memory.add(LONG, key="long", title="Doors", collection="other")
        found = memory.search("port")
        memory.feedback(found.id, found.hits[0].chunk.id, "helpful")
        memory.create_key("laptop")
    return made


def damaged(path: Path, *statements: str) -> None:
    """Run SQL on the file, as vstash never would."""
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("schema", make.COMMITS)
def test_a_sound_file_of_any_schema_comes_out_as_it_was(tmp_path: Path, schema: int) -> None:
    """Documents, log and feedback are those of a migration; chunks and vectors too where they can be told right."""
    old, saved = tmp_path / "old" / "x.db", tmp_path / "saved.db"
    unpacked(schema, old)
    before = old.read_bytes()
    report = vstash.salvage(old, saved, model="fake")
    assert (report.documents, report.wrong_pages, report.log) == ((), 0, "none")
    with Memory(old, model="fake") as memory:
        migrated = make.expected(memory, max(make.COMMITS))
    with Memory(saved, model="fake") as memory:
        seen = make.expected(memory, max(make.COMMITS))
        assert memory.check().findings == ()
    assert [item for item in seen["documents"] if item not in migrated["documents"]] == []
    assert len(seen["documents"]) == report.whole == len(migrated["documents"])
    assert seen["logged"] == migrated["logged"]
    if schema > 1:
        assert report.rechunked == 0
        assert (seen["chunks"], seen["verdicts"]) == (migrated["chunks"], migrated["verdicts"])
        assert seen["stats"] == migrated["stats"]
    else:
        assert report.rechunked > 0
    assert before[:16] == b"SQLite format 3\0"


def test_a_destroyed_beginning_hides_nothing(path: Path, tmp_path: Path) -> None:
    """Without its first page, which names all tables, every document is read."""
    whole = path.read_bytes()
    path.write_bytes(bytes(PAGE) + whole[PAGE:])
    with pytest.raises(VstashError):
        Memory(path, model="fake")
    assert vstash.salvage(path, tmp_path / "saved.db", model="fake").whole == 2
    assert path.read_bytes() == bytes(PAGE) + whole[PAGE:]
    with Memory(tmp_path / "saved.db", model="fake") as memory:
        assert memory.get(key="long", collection="other").text == LONG


def test_what_stands_in_the_log_only_is_saved(path: Path, tmp_path: Path) -> None:
    """A file that is still open, or whose process was killed, has its last writes beside it."""
    with Memory(path, model="fake") as memory:
        memory.add("The port is 9090.", key="port")
        report = vstash.salvage(path, tmp_path / "saved.db", model="fake")
    assert (report.whole, report.log) == (2, "read")
    with Memory(tmp_path / "saved.db", model="fake") as memory:
        assert memory.get(key="port").text == "The port is 9090."


@pytest.mark.parametrize(
    ("statement", "reason", "characters"),
    [
        ("DELETE FROM text_part WHERE start = 8000", "its content", 28_000),
        ("UPDATE text_part SET text = replace(text, 'door', 'moor')", "its content", 36_000),
        ("UPDATE document SET title = 'Moors' WHERE number = 2", "its content", 36_000),
        ("INSERT INTO tag VALUES (2, 'moors')", "its content", 36_000),
        ("DELETE FROM text_part WHERE document = 2", "its text is lost", 0),
    ],
)
def test_each_loss_is_told(
    path: Path, tmp_path: Path, statement: str, reason: str, characters: int
) -> None:
    """What is not what its hash says is reported with what could be read, and not stored; the other is whole."""
    damaged(path, statement)
    report = vstash.salvage(path, tmp_path / "saved.db", model="fake")
    (told,) = report.documents
    assert (told.key, told.collection, told.status) == ("long", "other", "damaged")
    assert told.reason.startswith(reason)
    assert (told.characters, told.stored, report.whole) == (characters, False, 1)
    with Memory(tmp_path / "saved.db", model="fake") as memory:
        assert memory.stats().documents == 1
        assert memory.check().findings == ()


def test_a_row_that_is_lost_is_known_by_its_indexes(path: Path, tmp_path: Path) -> None:
    """Where the page of documents is destroyed, ids and keys are told from what points at it."""
    with closing(apsw.Connection(str(path))) as connection:
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'document'"
        root = int(connection.execute(sql).get)
        ids = [row[0] for row in connection.execute("SELECT id FROM document ORDER BY number")]
    whole = path.read_bytes()
    path.write_bytes(whole[: (root - 1) * PAGE] + bytes(PAGE) + whole[root * PAGE :])
    report = vstash.salvage(path, tmp_path / "saved.db", model="fake")
    assert [(told.id, told.key, told.collection) for told in report.documents] == [
        (ids[0], "port", "default"),
        (ids[1], "long", "other"),
    ]
    assert {told.reason for told in report.documents} == {"its row is lost"}
    assert [told.characters for told in report.documents] == [17, 36_000]


def test_a_key_that_contradicts_its_index_is_not_trusted(path: Path, tmp_path: Path) -> None:
    """A flipped byte of a key is no part of the hash; the index of keys tells it."""
    whole = path.read_bytes()
    with closing(apsw.Connection(str(path))) as connection:
        root = int(
            connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'document'").get
        )
    page = whole[(root - 1) * PAGE : root * PAGE]
    assert page.count(b"port") == 1
    path.write_bytes(
        whole[: (root - 1) * PAGE] + page.replace(b"port", b"pork") + whole[root * PAGE :]
    )
    (told,) = vstash.salvage(path, tmp_path / "saved.db", model="fake").documents
    assert (told.key, told.status) == ("pork", "damaged")
    assert "index of keys" in told.reason


def test_damaged_documents_are_kept_where_asked(path: Path, tmp_path: Path) -> None:
    """Under the same id and key, with a mark where a part is missing."""
    damaged(path, "DELETE FROM text_part WHERE start = 8000")
    report = vstash.salvage(path, tmp_path / "saved.db", model="fake", keep_damaged=True)
    (told,) = report.documents
    assert (told.stored, report.whole) == (True, 1)
    with Memory(tmp_path / "saved.db", model="fake") as memory:
        document = memory.get(key="long", collection="other")
        assert document.id == told.id
        assert document.text == f"{LONG[:8000]}\n\N{REPLACEMENT CHARACTER}\n{LONG[16000:]}"
        assert memory.check().findings == ()


def test_vectors_that_cannot_be_right_are_awaited(path: Path, tmp_path: Path) -> None:
    """One of another length, and all with another model, are made anew by `vstash embed`."""
    damaged(path, "UPDATE vector_1 SET value = zeroblob(length(value)) WHERE chunk = 1")
    saved = tmp_path / "saved.db"
    report = vstash.salvage(path, saved, model="fake")
    assert (report.awaiting, report.vectors) == (1, report.chunks - 1)
    with Memory(saved, model="fake") as memory:
        assert memory.embed().embedded == 1
        assert memory.check().findings == ()
    other = vstash.salvage(path, tmp_path / "other.db", model=FakeEmbedder(dimension=32))
    assert (other.whole, other.vectors, other.awaiting) == (2, 0, other.chunks)


def test_what_is_refused_leaves_nothing(path: Path, tmp_path: Path) -> None:
    """A target that exists, a missing file, and files that are not ours."""
    empty, text = tmp_path / "empty.db", tmp_path / "text.db"
    empty.touch()
    text.write_text("no database " * 5000, encoding="utf-8")
    saved = tmp_path / "saved.db"
    for source, target, code in (
        (path, path, "would_overwrite"),
        (path, text, "would_overwrite"),
        (tmp_path / "absent.db", saved, "path_not_found"),
        (tmp_path, saved, "path_not_found"),
        (empty, saved, "store_foreign"),
        (text, saved, "store_foreign"),
    ):
        with pytest.raises(VstashError) as caught:
            vstash.salvage(source, target, model="fake")
        assert caught.value.code == code
    assert not [item for item in tmp_path.iterdir() if "saved" in item.name]


def test_progress_is_told(path: Path, tmp_path: Path) -> None:
    """After each batch, up to all."""
    states: list[SalvageProgress] = []
    vstash.salvage(path, tmp_path / "saved.db", model="fake", progress=states.append)
    assert states[-1] == SalvageProgress(2, 2)
