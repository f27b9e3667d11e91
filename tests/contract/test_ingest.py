"""Reading files, the same from Python and from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.interface import Interface, JsonDict
from vstash import Memory

COUNTS = ("added", "replaced", "unchanged", "skipped", "failed")


def _counts(report: JsonDict) -> dict[str, int]:
    return {name: report[name] for name in COUNTS if report[name]}


@pytest.mark.parametrize("kind", ["memory", "cli"], indirect=True)
def test_a_folder_read_again_costs_only_what_changed(
    interface: Interface, path: Path, tmp_path: Path
) -> None:
    """New files are added, changed ones replaced with their identity kept, others left alone."""
    folder = tmp_path / "nötes"
    (folder / "deep er").mkdir(parents=True)
    first, second = folder / "a.md", folder / "deep er" / "b.txt"
    first.write_text("---\nauthor: Ada\n---\n# Ports\n\nPort is 8090.\n", encoding="utf-8")
    second.write_text("Tea is hot.", encoding="utf-8")
    assert _counts(interface.ingest([str(folder)], collection="files")) == {"added": 2}
    with Memory(path) as memory:
        before = memory.get(key=first.resolve().as_posix(), collection="files")
    assert (before.title, before.metadata["author"]) == ("Ports", "Ada")
    first.write_text("# Ports\n\nPort is 9090, since yesterday.\n", encoding="utf-8")
    (folder / "c.md").write_text("Coffee is hot.", encoding="utf-8")
    again = interface.ingest([str(folder)], collection="files")
    assert _counts(again) == {"added": 1, "replaced": 1, "unchanged": 1}
    with Memory(path) as memory:
        after = memory.get(key=before.key, collection="files")
        assert memory.stats().documents == 3
        assert memory.check().findings == ()
    assert (after.id, after.created) == (before.id, before.created)
    assert "9090" in (after.text or "")
