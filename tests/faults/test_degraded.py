"""A damaged index does not stop a search: it goes on without, says so, and the check finds it."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import pytest
import sqlite_vec

from vstash import Memory
from vstash.errors import StoreCorruptError
from vstash.settings import Settings
from vstash.store.vectors import EXACT_LIMIT

COUNT = EXACT_LIMIT + 200


def filled(path: Path) -> None:
    """A file large enough that codes are used, with one answer that words and vectors agree on."""
    words = [f"word{number}x" for number in range(200)]
    rng = random.Random(1)
    texts = [" ".join(rng.choices(words, k=8)) for _ in range(COUNT)]
    with Memory(path, model="fake") as memory:
        memory.add_many([*texts, "the quokka eats leaves"], keys=[str(n) for n in range(COUNT + 1)])


def damaged(path: Path, *statements: str) -> None:
    """Run SQL on the file, as vstash never would."""
    connection = apsw.Connection(str(path))
    connection.enable_load_extension(True)
    library = str(sqlite_vec.loadable_path())  # type: ignore[no-untyped-call]
    connection.load_extension(library)
    for statement in statements:
        connection.execute(statement)
    connection.close()


DAMAGES: list[tuple[str, str, str]] = [
    ("postings cut", "UPDATE posting SET ids = substr(ids, 1, 3)", "postings_damaged"),
    ("postings of another width", "UPDATE posting SET ids = CAST(x'07' || substr(ids, 2) AS BLOB)", "postings_damaged"),
    ("postings of other chunks", "UPDATE posting SET ids = x'04FFFFFFFF', counts = x''", "postings_damaged"),
    ("postings gone", "DROP TABLE posting", "postings_damaged"),
    ("codes cut", "UPDATE code_run SET high = substr(high, 1, 9)", "codes_damaged"),
    ("codes of another model", "UPDATE code_run SET high = CAST(high || high AS BLOB), low = CAST(low || low AS BLOB)", "codes_damaged"),
    ("codes empty", "UPDATE code_run SET chunks = x'', factors = x''", "codes_damaged"),
    ("codes gone", "DROP TABLE code_run", "codes_damaged"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "code"), [case[1:] for case in DAMAGES], ids=[case[0] for case in DAMAGES]
)
def test_a_search_goes_on_without(tmp_path: Path, statement: str, code: str) -> None:
    """The answer is found all the same, the reply says what is missing, the check finds it."""
    path = tmp_path / "x.db"
    filled(path)
    damaged(path, statement)
    with Memory(path, model="fake", settings=Settings(log_searches="off")) as memory:
        result = memory.search("what does the quokka eat")
        assert result.hits[0].text == "the quokka eats leaves"
        assert [reason.partition(":")[0] for reason in result.degraded] == [code]
        assert not memory.check().ok


def test_an_undamaged_file_is_not_degraded(tmp_path: Path) -> None:
    """The control: the same file without damage answers without a reason."""
    path = tmp_path / "x.db"
    filled(path)
    damaged(path, "SELECT 1")
    with Memory(path, model="fake") as memory:
        result = memory.search("what does the quokka eat")
        assert (result.hits[0].text, result.degraded) == ("the quokka eats leaves", ())
        assert memory.check().ok


@pytest.mark.parametrize("mode", ["keyword", "vector"])
def test_one_leg_alone_goes_on_too(tmp_path: Path, mode: str) -> None:
    """Its own damage is told; that of the other leg does not matter."""
    path = tmp_path / "x.db"
    filled(path)
    damaged(path, "DELETE FROM segment", "UPDATE code_run SET low = x''")
    with Memory(path, model="fake") as memory:
        result = memory.search("quokka eats leaves", mode=mode)  # type: ignore[arg-type] # a str
        if mode == "vector":
            assert [reason.partition(":")[0] for reason in result.degraded] == ["codes_damaged"]
            assert result.hits[0].text == "the quokka eats leaves"
        else:
            assert result.degraded == ()


KEYWORD_DAMAGES: list[tuple[str, str]] = [
    ("pages cut", "UPDATE keyword_data SET block = substr(block, 1, 3) WHERE id > 10"),
    ("pages of noise", "UPDATE keyword_data SET block = randomblob(64) WHERE id > 10"),
    ("pages gone", "DELETE FROM keyword_data WHERE id > 10"),
]


@pytest.mark.parametrize(
    "statement", [case[1] for case in KEYWORD_DAMAGES], ids=[case[0] for case in KEYWORD_DAMAGES]
)
@pytest.mark.parametrize("query", ['"quokka eats" what', "quokka leaves word7x"])
def test_a_search_for_exact_terms_goes_on_without(
    tmp_path: Path, statement: str, query: str
) -> None:
    """Postings and vectors still answer; that nothing was looked up to the letter is told."""
    path = tmp_path / "x.db"
    filled(path)
    damaged(path, statement)
    with Memory(path, model="fake", settings=Settings(log_searches="off")) as memory:
        result = memory.search(query, explain=True)
        assert result.hits[0].text == "the quokka eats leaves"
        assert [reason.partition(":")[0] for reason in result.degraded] == ["keyword_damaged"]
        assert all(hit.explanation and hit.explanation.exact_part == 0 for hit in result.hits)
        assert memory.search("what does the quokka eat").degraded == ()
        assert not memory.check().ok


@pytest.mark.parametrize("value", ["x'ff'", "x'4c1761'"])
def test_damaged_metadata_is_told_as_damage(tmp_path: Path, value: str) -> None:
    """It is neither a defect of vstash nor silently something else."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        memory.add("the quokka eats leaves", key="a", metadata={"n": 1})
    damaged(path, "PRAGMA ignore_check_constraints = ON", f"UPDATE document SET metadata = {value}")
    with Memory(path, model="fake") as memory:
        assert "value_damaged" in {finding.code for finding in memory.check().findings}
        for reading in (
            lambda: memory.get(key="a"),
            lambda: memory.search("quokka"),
            lambda: memory.search("quokka", filter={"metadata.n": {"eq": 1}}),
        ):
            with pytest.raises(StoreCorruptError):
                reading()
