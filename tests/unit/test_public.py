"""The public names, and what importing them costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import vstash

ROOT = Path(__file__).resolve().parents[2]
HEAVY = [
    *("numpy", "onnxruntime", "tokenizers", "fastapi", "starlette", "uvicorn", "pydantic"),
    *("apsw", "sqlite_vec", "rich", "click", "charset_normalizer", "frontmatter", "pathspec"),
    *("Stemmer", "markdown_it", "sqlite3", "uuid6", "platformdirs", "asyncio"),
]


def imported(script: str) -> list[str]:
    """Which modules a fresh process has loaded after a script."""
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"{script}\nimport sys, json; print(json.dumps([*sys.modules]))",
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    modules: list[str] = json.loads(done.stdout)
    return modules


def test_the_public_names_are_sorted_and_complete() -> None:
    """`__all__` is sorted, has every public name of the package, and each exists."""
    names = {
        name
        for name, value in vars(vstash).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    # Constants first, as ruff sorts them.
    assert vstash.__all__ == sorted(vstash.__all__, key=lambda name: (not name.isupper(), name))
    assert set(vstash.__all__) == names
    assert len(set(vstash.__all__)) == len(vstash.__all__)


@pytest.mark.parametrize("name", vstash.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    """Each has a docstring of its own."""
    value = getattr(vstash, name)
    assert name == "UNSET" or (value.__doc__ or "").strip()


def test_importing_vstash_loads_nothing_heavy() -> None:
    """No library that takes time, and no SQLite, before a file is opened."""
    loaded = set(imported("import vstash"))
    assert "vstash.memory" in loaded
    assert loaded & set(HEAVY) == set()


def test_a_heavy_import_would_be_seen() -> None:
    """The control: the same look at a process that does load numpy finds it."""
    assert "numpy" in imported("import vstash, numpy")


def test_the_package_says_that_it_is_typed() -> None:
    """Type checkers look for this file."""
    assert (ROOT / "vstash" / "py.typed").is_file()
