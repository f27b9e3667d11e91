"""The contract over the command line: every call is a process of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.contract.backup_calls import BackupsOverCli
from tests.contract.check_calls import CheckOverCli
from tests.contract.command_server import run_command
from tests.contract.data_calls import DataOverCli
from tests.contract.forget_calls import ForgetOverCli
from tests.contract.interface import ABSENT, Absent, ContractError, JsonDict, Kind
from tests.contract.job_calls import JobsOverCli
from tests.contract.key_calls import KeysOverCli
from tests.contract.learn_calls import LearnOverCli
from tests.contract.log_calls import LogOverCli
from tests.contract.mining_calls import MiningOverCli
from tests.contract.model_calls import ModelsOverCli
from tests.contract.transfer_calls import TransferOverCli
from vstash import errors

__all__ = ["CliInterface", "child_environment"]

_EXIT_CODES: Final = {
    kind.code: kind.exit_code
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.VstashError)
}
_LONGEST_ARGUMENT: Final = 10_000
_TIMEOUT_S: Final = 60


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process with these settings, where any warning is an error.

    Args:
        settings: Values by name, without the prefix.
    """
    ours = {f"VSTASH_{name.upper()}": value for name, value in settings.items()}
    return {**os.environ, "PYTHONWARNINGS": "error", "PYTHONUTF8": "1", **ours}


def _options(**values: object) -> list[str]:
    """Options and their values; those that are None are left out, True is a flag."""
    found = []
    for name, value in values.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            found.append(option)
        elif value is not None and value is not False:
            found.append(f"{option}={value}")
    return found


def _metadata(metadata: object) -> list[str]:
    assert metadata is None or isinstance(metadata, Mapping), "an object is all it can carry"
    return [f"--meta={name}={json.dumps(value)}" for name, value in (metadata or {}).items()]


def _filter(filter: object) -> str | None:
    return None if filter is None else json.dumps(filter)


def _shape(shape: Mapping[str, object]) -> dict[str, object]:
    """What shapes an answer, by the names of its options."""
    return {name.removesuffix("_days"): value for name, value in shape.items()}


def _words(text: str) -> tuple[list[str], bytes | None]:
    """A text as arguments, or through standard input where it cannot be one."""
    # A dash alone means standard input.
    carried = len(text) <= _LONGEST_ARGUMENT and "\0" not in text and text != "-"
    return (["--", text], None) if carried else (["-"], text.encode())


class CliInterface(
    DataOverCli,
    JobsOverCli,
    KeysOverCli,
    TransferOverCli,
    BackupsOverCli,
    CheckOverCli,
    ForgetOverCli,
    LogOverCli,
    ModelsOverCli,
    LearnOverCli,
    MiningOverCli,
):
    """The ``vstash`` command with ``--json``.

    Args:
        path: The file.
        settings: Settings by name, as text.
    """

    kind: Kind = "cli"

    def __init__(self, path: Path, settings: Mapping[str, str]) -> None:
        self._environment = child_environment({**settings, "db": str(path)})

    def run(
        self,
        *words: str,
        stdin: bytes | None = None,
        fine: frozenset[int] = frozenset({0}),
    ) -> JsonDict:
        """Run one command.

        Args:
            words: The command line.
            stdin: Standard input.
            fine: Exit codes with which an answer is printed.

        Returns:
            The one JSON document that it printed.
        """
        done = run_command(
            [b"--json", *(word.encode("utf-8", "surrogatepass") for word in words)],
            stdin=stdin or b"",
            environment=self._environment,
            timeout_s=_TIMEOUT_S,
        )
        told = done.stderr.decode("utf-8")
        if done.returncode in fine and not told:
            answer = json.loads(done.stdout)
            assert isinstance(answer, dict)
            return answer
        assert done.stdout == b"", (done.stdout, told)
        assert told.count("\n") == 1, f"one line was to say what went wrong: {told}"
        error = json.loads(told)["error"]
        assert done.returncode == _EXIT_CODES[error["code"]], error
        raise ContractError(
            error["code"],
            pointer=error.get("pointer"),
            status=error["status"],
            exit_code=done.returncode,
        )

    def add(
        self,
        text: str,
        *,
        key: str | None = None,
        title: str | None = None,
        collection: str | None = None,
        tags: Sequence[str] = (),
        metadata: object = None,
        expires_at: str | None = None,
        embed: str | None = None,
    ) -> JsonDict:
        """Store a document."""
        options = _options(
            key=key, title=title, collection=collection, expires_at=expires_at, embed=embed
        )
        labels = [f"--tag={tag}" for tag in tags]
        words, stdin = _words(text)
        return self.run("add", *options, *labels, *_metadata(metadata), *words, stdin=stdin)

    def get(self, id: str) -> JsonDict:
        """Read a document."""
        return self.run("get", "--", id)

    def get_by_key(self, key: str, *, collection: str | None = None) -> JsonDict:
        """Read a document by its key."""
        return self.run("get", *_options(key=key, collection=collection))

    def get_chunk(self, chunk_id: int) -> JsonDict:
        """Read a chunk."""
        return self.run("get", f"--chunk={chunk_id}")

    def list(
        self,
        *,
        collection: str | None = None,
        filter: object = None,
        limit: object = None,
        cursor: str | None = None,
    ) -> JsonDict:
        """List documents."""
        options = _options(
            collection=collection, filter=_filter(filter), limit=limit, cursor=cursor
        )
        return self.run("list", *options)

    def update(
        self,
        id: str,
        *,
        text: str | Absent = ABSENT,
        title: str | Absent = ABSENT,
        tags: Sequence[str] | Absent = ABSENT,
        metadata: Mapping[str, object] | Absent = ABSENT,
        expires_at: str | Absent | None = ABSENT,
    ) -> JsonDict:
        """Change some fields of a document."""
        words = []
        if not isinstance(text, Absent):
            words.append(f"--text={text}")
        if not isinstance(title, Absent):
            words.append(f"--title={title}")
        if not isinstance(tags, Absent):
            words += [f"--tag={tag}" for tag in tags] or ["--no-tags"]
        if not isinstance(metadata, Absent):
            given = {name: value for name, value in metadata.items() if value is not None}
            words += _metadata(given)
            words += [f"--unset-meta={name}" for name in metadata.keys() - given.keys()]
        if not isinstance(expires_at, Absent):
            words.append("--never-expires" if expires_at is None else f"--expires-at={expires_at}")
        return self.run("update", *words, "--", id)

    def replace(
        self,
        id: str,
        text: str,
        *,
        title: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, object] | None = None,
        expires_at: str | None = None,
    ) -> JsonDict:
        """The command line has no such command."""
        raise NotImplementedError

    def delete(self, id: str) -> None:
        """Remove a document."""
        self.run("delete", "--", id)

    def search(
        self,
        query: str,
        *,
        k: object = None,
        collection: str | None = None,
        filter: object = None,
        mode: str | None = None,
        strategy: str | None = None,
        explain: bool = False,
        **shape: object,
    ) -> JsonDict:
        """Search."""
        options = _options(
            collection=collection,
            filter=_filter(filter),
            mode=mode,
            strategy=strategy,
            explain=explain,
            **_shape(shape),
        )
        count = [] if k is None else [f"-k{k}"]
        words, stdin = _words(query)
        return self.run("search", *count, *options, *words, stdin=stdin)

    def why_not(self, query: str, **fields: object) -> JsonDict:
        """Say where a search loses something."""
        options = _options(
            filter=_filter(fields.pop("filter", None)), id=fields.pop("document", None)
        )
        count = [f"-k{fields.pop('k')}"] if "k" in fields else []
        words, stdin = _words(query)
        return self.run(
            "why-not", *count, *options, *_options(**_shape(fields)), *words, stdin=stdin
        )

    def context(self, query: str, **fields: object) -> JsonDict:
        """Put together passages for a prompt."""
        options = _options(
            filter=_filter(fields.pop("filter", None)),
            no_widen=fields.pop("widen", True) is False,
        )
        count = [f"-k{fields.pop('k')}"] if "k" in fields else []
        words, stdin = _words(query)
        return self.run(
            "context", *count, *options, *_options(**_shape(fields)), *words, stdin=stdin
        )

    def stats(self) -> JsonDict:
        """Say what the file holds."""
        return self.run("stats")

    def disagreements(
        self, *, limit: object = None, cursor: str | None = None, texts: bool = False
    ) -> JsonDict:
        """List logged searches."""
        return self.run("disagreements", *_options(limit=limit, cursor=cursor, texts=texts))

    def feedback(self, search_id: str, chunk_id: object, verdict: str) -> JsonDict:
        """Say whether a chunk answered a search."""
        return self.run("feedback", "--", search_id, str(chunk_id), verdict)

    def feedback_batch(self, feedback: Sequence[JsonDict]) -> tuple[JsonDict, ...]:
        """The command line has no such command."""
        raise NotImplementedError

    def judged_searches(self, *, limit: object = None, cursor: str | None = None) -> JsonDict:
        """List judged searches."""
        return self.run("feedback", "--list", *_options(limit=limit, cursor=cursor))

    def calibrate(self, **fields: object) -> JsonDict:
        """Learn relevance from the file."""
        return self.run("calibrate", *_options(**fields))

    def reset_calibration(self) -> JsonDict:
        """Forget it."""
        return self.run("calibrate", "--reset")

    def ingest(self, paths: Sequence[str], *, collection: str | None = None) -> JsonDict:
        """Read files and folders; files that failed are told with exit code 1."""
        words = ("ingest", *_options(collection=collection), "--", *paths)
        return self.run(*words, fine=frozenset({0, 1}))

    def close(self) -> None:
        """Nothing is held between two commands."""
