"""Whether the REST API is what its description says.

    python -m venv /tmp/conformance && /tmp/conformance/bin/pip install --group conformance
    python -m bench.conformance /tmp/conformance/bin

The tools have dependencies of their own, so they live in an environment beside; the argument is its
folder of programs. `vstash serve` runs on a new file with the test embedder. openapi-spec-validator reads
the description, openapi-python-client makes a client of it that stores, finds and removes a document, and
schemathesis asks everything with generated requests, all checks on, examples, edge cases, random ones and
sequences along the links between operations. Fails where one of them does.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from bench.serving import served

HERE: Final = Path(__file__).parent
PORT: Final = 8796
ADDRESS: Final = f"http://127.0.0.1:{PORT}"


def run(*command: str | Path, cwd: Path, **more: str) -> bool:
    """Run a tool; returns whether it succeeded."""
    print("+", *command, flush=True)
    return not subprocess.run(command, cwd=cwd, env=os.environ | more, check=False).returncode


def conforms(tools: Path, folder: Path, seed: int) -> bool:
    """Run everything."""
    description = folder / "openapi.json"
    with urlopen(f"{ADDRESS}/openapi.json") as answer:
        description.write_bytes(answer.read())
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return all(
        [
            run(tools / "openapi-spec-validator", description, cwd=folder),
            run(
                *(tools / "openapi-python-client", "generate", "--path", description),
                *("--output-path", folder / "generated", "--meta", "none"),
                cwd=folder,
                PATH=path,
            ),
            run(
                *(tools / "python", HERE / "use_client.py", ADDRESS),
                cwd=folder,
                PYTHONPATH=str(folder),
            ),
            run(
                *(tools / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run"),
                *(f"{ADDRESS}/openapi.json", "--seed", str(seed)),
                cwd=folder,
                SCHEMATHESIS_HOOKS="bench.conformance.hooks",
                PYTHONPATH=str(HERE.parents[1]),
            ),
        ]
    )


def main() -> None:
    """Run everything and say whether it holds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("tools", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(folder / "any.db", PORT, folder / "log", VSTASH_MODEL="fake"):
            good = conforms(given.tools.absolute(), folder, given.seed)
    sys.exit(not good)


if __name__ == "__main__":
    main()
