"""The source keeps to its layers, its sizes, and away from the file's descriptors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "vstash"
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
FOUNDATION = {
    *("errors", "types", "contexts", "feedback", "misses", "reports", "settings", "filters"),
    *("times", "wire", "testing", "replies", "keys", "jobs", "strict_json", "transfers"),
    *("deadlines", "mounts", "threads", "upkeep", "findings", "log_reports", "switching"),
    *("learning", "mining", "resampling"),
}
SIBLINGS = {"text", "embed", "store", "search", "learn"}
SKINS = {"api", "cli", "mcp"}
# Read as: a file of this part may import these parts.
ALLOWED: dict[str, set[str]] = {
    **{part: FOUNDATION - {"testing"} | {part} for part in SIBLINGS},
    "learn": FOUNDATION - {"testing"} | {"learn", "search"},
    "pipeline": FOUNDATION - {"testing"} | SIBLINGS | {"pipeline"},
    # The embedder's protocol is part of the facade's signature.
    "memory": FOUNDATION - {"testing"} | {"memory", "pipeline", "embed"},
    "evaluation": FOUNDATION - {"testing"} | {"memory", "__init__", "evaluation"},
    "training": FOUNDATION - {"testing"}
    | {"memory", "embed", "text", "learn", "evaluation", "training"},
    **{skin: FOUNDATION - {"testing"} | {"memory", "__init__", skin} for skin in SKINS},
    "cli": FOUNDATION - {"testing"} | {"memory", "evaluation", "training", "__init__", "cli"},
    # Its methods take their signatures from the facade's.
    "client": FOUNDATION - {"testing"} | {"memory", "client"},
    "__init__": FOUNDATION - {"testing"} | {"memory", "client", "training"},
    "__main__": {"cli"},
    "testing": {"embed"},
    **{part: FOUNDATION - {"testing"} for part in FOUNDATION - {"testing"}},
}
# Closing any descriptor of the file drops SQLite's locks on it.
FORBIDDEN_MODULES = {"sqlite3", "shutil", "mmap", "fcntl", "io"}
FORBIDDEN_CALLS = {
    *("open", "os.open", "os.fdopen", "os.fsync", "io.open", "os.truncate", "os.ftruncate"),
    *("read_bytes", "read_text", "write_bytes", "write_text", "open_binary"),
}
# Functions of ours that only share their name with one of those.
OURS = {"documents.read_text"}
# The command that starts the service is the one place where a skin knows another.
STARTS_THE_SERVICE = ("cli/serving.py", "api")
# And a folder may be opened, whose descriptors do not matter.
CREATES = {("store/connection.py", "create_file"), ("store/folders.py", "sync_folder")}
# What a caller names may be our own file under another name: one module opens it, after a look at
# device and inode.
OPENS = "pipeline/safe_files.py"
# Who could be given the path of a file to read.
GIVEN_PATHS = {"pipeline", "memory", "api"}


@dataclass(frozen=True)
class Module:
    """A source file of the package."""

    name: str
    part: str
    source: str

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.source)


def modules(package: Path) -> list[Module]:
    """Every source file of the package."""
    found = []
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        part = name.split("/")[0].removesuffix(".py")
        found.append(Module(name, part, path.read_text(encoding="utf-8")))
    return found


def imported_parts(tree: ast.Module) -> Iterator[str]:
    """The parts of the package that a module imports, under TYPE_CHECKING too."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield "a relative import"
        elif isinstance(node, ast.ImportFrom) and node.module == "vstash":
            inside = (
                FOUNDATION
                | SIBLINGS
                | SKINS
                | {"pipeline", "memory", "evaluation", "training", "client"}
            )
            for alias in node.names:
                yield alias.name if alias.name in inside else "__init__"
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            if name == "vstash":
                yield "__init__"
            elif name.startswith("vstash."):
                yield name.split(".")[1]


def wrong_directions(module: Module) -> list[str]:
    """Imports that go against the direction of the layers."""
    allowed = ALLOWED.get(module.part, set())
    return [
        f"{module.name} imports {part}"
        for part in imported_parts(module.tree)
        if part not in allowed and (module.name, part) != STARTS_THE_SERVICE
    ]


def outside_imports(module: Module, library: str) -> list[str]:
    """Where a module imports a library."""
    found = []
    for node in ast.walk(module.tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found += [f"{module.name}: {name}" for name in names if name.split(".")[0] == library]
    return found


def dotted(node: ast.expr) -> str:
    """The name of what is called, such as ``path.read_bytes``."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "()"


def descriptors(module: Module) -> list[str]:
    """Ways in which a module could open the file other than through SQLite."""
    found = [
        hit for library in sorted(FORBIDDEN_MODULES) for hit in outside_imports(module, library)
    ]
    exempt = {
        (child.lineno, child.col_offset)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef) and (module.name, node.name) in CREATES
        for child in ast.walk(node)
        if isinstance(child, ast.Call)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset) not in exempt:
            name = dotted(node.func)
            known = name in FORBIDDEN_CALLS or name.split(".")[-1] in FORBIDDEN_CALLS
            if known and name not in OURS:
                found.append(f"{module.name}:{node.lineno} calls {name}")
    return found


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return 0
    return (first.end_lineno or 0) - first.lineno + 1


def long_functions(module: Module) -> list[str]:
    """Functions above the limit, docstrings not counted."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1 - _docstring_lines(node)
            if lines > LONGEST_FUNCTION:
                found.append(f"{module.name}: {node.name} has {lines} lines")
    return found


def long_files(module: Module) -> list[str]:
    """The file, if it is above the limit."""
    lines = module.source.count("\n")
    return [f"{module.name} has {lines} lines"] if lines > LONGEST_FILE else []


MODULES = modules(PACKAGE)


def test_there_is_something_to_look_at() -> None:
    """A control: the package was found, and every part of it has its rule."""
    assert len(MODULES) > 50
    assert {module.part for module in MODULES} <= set(ALLOWED)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_imports_go_one_way(module: Module) -> None:
    """Foundation, the five siblings, the pipeline, Memory, evaluation, and the three skins."""
    assert wrong_directions(module) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("store/x.py", "from vstash.search.fusion import fuse"),
        ("text/x.py", "import vstash.store.rows"),
        ("search/x.py", "from vstash import Memory"),
        ("embed/x.py", "def f():\n    from vstash.learn import triples"),
        ("learn/x.py", "from vstash.store.rows import Leg"),
        ("cli/x.py", "from vstash.api.app import app"),
        ("api/x.py", "from vstash.pipeline.engine import open_engine"),
        ("pipeline/x.py", "from vstash.memory import Memory"),
        ("evaluation/x.py", "from vstash.pipeline.engine import open_engine"),
        ("memory/x.py", "from vstash import evaluation"),
        ("api/x.py", "from vstash.evaluation import evaluate"),
        ("memory.py", "from vstash.store.sqlite import SqliteStore"),
        ("types.py", "from vstash.embed.protocol import Embedder"),
        ("store/x.py", "from .rows import Leg"),
        ("store/x.py", "if TYPE_CHECKING:\n    from vstash.text.chunk import Span"),
    ],
)
def test_a_planted_import_is_seen(name: str, source: str) -> None:
    """The control: each of these is against the direction, and found."""
    assert (
        len(
            wrong_directions(
                Module(name, name.split("/", maxsplit=1)[0].removesuffix(".py"), source)
            )
        )
        == 1
    )


def test_only_the_store_imports_sqlite() -> None:
    """APSW and sqlite-vec are used in store/ alone, and the standard sqlite3 nowhere."""
    outside = [module for module in MODULES if module.part != "store"]
    for library in ("apsw", "sqlite_vec"):
        assert [hit for module in outside for hit in outside_imports(module, library)] == []
        assert any(outside_imports(module, library) for module in MODULES)
    assert [hit for module in MODULES for hit in outside_imports(module, "sqlite3")] == []
    planted = Module("api/x.py", "api", "def f():\n    import sqlite3\n    from apsw import Error")
    assert len(outside_imports(planted, "sqlite3") + outside_imports(planted, "apsw")) == 2


def test_the_store_opens_files_through_sqlite_only() -> None:
    """No open(), read, copy or map in store/: closing its descriptor would drop SQLite's locks."""
    store = [module for module in MODULES if module.part == "store"]
    migrations = "path.read_text"
    found = [hit for module in store for hit in descriptors(module)]
    # The one read is of migrations, in the installation.
    assert [hit for hit in found if not hit.endswith(migrations)] == []
    assert [hit.split(":")[0] for hit in found] == ["store/migrate.py"]


def test_what_is_ingested_is_opened_in_one_place() -> None:
    """Files that callers name are opened by the module that first looks whether they are ours."""
    found = [hit for module in MODULES if module.part in GIVEN_PATHS for hit in descriptors(module)]
    assert {hit.split(":")[0] for hit in found} == {OPENS}
    planted = Module("pipeline/ingest.py", "pipeline", "extract(file.path.read_bytes())")
    assert descriptors(planted) != []


@pytest.mark.parametrize(
    "source",
    [
        *("import sqlite3", "import shutil", "from shutil import copy", "import mmap"),
        *("open(path)", "open(path).close()", "path.open()", "os.open(path, 0)"),
        *("path.read_bytes()", "Path(x).write_text('')", "def f():\n    with open(p) as g: pass"),
        *("def create_file(path):\n    open(path)", "import fcntl", "x.y.read_text()"),
    ],
)
def test_a_planted_descriptor_is_seen(source: str) -> None:
    """The control: each of these would open the file, and is found."""
    assert descriptors(Module("store/x.py", "store", source)) != []


def test_the_file_is_made_in_one_place() -> None:
    """create_file may open what it makes, and is the only function that may."""
    source = "def create_file(path):\n    os.close(os.open(path, 0))\n"
    assert descriptors(Module("store/connection.py", "store", source)) == []
    assert descriptors(Module("store/connection.py", "store", source + "os.open(p, 0)")) != []
    assert descriptors(Module("store/backup.py", "store", source)) != []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_files_and_functions_are_short(module: Module) -> None:
    """400 lines a file, 50 a function: a sign to split by meaning."""
    assert long_files(module) + long_functions(module) == []


def test_a_long_function_is_seen() -> None:
    """The control: one line too many is found, in a file, a function, a method."""
    body = "    x = 1\n" * 50
    method = "class A:\n    async def g(self):\n" + body.replace("    ", "        ")
    assert long_functions(Module("x.py", "x", f"def f():\n{body}")) != []
    assert long_functions(Module("x.py", "x", method)) != []
    assert long_functions(Module("x.py", "x", f'def f():\n    """A\n    b."""\n{body[10:]}')) == []
    assert long_files(Module("x.py", "x", "x = 1\n" * 401)) != []
    assert long_files(Module("x.py", "x", "x = 1\n" * 400)) == []
