"""What is shipped: the wheel, its metadata, and that it works without the source tree."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

import pytest

import vstash

ROOT = Path(__file__).resolve().parents[2]
MODEL = "vstash/models/bge-small-en-v1.5/"
MODEL_FILES = ("model.json", "model.onnx", "tokenizer.json", "config.json", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """What the wheel says about itself."""
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(archive.read(name))


def test_the_wheel_holds_what_the_program_needs(wheel: Path) -> None:
    """Every module, migration and model file is in the wheel, and the mark of typed packages."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "vstash").rglob("*.py")}
    steps = {f"vstash/migrations/{path.name}" for path in (ROOT / "migrations").glob("*.sql")}
    model = {MODEL + name for name in MODEL_FILES}
    data = {"vstash/py.typed", "vstash/learn/general.jsonl"}
    assert steps
    assert modules | steps | model | data <= names


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    """No tests, benchmarks, bytecode or data files of somebody's work are shipped."""
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names} == {
        "vstash",
        f"vstash-{vstash.__version__}.dist-info",
    }
    assert [name for name in names if name.endswith((".pyc", ".db", ".db-wal", ".db-shm"))] == []


def test_the_metadata_says_what_pip_must_know(metadata: Message) -> None:
    """Name, version, licence, Python versions and the command are in the metadata."""
    assert metadata["Name"] == "vstash"
    assert metadata["Version"] == vstash.__version__
    assert metadata["Requires-Python"] == "<3.15,>=3.10"
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE", f"{MODEL}LICENSE"]
    assert str(metadata.get_payload()).startswith("# vstash\n")


def test_every_requirement_has_a_lower_and_an_upper_bound(metadata: Message) -> None:
    """No dependency can fall below what was tested or jump to an unseen major version."""
    requirements = metadata.get_all("Requires-Dist") or []
    assert requirements
    for requirement in requirements:
        assert ">=" in requirement, requirement
        assert "<" in requirement, requirement


def test_the_tests_have_what_extras_need() -> None:
    """Each requirement of an extra is in the group of the tests, in the same words.

    But for ``train``: PyTorch takes a gigabyte, and what needs it is skipped where it is missing.
    """
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    extras = extras.split("\ntrain = [")[0]
    tests = text.split("\ntest = [")[1].split("\n]")[0]
    needed = re.findall(r'^    "(.+?)",', extras, re.MULTILINE)
    assert needed
    assert [requirement for requirement in needed if f'"{requirement}"' not in tests] == []


def test_the_command_starts_the_command_line(wheel: Path) -> None:
    """The wheel installs one command, `vstash`."""
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        text = archive.read(name).decode()
    assert text.split() == ["[console_scripts]", "vstash", "=", "vstash.cli.main:main"]


def test_the_version_stands_in_one_place() -> None:
    """Only vstash/__init__.py holds the version; the changelog has an entry for it."""
    version = vstash.__version__
    sources = [ROOT / "pyproject.toml", *(ROOT / "vstash").rglob("*.py")]
    holding = [path for path in sources if version in path.read_text(encoding="utf-8")]
    assert holding == [ROOT / "vstash" / "__init__.py"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(.+?)\] - (unreleased|\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_the_installed_package_needs_no_source_tree(wheel: Path, tmp_path: Path) -> None:
    """Installed elsewhere, vstash finds its own migrations and model, and stores and searches."""
    target = tmp_path / "installed"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-index", "--no-deps", "--target", target, wheel),
        ],
        check=True,
    )
    program = (
        "import json, vstash\n"
        "from vstash.embed.catalogue import packaged_models\n"
        "from vstash.store.migrate import known_migrations\n"
        "with vstash.Memory('x.db') as memory:\n"
        "    memory.add('Ada prefers tea.')\n"
        "    text = memory.search('beverage').hits[0].text\n"
        "steps = [step.version for step in known_migrations()]\n"
        "print(json.dumps([vstash.__file__, steps, packaged_models(), text]))\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VSTASH_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(target)},
        check=True,
        capture_output=True,
        text=True,
    )
    file, steps, models, text = json.loads(done.stdout)
    assert Path(file).is_relative_to(target)
    assert steps == list(range(1, len(list((ROOT / "migrations").glob("*.sql"))) + 1))
    assert models == ["bge-small-en-v1.5"]
    assert text == "Ada prefers tea."
