"""The command as tests call it: inside this process, in a process of its own, and at a terminal."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from vstash.cli.main import cli

__all__ = ["Vstash"]

PATIENCE_S = 60


@dataclass(frozen=True)
class Vstash:
    """The vstash command over one file in a folder of its own."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def db(self) -> Path:
        """The file."""
        return self.folder / "memory.db"

    def run(self, *args: str, stdin: str | bytes = "", **environment: str) -> Result:
        """Call the command inside this process."""
        runner = CliRunner(env={**self.environment, **environment})
        return runner.invoke(cli, list(args), input=stdin)

    def json(self, *args: str, stdin: str | bytes = "") -> Any:
        """Call the command with ``--json``; it must succeed with one document and nothing else."""
        result = self.run(*args, "--json", stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)

    def command(self, *args: str) -> list[str]:
        """A command line for a process of its own."""
        return [sys.executable, "-m", "vstash", *args]

    def child_environment(self, **environment: str) -> dict[str, str]:
        """The environment for a process of its own."""
        root = str(Path(__file__).resolve().parents[3])
        # What the caller set for its own Python, such as no buffering, would hide what users see.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        return {**inherited, **self.environment, "PYTHONPATH": root, **environment}

    def spawn(
        self, *args: str, stdin: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Call the command in a process of its own, with pipes."""
        return subprocess.run(
            self.command(*args),
            input=stdin,
            capture_output=True,
            check=False,
            env=self.child_environment(**environment),
            timeout=PATIENCE_S,
        )

    def terminal(self, *args: str, wait_for: str = "", answer: str = "") -> tuple[int, str]:
        """Call the command at a terminal.

        Args:
            args: The command line.
            wait_for: Text to wait for before answering.
            answer: What the user types then; ``^C`` interrupts.

        Returns:
            Exit code and what the terminal showed.
        """
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            self.command(*args),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self.child_environment(TERM="xterm", NO_COLOR=""),
        )
        os.close(theirs)
        shown = b""
        deadline = time.monotonic() + PATIENCE_S
        interrupt_at = float("inf")
        while time.monotonic() < deadline:
            if time.monotonic() >= interrupt_at and process.poll() is None:
                # Python overlooks a signal that comes just before it waits for a line.
                process.send_signal(signal.SIGINT)
                interrupt_at = time.monotonic() + 1
            if not select.select([ours], [], [], 0.1)[0]:
                if process.poll() is not None:
                    break
                continue
            try:
                part = os.read(ours, 65_536)
            except OSError:
                break
            if not part:
                break
            shown += part
            if answer and wait_for.encode() in shown:
                if answer == "^C":
                    interrupt_at = time.monotonic()
                else:
                    os.write(ours, answer.encode())
                answer = ""
        code = process.wait(PATIENCE_S)
        os.close(ours)
        return code, shown.decode("utf-8", "replace")
