"""The README is run: its commands, its code, and what it says they print."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from vstash.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md"),
    *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
)
# The int8 model's cosines differ by up to .01 between versions of onnxruntime, and scores, which
# count them in standard deviations of about .05, follow.
NEAR, NEAR_SHARE = 0.05, 0.1
PORT = "8765"
LINES_AT_START = 3

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="the README's commands are for a POSIX shell"
)


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block, and the name in the comment before it."""

    marker: str
    language: str
    body: str


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a console block and what it prints."""

    command: str
    output: str


def fences() -> list[Fence]:
    """All fenced blocks of the README in order."""
    pattern = r"(?:<!-- command: (\w+) -->\n)?^( *)```(\w*)\n(.*?)^ *```$"
    return [
        Fence(found[1] or "", found[3], re.sub(rf"(?m)^{found[2]}", "", found[4]))
        for found in re.finditer(pattern, README, re.MULTILINE | re.DOTALL)
    ]


def marked(name: str) -> str:
    """The one line under a marker, from which also .ci/run takes it."""
    (found,) = (fence for fence in fences() if fence.marker == name)
    (line,) = found.body.splitlines()
    return line


def steps() -> list[Step]:
    """The commands of all console blocks with what they print."""
    found = []
    for fence in fences():
        if fence.language == "console":
            for part in re.split(r"^\$ ", fence.body, flags=re.MULTILINE)[1:]:
                command, _, output = re.sub(r"\\\n\s*", "", part).partition("\n")
                found.append(Step(command, output))
    return found


def sessions(*, of_client: bool) -> tuple[list[str], list[str]]:
    """The Python blocks, those of the service's client or the others, and what each prints."""
    blocks: list[str] = []
    printed: list[str] = []
    for fence in fences():
        if fence.language == "python":
            blocks.append(fence.body)
            printed.append("")
        elif fence.language == "text":
            printed[-1] = fence.body
    chosen = [at for at, block in enumerate(blocks) if ("Client(" in block) is of_client]
    assert chosen
    return [blocks[at] for at in chosen], [printed[at] for at in chosen]


def run_blocks(blocks: list[str], folder: Path, environment: dict[str, str]) -> list[str]:
    """What each block prints, pasted one after the other into one session."""
    session = (
        "import contextlib, io, json, sys\n"
        "names, printed = {}, []\n"
        "for block in json.load(sys.stdin):\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as caught:\n"
        "        exec(compile(block, 'README.md', 'exec'), names)\n"
        "    printed.append(caught.getvalue())\n"
        "print(json.dumps(printed))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", session],
        cwd=folder,
        env=environment,
        input=json.dumps(blocks),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def compare(expected: str, actual: str) -> None:
    """Demand the same text; ids and times have the same form, decimals the same value or nearly."""
    forms = (
        r"(?P<any>\.\.\.)",
        r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
        r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z)",
        r"(?P<number>-?\d+\.\d+(?![\d.]))",
    )
    pattern, numbers, place = "", [], 0
    for found in re.finditer("|".join(forms), expected):
        pattern += re.escape(expected[place : found.start()])
        place = found.end()
        if found["any"]:
            pattern += ".*?"
        elif found["number"]:
            numbers.append(float(found[0]))
            pattern += r"(-?\d+\.\d+)"
        else:
            pattern += (
                forms[1 if found["id"] else 2].replace("?P<id>", "?:").replace("?P<time>", "?:")
            )
    pattern += re.escape(expected[place:])
    matched = re.fullmatch(pattern, actual, re.DOTALL)
    assert matched is not None, f"the README says\n{expected}\nand it printed\n{actual}"
    for said, printed in zip(numbers, matched.groups(), strict=True):
        assert float(printed) == pytest.approx(said, abs=NEAR, rel=NEAR_SHARE)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A user without settings, files and history, whose `vstash` is this one."""
    home = tmp_path_factory.mktemp("home")
    program = home / "bin" / "vstash"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vstash "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VSTASH_", "XDG_", "PYTHON"))
    }
    path = os.pathsep.join((str(program.parent), kept.get("PATH", os.defpath)))
    return {**kept, "HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT)}


def shell(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command line as a user would; it must succeed."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_block_is_of_a_kind_that_is_run_here() -> None:
    """No block of the README escapes these tests by its language."""
    assert {fence.language for fence in fences()} == {"sh", "python", "text", "console"}
    assert README.count("```") == 2 * len(fences())
    assert [fence.marker for fence in fences() if fence.marker] == ["try", "test"]


def test_python_blocks_print_what_the_readme_says(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """The Python tour, pasted block by block with the packaged model, prints the blocks below it."""
    blocks, expected = sessions(of_client=False)
    for said, printed in zip(expected, run_blocks(blocks, tmp_path, environment), strict=True):
        compare(said, printed)
    assert (tmp_path / "notes.db").is_file()


@contextmanager
def served(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run `vstash serve` on a free port; yields the lines that it prints."""
    command = ["vstash", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        try:
            yield "".join(process.stderr.readline() for _ in range(LINES_AT_START))
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            assert process.wait(timeout=30) == 0, rest


def test_console_blocks_print_what_the_readme_says(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """The tours of the command line and of REST, typed in order, print what stands below each."""
    found = steps()
    (at,) = (at for at, step in enumerate(found) if step.command == "vstash serve &")
    for step in found[:at]:
        compare(step.output, shell(step.command, tmp_path, environment))
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: the REST tour was not run")
    with served(tmp_path, environment) as lines:
        port = lines.splitlines()[0].rpartition(":")[2]
        compare(found[at].output, lines.replace(port, PORT))
        for step in found[at + 1 :]:
            assert step.command.startswith(f"curl -s http://127.0.0.1:{PORT}/")
            printed = shell(step.command.replace(PORT, port), tmp_path, environment)
            # The README ends each answer with a line break, which a terminal's prompt stands for.
            compare(step.output, printed + "\n")
        blocks, expected = sessions(of_client=True)
        blocks = [block.replace(PORT, port) for block in blocks]
        for said, printed in zip(expected, run_blocks(blocks, tmp_path, environment), strict=True):
            compare(said, printed)


def test_the_first_command_line_answers_from_these_documents(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """What the first line does after installing finds, by both legs, what SECURITY.md answers."""
    parts = [part.strip() for part in marked("try").split("&&")]
    assert parts[:2] == ["python3 -m venv .venv", ".venv/bin/python -m pip install -q ."]
    assert all(part.startswith(".venv/bin/vstash ") for part in parts[2:])
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*"), ROOT / "bench" / "README.md"):
        copy = tmp_path / page.relative_to(ROOT)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(page, copy)
    printed = shell(" && ".join(parts[2:]).replace(".venv/bin/", ""), tmp_path, environment)
    assert " 0 skipped, 0 failed" in printed
    first = printed[printed.index("\n1. ") : printed.index("\n2. ")]
    assert "SECURITY.md" in first
    assert "encryption at rest" in first
    assert re.search(r"vector #\d+ .*keyword #\d+ ", first)


def test_the_second_command_line_is_one_that_ci_can_run() -> None:
    """The second line installs the test group with a pip that knows groups, and runs everything."""
    parts = [part.strip() for part in marked("test").split("&&")]
    assert parts == [
        "python3 -m venv .venv",
        ".venv/bin/python -m pip install -q -U pip",
        ".venv/bin/python -m pip install -q -e . --group test",
        ".venv/bin/python -m pytest",
    ]
    script = ROOT / ".ci" / "run"
    assert "<!-- command: test -->" in script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)


def test_vstash_works_with_the_network_cut(tmp_path: Path, environment: dict[str, str]) -> None:
    """Adding and searching with the packaged model need no network interface at all."""
    cut = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*cut, "true"], check=False).returncode:
        pytest.skip("this system does not let a user cut the network with unshare")
    tour = "vstash --db cut.db add 'Ada prefers tea.' && vstash --db cut.db search beverage -k 1"
    done = subprocess.run(
        [*cut, "bash", "-c", tour],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert "Ada prefers tea." in done.stdout, done.stderr


def test_numbers_in_the_readme_are_those_of_the_settings() -> None:
    """Limits that the README names are the defaults of the table of settings."""
    known = Settings()
    assert f"{known.log_max_rows:,} searches or {known.log_max_days} days" in " ".join(
        README.split()
    )
    assert f"http://127.0.0.1:{known.port}/v1/search" in README


def test_measured_figures_in_the_readme_are_the_newest_rows() -> None:
    """Each row of the README's table of nDCG@10 is the last one that the benchmark wrote."""
    lines = (ROOT / "bench" / "results" / "quality.jsonl").read_text(encoding="utf-8").splitlines()
    asked = ("strategies", "test", None)
    newest = {
        row["set"]: row["ndcg@10"]
        for row in map(json.loads, lines)
        if (row.get("part"), row["split"], row.get("limit")) == asked
    }
    rows = re.findall(r"^\| ([\w-]+) \| (\.\d{3}(?: \| \.\d{3}){4}) \|$", README, re.MULTILINE)
    assert [name for name, _ in rows] == [name for name in newest if name != "mean"]
    for name, cells in rows:
        ways = ("vector", "keyword", "rrf", "adaptive-rrf", "score")
        # Rows have four digits, the table three: what was rounded twice may differ by half of the last.
        measured = [newest[name][way][0] for way in ways]
        said = [float(cell) for cell in cells.split(" | ")]
        assert said == pytest.approx(measured, abs=0.00056), name


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    """Every relative link and picture of a page is a file of this repository."""
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://)([^)#]+)\)", text)
    missing = [each for each in targets if not (ROOT / page).parent.joinpath(each).exists()]
    assert missing == []


def test_the_table_of_folders_names_what_is_there() -> None:
    """Every folder that the README explains exists, and every folder of vstash is explained."""
    table = README[README.index("| Folder |") :]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    paths = {name if (ROOT / name).exists() else f"vstash/{name}" for name in named}
    assert [path for path in paths if not (ROOT / path).exists()] == []
    folders = {
        f"vstash/{folder.name}/"
        for folder in (ROOT / "vstash").iterdir()
        if folder.is_dir() and not folder.name.startswith("_")
    }
    assert folders <= paths
