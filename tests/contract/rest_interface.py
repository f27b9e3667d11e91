"""The contract over HTTP: a real server on a real socket."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from tests.contract.backup_calls import BackupsOverRest
from tests.contract.check_calls import CheckOverRest
from tests.contract.cli_interface import child_environment
from tests.contract.data_calls import DataOverRest
from tests.contract.forget_calls import ForgetOverRest
from tests.contract.interface import ABSENT, ContractError, JsonDict, Kind
from tests.contract.job_calls import JobsOverRest
from tests.contract.key_calls import KeysOverRest
from tests.contract.learn_calls import LearnOverRest
from tests.contract.log_calls import LogOverRest
from tests.contract.memory_interface import typed
from tests.contract.mining_calls import MiningOverRest
from tests.contract.model_calls import ModelsOverRest
from tests.contract.transfer_calls import TransferOverRest
from vstash import Memory
from vstash.api.app import create_app
from vstash.api.server import bind, make_server
from vstash.settings import load_settings

__all__ = ["RestInterface", "refused_service"]

_PROBLEM: Final = "application/problem+json"
_TIMEOUT_S: Final = 60.0


def refused_service(path: Path, settings: Mapping[str, str]) -> ContractError:
    """Start ``vstash serve`` on a file that it must refuse.

    Args:
        path: The file.
        settings: Settings by name, as text.

    Returns:
        The error with which it ended.
    """
    done = subprocess.run(
        [sys.executable, "-m", "vstash", "serve", "--port=0", "--json"],
        capture_output=True,
        env=child_environment({**settings, "db": str(path)}),
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.stdout == b""
    error = json.loads(done.stderr)["error"]
    return ContractError(
        error["code"],
        pointer=error.get("pointer"),
        status=error["status"],
        exit_code=done.returncode,
    )


def _body(**members: object) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in members.items()
        if value is not None and value is not ABSENT
    }


def _query(**parameters: object) -> str:
    given = {
        name: "true" if value is True else str(value)
        for name, value in parameters.items()
        if value is not None and value is not False
    }
    return "?" + urlencode(given, errors="surrogatepass")


class RestInterface(
    DataOverRest,
    JobsOverRest,
    KeysOverRest,
    TransferOverRest,
    BackupsOverRest,
    CheckOverRest,
    ForgetOverRest,
    LogOverRest,
    ModelsOverRest,
    LearnOverRest,
    MiningOverRest,
):
    """The REST API, served from a thread of this process as ``vstash serve`` does.

    Args:
        path: The file.
        settings: Settings by name, as text.
        later: Waits at its end for the server to be down, which takes it a while.
    """

    kind: Kind = "rest"

    def __init__(self, path: Path, settings: Mapping[str, str], later: ExitStack) -> None:
        chosen = load_settings(port=0, **settings)
        with ExitStack() as opened:
            memory = opened.enter_context(typed(lambda: Memory(path, settings=chosen)))
            listener = later.enter_context(bind(chosen))
            self._server = make_server(create_app(memory, chosen), chosen)
            thread = threading.Thread(
                target=self._server.run, kwargs={"sockets": [listener]}, daemon=True
            )
            later.callback(thread.join)
            opened.callback(self._stop)
            thread.start()
            while not self._server.started:
                assert thread.is_alive()
                time.sleep(0.001)
            self._port: int = listener.getsockname()[1]
            self._opened = opened.pop_all()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def _stop(self) -> None:
        self._server.should_exit = True

    def send(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> JsonDict:
        """Send one request.

        Args:
            method: Of HTTP.
            target: Path and query.
            body: To be sent as JSON, None for no body.
            headers: To be sent beside those of the body.

        Returns:
            The answer's JSON, an empty object where it has no body.
        """
        content = None if body is None else json.dumps(body).encode()
        raw = self.exchange(method, target, content, headers=headers)
        answer = json.loads(raw) if raw else {}
        assert isinstance(answer, dict)
        return answer

    def exchange(
        self,
        method: str,
        target: str,
        content: bytes | None = None,
        media_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send one request, with a body of any type; returns the answer's body."""
        sent = {**(headers or {}), **({} if content is None else {"Content-Type": media_type})}
        # A new one each time: the service closes those that were idle for a while.
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)) as connection:
            connection.request(method, target, body=content, headers=sent)
            response = connection.getresponse()
            raw = response.read()
        if response.status < 400:
            return raw
        answer = json.loads(raw)
        assert response.getheader("Content-Type") == _PROBLEM
        assert answer["status"] == response.status
        places = answer["errors"]
        raise ContractError(
            answer["code"],
            pointer=places[0]["pointer"] if places else None,
            status=response.status,
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
        body = _body(
            text=text,
            key=key,
            title=title,
            collection=collection,
            tags=tags,
            metadata=metadata,
            expires_at=expires_at,
            embed=embed,
        )
        return self.send("POST", "/v1/documents", body)

    def get(self, id: str) -> JsonDict:
        """Read a document."""
        return self.send("GET", f"/v1/documents/{quote(id, safe='')}")

    def get_by_key(self, key: str, *, collection: str | None = None) -> JsonDict:
        """Read a document by its key: a listing with ``key`` has the one document, or none."""
        found = self.send("GET", "/v1/documents" + _query(key=key, collection=collection))
        if not found["items"]:
            raise ContractError("document_not_found", pointer="/key", status=404)
        return self.get(found["items"][0]["id"])

    def get_chunk(self, chunk_id: int) -> JsonDict:
        """Read a chunk."""
        return self.send("GET", f"/v1/chunks/{chunk_id}")

    def list(
        self,
        *,
        collection: str | None = None,
        filter: object = None,
        limit: object = None,
        cursor: str | None = None,
    ) -> JsonDict:
        """List documents."""
        tree = None if filter is None else json.dumps(filter)
        query = _query(collection=collection, filter=tree, limit=limit, cursor=cursor)
        return self.send("GET", "/v1/documents" + query)

    def update(
        self,
        id: str,
        *,
        text: object = ABSENT,
        title: object = ABSENT,
        tags: object = ABSENT,
        metadata: object = ABSENT,
        expires_at: object = ABSENT,
    ) -> JsonDict:
        """Change some fields of a document."""
        patch = _body(text=text, title=title, tags=tags, metadata=metadata)
        if expires_at is not ABSENT:
            patch["expires_at"] = expires_at
        return self.send("PATCH", f"/v1/documents/{quote(id, safe='')}", patch)

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
        body = _body(text=text, title=title, tags=tags, metadata=metadata, expires_at=expires_at)
        return self.send("PUT", f"/v1/documents/{quote(id, safe='')}", body)

    def delete(self, id: str) -> None:
        """Remove a document."""
        assert self.send("DELETE", f"/v1/documents/{quote(id, safe='')}") == {}

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
        body = _body(
            query=query,
            k=k,
            collection=collection,
            filter=filter,
            mode=mode,
            strategy=strategy,
            explain=explain,
            **shape,
        )
        return self.send("POST", "/v1/search", body)

    def why_not(self, query: str, **fields: object) -> JsonDict:
        """Say where a search loses something."""
        return self.send("POST", "/v1/search/why-not", _body(query=query, **fields))

    def context(self, query: str, **fields: object) -> JsonDict:
        """Put together passages for a prompt."""
        return self.send("POST", "/v1/context", _body(query=query, **fields))

    def stats(self) -> JsonDict:
        """Say what the file holds."""
        return self.send("GET", "/v1/stats")

    def disagreements(
        self, *, limit: object = None, cursor: str | None = None, texts: bool = False
    ) -> JsonDict:
        """List logged searches."""
        query = _query(limit=limit, cursor=cursor, texts=texts)
        return self.send("GET", "/v1/disagreements" + query)

    def feedback(self, search_id: str, chunk_id: object, verdict: str) -> JsonDict:
        """Say whether a chunk answered a search."""
        body = {"search_id": search_id, "chunk_id": chunk_id, "verdict": verdict}
        return self.send("POST", "/v1/feedback", body)

    def feedback_batch(self, feedback: Sequence[JsonDict]) -> tuple[JsonDict, ...]:
        """Give many verdicts."""
        answer = self.send("POST", "/v1/feedback:batch", {"feedback": [*feedback]})
        return tuple(answer["results"])

    def judged_searches(self, *, limit: object = None, cursor: str | None = None) -> JsonDict:
        """List judged searches."""
        return self.send("GET", "/v1/feedback" + _query(limit=limit, cursor=cursor))

    def calibrate(self, **fields: object) -> JsonDict:
        """Learn relevance from the file."""
        return self.send("POST", "/v1/calibrate", _body(**fields))

    def reset_calibration(self) -> JsonDict:
        """Forget it."""
        return self.send("DELETE", "/v1/calibrate")

    def ingest(self, paths: Sequence[str], *, collection: str | None = None) -> JsonDict:
        """The REST API has no such route."""
        raise NotImplementedError

    def close(self) -> None:
        """Tell the server to stop and release the file."""
        self._opened.close()
