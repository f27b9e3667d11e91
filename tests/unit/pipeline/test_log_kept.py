"""What the log keeps of searches: once each, with or without their text, by session, for a while."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.unit.pipeline.conftest import Clock
from vstash import Memory, NewDocument
from vstash.errors import EvaluationError, FieldError, SearchNotFoundError
from vstash.evaluation.feedback import from_feedback
from vstash.feedback import VerdictName
from vstash.pipeline.engine import open_engines
from vstash.settings import Settings

ANIMALS: Final = ("hen", "cow", "pig", "dog", "cat", "ant", "bee", "owl", "fox", "elk", "emu")
IDS_ONLY: Final = Settings(model="fake", log_searches="ids-only")


def fill(memory: Memory) -> dict[str, int]:
    """Twelve documents of one chunk; the chunks' ids by key."""
    memory.add_batch([NewDocument(f"The {word} is an animal.", key=word) for word in ANIMALS])
    memory.add("The zebracorn sees a kaleidoscope.", key="secret")
    return {key: number for number, key in enumerate((*ANIMALS, "secret"), 1)}


def of_file(path: Path) -> bytes:
    """All bytes of a file and of what lies beside it."""
    return b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))


def test_spelling_does_not_count_and_filters_do(memory: Memory) -> None:
    """Case, punctuation and endings are the same question; another filter or collection is another."""
    chunks = fill(memory)
    memory.add("A hen elsewhere.", collection="other")
    first = memory.search("The Hen, hens!")
    memory.feedback(first.id, chunks["hen"], "helpful")
    other = memory.search("the cow")
    again = memory.search("the hen HEN", strategy="rrf")
    filtered = memory.search("the hen hen", filter={"key": {"prefix": "h"}})
    far = memory.search("the hen hen", collection="other")
    items = memory.disagreements().items
    assert [(item.search_id, item.asked) for item in items] == [
        *((far.id, 1), (filtered.id, 1), (again.id, 2), (other.id, 1)),
    ]
    assert (items[2].query, items[2].strategy) == ("the hen HEN", "rrf")
    assert items[2].first_at < items[2].at
    assert items[1].first_at == items[1].at
    for search in (first, again):
        memory.feedback(search.id, chunks["cow"], "not_helpful")
    (judged,) = memory.judged_searches().items
    assert judged.search_id == again.id
    assert [each.verdict for each in judged.verdicts] == ["helpful", "not_helpful"]
    assert memory.check().ok


def test_a_query_without_words_folds_with_itself_alone(memory: Memory) -> None:
    """Where there is no token, the text counts as it is."""
    fill(memory)
    for query in ("!!!", "???", "!!!"):
        memory.search(query)
    assert [(item.query, item.asked) for item in memory.disagreements().items] == [
        *(("!!!", 2), ("???", 1)),
    ]


@pytest.fixture
def timed(tmp_path: Path, clock: Clock) -> Iterator[Memory]:
    """A Memory on the clock that is moved by hand."""
    memory = Memory.__new__(Memory)
    memory._engines = open_engines(tmp_path / "timed.db", model="fake", clock=clock)
    with memory:
        yield memory


def later(clock: Clock, **span: int) -> None:
    """Move the clock."""
    clock.now += timedelta(**span) // timedelta(microseconds=1)


def test_ids_of_folded_searches_last_for_two_days(timed: Memory, clock: Clock) -> None:
    """After another took their place; the entry and what was said of it stay."""
    chunks = fill(timed)
    first = timed.search("hen")
    timed.flush_log()
    later(clock, days=3)
    second = timed.search("hen")
    timed.feedback(first.id, chunks["hen"], "helpful")
    later(clock, hours=47)
    third = timed.search("hen")
    timed.feedback(first.id, chunks["cow"], "helpful")
    later(clock, hours=3)
    timed.search("something else")
    with pytest.raises(SearchNotFoundError):
        timed.feedback(first.id, chunks["pig"], "helpful")
    timed.feedback(second.id, chunks["pig"], "helpful")
    (judged,) = timed.judged_searches().items
    assert (judged.search_id, len(judged.verdicts)) == (third.id, 3)
    assert timed.check().ok


def test_those_not_asked_for_the_longest_time_go_first(tmp_path: Path) -> None:
    """Asked again, the oldest outlives those after it; the bound counts entries and not numbers."""
    settings = Settings(model="fake", log_max_rows=3)
    with Memory(tmp_path / "x.db", settings=settings) as memory:
        fill(memory)
        for query in ("hen", "cow", "pig", "hen", "hen", "hen", "dog"):
            memory.search(query)
        assert [item.query for item in memory.disagreements().items] == ["dog", "hen", "pig"]


def test_many_processes_fold(tmp_path: Path) -> None:
    """Three processes that ask the same 15 times each leave one entry and count right."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        fill(memory)
    program = (
        "import sys\nfrom vstash import Memory\n"
        "with Memory(sys.argv[1], model='fake') as memory:\n"
        "    for _ in range(15):\n        memory.search('hen')\n"
        "    dropped = memory.flush_log()\nprint(dropped)"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    dropped = sum(int(child.communicate(timeout=50)[0]) for child in children)
    with Memory(path, model="fake") as memory:
        (logged,) = memory.disagreements().items
        assert logged.asked == 45 - dropped > 0
        assert memory.check().ok


def test_ids_only_keeps_no_text(tmp_path: Path) -> None:
    """Legs, counts, sessions and feedback are there; text and triples are not, nor are they in the bytes."""
    path = tmp_path / "x.db"
    with Memory(path, settings=IDS_ONLY) as memory:
        chunks = fill(memory)
        first = memory.search("umbrella hen", session="rainy day")
        again = memory.search("Umbrella Hen", session="rainy day")
        (logged,) = memory.disagreements(texts=True).items
        assert (logged.search_id, logged.query, logged.triples) == (again.id, None, ())
        assert (logged.asked, len(logged.vector_leg)) == (2, 10)
        assert logged.session not in {None, "rainy day"}
        memory.feedback(first.id, chunks["hen"], "helpful")
        assert memory.judged_searches().items[0].query is None
        assert list(memory.triples()) == []
        report = memory.disagreement_report()
        assert (report.searches, report.hashed, report.asked, report.folded) == (1, 1, 2, 0.5)
        assert (report.with_triples, report.terms, report.legs.chunks) == (None, (), 1)
        with pytest.raises(EvaluationError):
            from_feedback(memory)
        assert memory.check().ok
    assert not [word for word in (b"umbrella", b"rainy") if word in of_file(path).lower()]
    with Memory(path, model="fake") as memory:
        memory.search("umbrella hen")
        assert [item.query for item in memory.disagreements().items] == ["umbrella hen", None]
    assert b"umbrella" in of_file(path), "the control: full keeps it"


def test_two_files_hash_with_keys_of_their_own(tmp_path: Path) -> None:
    """The same query and session are not recognised across files."""
    sessions = []
    for name in ("a.db", "b.db"):
        with Memory(tmp_path / name, settings=IDS_ONLY) as memory:
            fill(memory)
            memory.search("hen", session="s")
            sessions.append(memory.disagreements().items[0].session)
    assert sessions[0] != sessions[1]


def test_what_others_forget_goes_by_its_chunks(tmp_path: Path) -> None:
    """Of hashed rows no words are known: those that list a forgotten chunk go, and others stay."""
    with Memory(tmp_path / "x.db", settings=IDS_ONLY) as memory:
        fill(memory)
        memory.add("A far umbrella.", key="far", collection="other")
        memory.search("zebracorn kaleidoscope")
        kept = memory.search("zebracorn", collection="other")
        assert memory.forget(key="secret").searches == 1
        assert [item.search_id for item in memory.disagreements().items] == [kept.id]


@pytest.mark.parametrize("kept", ["full", "ids-only"])
def test_a_query_put_anew(tmp_path: Path, kept: str) -> None:
    """Linked by near vectors, and where texts are kept by words; within a session and ten minutes."""
    settings = Settings(model="fake", log_searches=kept)  # type: ignore[arg-type] # both are values of it
    with Memory(tmp_path / "y.db", settings=settings) as memory:
        fill(memory)
        near = memory.search("hen cow pig animal", session="a")
        memory.search("hen cow pig animal thing", session="b")
        memory.search("animal pig cow hen thing", session="a")
        memory.search("kaleidoscope", session="a")
        memory.search("kaleidoscope hen cow pig elk dog emu", session="a")
        found = [item.reformulates for item in memory.disagreements().items]
        assert found[1:] == [None, near.id, None, None]
        assert (found[0] is not None) == (kept == "full")


def test_after_ten_minutes_it_is_another_question(timed: Memory, clock: Clock) -> None:
    """However much it overlaps."""
    fill(timed)
    timed.search("staging hen port", session="a")
    timed.flush_log()
    later(clock, minutes=10, seconds=1)
    second = timed.search("staging hen", session="a")
    timed.search("hen staging cow", session="a")
    found = [item.reformulates for item in timed.disagreements().items]
    assert found == [second.id, None, None]


def test_links_follow_what_is_asked_again(memory: Memory) -> None:
    """The first of two, asked again, stays what the second reformulates, and reformulates nothing itself."""
    fill(memory)
    memory.search("staging hen port", session="a")
    second = memory.search("which hen is at staging", session="a")
    again = memory.search("staging hen port", session="a")
    found = {item.search_id: item.reformulates for item in memory.disagreements().items}
    assert found == {second.id: again.id, again.id: None}
    report = memory.disagreement_report()
    assert (report.in_sessions, report.reformulated) == (2, 0.5)


@pytest.mark.parametrize("session", ["", "x" * 201, "a\nb", "a\0", "\ud800", 7])
def test_a_session_is_bounded(memory: Memory, session: str) -> None:
    """One to 200 characters on one line; 200 are taken."""
    fill(memory)
    with pytest.raises(FieldError) as refused:
        memory.search("hen", session=session)
    assert refused.value.pointer == "/session"
    assert memory.search("hen", session="x" * 200).hits


def test_opened_takes_the_place_of_no_other(memory: Memory) -> None:
    """It is kept where nothing was said yet, gives way to all others, and is no judgement of an answer."""
    chunks = fill(memory)
    search = memory.search("hen").id
    said: list[VerdictName] = ["opened", "opened", "not_helpful", "opened", "helpful"]
    given = [memory.feedback(search, chunks["hen"], verdict).verdict for verdict in said]
    assert given == ["opened", "opened", "not_helpful", "not_helpful", "helpful"]
    memory.feedback(search, chunks["cow"], "opened")
    (judged,) = memory.judged_searches().items
    assert [each.verdict for each in judged.verdicts] == ["helpful", "opened"]
    assert memory.disagreement_report().legs.chunks == 1
    (query,) = from_feedback(memory).queries
    assert query.judgements == {"hen": 1}


def test_redaction_leaves_counts_legs_and_feedback(tmp_path: Path) -> None:
    """Texts, sessions and triples go, from the bytes of the file as well; what follows folds as before."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        chunks = fill(memory)
        search = memory.search("umbrella hen", session="rainy")
        memory.search("Umbrella, hen", session="rainy")
        memory.feedback(search.id, chunks["hen"], "helpful")
        (before,) = memory.disagreements().items
        memory.flush_log()
        assert b"umbrella" in of_file(path).lower(), "the control: it is there before"
        done = memory.redact_log()
        assert (done.searches, done.triples) == (1, len(before.triples))
        assert (done.purged, done.log_emptied, done.remedy) == (True, True, "")
        assert memory.redact_log().searches == 0
        (kept,) = memory.disagreements().items
        assert (kept.query, kept.triples, kept.asked) == (None, (), 2)
        assert kept.vector_leg == before.vector_leg
        assert memory.judged_searches().items[0].query is None
        assert memory.check().ok
    told = of_file(path).lower()
    assert b"umbrella" not in told
    assert b"rainy" not in told
    with Memory(path, settings=IDS_ONLY) as memory:
        memory.search("umbrella HEN")
        (folded,) = memory.disagreements().items
        assert folded.asked == 3


def test_the_report_by_hand(memory: Memory) -> None:
    """Rates in all, by collection and word; which leg ranked higher what helped; of one collection alone."""
    chunks = fill(memory)
    memory.add("Tea elsewhere.", key="tea", collection="other")
    memory.search("tea", collection="other")
    for query in ("zebracorn", "zebracorn hen", "hen", "hen"):
        search = memory.search(query)
    memory.feedback(search.id, chunks["hen"], "helpful")
    memory.feedback(search.id, chunks["cow"], "cited")
    items = memory.disagreements().items
    report = memory.disagreement_report()
    mean = sum(item.disagreement for item in items) / 4
    assert report.disagreement == pytest.approx(mean, abs=1e-6)
    assert (report.searches, report.asked, report.folded, report.k) == (4, 5, 0.2, 10)
    assert (report.period, sum(day.searches for day in report.over_time)) == ("day", 4)
    told = [(each.name, each.searches, each.asked) for each in report.by_collection]
    assert told == [("default", 3, 4), ("other", 1, 1)]
    hen = next(item for item in items if item.query == "hen")
    vector, keyword = (
        [entry.chunk_id for entry in leg] for leg in (hen.vector_leg, hen.keyword_leg)
    )
    ranks = [
        [1 / (leg.index(chunks[key]) + 1) if chunks[key] in leg else 0 for leg in (vector, keyword)]
        for key in ("hen", "cow")
    ]
    legs = report.legs
    assert (legs.chunks, legs.equal + legs.vector_better + legs.keyword_better) == (2, 2)
    assert legs.vector_better == sum(one > other for one, other in ranks)
    assert legs.keyword_mrr == pytest.approx(sum(other for _, other in ranks) / 2, abs=1e-6)
    alone = memory.disagreement_report(collection="other")
    assert (alone.collection, alone.searches, alone.legs.chunks) == ("other", 1, 0)
    triples = [triple.kind for item in items for triple in item.triples]
    assert report.triples == {kind: triples.count(kind) for kind in set(triples)}


def test_the_report_of_an_empty_log(memory: Memory) -> None:
    """There is one, with nothing in it."""
    report = memory.disagreement_report()
    assert (report.searches, report.disagreement, report.folded) == (0, None, 0.0)
    assert (report.over_time, report.legs.vector_mrr, report.reformulated) == ((), None, None)
