"""Documents that change without end: the file and what is kept in memory stay bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from vstash import Memory
from vstash.settings import Settings

DOCUMENTS = 40
SENTENCES = 100


@pytest.mark.timeout(120)
def test_replacing_the_same_documents_leaves_no_litter(tmp_path: Path) -> None:
    """After each has been replaced fifty times, little more than one state of them is held."""
    chunks = Settings(chunk_tokens=16, chunk_overlap=0, log_searches="off")
    with (
        Memory(tmp_path / "x.db", model="fake", settings=chunks) as memory,
        Memory(tmp_path / "x.db", model="fake", settings=chunks) as other,
    ):
        for turn in range(50):
            texts = [
                " ".join(f"turn{turn}x sentence{n}x of number{number}x." for n in range(SENTENCES))
                for number in range(DOCUMENTS)
            ]
            memory.add_many(texts, keys=[str(number) for number in range(DOCUMENTS)], embed="later")
            memory.embed()
            other.search("sentence7x of number3x", log=False)
        living = memory.stats().chunks
        assert living > 600
        with memory._engine.store.read() as reader:
            run = reader._connection.execute
            codes = run("SELECT sum(length(chunks)) / 4 FROM code_run").get
            table = other._engine.store._derived._latest[1]._codes[1]  # type: ignore[attr-defined]
        assert living <= codes <= 3 * living, "codes of chunks that are gone"
        assert table.count <= 2 * living
        assert memory.check().findings == ()
        for mode in ("vector", "keyword"):
            found = other.search("turn49x sentence7x of number3x", mode=mode, log=False).hits
            assert "turn49x" in found[0].text
