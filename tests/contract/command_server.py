"""Runs the vstash command, each call in a process of its own that has its modules already.

To start Python and to import vstash costs ten times what most commands do. So one process imports all of it once,
and forks for every call; tests/unit/cli starts the command as users do.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

__all__ = ["run_command"]

_ROOT: Final = Path(__file__).resolve().parents[2]
_SOCKET: Final = "commands"
_STREAMS: Final = ("stdin", "stdout", "stderr")
# The service's own modules; training's, which need an extra; and a model's, which start threads, and a
# fork takes no thread along.
_NOT_LOADED: Final = ("vstash.api", "vstash.__main__", "vstash.embed.onnx", "vstash.training")


def run_command(
    words: Sequence[bytes], *, stdin: bytes, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[bytes]:
    """Run ``vstash`` with these arguments.

    Args:
        words: The arguments.
        stdin: What it reads.
        environment: All of its variables.
        timeout_s: How long to wait for it.
    """
    if not hasattr(os, "fork"):
        command = [os.fsencode(sys.executable), b"-m", b"vstash", *words]
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            env=environment,
            timeout=timeout_s,
            check=False,
        )
    server = _server()
    with (
        tempfile.TemporaryDirectory(dir=server) as name,
        socket.socket(socket.AF_UNIX) as calling,
    ):
        streams = [Path(name) / stream for stream in _STREAMS]
        for stream in streams:
            stream.write_bytes(b"")
        streams[0].write_bytes(stdin)
        calling.settimeout(timeout_s)
        calling.connect(str(server / _SOCKET))
        call = {
            "words": [word.hex() for word in words],
            "environment": dict(environment),
            "folder": str(Path.cwd()),
            "streams": [str(stream) for stream in streams],
        }
        calling.sendall(json.dumps(call).encode())
        calling.shutdown(socket.SHUT_WR)
        code = int(calling.makefile("rb").read())
        return subprocess.CompletedProcess(
            list(words), code, streams[1].read_bytes(), streams[2].read_bytes()
        )


@cache
def _server() -> Path:
    """The folder of the process that forks, which ends with this one."""
    made = tempfile.TemporaryDirectory(prefix="vstash-commands-")
    environment = {name: value for name, value in os.environ.items() if name[:7] != "VSTASH_"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.command_server", str(Path(made.name) / _SOCKET)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        env=environment
        | {"PYTHONWARNINGS": "error", "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"

    def end() -> None:
        # It ends when its standard input does.
        process.communicate()
        made.cleanup()

    atexit.register(end)
    return Path(made.name)


def _load() -> None:
    """Import all that a command may need."""
    package = import_module("vstash")
    for module in pkgutil.walk_packages(package.__path__, "vstash."):
        if not module.name.startswith(_NOT_LOADED):
            import_module(module.name)


def _serve(address: str) -> None:
    """Fork for every call until standard input ends; returns where a command is to be run."""
    _load()
    # What is loaded stays in memory that all share, so long as no collection writes to it.
    gc.freeze()
    # Nobody waits for those who wait for a command.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while True:
            if sys.stdin in select.select([listening, sys.stdin], [], [])[0]:
                sys.exit()
            calling, _ = listening.accept()
            with calling:
                if os.fork():
                    continue
                listening.close()
                return _answer(calling)


def _answer(calling: socket.socket) -> None:
    """Fork once more; one of the two becomes the command, the other tells its exit code."""
    call = json.loads(calling.makefile("rb").read())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        calling.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    for number, name in enumerate(call["streams"]):
        opened = os.open(name, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(call["environment"])
    os.chdir(call["folder"])
    words = [os.fsdecode(bytes.fromhex(word)) for word in call["words"]]
    sys.argv = [str(_ROOT / "vstash" / "__main__.py"), *words]


if __name__ == "__main__":
    _serve(sys.argv[1])
    import_module("vstash.cli.main").main()
