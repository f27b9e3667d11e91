"""No query and no answer stands in two parts, and what does is seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vstash.learn.splitting import PARTS, groups, leaks, split

MARKS = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=3), max_size=80)


@given(marks=MARKS, seed=st.integers(0, 2**32 - 1))
def test_parts_have_nothing_in_common(marks: list[list[int]], seed: int) -> None:
    """Every item is in one part, and the same seed puts it into the same."""
    parts = split(marks, seed=seed)
    assert sorted(place for places in parts.values() for place in places) == list(range(len(marks)))
    assert leaks(marks, parts) == set()
    assert split(marks, seed=seed) == parts


def test_shares() -> None:
    """Unrelated items are dealt out by the shares; a crowd that hangs together is learnt from."""
    unrelated = [[number] for number in range(1000)]
    sizes = {name: len(places) for name, places in split(unrelated, seed=1).items()}
    assert sizes == {name: 1000 * share for name, share in PARTS.items()}
    assert split(unrelated, seed=1) != split(unrelated, seed=2)
    crowd = [["crowd", number] for number in range(50)] + [[number] for number in range(50, 100)]
    assert set(range(50)) <= set(split(crowd, seed=0)["fit"])


def test_chains_hang_together() -> None:
    """Two that share nothing do so through a third, whenever that comes."""
    assert groups([["a"], ["b"], ["c"], ["b", "a"], ["c", "d"]]) == [0, 0, 2, 0, 2]


def test_planted_overlap_is_caught() -> None:
    """A query or document on both sides is named; the control has none."""
    marks = [["query 1", "document 1"], ["query 2", "document 2"], ["query 3", "document 1"]]
    assert leaks(marks, {"fit": [0, 2], "held": [1]}) == set()
    assert leaks(marks, {"fit": [0, 1], "held": [2]}) == {"document 1"}
    assert leaks([*marks, ["query 1"]], {"fit": [0, 2], "held": [1, 3]}) == {"query 1"}
