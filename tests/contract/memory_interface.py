"""The contract over the Python interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from tests.contract.backup_calls import BackupsOverMemory
from tests.contract.check_calls import CheckOverMemory
from tests.contract.data_calls import DataOverMemory
from tests.contract.forget_calls import ForgetOverMemory
from tests.contract.interface import ABSENT, Absent, ContractError, JsonDict, Kind
from tests.contract.job_calls import JobsOverMemory
from tests.contract.key_calls import KeysOverMemory
from tests.contract.learn_calls import LearnOverMemory
from tests.contract.log_calls import LogOverMemory
from tests.contract.mining_calls import MiningOverMemory
from tests.contract.model_calls import ModelsOverMemory
from tests.contract.transfer_calls import TransferOverMemory
from vstash import Client, Feedback, Memory
from vstash.errors import VstashError
from vstash.settings import load_settings
from vstash.types import UNSET
from vstash.wire import error_json, parse_time, to_json

__all__ = ["MemoryInterface", "typed"]

Value = TypeVar("Value")


def typed(action: Callable[[], Value]) -> Value:
    """Do something; an error of vstash becomes a `ContractError`.

    Args:
        action: What to do.

    Returns:
        What it returned.
    """
    try:
        return action()
    except VstashError as error:
        raise ContractError(error.code, pointer=error.pointer, status=error.status) from error


def _given(**fields: object) -> dict[str, Any]:
    """Arguments without those to be left to their defaults, of any type: some cases are wrong."""
    return {name: value for name, value in fields.items() if value is not None}


def _present(**fields: object) -> dict[str, Any]:
    return {name: UNSET if value is ABSENT else value for name, value in fields.items()}


def _moment(text: str | Absent | None) -> datetime | Absent | None:
    return parse_time(text, pointer="/expires_at") if isinstance(text, str) else text


class MemoryInterface(
    DataOverMemory,
    ForgetOverMemory,
    LogOverMemory,
    ModelsOverMemory,
    LearnOverMemory,
    MiningOverMemory,
    JobsOverMemory,
    KeysOverMemory,
    TransferOverMemory,
    BackupsOverMemory,
    CheckOverMemory,
):
    """`Memory` in this process.

    Args:
        path: The file.
        settings: Settings by name, as text.
    """

    kind: Kind = "memory"

    def __init__(self, path: Path, settings: Mapping[str, str]) -> None:
        self._memory: Memory | Client = typed(
            lambda: Memory(path, settings=load_settings(**settings))
        )

    def _call(self, action: Callable[[], object]) -> JsonDict:
        found = to_json(typed(action))
        assert isinstance(found, dict)
        return found

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
        return self._call(
            lambda: self._memory.add(
                text,
                tags=tags,
                **_given(
                    key=key,
                    title=title,
                    collection=collection,
                    metadata=metadata,
                    expires_at=_moment(expires_at),
                    embed=embed,
                ),
            )
        )

    def get(self, id: str) -> JsonDict:
        """Read a document."""
        return self._call(lambda: self._memory.get(id))

    def get_by_key(self, key: str, *, collection: str | None = None) -> JsonDict:
        """Read a document by its key."""
        return self._call(lambda: self._memory.get(key=key, collection=collection))

    def get_chunk(self, chunk_id: int) -> JsonDict:
        """Read a chunk."""
        return self._call(lambda: self._memory.get_chunk(chunk_id))

    def list(
        self,
        *,
        collection: str | None = None,
        filter: object = None,
        limit: object = None,
        cursor: str | None = None,
    ) -> JsonDict:
        """List documents."""
        return self._call(
            lambda: self._memory.list(
                **_given(collection=collection, filter=filter, limit=limit, cursor=cursor)
            )
        )

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
        return self._call(
            lambda: self._memory.update(
                id,
                **_present(
                    text=text,
                    title=title,
                    tags=tags,
                    metadata=metadata,
                    expires_at=_moment(expires_at),
                ),
            )
        )

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
        """Replace a document."""
        return self._call(
            lambda: self._memory.replace(
                id,
                text,
                tags=tags,
                **_given(title=title, metadata=metadata, expires_at=_moment(expires_at)),
            )
        )

    def delete(self, id: str) -> None:
        """Remove a document."""
        typed(lambda: self._memory.delete(id))

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
        return self._call(
            lambda: self._memory.search(
                query,
                explain=explain,
                **_given(
                    k=k,
                    collection=collection,
                    filter=filter,
                    mode=mode,
                    strategy=strategy,
                    **shape,
                ),
            )
        )

    def why_not(self, query: str, **fields: object) -> JsonDict:
        """Say where a search loses something."""
        return self._call(lambda: self._memory.why_not(query, **_given(**fields)))

    def context(self, query: str, **fields: object) -> JsonDict:
        """Put together passages for a prompt."""
        return self._call(lambda: self._memory.context(query, **_given(**fields)))

    def stats(self) -> JsonDict:
        """Say what the file holds."""
        return self._call(self._memory.stats)

    def disagreements(
        self, *, limit: object = None, cursor: str | None = None, texts: bool = False
    ) -> JsonDict:
        """List logged searches."""
        return self._call(
            lambda: self._memory.disagreements(texts=texts, **_given(limit=limit, cursor=cursor))
        )

    def feedback(self, search_id: str, chunk_id: object, verdict: str) -> JsonDict:
        """Say whether a chunk answered a search."""
        given: Any = (search_id, chunk_id, verdict)
        return self._call(lambda: self._memory.feedback(*given))

    def feedback_batch(self, feedback: Sequence[JsonDict]) -> tuple[JsonDict, ...]:
        """Give many verdicts."""
        outcomes = typed(
            lambda: self._memory.feedback_batch([Feedback(**each) for each in feedback])
        )
        return tuple(
            {"error": error_json(outcome, local=False)}
            if isinstance(outcome, VstashError)
            else {"verdict": to_json(outcome)}
            for outcome in outcomes
        )

    def judged_searches(self, *, limit: object = None, cursor: str | None = None) -> JsonDict:
        """List judged searches."""
        return self._call(
            lambda: self._memory.judged_searches(**_given(limit=limit, cursor=cursor))
        )

    def calibrate(self, **fields: object) -> JsonDict:
        """Learn relevance from the file."""
        return self._call(lambda: self._memory.calibrate(**_given(**fields)))

    def reset_calibration(self) -> JsonDict:
        """Forget it."""
        return {"removed": typed(self._memory.reset_calibration)}

    def ingest(self, paths: Sequence[str], *, collection: str | None = None) -> JsonDict:
        """Read files and folders."""
        memory = self._memory
        assert isinstance(memory, Memory)
        return self._call(lambda: memory.ingest(paths, collection=collection))

    def close(self) -> None:
        """Release the file."""
        self._memory.close()
