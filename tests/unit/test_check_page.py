"""docs/check.md says what the table of findings says."""

from __future__ import annotations

from pathlib import Path

from tests.faults.drifts import DRIFTS
from vstash.findings import KINDS, Kind

PAGE = Path(__file__).resolve().parents[2] / "docs" / "check.md"


def row(code: str, kind: Kind) -> str:
    """A finding as a row of the page."""
    level = "quick" if kind.quick else "full"
    repair = f"nothing: {kind.repair}" if kind.by_hand else kind.repair
    return f"| `{code}` | {level} | {kind.means}. | {repair}. |"


def test_the_page_lists_every_finding() -> None:
    """Code, level, meaning and repair, one row each and no other."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    findings = [line for line in rows if not line.startswith(("| `full`", "| `quick`"))]
    assert findings == [row(code, kind) for code, kind in KINDS.items()]


def test_the_page_counts_the_drifts() -> None:
    """The number of planted changes is the one of the table."""
    assert f"plants {len(DRIFTS)} changes" in PAGE.read_text(encoding="utf-8")


def test_quick_codes_are_found_quickly() -> None:
    """A drift that quick must find has a code that quick looks for, or touches a set on the way."""
    wrong = [drift.name for drift in DRIFTS if drift.quick and not KINDS[drift.code].quick]
    assert wrong == ["a length made too short"]
