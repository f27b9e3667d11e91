"""Whatever is done to a file in whatever order, it holds what a dictionary would."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from vstash import Memory, NewDocument
from vstash.errors import DocumentNotFoundError

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


class FileAgainstDictionary(RuleBasedStateMachine):
    """Applies every step to a file and to a dictionary, and compares them."""

    places = Bundle("places")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="vstash-model-"))
        self.model: dict[Place, State] = {}
        self.ids: dict[Place, str] = {}
        self.memory = Memory(self.folder / "x.db", model="fake")

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
            del self.model[place]
        else:
            with pytest.raises(DocumentNotFoundError):
                self.memory.delete(key=place[1], collection=place[0])

    @rule()
    def reopen(self) -> None:
        """Close and open again."""
        self.memory.close()
        self.memory = Memory(self.folder / "x.db", model="fake", create=False)

    @rule(word=WORDS.filter(str.strip), collection=st.sampled_from(COLLECTIONS))
    def search(self, word: str, collection: str) -> None:
        """Vectors list every chunk of the collection; every hit says what the dictionary says."""
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


FileAgainstDictionary.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestFileAgainstDictionary = FileAgainstDictionary.TestCase
