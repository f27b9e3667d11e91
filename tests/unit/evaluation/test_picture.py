"""The picture of a comparison."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from vstash.errors import EvaluationError, ExtraMissingError
from vstash.evaluation import Interval, WayResult, draw

RESULTS = {
    name: {
        way: WayResult({"nDCG@10": Interval(0.4, 0.3, 0.5)}, {}) for way in ("rrf", "adaptive-rrf")
    }
    for name in ("nfcorpus", "scifact")
}


def test_png_and_svg(tmp_path: Path) -> None:
    """Both forms are written; the same results make the same bytes."""
    for name, start in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml")):
        draw(RESULTS, tmp_path / name)
        first = (tmp_path / name).read_bytes()
        assert first.startswith(start)
        draw(RESULTS, tmp_path / name)
        assert (tmp_path / name).read_bytes() == first


def test_every_set_and_way_is_named(tmp_path: Path) -> None:
    """Labels of sets, ways and metric are in the picture."""
    draw(RESULTS, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    ET.fromstring(text)
    for label in ("nfcorpus", "scifact", "rrf", "adaptive-rrf", "nDCG@10, 95 % interval"):
        assert f"<!-- {label} -->" in text


def test_what_cannot_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another ending, a missing folder, a folder of that name, a missing library."""
    (tmp_path / "taken.png").mkdir()
    for name in ("a.jpeg", "absent/a.png", "taken.png"):
        with pytest.raises(EvaluationError) as caught:
            draw(RESULTS, tmp_path / name)
        assert caught.value.pointer == "/picture"
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExtraMissingError, match=r"vstash\[eval\]"):
        draw(RESULTS, tmp_path / "a.png")
