"""The file of a set: made once, used again, gone on with, and another for another setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.evaluation.sets import CORPUS, write_set
from vstash.errors import EvaluationError
from vstash.evaluation import JudgedQuery, judged_set, load_judged, open_judged
from vstash.settings import Settings


def test_a_file_is_made_once(folder: Path, tmp_path: Path, settings: Settings) -> None:
    """The second time the corpus is not even read; titles and texts are stored as they are."""
    judged = load_judged(folder)
    steps: list[tuple[int, int]] = []
    with open_judged(
        judged,
        tmp_path / "work",
        settings=settings,
        progress=lambda done, total: steps.append((done, total)),
    ) as stored:
        assert not stored.reused
        assert stored.memory.stats().documents == 4
        document = stored.memory.get(key="tea")
        assert (document.title, document.text) == ("Tea", CORPUS[0]["text"])
        path = stored.memory.path
    assert steps == [(4, 4)]
    (folder / "corpus.jsonl").unlink()
    with open_judged(judged, tmp_path / "work", settings=settings) as again:
        assert (again.reused, again.memory.path, again.refused) == (True, path, ())


def test_another_corpus_or_setting_is_another_file(tmp_path: Path) -> None:
    """Corpus and chunk sizes are in the file's name; judgements are not."""
    corpus = [*CORPUS, {"_id": "new", "title": "", "text": "New."}]
    first = load_judged(write_set(tmp_path / "a" / "same"))
    second = load_judged(write_set(tmp_path / "b" / "same", corpus=corpus))
    third = load_judged(write_set(tmp_path / "c" / "same", qrels=["q1\ttea\t1"]))
    paths = []
    for judged, tokens in ((first, 192), (second, 192), (first, 64), (third, 192)):
        chosen = Settings(model="fake", chunk_tokens=tokens)
        with open_judged(judged, tmp_path / "work", settings=chosen) as stored:
            paths.append(stored.memory.path)
    assert len(set(paths)) == 3
    assert paths[0] == paths[3]
    assert all(path.name.startswith("same-") for path in paths)


def test_the_working_directory_does_not_matter(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The packaged model, which has no name in the settings, is the same from everywhere."""
    judged, paths = load_judged(folder), []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with open_judged(judged, tmp_path / "work", settings=Settings(model="")) as stored:
            paths.append(stored.memory.path)
    assert paths[0] == paths[1]


def test_an_interrupted_file_is_gone_on_with(tmp_path: Path, settings: Settings) -> None:
    """What was stored before the interruption stays as it is; the rest is added."""
    corpus = [{"_id": f"d{number}", "text": f"Tea number {number}."} for number in range(200)]
    qrels = ["q3\td7\t1"]
    judged = load_judged(write_set(tmp_path / "a", corpus=corpus, qrels=qrels))

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        open_judged(judged, tmp_path / "work", settings=settings, progress=stop),
    ):
        pytest.fail("it was interrupted")
    with open_judged(judged, tmp_path / "work", settings=settings) as stored:
        assert not stored.reused
        assert stored.memory.stats().documents == 200
        first = stored.memory.get(key="d0")
        assert first.created == first.updated
        assert first.created < stored.memory.get(key="d199").created


def test_a_removed_document_is_put_back(folder: Path, tmp_path: Path, settings: Settings) -> None:
    """A file that somebody changed is not taken for whole."""
    judged = load_judged(folder)
    with open_judged(judged, tmp_path / "work", settings=settings) as stored:
        stored.memory.delete(key="tea")
    with open_judged(judged, tmp_path / "work", settings=settings) as stored:
        assert (stored.reused, stored.memory.stats().documents) == (False, 4)


def test_refused_documents_are_named_each_time(tmp_path: Path, settings: Settings) -> None:
    """A document that cannot be stored is named with its reason, and the others are stored."""
    corpus = [*CORPUS, {"_id": "empty", "title": "", "text": " "}]
    judged = load_judged(write_set(tmp_path / "a", corpus=corpus))
    for reused in (False, True):
        with open_judged(judged, tmp_path / "work", settings=settings) as stored:
            assert (stored.reused, stored.memory.stats().documents) == (reused, 4)
            (refused,) = stored.refused
            assert refused.key == "empty"
            assert refused.reason.startswith("text_invalid: ")


def test_what_has_no_document(tmp_path: Path, settings: Settings) -> None:
    """A corpus whose every document is refused, and a set without a corpus."""
    judged = load_judged(write_set(tmp_path / "a", corpus=[{"_id": "tea"}], qrels=["q3\ttea\t1"]))
    with (
        pytest.raises(EvaluationError, match="Every document"),
        open_judged(judged, tmp_path / "work", settings=settings),
    ):
        pytest.fail("nothing was stored")
    bare = judged_set("bare", [JudgedQuery("q", "tea", {"tea": 1})])
    with pytest.raises(EvaluationError, match="no corpus"), open_judged(bare, tmp_path):
        pytest.fail("there is no corpus")
