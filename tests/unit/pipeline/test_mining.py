"""Queries made from a corpus: resumed, bounded, masked, and gone with their documents."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from tests.learnt import put
from vstash import LanguageModel, Memory, MineProgress, NewDocument
from vstash.errors import FieldError, LanguageModelError
from vstash.mining import MADE_FORMS, MadeQuery
from vstash.settings import Settings
from vstash.text.making import echoes

WORDS: Final = ("amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "heron", "islet")


def corpus(count: int) -> list[NewDocument]:
    """Documents of one chunk to many, with a title or without."""
    found = []
    for number in range(count):
        word, other = WORDS[number % 9], WORDS[(number * 5 + 2) % 9]
        lines = [
            f"The {word} of number {number + turn} stands beside an old {other} in the harbour, where "
            f"people paint {WORDS[(number + turn) % 9]} and sell {WORDS[(turn * 7) % 9]} until winter."
            for turn in range(1 + 8 * (number % 3))
        ]
        if number % 3:
            lines.insert(0, f"Whoever comes to see the {word} learns what its keepers once did.")
        title = f"Notes about the {word} and its keepers" if number % 4 else ""
        found.append(NewDocument("\n\n".join(lines), key=f"d{number}", title=title))
    return found


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Memory]:
    """A file with short chunks, of 36 texts and four files with headings."""
    settings = Settings(model="fake", chunk_tokens=48, chunk_overlap=8)
    folder = tmp_path / "files"
    folder.mkdir()
    for number, document in enumerate(corpus(12)[2::3]):
        (folder / f"{number}.md").write_text(f"# Of keepers\n\n{document.text}", encoding="utf-8")
    with Memory(tmp_path / "x.db", settings=settings) as memory:
        memory.add_batch(corpus(36))
        memory.ingest(folder)
        yield memory


@pytest.fixture
def tiny(memory: Memory) -> Memory:
    """A file with one document."""
    memory.add(corpus(1)[0].text, key="d0", title="Of keepers and their houses")
    return memory


def every(memory: Memory, **fields: Any) -> list[MadeQuery]:
    """All made queries."""
    return list(memory.made_queries(limit=1000, **fields).items)


def told(queries: list[MadeQuery]) -> set[tuple[str, str, int]]:
    """What tells queries apart."""
    return {(each.form, each.query, each.positive_chunk_id) for each in queries}


def test_every_form_and_none_quotes_its_answer(small: Memory) -> None:
    """Through chunking, overlap, titles and headings, and at most so many of each document."""
    report = small.mine(per_document=2)
    assert set(report.queries) == set(MADE_FORMS)
    found = every(small)
    assert len(found) == sum(report.queries.values())
    of_document: dict[tuple[str, str], int] = {}
    for query in found:
        chunk = small.get_chunk(query.positive_chunk_id)
        assert chunk.document_id == query.document_id
        assert not echoes(query.query, chunk.text)
        place = (query.document_id, query.form)
        of_document[place] = of_document.get(place, 0) + 1
        assert of_document[place] <= 2
        for triple in query.triples:
            assert triple.origin == "made"
            assert triple.query == query.query
            assert triple.positive_chunk_id == query.positive_chunk_id
            negative = small.get_chunk(triple.negative_chunk_id)
            assert negative.document_id != query.document_id
    assert report.left == 0
    assert small.check().ok
    assert small.stats().searches_logged == 0


class _CutError(Exception):
    """Raised by a watcher."""


def test_what_was_interrupted_is_gone_on_with(small: Memory, tmp_path: Path) -> None:
    """In the end there is what one call makes, each once, and progress ends at all documents."""

    def cut(state: MineProgress) -> None:
        if state.done >= 48:
            raise _CutError

    with pytest.raises(_CutError):
        small.mine(progress=cut)
    before = every(small)
    assert before
    states: list[MineProgress] = []
    small.mine(progress=states.append)
    assert states[0].done == 48
    assert states[0].seconds_left is None
    assert (states[-1].done, states[-1].documents) == (200, 200)
    assert states[-1].seconds_left == 0.0
    in_parts = every(small)
    assert told(before) < told(in_parts)
    small.remove_made()
    small.mine()
    assert told(every(small)) == told(in_parts)
    assert len(in_parts) == len(told(in_parts))


_CHILD: Final = """
import sys
from vstash import Memory
with Memory(sys.argv[1], model="fake") as memory:
    memory.mine(progress=lambda state: print(state.queries, flush=True))
"""


def test_a_killed_process_loses_a_batch_at_most(small: Memory) -> None:
    """What it told of is in the file, the file is sound, and another process goes on."""
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(small.path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        made = 0
        for line in child.stdout:
            made = int(line)
            if made > 40:
                break
        child.send_signal(signal.SIGKILL)
    kept = every(small)
    assert len(kept) >= made > 40
    assert small.check().ok
    small.mine()
    resumed = told(every(small))
    small.remove_made()
    small.mine()
    assert told(every(small)) == resumed


def test_new_documents_are_gone_through_later(small: Memory) -> None:
    """And those that were gone through are not again."""
    small.mine(forms=["cloze"])
    before = len(every(small))
    added = small.add_many([each.text for each in corpus(3)])
    report = small.mine(forms=["cloze"])
    assert report.documents == 3
    new = every(small)[: len(every(small)) - before]
    assert {each.document_id for each in new} <= {*added}


def test_a_limit_leaves_something_of_each_form(small: Memory) -> None:
    """Forms take turns."""
    report = small.mine(limit=60)
    assert sum(report.queries.values()) == 60
    assert len(report.queries) >= 3


def test_titles_are_masked(tmp_path: Path) -> None:
    """The passage stands where its text alone puts it; the control finds it by its title."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        title = "Zanzibar kaleidoscope quagmire"
        document = memory.add("The port of the staging server is open at noon.", title=title)
        memory.add_many([f"Number {number} of the servers is shut." for number in range(12)])
        (chunk,) = memory.get(document.id, include=("chunks",)).chunks or ()
        control = memory.search(title, k=1).hits[0]
        assert control.chunk.id == chunk.id
        memory.mine(forms=["title"])
        (query,) = every(memory, form="title")
        assert query.query == title
        assert chunk.id not in {entry.chunk_id for entry in query.keyword_leg}
        bare = {entry.chunk_id: entry.score for entry in query.vector_leg}
        known = {
            entry.chunk_id: entry.score for entry in memory.disagreements().items[0].vector_leg
        }
        assert bare.get(chunk.id, 0.0) < known[chunk.id]


def test_what_goes_with_a_document(small: Memory) -> None:
    """Its own queries, and triples with its chunks as negatives; the rest stays."""
    small.mine()
    queries = every(small)
    with_triple = next(each for each in queries if each.triples)
    negative = small.get_chunk(with_triple.triples[0].negative_chunk_id).document_id
    own = {each.number for each in queries if each.document_id == negative}
    small.delete(negative)
    left = every(small)
    assert {each.number for each in queries} - {each.number for each in left} == own
    gone = next(each for each in left if each.number == with_triple.number)
    assert len(gone.triples) < len(with_triple.triples)
    assert small.check().ok
    small.delete_collection("default")
    assert every(small) == []
    assert small.check().ok


def of_file(path: Path) -> bytes:
    """All bytes of a file and of what lies beside it."""
    return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))


def test_forgetting_takes_queries_that_tell(tmp_path: Path) -> None:
    """Those of the document, those that list it, and given ones with its words; not the others."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add(
            "The zebracorn sees a kaleidoscope beside the fountain of the park.", key="secret"
        )
        memory.add("An owl sees the fountain at night.", key="owl", collection="birds")
        memory.add("A hen.", key="hen", collection="birds")
        queries = {"q1": "does the zebracorn fly", "q2": "what flies at night"}
        memory.label(queries, {"q1": {"owl": 1}, "q2": {"owl": 1}}, collection="birds")
        memory.label({"q3": "a view"}, {"q3": {"secret": 1}})
        memory.mine()
        assert len(every(memory, collection="default")) >= 2
        assert b"does the zebracorn fly" in of_file(path)
        assert memory.forget(key="secret", dry_run=True).made_queries >= 3
        report = memory.forget(key="secret")
        assert report.made_queries >= 3
        assert [each.query for each in every(memory)] == ["what flies at night"]
        assert report.purged
        for word in (b"zebracorn", b"kaleidoscope"):
            assert word not in of_file(path)


def test_what_is_in_use_changes_no_triple(small: Memory) -> None:
    """Fine-tuning changes the model itself, so its triples are made by the model's own vectors."""

    def made() -> list[Any]:
        small.remove_made()
        small.mine()
        small.label({"q": "amber keepers"}, {"q": {"d0": 1, "d9": 1}})
        told = [replace(each, number=0, made_at=None) for each in every(small)]  # type: ignore[arg-type]
        return sorted(told, key=str)

    hits = small.search("amber keepers", log=False).hits
    before = made()
    put(small._engine, "adapter")
    assert made() == before
    mapped = small.search("amber keepers", log=False).hits
    assert [each.vector_score for each in mapped] != [each.vector_score for each in hits]


def test_a_removal_lets_others_write_in_between(
    small: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are; what is made meanwhile stays, and so does what was not meant."""
    monkeypatch.setattr("vstash.pipeline.mining._REMOVED", 10)
    small.mine(forms=["cloze", "title"])
    titles = len(every(small, form="title"))
    clozes = len(every(small, form="cloze"))
    assert clozes > 20
    store = small._engine.store
    late: list[int] = []

    def between(_seconds: float) -> None:
        if not late:
            small.add("An ember is what is left of a fire that burnt all night in the old grove.")
        late.append(len(every(small, form="cloze")))
        with store.write(timeout_s=0.01):
            pass

    monkeypatch.setattr("vstash.pipeline.mining.time.sleep", between)
    assert small.remove_made(form="cloze") == clozes
    assert late == [max(clozes - 10 * step, 0) for step in range(1, len(late) + 1)]
    assert len(late) == -(-clozes // 10)
    assert len(every(small)) == titles
    assert small.remove_made(form="cloze") == 0


def expire(memory: Memory) -> None:
    """Let the time of all documents be over."""
    for document in memory.list(limit=1000).items:
        memory.update(document.id, expires_at=datetime.now(timezone.utc) - timedelta(seconds=1))


def test_what_has_expired_is_hidden(small: Memory) -> None:
    """Neither its queries nor its texts are shown; before, the control, they are."""
    small.mine()

    def shown() -> tuple[int, int, int, int]:
        report = small.learn_report()
        triples = list(small.triples(texts=True))
        sources = sum(each.queries for each in report.sources)
        return len(every(small)), len(triples), len(report.samples), sources

    assert min(shown()) > 0
    expire(small)
    assert shown() == (0, 0, 0, 0)
    assert small.remove_made() > 0, "they are hidden, and go like others"


def test_texts_of_logged_triples_expire(small: Memory) -> None:
    """A triple of the log stays, since its query is the caller's; what its chunks say does not."""
    for number in range(30):
        small.search(f"old {WORDS[number % 9]} {WORDS[(number * 2) % 9]} keepers once {number}")
    logged = list(small.triples(texts=True, origin="search"))
    assert all(each.positive_text for each in logged)
    assert logged
    expire(small)
    hidden = list(small.triples(texts=True, origin="search"))
    assert len(hidden) == len(logged)
    assert not any(each.positive_text or each.negative_text for each in hidden)
    samples = small.learn_report(samples=5).samples
    assert samples
    assert not any(each.triple.positive_text or each.triple.negative_text for each in samples)


def test_triples_by_origin(small: Memory) -> None:
    """Streamed with those of the log, with texts or without."""
    small.mine()
    small.label({"q": "amber in winter"}, {"q": {"d0": 1}})
    made = list(small.triples(origin="made"))
    assert made
    assert {each.origin for each in made} == {"made"}
    assert len(made) == sum(len(each.triples) for each in every(small) if each.form != "labelled")
    assert all(each.positive_text and each.negative_text for each in made)
    everything = list(small.triples(texts=False))
    labelled = list(small.triples(texts=False, origin="labelled"))
    assert [each.origin for each in everything].count("made") == len(made)
    assert len(everything) == len(made) + len(labelled)
    assert list(small.triples(origin="search")) == []


def test_other_answers_are_no_negatives(tmp_path: Path) -> None:
    """Of two relevant documents of which one leg lists each, neither is the other's negative."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add_batch(corpus(30))
        relevant = {f"d{number}": 1 for number in range(25)}
        report = memory.label({"q": "amber winter paint old"}, {"q": relevant})
        owners = {memory.get(key=key).id for key in relevant}
        for query in every(memory):
            for triple in query.triples:
                assert memory.get_chunk(triple.negative_chunk_id).document_id not in owners
        hidden = report.masked.get("judged", 0)
        negatives = hidden + sum(report.triples.values())
        assert report.false_negatives == (hidden / negatives if negatives else None)


@contextmanager
def language_model(*answers: Any, status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers as OpenAI's protocol does, in turn; its address, and what it was sent."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        """Answers."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, body))
            answer = answers[(len(asked) - 1) % len(answers)]
            said = {"choices": [{"message": {"content": answer}}]}
            sent = answer if isinstance(answer, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", asked
        finally:
            server.shutdown()


def test_a_language_model_asks(small: Memory) -> None:
    """One question for each of some passages; one that quotes its passage is dropped."""
    quote = "The amber of number 0 stands beside an old cedar"
    with language_model('\n"Who keeps such things?"\nBecause.', quote) as (url, asked):
        report = small.mine(forms=(), per_document=1, limit=30, asked_by=LanguageModel(url, "m"))
    found = every(small)
    assert set(report.queries) == {"asked"}
    assert "Who keeps such things?" in {each.query for each in found}
    for each in found:
        assert not echoes(each.query, small.get_chunk(each.positive_chunk_id).text)
    path, body = asked[0]
    assert (path, body["model"], body["temperature"]) == ("/v1/chat/completions", "m", 0)
    assert len(asked) >= 30
    assert "stands beside" in body["messages"][1]["content"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        *((b"no json", 200), (b"[]", 200), (b"{}", 200), (None, 200), ("", 200), (7, 200)),
        *(("fine", 500), ("fine", 302), (b"[" * 100_000, 200), (b"x" * 300_000, 200)),
    ],
)
def test_a_model_that_does_not_answer(tiny: Memory, answer: Any, status: int) -> None:
    """It is said, with no text of an answer, and what was made before stays."""
    tiny.mine(forms=["title"], limit=3)
    with (
        language_model(answer, status=status) as (url, asked),
        pytest.raises(LanguageModelError) as caught,
    ):
        tiny.mine(forms=(), asked_by=LanguageModel(url, "m"))
    assert caught.value.pointer == "/asked_by"
    assert "fine" not in str(caught.value)
    assert len(asked) == 1
    assert len(every(tiny)) == 1


def test_nothing_leaves_the_machine(tiny: Memory) -> None:
    """Other hosts are refused before anything is sent, unless a setting allows it."""
    for url in (
        *("http://192.0.2.1/v1", "https://api.example.com/v1", "http://127.0.0.1.example.com/v1"),
        *("http://localhost.example.com", "http://[2001:db8::1]/v1"),
    ):
        with pytest.raises(FieldError, match="allow_remote_language_model"):
            tiny.mine(asked_by=LanguageModel(url, "m"))
    for url in (
        *("127.0.0.1:11434", "file:///etc/passwd", "http://", "", "http://a@127.0.0.1/v1"),
        *("http://[::1/v1", "http://127.0.0.1:99999/v1", "http://127.0.0.1/v1?x=1"),
    ):
        with pytest.raises(FieldError) as caught:
            tiny.mine(asked_by=LanguageModel(url, "m"))
        assert caught.value.pointer == "/asked_by/url"
    with pytest.raises(FieldError):
        tiny.mine(asked_by=LanguageModel("http://127.0.0.1/v1", " "))
    with pytest.raises(FieldError):
        tiny.mine(asked_by=LanguageModel("http://127.0.0.1/v1", "m", timeout_s=0))
    assert every(tiny) == []


def test_a_remote_model_where_it_is_allowed(tmp_path: Path) -> None:
    """The setting lets the address through; nobody is there to answer."""
    settings = Settings(model="fake", allow_remote_language_model=True)
    with Memory(tmp_path / "x.db", settings=settings) as memory:
        memory.add("Ada prefers tea.")
        with pytest.raises(LanguageModelError):
            # Port 9 of this machine under a name that is not known to be its own.
            memory.mine(forms=(), asked_by=LanguageModel("http://127.0.0.1.:9/v1", "m", 2.0))


@pytest.mark.parametrize(
    ("queries", "judgements", "pointer"),
    [
        ({}, {}, "/queries"),
        ([], {}, "/queries"),
        ({"q": ""}, {}, "/queries"),
        ({"q": 7}, {}, "/queries"),
        ({"q": "x"}, [], "/judgements"),
        ({"q": "x"}, {"p": {"d0": 1}}, "/judgements"),
        ({"q": "x"}, {"q": ["d0"]}, "/judgements"),
        ({"q": "x"}, {"q": {"d0": "1"}}, "/judgements"),
        ({"q": "x"}, {"q": {"d0": True}}, "/judgements"),
        ({"q": "x"}, {"q": {"": 1}}, "/judgements"),
        ({"q": "x"}, {"q": {7: 1}}, "/judgements"),
    ],
)
def test_wrong_judgements(tiny: Memory, queries: Any, judgements: Any, pointer: str) -> None:
    """Each is refused by name, and nothing is stored."""
    with pytest.raises(FieldError) as caught:
        tiny.label(queries, judgements)
    assert caught.value.pointer == pointer
    assert every(tiny) == []


def test_the_report_tells_judgements_apart(small: Memory) -> None:
    """Evidence of feedback, of judgements and of forms; the sum of worths is what it says."""
    small.mine()
    report = small.learn_report(samples=100)
    assert report.triples
    assert report.effective == pytest.approx(
        sum(each.evidence * each.gradient for each in report.samples), abs=0.01
    )
    assert [each.evidence * each.gradient for each in report.samples] == sorted(
        (each.evidence * each.gradient for each in report.samples), reverse=True
    )
    assert report.false_negatives.measured is None
    assert 0 < report.coverage.chunks_covered <= report.coverage.chunks
    assert report.coverage.documents == 40
    assert report.evidence is not None
    assert report.worth is not None
    assert sum(report.masked.values()) > 0
