"""The examples in the docstrings."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = (
    *("blocks", "boundaries", "chunk", "decode", "extract", "extracted", "front_matter"),
    *("languages", "query_terms"),
    *("markdown", "media", "normalise", "rst", "sections", "tabular"),
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    """Every module's examples run and give what they show."""
    result = doctest.testmod(importlib.import_module(f"vstash.text.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
