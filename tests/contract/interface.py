"""What every interface of vstash offers, in one shape, so that one suite can hold all of them to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, Protocol

from tests.contract.backup_calls import BackupCalls
from tests.contract.check_calls import CheckCalls
from tests.contract.data_calls import Data
from tests.contract.forget_calls import ForgetCalls
from tests.contract.job_calls import JobCalls
from tests.contract.key_calls import KeyCalls
from tests.contract.learn_calls import LearnCalls
from tests.contract.log_calls import LogCalls
from tests.contract.mining_calls import MiningCalls
from tests.contract.model_calls import ModelCalls
from tests.contract.transfer_calls import Transfers

__all__ = ["ABSENT", "KINDS", "Absent", "ContractError", "Interface", "JsonDict", "Kind"]

# What an interface answers, parsed; the tests say what must be in it.
JsonDict = dict[str, Any]
Kind = Literal["memory", "cli", "rest", "client"]
KINDS: Final[tuple[Kind, ...]] = ("memory", "cli", "rest", "client")


class Absent(Enum):
    """The type of `ABSENT`: a field that is not sent, where None means remove it."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class ContractError(Exception):
    """The one typed error that an interface answered with.

    Args:
        code: Stable name of what went wrong.
        pointer: The field at fault.
        status: HTTP status that belongs to the code.
        exit_code: Of the process, where there was one.
    """

    def __init__(
        self, code: str, *, pointer: str | None, status: int, exit_code: int | None = None
    ) -> None:
        super().__init__(f"{code} at {pointer}, status {status}, exit code {exit_code}")
        self.code = code
        self.pointer = pointer
        self.status = status
        self.exit_code = exit_code


class Interface(
    Data,
    JobCalls,
    KeyCalls,
    Transfers,
    BackupCalls,
    CheckCalls,
    ForgetCalls,
    LogCalls,
    ModelCalls,
    LearnCalls,
    MiningCalls,
    Protocol,
):
    """One way of using vstash; values are JSON in the form of `vstash.wire.to_json`.

    Every method raises `ContractError` where the interface reports an error.
    """

    kind: Kind

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
        ...

    def get(self, id: str) -> JsonDict:
        """Read a document with its text."""
        ...

    def get_by_key(self, key: str, *, collection: str | None = None) -> JsonDict:
        """Read a document with its text by its key."""
        ...

    def get_chunk(self, chunk_id: int) -> JsonDict:
        """Read a chunk."""
        ...

    def list(
        self,
        *,
        collection: str | None = None,
        filter: object = None,
        limit: object = None,
        cursor: str | None = None,
    ) -> JsonDict:
        """List documents: ``items`` and ``next_cursor``."""
        ...

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
        ...

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
        """Replace a document; the command line has no such command."""
        ...

    def delete(self, id: str) -> None:
        """Remove a document."""
        ...

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
        """Search; None leaves a parameter to its default, ``shape`` has those that choose hits."""
        ...

    def why_not(self, query: str, **fields: object) -> JsonDict:
        """Say where a search loses something; the fields are those of `Memory.why_not`."""
        ...

    def context(self, query: str, **fields: object) -> JsonDict:
        """Put together passages for a prompt; the fields are those of `Memory.context`."""
        ...

    def stats(self) -> JsonDict:
        """Say what the file holds."""
        ...

    def disagreements(
        self, *, limit: object = None, cursor: str | None = None, texts: bool = False
    ) -> JsonDict:
        """List logged searches: ``items`` and ``next_cursor``."""
        ...

    def feedback(self, search_id: str, chunk_id: object, verdict: str) -> JsonDict:
        """Say whether a chunk answered a search."""
        ...

    def feedback_batch(self, feedback: Sequence[JsonDict]) -> tuple[JsonDict, ...]:
        """Give many verdicts: each ends as ``verdict`` or ``error``; the command line has no such command."""
        ...

    def judged_searches(self, *, limit: object = None, cursor: str | None = None) -> JsonDict:
        """List judged searches: ``items`` and ``next_cursor``."""
        ...

    def calibrate(self, **fields: object) -> JsonDict:
        """Learn relevance from the file; the fields are those of `Memory.calibrate`."""
        ...

    def reset_calibration(self) -> JsonDict:
        """Forget it: ``removed``."""
        ...

    def ingest(self, paths: Sequence[str], *, collection: str | None = None) -> JsonDict:
        """Read files and folders; the REST API has no such route."""
        ...

    def close(self) -> None:
        """Release what the interface holds."""
        ...
