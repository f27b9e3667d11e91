"""One virtual environment a peer, made with the standard library's venv and pip."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.peers.catalogue import PeerSpec
from bench.peers.peer import PeerError

__all__ = ["interpreter", "run"]

_INSTALL_S = 1_800


def interpreter(spec: PeerSpec, folder: Path) -> str:
    """The Python that runs a peer; its environment is made when it is not there yet.

    Args:
        spec: The peer.
        folder: Where environments are kept.

    Returns:
        The path of an interpreter.

    Raises:
        PeerError: When the environment could not be made.
    """
    if not spec.requirements:
        return sys.executable
    place = folder / spec.environment
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = place / "installed.json"
    wanted = json.dumps([*sys.version_info[:2], *spec.requirements])
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        print(f"installing {spec.environment}", file=sys.stderr, flush=True)
        run([sys.executable, "-m", "venv", "--clear", str(place)], _INSTALL_S)
        options = ["--quiet", "--disable-pip-version-check"]
        run([str(python), "-m", "pip", "install", *options, *spec.requirements], _INSTALL_S)
        stamp.write_text(wanted, encoding="utf-8")
    return str(python)


def run(command: Sequence[str], seconds: float) -> None:
    """Run a command and wait for it.

    Args:
        command: Program and arguments.
        seconds: After this long it is ended.

    Raises:
        PeerError: With the last line that it wrote, when it failed or was ended.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise PeerError(f"not done after {seconds:.0f} s") from None
    except OSError as error:
        raise PeerError(str(error)) from error
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines()]
        last = next((line for line in reversed(lines) if line), "no message")
        raise PeerError(f"{last} (exit code {done.returncode})")
