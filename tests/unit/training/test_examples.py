"""Examples come from a file or from lines, and are split so that nothing leaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from vstash import Memory
from vstash.errors import EvaluationError, PathNotFoundError, TrainingError
from vstash.training.beginning import BEGUN, Begun, begin, begun_before, require_empty
from vstash.training.examples import Example, Passage, from_file, from_memory
from vstash.training.options import TrainOptions
from vstash.training.splitting import split
from vstash.training.stored import listed_vectors, stored_vectors

THINGS = ("tea", "port", "lamp", "harbour", "violin", "glacier", "orchard", "engine")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """Documents with titles, searched so that the legs disagree."""
    with Memory(tmp_path / "a.db", model="fake") as opened:
        for number in range(40):
            thing = THINGS[number % len(THINGS)]
            opened.add(
                f"The {thing} number {number} is in room {number * 7}.", title=f"On {thing}s"
            )
        for thing in THINGS:
            opened.search(f"where is the {thing} of room 21")
        opened.flush_log()
        yield opened


def test_every_query_of_the_log_has_its_fused_list(memory: Memory) -> None:
    """Passages are as they are embedded, with their title, and nothing was logged by asking."""
    searches = memory.stats().searches_logged
    asked: list[tuple[int, int]] = []
    found = from_memory(memory, lists=True, progress=lambda *counts: asked.append(counts))
    assert {each.query for each in found} == {f"where is the {t} of room 21" for t in THINGS}
    assert all(each.listed for each in found if each.scores)
    first = next(each for each in found if "violin" in each.query)
    assert first.listed[0].text.startswith("On ")
    assert list(first.scores) == sorted(first.scores, reverse=True)
    assert asked[-1] == (8, 8)
    assert memory.stats().searches_logged == searches


def test_triples_of_one_answer_are_one_example(memory: Memory) -> None:
    """As many negatives as there are triples."""
    triples = list(memory.triples())
    found = from_memory(memory)
    assert triples
    assert sum(len(each.negatives) for each in found) == len(triples)
    assert all(each.positive is not None and not each.listed for each in found)


def test_a_made_query_does_not_find_itself_in_its_title(memory: Memory) -> None:
    """A query from a title learns from the passage without that title; others keep it."""
    memory.mine(forms=["title"])
    made = [each for each in from_memory(memory, lists=True) if each.origin == "made"]
    assert made
    for example in made:
        for each in example.listed:
            assert example.query.casefold() not in each.text.casefold()


def test_stored_vectors_are_those_of_the_listed_passages(memory: Memory) -> None:
    """Each listed passage has the vector that the file holds; one that it does not hold is named."""
    found = from_memory(memory, lists=True)
    strange = replace(found[0], listed=(Passage("strange", "d"),), scores=(1.0,))
    vectors, missing = listed_vectors([*found, strange], stored_vectors(memory))
    assert missing == ["strange"]
    texts = {each.text for example in found for each in example.listed}
    assert set(vectors) == texts
    assert all(vector.shape == (64,) for vector in vectors.values())


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    """A file that nobody searched."""
    with Memory(tmp_path / "b.db", model="fake") as memory:
        memory.add("Tea.")
        with pytest.raises(TrainingError, match="vstash learn mine"):
            from_memory(memory, lists=True)


def test_lines_of_examples(tmp_path: Path) -> None:
    """Queries, positives and negatives; a negative that is the positive is left out."""
    path = tmp_path / "e.jsonl"
    path.write_text('{"query": "q", "positive": "p", "negatives": ["n", "p"]}\n\n', "utf-8")
    (found,) = from_file(path)
    assert found.positive == Passage("p", "p")
    assert found.negatives == (Passage("n", "n"),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"query": "q"}', "Line 1"),
        ('{"query": " ", "positive": "p"}', "must not be empty"),
        ('{"query": "q", "positive": "p", "negative": []}', "Line 1"),
        ("", "no example"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, text: str, told: str) -> None:
    """With their number, and why."""
    path = tmp_path / "e.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(EvaluationError, match=told):
        from_file(path)
    with pytest.raises(PathNotFoundError):
        from_file(tmp_path / "none.jsonl")


def test_what_was_begun_is_kept_whole(memory: Memory, tmp_path: Path) -> None:
    """Examples and options come back equal; a broken record and a folder that holds things are refused."""
    out = tmp_path / "out"
    require_empty(out)
    assert begun_before(out) is None
    begun = Begun(TrainOptions(epochs=3), "0" * 64, from_memory(memory, lists=True))
    begin(out, begun)
    assert begun_before(out) == begun
    with pytest.raises(TrainingError, match="not empty"):
        require_empty(out)
    (out / BEGUN).write_bytes((out / BEGUN).read_bytes()[:-9])
    with pytest.raises(TrainingError, match="cannot be read"):
        begun_before(out)
    with pytest.raises(TrainingError, match="cannot be written"):
        begin(out / BEGUN, begun)


def example(number: int, document: int, *listed: int, origin: str = "made") -> Example:
    """A query whose answer is of this document, with a list."""
    passages = tuple(Passage(f"text {each}", f"d{each}") for each in (document, *listed))
    return Example(
        query=f"query {number}",
        positive=passages[0],
        negatives=(Passage(f"text {document + 1}", f"d{document + 1}"),),
        origin=origin,  # type: ignore[arg-type]
        listed=passages,
        scores=tuple(float(-each) for each in range(len(passages))),
    )


def leaks(train: tuple[Example, ...], held_out: tuple[Example, ...]) -> set[str]:
    """Queries and documents of held-out answers that the other side knows."""
    queries = {each.query for each in held_out}
    documents = {each.positive.document for each in held_out if each.positive}
    seen = {each.query for each in train}
    for each in train:
        known = (*each.negatives, *each.listed, *((each.positive,) if each.positive else ()))
        seen |= {passage.document for passage in known}
    return (queries | documents) & seen


def test_no_query_and_no_answer_is_on_both_sides() -> None:
    """However queries and documents hang together; the same seed gives the same split."""
    examples = [
        example(number % 150, number // 3, number // 3 + 1, number) for number in range(300)
    ]
    for seed in range(5):
        parts = split(examples, share=0.2, seed=seed)
        assert leaks(parts.train, parts.held_out) == set()
        assert 40 <= len(parts.held_out) <= 75
        assert all(len(each.listed) == len(each.scores) for each in parts.train)
        assert split(examples, share=0.2, seed=seed) == parts
    assert split(examples, share=0.2, seed=0) != split(examples, share=0.2, seed=1)


def test_a_planted_leak_is_seen() -> None:
    """The control: one held-out example put among the others is found by its query and its document."""
    parts = split([example(n, 3 * n) for n in range(200)], share=0.2, seed=0)
    planted = leaks((*parts.train, parts.held_out[0]), parts.held_out)
    assert len(planted) == 2


def test_answers_known_beforehand_are_judged_by_where_there_are_enough() -> None:
    """Else those of the log, and it is said."""
    log = [example(n, 3 * n, origin="search") for n in range(200)]
    made = [example(1000 + n, 3000 + 3 * n) for n in range(200)]
    parts = split([*log, *made], share=0.2, seed=0)
    assert parts.evidence == "known"
    assert {each.origin for each in parts.held_out} == {"made"}
    parts = split([*log, *made[:20]], share=0.2, seed=0)
    assert parts.evidence == "log"


def test_too_few_examples_are_refused() -> None:
    """Twenty are needed on either side."""
    with pytest.raises(TrainingError, match="Too few examples"):
        split([example(n, 3 * n) for n in range(60)], share=0.2, seed=0)
