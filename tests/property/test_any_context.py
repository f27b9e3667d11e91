"""A context never takes more than its budget, and quotes nothing but the documents."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vstash import Memory, NewDocument
from vstash.contexts import ContextOrder
from vstash.settings import Settings

WORDS = [
    "amber",
    "lamp",
    "cedar",
    "door.",
    "Tea is hot.",
    "\n\n",
    "# Port\n",
    "[end 3893cb]",
    "東京",
    "é" * 30,
]
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=80).map(" ".join).filter(str.strip)
COUNTERS: dict[str, Callable[[str], int] | None] = {
    "model": None,
    "letters": len,
    "quarters": lambda text: len(text) // 4,
    "bytes": lambda text: len(text.encode()),
    "lines": lambda text: text.count("\n"),
    "never": lambda _: 10**9,
}


@given(
    texts=st.lists(TEXT, min_size=1, max_size=4),
    budget=st.integers(1, 700),
    counter=st.sampled_from([*COUNTERS]),
    order=st.sampled_from(["edges", "rank", "document"]),
    widen=st.booleans(),
    k=st.integers(1, 40),
)
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_context(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    budget: int,
    counter: str,
    order: ContextOrder,
    *,
    widen: bool,
    k: int,
) -> None:
    """Whatever is stored, asked and counted."""
    path = tmp_path_factory.mktemp("any") / "x.db"
    small = Settings(chunk_tokens=16, chunk_overlap=4)
    with Memory(path, model="fake", settings=small) as memory:
        memory.add_batch([NewDocument(text, key=f"{at}") for at, text in enumerate(texts)])
        made = memory.context(
            "amber tea lamp",
            max_tokens=budget,
            tokenizer=COUNTERS[counter],
            order=order,
            widen=widen,
            k=k,
            log=False,
        )
        assert made.tokens <= budget
        count = COUNTERS[counter]
        if count is not None:
            assert made.tokens == (count(made.text) if made.passages else 0)
        whole = {
            document.id: memory.get(document.id).text or "" for document in memory.list().items
        }
    mark = made.text.partition("the mark ")[2].partition(":")[0]
    if made.passages:
        assert re.fullmatch("[0-9a-f]{6,}", mark)
        assert made.text.count(mark) == 2 + len(made.passages)
        assert made.text.endswith(f"\n\n[end {mark}]\n")
    seen: dict[str, int] = {}
    for passage in sorted(made.passages, key=lambda found: found.start):
        assert whole[passage.document_id][passage.start : passage.end] == passage.text
        assert passage.text.strip()
        assert re.search(
            rf"^\[{passage.number} {mark}\] .*\n{re.escape(passage.text)}\n\n\[",
            made.text,
            re.MULTILINE,
        )
        if not passage.truncated:
            assert passage.start >= seen.get(passage.document_id, 0)
        seen[passage.document_id] = passage.end
    assert bool(made.text) == bool(made.passages)
