"""Whatever can be stored goes out and in again as it was."""

from __future__ import annotations

import tempfile
from datetime import datetime, timezone
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vstash import Memory, NewDocument
from vstash.types import Json

STORABLE = st.characters(codec="utf-8", exclude_characters="\0")
TEXT = st.text(STORABLE, min_size=1, max_size=60).filter(lambda text: not text.isspace())
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(STORABLE, max_size=10),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(STORABLE, max_size=5), inner, max_size=3),
    ),
    max_leaves=6,
)
DOCUMENT = st.builds(
    NewDocument,
    text=TEXT,
    key=st.one_of(st.none(), st.text(STORABLE, min_size=1, max_size=8)),
    title=st.one_of(st.none(), st.text("abc é\u0301漢", max_size=8)),
    collection=st.sampled_from([None, "default", "Notes", "b.c-d_e"]),
    tags=st.lists(
        st.text(STORABLE, min_size=1, max_size=5).filter(lambda tag: tag == tag.strip()), max_size=3
    ),
    metadata=st.dictionaries(st.text(STORABLE, max_size=5), VALUES, max_size=3),
    expires_at=st.one_of(
        st.none(),
        st.datetimes(datetime(2100, 1, 1), datetime(9999, 12, 31), timezones=st.just(timezone.utc)),  # noqa: DTZ001 - the strategy adds the zone
    ),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(st.lists(DOCUMENT, max_size=5), st.booleans(), st.integers(1, 2_000))
def test_round_trip(documents: list[NewDocument], vectors: bool, size: int) -> None:  # noqa: FBT001 - made by hypothesis
    """Export, import into an empty file and export again gives the same bytes, cut anywhere."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with (
            Memory(path / "a.db", model="fake") as first,
            Memory(path / "b.db", model="fake") as second,
        ):
            first.add_batch(documents)
            whole = b"".join(first.export(include_vectors=vectors))
            cut = (whole[start : start + size] for start in range(0, len(whole), size))
            report = second.import_documents(cut)
            assert report.added == first.stats().documents
            assert b"".join(second.export(include_vectors=vectors)) == whole
            assert second.import_documents([whole]).unchanged == report.added
            assert second.check().findings == ()
