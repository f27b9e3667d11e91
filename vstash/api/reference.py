"""docs/operations.md: every operation of the REST API, made from its description.

python -m vstash.api.reference
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vstash.api.app import create_api
from vstash.api.operations import SCOPE
from vstash.memory import Memory

__all__ = ["operations_markdown"]


def operations_markdown() -> str:
    """The page."""
    with TemporaryDirectory() as folder, Memory(Path(folder) / "any.db", model="fake") as memory:
        schema = create_api(memory).openapi()
    lines = [
        "# Operations of the REST API",
        "",
        (
            "Made by `python -m vstash.api.reference`; do not edit. `/openapi.json` of a running service has "
            "all of it: parameters, bodies, examples, and every error."
        ),
        "",
        "| Operation | Address | Key's scope | What it does | Errors of its own |",
        "|---|---|---|---|---|",
    ]
    operations = [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    everywhere = set.intersection(*(_codes(operation) for _, _, operation in operations))
    for path, method, operation in sorted(operations, key=lambda each: each[:2]):
        own = sorted(_codes(operation) - everywhere)
        cells = (
            f"`{operation['operationId']}`",
            f"`{method.upper()} {path}`",
            operation[SCOPE],
            operation["summary"],
            ", ".join(f"`{code}`" for code in own),
        )
        lines.append("| " + " | ".join(cells) + " |")
    shared = ", ".join(f"`{code}`" for code in sorted(everywhere))
    lines += ["", f"All may also answer {shared}."]
    return "\n".join(lines) + "\n"


def _codes(operation: dict[str, Any]) -> set[str]:
    return {
        code
        for status, said in operation["responses"].items()
        if status >= "400"
        for content in said.get("content", {}).values()
        for code in content.get("examples", {})
    }


if __name__ == "__main__":
    sys.stdout.buffer.write(operations_markdown().encode("utf-8"))
