"""Files into documents: what is read again, what is replaced, what is removed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from vstash import IngestProgress, Memory
from vstash.errors import PathNotFoundError, TextError
from vstash.settings import Settings

Report = tuple[int, int, int, int, int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three notes, one of them in a folder below."""
    base = tmp_path / "notes"
    (base / "deep").mkdir(parents=True)
    (base / "a.md").write_text("# Lamps\n\nThe amber lamp is lit.", encoding="utf-8")
    (base / "b.txt").write_text("Basil grows in the garden.", encoding="utf-8")
    (base / "deep" / "c.md").write_text("The cedar door is shut.", encoding="utf-8")
    return base


def key(path: Path) -> str:
    """The key that a file's document has."""
    return path.resolve().as_posix()


def counts(memory: Memory, folder: Path | Sequence[Path]) -> Report:
    """Ingest; returns added, replaced, unchanged, skipped, failed."""
    report = memory.ingest(folder)
    return report.added, report.replaced, report.unchanged, report.skipped, report.failed


def test_files_become_documents(memory: Memory, folder: Path) -> None:
    """Each file is a document under its absolute path, found by its words."""
    report = memory.ingest(folder, tags=["notes"], collection="house")
    assert (report.added, report.chunks, len(report.outcomes)) == (3, 3, 3)
    assert {outcome.status for outcome in report.outcomes} == {"added"}
    hit = memory.search("amber lamp", collection="house").hits[0]
    assert hit.document.key == key(folder / "a.md")
    assert hit.document.tags == ("notes",)
    assert hit.chunk.heading == ("Lamps",)
    assert memory.check().ok


def test_unchanged_files_are_not_read(memory: Memory, folder: Path) -> None:
    """Same size and same time mean unchanged: the content is not even looked at."""
    memory.ingest(folder)
    path = folder / "b.txt"
    status = path.stat()
    path.write_text("BASIL GROWS in the garden.", encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert counts(memory, folder) == (0, 0, 3, 0, 0)
    assert memory.get(key=key(path)).text == "Basil grows in the garden."


def test_a_touched_file_is_read_and_kept(memory: Memory, folder: Path) -> None:
    """Another time with the same content changes nothing, and is remembered."""
    memory.ingest(folder)
    before = memory.get(key=key(folder / "b.txt"))
    os.utime(folder / "b.txt", ns=(1, 1))
    assert counts(memory, folder) == (0, 0, 3, 0, 0)
    assert memory.get(key=key(folder / "b.txt")) == before
    (folder / "b.txt").write_text("BASIL GROWS in the garden.", encoding="utf-8")
    os.utime(folder / "b.txt", ns=(1, 1))
    assert counts(memory, folder) == (0, 0, 3, 0, 0), "the new time was not remembered"


def test_a_changed_file_replaces_its_document(memory: Memory, folder: Path) -> None:
    """Id and creation time stay; text, words and hash are the new ones."""
    memory.ingest(folder)
    old = memory.get(key=key(folder / "b.txt"))
    (folder / "b.txt").write_text("Parsley grows now, in a far longer row.", encoding="utf-8")
    assert counts(memory, folder) == (0, 1, 2, 0, 0)
    new = memory.get(key=key(folder / "b.txt"))
    assert (new.id, new.created) == (old.id, old.created)
    assert new.text == "Parsley grows now, in a far longer row."
    assert new.updated > old.updated
    assert memory.search("basil", mode="keyword").hits == ()
    assert memory.check().ok


def test_the_same_file_in_two_collections_is_two_documents(memory: Memory, folder: Path) -> None:
    """Keys are bound to a collection."""
    memory.ingest(folder, collection="one")
    assert memory.ingest(folder, collection="two").added == 3
    assert memory.stats().collections == {"default": 0, "one": 3, "two": 3}


def test_pruning_removes_what_is_gone(memory: Memory, folder: Path) -> None:
    """Only when asked, documents whose files are gone are removed."""
    memory.ingest(folder)
    (folder / "a.md").unlink()
    shutil.rmtree(folder / "deep")
    assert memory.ingest(folder).pruned == ()
    assert memory.stats().documents == 3
    report = memory.ingest(folder, prune=True)
    assert report.pruned == (key(folder / "a.md"), key(folder / "deep" / "c.md"))
    assert [document.key for document in memory.list().items] == [key(folder / "b.txt")]
    assert memory.check().ok


def test_pruning_can_be_asked_about(memory: Memory, folder: Path) -> None:
    """A function is shown the keys first, and decides; it is not asked about nothing."""
    asked: list[Sequence[str]] = []

    def refuse(keys: Sequence[str]) -> bool:
        asked.append(keys)
        return False

    memory.ingest(folder, prune=refuse)
    assert asked == []
    (folder / "a.md").unlink()
    assert memory.ingest(folder, prune=refuse).pruned == ()
    assert asked == [(key(folder / "a.md"),)]
    assert memory.ingest(folder, prune=lambda _keys: True).pruned == (key(folder / "a.md"),)


def test_pruning_never_reaches_beyond_the_folder(memory: Memory, folder: Path) -> None:
    """Neighbours, longer names, other collections and remembered texts stay."""
    neighbour = folder.parent / "notes2"
    neighbour.mkdir()
    (neighbour / "x.md").write_text("beyond the folder", encoding="utf-8")
    named = folder.parent / "named.md"
    longer = folder.parent / "named.md.txt"
    for path in (named, longer):
        path.write_text(path.name, encoding="utf-8")
    memory.ingest([folder, neighbour, named, longer])
    memory.ingest(folder, collection="other")
    memory.add("remembered", key=key(folder / "imagined.md"))
    shutil.rmtree(neighbour)
    longer.unlink()
    (folder / "a.md").unlink()
    report = memory.ingest([folder, named], prune=True)
    assert report.pruned == (key(folder / "a.md"),)
    kept = {document.key for document in memory.list().items}
    assert {key(neighbour / "x.md"), key(longer), key(folder / "imagined.md")} <= kept
    assert memory.get(key=key(folder / "a.md"), collection="other").text is not None


def test_a_file_that_was_named_is_not_pruned_with_its_folder_gone(
    memory: Memory, folder: Path
) -> None:
    """A root that does not exist raises, and nothing was read or removed."""
    memory.ingest(folder)
    shutil.rmtree(folder)
    with pytest.raises(PathNotFoundError):
        memory.ingest(folder, prune=True)
    assert memory.stats().documents == 3


def test_a_missing_root_stops_before_anything_is_read(memory: Memory, folder: Path) -> None:
    """One wrong path among good ones means that nothing happens."""
    with pytest.raises(PathNotFoundError):
        memory.ingest([folder, folder / "missing.md"])
    assert memory.stats().documents == 0


def test_files_that_cannot_be_read_are_told(tmp_path: Path, folder: Path) -> None:
    """Each with a stable code: wrong type, binary, too large, empty; the good ones are stored."""
    (folder / "big.txt").write_text("x" * 600, encoding="utf-8")
    (folder / "empty.md").write_text(" \n", encoding="utf-8")
    (folder / "image.png").write_bytes(bytes(range(256)))
    (folder / "noise.txt").write_bytes(bytes(range(256)) * 2)
    with Memory(tmp_path / "x.db", model="fake", settings=Settings(max_file_bytes=550)) as memory:
        report = memory.ingest(folder)
        assert (report.added, report.skipped, report.failed) == (3, 4, 0)
        reasons = {
            Path(outcome.path).name: outcome.reason.split(":")[0]
            for outcome in report.outcomes
            if outcome.status == "skipped"
        }
        assert reasons == {
            "big.txt": "input_invalid",
            "empty.md": TextError.code,
            "image.png": "media_type_unsupported",
            "noise.txt": "media_type_unsupported",
        }
        assert memory.check().ok


@pytest.mark.skipif(sys.platform == "win32", reason="names that POSIX allows")
def test_odd_names_are_stored_or_told(memory: Memory, folder: Path) -> None:
    """Any UTF-8 name is a key; one that is not UTF-8 is skipped with the reason."""
    (folder / 'q"%_*?\n é.md').write_text("odd", encoding="utf-8")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.md")).write_text("odd", encoding="utf-8")
    report = memory.ingest(folder)
    assert (report.added, report.skipped) == (4, 1)
    assert memory.get(key=key(folder / 'q"%_*?\n é.md')).text == "odd"
    assert counts(memory, folder) == (0, 0, 4, 1, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="kinds of files that POSIX has")
def test_what_is_not_a_file_is_skipped(memory: Memory, tmp_path: Path) -> None:
    """A pipe that is named does not block the ingest."""
    os.mkfifo(tmp_path / "pipe.md")
    report = memory.ingest([tmp_path / "pipe.md", Path("/dev/null")])
    assert (report.skipped, report.added) == (2, 0)
    assert all(outcome.reason.startswith("not_a_file: ") for outcome in report.outcomes)


def test_the_file_does_not_ingest_itself(memory: Memory, tmp_path: Path) -> None:
    """Our own file, -wal and -shm are never opened for reading, named or not."""
    memory.add("inside")
    ours = [tmp_path / "x.db", tmp_path / "x.db-wal", tmp_path / "x.db-shm"]
    report = memory.ingest([*ours, tmp_path])
    assert (report.added, report.skipped) == (0, 3)
    memory.add("still writable")
    assert memory.check().ok


def test_progress_is_told_after_each_file(memory: Memory, folder: Path) -> None:
    """Files done grow one by one to the number found."""
    seen: list[IngestProgress] = []
    memory.ingest(folder, progress=seen.append)
    assert [(one.files_done, one.files_found) for one in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[-1].chunks_written == 3
    assert {one.path for one in seen} == {document.key for document in memory.list().items}


def test_an_interrupted_ingest_leaves_whole_documents(memory: Memory, tmp_path: Path) -> None:
    """Ctrl-C between two files leaves finished ones, and a second run does the rest."""
    base = tmp_path / "many"
    base.mkdir()
    for number in range(150):
        (base / f"{number:03}.md").write_text(f"note {number} " * 30, encoding="utf-8")

    def interrupt(progress: IngestProgress) -> None:
        if progress.files_done == 70:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        memory.ingest(base, progress=interrupt)
    stored = memory.stats().documents
    assert 70 <= stored < 150
    assert memory.check().ok
    for document in memory.list(limit=1000).items:
        assert memory.get(document.id).text == Path(document.key).read_text(encoding="utf-8")
    assert counts(memory, base) == (150 - stored, 0, stored, 0, 0)
    assert memory.stats().documents == 150
    assert memory.check().ok


def test_an_empty_folder_and_no_paths_are_fine(memory: Memory, tmp_path: Path) -> None:
    """Nothing to do is done."""
    (tmp_path / "empty").mkdir()
    assert counts(memory, tmp_path / "empty") == (0, 0, 0, 0, 0)
    assert counts(memory, []) == (0, 0, 0, 0, 0)
