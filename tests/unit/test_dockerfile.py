"""The Dockerfile, read and run step by step without Docker.

Paths of the image become folders of a temporary one. The steps that need root are read, not run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec

import vstash
from vstash.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
MADE = ("/wheels", "/opt/vstash", "/src")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the image is built by a POSIX shell")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its lines joined."""

    word: str
    rest: str


def stages() -> list[list[Instruction]]:
    """The instructions of each stage of the Dockerfile."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", " ")
    found: list[list[Instruction]] = []
    for line in text.splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            if word == "FROM":
                found.append([])
            found[-1].append(Instruction(word, rest.strip()))
    return found


def all_of(stage: list[Instruction], word: str) -> list[str]:
    """What stands behind every instruction of one kind."""
    return [each.rest for each in stage if each.word == word]


def only(stage: list[Instruction], word: str) -> str:
    """What stands behind the one instruction of a kind."""
    (found,) = all_of(stage, word)
    return found


def image_variables() -> dict[str, str]:
    """The ENV of the image."""
    pairs = shlex.split(only(stages()[1], "ENV"))
    return dict(pair.split("=", 1) for pair in pairs)


@dataclass(frozen=True, slots=True)
class Image:
    """Where the image's folders are, and the environment in which its command runs."""

    root: Path
    environment: dict[str, str]

    def run(self, *command: str) -> str:
        """Run a command of the image; it must succeed."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def copied(root: Path) -> None:
    """Do what COPY of the first stage does, with what .dockerignore lets through."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    ignored = GitIgnoreSpec.from_lines(lines)
    for rest in all_of(stages()[0], "COPY"):
        *sources, target = rest.split()
        for source in sources:
            assert not ignored.match_file(source), f".dockerignore leaves out {source}"
            place = root / "src" / target / ("" if target != "./" else source)
            if (ROOT / source).is_dir():
                skip = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, place, ignore=skip)
            else:
                shutil.copy(ROOT / source, place)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The first stage, run with its own commands in a temporary folder, without the network."""
    root = tmp_path_factory.mktemp("image")
    for folder in ("src", "bin", "data", "home"):
        (root / folder).mkdir()
    copied(root)
    python = root / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VSTASH_", "PIP_", "PYTHON", "XDG_"))
    }
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    building = {**kept, **offline, "PATH": f"{root / 'bin'}:{kept['PATH']}"}
    for step in all_of(stages()[0], "RUN"):
        for path in MADE:
            step = re.sub(rf"{path}\b", str(root / path.strip("/")), step)  # noqa: PLW2901 - rewritten
        done = subprocess.run(
            ["sh", "-c", step],
            cwd=root / "src",
            env=building,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
    installed = root / "opt" / "vstash"
    (packages,) = installed.glob("lib/python*/site-packages")
    # Dependencies come from here, after the image's own packages: a .pth is read last and its
    # folders' own .pth files, such as that of an editable vstash, are not read at all.
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "borrowed.pth").write_text("\n".join(sorted(borrowed)), encoding="utf-8")
    variables = {
        name: value.replace("$PATH", kept["PATH"]).replace("/data/", f"{root}/data/")
        for name, value in image_variables().items()
    }
    variables["PATH"] = variables["PATH"].replace("/opt/vstash", str(installed))
    return Image(root, {**kept, "HOME": str(root / "home"), **variables})


def test_the_stages_share_one_base() -> None:
    """An environment made in one stage fits the Python of the other."""
    first, second = (only(stage, "FROM") for stage in stages())
    assert first == f"{second} AS build"
    version = re.fullmatch(r"python:(\d\.\d+)-slim", second)
    assert version is not None
    classifiers = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"Python :: {version[1]}" in classifiers


def test_the_image_runs_without_rights() -> None:
    """The program runs as a numbered user who owns the volume and nothing else."""
    final = stages()[1]
    user, group = only(final, "USER").split(":")
    assert user.isdigit()
    assert int(user) > 0
    volume = only(final, "VOLUME")
    assert f"install -d -o {user} -g {group} -m 0700 {volume}" in only(final, "RUN")
    words = [each.word for each in final]
    assert words.index("USER") > max(at for at, word in enumerate(words) if word == "RUN")
    assert image_variables()["VSTASH_DB"].startswith(f"{volume}/")


def test_the_image_names_the_port_of_the_settings() -> None:
    """EXPOSE and the health check use the port on which the service listens by default."""
    final = stages()[1]
    port = str(Settings().port)
    assert only(final, "EXPOSE") == port
    assert f"'{port}'" in only(final, "HEALTHCHECK")


def test_the_installed_program_is_the_wheel(image: Image) -> None:
    """In the image the command, the migrations and the model come from the wheel."""
    assert image.run("vstash", "--version") == f"vstash {vstash.__version__}\n"
    program = (
        "import json, vstash\n"
        "from vstash.embed.catalogue import packaged_folder\n"
        "from vstash.store.migrate import known_migrations\n"
        "model = packaged_folder('bge-small-en-v1.5') / 'model.onnx'\n"
        "print(json.dumps([vstash.__file__, len(known_migrations()), model.is_file()]))\n"
    )
    file, steps, has_model = json.loads(image.run("python", "-c", program))
    assert Path(file).is_relative_to(image.root / "opt" / "vstash")
    assert steps == len(list((ROOT / "migrations").glob("*.sql")))
    assert has_model


def test_the_image_stores_and_searches(image: Image) -> None:
    """With the image's variables the command keeps its file in the volume."""
    image.run("vstash", "add", "Ada prefers tea.", "--key", "ada")
    assert "Ada prefers tea." in image.run("vstash", "search", "beverage")
    assert (image.root / "data" / "vstash.db").is_file()


@pytest.fixture
def port(image: Image) -> Iterator[str]:
    """The image's own command, serving on a free port."""
    command = json.loads(only(stages()[1], "ENTRYPOINT")) + json.loads(only(stages()[1], "CMD"))
    with subprocess.Popen(
        command,
        cwd=image.root,
        env={**image.environment, "VSTASH_PORT": "0"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        try:
            yield process.stderr.readline().strip().rpartition(":")[2]
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            process.wait(timeout=30)


def health(image: Image, port: str) -> int:
    """The exit code of the health check."""
    _, _, command = only(stages()[1], "HEALTHCHECK").partition("CMD ")
    return subprocess.run(
        json.loads(command),
        cwd=image.root,
        env={**image.environment, "VSTASH_PORT": port, "http_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        check=False,
    ).returncode


def test_the_health_check_sees_whether_the_service_lives(image: Image, port: str) -> None:
    """The health check succeeds against the running service, whatever proxy is set, else fails."""
    assert health(image, port) == 0
    assert health(image, "1") != 0
