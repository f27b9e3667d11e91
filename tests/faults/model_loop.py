"""Whatever is done to a file in whatever order, it holds what a dictionary would.

`python -m tests.faults model` does so many steps. The control is a store whose delete keeps the words.
"""

from __future__ import annotations

import itertools
import secrets
import shutil
import tempfile
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import ClassVar, Final
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from vstash import Memory, NewDocument
from vstash.errors import CollectionNotFoundError, DocumentNotFoundError
from vstash.store import keyword

__all__ = ["FileAgainstDictionary", "measure", "run", "words_kept"]

STEPS: Final = 50
# Points inside of a write at which the process may end.
CRASHES = st.integers(1, 9) | st.none()
PAST: Final = datetime(2001, 1, 1, tzinfo=timezone.utc)
COLLECTIONS = ("default", "other")
KEYS = st.sampled_from(["a", "b", "/x/y.md", "é", "key with spaces"])
WORDS = st.sampled_from(
    ["amber", "basil", "cedar", "naïve", "東京", "HTTPServer2", "the", "\n\n", "."]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=12).map(" ".join).filter(str.strip) | st.sampled_from(
    ["amber lamp " * 120, "# One\n\namber\n\n# Two\n\nbasil " * 40]
)
TAGS = st.lists(st.sampled_from(["red", "green", "blue"]), max_size=3)

Place = tuple[str, str]
State = tuple[str, str, tuple[str, ...], dict[str, int]]
# A backup's name, and what the file held then: documents, their ids, verdicts.
Kept = tuple[str, dict[Place, State], dict[Place, str], dict[str, tuple[str, str]]]


class CrashedError(Exception):
    """Where a process would have ended."""


class FileAgainstDictionary(RuleBasedStateMachine):
    """Applies every step to a file and to a dictionary, and compares them.

    Attributes:
        steps: Of all machines together.
    """

    places = Bundle("places")
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="vstash-model-"))
        self.model: dict[Place, State] = {}
        self.ids: dict[Place, str] = {}
        self.verdicts: dict[str, tuple[str, str]] = {}
        self.kept: Kept | None = None
        self.memory = self.opened()

    def opened(self) -> Memory:
        """The file, open."""
        return Memory(self.folder / "x.db", model="fake")

    def visible(self) -> dict[str, tuple[str, str]]:
        """What was said of documents that are to be seen."""
        living = {self.ids[place] for place in self.model}
        return {name: each for name, each in self.verdicts.items() if each[1] in living}

    def forget(self, place: Place) -> None:
        """What is removed takes with it what was said of it."""
        del self.model[place]
        gone = self.ids[place]
        self.verdicts = {name: each for name, each in self.verdicts.items() if each[1] != gone}

    def teardown(self) -> None:
        """At the end the check is clean, before and after closing."""
        try:
            assert self.memory.check().findings == ()
            self.reopen()
            self.compare()
            assert self.memory.check().findings == ()
        finally:
            self.memory.close()
            shutil.rmtree(self.folder)

    @initialize()
    def both_collections_exist(self) -> None:
        """A listing of a collection that never was raises, so both are written to first."""
        for collection in COLLECTIONS:
            self.memory.delete(self.memory.add("first", collection=collection).id)

    @rule(target=places, key=KEYS, collection=st.sampled_from(COLLECTIONS), text=TEXTS, tags=TAGS)
    def add(self, key: str, collection: str, text: str, tags: list[str]) -> Place:
        """Add, or replace what has this key."""
        stored = self.memory.add(text, key=key, collection=collection, title=key, tags=tags)
        place = (collection, key)
        assert place not in self.model or self.ids[place] == stored.id
        self.ids[place] = stored.id
        self.model[place] = (text, key, tuple(sorted(set(tags))), {})
        return place

    @rule(target=places, texts=st.lists(st.tuples(KEYS, TEXTS), max_size=4))
    def add_batch(self, texts: list[tuple[str, str]]) -> object:
        """Add several together, the last of a key winning."""
        stored = self.memory.add_batch([NewDocument(text, key=key) for key, text in texts])
        places = []
        for (key, text), document in zip(texts, stored, strict=True):
            place = ("default", key)
            self.ids[place] = str(getattr(document, "id", ""))
            self.model[place] = (text, "", (), {})
            places.append(place)
        return multiple(*places)

    @rule(place=places, number=st.integers(-5, 5) | st.none())
    def update_metadata(self, place: Place, number: int | None) -> None:
        """Patch one field of the metadata."""
        if place not in self.model:
            with pytest.raises(DocumentNotFoundError):
                self.memory.update(key=place[1], collection=place[0], metadata={"n": 1})
            return
        self.memory.update(key=place[1], collection=place[0], metadata={"n": number})
        text, title, tags, _ = self.model[place]
        self.model[place] = (text, title, tags, {} if number is None else {"n": number})

    @rule(place=places, text=TEXTS, title=st.sampled_from(["", "lamp", "a title"]))
    def update_text(self, place: Place, text: str, title: str) -> None:
        """Change text and title by id."""
        if place in self.model:
            self.memory.update(self.ids[place], text=text, title=title)
            self.model[place] = (text, title, *self.model[place][2:])

    @rule(place=places, text=TEXTS)
    def replace(self, place: Place, text: str) -> None:
        """Replace by id; what is not given is gone."""
        if place in self.model:
            self.memory.replace(self.ids[place], text)
            self.model[place] = (text, "", (), {})

    @rule(place=consumes(places))
    def delete(self, place: Place) -> None:
        """Remove by key, if it is still there."""
        if place in self.model:
            self.memory.delete(key=place[1], collection=place[0])
            self.forget(place)
        else:
            with pytest.raises(DocumentNotFoundError):
                self.memory.delete(key=place[1], collection=place[0])

    @rule()
    def reopen(self) -> None:
        """Close and open again."""
        self.memory.close()
        self.memory = self.opened()

    @rule(point=CRASHES, key=KEYS, text=TEXTS)
    def crash(self, point: int | None, key: str, text: str) -> None:
        """The process ends, in the middle of a write or between two: the files are as they are then."""
        copied, passed = Path(tempfile.mkdtemp(prefix="vstash-model-")), itertools.count(1)

        def at(_name: str) -> None:
            # The log is written by a thread of its own.
            if threading.current_thread() is threading.main_thread() and next(passed) == point:
                copy_files(self.folder, copied)
                raise CrashedError

        store = self.memory._engine.store
        store._crash_point = at  # type: ignore[attr-defined]
        if point is None:
            copy_files(self.folder, copied)
        else:
            try:
                stored = self.memory.add(text, key=key, title="lamp")
            except CrashedError:
                pass
            else:
                self.ids["default", key] = stored.id
                self.model["default", key] = (text, "lamp", (), {})
                copy_files(self.folder, copied)
        self.memory.close()
        shutil.rmtree(self.folder)
        self.folder, self.kept = copied, None
        self.memory = self.opened()

    @rule(target=places, key=KEYS, text=TEXTS)
    def add_later(self, key: str, text: str) -> Place:
        """Add without vectors; words find it at once."""
        self.ids["default", key] = self.memory.add(text, key=key, embed="later").id
        self.model["default", key] = (text, "", (), {})
        return "default", key

    @rule()
    def embed(self) -> None:
        """Give all that awaits them its vectors."""
        self.memory.embed()
        assert self.memory.stats().awaiting == 0

    @rule(tag=st.sampled_from(["red", "green"]), collection=st.sampled_from(COLLECTIONS))
    def delete_many(self, tag: str, collection: str) -> None:
        """Remove all that have a tag."""
        gone = [
            place
            for place, state in self.model.items()
            if place[0] == collection and tag in state[2]
        ]
        report = self.memory.delete_many({"tags": {"contains": tag}}, collection=collection)
        assert report.documents == len(gone)
        for place in gone:
            self.forget(place)

    @rule()
    def delete_collection(self) -> None:
        """Remove one with all that is in it; it is there again from the next write."""
        self.memory.delete_collection("other")
        with pytest.raises(CollectionNotFoundError):
            self.memory.list(collection="other")
        for place in [place for place in self.model if place[0] == "other"]:
            self.forget(place)
        self.both_collections_exist()

    @rule(place=places)
    def expire(self, place: Place) -> None:
        """What has expired is hidden, with what was said of it, and the next compact removes it."""
        if place in self.model:
            self.memory.update(self.ids[place], expires_at=PAST)
            # Until it is removed, what is stored under its key is the same document again.
            del self.model[place]

    @rule()
    def compact(self) -> None:
        """Remove what expired, finish merges."""
        self.memory.compact()
        self.verdicts = self.visible()
        assert self.memory.stats().documents == len(self.model)

    @rule(place=consumes(places))
    def forget_one(self, place: Place) -> None:
        """Remove it with the searches that listed it, and so what was said of others in these."""
        if place in self.model:
            self.memory.forget(key=place[1], collection=place[0])
            self.forget(place)
            # What was said of documents that have expired is not to be seen, and may be gone as well.
            with self.memory._engine.store.read() as reader:
                rows = reader._connection.execute(
                    "SELECT id FROM search WHERE number IN (SELECT search FROM feedback)"
                )
                left = {str(row[0]) for row in rows}
            assert left <= self.verdicts.keys()
            self.verdicts = {name: self.verdicts[name] for name in left}

    @rule()
    def back_up(self) -> None:
        """Remember the dictionary as it is now."""
        name = self.memory.backup().name
        self.kept = (name, dict(self.model), dict(self.ids), dict(self.verdicts))

    @rule()
    def restore(self) -> None:
        """The dictionary is what it was at the last backup."""
        if self.kept is not None:
            name, model, ids, verdicts = self.kept
            self.memory.restore(name, force=True)
            self.model, self.ids, self.verdicts = dict(model), dict(ids), dict(verdicts)

    @rule()
    def repair(self) -> None:
        """There is nothing to be repaired."""
        assert self.memory.check(level="quick").findings == ()
        assert self.memory.repair().found == ()

    @rule(word=WORDS.filter(str.strip), verdict=st.sampled_from(["helpful", "not_helpful"]))
    def feedback(self, word: str, verdict: str) -> None:
        """Say of the best hit of a search whether it helped."""
        # What is asked again takes the place of the search before, and its verdicts along.
        result = self.memory.search(f"{word} {secrets.token_hex(4)}")
        for hit in result.hits[:1]:
            self.memory.feedback(result.id, hit.chunk.id, verdict)  # type: ignore[arg-type]  # one of them
            self.verdicts[result.id] = (verdict, hit.document.id)

    @rule(word=WORDS.filter(str.strip), collection=st.sampled_from(COLLECTIONS))
    def search(self, word: str, collection: str) -> None:
        """Vectors list every chunk of the collection; every hit says what the dictionary says."""
        self.memory.embed()
        held = {key: state for (where, key), state in self.model.items() if where == collection}
        hits = self.memory.search(word, mode="vector", collection=collection, k=1000).hits
        assert {hit.document.key for hit in hits} == set(held)
        assert len(hits) == sum(
            self.memory.get(key=key, collection=collection).chunk_count for key in held
        )
        for hit in self.memory.search(word, collection=collection, k=1000).hits:
            assert hit.text in held[hit.document.key][0]
        if word in {"amber", "basil", "cedar"}:
            found = self.memory.search(word, mode="keyword", collection=collection, k=1000).hits
            assert {hit.document.key for hit in found} == {
                key for key, state in held.items() if word in f"{state[0]} {state[1]}"
            }

    @invariant()
    def compare(self) -> None:
        """Listing and reading give what the dictionary holds, under the ids known."""
        FileAgainstDictionary.steps += 1
        judged = {
            search.search_id: (each.verdict, each.document_id)
            for search in self.memory.judged_searches(limit=1000).items
            for each in search.verdicts
        }
        assert judged == self.visible()
        for collection in COLLECTIONS:
            listed = self.memory.list(collection=collection, limit=1000).items
            held = {place[1] for place in self.model if place[0] == collection}
            assert {document.key for document in listed} == held
            for document in listed:
                place = (collection, document.key)
                text, title, tags, metadata = self.model[place]
                assert document.id == self.ids[place]
                assert (document.title, document.tags, document.metadata) == (title, tags, metadata)
                assert self.memory.get(document.id).text == text


def copy_files(source: Path, target: Path) -> None:
    """What a process that ends now leaves behind; the index of the log is made again."""
    for name in ("x.db", "x.db-wal"):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)


def run(steps: int, number: int) -> tuple[int, list[str]]:
    """Run machines until there were so many steps, or one diverged.

    Args:
        steps: At least.
        number: Seed of the first machine.

    Returns:
        The steps, and how one diverged.
    """
    before = FileAgainstDictionary.steps
    chosen = settings(
        max_examples=20,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for turn in itertools.count(number):
        try:
            run_state_machine_as_test(seed(turn)(FileAgainstDictionary), settings=chosen)
        except Exception as error:  # noqa: BLE001 - whatever it is, they differ
            notes = getattr(error, "__notes__", [])
            return FileAgainstDictionary.steps - before, [f"seed {turn}: {error!r} {notes}"]
        if FileAgainstDictionary.steps - before >= steps:
            break
    return FileAgainstDictionary.steps - before, []


def words_kept() -> list[str]:
    """The control: a store whose delete keeps the words; returns how it diverged."""
    with patch.object(keyword, "delete_words", lambda _connection, _ids: None):
        return run(2_000, 1)[1]


def measure(count: int, number: int) -> dict[str, object]:
    """So many steps, and the control."""
    steps, divergences = run(count, number)
    return {"steps": steps, "divergences": divergences, "control": {"divergences": words_kept()}}
